//! A replication stream as the new user: what ClickPipes will do.

use std::time::Duration;

use acceptance_tests::simulator::ClusterHandle;
use anyhow::{Context as _, Result};
use pgwire_replication::{ReplicationClient, ReplicationConfig, ReplicationEvent};

use crate::account::{ADMIN, Account, DATABASE, REPLICATION_USER};

const SLOT: &str = "clickpipes_demo";
const PATIENCE: Duration = Duration::from_secs(20);

/// Makes a slot, inserts a row and waits for it on the stream, then drops the slot.
pub(crate) async fn receive_a_row(cluster: &ClusterHandle, account: &Account) -> Result<()> {
    let password = &account.replication_password;
    let user = cluster.connect(REPLICATION_USER, password, DATABASE).await?;
    let created = user.execute("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", &[&SLOT]).await;
    created.context("making a replication slot as the replication user")?;
    println!("{REPLICATION_USER} made the slot {SLOT} and opens a replication connection");
    let config = ReplicationConfig::new(&cluster.host, REPLICATION_USER, password, DATABASE, SLOT, "clickpipes");
    let mut stream =
        ReplicationClient::connect(config.with_port(cluster.port)).await.context("opening a replication connection")?;

    let insert = "INSERT INTO shop.orders VALUES (4711, 1, 'a row for ClickPipes')";
    cluster.admin(DATABASE).await?.batch_execute(insert).await.context("inserting a row")?;
    println!("{ADMIN}: {insert}");
    let row = tokio::time::timeout(PATIENCE, next_insert(&mut stream)).await.context("the row did not arrive in time")??;
    println!("received: {}", row.join(" | "));
    drop(stream);
    drop_slot(&user).await
}

async fn next_insert(stream: &mut ReplicationClient) -> Result<Vec<String>> {
    loop {
        let event = stream.recv().await.context("reading the replication stream")?.context("the replication stream ended")?;
        if let ReplicationEvent::XLogData { data, .. } = event
            && let Some(row) = inserted(&data)
        {
            return Ok(row);
        }
    }
}

/// The values of an Insert message of pgoutput: `I`, relation id, `N`, the number of columns, then each as `t`, length, text.
fn inserted(message: &[u8]) -> Option<Vec<String>> {
    let (&kind, rest) = message.split_first()?;
    let (_relation, rest) = rest.split_at_checked(4)?;
    let (&new, rest) = rest.split_first()?;
    if (kind, new) != (b'I', b'N') {
        return None;
    }
    let (columns, mut rest) = rest.split_at_checked(2)?;
    let mut values = Vec::new();
    for _ in 0..u16::from_be_bytes(columns.try_into().ok()?) {
        let (&format, after) = rest.split_first()?;
        if format != b't' {
            values.push("null".to_owned());
            rest = after;
            continue;
        }
        let (length, after) = after.split_at_checked(4)?;
        let (text, after) = after.split_at_checked(u32::from_be_bytes(length.try_into().ok()?).try_into().ok()?)?;
        values.push(String::from_utf8_lossy(text).into_owned());
        rest = after;
    }
    Some(values)
}

/// The server lets go of the slot a moment after its connection ended.
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

#[cfg(test)]
mod tests {
    use super::inserted;

    #[test]
    fn reads_the_values_of_an_insert() {
        let message = b"I\0\0\x40\x01N\0\x02t\0\0\0\x011n";
        assert_eq!(inserted(message), Some(vec!["1".to_owned(), "null".to_owned()]));
        assert_eq!(inserted(b"C"), None);
        assert_eq!(inserted(b"I\0\0\0\x01N\0\x01t\0\0\0\x09x"), None);
    }
}
