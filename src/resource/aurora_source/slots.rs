//! Whether logical replication may go off: with a logical slot left, Postgres does not start on a `wal_level` below logical.

use super::observe::Observed;
use crate::failure::Failure;
use crate::postgres::Server;
use crate::provider::Context;
use crate::terraform::Diagnostic;

const LOGICAL_SLOTS: &str = "\
SELECT slot_name::text AS slot, active
FROM pg_catalog.pg_replication_slots
WHERE slot_type = 'logical'
ORDER BY slot_name";

/// Refuses while a logical slot exists in the cluster, and while no connection can tell.
pub(super) async fn refuse_logical_slots(context: &Context, observed: &Observed) -> Result<(), Failure> {
    let id = &observed.cluster.identifier;
    let way_out = "Remove the ClickPipe and drop the slots first (SELECT pg_drop_replication_slot(...)), or set `force_destroy` = true \
                   and apply that before.";
    let cannot_tell = |why: String| {
        Failure::from(Diagnostic::error(
            "Cannot tell whether logical replication slots exist",
            format!(
                "This turns logical replication off in cluster {id}. While a logical replication slot exists the database would not start \
                 again, and {why}. {way_out}"
            ),
        ))
    };
    if !context.has_postgres() {
        return Err(cannot_tell("the provider's `postgres` names no server to ask".to_owned()));
    }
    let server = context.postgres().await?;
    if !is_of_cluster(server, observed) {
        let named = server.settings().address();
        return Err(cannot_tell(format!(
            "the server {named} of the provider's `postgres` is not known to be this cluster's writer"
        )));
    }
    let read = server.read(&server.settings().database, context.cancel()).await?;
    let rows = read.query(LOGICAL_SLOTS, &[]).await?;
    let mut slots = Vec::with_capacity(rows.len());
    for row in rows {
        slots.push(format!("{}{}", row.text("slot")?, if row.bool("active")? { " (active)" } else { "" }));
    }
    if slots.is_empty() {
        return Ok(());
    }
    Err(Diagnostic::error(
        "Logical replication slots exist",
        format!(
            "This turns logical replication off in cluster {id}, and with logical replication slots left the database would not start \
             again: {}. {way_out}",
            slots.join(", ")
        ),
    )
    .into())
}

/// Whether the server is the cluster's writer endpoint: dialled directly, or through a tunnel with the endpoint as its TLS name.
fn is_of_cluster(server: &Server, observed: &Observed) -> bool {
    let settings = server.settings();
    let Some(endpoint) = &observed.cluster.endpoint else { return false };
    let tunnelled = settings.host != *endpoint;
    settings.server_name() == endpoint && (tunnelled || Some(settings.port) == observed.cluster.port)
}
