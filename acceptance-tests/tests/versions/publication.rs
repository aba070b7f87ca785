//! A publication from create through changes in place to destroy, with the features and refusals of each version.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cell::{Cell, PUBLICATION};

const MEMBERS: &str = "SELECT string_agg(schemaname || '.' || tablename, ' ') FROM pg_publication_tables";

fn configuration(arguments: &str) -> String {
    format!("resource \"clickpipes_publication\" \"p\" {{\n  database = \"app\"\n  name = \"p\"\n{arguments}\n}}\n")
}

async fn members(cell: &Cell) -> Result<Vec<String>> {
    let mut members: Vec<String> = cell.ask(MEMBERS).await?.split_whitespace().map(str::to_owned).collect();
    members.sort();
    Ok(members)
}

pub async fn life(cell: &mut Cell) -> Result<()> {
    cell.main(&configuration("tables = [\"shop.orders\", \"shop.customers\"]"))?;
    let (_, created) = cell.apply_as_reviewed(PUBLICATION).await?;
    assert_eq!(members(cell).await?, ["shop.customers", "shop.orders"]);
    let via_root = if cell.since(13) { json!(true) } else { Value::Null };
    assert_eq!(created["publish_via_partition_root"], via_root);
    assert_eq!(created["publish"], json!(["delete", "insert", "truncate", "update"]));

    refusals(cell).await?;

    // In place: tables are added and removed, operations change; partitions are published one by one if there is no other way.
    let arguments = match (cell.since(13), cell.since(15)) {
        (false, _) => "tables = [\"shop.orders\", \"shop.events_1\"]",
        (_, false) => "tables = [\"shop.orders\", \"shop.events\"]\npublish_via_partition_root = false",
        _ => "tables = [\"shop.orders\", \"shop.events\"]\nschemas = [\"billing\"]\npublish_via_partition_root = false",
    };
    cell.main(&configuration(&format!("{arguments}\npublish = [\"insert\", \"update\"]")))?;
    let (_, altered) = cell.apply_as_reviewed(PUBLICATION).await?;
    assert_eq!(altered["oid"], created["oid"], "altered in place");
    let mut expected = vec!["shop.events_1", "shop.orders"];
    if cell.since(15) {
        expected.insert(0, "billing.accounts");
    }
    assert_eq!(members(cell).await?, expected);
    assert!(cell.holds("SELECT pubinsert AND pubupdate AND NOT pubdelete AND NOT pubtruncate FROM pg_publication").await?);

    if cell.since(13) {
        cell.main(&configuration(&format!("{}\npublish = [\"insert\", \"update\"]", arguments.replace("false", "true"))))?;
        let (_, through_root) = cell.apply_as_reviewed(PUBLICATION).await?;
        assert_eq!(through_root["oid"], created["oid"], "altered in place");
        expected.retain(|name| *name != "shop.events_1");
        expected.insert(expected.len() - 1, "shop.events");
        assert_eq!(members(cell).await?, expected);
    }

    // All tables are another kind of scope.
    cell.main(&configuration("all_tables = true\nallow_scope_replacement = true"))?;
    let (_, all) = cell.apply_as_reviewed(PUBLICATION).await?;
    assert_ne!(all["oid"], created["oid"]);
    cell.sql("SET ROLE app_owner; CREATE TABLE shop.later (id int PRIMARY KEY)").await?;
    let root_or_leaf = if cell.since(13) { "shop.events" } else { "shop.events_1" };
    assert_eq!(members(cell).await?, ["billing.accounts", "shop.customers", root_or_leaf, "shop.later", "shop.orders"]);

    let before = cell.changes()?.len();
    cell.tf.destroy().await?;
    assert_eq!(cell.changes()?.split_off(before), ["DROP PUBLICATION \"p\""]);
    assert!(cell.holds("NOT EXISTS (SELECT FROM pg_publication)").await?);
    Ok(())
}

/// The plan refuses what the version lacks, names the version that has it, and changes nothing; it also refuses what would stop
/// writes.
async fn refusals(cell: &Cell) -> Result<()> {
    cell.sql("SET ROLE app_owner; CREATE TABLE shop.keyless (note text)").await?;
    let mut refused = vec![("tables = [\"shop.orders\", \"shop.keyless\"]", "would fail on: shop.keyless.")];
    if !cell.since(13) {
        refused.push(("tables = [\"shop.orders\"]\npublish_via_partition_root = true", "PostgreSQL 13"));
        refused.push(("tables = [\"shop.orders\"]\npublish_via_partition_root = false", "PostgreSQL 13"));
        refused.push(("tables = [\"shop.orders\", \"shop.events\"]", "PostgreSQL 13"));
    }
    if !cell.since(15) {
        refused.push(("tables = [\"shop.orders\"]\nschemas = [\"billing\"]", "PostgreSQL 15"));
    }
    let before = cell.changes()?;
    for (arguments, needed) in refused {
        cell.main(&configuration(arguments))?;
        let message = cell.refusal().await?;
        assert!(message.contains(needed), "{arguments}: {message}");
    }
    assert_eq!(cell.changes()?, before);
    cell.sql("SET ROLE app_owner; DROP TABLE shop.keyless").await
}
