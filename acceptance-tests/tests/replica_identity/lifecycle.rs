//! From create over changes, drift and imports to destroy.

use acceptance_tests::rig::Rig;
use anyhow::Result;
use serde_json::{Value, json};

use crate::rig::{R, flat, identity, replica_identity};

#[tokio::test(flavor = "multi_thread")]
async fn lives_from_create_over_changes_and_drift_to_destroy() -> Result<()> {
    let rig = Rig::start().await?;
    rig.sql(
        "CREATE TABLE orders (id int PRIMARY KEY, code int NOT NULL); CREATE UNIQUE INDEX \"by.\"\"Code\" ON orders (code);
         ALTER TABLE orders REPLICA IDENTITY NOTHING; INSERT INTO orders SELECT n, n FROM generate_series(1, 1000) n; ANALYZE orders",
    )
    .await?;
    rig.main(&identity("public.orders", "  identity = \"full\""))?;
    let plan = rig.tf.plan().await?;
    let said = flat(&plan.outcome.message());
    for part in [
        "FULL writes whole rows to the WAL: replica identity of \"public\".\"orders\" in database \"app\"",
        "40 kB",
        "0 rows were updated",
    ] {
        assert!(said.contains(part), "{part:?} is missing in {said}");
    }
    let after = &plan.change(R)["after"];
    assert_eq!(after["impact"]["locks"], json!(["public.orders: ACCESS EXCLUSIVE"]));
    assert_eq!(after["impact"]["destructive"], json!(false));
    let created = rig.apply_as_reviewed(R).await?;
    assert_eq!(replica_identity(&rig, "orders").await?, "f");
    assert_eq!((&created["id"], &created["previous_identity"]), (&json!("app/public.orders"), &json!("nothing")));
    let restores = json!(["ALTER TABLE \"public\".\"orders\" REPLICA IDENTITY NOTHING"]);
    assert_eq!(created["on_destroy"]["operations"], restores);

    rig.main(&identity("public.orders", "  identity = \"index\"\n  index = \"by.\\\"Code\""))?;
    let changed = rig.apply_as_reviewed(R).await?;
    assert_eq!(replica_identity(&rig, "orders").await?, "i \"by.\"\"Code\"");
    assert_eq!((&changed["previous_identity"], &changed["on_destroy"]["operations"]), (&json!("nothing"), &restores));

    // Drift: another identity, and an index that was dropped and made again.
    rig.sql("ALTER TABLE orders REPLICA IDENTITY DEFAULT").await?;
    let plan = rig.tf.plan().await?;
    assert_eq!((&plan.drift(R)["after"]["identity"], &plan.drift(R)["after"]["index"]), (&json!("default"), &Value::Null));
    rig.apply_as_reviewed(R).await?;
    rig.sql("DROP INDEX \"by.\"\"Code\"; CREATE UNIQUE INDEX \"by.\"\"Code\" ON orders (code)").await?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(R), ["ALTER TABLE \"public\".\"orders\" REPLICA IDENTITY USING INDEX \"by.\"\"Code\""]);
    rig.apply_as_reviewed(R).await?;

    // What somebody else did already does not run again.
    rig.main(&identity("public.orders", "  identity = \"default\""))?;
    let plan = rig.tf.plan().await?;
    rig.sql("ALTER TABLE orders REPLICA IDENTITY DEFAULT").await?;
    let before = rig.changes()?.len();
    let said = rig.tf.apply_plan(&plan).await?.message();
    assert!(said.contains("Planned operations skipped"), "{said}");
    assert_eq!(rig.changes()?.len(), before);

    // A change of timeouts needs no lock.
    rig.main(&identity("public.orders", "  identity = \"default\"\n  timeouts = { update = \"1m\" }"))?;
    let plan = rig.tf.plan().await?;
    assert_eq!((&plan.change(R)["after"]["operations"], &plan.change(R)["after"]["impact"]), (&json!([]), &Value::Null));
    rig.tf.apply_plan(&plan).await?;

    rig.tf.destroy().await?;
    assert_eq!(replica_identity(&rig, "orders").await?, "n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_changes_nothing_and_neither_does_its_destroy() -> Result<()> {
    let rig = Rig::start().await?;
    rig.sql(
        "CREATE SCHEMA \"S p/ä\"; CREATE TABLE \"S p/ä\".\"T\" (id int PRIMARY KEY, code int NOT NULL UNIQUE);
         ALTER TABLE \"S p/ä\".\"T\" REPLICA IDENTITY USING INDEX \"T_code_key\"; CREATE VIEW v AS SELECT 1",
    )
    .await?;
    rig.main(&format!("import {{\n  to = {R}\n  id = \"app/\\\"S p/ä.T\\\"\"\n}}\n"))?;
    rig.tf.plan_with(&["-generate-config-out=generated.tf"]).await?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions(R), ["no-op"], "{}", plan.outcome.stdout);
    rig.tf.apply_plan(&plan).await?;
    let imported = rig.tf.resource(R).await?;
    assert_eq!((&imported["identity"], &imported["index"]), (&json!("index"), &json!("T_code_key")));
    assert_eq!((&imported["previous_identity"], &imported["on_destroy"]["operations"]), (&Value::Null, &json!([])));
    let plan = rig.tf.plan_with(&["-destroy"]).await?;
    let said = flat(&plan.outcome.message());
    assert!(
        said.contains("what it was before is not known") && said.contains("keeps replica identity index \"T_code_key\""),
        "{said}"
    );
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.changes()?, Vec::<String>::new());

    rig.tf.remove("generated.tf")?;
    rig.main(&identity("public.v", "  identity = \"full\""))?;
    for (id, words) in
        [("app/t", "database/schema.table"), ("app/public.no", "to import not found"), ("app/public.v", "to import not found")]
    {
        let refusal = flat(&rig.tf.run(["import", "-no-color", R, id]).await?.failed()?.message());
        assert!(refusal.contains(words), "{id}: {refusal}");
    }
    Ok(())
}

/// The index that was the replica identity is gone; the table was made again; the table is gone.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_restored_is_said_and_what_is_gone_is_drift() -> Result<()> {
    let rig = Rig::start().await?;
    rig.sql(
        "CREATE TABLE orders (id int PRIMARY KEY, code int NOT NULL); CREATE UNIQUE INDEX by_code ON orders (code);
         ALTER TABLE orders REPLICA IDENTITY USING INDEX by_code",
    )
    .await?;
    rig.main(&identity("public.orders", "  identity = \"full\""))?;
    let created = rig.apply_as_reviewed(R).await?;
    assert_eq!((&created["previous_identity"], &created["previous_index"]), (&json!("index"), &json!("by_code")));
    let plan = rig.tf.plan_with(&["-destroy"]).await?;
    rig.sql("DROP INDEX by_code").await?;
    // Between the plan and the destroy: what was reviewed is no longer possible.
    let said = flat(&rig.tf.apply_plan(&plan).await?.message());
    assert!(said.contains("Planned operations skipped"), "{said}");
    assert_eq!(replica_identity(&rig, "orders").await?, "f");

    rig.sql("CREATE UNIQUE INDEX by_code ON orders (code); ALTER TABLE orders REPLICA IDENTITY USING INDEX by_code").await?;
    rig.tf.apply().await?;
    rig.sql("DROP INDEX by_code").await?;
    rig.tf.assert_empty_plan().await?;
    let said = flat(&rig.tf.plan_with(&["-destroy"]).await?.outcome.message());
    assert!(said.contains("index \"by_code\", which no longer exists"), "{said}");

    rig.sql("DROP TABLE orders; CREATE TABLE orders (id int PRIMARY KEY)").await?;
    let again = rig.apply_as_reviewed(R).await?;
    assert_eq!((&again["previous_identity"], &again["previous_index"]), (&json!("default"), &Value::Null));
    rig.sql("DROP TABLE orders").await?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions(R), ["create"]);
    assert!(plan.outcome.message().contains("Warning: Table not found"), "{}", plan.outcome.message());
    let message = rig.tf.run(["apply", "-no-color", "-auto-approve"]).await?.failed()?.message();
    assert!(message.contains("Error: Table not found"), "{message}");
    Ok(())
}
