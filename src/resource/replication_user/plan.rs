//! Terraform's plan: known and unknown values, warnings, refusals. Pure.

use crate::postgres::{Facts, Identifier, import_id};
use crate::resource::replication_user::model::Desired;
use crate::resource::replication_user::observed::{Observed, OwnedTable, Role};
use crate::resource::replication_user::operation::Operation;
use crate::resource::replication_user::private::Private;
use crate::resource::replication_user::schema::ReplicationUserModel;
use crate::resource::replication_user::{ReplicationUser, diff, message, statement};
use crate::resource::{Existing, Plan, PlanRequest};
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// What was looked up for a plan. Of it only `facts` and, when it is to be adopted, `existing` decide planned values.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) facts: Facts,
    /// The role that exists already, on create.
    pub(crate) existing: Option<Role>,
    /// What is new in the configuration, as it is now.
    pub(crate) observed: Observed,
    /// Tables in new schemas that nobody can read yet.
    pub(crate) unreadable: Vec<OwnedTable>,
}

pub(crate) fn plan(request: &PlanRequest<'_, ReplicationUser>, lookup: Option<&Lookup>) -> Plan<ReplicationUser> {
    let mut diagnostics = Diagnostics::new();
    let desired = diagnostics.absorb(Desired::decode(request.config)).flatten();
    let mut plan = match request.prior {
        None => create(request, desired.as_ref(), lookup),
        Some(prior) => update(request, prior, desired.as_ref()),
    };
    if let (Some(desired), Some(lookup)) = (&desired, lookup) {
        let prior = request.prior.and_then(|prior| Desired::decode(&prior.model).ok().flatten());
        diagnostics.extend(warnings(prior.as_ref(), desired, lookup));
    }
    plan.diagnostics.extend(diagnostics);
    plan
}

fn create(
    request: &PlanRequest<'_, ReplicationUser>,
    desired: Option<&Desired>,
    lookup: Option<&Lookup>,
) -> Plan<ReplicationUser> {
    let mut diagnostics = Diagnostics::new();
    let adopt = request.config.adopt_existing.known_or(false);
    if request.config.password_wo.is_null() && !adopt {
        let detail = "A new role needs a password to log in with. Give it in password_wo, with password_wo_version = 1.";
        diagnostics.push(Diagnostic::error("Password missing", detail).at(AttributePath::of("password_wo")));
    }
    let operations = match (request.first_plan, desired, lookup) {
        (Some(Private { operations: Some(first), .. }), _, _) => Some(first.clone()),
        (_, Some(desired), Some(lookup)) if !request.config.adopt_existing.is_unknown() => {
            let adopted = lookup.existing.as_ref().filter(|_| adopt);
            Some(diff::create(desired, lookup.facts.flavour, adopted))
        }
        _ => None,
    };
    if let (Some(desired), Some(existing)) = (desired, lookup.and_then(|lookup| lookup.existing.as_ref())) {
        diagnostics.extend((!adopt).then(|| message::already_exists(desired, existing, false)));
    }
    let mut model = request.proposed.clone();
    model.drift = Vec::new().into();
    settle(&mut model, request.config, operations.as_deref());
    model.effective_table_owners = explicit_owners(desired).map_or(Attr::Unknown, Attr::Known);
    Plan { model, private: Private { observed: None, operations }, requires_replace: Vec::new(), diagnostics }
}

fn update(
    request: &PlanRequest<'_, ReplicationUser>,
    prior: &Existing<ReplicationUser>,
    desired: Option<&Desired>,
) -> Plan<ReplicationUser> {
    let before = Desired::decode(&prior.model).ok().flatten();
    let operations = match (request.first_plan, &before, desired) {
        (Some(Private { operations: Some(first), .. }), _, _) => Some(first.clone()),
        (_, Some(before), Some(desired)) => Some(diff::update(before, desired, prior.private.observed.as_ref())),
        _ => None,
    };
    let nothing = operations.as_ref().is_some_and(Vec::is_empty);
    if !request.changed && (nothing || operations.is_none()) {
        return Plan {
            model: request.proposed.clone(),
            private: prior.private.clone(),
            requires_replace: Vec::new(),
            diagnostics: Diagnostics::new(),
        };
    }
    let mut model = request.proposed.clone();
    model.drift = Vec::new().into();
    settle(&mut model, request.config, operations.as_deref());
    let same_owners = matches!((&before, desired), (Some(before), Some(desired))
        if before.table_owners == desired.table_owners && same(&before.schemas, &desired.schemas));
    model.effective_table_owners = match explicit_owners(desired) {
        Some(owners) => owners.into(),
        None if same_owners => prior.model.effective_table_owners.clone(),
        None => Attr::Unknown,
    };
    let mut diagnostics = Diagnostics::new();
    if let (Some(before), Some(desired)) = (&before, desired)
        && before.name != desired.name
    {
        diagnostics.push(message::renamed(&before.name, &desired.name));
    }
    let private = Private { observed: prior.private.observed.clone(), operations };
    Plan { model, private, requires_replace: Vec::new(), diagnostics }
}

/// The computed values that follow from the configuration.
fn settle(model: &mut ReplicationUserModel, config: &ReplicationUserModel, operations: Option<&[Operation]>) {
    model.operations = match operations {
        Some(operations) => operations.iter().map(statement::display).collect::<Vec<_>>().into(),
        None => Attr::Unknown,
    };
    model.username = config.name.clone();
    model.id = match (config.database.known(), config.name.known()) {
        (Some(database), Some(name)) => import_id(database, name).into(),
        _ => Attr::Unknown,
    };
}

fn explicit_owners(desired: Option<&Desired>) -> Option<Vec<String>> {
    let mut owners: Vec<String> = desired?.table_owners.as_ref()?.iter().map(|owner| owner.as_str().to_owned()).collect();
    owners.sort();
    Some(owners)
}

fn same(one: &[Identifier], other: &[Identifier]) -> bool {
    one.len() == other.len() && one.iter().all(|name| other.contains(name))
}

/// What is missing or out of reach now. Another resource may still mend it, so these are warnings; apply refuses what is left.
fn warnings(prior: Option<&Desired>, desired: &Desired, lookup: &Lookup) -> Diagnostics {
    let mut warnings = Diagnostics::new();
    warnings.extend(message::missing(prior, desired, &lookup.observed, false));
    let new: Vec<&Identifier> =
        desired.schemas.iter().filter(|schema| prior.is_none_or(|prior| !prior.schemas.contains(schema))).collect();
    warnings.extend(message::owners_found(&new, desired, &lookup.observed));
    warnings.extend(message::out_of_reach(&new, desired, &lookup.observed, &lookup.unreadable, false));
    warnings
}

#[cfg(test)]
mod tests;
