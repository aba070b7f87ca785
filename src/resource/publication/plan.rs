//! The planned state of a publication. Pure. On update the operations depend on configuration and prior state only, on create on
//! configuration and the server's version: Terraform plans twice and the answers must agree.

use super::Publication;
use super::check::{Change, check, destroy_refusal, scope_replacement};
use super::diff::{self, Current, replaces_scope};
use super::model::{Desired, Publish};
use super::private::Private;
use super::schema::PublicationModel;
use super::statement::Operation;
use crate::postgres::version::VIA_ROOT;
use crate::postgres::{ServerVersion, import_id};
use crate::resource::{Existing, Plan, PlanRequest};
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics, Severity};

use super::catalogue::Lookup;

pub(super) fn plan(request: &PlanRequest<'_, Publication>, lookup: Option<&Lookup>) -> Plan<Publication> {
    let prior_private = request.prior.map(|prior| prior.private.clone()).unwrap_or_default();
    let version =
        lookup.map(|lookup| lookup.version).or(request.first_plan.and_then(|first| first.version)).or(prior_private.version);
    let mut plan = Plan {
        model: request.proposed.clone(),
        private: Private { version, ..prior_private },
        requires_replace: Vec::new(),
        diagnostics: Diagnostics::new(),
    };
    if !request.changed {
        return plan;
    }
    // What the configuration leaves open until apply is no default, and no operation can be told before it is known.
    let undecided = request.config.publish.is_unknown() || request.config.publish_via_partition_root.is_unknown();
    if request.prior.is_none() && !undecided {
        create_defaults(&mut plan.model, version);
    }
    if let (Attr::Known(database), Attr::Known(name)) = (&plan.model.database, &plan.model.name) {
        plan.model.id = import_id(database, name).into();
    }
    let desired = match Desired::decode(&plan.model) {
        Ok(desired) => desired,
        Err(faults) => {
            plan.diagnostics.extend(faults);
            return plan;
        }
    };
    let Some(desired) = desired.filter(|_| !undecided) else {
        if !matches!(request.proposed.allow_scope_replacement, Attr::Known(false)) {
            plan.model.oid = Attr::Unknown;
        }
        return plan;
    };
    // A change of database is a replacement: what exists stays where it is, and this plan is not used.
    let prior = request.prior.filter(|prior| prior.model.database == plan.model.database);
    let current = prior.and_then(current);
    let exposed = prior.map(|prior| prior.model.tables_without_replica_identity.known_or(Vec::new())).unwrap_or_default();
    let change = Change { model: &plan.model, desired: &desired, current: current.as_ref(), exposed: &exposed };
    // `terraform destroy` plans an update first. What only drift makes stand in the way must not keep it from destroying, so it is a
    // warning here; apply refuses it.
    let drifted = prior.is_some_and(|prior| is_as_applied(prior, request.config));
    match lookup {
        Some(lookup) => {
            let findings = check(&change, lookup);
            plan.diagnostics.extend(if drifted { as_warnings(findings.refusals) } else { findings.refusals });
            plan.diagnostics.extend(as_warnings(findings.unmet));
            plan.diagnostics.extend(findings.warnings);
        }
        None => plan.diagnostics.extend(scope_replacement(&change).filter(|_| !drifted)),
    }
    match (&current, prior) {
        (Some(current), Some(prior)) => plan_update(&mut plan, current, prior, &desired),
        _ if version.is_some() => plan.model.operations = shown(&diff::create(&desired)).into(),
        _ => {}
    }
    plan
}

/// True when the configuration is the one last applied: whatever differs was changed by somebody else.
fn is_as_applied(prior: &Existing<Publication>, config: &PublicationModel) -> bool {
    let configured = Desired::decode(config).ok().flatten().map(|configured| configured.fingerprint());
    configured.is_some() && configured == prior.private.applied
}

fn as_warnings(diagnostics: Diagnostics) -> Diagnostics {
    diagnostics.into_iter().map(|diagnostic| Diagnostic { severity: Severity::Warning, ..diagnostic }).collect()
}

fn plan_update(plan: &mut Plan<Publication>, current: &Current, prior: &Existing<Publication>, desired: &Desired) {
    let operations = diff::update(current, desired);
    plan.model.operations = shown(&operations).into();
    if operations.is_empty() {
        plan.model.tables_without_replica_identity = prior.model.tables_without_replica_identity.clone();
    }
    if replaces_scope(&current.scope, &desired.scope) {
        plan.model.oid = Attr::Unknown;
        let detail = format!(
            "Publication {} is dropped and created anew in one transaction. A pipe that reads it must be resynced afterwards, which \
             copies all its tables again.",
            current.name
        );
        plan.diagnostics.push(Diagnostic::warning("The pipe must be resynced", detail).at(AttributePath::of("all_tables")));
    } else if current.name != desired.name {
        let detail = format!(
            "Pipes read a publication by its name: one that names {} stops until it names {}.",
            current.name, desired.name
        );
        plan.diagnostics.push(Diagnostic::warning("Pipes read the publication by name", detail).at(AttributePath::of("name")));
    }
}

/// What a destroy will run, or why it is refused.
pub(super) fn destroy(prior: &Existing<Publication>, active_slots: &[String]) -> Diagnostics {
    if let Some(refusal) = destroy_refusal(&prior.model, active_slots) {
        return refusal.into();
    }
    let Some(current) = current(prior) else { return Diagnostics::new() };
    let detail = format!(
        "These statements will run in database {}:\n{}",
        prior.model.database.known_or(String::new()),
        Operation::Drop { name: current.name }.statement()
    );
    Diagnostic::warning("Destroying the publication", detail).into()
}

/// The defaults that apply at create only.
pub(super) fn create_defaults(model: &mut PublicationModel, version: Option<ServerVersion>) {
    if model.publish.is_unknown() {
        model.publish = Publish::ALL.to_set().into();
    }
    if let (Attr::Unknown, Some(version)) = (&model.publish_via_partition_root, version) {
        model.publish_via_partition_root = version.has(VIA_ROOT).then_some(true).into();
    }
}

/// The publication that a state describes.
pub(super) fn current(prior: &Existing<Publication>) -> Option<Current> {
    prior.private.current(&prior.model)
}

pub(super) fn shown(operations: &[Operation]) -> Vec<String> {
    operations.iter().map(|operation| operation.statement().display().to_owned()).collect()
}

#[cfg(test)]
mod tests;
