//! The time of day at AWS, which a test can move ahead of the machine's. It applies to signatures, tokens and temporary
//! credentials instead of the simulator's clock: clients sign with the machine's time, and that clock does not know it.

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
