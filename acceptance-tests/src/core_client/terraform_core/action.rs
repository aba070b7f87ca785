//! Actions: planned, and invoked while the provider reports progress.

use terraform_provider_clickpipes::proto::tfplugin6::{self as pb, Diagnostic, invoke_action::event::Type as Event};

use super::super::failure::{Failure, accepted};
use super::super::rules::Violation;
use super::super::schemas::Kind;
use super::super::value::Value;
use super::{TerraformCore, Version, message};

/// Core's title for a stream that it does not understand.
const INVALID: &str = "Provider return invalid response";

impl TerraformCore {
    /// Plans an action, of which parts may be unknown. Gives the warnings.
    ///
    /// # Errors
    /// What the provider refuses, and a deferral.
    pub async fn plan_action(&mut self, type_name: &str, config: &Value) -> Result<Vec<Diagnostic>, Failure> {
        self.schemas.schema_of(Kind::Action, type_name)?;
        let request = pb::plan_action::Request {
            action_type: type_name.to_owned(),
            config: Some(message(config)),
            client_capabilities: Some(Version::V1_16.capabilities(false)),
        };
        let answer = self.provider.plan_action(request).await?.into_inner();
        if answer.deferred.is_some() {
            let detail = format!(
                "The provider signaled a deferred action for {type_name}, but deferrals are not enabled for this client."
            );
            return Err(Violation::new("Invalid deferral", detail).into());
        }
        accepted(&Kind::Action.address(type_name), answer.diagnostics)
    }

    /// Invokes an action. Gives the progress that it reported.
    ///
    /// # Errors
    /// What the provider refuses or fails with, and the rules that it breaks.
    pub async fn invoke_action(&mut self, type_name: &str, config: &Value) -> Result<Vec<String>, Failure> {
        if !config.is_wholly_known() {
            return Err(Failure::Client(
                "Action configuration unknown during apply: nothing like that is ever invoked".to_owned(),
            ));
        }
        let request = pb::invoke_action::Request {
            action_type: type_name.to_owned(),
            config: Some(message(config)),
            client_capabilities: Some(Version::V1_16.capabilities(false)),
        };
        let mut stream = self.provider.invoke_action(request).await?.into_inner();
        let broken =
            |words: &str| Failure::from(Violation::new(INVALID, format!("{}: {words}", Kind::Action.address(type_name))));
        let (mut progress, mut completed) = (Vec::new(), None);
        while let Some(event) = stream.message().await? {
            match event.r#type {
                // Core panics.
                None => return Err(broken("unexpected event type in InvokeAction response")),
                // Core would continue, and report two ends, or something after the end.
                Some(_) if completed.is_some() => return Err(broken("an event follows the one that completes the action")),
                Some(Event::Progress(told)) if told.message.trim().is_empty() => {
                    return Err(broken("a progress message is empty"));
                }
                Some(Event::Progress(told)) => progress.push(told.message),
                Some(Event::Completed(end)) => completed = Some(end.diagnostics),
            }
        }
        // Core treats the end of the stream as a success, whatever happened before it.
        let diagnostics =
            completed.ok_or_else(|| broken("Provider response did not include the event that completes the action"))?;
        accepted(&Kind::Action.address(type_name), diagnostics)?;
        Ok(progress)
    }
}
