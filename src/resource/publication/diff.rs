//! The operations from what exists to what is wanted, in order. Pure.

use std::collections::BTreeSet;

use super::desired::{Desired, Publish, Scope};
use super::observed::Current;
use super::operation::{Operation, of_tables};
use super::restriction::Restriction;
use super::schema::Publication;
use crate::postgres::version::VIA_ROOT;
use crate::postgres::{Identifier, QualifiedTable, ServerVersion};
use crate::resource::change::Change;

/// The operations of a create, an update or a destroy. `None`: the server's version is not known, and a create depends on it.
pub(super) fn diff(change: &Change<'_, Publication>) -> Option<Vec<Operation>> {
    let basis = change.basis()?;
    let current = basis.publication.as_ref().map(|found| &found.current);
    match (change.before, change.after, current) {
        (_, None, current) => Some(current.map(|current| Operation::Drop { name: current.name.clone() }).into_iter().collect()),
        (Some(_), Some(desired), Some(current)) => Some(update(current, desired, basis.admin.as_ref())),
        (_, Some(desired), _) => Some(create(desired, basis.version?, basis.admin.as_ref())),
    }
}

/// The operations of a create, with the defaults that only apply then.
fn create(desired: &Desired, version: ServerVersion, admin: Option<&Identifier>) -> Vec<Operation> {
    let create = Operation::Create {
        name: desired.name.clone(),
        scope: desired.scope.clone(),
        restrictions: all_restrictions(desired),
        publish: desired.publish.unwrap_or(Publish::ALL),
        via_root: desired.via_root.or(version.has(VIA_ROOT).then_some(true)),
        generated: desired.generated,
    };
    [create].into_iter().chain(handed_over(desired, desired.owner.as_ref(), admin)).collect()
}

/// Gives a new publication, which the admin owns, to its owner.
fn handed_over(desired: &Desired, owner: Option<&Identifier>, admin: Option<&Identifier>) -> Option<Operation> {
    let owner = owner.filter(|owner| Some(*owner) != admin)?;
    Some(Operation::ChangeOwner { name: desired.name.clone(), owner: owner.clone(), is_new: true })
}

/// True when PostgreSQL can only change from one scope to the other by dropping the publication.
fn replaces_scope(current: &Scope, desired: &Scope) -> bool {
    matches!(current, Scope::AllTables) != matches!(desired, Scope::AllTables)
}

fn all_restrictions(desired: &Desired) -> Vec<(QualifiedTable, Restriction)> {
    of_tables(&desired.restrictions, desired.restrictions.keys())
}

/// The operations of an update. What goes, goes first: PostgreSQL refuses lists of columns beside schemas, and restrictions of
/// partitioned tables that are not published via the root, even for a moment.
fn update(current: &Current, desired: &Desired, admin: Option<&Identifier>) -> Vec<Operation> {
    if replaces_scope(&current.scope, &desired.scope) {
        let drop = Operation::Drop { name: current.name.clone() };
        let create = Operation::Create {
            name: desired.name.clone(),
            scope: desired.scope.clone(),
            restrictions: all_restrictions(desired),
            publish: desired.publish.unwrap_or(current.publish),
            via_root: desired.via_root.or(current.via_root),
            generated: desired.generated.or(current.generated),
        };
        let owner = desired.owner.as_ref().or(current.owner.as_ref());
        return [drop, create].into_iter().chain(handed_over(desired, owner, admin)).collect();
    }
    let name = &desired.name;
    let mut operations = Vec::new();
    if current.name != *name {
        operations.push(Operation::Rename { from: current.name.clone(), to: name.clone() });
    }
    let publish = desired.publish.filter(|publish| *publish != current.publish);
    let via_root = desired.via_root.filter(|via_root| Some(*via_root) != current.via_root);
    let generated = desired.generated.filter(|generated| Some(*generated) != current.generated);
    let is_set = publish.is_some() || via_root.is_some() || generated.is_some();
    let set = is_set.then(|| Operation::SetParameters { name: name.clone(), publish, via_root, generated });
    let (Scope::Listed { tables: old_tables, schemas: old_schemas }, Scope::Listed { tables, schemas }) =
        (&current.scope, &desired.scope)
    else {
        operations.extend(set);
        operations.extend(another_owner(current, desired));
        return operations;
    };
    let (added, dropped) = (missing(tables, old_tables), missing(old_tables, tables));
    let (added_schemas, dropped_schemas) = (missing(schemas, old_schemas), missing(old_schemas, schemas));
    let is_other = |table: &&QualifiedTable| !current.restricted.is(table, desired.restrictions.get(table));
    let altered: Vec<QualifiedTable> = tables.intersection(old_tables).filter(is_other).cloned().collect();
    operations.extend(some(dropped, |tables| Operation::DropTables { name: name.clone(), tables }));
    operations.extend(some(dropped_schemas, |schemas| Operation::DropSchemas { name: name.clone(), schemas }));
    operations.extend(some(altered.clone(), |tables| Operation::TakeOut { name: name.clone(), tables }));
    operations.extend(set);
    operations.extend(some(altered, |tables| {
        let restrictions = of_tables(&desired.restrictions, &tables);
        Operation::PutBack { name: name.clone(), tables, restrictions }
    }));
    operations.extend(some(added, |tables| {
        let restrictions = of_tables(&desired.restrictions, &tables);
        Operation::AddTables { name: name.clone(), tables, restrictions }
    }));
    operations.extend(some(added_schemas, |schemas| Operation::AddSchemas { name: name.clone(), schemas }));
    operations.extend(another_owner(current, desired));
    operations
}

/// The change of owner comes last: what else is done needs the rights of the present one.
fn another_owner(current: &Current, desired: &Desired) -> Option<Operation> {
    let owner = desired.owner.as_ref().filter(|owner| !current.is_owned_by(owner))?;
    Some(Operation::ChangeOwner { name: desired.name.clone(), owner: owner.clone(), is_new: false })
}

fn missing<T: Ord + Clone>(of: &BTreeSet<T>, from: &BTreeSet<T>) -> Vec<T> {
    of.difference(from).cloned().collect()
}

fn some<T>(members: Vec<T>, operation: impl FnOnce(Vec<T>) -> Operation) -> Option<Operation> {
    (!members.is_empty()).then(|| operation(members))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{current, listed, name, wanted};
    use super::*;

    fn desired(scope: Scope) -> Desired {
        wanted("p", scope)
    }

    #[track_caller]
    fn check(current: &Current, desired: &Desired, expected: &[&str]) {
        let statements: Vec<String> = update(current, desired, Some(&name("admin"))).iter().map(|o| o.to_string()).collect();
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
            &["ALTER PUBLICATION \"p\" DROP TABLE ONLY \"a\".\"b\"", "ALTER PUBLICATION \"p\" ADD TABLE ONLY \"a\".\"d\""],
        );
    }

    #[test]
    fn only_tables_with_another_restriction_leave_and_come_back() {
        let filter = Some("id > 1".to_owned());
        let restrictions = [("a.c".parse().unwrap(), Restriction { filter, ..Restriction::default() })].into();
        let wanted = Desired { restrictions, via_root: Some(false), ..desired(listed(&["a.b", "a.c"])) };
        check(
            &current(&["a.b", "a.c"]),
            &wanted,
            &[
                "ALTER PUBLICATION \"p\" DROP TABLE ONLY \"a\".\"c\"",
                "ALTER PUBLICATION \"p\" SET (publish_via_partition_root = false)",
                "ALTER PUBLICATION \"p\" ADD TABLE ONLY \"a\".\"c\" WHERE (id > 1)",
            ],
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
    fn the_owner_changes_last() {
        let old = Current { owner: Some(name("app")), ..current(&["a.b"]) };
        let to = |owner: &str| Desired { owner: Some(name(owner)), ..desired(listed(&["a.c"])) };
        let tables =
            ["ALTER PUBLICATION \"p\" DROP TABLE ONLY \"a\".\"b\"", "ALTER PUBLICATION \"p\" ADD TABLE ONLY \"a\".\"c\""];
        check(&old, &to("app"), &tables);
        check(&old, &to("x\"y"), &[tables[0], tables[1], "ALTER PUBLICATION \"p\" OWNER TO \"x\"\"y\""]);
        let unset = Desired { owner: None, ..to("app") };
        check(&old, &unset, &tables);
    }

    #[test]
    fn a_new_publication_is_handed_over_if_another_role_is_to_own_it() {
        let operations = |owner: &str| {
            let desired = Desired { owner: Some(name(owner)), ..desired(listed(&["a.b"])) };
            create(&desired, super::super::fixture::version(), Some(&name("admin"))).len()
        };
        assert_eq!((operations("admin"), operations("app")), (1, 2));
        let old = Current { owner: Some(name("app")), ..current(&["a.b"]) };
        let replaced = update(&old, &desired(Scope::AllTables), Some(&name("admin")));
        assert_eq!(replaced.last().map(ToString::to_string), Some("ALTER PUBLICATION \"p\" OWNER TO \"app\"".to_owned()));
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
}
