//! A table, as the unit tests of this resource see it.

use super::desired::Desired;
use super::observed::{Found, Met, Observed};
use crate::catalogue::reach::Reach;
use crate::catalogue::relation::{Kind, Persistence};
use crate::catalogue::table_identity::{Generated, Index, ReplicaIdentity, Table};
use crate::postgres::{Identifier, ServerVersion};

pub(super) fn name(text: &str) -> Identifier {
    Identifier::new(text).unwrap()
}

/// A unique index of one column, which is NOT NULL.
pub(super) fn index(text: &str, column: &str) -> Index {
    Index {
        name: name(text),
        primary: false,
        chosen: false,
        unique: true,
        immediate: true,
        valid: true,
        partial: false,
        expressions: false,
        columns: vec![column.to_owned()],
        nullable: Vec::new(),
    }
}

/// `s.t` with a primary key on `id`, a unique index `by_code` on `code`, and the default identity.
pub(super) fn table() -> Table {
    Table {
        oid: 16_500,
        kind: Kind::Table,
        persistence: Persistence::Permanent,
        identity: ReplicaIdentity::Default,
        indexes: vec![Index { primary: true, ..index("t_pkey", "id") }, index("by_code", "code")],
        owner: "app".to_owned(),
        admin: "clusteradmin".to_owned(),
        reach: Reach::Inherited,
        is_schema_closed: false,
        bytes: 81_920,
        updated: 7,
        deleted: 3,
        partitions: 0,
        generated: Generated::default(),
    }
}

pub(super) fn met(table: Table) -> Met {
    Met { version: ServerVersion::from_number(150_004), table: Some(table), publishers: Vec::new() }
}

pub(super) fn observed(met: Met) -> Observed {
    let table = met.table.as_ref().filter(|table| table.has_identity());
    let table = table.map(|table| Found { oid: table.oid, name: "s.t".to_owned(), identity: table.identity.clone() });
    Observed { table, met: Some(met), ..Observed::default() }
}

pub(super) fn wanted(identity: ReplicaIdentity) -> Desired {
    Desired { database: name("app"), cluster: None, table: "s.t".parse().unwrap(), identity }
}
