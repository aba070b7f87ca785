//! The client of the RDS API, and the conversion of its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_rds::config::http::HttpResponse;
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};

use crate::aws::{Error, Session};

/// The RDS API of one region, called as one principal. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) rds: aws_sdk_rds::Client,
    region: String,
    endpoint: String,
    /// Whether it, or a clone of it, was used for a change.
    has_changed: Arc<AtomicBool>,
}

impl Client {
    /// Makes no call yet.
    pub fn new(session: &Session) -> Self {
        let mut config = aws_sdk_rds::config::Builder::from(session.config());
        if let Some(url) = &session.endpoints().rds {
            config = config.endpoint_url(url);
        }
        let region = session.region().to_owned();
        let endpoint = session.endpoints().rds.clone().unwrap_or_else(|| format!("the RDS API of {region}"));
        Self { rds: aws_sdk_rds::Client::from_conf(config.build()), region, endpoint, has_changed: Arc::default() }
    }

    /// The region in use.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The SDK's client, for a call that changes something.
    pub(super) fn changing(&self) -> &aws_sdk_rds::Client {
        self.has_changed.store(true, Ordering::SeqCst);
        &self.rds
    }

    /// Whether a change was sent since the client was created, by this client or by a clone of it.
    pub fn has_changed(&self) -> bool {
        self.has_changed.load(Ordering::SeqCst)
    }

    /// Converts an SDK result, and adds the action.
    pub(super) fn answer<T, E>(&self, action: &'static str, result: Result<T, SdkError<E, HttpResponse>>) -> Result<T, Error>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        result.map_err(|error| Error::from_sdk(action, &self.endpoint, error))
    }
}
