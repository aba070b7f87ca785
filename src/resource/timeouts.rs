//! The `timeouts` attribute that every resource has.

use std::future::Future;
use std::time::Duration;

use crate::failure::Failure;
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics, decode_duration, model, optional};

model! {
    /// How long each operation may take, as durations such as `"30s"`, `"10m"` or `"1h30m"`.
    pub struct Timeouts {
        /// Limit for creating, such as `30s` or `1h30m`.
        create: String => optional(),
        /// Limit for reading, at refresh and import, such as `30s`.
        read: String => optional(),
        /// Limit for updating, such as `30s` or `1h30m`.
        update: String => optional(),
        /// Limit for destroying, such as `30s` or `1h30m`.
        delete: String => optional(),
    }
}

impl Timeouts {
    /// Checks that every given limit is a duration.
    pub(crate) fn validate(timeouts: &Attr<Timeouts>) -> Diagnostics {
        let Some(timeouts) = timeouts.known() else { return Diagnostics::new() };
        let limits =
            [("create", &timeouts.create), ("read", &timeouts.read), ("update", &timeouts.update), ("delete", &timeouts.delete)];
        let faults = limits.into_iter().filter_map(|(name, limit)| {
            let fault = decode_duration(limit.known()?).err()?;
            let path = AttributePath::of("timeouts").attribute(name);
            Some(Diagnostic::error("Invalid duration", format!("Attribute {path}: {fault}.")).at(path))
        });
        faults.collect()
    }

    /// The limit for creating.
    pub(crate) fn create(timeouts: &Attr<Timeouts>, default: Duration) -> Duration {
        limit(timeouts.known().and_then(|timeouts| timeouts.create.known()), default)
    }

    /// The limit for reading.
    pub(crate) fn read(timeouts: &Attr<Timeouts>, default: Duration) -> Duration {
        limit(timeouts.known().and_then(|timeouts| timeouts.read.known()), default)
    }

    /// The limit for updating.
    pub(crate) fn update(timeouts: &Attr<Timeouts>, default: Duration) -> Duration {
        limit(timeouts.known().and_then(|timeouts| timeouts.update.known()), default)
    }

    /// The limit for destroying.
    pub(crate) fn delete(timeouts: &Attr<Timeouts>, default: Duration) -> Duration {
        limit(timeouts.known().and_then(|timeouts| timeouts.delete.known()), default)
    }

    /// Runs `work` for at most `limit`.
    ///
    /// # Errors
    /// The time ran out; `work` is dropped then.
    pub(crate) async fn within<T>(limit: Duration, what: &str, work: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::time::timeout(limit, work).await.map_err(|_| {
            let detail = format!("Gave up {what} after {}. Raise the limit in timeouts.", humantime::format_duration(limit));
            Diagnostic::error("Timed out", detail).at(AttributePath::of("timeouts")).into()
        })
    }
}

fn limit(text: Option<&String>, default: Duration) -> Duration {
    text.and_then(|text| decode_duration(text).ok()).unwrap_or(default)
}
