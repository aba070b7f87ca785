//! gRPC's health service: go-plugin's `Ping` asks for the service "plugin".

use std::pin::Pin;

use futures_util::{Stream, StreamExt as _, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::proto::health::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_server::Health,
};

/// Reports SERVING from start to end.
pub(super) struct Serving {
    /// Cancelled when the server ends.
    pub(super) closing: CancellationToken,
}

/// An empty name means the whole server.
fn is_ours(service: &str) -> bool {
    matches!(service, "" | "plugin")
}

#[tonic::async_trait]
impl Health for Serving {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        if is_ours(&service) {
            Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() }))
        } else {
            Err(Status::not_found(format!("no service {service:?}")))
        }
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let status = if is_ours(&request.into_inner().service) { ServingStatus::Serving } else { ServingStatus::ServiceUnknown };
        let first = HealthCheckResponse { status: status.into() };
        let watch =
            stream::once(async move { Ok(first) }).chain(stream::pending()).take_until(self.closing.clone().cancelled_owned());
        Ok(Response::new(Box::pin(watch)))
    }
}
