//! `GRPCController`: the host says that it is done with us.

use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::proto::plugin::{Empty, grpc_controller_server::GrpcController};

/// Answers, and has the process end after the answer.
pub(super) struct Controller {
    /// Cancelled when the host asks for the end.
    pub(super) requested: CancellationToken,
}

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _request: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.requested.cancel();
        Ok(Response::new(Empty {}))
    }
}
