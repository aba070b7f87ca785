//! The simulator's clock as tests see it.

use std::sync::Arc;

use super::clock::Clock;

/// The clock of a simulator: at first it runs at the scale of the options.
#[derive(Debug, Clone)]
pub struct SimulatedClock(pub(super) Arc<Clock>);

impl SimulatedClock {
    /// Simulated seconds since the simulator's start.
    #[must_use]
    pub fn now(&self) -> f64 {
        self.0.now()
    }

    /// Stops: from now on only [`SimulatedClock::advance`] moves it.
    pub fn stop(&self) {
        self.0.set_scale(None);
    }

    /// Runs (again) with this many real seconds per simulated second.
    pub fn run(&self, scale: f64) {
        self.0.set_scale(Some(scale));
    }

    /// Advances by this many simulated seconds, and returns when everything that was due by then has happened.
    pub async fn advance(&self, seconds: f64) {
        self.0.advance(seconds).await;
    }
}
