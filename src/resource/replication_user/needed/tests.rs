use super::*;
use crate::postgres::{Facts, Flavour, ServerVersion};
use crate::resource::replication_user::observed::{Role, Table};
use crate::resource::replication_user::statement::display;

fn identifier(name: &str) -> Identifier {
    Identifier::new(name).unwrap()
}

fn owner(owns_tables: bool, granted: bool, reach: Reach) -> Owner {
    Owner { owns_tables, covered: granted, granted, reach }
}

fn observed(owners: &[(&str, Owner)]) -> Observed {
    let schema = Schema {
        exists: true,
        owner: None,
        reach: Reach::Inherited,
        usage: true,
        usage_granted: true,
        unreadable: 1,
        unreadable_names: vec!["lost".to_owned()],
        owners: owners.iter().map(|(name, owner)| ((*name).to_owned(), owner.clone())).collect(),
    };
    let table = |select| Table { exists: true, select, owner: Some("own".to_owned()), reach: Reach::SetRole };
    Observed {
        facts: Facts { version: ServerVersion::from_number(160_000), flavour: Flavour::Rds, current_user: "admin".to_owned() },
        role: Some(Role {
            oid: 7,
            name: "u".to_owned(),
            login: true,
            replication: true,
            connection_limit: 5,
            connect: true,
            connect_granted: false,
        }),
        schemas: [("s".to_owned(), schema), ("gone".to_owned(), Schema::default())].into(),
        tables: [("t.read".to_owned(), table(true)), ("t.unread".to_owned(), table(false))].into(),
    }
}

fn defaults(owners: Owners) -> Operation {
    Operation::GrantDefaults { owners, schema: identifier("s"), role: identifier("u") }
}

#[test]
fn the_owners_line_becomes_one_statement_for_each_uncovered_owner_of_a_table() {
    let observed = observed(&[
        ("a", owner(true, false, Reach::Inherited)),
        ("covered", owner(true, true, Reach::Inherited)),
        ("none", owner(false, false, Reach::Inherited)),
        ("z", owner(true, false, Reach::Inherited)),
    ]);
    let expected = ["a", "z"].map(|name| Step::Run(defaults(Owners::Named(identifier(name)))));
    assert_eq!(steps(&[defaults(Owners::Each)], &observed), expected);
}

#[test]
fn what_is_done_or_gone_is_skipped() {
    let (role, schema) = (identifier("u"), identifier("s"));
    let table = |name: &str| Operation::GrantSelect { table: name.parse().unwrap(), role: identifier("u") };
    let observed = observed(&[("own", owner(true, true, Reach::Inherited))]);
    let skipped = [
        Operation::RenameRole { from: identifier("old"), to: role.clone() },
        Operation::AllowLogin { role: role.clone() },
        Operation::GrantReplication { role: role.clone() },
        Operation::LimitConnections { role: role.clone(), limit: 5 },
        Operation::GrantUsage { schema: schema.clone(), role: role.clone() },
        defaults(Owners::Named(identifier("own"))),
        table("t.read"),
        table("s.readable"),
        Operation::RevokeSelect { table: "t.unread".parse().unwrap(), role: role.clone() },
        Operation::RevokeSelectOnAll { schema: identifier("gone"), role: role.clone() },
        Operation::RevokeUsage { schema: identifier("gone"), role: role.clone() },
    ];
    let runs = [
        Operation::SetPassword { role: role.clone() },
        Operation::LimitConnections { role: role.clone(), limit: 6 },
        Operation::GrantConnect { database: identifier("app"), role: role.clone() },
        Operation::GrantSelectOnAll { schema, role: role.clone() },
        table("t.unread"),
        table("s.lost"),
        Operation::RevokeSelect { table: "t.read".parse().unwrap(), role },
    ];
    for operation in &skipped {
        assert_eq!(steps(std::slice::from_ref(operation), &observed), [Step::Skip(operation.clone())]);
    }
    for operation in &runs {
        assert_eq!(steps(std::slice::from_ref(operation), &observed), [Step::Run(operation.clone())]);
    }
}

#[test]
fn a_grant_that_a_planned_revocation_takes_away_is_still_needed() {
    let role = identifier("u");
    let planned = [
        Operation::RevokeSelectOnAll { schema: identifier("t"), role: role.clone() },
        Operation::GrantSelect { table: "t.read".parse().unwrap(), role },
    ];
    assert_eq!(steps(&planned, &observed(&[])), planned.map(Step::Run));
}

#[test]
fn an_owner_who_can_only_be_acted_for_by_set_role_is_acted_for_so() {
    let observed = observed(&[("own", owner(true, false, Reach::SetRole))]);
    let [run] = &runs(&defaults(Owners::Named(identifier("own"))), &observed, &Tables::default())[..] else {
        panic!("one statement is expected")
    };
    assert_eq!(run.as_owner, Some(identifier("own")));
}

#[test]
fn a_closed_schema_is_granted_table_by_table_with_the_rights_of_each_owner() {
    let unreadable = |name: &str, owner: &str, reach| OwnedTable { table: name.parse().unwrap(), owner: owner.to_owned(), reach };
    let unreadable = vec![
        unreadable("s.a", "mine", Reach::Inherited),
        unreadable("s.b", "own", Reach::SetRole),
        unreadable("t.c", "own", Reach::SetRole),
    ];
    let whole = Operation::GrantSelectOnAll { schema: identifier("s"), role: identifier("u") };
    let found = observed(&[]);
    let tables = Tables { unreadable, readable: Vec::new(), closed: ["s".to_owned()].into() };
    let closed = runs(&whole, &found, &tables);
    let shown: Vec<_> = closed.iter().map(|run| (display(&run.operation), run.as_owner.clone())).collect();
    assert_eq!(
        shown,
        [
            ("GRANT SELECT ON TABLE \"s\".\"a\" TO \"u\"".to_owned(), None),
            ("GRANT SELECT ON TABLE \"s\".\"b\" TO \"u\"".to_owned(), Some(identifier("own"))),
        ]
    );
    assert_eq!(runs(&whole, &found, &Tables { closed: BTreeSet::new(), ..tables }).len(), 1);
}
