//! Publications of the table: none may come to stop the application's writes.

use acceptance_tests::postgres_server::is_available;
use acceptance_tests::rig::{CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::ClusterSpec;
use anyhow::{Result, ensure};
use serde_json::json;

use crate::rig::{R, flat, identity, refusal, replica_identity};

/// What publishes a table, with the version that knows it. The table has the columns `id` (its key), `code` (a unique index) and `note`.
const SHAPES: [(&str, u32, &str); 10] = [
    ("whole", 12, "FOR TABLE {t}"),
    ("inserts", 12, "FOR TABLE {t} WITH (publish = 'insert, truncate')"),
    ("deletes", 12, "FOR TABLE {t} WITH (publish = 'delete')"),
    ("by_id", 15, "FOR TABLE {t} WHERE (id > 0 AND id < 1000)"),
    ("by_code", 15, "FOR TABLE {t} WHERE (code <> 7)"),
    ("only_id", 15, "FOR TABLE {t} (id)"),
    ("both", 15, "FOR TABLE {t} (id, code) WHERE (id > 0)"),
    ("schema", 15, "FOR TABLES IN SCHEMA {s}"),
    ("root", 13, "FOR TABLE {t}_root WITH (publish_via_partition_root = true)"),
    ("root_by_code", 15, "FOR TABLE {t}_root WHERE (code <> 7) WITH (publish_via_partition_root = true)"),
];
/// Replica identities, as the resource and as PostgreSQL writes them.
const IDENTITIES: [(&str, &str, &str); 4] = [
    ("default", "identity = \"default\"", "DEFAULT"),
    ("full", "identity = \"full\"", "FULL"),
    ("nothing", "identity = \"nothing\"", "NOTHING"),
    ("index", "identity = \"index\"\n  index = \"{t}_code\"", "USING INDEX {t}_code"),
];

/// One plan asks for every replica identity beside every shape of a publication. The server is asked the same with an UPDATE and a DELETE.
#[tokio::test(flavor = "multi_thread")]
async fn exactly_what_makes_the_server_refuse_writes_is_refused_at_plan() -> Result<()> {
    for version in ["12.22", "15.10", "18.1"] {
        let major: u32 = version.split('.').next().unwrap_or_default().parse()?;
        if is_available(major).await? {
            agrees(version, major).await?;
        }
    }
    Ok(())
}

async fn agrees(version: &str, major: u32) -> Result<()> {
    let rig = Rig::start_with(ClusterSpec::new(CLUSTER).engine_version(version)).await?;
    let superuser = rig.cluster.superuser(DATABASE).await?;
    let mut configuration = String::new();
    let mut cases = Vec::new();
    for (shape, _, publication) in SHAPES.iter().filter(|(_, since, _)| *since <= major) {
        for (word, arguments, clause) in IDENTITIES {
            let table = format!("{shape}_{word}");
            let columns = "id int NOT NULL, note text, code int NOT NULL";
            superuser.batch_execute(&format!("CREATE SCHEMA {table}; SET search_path = {table}")).await?;
            if shape.starts_with("root") {
                // The columns of a partition may have other numbers.
                superuser
                    .batch_execute(&format!(
                        "CREATE TABLE {table}_root ({columns}) PARTITION BY LIST (note); \
                         CREATE TABLE {table} (gone int, code int NOT NULL, note text, id int NOT NULL); ALTER TABLE {table} DROP gone; \
                         ALTER TABLE {table}_root ATTACH PARTITION {table} FOR VALUES IN ('a')"
                    ))
                    .await?;
            } else {
                superuser.batch_execute(&format!("CREATE TABLE {table} ({columns})")).await?;
            }
            // What is there before stops no writes, where that is possible.
            let start = if *shape == "by_code" || *shape == "root_by_code" { "FULL" } else { "DEFAULT" };
            let start =
                if word == "default" && start == "DEFAULT" && *shape != "only_id" && *shape != "both" { "FULL" } else { start };
            superuser
                .batch_execute(&format!(
                    "ALTER TABLE {table} ADD PRIMARY KEY (id); CREATE UNIQUE INDEX {table}_code ON {table} (code); \
                     ALTER TABLE {table} REPLICA IDENTITY {start}; ALTER TABLE {table} OWNER TO clusteradmin; \
                     GRANT USAGE ON SCHEMA {table} TO clusteradmin; CREATE PUBLICATION {table} {}",
                    publication.replace("{t}", &table).replace("{s}", &table)
                ))
                .await?;
            configuration += &identity(&format!("{table}.{table}"), &format!("  {}", arguments.replace("{t}", &table)))
                .replace("\"r\"", &format!("\"{table}\""));
            let fails = async |clause: &str| -> Result<bool> {
                superuser.batch_execute("BEGIN").await?;
                superuser.batch_execute(&format!("ALTER TABLE {table} REPLICA IDENTITY {clause}; SAVEPOINT s")).await?;
                let update = superuser.batch_execute(&format!("UPDATE {table} SET note = 'a'")).await.is_err();
                superuser.batch_execute("ROLLBACK TO s").await?;
                let delete = superuser.batch_execute(&format!("DELETE FROM {table}")).await.is_err();
                superuser.batch_execute("ROLLBACK").await?;
                Ok(update || delete)
            };
            ensure!(!fails(start).await?, "{table}: writes fail before");
            cases.push((table.clone(), fails(&clause.replace("{t}", &table)).await?));
        }
    }
    rig.main(&configuration)?;
    let message = refusal(&rig).await?;
    ensure!(cases.iter().any(|(_, fails)| *fails) && cases.iter().any(|(_, fails)| !*fails), "{cases:?}");
    for (table, fails) in cases {
        let title = format!("A publication would stop the application's writes: replica identity of \"{table}\".");
        assert_eq!(message.contains(&title), fails, "{version}, {table}: {message}");
    }
    Ok(())
}

/// A publication of all tables, and on PostgreSQL 18 a generated column.
#[tokio::test(flavor = "multi_thread")]
async fn all_tables_and_generated_columns_count_too() -> Result<()> {
    let major = if is_available(18).await? { 18 } else { 15 };
    let rig = Rig::start_with(ClusterSpec::new(CLUSTER).engine_version(&format!("{major}.1"))).await?;
    rig.sql(
        "CREATE TABLE orders (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED);
         CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY LIST (id)",
    )
    .await?;
    rig.cluster.superuser(DATABASE).await?.batch_execute("CREATE PUBLICATION everything FOR ALL TABLES").await?;
    rig.main(&identity("public.orders", "  identity = \"nothing\""))?;
    let message = refusal(&rig).await?;
    ensure!(message.contains("publication \"everything\" publishes them, and nothing would identify a row"), "{message}");
    // Rows are those of partitions, so nothing can fail here.
    rig.main(&identity("public.parts", "  identity = \"nothing\""))?;
    rig.tf.plan().await?;
    rig.main(&identity("public.orders", "  identity = \"full\""))?;
    if major == 18 {
        let message = refusal(&rig).await?;
        ensure!(message.contains("does not publish its generated columns (\"twice\")"), "{message}");
    } else {
        rig.apply_as_reviewed(R).await?;
    }
    Ok(())
}

fn publication(arguments: &str) -> String {
    format!("resource \"clickpipes_publication\" \"p\" {{\n  database = \"{DATABASE}\"\n  name = \"p\"\n{arguments}\n}}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn in_one_apply_the_identity_comes_first_and_goes_last() -> Result<()> {
    let rig = Rig::start_logical().await?;
    rig.sql("CREATE TABLE orders (note text); CREATE TABLE other (note text); INSERT INTO orders VALUES ('a')").await?;
    rig.main(&publication("  tables = [\"public.orders\"]"))?;
    let message = refusal(&rig).await?;
    for part in ["would fail on: public.orders.", "tables = [clickpipes_replica_identity.name.table], or depends_on"] {
        ensure!(message.contains(part), "{part} is missing in {message}");
    }
    // What is not planned to get one is refused as before.
    let full = identity("public.orders", "  identity = \"full\"\n  timeouts = { delete = \"1s\" }");
    rig.main(&format!("{full}{}", publication(&format!("  tables = [{R}.table, \"public.other\"]"))))?;
    let message = refusal(&rig).await?;
    ensure!(message.contains("would fail on: public.other."), "{message}");
    // Nor does one count that identifies nothing.
    rig.main(&format!("{}{}", full.replace("full", "nothing"), publication(&format!("  tables = [{R}.table]"))))?;
    ensure!(refusal(&rig).await?.contains("would fail on: public.orders."));

    rig.main(&format!("{full}{}", publication(&format!("  tables = [{R}.table]"))))?;
    let plan = rig.tf.plan().await?;
    let said = flat(&plan.outcome.message());
    ensure!(said.contains("Warning: Tables get their replica identity in the same run: publication \"p\""), "{said}");
    rig.tf.apply_plan(&plan).await?;
    let ran = rig.changes()?;
    ensure!(ran.len() == 2 && ran[0].starts_with("ALTER TABLE") && ran[1].starts_with("CREATE PUBLICATION"), "{ran:?}");
    rig.tf.assert_empty_plan().await?;
    rig.sql("UPDATE orders SET note = 'b'").await?;

    // A destroy of the identity alone would stop the writes: awaited, then refused.
    let target = format!("-target={R}");
    rig.main(&format!("{full}{}", publication("  tables = [\"public.orders\"]")))?;
    rig.tf.apply().await?;
    let plan = rig.tf.plan_with(&["-destroy", &target]).await?;
    let said = flat(&plan.outcome.message());
    ensure!(
        said.contains("Warning: A publication needs the replica identity") && said.contains("the destroy waits for it"),
        "{said}"
    );
    let file = plan.file.to_string_lossy().into_owned();
    let before = rig.changes()?.len();
    let message = flat(&rig.tf.run(["apply", "-no-color", "-input=false", &file]).await?.failed()?.message());
    ensure!(
        message.contains("Error: A publication needs the replica identity") && message.contains("Nothing was changed"),
        "{message}"
    );
    assert_eq!(rig.changes()?.len(), before);
    rig.main(&format!("{}{}", full.replace("1s", "60s"), publication("  tables = [\"public.orders\"]")))?;
    rig.tf.apply().await?;

    // Both at once, and nothing says that the publication goes first.
    let plan = rig.tf.plan_with(&["-destroy"]).await?;
    assert_eq!(
        plan.change(R)["before"]["on_destroy"]["operations"],
        json!(["ALTER TABLE \"public\".\"orders\" REPLICA IDENTITY DEFAULT"])
    );
    rig.tf.apply_plan(&plan).await?;
    let ran = rig.changes()?;
    ensure!(ran[ran.len() - 2].starts_with("DROP PUBLICATION"), "{ran:?}");
    assert_eq!(replica_identity(&rig, "orders").await?, "d");
    Ok(())
}

/// The other half of a replacement, and an address that was renamed without `moved`.
#[tokio::test(flavor = "multi_thread")]
async fn another_table_and_another_address_lose_nothing() -> Result<()> {
    let rig = Rig::start_logical().await?;
    rig.sql("CREATE TABLE orders (note text); CREATE TABLE other (note text); INSERT INTO orders VALUES ('a')").await?;
    let first = "  identity = \"full\"\n  lifecycle {\n    create_before_destroy = true\n  }";
    let refers = publication(&format!("  tables = [{R}.table]"));
    rig.main(&format!("{}{refers}", identity("public.orders", first)))?;
    rig.tf.apply().await?;
    rig.main(&format!("{}{refers}", identity("public.other", first)))?;
    rig.tf.apply().await?;
    assert_eq!(replica_identity(&rig, "orders").await? + &replica_identity(&rig, "other").await?, "df");
    rig.tf.assert_empty_plan().await?;

    let renamed = identity("public.other", first).replace("\"r\"", "\"renamed\"");
    rig.main(&format!("{renamed}{}", refers.replace(R, "clickpipes_replica_identity.renamed")))?;
    let said = flat(&rig.tf.apply().await?.message());
    ensure!(said.contains("Not destroyed: replica identity of \"public\".\"other\"") && said.contains("`moved` block"), "{said}");
    assert_eq!(replica_identity(&rig, "other").await?, "f");
    rig.sql("UPDATE other SET note = 'b'").await?;
    rig.tf.assert_empty_plan().await
}
