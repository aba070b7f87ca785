//! Configurations and questions that the tests share.

use acceptance_tests::rig::{DATABASE, Rig};
use anyhow::Result;

pub const R: &str = "clickpipes_replica_identity.r";

/// The resource `r` of a table.
pub fn identity(table: &str, arguments: &str) -> String {
    format!(
        "resource \"clickpipes_replica_identity\" \"r\" {{\n  database = \"{DATABASE}\"\n  table = \"{table}\"\n{arguments}\n}}\n"
    )
}

/// What the catalogue says of a table in the schema `public`: the letter, and the index.
pub async fn replica_identity(rig: &Rig, table: &str) -> Result<String> {
    rig.ask(&format!(
        "SELECT c.relreplident::text || coalesce(' ' || (SELECT i.indexrelid::regclass::text FROM pg_index i WHERE i.indrelid = c.oid AND \
         i.indisreplident), '') FROM pg_class c WHERE c.relname = '{table}' AND c.relnamespace = 'public'::regnamespace"
    ))
    .await
}

/// The message of a refused plan, on one line.
pub async fn refusal(rig: &Rig) -> Result<String> {
    Ok(flat(&rig.tf.run(["plan", "-no-color", "-input=false"]).await?.failed()?.message()))
}

/// The message on one line, without the frame that terraform draws.
pub fn flat(message: &str) -> String {
    message.replace(['│', '╷', '╵'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}
