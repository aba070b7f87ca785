//! What a run knows about the writer at an address: whether it has been seen, and since when it is missing.

use std::time::{Duration, Instant};

/// Pure: the pool reports and asks.
#[derive(Debug, Default)]
pub(super) struct Writer {
    met: bool,
    missed_since: Option<Instant>,
}

impl Writer {
    /// The writer answered at the address.
    pub(super) fn found(&mut self) {
        *self = Self { met: true, missed_since: None };
    }

    /// No server, or a reader, answered at the address. Returns whether that may be a failover and is worth another attempt: it
    /// is, until `patience` after the writer was first missed by any caller, and never if no writer has been seen.
    pub(super) fn missed(&mut self, now: Instant, patience: Duration) -> bool {
        self.met && now.duration_since(*self.missed_since.get_or_insert(now)) < patience
    }

    /// Whether no caller has missed it yet.
    pub(super) fn is_there(&self) -> bool {
        self.missed_since.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(15);

    #[test]
    fn who_was_never_there_is_not_waited_for() {
        let now = Instant::now();
        assert!(!Writer::default().missed(now, PATIENCE));
    }

    #[test]
    fn patience_begins_with_the_first_miss_and_is_shared() {
        let (mut writer, start) = (Writer::default(), Instant::now());
        writer.found();
        assert!(writer.is_there());
        let late = start + Duration::from_secs(3600);
        assert!(writer.missed(late, PATIENCE), "however long it was there");
        assert!(!writer.is_there());
        assert!(writer.missed(late + Duration::from_secs(14), PATIENCE));
        for _ in 0..2 {
            assert!(!writer.missed(late + PATIENCE, PATIENCE), "awaited in vain, it is not awaited again");
        }
        writer.found();
        assert!(writer.missed(late + 2 * PATIENCE, PATIENCE));
    }
}
