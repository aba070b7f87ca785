//! The answer to every RPC that this provider does not offer.

use tonic::Status;

/// This RPC is not offered.
pub(super) fn unsupported<T>(rpc: &str) -> Result<T, Status> {
    Err(Status::unimplemented(format!("{rpc} is not offered by this provider")))
}
