//! What is refused, what is only a warning at plan, and what the server says to the same.

use acceptance_tests::postgres_server::is_available;
use acceptance_tests::rig::{CLUSTER, Rig};
use acceptance_tests::simulator::ClusterSpec;
use anyhow::{Result, ensure};

use crate::rig::{R, flat, identity, refusal, replica_identity};

/// Indexes of the table `orders`, and whether each can be its replica identity.
const INDEXES: [(&str, &str, bool); 8] = [
    ("plain", "CREATE UNIQUE INDEX plain ON orders (code)", true),
    ("including", "CREATE UNIQUE INDEX including ON orders (code) INCLUDE (note)", true),
    ("constraint_key", "ALTER TABLE orders ADD CONSTRAINT constraint_key UNIQUE (code, id)", true),
    ("not_unique", "CREATE INDEX not_unique ON orders (code)", false),
    ("partial", "CREATE UNIQUE INDEX partial ON orders (code) WHERE id > 0", false),
    ("expression", "CREATE UNIQUE INDEX expression ON orders ((code + 1))", false),
    ("late", "ALTER TABLE orders ADD CONSTRAINT late UNIQUE (code) DEFERRABLE", false),
    ("nullable", "CREATE UNIQUE INDEX nullable ON orders (code, note)", false),
];

/// One plan asks for all of them.
#[tokio::test(flavor = "multi_thread")]
async fn exactly_the_indexes_that_postgres_refuses_are_refused_at_plan() -> Result<()> {
    let rig = Rig::start().await?;
    let mut configuration = String::new();
    for (name, sql, _) in INDEXES {
        let table = format!("of_{name}");
        rig.sql(&format!("CREATE TABLE {table} (id int PRIMARY KEY, code int NOT NULL, note text)")).await?;
        rig.sql(&sql.replace("orders", &table)).await?;
        configuration += &identity(&format!("public.{table}"), &format!("  identity = \"index\"\n  index = \"{name}\""))
            .replace("\"r\"", &format!("\"{name}\""));
    }
    rig.main(&configuration)?;
    let message = refusal(&rig).await?;
    for (name, _, is_fit) in INDEXES {
        let refused =
            message.contains(&format!("Index cannot be the replica identity: replica identity of \"public\".\"of_{name}\""));
        assert_eq!(refused, !is_fit, "{name}: {message}");
        let by_server = rig.sql(&format!("ALTER TABLE of_{name} REPLICA IDENTITY USING INDEX {name}")).await;
        assert_eq!(by_server.is_ok(), is_fit, "{name}: {by_server:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_still_come_is_a_warning_at_plan_and_an_error_at_apply() -> Result<()> {
    let rig = Rig::start().await?;
    rig.sql(
        "CREATE TABLE orders (id int PRIMARY KEY, code int NOT NULL); CREATE ROLE own; GRANT own TO clusteradmin; CREATE SCHEMA closed;
         GRANT ALL ON SCHEMA closed TO own; SET ROLE own; CREATE TABLE closed.t (id int PRIMARY KEY); RESET ROLE;
         CREATE VIEW v AS SELECT 1 AS id; CREATE MATERIALIZED VIEW mv AS SELECT 1 AS id; CREATE SEQUENCE sq;
         CREATE TABLE parts (id int) PARTITION BY LIST (id); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)",
    )
    .await?;
    rig.main(&identity("public.orders", "  identity = \"index\"\n  index = \"by_code\""))?;
    let plan = rig.tf.plan().await?;
    ensure!(plan.outcome.message().contains("Warning: Index not found"), "{}", plan.outcome.message());
    let message = rig.tf.run(["apply", "-no-color", "-auto-approve"]).await?.failed()?.message();
    ensure!(message.contains("Error: Index not found"), "{message}");
    rig.sql("CREATE UNIQUE INDEX by_code ON orders (code)").await?;
    rig.apply_as_reviewed(R).await?;
    assert_eq!(replica_identity(&rig, "orders").await?, "i by_code");

    let superuser = rig.cluster.superuser("app").await?;
    superuser
        .batch_execute("CREATE ROLE other; CREATE TABLE foreign_one (id int PRIMARY KEY); ALTER TABLE foreign_one OWNER TO other")
        .await?;
    rig.main(&identity("public.foreign_one", "  identity = \"full\""))?;
    // The old table is let go first, and this has no part in it.
    rig.tf.run(["state", "rm", R]).await?.succeeded()?;
    let plan = rig.tf.plan().await?;
    let said = flat(&plan.outcome.message());
    ensure!(
        said.contains("Warning: Not the owner of the table") && said.contains("GRANT \"other\" TO \"clusteradmin\""),
        "{said}"
    );
    let before = rig.changes()?.len();
    let message = rig.tf.run(["apply", "-no-color", "-auto-approve"]).await?.failed()?.message();
    ensure!(message.contains("Error: Not the owner of the table"), "{message}");
    assert_eq!(rig.changes()?.len(), before);

    for (table, kind) in [
        ("public.v", "a view"),
        ("public.mv", "a materialized view"),
        ("public.sq", "a sequence"),
        ("pg_catalog.pg_class", "part of the system catalogue"),
        ("information_schema.sql_features", "part of the system catalogue"),
    ] {
        rig.main(&identity(table, "  identity = \"full\""))?;
        let message = refusal(&rig).await?;
        ensure!(message.contains("Not a table with a replica identity") && message.contains(&format!("is {kind}.")), "{message}");
    }

    // Members act for the owner; of a partitioned table only the root changes, and the plan says so.
    rig.main(&identity("closed.t", "  identity = \"full\""))?;
    rig.apply_as_reviewed(R).await?;
    rig.tf.destroy().await?;
    rig.main(&identity("public.parts", "  identity = \"full\""))?;
    let said = flat(&rig.tf.plan().await?.outcome.message());
    ensure!(
        said.contains("Partitions keep their own replica identity") && said.contains("its 1 partition keeps its own"),
        "{said}"
    );
    rig.apply_as_reviewed(R).await?;
    assert_eq!(replica_identity(&rig, "parts").await? + &replica_identity(&rig, "parts_1").await?, "fd");
    rig.tf.destroy().await.map(drop)
}

/// From PostgreSQL 16 on, a membership may be without the owner's privileges.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_does_not_inherit_acts_as_the_owner() -> Result<()> {
    if !is_available(16).await? {
        return Ok(());
    }
    let rig = Rig::start_with(ClusterSpec::new(CLUSTER).engine_version("16.6")).await?;
    rig.sql(
        "CREATE ROLE own; GRANT own TO clusteradmin WITH INHERIT FALSE, SET TRUE; GRANT CREATE ON SCHEMA public TO own; SET ROLE own;
         CREATE TABLE orders (id int PRIMARY KEY)",
    )
    .await?;
    rig.main(&identity("public.orders", "  identity = \"full\""))?;
    rig.apply_as_reviewed(R).await?;
    assert_eq!(replica_identity(&rig, "orders").await?, "f");
    rig.tf.destroy().await?;
    assert_eq!(replica_identity(&rig, "orders").await?, "d");
    Ok(())
}
