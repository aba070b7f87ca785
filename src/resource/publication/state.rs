//! A publication's state: as planned, and as observed. Pure.

use std::collections::BTreeSet;

use super::desired::{Publish, Scope, generated_name};
use super::observed::Observed;
use super::operation::{Operation, dropped};
use super::restriction;
use super::schema::{Publication, PublicationModel};
use crate::postgres::version::{PUBLISHED_GENERATED_COLUMNS, VIA_ROOT};
use crate::postgres::{Identifier, QualifiedTable};
use crate::printable::printable_line;
use crate::resource::change::{Change, Proposal};
use crate::terraform::{Attr, keep_order};

/// The planned state.
pub(super) fn planned(change: &Change<'_, Publication>, plan: Proposal<'_, Publication>) -> PublicationModel {
    let Proposal { mut model, prior, operations, .. } = plan;
    model = model.with_id();
    if change.before.is_none() && change.after.is_some() {
        create_defaults(&mut model, operations, change.basis());
    }
    let replaces_scope = match operations {
        Some(operations) => dropped(operations).is_some(),
        None => model.allow_scope_replacement != Attr::Known(false),
    };
    if replaces_scope {
        model.oid = Attr::Unknown;
    }
    if let (Some(operations), Some(prior)) = (operations, prior)
        && !operations.iter().any(alters_exposure)
    {
        model.tables_without_replica_identity = prior.tables_without_replica_identity.clone();
    }
    model
}

/// Whether an operation can alter which published tables lack a replica identity.
fn alters_exposure(operation: &Operation) -> bool {
    match operation {
        Operation::Rename { .. } | Operation::ChangeOwner { .. } => false,
        Operation::Create { .. }
        | Operation::SetParameters { .. }
        | Operation::AddTables { .. }
        | Operation::AddSchemas { .. }
        | Operation::DropTables { .. }
        | Operation::DropSchemas { .. }
        | Operation::TakeOut { .. }
        | Operation::PutBack { .. }
        | Operation::Drop { .. } => true,
    }
}

/// The defaults that apply at create only, as far as they are known.
fn create_defaults(model: &mut PublicationModel, operations: Option<&[Operation]>, basis: Option<&Observed>) {
    let version = basis.and_then(|basis| basis.version);
    if model.owner.is_unknown()
        && let Some(admin) = basis.and_then(|basis| basis.admin.as_ref())
    {
        model.owner = printable_line(admin.as_str()).into();
    }
    if model.publish.is_unknown() {
        model.publish = Publish::ALL.to_set().into();
    }
    if let (true, Some(version)) = (model.publish_generated_columns.is_unknown(), version) {
        model.publish_generated_columns =
            version.has(PUBLISHED_GENERATED_COLUMNS).then(|| generated_name(false).to_owned()).into();
    }
    if model.publish_via_partition_root.is_unknown() {
        model.publish_via_partition_root = match (operations, version) {
            (Some([Operation::Create { via_root, .. }, ..]), _) => (*via_root).into(),
            (_, Some(version)) => version.has(VIA_ROOT).then_some(true).into(),
            (_, None) => Attr::Unknown,
        };
    }
}

/// The state of a publication: what was observed, in the order and with the config-only arguments of `prior`.
pub(super) fn observed(prior: &PublicationModel, observed: &Observed) -> PublicationModel {
    let Some(found) = &observed.publication else { return prior.clone() };
    let current = &found.current;
    let name = current.name.as_str();
    let (all_tables, tables, schemas) = match &current.scope {
        Scope::AllTables => (true, Attr::Null, Attr::Null),
        // An empty list, unlike an absent one, says that nothing is published.
        Scope::Listed { tables, schemas } if tables.is_empty() && schemas.is_empty() && prior.schemas.is_null() => {
            (false, Vec::new().into(), Attr::Null)
        }
        Scope::Listed { tables, schemas } => (
            false,
            listed(&prior.tables, tables.iter().map(QualifiedTable::name)),
            listed(&prior.schemas, schemas.iter().map(|schema| Identifier::as_str(schema).to_owned())),
        ),
    };
    PublicationModel {
        name: name.into(),
        oid: i64::from(found.oid).into(),
        // `false` and unset mean the same: the written value is kept.
        all_tables: if all_tables || !prior.all_tables.is_null() { all_tables.into() } else { Attr::Null },
        tables,
        schemas,
        table_options: restriction::attribute(&prior.table_options, &current.restricted),
        publish: current.publish.to_set().into(),
        publish_via_partition_root: current.via_root.into(),
        publish_generated_columns: current.generated.map(|generated| generated_name(generated).to_owned()).into(),
        owner: current.owner.as_ref().map(|owner| printable_line(owner.as_str())).into(),
        tables_without_replica_identity: found.without_identity.clone().into(),
        ..prior.clone()
    }
    .with_id()
}

/// A list in the state. A name that the configuration does not have is shown in a plan, so it must be harmless there.
fn listed(prior: &Attr<Vec<String>>, observed: impl Iterator<Item = String>) -> Attr<Vec<String>> {
    let written: BTreeSet<&String> = prior.known().into_iter().flatten().collect();
    let shown = |name: String| if written.contains(&name) { name } else { printable_line(&name) };
    let observed: BTreeSet<String> = observed.map(shown).collect();
    match prior.known() {
        None if observed.is_empty() => Attr::Null,
        None => observed.into_iter().collect::<Vec<_>>().into(),
        Some(prior) => keep_order(prior, &observed).into(),
    }
}
