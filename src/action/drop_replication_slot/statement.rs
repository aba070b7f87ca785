//! The SQL text of the action. Pure.

use postgres_protocol::escape::escape_literal;

use crate::postgres::Statement;

/// Drops a slot. The server refuses one that something reads from.
pub(super) fn drop_slot(name: &str) -> Statement {
    Statement::new(format!("SELECT pg_catalog.pg_drop_replication_slot({})", escape_literal(name)))
}
