//! What can be done to a publication, and what remains of it if it was changed since the plan. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::desired::{Publish, Scope};
use super::restriction::{Restriction, Restrictions};
use super::schema::Publication;
use crate::postgres::{Identifier, QualifiedTable};
use crate::resource::change::{Effect, LockMode, Remaining, Seen};

/// One change of a publication, and one statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    Create {
        name: Identifier,
        scope: Scope,
        #[serde(default)]
        restrictions: Vec<(QualifiedTable, Restriction)>,
        publish: Publish,
        via_root: Option<bool>,
        #[serde(default)]
        generated: Option<bool>,
    },
    Rename {
        from: Identifier,
        to: Identifier,
    },
    SetParameters {
        name: Identifier,
        publish: Option<Publish>,
        via_root: Option<bool>,
        #[serde(default)]
        generated: Option<bool>,
    },
    AddTables {
        name: Identifier,
        tables: Vec<QualifiedTable>,
        #[serde(default)]
        restrictions: Vec<(QualifiedTable, Restriction)>,
    },
    AddSchemas {
        name: Identifier,
        schemas: Vec<Identifier>,
    },
    DropTables {
        name: Identifier,
        tables: Vec<QualifiedTable>,
    },
    DropSchemas {
        name: Identifier,
        schemas: Vec<Identifier>,
    },
    /// Takes tables out whose filter or list changes: PostgreSQL can only set these when it adds a table.
    TakeOut {
        name: Identifier,
        tables: Vec<QualifiedTable>,
    },
    /// Puts them back.
    PutBack {
        name: Identifier,
        tables: Vec<QualifiedTable>,
        restrictions: Vec<(QualifiedTable, Restriction)>,
    },
    ChangeOwner {
        name: Identifier,
        owner: Identifier,
        /// Whether the same change creates it: then the provider's role owns it until here.
        is_new: bool,
    },
    Drop {
        name: Identifier,
    },
}

/// What an operation means to the users of the database.
pub(super) fn effect(operation: &Operation) -> Effect {
    let none = Effect::default();
    match operation {
        Operation::Create { scope: Scope::Listed { tables, .. }, .. } => Effect { locks: locks(tables), ..none },
        Operation::AddTables { tables, .. }
        | Operation::DropTables { tables, .. }
        | Operation::TakeOut { tables, .. }
        | Operation::PutBack { tables, .. } => Effect { locks: locks(tables), ..none },
        Operation::Rename { .. } => Effect { resync: true, pipe_stops: true, ..none },
        Operation::Drop { .. } => Effect { resync: true, pipe_stops: true, destructive: true, ..none },
        Operation::Create { scope: Scope::AllTables, .. }
        | Operation::SetParameters { .. }
        | Operation::AddSchemas { .. }
        | Operation::DropSchemas { .. }
        | Operation::ChangeOwner { .. } => none,
    }
}

/// The lock that naming a table in CREATE or ALTER PUBLICATION takes on it.
fn locks<'a>(tables: impl IntoIterator<Item = &'a QualifiedTable>) -> Vec<(String, LockMode)> {
    tables.into_iter().map(|table| (table.name(), LockMode::ShareUpdateExclusive)).collect()
}

/// The publication that the operations drop.
pub(super) fn dropped(operations: &[Operation]) -> Option<&Identifier> {
    operations.iter().find_map(|operation| match operation {
        Operation::Drop { name } => Some(name),
        _ => None,
    })
}

/// The restrictions of these tables, to be stored: in JSON no table can be a key.
pub(super) fn of_tables<'a>(
    restrictions: &Restrictions,
    tables: impl IntoIterator<Item = &'a QualifiedTable>,
) -> Vec<(QualifiedTable, Restriction)> {
    let restriction = |table: &QualifiedTable| restrictions.get(table).map(|restriction| (table.clone(), restriction.clone()));
    tables.into_iter().filter_map(restriction).collect()
}

/// What remains of a planned operation. A publication that is created or replaced is as planned.
pub(super) fn remaining(operation: &Operation, seen: &Seen<'_, Publication>) -> Remaining<Operation> {
    let is_replaced = seen.planned.iter().any(|planned| matches!(planned, Operation::Create { .. }));
    let Some(now) = seen.now.publication.as_ref().filter(|_| !is_replaced) else { return Remaining::All };
    let now = &now.current;
    if let Operation::Rename { to, .. } = operation {
        return if *to == now.name { Remaining::Nothing } else { Remaining::All };
    }
    if let Operation::ChangeOwner { owner, .. } = operation {
        return if now.is_owned_by(owner) { Remaining::Nothing } else { Remaining::All };
    }
    let Scope::Listed { tables: published, schemas: published_schemas } = &now.scope else { return Remaining::All };
    let name = QualifiedTable::name;
    let schema_name = |schema: &Identifier| schema.as_str().to_owned();
    match operation.clone() {
        Operation::AddTables { name: of, tables, restrictions } => {
            part(tables, published, false, name, |tables| Operation::AddTables { name: of, tables, restrictions })
        }
        Operation::DropTables { name: of, tables } => {
            part(tables, published, true, name, |tables| Operation::DropTables { name: of, tables })
        }
        Operation::TakeOut { name: of, tables } => {
            part(tables, published, true, name, |tables| Operation::TakeOut { name: of, tables })
        }
        Operation::AddSchemas { name: of, schemas } => {
            part(schemas, published_schemas, false, schema_name, |schemas| Operation::AddSchemas { name: of, schemas })
        }
        Operation::DropSchemas { name: of, schemas } => {
            part(schemas, published_schemas, true, schema_name, |schemas| Operation::DropSchemas { name: of, schemas })
        }
        _ => Remaining::All,
    }
}

/// The members that are `published` while the operation needs them so, or the other way round.
fn part<T: Ord>(
    members: Vec<T>,
    published: &BTreeSet<T>,
    needs_published: bool,
    name: impl Fn(&T) -> String,
    operation: impl FnOnce(Vec<T>) -> Operation,
) -> Remaining<Operation> {
    let (open, done): (Vec<_>, Vec<_>) = members.into_iter().partition(|member| published.contains(member) == needs_published);
    match (open.is_empty(), done.is_empty()) {
        (true, _) => Remaining::Nothing,
        (false, true) => Remaining::All,
        (false, false) => Remaining::Part(operation(open), done.iter().map(name).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{current, name, observed};
    use super::*;

    #[test]
    fn what_someone_else_did_already_is_skipped_by_name() {
        let tables = vec!["a.b".parse().unwrap(), "a.c".parse().unwrap()];
        let add = Operation::AddTables { name: name("p"), tables, restrictions: Vec::new() };
        let left_of = |tables: &[&str]| {
            let now = observed(current(tables));
            remaining(&add, &Seen { now: &now, planned: std::slice::from_ref(&add), needed: &[] })
        };
        let rest = Operation::AddTables { name: name("p"), tables: vec!["a.c".parse().unwrap()], restrictions: Vec::new() };
        assert_eq!(left_of(&["a.b"]), Remaining::Part(rest, vec!["a.b".to_owned()]));
        assert_eq!(left_of(&["a.b", "a.c"]), Remaining::Nothing);
        assert_eq!(left_of(&["x.y"]), Remaining::All);
    }
}
