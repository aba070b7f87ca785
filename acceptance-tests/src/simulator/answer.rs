//! Answers a call of an API: decodes it, applies the waiting fault, checks the caller, performs the action, keeps the past state
//! for lags, and logs the call.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::actions;
use super::content::{self, Content};
use super::distort;
use super::error::ApiError;
use super::faults::Fault;
use super::lag;
use super::policy;
use super::request::Request;
use super::service::{Service, Signature};
use super::shared::Shared;
use super::spec::Call;

/// What happens to one call.
#[derive(Debug)]
pub(crate) enum Answer {
    /// HTTP status, media type and body.
    Sent(u16, &'static str, String),
    /// The connection is reset.
    Reset,
}

impl Answer {
    /// The answer to a call with this body.
    pub(crate) async fn to(shared: &Arc<Shared>, body: &[u8], signature: &Signature) -> Self {
        let service = Service::of(signature, body);
        let request_id = format!("00000000-0000-4000-8000-{:012x}", shared.calls().len());
        let (action, result) = match Request::decode(service, body, signature, &shared.options.region) {
            Ok(request) => (request.action.clone(), answer_request(shared, &request).await),
            Err(error) => (String::new(), Some(Err(error))),
        };
        match result {
            Some(result) => {
                let (status, text) = content::encode(service, &action, &request_id, result);
                Self::Sent(status, content::media_type(service), text)
            }
            None => Self::Reset,
        }
    }
}

/// `None`: the connection is reset.
async fn answer_request(shared: &Arc<Shared>, request: &Request) -> Option<Result<Content, ApiError>> {
    let cleared = shared.faults_cleared();
    tokio::pin!(cleared);
    cleared.as_mut().enable();
    for hook in shared.take_before_calls(&request.action) {
        (hook.run)();
    }
    let fault = shared.next_fault(&request.action);
    let result = match fault {
        None => Some(perform(shared, request)),
        Some(Fault::ConnectionReset) => None,
        Some(Fault::AnswerLost) => {
            // A refusal changes nothing that could be lost, so it is answered.
            perform(shared, request).err().map(Err)
        }
        Some(fault @ (Fault::MarkerRepeats | Fault::MarkerNeverEnds | Fault::AnotherIdentifier | Fault::NoIsModifiable)) => {
            let number = shared.calls().len();
            let answered = perform(shared, &distort::request(fault, request));
            Some(answered.map(|content| distort::answer(fault, request, number, content)))
        }
        Some(Fault::Hang) => {
            let _hanging = Hanging::of(shared);
            cleared.as_mut().await;
            Some(perform(shared, request))
        }
        Some(Fault::AnswerHeld) => Some(perform(shared, request)),
        Some(fault) => fault.error(request.service, &request.action).map(Err),
    };
    let mut parameters = request.parameters.clone();
    // Flags about a password, such as ManageMasterUserPassword, are not passwords.
    parameters.retain(|name, _| !name.contains("Password") || name.starts_with("Manage") || name.starts_with("Rotate"));
    let error = match &result {
        None => fault.map(|fault| fault.name(request.service, &request.action)),
        Some(result) => result.as_ref().err().map(|error| error.code.to_owned()),
    };
    shared.calls().push(Call {
        service: request.service.name().to_owned(),
        action: request.action.clone(),
        parameters,
        access_key: request.access_key.clone(),
        error,
    });
    if fault == Some(Fault::AnswerHeld) {
        let _hanging = Hanging::of(shared);
        cleared.await;
    }
    result
}

/// A call without an answer; its end is counted even if the client gives up.
struct Hanging<'a>(&'a Shared);

impl<'a> Hanging<'a> {
    fn of(shared: &'a Shared) -> Self {
        shared.hanging.fetch_add(1, Ordering::SeqCst);
        Self(shared)
    }
}

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        self.0.hanging.fetch_sub(1, Ordering::SeqCst);
    }
}

fn perform(shared: &Arc<Shared>, request: &Request) -> Result<Content, ApiError> {
    let now = shared.time_of_day.now();
    shared.state().identities.admit(request.service, request.access_key.as_deref(), request.session_token.as_ref(), now)?;
    policy::admit(&shared.denials(), request)?;
    if let Some(policy) = shared.allowed().as_ref() {
        policy.admit(&shared.state().identities, request)?;
    }
    let lag = request.is_mutating().then(|| shared.lag_of(&request.action)).flatten();
    let before = lag.map(|reads| (reads, shared.state().clone()));
    let changes_parameters = ["ModifyDBClusterParameterGroup", "ResetDBClusterParameterGroup"].contains(&request.action.as_str());
    let of_members = shared.lag_of_members().filter(|_| changes_parameters).map(|reads| (reads, shared.state().clone()));
    let result = actions::dispatch(shared, request)?;
    if let Some((reads, before)) = of_members {
        for cluster in lag::clusters_of_group(&before, request) {
            shared.past().keep(cluster, &before, reads);
        }
    }
    if let Some((reads, before)) = before {
        // A call names what it creates; what it deletes is in the state from before the call.
        let object = lag::changed_object(&shared.state(), request).or_else(|| lag::changed_object(&before, request));
        if let Some(object) = object {
            shared.past().keep(object, &before, reads);
        }
    }
    for hook in shared.take_after_calls(&request.action) {
        (hook.run)();
    }
    Ok(result)
}
