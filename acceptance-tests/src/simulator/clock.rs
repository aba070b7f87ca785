//! The simulator's clock: it runs at a scale of real time or stands still until it is advanced.
//!
//! Everything that takes time is spawned here and sleeps here, so that an advance can wait until everything due has happened.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::lock::lock;

/// Simulated time since the simulator's start, in whole nanoseconds: sums of seconds and fractions must be exact.
#[derive(Debug)]
pub(crate) struct Clock {
    runtime: Handle,
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug)]
struct Inner {
    /// The time at `since`.
    base: Duration,
    since: Instant,
    /// Real seconds per simulated second; `None`: the clock stands still.
    scale: Option<f64>,
    /// When each sleeper wakes.
    sleepers: BTreeMap<u64, Duration>,
    next_sleeper: u64,
    /// Tasks that are not sleeping now.
    busy: usize,
}

impl Inner {
    fn now(&self) -> Duration {
        match self.scale {
            Some(scale) if scale > 0.0 => self.base.saturating_add(duration(self.since.elapsed().as_secs_f64() / scale)),
            _ => self.base,
        }
    }

    fn is_due(&self, deadline: Duration) -> bool {
        self.scale == Some(0.0) || deadline <= self.now()
    }

    /// The real time until then; `None`: never by itself.
    fn real_time_until(&self, deadline: Duration) -> Option<Duration> {
        Some(duration(deadline.saturating_sub(self.now()).as_secs_f64() * self.scale?))
    }
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

impl Clock {
    pub(crate) fn new(runtime: Handle, scale: f64) -> Self {
        let inner = Inner {
            base: Duration::ZERO,
            since: Instant::now(),
            scale: Some(scale),
            sleepers: BTreeMap::new(),
            next_sleeper: 0,
            busy: 0,
        };
        Self { runtime, inner: Mutex::new(inner), changed: Notify::new() }
    }

    /// Simulated seconds since the start.
    pub(crate) fn now(&self) -> f64 {
        lock(&self.inner).now().as_secs_f64()
    }

    /// Real seconds per simulated second; `None` while the clock stands still.
    pub(crate) fn scale(&self) -> Option<f64> {
        lock(&self.inner).scale
    }

    /// Runs at another scale from now on, or stands still.
    pub(crate) fn set_scale(&self, scale: Option<f64>) {
        {
            let mut inner = lock(&self.inner);
            inner.base = inner.now();
            inner.since = Instant::now();
            inner.scale = scale;
        }
        self.changed.notify_waiters();
    }

    /// Advances the time, and returns when everything that was due by then has happened.
    pub(crate) async fn advance(&self, seconds: f64) {
        // A new task must first reach its sleep, which otherwise would begin after the advance.
        self.settle().await;
        {
            let mut inner = lock(&self.inner);
            inner.base = inner.base.saturating_add(duration(seconds));
        }
        self.changed.notify_waiters();
        self.settle().await;
    }

    /// Waits until every task sleeps and none of them is due.
    pub(crate) async fn settle(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let inner = lock(&self.inner);
                if inner.busy == 0 && !inner.sleepers.values().any(|deadline| inner.is_due(*deadline)) {
                    return;
                }
            }
            changed.await;
        }
    }

    /// Starts a task that takes time. It may use [`Clock::sleep`].
    pub(crate) fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        lock(&self.inner).busy += 1;
        let clock = Arc::clone(self);
        self.runtime.spawn(async move {
            let _busy = Busy(&clock);
            task.await;
        });
    }

    /// Sleeps for this many simulated seconds. Only for tasks that [`Clock::spawn`] started.
    pub(crate) async fn sleep(&self, seconds: f64) {
        let (sleeper, deadline) = {
            let mut inner = lock(&self.inner);
            let (sleeper, deadline) = (inner.next_sleeper, inner.now().saturating_add(duration(seconds)));
            inner.next_sleeper += 1;
            inner.busy -= 1;
            inner.sleepers.insert(sleeper, deadline);
            (sleeper, deadline)
        };
        let _asleep = Asleep(self, sleeper);
        self.changed.notify_waiters();
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let real = {
                let inner = lock(&self.inner);
                if inner.is_due(deadline) {
                    return;
                }
                inner.real_time_until(deadline)
            };
            match real {
                None => changed.await,
                Some(real) => tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep(real) => {}
                },
            }
        }
    }
}

/// A sleeper, until it wakes or is dropped with its task.
struct Asleep<'a>(&'a Clock, u64);

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        let mut inner = lock(&self.0.inner);
        inner.sleepers.remove(&self.1);
        inner.busy += 1;
    }
}

/// A spawned task; its end is reported even if it panics.
struct Busy<'a>(&'a Clock);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        lock(&self.0.inner).busy -= 1;
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn counting(clock: &Arc<Clock>, steps: &[f64]) -> Arc<AtomicU32> {
        let count = Arc::new(AtomicU32::new(0));
        let (seen, task_clock, steps) = (Arc::clone(&count), Arc::clone(clock), steps.to_vec());
        clock.spawn(async move {
            for step in steps {
                task_clock.sleep(step).await;
                seen.fetch_add(1, Ordering::SeqCst);
            }
        });
        count
    }

    #[tokio::test]
    async fn a_clock_that_stands_moves_by_advances_only() {
        let clock = Arc::new(Clock::new(Handle::current(), 0.001));
        clock.set_scale(None);
        let count = counting(&clock, &[10.0, 5.0, 10.0]);
        clock.advance(9.0).await;
        assert_eq!(count.load(Ordering::SeqCst), 0);
        clock.advance(1.0).await;
        assert_eq!(count.load(Ordering::SeqCst), 1);
        // The second sleep begins when the first has ended, at an advance's end.
        clock.advance(5.0).await;
        assert_eq!(count.load(Ordering::SeqCst), 2);
        clock.advance(100.0).await;
        assert_eq!(count.load(Ordering::SeqCst), 3);
        assert!(clock.now() >= 115.0);
    }

    #[tokio::test]
    async fn sleepers_wake_when_the_clock_runs_again() {
        let clock = Arc::new(Clock::new(Handle::current(), 1.0));
        clock.set_scale(None);
        let count = counting(&clock, &[1e6, 1e6]);
        clock.set_scale(Some(0.0));
        clock.advance(0.0).await;
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }
}
