//! From what the catalogue says to state. Pure.

use std::collections::BTreeSet;

use super::catalogue::Observed;
use super::model::Scope;
use super::schema::PublicationModel;
use crate::postgres::{Identifier, QualifiedTable, import_id};
use crate::terraform::{Attr, keep_order};

/// The state of a publication: what was observed, in the order and with the config-only arguments of `prior`.
pub(super) fn model(prior: &PublicationModel, observed: &Observed) -> PublicationModel {
    let current = &observed.current;
    let name = current.name.as_str();
    let (all_tables, tables, schemas) = match &current.scope {
        Scope::AllTables => (true, Attr::Null, Attr::Null),
        Scope::Listed { tables, schemas } => (
            false,
            listed(&prior.tables, tables.iter().map(QualifiedTable::name).collect()),
            listed(&prior.schemas, schemas.iter().map(|schema| Identifier::as_str(schema).to_owned()).collect()),
        ),
    };
    PublicationModel {
        name: name.into(),
        id: import_id(&prior.database.known_or(String::new()), name).into(),
        oid: i64::from(observed.oid).into(),
        // `false` and unset mean the same: what was written stays.
        all_tables: if all_tables || !prior.all_tables.is_null() { all_tables.into() } else { Attr::Null },
        tables,
        schemas,
        publish: current.publish.to_set().into(),
        publish_via_partition_root: current.via_root.into(),
        tables_without_replica_identity: observed.without_identity.clone().into(),
        operations: if prior.operations.known().is_some() { prior.operations.clone() } else { Vec::new().into() },
        ..prior.clone()
    }
}

fn listed(prior: &Attr<Vec<String>>, observed: BTreeSet<String>) -> Attr<Vec<String>> {
    match prior.known() {
        None if observed.is_empty() => Attr::Null,
        None => observed.into_iter().collect::<Vec<_>>().into(),
        Some(prior) => keep_order(prior, &observed).into(),
    }
}
