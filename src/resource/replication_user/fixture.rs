//! Roles as the unit tests of this resource see them.

use super::observed::{Closer, Observed};
use crate::catalogue::admin::{Admin, Database};
use crate::catalogue::iam::IamMembership;
use crate::catalogue::role::Role;
use crate::catalogue::validity::{Expiry, ValidUntil};
use crate::postgres::{Facts, Flavour, Identifier, ServerVersion};

pub(super) fn identifier(name: &str) -> Identifier {
    Identifier::new(name).unwrap()
}

pub(super) fn facts() -> Facts {
    let admin = || "admin".to_owned();
    Facts { version: ServerVersion::from_number(150_004), flavour: Flavour::Rds, current_user: admin(), session_user: admin() }
}

/// The role `u`, which lacks nothing.
pub(super) fn role() -> Role {
    Role {
        oid: 7,
        name: "u".to_owned(),
        login: true,
        replication: true,
        connection_limit: -1,
        connect: true,
        connect_granted: true,
        bypasses: false,
        since: None,
        valid_until: Some(ValidUntil::Infinity),
        expiry: Expiry::Far,
        iam: IamMembership::default(),
    }
}

/// A look that saw no more than this.
pub(super) fn observing(facts: Facts, role: Option<Role>) -> Observed {
    let (schemas, tables) = Default::default();
    let (database, admin) = (Database { owner: "dba".to_owned(), ..Database::default() }, Admin::default());
    let closer = Closer::default();
    Observed { facts, site: None, role, database, admin, schemas, tables, holds: None, closer, clearings: Vec::new() }
}
