//! A replication stream as the new user: what ClickPipes will do.

use std::time::Duration;

use acceptance_tests::simulator::ClusterHandle;
use acceptance_tests::stream::{ReplicationStream, Source};
use anyhow::{Context as _, Result};

use crate::account::{ADMIN, Account, DATABASE, REPLICATION_USER};

const SLOT: &str = "clickpipes_demo";
const PATIENCE: Duration = Duration::from_secs(20);

/// Creates a slot, inserts a row and waits for it on the stream, then drops the slot.
pub(crate) async fn receive_a_row(cluster: &ClusterHandle, account: &Account) -> Result<()> {
    let password = &account.replication_password;
    let user = cluster.connect(REPLICATION_USER, password, DATABASE).await?;
    let created = user.execute("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", &[&SLOT]).await;
    created.context("making a replication slot as the replication user")?;
    println!("{REPLICATION_USER} made the slot {SLOT} and opens a replication connection");
    let source = Source {
        host: &cluster.host,
        port: cluster.port,
        user: REPLICATION_USER,
        password,
        database: DATABASE,
        slot: SLOT,
        publication: "clickpipes",
    };
    let mut stream = ReplicationStream::open(source).await.context("opening a replication connection")?;

    let insert = "INSERT INTO shop.orders VALUES (4711, 1, 'a row for ClickPipes')";
    cluster.admin(DATABASE).await?.batch_execute(insert).await.context("inserting a row")?;
    println!("{ADMIN}: {insert}");
    let row = stream.next_insert().await.context("reading the replication stream")?;
    let values: Vec<&str> = row.iter().map(|value| value.as_deref().unwrap_or("null")).collect();
    println!("received: {}", values.join(" | "));
    drop(stream);
    drop_slot(&user).await
}

/// The server releases the slot a moment after its connection has ended.
async fn drop_slot(user: &tokio_postgres::Client) -> Result<()> {
    let released = async {
        loop {
            let slot = user.query_one("SELECT active FROM pg_replication_slots WHERE slot_name = $1", &[&SLOT]).await?;
            if !slot.get::<_, bool>(0) {
                return user.execute("SELECT pg_drop_replication_slot($1)", &[&SLOT]).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, released).await.context("the slot stays in use")?.context("dropping the slot")?;
    println!("{REPLICATION_USER} dropped the slot");
    Ok(())
}
