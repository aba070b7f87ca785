//! What a run knows of the writer behind an address: whether it was met there, and since when it is missed.

use std::time::{Duration, Instant};

/// Pure: the pool asks and tells.
#[derive(Debug, Default)]
pub(super) struct Writer {
    met: bool,
    missed_since: Option<Instant>,
}

impl Writer {
    /// The address led to a writer.
    pub(super) fn found(&mut self) {
        *self = Self { met: true, missed_since: None };
    }

    /// The address led to nobody, or to a reader. Says whether that may be a failover and is worth another try: it is for as long as
    /// `patience` after the writer was first missed, whoever missed it, and never where no writer was met.
    pub(super) fn missed(&mut self, now: Instant, patience: Duration) -> bool {
        self.met && now.duration_since(*self.missed_since.get_or_insert(now)) < patience
    }

    /// Whether nobody has missed it yet.
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
