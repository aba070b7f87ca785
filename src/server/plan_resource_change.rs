//! `PlanResourceChange`. Terraform calls it twice, once for the practitioner and once right before apply, and both answers must agree.

use super::{identity, keep_state, plan_pipeline, self_check, stored};
use crate::failure::Failure;
use crate::proto::tfplugin6 as proto;
use crate::provider::Context;
use crate::resource::{Failed, PlanRequest, PriorOf, Resource};
use crate::terraform::{AttributePath, Diagnostic, Diagnostics, Model, Severity, Value};
use crate::wire::{dynamic_value, encode_diagnostics, encode_path};

pub(super) async fn plan<R: Resource>(
    context: &Context,
    request: proto::plan_resource_change::Request,
) -> proto::plan_resource_change::Response {
    match answer::<R>(context, &request).await {
        Ok(answer) => proto::plan_resource_change::Response {
            planned_state: Some(dynamic_value::encode(&answer.planned)),
            planned_private: answer.private,
            planned_identity: answer.identity,
            requires_replace: answer.requires_replace.iter().map(encode_path).collect(),
            diagnostics: encode_diagnostics(answer.diagnostics),
            ..Default::default()
        },
        Err(diagnostics) => proto::plan_resource_change::Response {
            planned_state: request.prior_state,
            planned_private: request.prior_private,
            planned_identity: request.prior_identity,
            diagnostics: encode_diagnostics(diagnostics),
            ..Default::default()
        },
    }
}

struct Answer {
    planned: Value,
    private: Vec<u8>,
    identity: Option<proto::ResourceIdentityData>,
    requires_replace: Vec<AttributePath>,
    diagnostics: Diagnostics,
}

async fn answer<R: Resource>(context: &Context, request: &proto::plan_resource_change::Request) -> Result<Answer, Diagnostics> {
    let config = stored::decode_value::<R>(request.config.as_ref())?;
    let prior = stored::decode_value::<R>(request.prior_state.as_ref())?;
    let prior_private = stored::decode_private::<R>(&request.prior_private);
    let prior_identity = identity::decode::<R::Identity>(request.prior_identity.as_ref())?;
    let existing = stored::prior::<R>(&prior, &prior_private)?;
    if config.is_null() {
        let diagnostics = destroy::<R>(context, existing.as_ref(), &prior_private).await?;
        let (private, identity) = (request.prior_private.clone(), request.prior_identity.clone());
        return Ok(Answer { planned: Value::Null, private, identity, requires_replace: Vec::new(), diagnostics });
    }
    let proposed = stored::decode_value::<R>(request.proposed_new_state.as_ref())?;
    let attributes = R::Model::attributes();
    let proposal = plan_pipeline::complete(attributes, &config, &prior, &proposed);
    let proposed = stored::model::<R>(&proposal.value)?;
    let configured = stored::model::<R>(&config)?;
    let first_plan = (!request.planned_private.is_empty()).then(|| stored::decode_private::<R>(&request.planned_private));
    let desired = R::decode(&configured)?;
    let moved = existing.as_ref().map(|prior| R::replacements(context, &proposed, prior, &prior_private)).unwrap_or_default();
    let plan_request = PlanRequest {
        config: &configured,
        desired: desired.as_ref(),
        prior: existing.as_ref(),
        prior_private: &prior_private,
        proposed: &proposed,
        changed: proposal.changed,
        replaces: !moved.is_empty() || !plan_pipeline::declared_replacements(attributes, &prior, &proposal.value).is_empty(),
        first_plan: first_plan.as_ref(),
    };
    let mut diagnostics = Diagnostics::new();
    let looked = R::look_up(context, &plan_request).await.map_err(Failed::into_failure);
    let (lookup, missing) = match looked {
        Ok(lookup) => (lookup, None),
        Err(Failure::ConfigurationUnknown) => (None, None),
        Err(Failure::Missing(missing) | Failure::NoCluster(missing)) => (None, Some(missing)),
        Err(failure) => {
            diagnostics.extend(keep_state::go_on(context, failure)?);
            (None, None)
        }
    };
    let plan = R::plan(&plan_request, lookup.as_ref());
    let planned = if plan.model == proposed {
        proposal.value
    } else {
        plan_pipeline::overlay(proposal.value, &Model::encode(&proposed), Model::encode(&plan.model))
    };
    let mut requires_replace = plan_pipeline::declared_replacements(attributes, &prior, &planned);
    requires_replace.extend(moved);
    if let Some(missing) = missing {
        // A replacement is a create: its new database or cluster may be created in the same apply.
        if existing.is_some() && requires_replace.is_empty() {
            return Err(missing.into());
        }
        diagnostics.push(Diagnostic { severity: Severity::Warning, ..missing });
    }
    diagnostics.extend(plan.diagnostics.into_diagnostics());
    if plan_request.replaces {
        // Terraform drops the warnings of the second call, which is for the create alone.
        diagnostics.extend(destroy::<R>(context, existing.as_ref(), &prior_private).await?);
    }
    // Terraform ignores everything else in a plan that is refused.
    if cfg!(debug_assertions) && !diagnostics.has_errors() {
        diagnostics.extend(self_check::planned(attributes, &prior, &config, &planned, &requires_replace));
    }
    let identity = identity::planned::<R>(&plan.model, prior_identity.as_ref(), !prior.is_null());
    let private = stored::encode_private::<R>(&plan.private);
    Ok(Answer { planned, private, identity, requires_replace, diagnostics })
}

async fn destroy<R: Resource>(
    context: &Context,
    prior: Option<&PriorOf<R>>,
    private: &R::Private,
) -> Result<Diagnostics, Diagnostics> {
    let Some(prior) = prior else { return Ok(Diagnostics::new()) };
    match R::plan_destroy(context, prior, private).await.map_err(Failed::into_failure) {
        Ok(said) => Ok(said.into_diagnostics()),
        // Objects of a missing database are gone. For a missing cluster, the apply reports the remedy.
        Err(Failure::ConfigurationUnknown | Failure::Missing(_) | Failure::NoCluster(_)) => Ok(Diagnostics::new()),
        Err(failure) => keep_state::go_on(context, failure),
    }
}
