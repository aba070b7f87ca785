//! The round trips of one connection, counted by when something was sent and when something arrived, whatever it was.

use std::time::Duration;

use tokio::time::Instant;

/// A round trip begins when the client sends something after the answer to the beginning of the last one has arrived. What it sends
/// before that is under way at the same time, also if it knows an answer to something older.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    began: Option<Instant>,
    is_answered: bool,
}

impl Rounds {
    /// The client sends something. Returns whether that begins a round trip.
    pub(super) fn sent(&mut self, now: Instant) -> bool {
        let begins = self.began.is_none() || self.is_answered;
        if begins {
            *self = Self { began: Some(now), is_answered: false };
        }
        begins
    }

    /// Something arrives at the client. What comes sooner than `round_trip` after the beginning answers something older.
    pub(super) fn arrived(&mut self, at: Instant, round_trip: Duration) {
        self.is_answered |= self.began.is_some_and(|began| at >= began + round_trip);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(20);

    /// What happens on a connection, with its time in milliseconds.
    enum Event {
        Sent(u64),
        Arrived(u64),
    }
    use Event::{Arrived, Sent};

    fn count(events: &[Event], round_trip: Duration) -> usize {
        let (start, mut rounds) = (Instant::now(), Rounds::default());
        let at = |milliseconds: &u64| start + Duration::from_millis(*milliseconds);
        let begins = |event: &Event| match event {
            Sent(when) => rounds.sent(at(when)),
            Arrived(when) => {
                rounds.arrived(at(when), round_trip);
                false
            }
        };
        events.iter().map(begins).filter(|begins| *begins).count()
    }

    #[test]
    fn one_after_the_other_each_request_is_a_round_trip() {
        let events = [Sent(0), Arrived(20), Sent(20), Arrived(40), Arrived(41), Sent(45), Arrived(65)];
        assert_eq!((count(&events, ROUND_TRIP), count(&events, Duration::ZERO)), (3, 3));
    }

    #[test]
    fn what_is_sent_without_waiting_for_an_answer_is_no_further_round_trip() {
        assert_eq!(count(&[Sent(0), Sent(1), Sent(19), Arrived(20), Arrived(21), Arrived(39)], ROUND_TRIP), 1);
    }

    #[test]
    fn requests_that_depend_on_answers_of_one_round_trip_are_under_way_together() {
        // Two readers of one connection, a millisecond apart.
        let events = [Sent(0), Sent(1), Arrived(20), Sent(20), Arrived(21), Sent(21), Arrived(40), Arrived(41), Sent(41)];
        assert_eq!(count(&events, ROUND_TRIP), 3);
    }

    #[test]
    fn readers_that_take_turns_take_as_many_round_trips_as_fit_in_the_time() {
        let events = [Sent(0), Sent(10), Arrived(20), Sent(20), Arrived(30), Sent(30), Arrived(40), Sent(40), Arrived(50)];
        assert_eq!(count(&events, ROUND_TRIP), 3);
    }
}
