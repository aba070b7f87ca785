//! `GRPCBroker`: side channels, which a provider does not need.

use std::{future, pin::Pin};

use futures_util::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::proto::plugin::{ConnInfo, grpc_broker_server::GrpcBroker};

/// Accepts the stream of offered side channels and uses none.
pub(super) struct Broker {
    /// Cancelled when the server ends.
    pub(super) closing: CancellationToken,
}

#[tonic::async_trait]
impl GrpcBroker for Broker {
    type StartStreamStream = Pin<Box<dyn Stream<Item = Result<ConnInfo, Status>> + Send>>;

    async fn start_stream(&self, request: Request<Streaming<ConnInfo>>) -> Result<Response<Self::StartStreamStream>, Status> {
        let silence =
            request.into_inner().filter_map(|_offer| future::ready(None)).take_until(self.closing.clone().cancelled_owned());
        Ok(Response::new(Box::pin(silence)))
    }
}
