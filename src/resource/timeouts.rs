//! The `timeouts` attribute that every resource has. Pure.

use std::time::Duration;

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

    /// The limit of a destroy, if it is set.
    pub(crate) fn delete(timeouts: &Attr<Timeouts>) -> Option<Duration> {
        timeouts.known().and_then(|timeouts| decode_duration(timeouts.delete.known()?).ok())
    }

    /// The limits in force.
    pub(crate) fn limits(timeouts: &Attr<Timeouts>, defaults: Limits) -> Limits {
        let Some(timeouts) = timeouts.known() else { return defaults };
        Limits {
            create: limit(&timeouts.create, defaults.create),
            read: limit(&timeouts.read, defaults.read),
            update: limit(&timeouts.update, defaults.update),
            delete: limit(&timeouts.delete, defaults.delete),
        }
    }
}

/// How long each step may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) create: Duration,
    pub(crate) read: Duration,
    pub(crate) update: Duration,
    pub(crate) delete: Duration,
}

impl Limits {
    /// The same limit for each.
    pub(crate) const fn each(limit: Duration) -> Self {
        Self { create: limit, read: limit, update: limit, delete: limit }
    }
}

fn limit(text: &Attr<String>, default: Duration) -> Duration {
    text.known().and_then(|text| decode_duration(text).ok()).unwrap_or(default)
}
