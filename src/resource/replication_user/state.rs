//! From an observation to the state. Pure.

use std::collections::BTreeSet;

use crate::postgres::{Identifier, import_id};
use crate::resource::Existing;
use crate::resource::replication_user::model::Desired;
use crate::resource::replication_user::observed::Observed;
use crate::resource::replication_user::private::Private;
use crate::resource::replication_user::schema::ReplicationUserModel;
use crate::resource::replication_user::{ReplicationUser, diff, statement};
use crate::terraform::{Attr, keep_order};

/// What exists, in the words of `model`: lists keep its order and lose what is gone. `desired` is what the model says.
pub(crate) fn existing(model: &ReplicationUserModel, desired: &Desired, observed: Observed) -> Existing<ReplicationUser> {
    let mut model = model.clone();
    let mut desired = desired.clone();
    if let Some(role) = &observed.role {
        model.name = role.name.clone().into();
        model.username = role.name.clone().into();
        model.oid = i64::from(role.oid).into();
        model.connection_limit = role.connection_limit.into();
        model.id = import_id(desired.database.as_str(), &role.name).into();
        desired.name = Identifier::new(role.name.clone()).unwrap_or(desired.name);
        desired.connection_limit = Some(role.connection_limit);
    }
    desired.schemas.retain(|schema| observed.schemas.get(schema.as_str()).is_some_and(|found| found.exists));
    desired.tables.retain(|table| observed.tables.get(&table.name()).is_some_and(|found| found.exists));
    model.schemas = kept(&model.schemas, desired.schemas.iter().map(|schema| schema.as_str().to_owned()).collect());
    model.tables = kept(&model.tables, desired.tables.iter().map(|table| table.name()).collect());
    let owners: BTreeSet<String> = match &desired.table_owners {
        Some(owners) => owners.iter().map(|owner| owner.as_str().to_owned()).collect(),
        None => {
            let schemas = desired.schemas.iter().filter_map(|schema| observed.schemas.get(schema.as_str()));
            schemas.flat_map(|schema| schema.effective_owners(None)).collect()
        }
    };
    model.effective_table_owners = owners.into_iter().collect::<Vec<_>>().into();
    model.drift = diff::drift(&desired, &observed).iter().map(statement::display).collect::<Vec<_>>().into();
    if model.operations.known().is_none() {
        model.operations = Vec::new().into();
    }
    Existing { model, private: Private { observed: Some(observed), operations: None } }
}

/// A list without what is gone; one that was never set stays so.
fn kept(list: &Attr<Vec<String>>, existing: BTreeSet<String>) -> Attr<Vec<String>> {
    match list {
        Attr::Known(list) => keep_order(list, &existing).into(),
        other => other.clone(),
    }
}
