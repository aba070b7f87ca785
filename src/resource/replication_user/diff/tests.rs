use super::super::fixture::{facts, identifier, observing, role};
use super::super::statement::display;
use super::*;
use crate::catalogue::admin::Admin;
use crate::catalogue::iam::IamMembership;
use crate::catalogue::reach::Reach;
use crate::catalogue::schema_privilege::Owner;
use crate::catalogue::table_privilege::Table;

fn desired(schemas: &[&str], tables: &[&str]) -> Desired {
    Desired {
        name: identifier("u"),
        database: identifier("app"),
        cluster: None,
        authentication: Authentication::Password,
        schemas: schemas.iter().map(|name| identifier(name)).collect(),
        tables: tables.iter().map(|name| name.parse().unwrap()).collect(),
        table_owners: None,
        include_views: false,
        connection_limit: None,
        valid_until: None,
        password_version: Some(1),
        has_password: true,
        adopt: Some(false),
    }
}

fn owner(granted: bool) -> Owner {
    Owner { owns_tables: true, covered: granted, granted, reach: Reach::Inherited }
}

/// Everything is as wanted: the schema `s` with tables of `own`, and the table `t.x`.
fn observed() -> Observed {
    let schema = Schema {
        exists: true,
        usage: true,
        usage_granted: true,
        owners: [("own".to_owned(), owner(true))].into(),
        ..Schema::default()
    };
    let table = Table { exists: true, select: true, granted: true, owner: Some("own".to_owned()), ..Table::default() };
    Observed {
        schemas: [("s".to_owned(), schema.clone()), ("t".to_owned(), Schema { owners: [].into(), ..schema })].into(),
        tables: [("t.x".to_owned(), table)].into(),
        ..observing(facts(), Some(role()))
    }
}

fn drift(desired: &Desired, observed: &Observed) -> Vec<Operation> {
    diff(&Change::drift(desired, observed)).unwrap()
}

#[track_caller]
fn check(operations: &[Operation], expected: &[&str]) {
    assert_eq!(operations.iter().map(display).collect::<Vec<_>>(), expected);
}

#[test]
fn creates_on_aurora_with_membership_and_on_plain_postgres_with_the_attribute() {
    let desired = Desired { connection_limit: Some(9), ..desired(&["s"], &["t.x", "t.y", "s.z"]) };
    let grants = [
        "GRANT CONNECT ON DATABASE \"app\" TO \"u\"",
        "GRANT USAGE ON SCHEMA \"s\" TO \"u\"",
        "GRANT SELECT ON ALL TABLES IN SCHEMA \"s\" TO \"u\"",
        "ALTER DEFAULT PRIVILEGES FOR ROLE <each table owner of \"s\"> IN SCHEMA \"s\" GRANT SELECT ON TABLES TO \"u\"",
        "GRANT USAGE ON SCHEMA \"t\" TO \"u\"",
        "GRANT SELECT ON TABLE \"t\".\"x\" TO \"u\"",
        "GRANT SELECT ON TABLE \"t\".\"y\" TO \"u\"",
    ];
    let rds = ["CREATE ROLE \"u\" LOGIN CONNECTION LIMIT 9 PASSWORD '<redacted>'", "GRANT \"rds_replication\" TO \"u\""];
    check(&create(&desired, Flavour::Rds, None), &[&rds[..], &grants[..]].concat());
    let plain = ["CREATE ROLE \"u\" LOGIN REPLICATION CONNECTION LIMIT 9 PASSWORD '<redacted>'"];
    check(&create(&desired, Flavour::Plain, None), &[&plain[..], &grants[..]].concat());
}

#[test]
fn names_the_owners_that_are_given() {
    let owners = Some(vec![identifier("b"), identifier("a")]);
    let operations = create(&Desired { table_owners: owners, ..desired(&["s"], &[]) }, Flavour::Rds, None);
    check(
        &operations[5..],
        &[
            "ALTER DEFAULT PRIVILEGES FOR ROLE \"b\" IN SCHEMA \"s\" GRANT SELECT ON TABLES TO \"u\"",
            "ALTER DEFAULT PRIVILEGES FOR ROLE \"a\" IN SCHEMA \"s\" GRANT SELECT ON TABLES TO \"u\"",
        ],
    );
}

#[test]
fn nothing_to_mend_is_no_operation() {
    check(&drift(&desired(&["s"], &["t.x"]), &observed()), &[]);
}

#[test]
fn mends_each_lost_thing_with_one_statement() {
    let mut lost = observed();
    let role = lost.role.as_mut().unwrap();
    (role.login, role.replication, role.connect) = (false, false, false);
    let schema = lost.schemas.get_mut("s").unwrap();
    schema.usage = false;
    schema.unreadable = 2;
    schema.unreadable_names = vec!["a".to_owned(), "dotted.b".to_owned()];
    schema.owners.insert("new owner".to_owned(), owner(false));
    lost.schemas.get_mut("t").unwrap().usage = false;
    lost.tables.get_mut("t.x").unwrap().select = false;
    check(
        &drift(&desired(&["s"], &["t.x"]), &lost),
        &[
            "ALTER ROLE \"u\" LOGIN",
            "GRANT \"rds_replication\" TO \"u\"",
            "GRANT CONNECT ON DATABASE \"app\" TO \"u\"",
            "GRANT USAGE ON SCHEMA \"s\" TO \"u\"",
            "GRANT SELECT ON TABLE \"s\".\"a\" TO \"u\"",
            "GRANT SELECT ON TABLE \"s\".\"dotted.b\" TO \"u\"",
            "ALTER DEFAULT PRIVILEGES FOR ROLE \"new owner\" IN SCHEMA \"s\" GRANT SELECT ON TABLES TO \"u\"",
            "GRANT USAGE ON SCHEMA \"t\" TO \"u\"",
            "GRANT SELECT ON TABLE \"t\".\"x\" TO \"u\"",
        ],
    );
}

#[test]
fn mends_many_lost_tables_at_once() {
    let mut lost = observed();
    lost.schemas.get_mut("s").unwrap().unreadable = 21;
    check(&drift(&desired(&["s"], &["t.x"]), &lost), &["GRANT SELECT ON ALL TABLES IN SCHEMA \"s\" TO \"u\""]);
}

#[test]
fn what_is_gone_cannot_be_mended() {
    let mut gone = observed();
    gone.schemas.insert("s".to_owned(), Schema::default());
    gone.tables.get_mut("t.x").unwrap().exists = false;
    check(&drift(&desired(&["s"], &["t.x"]), &gone), &[]);
    check(&update(&desired(&["s"], &["t.x"]), &desired(&[], &[]), Some(&gone)), &["REVOKE USAGE ON SCHEMA \"t\" FROM \"u\""]);
    gone.admin.replication = Reach::None;
    gone.role.as_mut().unwrap().replication = false;
    check(&drift(&desired(&["s"], &["t.x"]), &gone), &[]);
}

#[test]
fn renames_then_rotates_then_limits() {
    let changed = Desired { name: identifier("v"), password_version: Some(2), connection_limit: Some(3), ..desired(&["s"], &[]) };
    check(
        &update(&desired(&["s"], &[]), &changed, Some(&observed())),
        &["ALTER ROLE \"u\" RENAME TO \"v\"", "ALTER ROLE \"v\" PASSWORD '<redacted>'", "ALTER ROLE \"v\" CONNECTION LIMIT 3"],
    );
}

#[test]
fn a_rename_sets_a_given_password_again() {
    let renamed = |has_password| Desired { name: identifier("v"), has_password, ..desired(&["s"], &[]) };
    let operations = |has_password| update(&desired(&["s"], &[]), &renamed(has_password), Some(&observed()));
    check(&operations(true), &["ALTER ROLE \"u\" RENAME TO \"v\"", "ALTER ROLE \"v\" PASSWORD '<redacted>'"]);
    check(&operations(false), &["ALTER ROLE \"u\" RENAME TO \"v\""]);
}

#[test]
fn a_first_password_version_is_a_rotation_and_a_removed_one_is_not() {
    let none = Desired { password_version: None, ..desired(&["s"], &[]) };
    check(&update(&none, &desired(&["s"], &[]), None), &["ALTER ROLE \"u\" PASSWORD '<redacted>'"]);
    check(&update(&desired(&["s"], &[]), &none, None), &[]);
}

#[test]
fn a_schema_that_leaves_the_list_loses_everything_but_what_is_listed_by_table() {
    let rest = desired(&["n"], &["s.keep"]);
    check(
        &update(&desired(&["s"], &["t.x"]), &rest, Some(&observed())),
        &[
            "ALTER DEFAULT PRIVILEGES FOR ROLE \"own\" IN SCHEMA \"s\" REVOKE SELECT ON TABLES FROM \"u\"",
            "REVOKE SELECT ON ALL TABLES IN SCHEMA \"s\" FROM \"u\"",
            "REVOKE SELECT ON TABLE \"t\".\"x\" FROM \"u\"",
            "REVOKE USAGE ON SCHEMA \"t\" FROM \"u\"",
            "GRANT USAGE ON SCHEMA \"n\" TO \"u\"",
            "GRANT SELECT ON ALL TABLES IN SCHEMA \"n\" TO \"u\"",
            "ALTER DEFAULT PRIVILEGES FOR ROLE <each table owner of \"n\"> IN SCHEMA \"n\" GRANT SELECT ON TABLES TO \"u\"",
            "GRANT SELECT ON TABLE \"s\".\"keep\" TO \"u\"",
        ],
    );
}

#[test]
fn another_owner_takes_the_place_of_the_one_before() {
    let changed = Desired { table_owners: Some(vec![identifier("next")]), ..desired(&["s"], &[]) };
    check(
        &update(&desired(&["s"], &[]), &changed, Some(&observed())),
        &[
            "ALTER DEFAULT PRIVILEGES FOR ROLE \"own\" IN SCHEMA \"s\" REVOKE SELECT ON TABLES FROM \"u\"",
            "ALTER DEFAULT PRIVILEGES FOR ROLE \"next\" IN SCHEMA \"s\" GRANT SELECT ON TABLES TO \"u\"",
        ],
    );
}

#[test]
fn the_order_of_the_lists_means_nothing() {
    let mut observed = observed();
    observed.schemas.insert("r".to_owned(), observed.schemas["s"].clone());
    check(&update(&desired(&["s", "r"], &[]), &desired(&["r", "s"], &[]), Some(&observed)), &[]);
}

fn by_token(desired: Desired) -> Desired {
    Desired { authentication: Authentication::Iam, password_version: None, has_password: false, ..desired }
}

#[test]
fn a_role_that_logs_in_with_tokens_comes_before_its_grants_and_has_no_password() {
    let operations = create(&by_token(desired(&[], &[])), Flavour::Rds, None);
    check(&operations[..2], &["CREATE ROLE \"u\" LOGIN", "GRANT \"rds_iam\" TO \"u\""]);
    let member = Role { iam: IamMembership { own: true, ..IamMembership::default() }, ..role() };
    check(&create(&by_token(desired(&[], &[])), Flavour::Rds, Some(&member)), &["ALTER ROLE \"u\" LOGIN"]);
    let adopted = create(&by_token(desired(&[], &[])), Flavour::Rds, Some(&role()));
    check(&adopted, &["ALTER ROLE \"u\" LOGIN", "GRANT \"rds_iam\" TO \"u\"", "ALTER ROLE \"u\" PASSWORD NULL"]);
    check(
        &create(&desired(&[], &[]), Flavour::Rds, Some(&member)),
        &["ALTER ROLE \"u\" LOGIN PASSWORD '<redacted>'", "REVOKE \"rds_iam\" FROM \"u\""],
    );
}

#[test]
fn a_switch_begins_with_what_is_tried_and_a_switch_back_sets_the_password() {
    let before = desired(&[], &[]);
    let after = by_token(Desired { name: identifier("v"), ..before.clone() });
    let to = ["GRANT \"rds_iam\" TO \"u\"", "ALTER ROLE \"u\" RENAME TO \"v\"", "ALTER ROLE \"v\" PASSWORD NULL"];
    check(&update(&before, &after, None), &to);
    check(&update(&before, &after, Some(&observed())), &to);
    let back = ["ALTER ROLE \"v\" PASSWORD '<redacted>'", "REVOKE \"rds_iam\" FROM \"v\""];
    check(&update(&after, &Desired { name: identifier("v"), ..before.clone() }, None), &back);
    // It was done, and its password is still there.
    let mut member = observed();
    member.role.as_mut().unwrap().iam.own = true;
    check(&update(&before, &after, Some(&member)), &to[1..]);
}

#[test]
fn a_membership_by_hand_is_drift_and_one_through_another_role_is_not_ours() {
    let iam = by_token(desired(&[], &[]));
    let with = |iam: IamMembership| Observed { role: Some(Role { iam, ..role() }), ..observed() };
    let through = IamMembership { through: vec!["tokens".to_owned()], ..IamMembership::default() };
    check(&drift(&iam, &with(IamMembership::default())), &["GRANT \"rds_iam\" TO \"u\""]);
    for membership in [through.clone(), IamMembership { own: true, ..IamMembership::default() }] {
        check(&drift(&iam, &with(membership)), &[]);
    }
    let out_of_reach = Observed { admin: Admin { iam: Some(Reach::None), ..Admin::default() }, ..with(IamMembership::default()) };
    check(&drift(&iam, &out_of_reach), &[]);
    check(&drift(&desired(&[], &[]), &with(through)), &[]);
    let direct = IamMembership { own: true, granted_by: vec!["other".to_owned()], through: Vec::new() };
    check(
        &drift(&desired(&[], &[]), &with(direct)),
        &["REVOKE \"rds_iam\" FROM \"u\"", "REVOKE \"rds_iam\" FROM \"u\" GRANTED BY \"other\""],
    );
}
