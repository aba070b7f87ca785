//! Publications as the unit tests of this resource see them.

use std::collections::BTreeSet;

use super::desired::{Desired, Publish, Scope};
use super::observed::{Current, Found, Observed};
use super::restriction::{Restricted, Restrictions};
use crate::postgres::{Identifier, ServerVersion};

pub(super) fn name(text: &str) -> Identifier {
    Identifier::new(text).unwrap()
}

pub(super) fn listed(tables: &[&str]) -> Scope {
    Scope::Listed { tables: tables.iter().map(|table| table.parse().unwrap()).collect(), schemas: BTreeSet::new() }
}

/// The publication `p` of these tables.
pub(super) fn current(tables: &[&str]) -> Current {
    let restricted = Restricted::default();
    let (scope, publish) = (listed(tables), Publish::ALL);
    Current { name: name("p"), owner: None, scope, restricted, publish, via_root: Some(true), generated: None }
}

pub(super) fn version() -> ServerVersion {
    ServerVersion::from_number(150_004)
}

pub(super) fn observed(current: Current) -> Observed {
    let (without_identity, left_out) = Default::default();
    let publication = Some(Found { oid: 16400, current, since: None, without_identity, left_out });
    Observed { version: Some(version()), publication, ..Observed::default() }
}

pub(super) fn wanted(publication: &str, scope: Scope) -> Desired {
    Desired {
        name: name(publication),
        database: name("app"),
        cluster: None,
        scope,
        restrictions: Restrictions::new(),
        publish: None,
        via_root: None,
        generated: None,
        owner: None,
        written: Vec::new(),
        allow_tables_without_replica_identity: false,
        allow_scope_replacement: false,
        force_destroy: false,
    }
}
