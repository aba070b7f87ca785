//! What the API, the control endpoint and the library calls share: the state, the faults to come and the calls received.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;

use super::actions;
use super::error::ApiError;
use super::request::Request;
use super::spec::{Call, Fault, FaultSpec, Options};
use super::state::State;
use super::xml::{Xml, error_response};

/// The core of a simulator.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) runtime: Handle,
    state: Mutex<State>,
    faults: Mutex<Vec<FaultSpec>>,
    calls: Mutex<Vec<Call>>,
}

impl Shared {
    pub(crate) fn new(options: Options, runtime: Handle) -> Arc<Self> {
        Arc::new(Self { options, runtime, state: Mutex::default(), faults: Mutex::default(), calls: Mutex::default() })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(crate) fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        lock(&self.calls)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Vec<FaultSpec>> {
        lock(&self.faults)
    }

    /// A duration of the real service on this simulator's clock.
    pub(crate) fn scaled(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds * self.options.time_scale)
    }

    /// Answers one call of the API: HTTP status and body.
    pub(crate) fn answer(self: &Arc<Self>, body: &[u8]) -> (u16, String) {
        let request_id = format!("00000000-0000-4000-8000-{:012x}", self.calls().len());
        let (action, result) = match Request::decode(body) {
            Ok(request) => (request.action.clone(), self.answer_request(&request)),
            Err(error) => (String::new(), Err(error)),
        };
        match result {
            Ok(xml) => (200, xml.into_response(&action, &request_id)),
            Err(error) => (error.status, error_response(&error, &request_id)),
        }
    }

    fn answer_request(self: &Arc<Self>, request: &Request) -> Result<Xml, ApiError> {
        let result = match self.next_fault(&request.action) {
            Some(Fault::Throttling) => Err(ApiError::throttling()),
            Some(Fault::InternalFailure) => Err(ApiError::internal_failure()),
            Some(Fault::AccessDenied) => Err(ApiError::access_denied(&request.action)),
            None => actions::dispatch(self, request),
        };
        let mut parameters = request.parameters.clone();
        parameters.retain(|name, _| !name.contains("Password"));
        let error = result.as_ref().err().map(|error| error.code.to_owned());
        self.calls().push(Call { action: request.action.clone(), parameters, error });
        result
    }

    fn next_fault(&self, action: &str) -> Option<Fault> {
        let mut faults = self.faults();
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
