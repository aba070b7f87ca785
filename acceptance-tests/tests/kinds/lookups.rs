//! `clickpipes_tables` and `clickpipes_replication_slots`: what they find is what the server does.

use acceptance_tests::rig::Rig;
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};

const TABLES: &str = r#"
data "clickpipes_tables" "t" {
  database = "app"
}

output "t" {
  value = data.clickpipes_tables.t
}
"#;

/// One of each kind. Those that can be published have `yes` in their name, those that are published with another one `part`.
const SHOP: &str = r#"
CREATE TABLE yes_key (b int, a int, PRIMARY KEY (b, a));
CREATE TABLE yes_full (id int); ALTER TABLE yes_full REPLICA IDENTITY FULL;
CREATE TABLE yes_index (id int NOT NULL UNIQUE); ALTER TABLE yes_index REPLICA IDENTITY USING INDEX yes_index_id_key;
CREATE TABLE no_key (id int NOT NULL UNIQUE);
CREATE TABLE no_nothing (id int PRIMARY KEY); ALTER TABLE no_nothing REPLICA IDENTITY NOTHING;
CREATE TABLE no_dropped_index (id int NOT NULL UNIQUE); ALTER TABLE no_dropped_index REPLICA IDENTITY USING INDEX no_dropped_index_id_key;
ALTER TABLE no_dropped_index DROP CONSTRAINT no_dropped_index_id_key;
CREATE TABLE no_deferred (id int PRIMARY KEY DEFERRABLE);
CREATE TABLE "no.dot" (id int PRIMARY KEY);
CREATE UNLOGGED TABLE no_unlogged (id int PRIMARY KEY);
CREATE VIEW no_view AS SELECT 1 AS one;
CREATE MATERIALIZED VIEW no_view_made AS SELECT 1 AS one;
CREATE TABLE yes_parts (day int PRIMARY KEY) PARTITION BY LIST (day);
CREATE TABLE part_1 PARTITION OF yes_parts FOR VALUES IN (1);
CREATE TABLE part_2 PARTITION OF yes_parts FOR VALUES IN (2) PARTITION BY LIST (day);
CREATE TABLE part_2_1 PARTITION OF part_2 FOR VALUES IN (2);
CREATE TABLE no_parts (day int) PARTITION BY LIST (day);
CREATE SCHEMA elsewhere;
CREATE TABLE elsewhere.part_of_no PARTITION OF no_parts FOR VALUES IN (1);
CREATE TABLE "Yes ""ü" (id int PRIMARY KEY);
"#;

async fn output(rig: &Rig, name: &str) -> Result<Json> {
    rig.tf.apply().await?;
    let all: Json = serde_json::from_str(&rig.tf.run(["output", "-json"]).await?.succeeded()?.stdout)?;
    Ok(all[name]["value"].clone())
}

/// Each publishable table is published in turn and an UPDATE and a DELETE of it pass; each other one is refused by the server, or
/// its UPDATE is.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_publishable_if_the_application_can_still_write() -> Result<()> {
    let rig = Rig::start_logical().await?;
    rig.sql(SHOP).await?;
    let superuser = rig.cluster.superuser("app").await?;
    superuser
        .batch_execute("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE no_foreign (id int) SERVER s")
        .await?;
    rig.main(TABLES)?;
    let found = output(&rig, "t").await?;
    let tables = found["tables"].as_array().context("no tables")?;
    ensure!(tables.len() == 19, "{} tables: {tables:#?}", tables.len());
    let mut mapped = Vec::new();
    for table in tables {
        let (schema, name) = (table["schema"].as_str().unwrap_or_default(), table["name"].as_str().unwrap_or_default());
        let expected = name.to_lowercase().starts_with("yes");
        ensure!(table["publishable"] == expected && table["reason"].is_null() == expected, "{table:#}");
        ensure!(table["partition_root"].is_null() != name.starts_with("part"), "{table:#}");
        if expected {
            mapped
                .push(json!({ "source_schema_name": schema, "source_table": name, "target_table": format!("{schema}_{name}") }));
        }
        // The dot is no matter for the server, and a partition is published with its root.
        if name.contains('.') || name.starts_with("part") {
            continue;
        }
        let quoted = format!("\"{schema}\".\"{}\"", name.replace('"', "\"\""));
        superuser.batch_execute("DROP PUBLICATION IF EXISTS p").await?;
        let column = table["primary_key"][0].as_str().unwrap_or(if name.ends_with("parts") { "day" } else { "id" });
        let write = async {
            superuser
                .batch_execute(&format!("CREATE PUBLICATION p FOR TABLE ONLY {quoted} WITH (publish_via_partition_root = true)"))
                .await?;
            superuser.batch_execute(&format!("UPDATE {quoted} SET {column} = {column}; DELETE FROM {quoted}")).await
        };
        ensure!(write.await.is_ok() == expected, "{table:#}");
    }
    assert_eq!(found["table_mappings"], Json::Array(mapped));
    let of = |name: &str| tables.iter().find(|table| table["name"] == name).unwrap_or(&Json::Null);
    assert_eq!(of("yes_key")["primary_key"], json!(["b", "a"]));
    assert_eq!((&of("yes_index")["replica_identity"], &of("no_view")["replica_identity"]), (&json!("index"), &Json::Null));
    assert_eq!(of("part_2_1")["partition_root"], "public.yes_parts");
    ensure!(
        of("no_parts")["reason"].as_str().is_some_and(|reason| reason.contains("elsewhere.part_of_no")),
        "{:#}",
        of("no_parts")
    );
    let kinds = ["no_unlogged", "no_view", "no_view_made", "no_foreign", "yes_parts", "part_2", "no_key"]
        .map(|name| of(name)["kind"].clone());
    let expected = ["unlogged_table", "view", "materialized_view", "foreign_table", "partitioned_table", "partition", "table"];
    assert_eq!(kinds, expected.map(Json::from));

    // Two that would go to the same table.
    rig.sql("CREATE SCHEMA a_b CREATE TABLE c (id int PRIMARY KEY); CREATE SCHEMA a CREATE TABLE b_c (id int PRIMARY KEY)")
        .await?;
    let warning = rig.tf.warning("Table mappings of database \"app\" are not unique").await?;
    ensure!(warning.contains("a.b_c and a_b.c"), "{warning}");
    assert_eq!(output(&rig, "t").await?["table_mappings"], Json::Null);
    Ok(())
}

/// An open transaction that has locked a table holds nothing up, and ten thousand tables are one statement.
#[tokio::test(flavor = "multi_thread")]
async fn very_many_tables_are_one_statement_that_waits_for_no_lock() -> Result<()> {
    let rig = Rig::start().await?;
    rig.sql("DO $$ BEGIN FOR i IN 1..2000 LOOP EXECUTE format('CREATE TABLE many_%s (id int PRIMARY KEY)', i); END LOOP; END $$")
        .await?;
    let holder = rig.admin().await?;
    holder.batch_execute("BEGIN; LOCK TABLE many_1 IN ACCESS EXCLUSIVE MODE").await?;
    rig.main(&TABLES.replace("database = \"app\"", "database = \"app\"\n  schemas  = [\"public\"]"))?;
    let before = rig.cluster.statements()?.len();
    rig.tf.plan().await?;
    let statements = &rig.cluster.statements()?[before..];
    let asked = statements.iter().filter(|statement| statement.text.contains("pg_partition_root")).count();
    assert_eq!(asked, 1);
    holder.batch_execute("ROLLBACK").await?;
    assert_eq!(output(&rig, "t").await?["tables"].as_array().map(Vec::len), Some(2000));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_are_listed_with_what_they_retain() -> Result<()> {
    let rig = Rig::start_logical().await?;
    rig.sql("CREATE TABLE orders (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE orders").await?;
    let stream = rig.stream("peerflow_slot_orders", "p").await?;
    rig.sql("SELECT pg_create_logical_replication_slot('idle', 'pgoutput')").await?;
    let superuser = rig.cluster.superuser("postgres").await?;
    superuser
        .batch_execute(
            "SELECT pg_create_logical_replication_slot('of_another_database', 'pgoutput'); SELECT pg_create_physical_replication_slot('standby')",
        )
        .await?;
    rig.sql("INSERT INTO orders SELECT generate_series(1, 1000)").await?;
    rig.main(
        "data \"clickpipes_replication_slots\" \"all\" {}\ndata \"clickpipes_replication_slots\" \"app\" {\n  database = \"app\"\n}\n\
         output \"all\" {\n  value = data.clickpipes_replication_slots.all.slots\n}\noutput \"app\" {\n  value = \
         data.clickpipes_replication_slots.app.slots[*].name\n}\n",
    )?;
    let slots = output(&rig, "all").await?;
    let names: Vec<&str> = slots.as_array().into_iter().flatten().filter_map(|slot| slot["name"].as_str()).collect();
    assert_eq!(names, ["idle", "of_another_database", "peerflow_slot_orders", "standby"]);
    assert_eq!(output(&rig, "app").await?, json!(["idle", "peerflow_slot_orders"]));
    let facts =
        |slot: usize| ["database", "plugin", "active", "wal_status", "invalidation_reason"].map(|fact| slots[slot][fact].clone());
    assert_eq!(facts(0), [json!("app"), json!("pgoutput"), json!(false), json!("reserved"), Json::Null]);
    assert_eq!(facts(1)[..2], [json!("postgres"), json!("pgoutput")]);
    assert_eq!(facts(2)[1..3], [json!("pgoutput"), json!(true)]);
    assert_eq!(facts(3), [Json::Null, Json::Null, json!(false), Json::Null, Json::Null]);
    // The insert of a thousand rows came after it.
    ensure!(slots[0]["lag_bytes"].as_i64().is_some_and(|bytes| bytes > 50_000) && slots[3]["lag_bytes"].is_null(), "{slots:#}");
    drop(stream);
    Ok(())
}

/// What the resource says of a cluster it manages, the data source says of it too.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_has_the_attributes_of_its_source() -> Result<()> {
    let rig = Rig::start().await?;
    let source = |reboot: &str| {
        format!(
            "resource \"clickpipes_aurora_source\" \"s\" {{\n  cluster_identifier = \"orders\"\n  reboot = \"{reboot}\"\n}}\n\
             data \"clickpipes_aurora_cluster\" \"c\" {{\n  cluster_identifier = clickpipes_aurora_source.s.id\n  \
             depends_on = [clickpipes_aurora_source.s]\n}}\noutput \"both\" {{\n  \
             value = {{ source = clickpipes_aurora_source.s, cluster = data.clickpipes_aurora_cluster.c }}\n}}\n"
        )
    };
    for (reboot, ready) in [("never", false), ("all", true)] {
        rig.main(&source(reboot))?;
        let both = output(&rig, "both").await?;
        let (source, cluster) = (&both["source"], &both["cluster"]);
        assert_eq!((&cluster["ready"], &cluster["reboot_required"]), (&json!(ready), &json!(!ready)), "{cluster:#}");
        for (name, value) in cluster.as_object().context("no cluster")? {
            let is_shared = !matches!(name.as_str(), "iam_authentication" | "parameters");
            ensure!(!is_shared || source[name] == *value, "{name}: {} and {value}", source[name]);
        }
        assert_eq!(cluster["parameters"], json!({ "rds.logical_replication": "1", "wal_sender_timeout": "0" }));
    }
    Ok(())
}
