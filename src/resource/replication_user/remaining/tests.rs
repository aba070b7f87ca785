use super::super::fixture::{facts, identifier, observing, role};
use super::*;
use crate::catalogue::role::Role;
use crate::catalogue::table_privilege::Table;

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
        ..Schema::default()
    };
    let table = |select| Table {
        exists: true,
        select,
        granted: select,
        owner: Some("own".to_owned()),
        reach: Reach::SetRole,
        ..Table::default()
    };
    Observed {
        schemas: [("s".to_owned(), schema), ("gone".to_owned(), Schema::default())].into(),
        tables: [("t.read".to_owned(), table(true)), ("t.unread".to_owned(), table(false))].into(),
        ..observing(facts(), Some(Role { connection_limit: 5, connect_granted: false, ..role() }))
    }
}

/// What is left of one operation of a plan.
fn left(operation: &Operation, planned: &[Operation], now: &Observed) -> Remaining<Operation> {
    remaining(operation, &Seen { now, planned, needed: &[] })
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
    let expected = ["a", "z"].map(|name| defaults(Owners::Named(identifier(name))));
    assert_eq!(left(&defaults(Owners::Each), &[], &observed), Remaining::Each(expected.to_vec()));
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
        assert_eq!(left(operation, &[], &observed), Remaining::Nothing, "{operation}");
    }
    for operation in &runs {
        assert_eq!(left(operation, &[], &observed), Remaining::All, "{operation}");
    }
}

#[test]
fn a_grant_that_a_planned_revocation_takes_away_is_still_needed() {
    let role = identifier("u");
    let planned = [
        Operation::RevokeSelectOnAll { schema: identifier("t"), role: role.clone() },
        Operation::GrantSelect { table: "t.read".parse().unwrap(), role },
    ];
    for operation in &planned {
        assert_eq!(left(operation, &planned, &observed(&[])), Remaining::All);
    }
}

/// PUBLIC has everything.
#[test]
fn what_the_role_has_through_others_is_granted_where_the_admin_may() {
    let grants = [
        Operation::GrantConnect { database: identifier("app"), role: identifier("u") },
        Operation::GrantUsage { schema: identifier("s"), role: identifier("u") },
        Operation::GrantSelect { table: "t.read".parse().unwrap(), role: identifier("u") },
        defaults(Owners::Named(identifier("own"))),
    ];
    for (reach, expected) in [(Reach::SetRole, Remaining::All), (Reach::None, Remaining::Nothing)] {
        let mut now = observed(&[("own", Owner { covered: true, ..owner(true, false, reach) })]);
        (now.role, now.database.is_open, now.database.reach) = (None, true, reach);
        let schema = now.schemas.get_mut("s").unwrap();
        (schema.usage_granted, schema.reach) = (false, reach);
        let table = now.tables.get_mut("t.read").unwrap();
        (table.granted, table.reach) = (false, reach);
        for operation in &grants {
            assert_eq!(left(operation, &[], &now), expected, "{operation} {reach:?}");
        }
    }
}
