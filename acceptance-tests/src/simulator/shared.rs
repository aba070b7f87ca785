//! What the API, the control endpoint and the library calls share: the state, the clock, what is ordered for calls to come and the
//! calls received.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::actions;
use super::clock::Clock;
use super::error::ApiError;
use super::faults::{AfterCall, Fault, FaultSpec, LagSpec};
use super::lag::{self, Past};
use super::request::Request;
use super::secret_text::SecretText;
use super::service::{Content, Service, Signature};
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
    lags: Mutex<Vec<LagSpec>>,
    after_calls: Mutex<Vec<AfterCall>>,
    calls: Mutex<Vec<Call>>,
}

/// What becomes of one call.
#[derive(Debug)]
pub(crate) enum Answer {
    /// HTTP status, media type and body.
    Sent(u16, &'static str, String),
    /// The connection is reset.
    Reset,
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
            lags: Mutex::default(),
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

    /// In place of an earlier lag of the same action.
    pub(crate) fn set_lag(&self, lag: LagSpec) {
        let mut lags = lock(&self.lags);
        lags.retain(|earlier| earlier.action != lag.action);
        lags.push(lag);
    }

    pub(crate) fn clear_lags(&self) {
        lock(&self.lags).clear();
        lock(&self.past).forget();
    }

    pub(crate) fn add_after_call(&self, after: AfterCall) {
        lock(&self.after_calls).push(after);
    }

    /// Answers one call of an API.
    pub(crate) async fn answer(self: &Arc<Self>, body: &[u8], signature: &Signature) -> Answer {
        let service = Service::of(signature, body);
        let request_id = format!("00000000-0000-4000-8000-{:012x}", self.calls().len());
        let (action, result) = match Request::decode(service, body, signature, &self.options.region) {
            Ok(request) => (request.action.clone(), self.answer_request(&request).await),
            Err(error) => (String::new(), Some(Err(error))),
        };
        match result {
            Some(result) => {
                let (status, text) = service.encode(&action, &request_id, result);
                Answer::Sent(status, service.content_type(), text)
            }
            None => Answer::Reset,
        }
    }

    /// `None`: the connection is reset.
    async fn answer_request(self: &Arc<Self>, request: &Request) -> Option<Result<Content, ApiError>> {
        let cleared = self.faults_cleared.notified();
        tokio::pin!(cleared);
        cleared.as_mut().enable();
        let fault = self.next_fault(&request.action);
        let result = match fault {
            None => Some(self.perform(request)),
            Some(Fault::ConnectionReset) => None,
            Some(Fault::AnswerLost) => {
                // A refusal would be no loss, so it is answered.
                self.perform(request).err().map(Err)
            }
            Some(Fault::Hang) => {
                cleared.await;
                Some(self.perform(request))
            }
            Some(fault) => fault.error(request.service, &request.action).map(Err),
        };
        let mut parameters = request.parameters.clone();
        // The flags about a password, such as ManageMasterUserPassword, are none.
        parameters.retain(|name, _| !name.contains("Password") || name.starts_with("Manage") || name.starts_with("Rotate"));
        let error = match &result {
            None => fault.map(|fault| fault.name(request.service, &request.action)),
            Some(result) => result.as_ref().err().map(|error| error.code.to_owned()),
        };
        self.calls().push(Call {
            service: request.service.name().to_owned(),
            action: request.action.clone(),
            parameters,
            access_key: request.access_key.clone(),
            error,
        });
        result
    }

    fn perform(self: &Arc<Self>, request: &Request) -> Result<Content, ApiError> {
        let now = self.time_of_day.now();
        self.state().identities.admit(request.service, request.access_key.as_deref(), request.session_token.as_ref(), now)?;
        let lag = request.is_mutating().then(|| self.lag_of(&request.action)).flatten();
        let before = lag.map(|reads| (reads, self.state().clone()));
        let result = actions::dispatch(self, request)?;
        if let Some((reads, before)) = before {
            // A call names what it creates, and what it deletes is still known to the state before.
            let object = lag::changed_object(&self.state(), request).or_else(|| lag::changed_object(&before, request));
            if let Some(object) = object {
                lock(&self.past).keep(object, &before, reads);
            }
        }
        let after: Vec<AfterCall> = lock(&self.after_calls).extract_if(.., |after| after.action == request.action).collect();
        for after in after {
            (after.run)();
        }
        Ok(result)
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

    pub(crate) fn lag_of(&self, action: &str) -> Option<u32> {
        lock(&self.lags).iter().find(|lag| lag.action == "*" || lag.action == action).map(|lag| lag.reads)
    }

    fn next_fault(&self, action: &str) -> Option<Fault> {
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
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
