//! `GRPCController`: the host says that it is done.

use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::proto::plugin::{Empty, grpc_controller_server::GrpcController};

/// Answers, and ends the process after the answer.
pub(super) struct Controller {
    /// Cancelled when the host asks the process to end.
    pub(super) requested: CancellationToken,
}

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _request: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.requested.cancel();
        Ok(Response::new(Empty {}))
    }
}
