//! When the process ends.

use std::time::Duration;

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

use super::{connection::Presence, error::PluginError};

/// How long a host may take to connect. The host waits as long for our line.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);

/// Why serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// The host asked for it.
    ShutdownRequested,
    /// The host disappeared, for example because it was killed.
    ClientGone,
    /// No host connected within a minute.
    NoClient,
    /// Ctrl-C in debug mode.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

/// Signal handlers. They are active from their installation on, even while no task waits for them.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn install() -> Result<Self, PluginError> {
        let install = |kind| signal(kind).map_err(|source| PluginError::Signals { source });
        Ok(Self { interrupt: install(SignalKind::interrupt())?, terminate: install(SignalKind::terminate())? })
    }
}

/// Waits for the end of a process that a host started.
///
/// Ctrl-C reaches every process of the terminal. The host answers it with StopProvider and waits for the running operations, so
/// it must not end this process.
pub(super) async fn ended_by_host(
    mut signals: Signals,
    requested: CancellationToken,
    presence: watch::Receiver<Presence>,
) -> ExitReason {
    let client = client_gone(presence, CONNECT_TIMEOUT);
    tokio::pin!(client);
    loop {
        tokio::select! {
            () = requested.cancelled() => return ExitReason::ShutdownRequested,
            reason = &mut client => return reason,
            _ = signals.terminate.recv() => return ExitReason::Terminated,
            _ = signals.interrupt.recv() => tracing::info!("interrupted: waiting for the host to stop its operations"),
        }
    }
}

/// Waits for the end of a process that was started with `--debug`: clients come and go.
pub(super) async fn ended_by_person(mut signals: Signals, requested: CancellationToken) -> ExitReason {
    tokio::select! {
        () = requested.cancelled() => ExitReason::ShutdownRequested,
        _ = signals.terminate.recv() => ExitReason::Terminated,
        _ = signals.interrupt.recv() => ExitReason::Interrupted,
    }
}

/// A host opens one connection and keeps it. Without this, a killed host would leave this process and its database connections
/// behind.
async fn client_gone(mut presence: watch::Receiver<Presence>, patience: Duration) -> ExitReason {
    let came = tokio::time::timeout(patience, presence.wait_for(|presence| presence.came)).await.is_ok();
    if !came {
        return ExitReason::NoClient;
    }
    // An error means that the accepting side has ended, so no client can be connected either.
    let _ = presence.wait_for(|presence| presence.connected == 0).await;
    ExitReason::ClientGone
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_host_that_never_connects_ends_the_process() {
        let (_sender, receiver) = watch::channel(Presence::default());
        assert_eq!(client_gone(receiver, Duration::ZERO).await, ExitReason::NoClient);
    }

    #[tokio::test]
    async fn a_client_ends_the_process_when_it_goes_and_not_by_staying() {
        let (sender, receiver) = watch::channel(Presence { came: true, connected: 1 });
        let end = client_gone(receiver, Duration::ZERO);
        tokio::pin!(end);
        assert_eq!(end.as_mut().now_or_never(), None);
        sender.send_modify(|presence| presence.connected = 0);
        assert_eq!(end.await, ExitReason::ClientGone);
    }
}
