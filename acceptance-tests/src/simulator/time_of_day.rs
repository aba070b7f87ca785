//! The time of day at AWS, which a test can move ahead of the machine's. Signatures, tokens and temporary credentials are measured by
//! it, and not by the simulator's clock: clients sign by the machine's time, of which that clock knows nothing.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use super::lock::lock;

/// The machine's time, moved ahead.
#[derive(Debug, Default)]
pub(crate) struct TimeOfDay {
    ahead: Mutex<Duration>,
}

impl TimeOfDay {
    pub(crate) fn now(&self) -> SystemTime {
        SystemTime::now() + *lock(&self.ahead)
    }

    /// Seconds since 1970.
    pub(crate) fn seconds(&self) -> f64 {
        self.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
    }

    /// Moves on.
    pub(crate) fn advance(&self, by: Duration) {
        let mut ahead = lock(&self.ahead);
        *ahead = ahead.saturating_add(by);
    }
}
