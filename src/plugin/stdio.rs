//! `GRPCStdio`: what the plugin prints, which is nothing.

use std::pin::Pin;

use futures_util::{Stream, StreamExt as _, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::proto::plugin::{StdioData, grpc_stdio_server::GrpcStdio};

/// An empty stream that lasts as long as the server. Ending it early would have a cost: while it is open, Go's gRPC never treats
/// the connection as idle, and a closed connection ends this process.
pub(super) struct Stdio {
    /// Cancelled when the server ends.
    pub(super) closing: CancellationToken,
}

#[tonic::async_trait]
impl GrpcStdio for Stdio {
    type StreamStdioStream = Pin<Box<dyn Stream<Item = Result<StdioData, Status>> + Send>>;

    async fn stream_stdio(&self, _request: Request<()>) -> Result<Response<Self::StreamStdioStream>, Status> {
        let silence = stream::pending().take_until(self.closing.clone().cancelled_owned());
        Ok(Response::new(Box::pin(silence)))
    }
}
