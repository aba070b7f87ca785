//! The role that runs a statement: the provider's role, or an owner it may act for. Pure.

use super::observed::Observed;
use super::operation::{Operation, Owners};
use crate::catalogue::admin::SUPERUSER_OF_RDS;
use crate::catalogue::reach::Reach;
use crate::catalogue::table_privilege::OwnedTable;
use crate::postgres::Identifier;

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) operation: Operation,
    /// The owner or grantor to act as, if the admin may but does not inherit that role's privileges.
    pub(crate) as_owner: Option<Identifier>,
}

/// The roles that run an operation. In a closed schema an operation on all tables becomes one statement for each table.
pub(crate) fn turns(operation: &Operation, observed: &Observed) -> Vec<Turn> {
    let tables = &observed.closer;
    let as_owner = |owner: &str, reach: Reach| Identifier::new(owner).ok().filter(|_| reach == Reach::SetRole);
    let one = |as_owner| vec![Turn { operation: operation.clone(), as_owner }];
    let each = |found: &[OwnedTable], schema: &Identifier, single: &dyn Fn(&OwnedTable) -> Operation| {
        // A table out of reach of a schema that is being added has been refused before.
        let found = found.iter().filter(|found| found.table.schema == *schema && found.reach != Reach::None);
        found.map(|found| Turn { operation: single(found), as_owner: as_owner(&found.owner, found.reach) }).collect()
    };
    match operation {
        Operation::GrantSelectOnAll { schema, role } if tables.closed.contains(schema.as_str()) => {
            let grant = |found: &OwnedTable| Operation::GrantSelect { table: found.table.clone(), role: role.clone() };
            each(&tables.ungranted, schema, &grant)
        }
        Operation::RevokeSelectOnAll { schema, role } if tables.closed.contains(schema.as_str()) => {
            let revoke = |found: &OwnedTable| Operation::RevokeSelect { table: found.table.clone(), role: role.clone() };
            each(&tables.readable, schema, &revoke)
        }
        Operation::GrantSelect { table, .. } | Operation::RevokeSelect { table, .. } => {
            let mut known = tables.ungranted.iter().chain(&tables.readable);
            if let Some(found) = known.find(|found| found.table == *table) {
                return one(as_owner(&found.owner, found.reach));
            }
            let found = observed.tables.get(&table.name());
            one(found.and_then(|found| as_owner(found.owner.as_deref()?, found.reach)))
        }
        Operation::GrantUsage { schema, .. } | Operation::RevokeUsage { schema, .. } => {
            let found = observed.schemas.get(schema.as_str());
            one(found.and_then(|found| as_owner(found.owner.as_deref()?, found.reach)))
        }
        Operation::GrantConnect { .. } => one(as_owner(&observed.database.owner, observed.database.reach)),
        Operation::GrantReplication { .. } => one(as_owner(SUPERUSER_OF_RDS, observed.admin.replication)),
        Operation::GrantIam { .. } | Operation::RevokeIam { granted_by: None, .. } => {
            one(as_owner(SUPERUSER_OF_RDS, observed.admin.iam.unwrap_or(Reach::None)))
        }
        Operation::GrantDefaults { owners: Owners::Named(owner), schema, .. }
        | Operation::RevokeDefaults { owner, schema, .. } => {
            let found = observed.schemas.get(schema.as_str()).and_then(|found| found.owners.get(owner.as_str()));
            one(found.and_then(|found| as_owner(owner.as_str(), found.reach)))
        }
        Operation::TakeBack { holding, database, .. } => {
            let held = observed
                .clearings
                .iter()
                .filter(|clearing| database.as_ref().is_none_or(|database| *database == clearing.database));
            let held = held.flat_map(|clearing| &clearing.held).find(|held| held.holding == *holding);
            let acting = held.map_or_else(|| vec![None], |held| held.acting.clone());
            acting.into_iter().map(|as_owner| Turn { operation: operation.clone(), as_owner }).collect()
        }
        _ => one(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{facts, identifier, observing, role};
    use super::super::observed::Closer;
    use super::super::statement::display;
    use super::*;
    use crate::catalogue::schema_privilege::{Owner, Schema};

    fn owner(owns_tables: bool, granted: bool, reach: Reach) -> Owner {
        Owner { owns_tables, covered: granted, granted, reach }
    }

    fn observed(owners: &[(&str, Owner)]) -> Observed {
        let owners = owners.iter().map(|(name, owner)| ((*name).to_owned(), owner.clone())).collect();
        let schema = Schema { exists: true, owners, ..Schema::default() };
        Observed { schemas: [("s".to_owned(), schema)].into(), ..observing(facts(), Some(role())) }
    }

    fn defaults(owners: Owners) -> Operation {
        Operation::GrantDefaults { owners, schema: identifier("s"), role: identifier("u") }
    }

    #[test]
    fn an_owner_who_can_only_be_acted_for_by_set_role_is_acted_for_so() {
        let observed = observed(&[("own", owner(true, false, Reach::SetRole))]);
        let [turn] = &turns(&defaults(Owners::Named(identifier("own"))), &observed)[..] else {
            panic!("one statement is expected")
        };
        assert_eq!(turn.as_owner, Some(identifier("own")));
    }

    #[test]
    fn a_closed_schema_is_granted_table_by_table_with_the_rights_of_each_owner() {
        let ungranted = |name: &str, owner: &str, reach| OwnedTable {
            table: name.parse().unwrap(),
            owner: owner.to_owned(),
            reach,
            readable: false,
        };
        let tables = vec![
            ungranted("s.a", "mine", Reach::Inherited),
            ungranted("s.b", "own", Reach::SetRole),
            ungranted("t.c", "own", Reach::SetRole),
        ];
        let whole = Operation::GrantSelectOnAll { schema: identifier("s"), role: identifier("u") };
        let mut found = observed(&[]);
        found.closer = Closer { ungranted: tables, closed: ["s".to_owned()].into(), ..Closer::default() };
        let closed = turns(&whole, &found);
        let shown: Vec<_> = closed.iter().map(|turn| (display(&turn.operation), turn.as_owner.clone())).collect();
        assert_eq!(
            shown,
            [
                ("GRANT SELECT ON TABLE \"s\".\"a\" TO \"u\"".to_owned(), None),
                ("GRANT SELECT ON TABLE \"s\".\"b\" TO \"u\"".to_owned(), Some(identifier("own"))),
            ]
        );
        found.closer.closed.clear();
        assert_eq!(turns(&whole, &found).len(), 1);
    }
}
