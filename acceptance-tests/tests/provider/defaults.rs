//! Defaults of a database, a role, or a role in a database that would make transactions wait or refuse to write.

use acceptance_tests::rig::CLUSTER;
use acceptance_tests::simulator::ClusterSpec;
use anyhow::{Result, ensure};
use tokio_postgres::Client;

use super::{live, rig};

const DEFAULTS: [(&str, &str); 3] = [
    ("default_transaction_isolation", "serializable"),
    ("default_transaction_deferrable", "on"),
    ("default_transaction_read_only", "on"),
];
/// A session that waits for a snapshot.
const WAITS: &str = "SELECT count(*)::text FROM pg_stat_activity WHERE wait_event = 'SafeSnapshot'";

async fn waiting_sessions(superuser: &Client) -> Result<String> {
    Ok(superuser.query_one(WAITS, &[]).await?.get(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_of_transactions_neither_hold_up_nor_prevent_anything() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let superuser = rig.cluster.superuser("postgres").await?;
    // The rig's own questions do not wait.
    superuser.batch_execute("ALTER ROLE rdsadmin SET default_transaction_deferrable = off").await?;
    for of in ["DATABASE app", "ROLE clusteradmin", "ROLE clusteradmin IN DATABASE app"] {
        for (name, value) in DEFAULTS {
            superuser.batch_execute(&format!("ALTER {of} SET {name} = '{value}'")).await?;
        }
        let writer = rig.cluster.superuser("app").await?;
        writer
            .batch_execute(
                "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE; SELECT count(*) FROM orders; INSERT INTO orders VALUES (1)",
            )
            .await?;
        // Whoever has these defaults waits for the writer.
        let waiting = rig.cluster.admin("app").await?;
        let query = tokio::spawn(async move { waiting.batch_execute("SELECT count(*) FROM orders").await });
        while waiting_sessions(&superuser).await? != "1" {
            ensure!(!query.is_finished(), "a session with these defaults ({of}) does not wait");
            tokio::task::yield_now().await;
        }
        live(&rig).await?;
        ensure!(waiting_sessions(&superuser).await? == "1", "the writer is gone");
        writer.batch_execute("ROLLBACK").await?;
        query.await??;
        for (name, _) in DEFAULTS {
            superuser.batch_execute(&format!("ALTER {of} RESET {name}")).await?;
        }
    }
    Ok(())
}
