//! What a resource of the same run will have set when another is applied: a publication is not refused for a table that gets its replica
//! identity first. Only diagnostics depend on it. Pure.

use crate::postgres::{Identifier, Server};
use crate::printable::printable_line;
use crate::provider::Context;

/// Remembers that a plan of this run gives the table, `schema.table`, a replica identity.
pub(crate) fn set_identity(context: &Context, server: &Server, database: &Identifier, table: &str) {
    context.plan_ahead(key(server, database, table));
}

/// Whether an earlier plan of this run does so.
pub(crate) fn sets_identity(context: &Context, server: &Server, database: &Identifier, table: &str) -> bool {
    context.is_planned_ahead(&key(server, database, table))
}

/// Names are compared as they are shown.
fn key(server: &Server, database: &Identifier, table: &str) -> String {
    format!("replica identity of {} in {database} on {}", printable_line(table), server.settings().address())
}
