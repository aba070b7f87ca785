//! Fetches ClickHouse's list of addresses over HTTPS: once, bounded in time and size, without redirects.

use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;
use tokio_util::sync::CancellationToken;

use super::address::Address;
use crate::aws::roots;
use crate::terraform::chain;

const LIMIT: Duration = Duration::from_secs(15);
/// Many times the size of the list.
const LARGEST: usize = 4 << 20;

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("it did not answer within {} seconds", LIMIT.as_secs())]
    TimedOut,
    #[error("the run was stopped")]
    Stopped,
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("its answer is larger than {} MiB", LARGEST >> 20)]
    TooLarge,
    #[error("it cannot be fetched: {0}")]
    Failed(String),
}

/// The content at this address.
pub(super) async fn fetch(address: &Address, cancel: &CancellationToken) -> Result<Vec<u8>, FetchError> {
    tokio::select! {
        fetched = tokio::time::timeout(LIMIT, get(address)) => fetched.unwrap_or(Err(FetchError::TimedOut)),
        () = cancel.cancelled() => Err(FetchError::Stopped),
    }
}

async fn get(address: &Address) -> Result<Vec<u8>, FetchError> {
    // The HTTP client of the AWS SDK: it uses the same roots and proxy as every other call.
    let proxy = if address.is_local { ProxyConfig::disabled() } else { ProxyConfig::from_env() };
    let mut connector = Connector::builder().proxy_config(proxy).tls_provider(roots::TLS);
    if let Some(trusted) = roots::built_in() {
        connector.set_tls_context(trusted.clone());
    }
    let connector = connector.build();
    let request = HttpRequest::get(address.uri.to_string()).map_err(|error| FetchError::Failed(error.to_string()))?;
    let answer = connector.call(request).await.map_err(|error| FetchError::Failed(chain(&error)))?;
    if !answer.status().is_success() {
        return Err(FetchError::Status(answer.status().as_u16()));
    }
    let mut body = ByteStream::new(answer.into_body());
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk.map_err(|error| FetchError::Failed(chain(&error)))?);
        if bytes.len() > LARGEST {
            return Err(FetchError::TooLarge);
        }
    }
    Ok(bytes)
}
