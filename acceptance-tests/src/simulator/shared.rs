//! What the API, the control endpoint and the library calls share: the state, the clock, what is injected into future calls, and
//! the calls received.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::clock::Clock;
use super::faults::{Fault, FaultSpec, Hook, LagSpec};
use super::lag::Past;
use super::lock::lock;
use super::policy::Denial;
use super::policy_document::PolicyDocument;
use super::request::Request;
use super::secret_text::SecretText;
use super::spec::{Call, Options};
use super::state::State;
use super::time_of_day::TimeOfDay;

/// The core of a simulator.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) runtime: Handle,
    pub(crate) clock: Arc<Clock>,
    pub(crate) time_of_day: TimeOfDay,
    state: Mutex<State>,
    past: Mutex<Past>,
    faults: Mutex<Vec<FaultSpec>>,
    faults_cleared: Notify,
    /// Calls that wait for that.
    pub(crate) hanging: AtomicUsize,
    lags: Mutex<Vec<LagSpec>>,
    denials: Mutex<Vec<Denial>>,
    allowed: Mutex<Option<PolicyDocument>>,
    before_calls: Mutex<Vec<Hook>>,
    after_calls: Mutex<Vec<Hook>>,
    calls: Mutex<Vec<Call>>,
}

impl Shared {
    pub(crate) fn new(options: Options, runtime: Handle) -> Arc<Self> {
        let mut state = State::default();
        state.identities.users.insert(options.access_key.clone(), SecretText::new(&options.secret_key));
        Arc::new(Self {
            clock: Arc::new(Clock::new(runtime.clone(), options.time_scale)),
            time_of_day: TimeOfDay::default(),
            options,
            runtime,
            state: Mutex::new(state),
            past: Mutex::default(),
            faults: Mutex::default(),
            faults_cleared: Notify::new(),
            hanging: AtomicUsize::new(0),
            lags: Mutex::default(),
            denials: Mutex::default(),
            allowed: Mutex::default(),
            before_calls: Mutex::default(),
            after_calls: Mutex::default(),
            calls: Mutex::default(),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(crate) fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        lock(&self.calls)
    }

    pub(crate) fn add_fault(&self, fault: FaultSpec) {
        lock(&self.faults).push(fault);
    }

    pub(crate) fn clear_faults(&self) {
        lock(&self.faults).clear();
        self.faults_cleared.notify_waiters();
    }

    /// Ends when the faults are cleared.
    pub(crate) fn faults_cleared(&self) -> Notified<'_> {
        self.faults_cleared.notified()
    }

    /// The fault for this call of `action`, counted as used.
    pub(crate) fn next_fault(&self, action: &str) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        faults.retain(|fault| fault.count > 0);
        let next = faults.iter_mut().find(|fault| fault.action == "*" || fault.action == action)?;
        if next.skip > 0 {
            next.skip -= 1;
            return None;
        }
        next.count -= 1;
        Some(next.fault)
    }

    /// What the caller's policy denies.
    pub(crate) fn denials(&self) -> MutexGuard<'_, Vec<Denial>> {
        lock(&self.denials)
    }

    /// The only calls that the caller's policy allows, if it has one.
    pub(crate) fn allowed(&self) -> MutexGuard<'_, Option<PolicyDocument>> {
        lock(&self.allowed)
    }

    /// Replaces an earlier lag of the same action.
    pub(crate) fn set_lag(&self, lag: LagSpec) {
        let mut lags = lock(&self.lags);
        lags.retain(|earlier| earlier.action != lag.action);
        lags.push(lag);
    }

    pub(crate) fn clear_lags(&self) {
        lock(&self.lags).clear();
        lock(&self.past).forget();
    }

    pub(crate) fn add_before_call(&self, hook: Hook) {
        lock(&self.before_calls).push(hook);
    }

    pub(crate) fn add_after_call(&self, hook: Hook) {
        lock(&self.after_calls).push(hook);
    }

    /// What to run before this call of `action`, and before no later one.
    pub(crate) fn take_before_calls(&self, action: &str) -> Vec<Hook> {
        lock(&self.before_calls).extract_if(.., |hook| hook.action == action).collect()
    }

    /// What to run after this call of `action`, and after no later one.
    pub(crate) fn take_after_calls(&self, action: &str) -> Vec<Hook> {
        lock(&self.after_calls).extract_if(.., |hook| hook.action == action).collect()
    }

    /// Calls `read` with the state as this read sees it.
    pub(crate) fn read<T>(&self, request: &Request, read: impl FnOnce(&State) -> T) -> T {
        let state = self.state();
        let seen = lock(&self.past).seen_by(request, &state);
        read(seen.as_ref().unwrap_or(&state))
    }

    pub(crate) fn past(&self) -> MutexGuard<'_, Past> {
        lock(&self.past)
    }

    /// The lag of what the members report after a change of parameters.
    pub(crate) fn lag_of_members(&self) -> Option<u32> {
        lock(&self.lags).iter().find(|lag| lag.action == "ParameterGroupStatus").map(|lag| lag.reads)
    }

    pub(crate) fn lag_of(&self, action: &str) -> Option<u32> {
        lock(&self.lags).iter().find(|lag| lag.action == "*" || lag.action == action).map(|lag| lag.reads)
    }
}
