//! ApplyResourceChange, and what core stores of the answer, good or bad.

use terraform_provider_clickpipes::proto::tfplugin6::{self as pb, Diagnostic};

use super::super::failure::{Failure, accepted, unbroken};
use super::super::object::{Applied, Object, Planned};
use super::super::rules::Violation;
use super::super::rules::action::Action;
use super::super::rules::compatible::assert_object_compatible;
use super::super::rules::identity::identity_changed;
use super::super::rules::stored::{unknown_paths, write_only_paths};
use super::super::schema::Schema;
use super::super::value::Value;
use super::identity::identity_message;
use super::{TerraformCore, address, message};

impl TerraformCore {
    /// Applies a plan and checks the result. The configuration of a destroy is null.
    ///
    /// # Errors
    /// If the call itself fails, or the client is misused. Everything else is in [`Applied`], with what is stored.
    pub async fn apply(
        &mut self,
        type_name: &str,
        prior: Option<&Object>,
        planned: &Planned,
        config: &Value,
    ) -> Result<Applied, Failure> {
        if !config.is_wholly_known() {
            return Err(Failure::Client("Configuration contains unknown value: nothing like that is ever applied".to_owned()));
        }
        let schema = self.resource(type_name)?;
        let request = pb::apply_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: Some(message(prior.map_or(&Value::Null, |object| &object.value))),
            planned_state: Some(message(&planned.state)),
            config: Some(message(config)),
            planned_private: planned.private.clone(),
            planned_identity: identity_message(planned.identity.as_ref()),
            ..Default::default()
        };
        let answer = self.provider.apply_resource_change(request).await?.into_inner();
        let address = address(type_name);
        let (warnings, mut failure) = match accepted(&address, answer.diagnostics) {
            Ok(warnings) => (warnings, None),
            Err(failure) => (Vec::new(), Some(failure)),
        };
        if answer.legacy_type_system {
            return Ok(lost(Violation::legacy(&address).into(), warnings));
        }
        let value = match self.value(type_name, answer.new_state.as_ref(), "after apply") {
            // A provider that failed may return no state; one that succeeded must return it.
            Ok(None) if failure.is_none() => return Ok(lost(Violation::absent(&address, "after apply").into(), warnings)),
            Ok(value) => value.unwrap_or(Value::Null),
            Err(failure) => return Ok(lost(failure, warnings)),
        };
        let secrets = write_only_paths(&schema, &value);
        if !secrets.is_empty() {
            let violations = secrets.iter().map(|path| Violation::write_only_stored(&address, path, "after apply"));
            return Ok(lost(Failure::Broken(violations.collect()), warnings));
        }
        let when = "after apply";
        let identity = match (failure.is_none() && !value.is_null(), answer.new_identity.as_ref()) {
            (true, answer) => self.identity_of_object(type_name, answer, when),
            (false, answer) => self.identity(type_name, answer, when, false),
        };
        // Core stores the result although it reports it; a test stops here.
        let (identity, mut of_identity) = match identity {
            Ok(identity) => (identity, None),
            Err(failure) => (None, Some(failure)),
        };
        if let (Some(planned), Some(now)) = (&planned.identity, &identity) {
            of_identity = of_identity.or(unbroken(identity_changed(&address, when, planned, now)).err());
        }
        if failure.is_none() {
            let private_lost = !value.is_null() && !planned.private.is_empty() && answer.private.is_empty();
            failure = result(&schema, &address, planned, &value, private_lost).err();
        } else if !value.is_wholly_known() {
            // With an error, a provider may leave something unknown; core stores it as null and reports it.
            let violations = unknown_paths(&value).iter().map(|path| Violation::unknown_result(&address, path)).collect();
            failure = Some(Failure::Broken(violations));
        }
        let failure = failure.or(of_identity);
        let identity_version = self.identity_version(type_name);
        let object = match value.unknown_as_null() {
            // With an error, null means that the provider knows nothing newer.
            Value::Null if failure.is_some() => prior.cloned(),
            Value::Null => None,
            value => {
                let tainted = failure.is_some() && prior.is_none_or(|prior| prior.tainted);
                Some(Object { value, private: answer.private, tainted, forced: false, identity, identity_version })
            }
        };
        Ok(Applied { object, failure, warnings })
    }
}

/// The answer cannot be stored at all.
fn lost(failure: Failure, warnings: Vec<Diagnostic>) -> Applied {
    Applied { object: None, failure: Some(failure), warnings }
}

/// Judges the result of an apply that the provider calls a success.
fn result(schema: &Schema, address: &str, planned: &Planned, value: &Value, private_lost: bool) -> Result<(), Failure> {
    unbroken(unknown_paths(value).iter().map(|path| Violation::unknown_result(address, path)).collect())?;
    match (planned.state.is_null(), value.is_null()) {
        (true, false) => return Err(Violation::object_left(address).into()),
        (false, true) => {
            let action = if planned.action == Action::Replace { Action::Create } else { planned.action };
            let root = assert_object_compatible(schema, &planned.state, value);
            let mut violations: Vec<Violation> =
                root.iter().map(|problem| Violation::inconsistent_result(address, problem)).collect();
            violations.push(Violation::null_result(address, action));
            return Err(Failure::Broken(violations));
        }
        _ => {}
    }
    let differences = assert_object_compatible(schema, &planned.state, value);
    unbroken(differences.iter().map(|problem| Violation::inconsistent_result(address, problem)).collect())?;
    if private_lost { Err(Violation::private_lost(address, "after apply").into()) } else { Ok(()) }
}
