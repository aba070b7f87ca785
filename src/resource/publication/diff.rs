//! From what exists and what is wanted to the operations between, in order. Pure, and used twice: for the plan, and again at apply, where
//! the same inputs must give the same operations.

use std::collections::BTreeSet;

use super::model::{Desired, Publish, Scope};
use super::statement::Operation;
use crate::postgres::{Identifier, QualifiedTable};

/// A publication as it exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Current {
    pub(super) name: Identifier,
    pub(super) scope: Scope,
    pub(super) publish: Publish,
    /// `None` before PostgreSQL 13.
    pub(super) via_root: Option<bool>,
}

/// The operations of a create. `via_root` is what the plan settled on.
pub(super) fn create(desired: &Desired) -> Vec<Operation> {
    vec![Operation::Create {
        name: desired.name.clone(),
        scope: desired.scope.clone(),
        publish: desired.publish.unwrap_or(Publish::ALL),
        via_root: desired.via_root,
    }]
}

/// True when PostgreSQL has no way from one scope to the other but dropping the publication.
pub(super) fn replaces_scope(current: &Scope, desired: &Scope) -> bool {
    matches!(current, Scope::AllTables) != matches!(desired, Scope::AllTables)
}

/// The operations of an update.
pub(super) fn update(current: &Current, desired: &Desired) -> Vec<Operation> {
    if replaces_scope(&current.scope, &desired.scope) {
        let wanted = Desired {
            publish: desired.publish.or(Some(current.publish)),
            via_root: desired.via_root.or(current.via_root),
            ..desired.clone()
        };
        return [vec![Operation::Drop { name: current.name.clone() }], create(&wanted)].concat();
    }
    let name = &desired.name;
    let mut operations = Vec::new();
    if current.name != *name {
        operations.push(Operation::Rename { from: current.name.clone(), to: name.clone() });
    }
    let publish = desired.publish.filter(|publish| *publish != current.publish);
    let via_root = desired.via_root.filter(|via_root| Some(*via_root) != current.via_root);
    if publish.is_some() || via_root.is_some() {
        operations.push(Operation::SetParameters { name: name.clone(), publish, via_root });
    }
    if let (Scope::Listed { tables: old_tables, schemas: old_schemas }, Scope::Listed { tables, schemas }) =
        (&current.scope, &desired.scope)
    {
        let (added, dropped) = (missing(tables, old_tables), missing(old_tables, tables));
        let (added_schemas, dropped_schemas) = (missing(schemas, old_schemas), missing(old_schemas, schemas));
        operations.extend(some(added, |tables| Operation::AddTables { name: name.clone(), tables }));
        operations.extend(some(added_schemas, |schemas| Operation::AddSchemas { name: name.clone(), schemas }));
        operations.extend(some(dropped, |tables| Operation::DropTables { name: name.clone(), tables }));
        operations.extend(some(dropped_schemas, |schemas| Operation::DropSchemas { name: name.clone(), schemas }));
    }
    operations
}

fn missing<T: Ord + Clone>(of: &BTreeSet<T>, from: &BTreeSet<T>) -> Vec<T> {
    of.difference(from).cloned().collect()
}

fn some<T>(members: Vec<T>, operation: impl FnOnce(Vec<T>) -> Operation) -> Option<Operation> {
    (!members.is_empty()).then(|| operation(members))
}

/// What is left of a planned operation where someone else was faster, and what was skipped. `None`: all of it is done already.
pub(super) fn remaining(operation: Operation, now: Option<&Current>) -> (Option<Operation>, Vec<String>) {
    let Some(now) = now else { return (Some(operation), Vec::new()) };
    if let Operation::Rename { to, .. } = &operation
        && *to == now.name
    {
        return (None, vec![to.as_str().to_owned()]);
    }
    let Scope::Listed { tables: old, schemas: old_schemas } = &now.scope else { return (Some(operation), Vec::new()) };
    let names = |tables: &[QualifiedTable]| tables.iter().map(QualifiedTable::name).collect();
    let schema_names = |schemas: &[Identifier]| schemas.iter().map(|schema| schema.as_str().to_owned()).collect();
    match operation {
        Operation::AddTables { name, tables } => {
            let (done, open): (Vec<_>, Vec<_>) = tables.into_iter().partition(|table| old.contains(table));
            (some(open, |tables| Operation::AddTables { name, tables }), names(&done))
        }
        Operation::DropTables { name, tables } => {
            let (open, done): (Vec<_>, Vec<_>) = tables.into_iter().partition(|table| old.contains(table));
            (some(open, |tables| Operation::DropTables { name, tables }), names(&done))
        }
        Operation::AddSchemas { name, schemas } => {
            let (done, open): (Vec<_>, Vec<_>) = schemas.into_iter().partition(|schema| old_schemas.contains(schema));
            (some(open, |schemas| Operation::AddSchemas { name, schemas }), schema_names(&done))
        }
        Operation::DropSchemas { name, schemas } => {
            let (open, done): (Vec<_>, Vec<_>) = schemas.into_iter().partition(|schema| old_schemas.contains(schema));
            (some(open, |schemas| Operation::DropSchemas { name, schemas }), schema_names(&done))
        }
        other => (Some(other), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Identifier {
        Identifier::new(text).unwrap()
    }

    fn listed(tables: &[&str]) -> Scope {
        Scope::Listed { tables: tables.iter().map(|table| table.parse().unwrap()).collect(), schemas: BTreeSet::new() }
    }

    fn current(tables: &[&str]) -> Current {
        Current { name: name("p"), scope: listed(tables), publish: Publish::ALL, via_root: Some(true) }
    }

    fn desired(scope: Scope) -> Desired {
        Desired { name: name("p"), scope, publish: None, via_root: None }
    }

    #[track_caller]
    fn check(current: &Current, desired: &Desired, expected: &[&str]) {
        let statements: Vec<String> = update(current, desired).iter().map(|o| o.statement().display().to_owned()).collect();
        assert_eq!(statements, expected);
    }

    #[test]
    fn nothing_to_do_is_no_operation() {
        check(&current(&["a.b"]), &desired(listed(&["a.b"])), &[]);
    }

    #[test]
    fn tables_that_stay_never_leave() {
        check(
            &current(&["a.b", "a.c"]),
            &desired(listed(&["a.c", "a.d"])),
            &["ALTER PUBLICATION \"p\" ADD TABLE ONLY \"a\".\"d\"", "ALTER PUBLICATION \"p\" DROP TABLE ONLY \"a\".\"b\""],
        );
    }

    #[test]
    fn a_rename_comes_first_and_the_rest_uses_the_new_name() {
        let wanted =
            Desired { name: name("q"), publish: Some(Publish { truncate: false, ..Publish::ALL }), ..desired(listed(&["a.b"])) };
        check(
            &current(&["a.b"]),
            &wanted,
            &["ALTER PUBLICATION \"p\" RENAME TO \"q\"", "ALTER PUBLICATION \"q\" SET (publish = 'insert, update, delete')"],
        );
    }

    #[test]
    fn another_kind_of_scope_is_a_drop_and_a_create_that_keeps_the_parameters() {
        let old = Current { publish: Publish { truncate: false, ..Publish::ALL }, ..current(&["a.b"]) };
        check(
            &old,
            &desired(Scope::AllTables),
            &[
                "DROP PUBLICATION \"p\"",
                "CREATE PUBLICATION \"p\" FOR ALL TABLES WITH (publish = 'insert, update, delete', publish_via_partition_root = true)",
            ],
        );
    }

    #[test]
    fn what_someone_else_did_already_is_skipped_by_name() {
        let add = Operation::AddTables { name: name("p"), tables: vec!["a.b".parse().unwrap(), "a.c".parse().unwrap()] };
        let (left, skipped) = remaining(add.clone(), Some(&current(&["a.b"])));
        assert_eq!(left, Some(Operation::AddTables { name: name("p"), tables: vec!["a.c".parse().unwrap()] }));
        assert_eq!(skipped, ["a.b"]);
        assert_eq!(remaining(add, Some(&current(&["a.b", "a.c"]))).0, None);
    }
}
