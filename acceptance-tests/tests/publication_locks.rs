//! A publication beside sessions that lock its tables or the catalogue, and in a database whose defaults make transactions wait.

use acceptance_tests::postgres_server::is_available;
use acceptance_tests::rig::{CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::ClusterSpec;
use anyhow::{Context as _, Result};
use serde_json::json;

const P: &str = "clickpipes_publication.p";
const TABLES: &str = "CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE keyless (note text)";

fn configuration(arguments: &str) -> String {
    format!("resource \"clickpipes_publication\" \"p\" {{\n  database = \"{DATABASE}\"\n{arguments}\n}}\n")
}

/// Also with partitions, and with a table of a published schema.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_does_not_wait_for_a_session_that_has_locked_the_tables() -> Result<()> {
    for version in ["15.10", "17.4"] {
        let major = version.split('.').next().and_then(|major| major.parse().ok()).context("no version")?;
        if !is_available(major).await? {
            continue;
        }
        let rig = Rig::start_with(ClusterSpec::new(CLUSTER).engine_version(version)).await?;
        rig.sql(TABLES).await?;
        rig.sql(
            "CREATE SCHEMA billing; CREATE TABLE billing.t (id int PRIMARY KEY); CREATE TABLE billing.bare (id int);
             CREATE TABLE events (day int) PARTITION BY LIST (day); CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1)",
        )
        .await?;
        let lists = |more: &str| format!("schemas = [\"billing\"]\n tables = [\"public.orders\", \"public.events\"]\n {more}");
        let tolerant = "name = \"p\"\n allow_tables_without_replica_identity = true\n";
        rig.main(&configuration(&format!("{tolerant}{}", lists("publish = [\"insert\", \"update\"]"))))?;
        let created = rig.apply_as_reviewed(P).await?;
        assert_eq!(created["tables_without_replica_identity"], json!(["billing.bare", "public.events_1"]));
        let holder = rig.admin().await?;
        holder
            .batch_execute("BEGIN; LOCK TABLE orders, events, events_1, billing.t, billing.bare IN ACCESS EXCLUSIVE MODE")
            .await?;
        rig.tf.assert_empty_plan().await?;
        rig.main(&configuration(&format!("{tolerant}{}", lists("publish = [\"insert\"]"))))?;
        let plan = rig.tf.plan().await?;
        assert_eq!(plan.operations(P), ["ALTER PUBLICATION \"p\" SET (publish = 'insert')"]);
        let plan = rig.tf.plan_with(&["-destroy"]).await?;
        assert_eq!(plan.actions(P), ["delete"]);
        let queries = rig.cluster.statements()?;
        let opens_tables = |text: &str| text.contains("pg_publication_tables") || text.contains("pg_partition_tree");
        assert!(!queries.iter().any(|query| opens_tables(&query.text)), "a query opens every table");
        holder.batch_execute("ROLLBACK").await?;
        rig.apply_as_reviewed(P).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_waits_for_a_lock_names_who_holds_it() -> Result<()> {
    let rig = Rig::start().await?;
    rig.sql(TABLES).await?;
    rig.main(&configuration("name = \"p\"\n tables = [\"public.orders\"]"))?;
    let holder = rig.cluster.superuser(DATABASE).await?;
    holder
        .batch_execute("SET application_name = 'vacuum-full'; BEGIN; LOCK TABLE pg_publication IN ACCESS EXCLUSIVE MODE")
        .await?;
    let message = rig.tf.run(["plan", "-no-color", "-input=false"]).await?.failed()?.message();
    for part in
        ["Timed out waiting for a lock: publication \"p\"", "a query of the catalogue waited 10s", "application \"vacuum-full\""]
    {
        assert!(message.contains(part), "{part:?} is missing in {message}");
    }
    holder.batch_execute("ROLLBACK").await?;
    rig.apply_as_reviewed(P).await?;
    Ok(())
}

/// Defaults that make a read-only transaction wait for a safe snapshot, or refuse to change anything.
#[tokio::test(flavor = "multi_thread")]
async fn defaults_of_the_database_do_not_hold_up_a_plan_or_an_apply() -> Result<()> {
    let rig = Rig::start().await?;
    rig.sql(TABLES).await?;
    let superuser = rig.cluster.superuser(DATABASE).await?;
    for default in ["isolation = 'serializable'", "deferrable = on", "read_only = on"] {
        superuser.batch_execute(&format!("ALTER DATABASE {DATABASE} SET default_transaction_{default}")).await?;
    }
    let busy = rig.cluster.superuser(DATABASE).await?;
    busy.batch_execute("BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE; INSERT INTO keyless VALUES ('b')").await?;
    rig.main(&configuration("name = \"p\"\n tables = [\"public.orders\"]"))?;
    rig.apply_as_reviewed(P).await?;
    rig.tf.destroy().await?;
    busy.batch_execute("ROLLBACK").await?;
    Ok(())
}
