//! Operations as SQL text: the one place where statements of this resource are written. Pure.

use std::fmt;

use super::observed::Observed;
use super::operation::Operation;
use crate::catalogue::reach::Reach;
use crate::catalogue::table_identity::ReplicaIdentity;
use crate::postgres::{Identifier, Statement};

impl Operation {
    fn statement(&self) -> Statement {
        let Self::Set { table, to, .. } = self;
        let identity = match to {
            ReplicaIdentity::Default => "DEFAULT".to_owned(),
            ReplicaIdentity::Full => "FULL".to_owned(),
            ReplicaIdentity::Index(Some(index)) => format!("USING INDEX {index}"),
            // An index that is gone identifies nothing, and is never set.
            ReplicaIdentity::Nothing | ReplicaIdentity::Index(None) => "NOTHING".to_owned(),
        };
        Statement::new(format!("ALTER TABLE {table} REPLICA IDENTITY {identity}"))
    }

    /// The statements that do it, as the table's owner if the provider's role does not inherit that role's privileges.
    pub(super) fn statements(&self, now: &Observed) -> Vec<Statement> {
        let table = now.met.as_ref().and_then(|met| met.table.as_ref());
        let owner = table.filter(|table| table.reach == Reach::SetRole).and_then(|table| Identifier::new(&table.owner).ok());
        match owner {
            Some(owner) => self.statement().acting_as(&owner),
            None => vec![self.statement()],
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statement().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{met, name, observed, table};
    use super::*;
    use crate::catalogue::table_identity::Table;

    fn set(to: ReplicaIdentity) -> Operation {
        Operation::Set { table: "a \"b\".c".parse().unwrap(), to, from: None }
    }

    #[test]
    fn each_identity_has_its_clause() {
        for (identity, clause) in [
            (ReplicaIdentity::Default, "DEFAULT"),
            (ReplicaIdentity::Full, "FULL"),
            (ReplicaIdentity::Nothing, "NOTHING"),
            (ReplicaIdentity::Index(Some(name("i.\"x"))), "USING INDEX \"i.\"\"x\""),
        ] {
            let expected = format!("ALTER TABLE \"a \"\"b\"\"\".\"c\" REPLICA IDENTITY {clause}");
            assert_eq!(set(identity).to_string(), expected);
        }
    }

    #[test]
    fn an_owner_who_can_only_be_acted_for_by_set_role_is_acted_for_so() {
        let of = |reach| {
            let now = observed(met(Table { reach, owner: "own er".to_owned(), ..table() }));
            let statements = set(ReplicaIdentity::Full).statements(&now);
            statements.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(of(Reach::Inherited).len(), 1);
        assert_eq!(of(Reach::SetRole)[0], "SET LOCAL ROLE \"own er\"");
        assert_eq!(of(Reach::SetRole)[2], "SET LOCAL ROLE NONE");
    }
}
