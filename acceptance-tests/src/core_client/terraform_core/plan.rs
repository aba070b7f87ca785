//! PlanResourceChange, in the walk that plans and again in the one that applies.

use terraform_provider_clickpipes::proto::tfplugin6 as pb;

use super::super::failure::{Failure, accepted, unbroken};
use super::super::object::{Object, Planned};
use super::super::path::Path;
use super::super::proposed_new::proposed_new;
use super::super::rules::Violation;
use super::super::rules::action::Action;
use super::super::rules::compatible::assert_object_compatible;
use super::super::rules::identity::identity_changed;
use super::super::rules::plan::assert_plan_valid;
use super::super::rules::replacement::replacements;
use super::super::rules::stored::write_only_paths;
use super::super::value::Value;
use super::identity::identity_message;
use super::{TerraformCore, Version, address, message};

/// The walk in which a plan is made.
#[derive(Clone, Copy, Debug)]
pub enum Walk<'a> {
    /// For the reviewer.
    Plan(Version),
    /// Right before the apply, when everything is known; the reviewed plan is available.
    Apply(Version, &'a Planned),
}

impl Walk<'_> {
    fn version(self) -> Version {
        match self {
            Self::Plan(version) | Self::Apply(version, _) => version,
        }
    }
}

/// The answer of one call.
struct Answer {
    state: Value,
    private: Vec<u8>,
    identity: Option<Value>,
    replace: Vec<Path>,
    warnings: Vec<pb::Diagnostic>,
}

impl TerraformCore {
    /// Plans a configuration (null: a destroy) over what exists, and checks the plan.
    ///
    /// # Errors
    /// What the provider refuses, and the rules that it breaks.
    pub async fn plan(
        &mut self,
        type_name: &str,
        prior: Option<&Object>,
        config: &Value,
        walk: Walk<'_>,
    ) -> Result<Planned, Failure> {
        let schema = self.resource(type_name)?;
        // A tainted object is planned as if it did not exist, and then replaced.
        let prior_value =
            prior.filter(|object| !object.tainted || config.is_null()).map_or(Value::Null, |object| object.value.clone());
        let of_prior = prior.filter(|_| !prior_value.is_null());
        let prior_private = of_prior.map(|object| object.private.clone()).unwrap_or_default();
        let prior_identity = of_prior.and_then(|object| object.identity.clone());
        let mut answer = self.ask(type_name, (&prior_value, prior_identity), config, prior_private, walk).await?;
        let found = replacements(&prior_value, &answer.state, &answer.replace);
        let address = address(type_name);
        unbroken(found.missing.iter().map(|path| Violation::replacement(&address, path)).collect())?;
        let is_forced = of_prior.is_some_and(|object| object.forced) && !config.is_null();
        let mut action = Action::of(&prior_value, &answer.state, is_forced || !found.changed.is_empty());
        if action == Action::Replace {
            answer = self.ask(type_name, (&Value::Null, answer.identity), config, answer.private, walk).await?;
        }
        if action != Action::Create && action != Action::Replace {
            let planned_identity = identity_message(answer.identity.as_ref());
            self.identity(type_name, planned_identity.as_ref(), "during planning", false)?;
        }
        if action == Action::Create && prior.is_some() {
            action = Action::Replace;
        }
        let Answer { state, private, identity, warnings, .. } = answer;
        let planned = Planned { action, state, private, identity, warnings };
        if let Walk::Apply(_, first) = walk {
            // The destroy half of a replacement is done when its create half is planned again.
            let of_first = if first.action == Action::Replace && prior.is_none() { Action::Create } else { first.action };
            if !of_first.may_become(planned.action) {
                return Err(Violation::final_action(&address, of_first, planned.action).into());
            }
            let differences = assert_object_compatible(&schema, &first.state, &planned.state);
            unbroken(differences.iter().map(|problem| Violation::final_value(&address, problem)).collect())?;
            // Core accepts no unknown value in the identity of an update, so a plan with an unknown name has the old one.
            let was_open = first.action == Action::Update && !first.state.is_wholly_known();
            if let (Some(before), Some(after), false) = (&first.identity, &planned.identity, was_open) {
                unbroken(identity_changed(&address, "in the final plan", before, after))?;
            }
        }
        Ok(planned)
    }

    async fn ask(
        &mut self,
        type_name: &str,
        (prior, prior_identity): (&Value, Option<Value>),
        config: &Value,
        prior_private: Vec<u8>,
        walk: Walk<'_>,
    ) -> Result<Answer, Failure> {
        let prior_identity = prior_identity.filter(|_| walk.version() == Version::V1_16);
        let schema = self.resource(type_name)?;
        let proposed = if config.is_null() { Value::Null } else { proposed_new(&schema, prior, config) };
        let (capabilities, planned_private) = match walk {
            Walk::Plan(version) => (version.capabilities(false), Vec::new()),
            Walk::Apply(Version::V1_16, first) => (Version::V1_16.capabilities(true), first.private.clone()),
            Walk::Apply(version, _) => (version.capabilities(true), Vec::new()),
        };
        let request = pb::plan_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: Some(message(prior)),
            proposed_new_state: Some(message(&proposed)),
            config: Some(message(config)),
            prior_private: prior_private.clone(),
            client_capabilities: Some(capabilities),
            planned_private,
            prior_identity: identity_message(prior_identity.as_ref()),
            ..Default::default()
        };
        let answer = self.provider.plan_resource_change(request).await?.into_inner();
        let address = address(type_name);
        let warnings = accepted(&address, answer.diagnostics)?;
        let when = "during planning";
        // Deferring is forbidden even where 1.11 claims that it is allowed: an apply would never resume it.
        if answer.deferred.is_some() {
            return Err(Violation::deferred(&address).into());
        }
        if answer.legacy_type_system {
            return Err(Violation::legacy(&address).into());
        }
        let state = self.value(type_name, answer.planned_state.as_ref(), when)?.unwrap_or(Value::Null);
        if config.is_null() && !state.is_null() {
            return Err(Violation::destroy_planned(&address).into());
        }
        unbroken(write_only_paths(&schema, &state).iter().map(|path| Violation::write_only_planned(&address, path)).collect())?;
        let problems = assert_plan_valid(&schema, prior, config, &state);
        unbroken(problems.iter().map(|problem| Violation::invalid_plan(&address, problem)).collect())?;
        if !prior_private.is_empty() && answer.planned_private.is_empty() {
            return Err(Violation::private_lost(&address, when).into());
        }
        let identity = self.identity(type_name, answer.planned_identity.as_ref(), when, true)?;
        // 1.11 does not know the field and does not send it to the apply.
        let identity = identity.filter(|_| walk.version() == Version::V1_16);
        let replace = answer.requires_replace.iter().map(Path::from).collect();
        Ok(Answer { state, private: answer.planned_private, identity, replace, warnings })
    }
}
