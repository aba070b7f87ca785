//! How far the opening of a session has come: what a server that stays silent has answered until then. Pure.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// What is awaited while a session is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The addresses of the host name.
    Name,
    /// That anything accepts the connection.
    Dial,
    /// The answer to the start of TLS.
    Tls,
    /// The answer to the start of the session, and to the login.
    Session,
    /// The answer to the first query.
    FirstQuery,
}

impl Phase {
    const ALL: [Self; 5] = [Self::Name, Self::Dial, Self::Tls, Self::Session, Self::FirstQuery];
}

/// What did not happen, as the end of a sentence about the address.
impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "has a host name that did not resolve",
            Self::Dial => "did not answer",
            Self::Tls => "accepted the connection but did not answer the start of TLS",
            Self::Session => "accepted the connection but did not answer the start of the session or the login",
            Self::FirstQuery => "accepted the login but did not answer the first query",
        })
    }
}

/// The phase, shared between what opens a session and what limits its time.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress(Arc<AtomicU8>);

impl Progress {
    pub(super) fn reached(&self, phase: Phase) {
        let place = Phase::ALL.iter().position(|other| *other == phase).unwrap_or_default();
        self.0.store(u8::try_from(place).unwrap_or_default(), Ordering::Relaxed);
    }

    pub(super) fn phase(&self) -> Phase {
        Phase::ALL.get(usize::from(self.0.load(Ordering::Relaxed))).copied().unwrap_or(Phase::Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_reached_last_counts() {
        let progress = Progress::default();
        assert_eq!(progress.phase(), Phase::Name);
        for phase in Phase::ALL {
            progress.clone().reached(phase);
            assert_eq!(progress.phase(), phase);
        }
    }
}
