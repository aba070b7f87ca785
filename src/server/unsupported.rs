//! The answer to every RPC that this provider does not offer.

use std::pin::Pin;

use tokio_stream::Stream;
use tonic::Status;

/// A stream that is never sent: the RPCs that would answer with one are not offered.
pub(super) type NoStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// This RPC is not offered.
pub(super) fn unsupported<T>(rpc: &str) -> Result<T, Status> {
    Err(Status::unimplemented(format!("{rpc} is not offered by this provider")))
}
