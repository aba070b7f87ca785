//! `clickpipes_publication` on real terraform and real Postgres.

use acceptance_tests::postgres_server::is_available;
use acceptance_tests::rig::{CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::ClusterSpec;
use acceptance_tests::terraform_cli::{Outcome, Plan};
use anyhow::{Context as _, Result};
use serde_json::json;

const P: &str = "clickpipes_publication.p";

const TABLES: &str = "
    CREATE TABLE orders (id int PRIMARY KEY, note text);
    CREATE TABLE invoices (id int PRIMARY KEY);
    CREATE TABLE customers (id int PRIMARY KEY);
    CREATE TABLE keyless (note text);
    INSERT INTO keyless VALUES ('a');";

fn publication(arguments: &str) -> String {
    format!("resource \"clickpipes_publication\" \"p\" {{\n  database = \"{DATABASE}\"\n{arguments}\n}}\n")
}

async fn rig() -> Result<Rig> {
    let rig = Rig::start().await?;
    rig.sql(TABLES).await?;
    Ok(rig)
}

const PUBLISHED: &str = "SELECT string_agg(schemaname || '.' || tablename, ',' ORDER BY schemaname, tablename) FROM pg_publication_tables WHERE pubname = 'p'";

#[tokio::test(flavor = "multi_thread")]
async fn lives_from_create_over_changes_in_place_to_destroy() -> Result<()> {
    let rig = rig().await?;
    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\", \"public.invoices\"]"))?;
    let created = rig.apply_as_reviewed(P).await?;
    assert_eq!(rig.ask(PUBLISHED).await?, "public.invoices,public.orders");
    assert_eq!(created["tables"], json!(["public.orders", "public.invoices"]));
    assert_eq!(created["publish"], json!(["delete", "insert", "truncate", "update"]));
    assert_eq!(created["publish_via_partition_root"], json!(true));
    assert_eq!(created["id"], json!("app/p"));
    assert_eq!(created["oid"].to_string(), rig.ask("SELECT oid::text FROM pg_publication").await?);

    // The same members in another order are no change.
    rig.main(&publication("name = \"p\"\n tables = [\"public.invoices\", \"public.orders\"]"))?;
    rig.tf.assert_empty_plan().await?;

    rig.main(&publication(
        "name = \"p\"\n tables = [\"public.invoices\", \"public.customers\"]\n publish = [\"insert\", \"update\"]\n publish_via_partition_root = false",
    ))?;
    let altered = rig.apply_as_reviewed(P).await?;
    assert_eq!(rig.ask(PUBLISHED).await?, "public.customers,public.invoices");
    assert_eq!(altered["oid"], created["oid"], "altered in place");
    let parameters = "SELECT concat(pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot) FROM pg_publication";
    assert_eq!(rig.ask(parameters).await?, "ttfff");

    rig.main(&publication("name = \"renamed\"\n tables = [\"public.invoices\", \"public.customers\"]"))?;
    let renamed = rig.apply_as_reviewed(P).await?;
    assert_eq!((&renamed["oid"], &renamed["id"]), (&created["oid"], &json!("app/renamed")));
    assert_eq!(renamed["publish"], json!(["insert", "update"]), "unset keeps what is there");

    let before = rig.changes()?.len();
    let plan = rig.tf.plan_with(&["-destroy"]).await?;
    assert!(plan.outcome.message().contains("DROP PUBLICATION \"renamed\""), "{}", plan.outcome.message());
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.changes()?.split_off(before), ["DROP PUBLICATION \"renamed\""]);
    assert_eq!(rig.ask("SELECT count(*)::text FROM pg_publication").await?, "0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_what_would_stop_the_applications_writes() -> Result<()> {
    let rig = rig().await?;
    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\", \"public.keyless\"]"))?;
    let refusal = rig.tf.run(["plan", "-no-color"]).await?.failed()?.message();
    for part in [
        "Tables without a replica identity",
        "public.keyless",
        "REPLICA IDENTITY FULL",
        "allow_tables_without_replica_identity = true",
    ] {
        assert!(refusal.contains(part), "{part} in {refusal}");
    }
    assert_eq!(rig.ask("SELECT count(*)::text FROM pg_publication").await?, "0");

    // Inserts need no identity, and the application's writes continue.
    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\", \"public.keyless\"]\n publish = [\"insert\"]"))?;
    rig.apply_as_reviewed(P).await?;
    rig.sql("UPDATE keyless SET note = 'b'").await?;

    // Turning updates on would expose the table now.
    rig.main(&publication(
        "name = \"p\"\n tables = [\"public.orders\", \"public.keyless\"]\n publish = [\"insert\", \"update\"]",
    ))?;
    assert!(rig.tf.run(["plan", "-no-color"]).await?.failed()?.message().contains("public.keyless"));

    // Once accepted, the plan warns, the apply runs it, and Postgres behaves as predicted.
    rig.main(&publication(
        "name = \"p\"\n tables = [\"public.orders\", \"public.keyless\"]\n publish = [\"insert\", \"update\"]\n allow_tables_without_replica_identity = true",
    ))?;
    let accepted = rig.apply_as_reviewed(P).await?;
    assert_eq!(accepted["tables_without_replica_identity"], json!(["public.keyless"]));
    assert!(rig.sql("UPDATE keyless SET note = 'c'").await.is_err());

    // Tables that are already exposed do not block another change or a destroy.
    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\", \"public.keyless\", \"public.invoices\"]"))?;
    assert!(rig.tf.plan().await?.outcome.message().contains("Published tables without a replica identity"));
    rig.tf.destroy().await?;
    rig.sql("UPDATE keyless SET note = 'd'").await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_partitioned_table_the_leaves_count() -> Result<()> {
    let rig = rig().await?;
    rig.sql(
        "CREATE TABLE events (id int, day int) PARTITION BY LIST (day);
         CREATE TABLE events_1 PARTITION OF events (PRIMARY KEY (id)) FOR VALUES IN (1);
         CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);",
    )
    .await?;
    rig.main(&publication("name = \"p\"\n tables = [\"public.events\"]"))?;
    let refusal = rig.tf.run(["plan", "-no-color"]).await?.failed()?.message();
    assert!(refusal.contains("fail on: public.events_2."), "{refusal}");
    // An unlogged leaf is not published.
    rig.sql("ALTER TABLE events_2 REPLICA IDENTITY FULL; CREATE UNLOGGED TABLE events_3 PARTITION OF events FOR VALUES IN (3)")
        .await?;
    rig.apply_as_reviewed(P).await?;
    rig.sql("INSERT INTO events VALUES (1, 2), (1, 3); UPDATE events SET id = 2").await
}

/// Since PostgreSQL 18 an UPDATE fails when the identity has a generated column that is not published.
#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_18_an_identity_with_a_generated_column_does_not_count() -> Result<()> {
    if !is_available(18).await? {
        return Ok(());
    }
    let rig = Rig::start_with(ClusterSpec::new(CLUSTER).engine_version("18.1")).await?;
    rig.sql(
        "CREATE TABLE net (id int PRIMARY KEY, gross int GENERATED ALWAYS AS (id * 2) STORED);
         INSERT INTO net VALUES (1);",
    )
    .await?;
    rig.main(&publication("name = \"p\"\n tables = [\"public.net\"]"))?;
    rig.apply_as_reviewed(P).await?;
    rig.sql("UPDATE net SET id = 2").await?;
    rig.tf.destroy().await?;

    rig.sql("ALTER TABLE net REPLICA IDENTITY FULL").await?;
    let refusal = rig.tf.run(["plan", "-no-color"]).await?.failed()?.message();
    assert!(refusal.contains("fail on: public.net.") && refusal.contains("generated column"), "{refusal}");
    rig.main(&publication("name = \"p\"\n tables = [\"public.net\"]\n allow_tables_without_replica_identity = true"))?;
    let accepted = rig.apply_as_reviewed(P).await?;
    assert_eq!(accepted["tables_without_replica_identity"], json!(["public.net"]));
    assert!(rig.sql("UPDATE net SET id = 3").await.is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_shown_and_mended() -> Result<()> {
    let rig = rig().await?;
    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\", \"public.invoices\"]\n publish = [\"insert\"]"))?;
    rig.apply_as_reviewed(P).await?;
    for _ in 0..2 {
        rig.sql("ALTER PUBLICATION p DROP TABLE orders; ALTER PUBLICATION p ADD TABLE customers; ALTER PUBLICATION p SET (publish = 'insert, delete')")
            .await?;
        let plan = rig.tf.plan().await?;
        assert_eq!(
            plan.operations(P),
            [
                "ALTER PUBLICATION \"p\" DROP TABLE ONLY \"public\".\"customers\"",
                "ALTER PUBLICATION \"p\" SET (publish = 'insert')",
                "ALTER PUBLICATION \"p\" ADD TABLE ONLY \"public\".\"orders\"",
            ]
        );
        rig.apply_as_reviewed(P).await?;
        assert_eq!(rig.ask(PUBLISHED).await?, "public.invoices,public.orders");
    }
    rig.sql("ALTER PUBLICATION p RENAME TO elsewhere").await?;
    rig.apply_as_reviewed(P).await?;
    assert_eq!(rig.ask(PUBLISHED).await?, "public.invoices,public.orders");

    rig.sql("DROP PUBLICATION p").await?;
    assert_eq!(rig.tf.plan().await?.actions(P), ["create"]);
    rig.apply_as_reviewed(P).await?;

    // A configured table that is dropped is named.
    rig.sql("DROP TABLE orders").await?;
    let plan = rig.tf.plan().await?;
    assert!(plan.outcome.message().contains("There is no table public.orders"), "{}", plan.outcome.message());
    let refusal = rig.tf.run(["apply", "-no-color", "-auto-approve"]).await?.failed()?.message();
    assert!(refusal.contains("There is no table public.orders"), "{refusal}");
    assert_eq!(rig.ask(PUBLISHED).await?, "public.invoices");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_names_that_need_quoting_and_then_plans_nothing() -> Result<()> {
    let rig = rig().await?;
    rig.cluster.superuser("postgres").await?.batch_execute("CREATE DATABASE \"Sales/EU\" OWNER clusteradmin").await?;
    let sales = rig.cluster.admin("Sales/EU").await?;
    sales
        .batch_execute(
            r#"CREATE SCHEMA "My Schema"; CREATE TABLE "My Schema"."we""ird\täble" (id int PRIMARY KEY);
               CREATE PUBLICATION "Pub ""1""/ü" FOR TABLE "My Schema"."we""ird\täble" WITH (publish = 'insert, delete')"#,
        )
        .await?;
    rig.main(
        r#"resource "clickpipes_publication" "p" {
  database = "Sales/EU"
  name     = "Pub \"1\"/ü"
  tables   = ["My Schema.we\"ird\\täble"]
}
"#,
    )?;
    let before = rig.changes()?;
    rig.tf.import(P, r#""Sales/EU"/"Pub ""1""/ü""#).await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(rig.changes()?, before, "an import alters nothing");
    let imported = rig.tf.resource(P).await?;
    assert_eq!(imported["publish"], json!(["delete", "insert"]));
    assert_eq!(imported["id"], json!(r#""Sales/EU"/"Pub ""1""/ü""#));

    rig.main(
        r#"resource "clickpipes_publication" "p" {
  database = "Sales/EU"
  name     = "'; DROP TABLE x; --"
  tables   = ["My Schema.we\"ird\\täble"]
}
"#,
    )?;
    rig.apply_as_reviewed(P).await?;
    rig.tf.destroy().await?;
    let left = sales.query_one("SELECT count(*) FROM pg_publication", &[]).await?;
    assert_eq!(left.get::<_, i64>(0), 0);

    let malformed = rig.tf.run(["import", "-no-color", P, "app"]).await?.failed()?.message();
    assert!(malformed.contains("database/name"), "{malformed}");
    let absent = rig.tf.run(["import", "-no-color", P, "app/none"]).await?.failed()?.message();
    assert!(absent.contains("There is no publication \"none\" of database \"app\""), "{absent}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_exists_already_is_named_with_an_import_block() -> Result<()> {
    let rig = rig().await?;
    rig.sql("CREATE PUBLICATION p FOR TABLE orders").await?;
    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\"]"))?;
    let plan = rig.tf.plan().await?;
    assert!(plan.outcome.message().contains("Publication already exists"), "{}", plan.outcome.message());
    let refusal = rig.tf.run(["apply", "-no-color", "-auto-approve"]).await?.failed()?.message();
    assert!(refusal.contains("import {") && refusal.contains("id = \"app/p\""), "{refusal}");
    assert_eq!(rig.tf.resource(P).await?, json!(null));

    // Terraform accepts the block in the message, whatever the name.
    let name = "p ${x} %{y} é";
    rig.sql(&format!("CREATE PUBLICATION \"{name}\" FOR TABLE ONLY orders WITH (publish_via_partition_root = true)")).await?;
    let resource = publication("name = \"p $${x} %%{y} é\"\n tables = [\"public.orders\"]").replace("\"p\" {", "\"new_name\" {");
    rig.main(&resource)?;
    let warning = rig.tf.warning("Publication already exists").await?;
    let block = &warning[warning.find("import {").context("no import block")?..];
    rig.main(&format!("{resource}\n{}\n", &block[..=block.find("\n}").context("no end")? + 1]))?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions("clickpipes_publication.new_name"), ["no-op"], "{warning}: {}", plan.outcome.stdout);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_table_is_a_warning_at_plan_and_an_error_at_apply() -> Result<()> {
    let rig = rig().await?;
    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\", \"public.later\"]"))?;
    let plan = rig.tf.plan().await?;
    assert!(plan.outcome.message().contains("Warning: Table not found"), "{}", plan.outcome.message());
    let refusal = rig.tf.run(["apply", "-no-color", "-auto-approve"]).await?.failed()?.message();
    assert!(refusal.contains("There is no table public.later in database \"app\""), "{refusal}");
    assert_eq!(rig.tf.resource(P).await?, json!(null));

    // The table is created between plan and apply: the reviewed statement runs.
    let plan = rig.tf.plan().await?;
    rig.sql("CREATE TABLE later (id int PRIMARY KEY)").await?;
    let before = rig.changes()?.len();
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.changes()?.split_off(before), plan.operations(P));
    rig.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_kind_of_scope_needs_consent() -> Result<()> {
    let rig = rig().await?;
    rig.sql("DROP TABLE keyless").await?;
    rig.main(&publication("name = \"p\"\n all_tables = true"))?;
    let all = rig.apply_as_reviewed(P).await?;
    rig.sql("CREATE TABLE later (id int PRIMARY KEY)").await?;
    assert!(rig.ask(PUBLISHED).await?.contains("public.later"));
    rig.tf.assert_empty_plan().await?;

    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\"]"))?;
    let refusal = rig.tf.run(["plan", "-no-color"]).await?.failed()?.message();
    assert!(refusal.contains("resynced") && refusal.contains("allow_scope_replacement = true"), "{refusal}");

    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\"]\n allow_scope_replacement = true"))?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions(P), ["update"]);
    assert_eq!(plan.operations(P).len(), 2);
    assert!(plan.is_unknown(P, "oid"));
    assert!(plan.outcome.message().contains("The pipe must be resynced"));
    let listed = rig.apply_as_reviewed(P).await?;
    assert_ne!(listed["oid"], all["oid"]);
    assert_eq!(rig.ask(PUBLISHED).await?, "public.orders");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_that_cannot_be_mended_is_refused_and_does_not_keep_from_destroying() -> Result<()> {
    let rig = rig().await?;
    rig.sql("DROP TABLE keyless").await?;
    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\"]"))?;
    rig.apply_as_reviewed(P).await?;
    rig.sql("DROP PUBLICATION p; CREATE PUBLICATION p FOR ALL TABLES").await?;
    assert!(rig.tf.plan().await?.outcome.message().contains("The scope cannot be altered"));
    let refusal = rig.tf.run(["apply", "-no-color", "-auto-approve"]).await?.failed()?.message();
    assert!(refusal.contains("allow_scope_replacement = true"), "{refusal}");
    rig.tf.destroy().await?;
    assert_eq!(rig.ask("SELECT count(*)::text FROM pg_publication").await?, "0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_are_published_and_altered_in_place() -> Result<()> {
    let rig = rig().await?;
    rig.sql("CREATE SCHEMA billing; CREATE TABLE billing.accounts (id int PRIMARY KEY); CREATE SCHEMA empty").await?;
    rig.main(&publication("name = \"p\"\n schemas = [\"billing\"]\n tables = [\"public.orders\"]"))?;
    rig.apply_as_reviewed(P).await?;
    assert_eq!(rig.ask(PUBLISHED).await?, "billing.accounts,public.orders");
    rig.main(&publication("name = \"p\"\n schemas = [\"empty\"]\n tables = [\"public.orders\"]"))?;
    rig.apply_as_reviewed(P).await?;
    assert_eq!(rig.ask(PUBLISHED).await?, "public.orders");
    rig.main(&publication("name = \"p\"\n schemas = [\"nowhere\"]"))?;
    let refusal = rig.tf.run(["apply", "-no-color", "-auto-approve"]).await?.failed()?.message();
    assert!(refusal.contains("There is no schema \"nowhere\" in database \"app\""), "{refusal}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_that_a_slot_may_read_is_not_dropped() -> Result<()> {
    let rig = Rig::start_logical().await?;
    rig.sql(TABLES).await?;
    let timeouts = "timeouts = { delete = \"1s\" }";
    rig.main(&publication(&format!("name = \"p\"\n tables = [\"public.orders\"]\n {timeouts}")))?;
    rig.apply_as_reviewed(P).await?;
    let reader = rig.stream("pipe", "p").await?;
    let refusal = rig.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?.message();
    assert!(refusal.contains("Publication may be in use") && refusal.contains("force_destroy = true"), "{refusal}");
    assert_eq!(rig.ask("SELECT count(*)::text FROM pg_publication").await?, "1");
    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\"]\n force_destroy = true"))?;
    rig.apply_as_reviewed(P).await?;
    rig.tf.destroy().await?;
    drop(reader);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn values_known_only_at_apply_leave_the_operations_unknown() -> Result<()> {
    let rig = rig().await?;
    rig.main(&format!(
        "resource \"terraform_data\" \"t\" {{ input = \"public.orders\" }}\n{}",
        publication("name = \"p\"\n tables = [terraform_data.t.output, \"public.invoices\"]")
    ))?;
    let plan = rig.tf.plan().await?;
    assert!(plan.is_unknown(P, "operations"));
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.ask(PUBLISHED).await?, "public.invoices,public.orders");
    rig.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_known_only_at_apply_are_neither_defaults_nor_left_as_they_are() -> Result<()> {
    let rig = rig().await?;
    let parameters = "SELECT concat(pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot) FROM pg_publication";
    for (round, (publish, via_root, found)) in [("insert", false, "tffff"), ("delete", true, "fftft")].into_iter().enumerate() {
        rig.main(&format!(
            "resource \"terraform_data\" \"t\" {{\n input = {{ publish = \"{publish}\", via_root = {via_root} }}\n triggers_replace = {round}\n}}\n{}",
            publication(
                "name = \"p\"\n tables = [\"public.orders\"]\n publish = [terraform_data.t.output.publish]\n \
                 publish_via_partition_root = terraform_data.t.output.via_root"
            )
        ))?;
        let plan = rig.tf.plan().await?;
        assert!(plan.is_unknown(P, "operations"), "{}", plan.outcome.stdout);
        rig.tf.apply_plan(&plan).await?;
        assert_eq!(rig.ask(parameters).await?, found);
        rig.tf.assert_empty_plan().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_to_a_database_that_is_made_in_the_same_apply() -> Result<()> {
    let rig = rig().await?;
    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\"]"))?;
    rig.apply_as_reviewed(P).await?;
    rig.main(
        "resource \"clickpipes_publication\" \"p\" {\n database = \"later\"\n name = \"p\"\n tables = [\"public.orders\"]\n}\n",
    )?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions(P), ["delete", "create"]);
    assert!(plan.outcome.message().contains("Warning: Database not found"), "{}", plan.outcome.message());
    rig.cluster.superuser("postgres").await?.batch_execute("CREATE DATABASE later OWNER clusteradmin").await?;
    rig.cluster.admin("later").await?.batch_execute(TABLES).await?;
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.ask("SELECT count(*)::text FROM pg_publication").await?, "0");
    rig.tf.assert_empty_plan().await
}

/// A user who may create objects in `public` must not be able to make the master user run code.
#[tokio::test(flavor = "multi_thread")]
async fn functions_and_operators_of_a_schema_are_not_taken_for_the_servers_own() -> Result<()> {
    let rig = rig().await?;
    let body = "LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''somebody elses code''; END'";
    rig.sql(&format!(
        "CREATE FUNCTION public.to_jsonb(pg_catalog.pg_publication) RETURNS jsonb {body};
         CREATE FUNCTION public.unnest(text[]) RETURNS SETOF text {body};
         CREATE FUNCTION public.at_least(oid, int) RETURNS bool {body};
         CREATE OPERATOR public.>= (LEFTARG = oid, RIGHTARG = int, FUNCTION = public.at_least);"
    ))
    .await?;
    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\"]"))?;
    rig.apply_as_reviewed(P).await?;
    rig.main(&publication("name = \"p\"\n schemas = [\"public\"]\n publish = [\"insert\"]"))?;
    rig.apply_as_reviewed(P).await?;
    rig.tf.destroy().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_while_terraform_is_interrupted_is_in_the_state() -> Result<()> {
    let rig = rig().await?;
    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\"]"))?;
    rig.hold_commits(true).await?;
    let apply = rig.tf.start(["apply", "-no-color", "-input=false", "-auto-approve"])?;
    rig.commit_waits().await?;
    apply.interrupt()?;
    let outcome = apply.outcome().await?;
    rig.hold_commits(false).await?;
    assert_eq!(rig.ask(PUBLISHED).await?, "public.orders");
    assert_eq!(rig.tf.resource(P).await?["name"], json!("p"), "{}", outcome.message());
    rig.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_while_the_connection_breaks_is_in_the_state() -> Result<()> {
    let rig = rig().await?;
    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\"]"))?;
    rig.hold_commits(true).await?;
    let apply = rig.tf.start(["apply", "-no-color", "-input=false", "-auto-approve"])?;
    rig.commit_waits().await?;
    rig.cut_waiting_commit().await?;
    apply.outcome().await?.succeeded()?;
    rig.hold_commits(false).await?;
    assert_eq!(rig.ask(PUBLISHED).await?, "public.orders");
    rig.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_configuration_is_refused_before_anything_is_dialled() -> Result<()> {
    let rig = Rig::start().await?;
    let cases = [
        ("name = \"p\"", "Say what to publish"),
        ("name = \"\"\n all_tables = true", "the name is empty"),
        ("name = \"p\"\n all_tables = true\n tables = [\"a.b\"]", "all_tables = true already publishes every table"),
        ("name = \"p\"\n tables = [\"orders\"]", "does not name a schema"),
        ("name = \"p\"\n tables = [\"a.b.c\"]", "more than one dot"),
        ("name = \"p\"\n tables = [\"a.b\", \"a.b\"]", "a.b is listed twice"),
        ("name = \"p\"\n all_tables = true\n publish = [\"upsert\"]", "\"upsert\" is not an operation"),
        ("name = \"p\"\n all_tables = true\n timeouts = { create = \"soon\" }", "\"soon\" is not a duration"),
        ("name = 5\n all_tables = \"maybe\"", "a bool is required"),
    ];
    for (arguments, part) in cases {
        rig.main(&publication(arguments))?;
        let refusal = rig.tf.run(["validate", "-no-color"]).await?.failed()?.message();
        assert!(refusal.contains(part), "{arguments}: {part} in {refusal}");
    }
    Ok(())
}

/// Applies a saved plan.
async fn apply_saved(rig: &Rig, plan: &Plan) -> Result<Outcome> {
    rig.tf.run(["apply".as_ref(), "-no-color".as_ref(), "-input=false".as_ref(), plan.file.as_os_str()]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_consented_to_stays_refused_whatever_happened_since_the_plan() -> Result<()> {
    let rig = rig().await?;
    rig.sql("DROP TABLE keyless").await?;
    rig.cluster.superuser(DATABASE).await?.batch_execute("GRANT rds_superuser TO clusteradmin").await?;
    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\"]"))?;
    rig.tf.apply().await?;
    let replaced = "CREATE PUBLICATION p FOR ALL TABLES WITH (publish_via_partition_root = true)";
    rig.sql(&format!("DROP PUBLICATION p; {replaced}")).await?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(P).len(), 2, "a drop and a create, with a warning");
    let restored = "CREATE PUBLICATION p FOR TABLE ONLY orders WITH (publish_via_partition_root = true)";
    rig.sql(&format!("DROP PUBLICATION p; {restored}")).await?;
    let before = rig.changes()?;
    let refusal = apply_saved(&rig, &plan).await?.failed()?.message();
    assert!(refusal.contains("allow_scope_replacement = true"), "{refusal}");
    // The state had all_tables = true and now has false, while the configuration does not set it.
    rig.tf.apply().await?;
    assert_eq!(rig.changes()?, before);
    rig.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_is_not_about_tables_that_it_does_not_touch() -> Result<()> {
    for meddling in [
        "DROP TABLE invoices",
        "CREATE ROLE stranger; ALTER PUBLICATION p DROP TABLE invoices; ALTER TABLE invoices OWNER TO stranger",
    ] {
        let rig = rig().await?;
        rig.main(&publication("name = \"p\"\n tables = [\"public.orders\", \"public.invoices\"]"))?;
        rig.tf.apply().await?;
        rig.main(&publication("name = \"p\"\n tables = [\"public.orders\", \"public.invoices\", \"public.customers\"]"))?;
        let plan = rig.tf.plan().await?;
        rig.cluster.superuser(DATABASE).await?.batch_execute(meddling).await?;
        apply_saved(&rig, &plan).await?.succeeded().context(meddling)?;
        assert_eq!(rig.ask(PUBLISHED).await?, "public.customers,public.orders");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_goes_with_its_database_also_after_another_was_destroyed() -> Result<()> {
    let rig = rig().await?;
    let superuser = rig.cluster.superuser("postgres").await?;
    superuser.batch_execute("CREATE DATABASE other OWNER clusteradmin").await?;
    rig.cluster.admin("other").await?.batch_execute("CREATE TABLE a (id int PRIMARY KEY)").await?;
    let other =
        "resource \"clickpipes_publication\" \"other\" {\n database = \"other\"\n name = \"p\"\n tables = [\"public.a\"]\n}\n";
    let last = publication("name = \"p\"\n tables = [\"public.orders\"]\n depends_on = [clickpipes_publication.other]");
    rig.main(&format!("{other}{last}"))?;
    rig.tf.apply().await?;
    let plan = rig.tf.plan_with(&["-destroy"]).await?;
    superuser.batch_execute("DROP DATABASE other WITH (FORCE)").await?;
    apply_saved(&rig, &plan).await?.succeeded()?;
    assert_eq!(rig.ask("SELECT count(*)::text FROM pg_publication").await?, "0");
    Ok(())
}

/// An empty list says that nothing is published: so a publication without tables can be imported, and one can be emptied.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_publishes_nothing_is_said_to_and_managed_all_the_same() -> Result<()> {
    let rig = rig().await?;
    rig.sql("CREATE PUBLICATION p").await?;
    rig.main(&publication("name = \"p\"\n tables = []"))?;
    rig.tf.import(P, &format!("{DATABASE}/p")).await?;
    rig.tf.assert_empty_plan().await?;
    rig.main(&publication("name = \"p\"\n tables = [\"public.orders\"]"))?;
    rig.apply_as_reviewed(P).await?;
    rig.main(&publication("name = \"p\"\n tables = []"))?;
    assert!(rig.tf.warning("Nothing is published").await?.contains("receives nothing"));
    rig.apply_as_reviewed(P).await?;
    assert_eq!(rig.ask(PUBLISHED).await?, "");
    rig.tf.destroy().await?;
    rig.apply_as_reviewed(P).await?;
    // Two absent lists are not a scope.
    rig.main(&publication("name = \"p\""))?;
    let message = rig.tf.run(["plan", "-no-color"]).await?.failed()?.message();
    assert!(message.contains("No scope") && message.contains("tables = [] publishes nothing"), "{message}");
    Ok(())
}
