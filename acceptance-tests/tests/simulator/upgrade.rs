//! Major upgrades: what RDS refuses, what the servers must be free of, and what is there afterwards.

use acceptance_tests::simulator::{ClusterHandle, ClusterSpec, Simulator};
use aws_sdk_rds::error::ProvideErrorMetadata as _;

use crate::{available, sdk, simulator};

/// Whether AWS accepts the upgrade; it is over when this returns.
async fn upgrade(simulator: &Simulator, cluster: &ClusterHandle, version: &str, group: Option<&str>) -> Result<(), String> {
    let call = sdk(simulator).modify_db_cluster().db_cluster_identifier("orders").engine_version(version);
    let call = call.allow_major_version_upgrade(true).apply_immediately(true);
    let sent = call.set_db_cluster_parameter_group_name(group.map(str::to_owned)).send().await;
    sent.map_err(|error| format!("{}: {}", error.code().unwrap_or_default(), error.message().unwrap_or_default()))?;
    cluster.wait_until_available().await.unwrap();
    Ok(())
}

async fn text(cluster: &ClusterHandle, statement: &str) -> String {
    cluster.admin("shop").await.unwrap().query_one(statement, &[]).await.unwrap().get(0)
}

async fn version(simulator: &Simulator) -> String {
    let described = sdk(simulator).describe_db_clusters().db_cluster_identifier("orders").send().await.unwrap();
    described.db_clusters()[0].engine_version().unwrap().to_owned()
}

/// A cluster with a group of its own that turns logical replication on.
async fn logical(version: &str) -> (Simulator, ClusterHandle) {
    let simulator = simulator();
    let on = [("rds.logical_replication", "1")];
    simulator.create_parameter_group("old", &format!("aurora-postgresql{}", &version[..2]), &on).unwrap();
    let spec = ClusterSpec::new("orders").engine_version(version).database("shop").parameter_group("old").tls();
    let cluster = simulator.create_cluster(spec).await.unwrap();
    (simulator, cluster)
}

#[tokio::test]
async fn a_custom_group_needs_one_of_the_new_family_beside_it() {
    let simulator = simulator();
    simulator.create_parameter_group("old", "aurora-postgresql15", &[]).unwrap();
    let spec = ClusterSpec::new("orders").parameter_group("old").without_postgres();
    let cluster = simulator.create_cluster(spec).await.unwrap();
    let refused = upgrade(&simulator, &cluster, "16.6", None).await.unwrap_err();
    let reason = "The current DB cluster parameter group old is custom. You must explicitly specify a new DB cluster parameter group, either default or custom, for the engine version upgrade.";
    assert_eq!(refused, format!("InvalidParameterCombination: {reason}"));
    let refused = upgrade(&simulator, &cluster, "16.6", Some("old")).await.unwrap_err();
    assert!(refused.starts_with("InvalidParameterCombination: ") && refused.contains("aurora-postgresql16"), "{refused}");
    assert_eq!((version(&simulator).await.as_str(), cluster.parameter_group().as_str()), ("15.10", "old"));

    simulator.create_parameter_group("new", "aurora-postgresql16", &[]).unwrap();
    upgrade(&simulator, &cluster, "16.6", Some("new")).await.unwrap();
    assert_eq!((version(&simulator).await.as_str(), cluster.parameter_group().as_str()), ("16.6", "new"));
    assert!(cluster.members().iter().all(|member| member.parameter_group_status == "in-sync"));
}

#[tokio::test]
async fn before_17_a_slot_stands_in_the_way_and_then_everything_is_in_the_new_version() {
    if available(["16.6"]).await.is_empty() {
        return;
    }
    let (simulator, cluster) = logical("15.10").await;
    let admin = cluster.admin("shop").await.unwrap();
    admin
        .batch_execute(
            "CREATE SCHEMA sales;
             CREATE TABLE sales.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, region text NOT NULL DEFAULT 'eu', \"of\" bytea);
             INSERT INTO sales.orders (region, \"of\") VALUES ('eu', '\\x00ff'), ('it''s', NULL);
             ALTER TABLE sales.orders REPLICA IDENTITY FULL;
             CREATE TABLE days (day date NOT NULL, n serial) PARTITION BY RANGE (day);
             CREATE TABLE days_2026 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
             INSERT INTO days VALUES ('2026-11-30');
             CREATE ROLE pipe LOGIN PASSWORD 'pipe-Pa55word' CONNECTION LIMIT 7;
             GRANT rds_replication TO pipe;
             GRANT USAGE ON SCHEMA sales TO pipe;
             GRANT SELECT ON sales.orders TO pipe;
             ALTER DEFAULT PRIVILEGES IN SCHEMA sales GRANT SELECT ON TABLES TO pipe;
             CREATE PUBLICATION pipe FOR TABLE sales.orders (id, region) WHERE (id > 0) WITH (publish = 'insert, update');
             CREATE PUBLICATION whole FOR TABLES IN SCHEMA public;",
        )
        .await
        .unwrap();
    let superuser = cluster.superuser("shop").await.unwrap();
    superuser.execute("SELECT pg_create_logical_replication_slot('pipe', 'pgoutput')", &[]).await.unwrap();
    simulator.create_parameter_group("new", "aurora-postgresql16", &[("rds.logical_replication", "1")]).unwrap();

    upgrade(&simulator, &cluster, "16.6", Some("new")).await.unwrap();
    let failure = cluster.upgrade_failure().unwrap();
    assert!(failure.contains("slot pipe exists"), "{failure}");
    assert_eq!((version(&simulator).await.as_str(), cluster.parameter_group().as_str()), ("15.10", "old"));
    assert_eq!(text(&cluster, "SHOW server_version_num").await[..2], *"15");

    let superuser = cluster.superuser("shop").await.unwrap();
    superuser.execute("SELECT pg_drop_replication_slot('pipe')", &[]).await.unwrap();
    let certificate = std::fs::read(cluster.ca_certificate().unwrap()).unwrap();
    upgrade(&simulator, &cluster, "16.6", Some("new")).await.unwrap();
    assert_eq!(cluster.upgrade_failure(), None);
    assert_eq!((version(&simulator).await.as_str(), cluster.parameter_group().as_str()), ("16.6", "new"));
    assert_eq!(simulator.cluster("orders").unwrap().port, cluster.port);
    let kept = simulator.cluster("orders").unwrap().ca_certificate().unwrap().to_owned();
    assert_eq!(std::fs::read(kept).unwrap(), certificate);

    for (statement, expected) in [
        ("SHOW server_version_num", "160"),
        ("SHOW wal_level", "logical"),
        ("SELECT string_agg(id || region || coalesce(\"of\"::text, '-'), ' ') FROM sales.orders", "1eu\\x00ff 2it's-"),
        ("SELECT day::text FROM days_2026", "2026-11-30"),
        ("SELECT relreplident::text FROM pg_class WHERE relname = 'orders'", "f"),
        ("SELECT tableowner::text FROM pg_tables WHERE tablename = 'orders'", "clusteradmin"),
        ("SELECT rolconnlimit::text FROM pg_roles WHERE rolname = 'pipe'", "7"),
        ("SELECT pg_has_role('pipe', 'rds_replication', 'MEMBER')::text", "true"),
        (
            "SELECT string_agg(tablename || attnames::text || coalesce(rowfilter, ''), ' ' ORDER BY tablename) FROM pg_publication_tables",
            "days_2026{day,n} orders{id,region}(id > 0)",
        ),
        (
            "SELECT pubinsert || ' ' || pubdelete FROM pg_publication WHERE pubname = 'pipe' AND pubowner = 'clusteradmin'::regrole",
            "true false",
        ),
    ] {
        let found = text(&cluster, statement).await;
        assert!(found.starts_with(expected), "{statement}: {found}");
    }
    let pipe = cluster.connect("pipe", "pipe-Pa55word", "shop").await.unwrap();
    assert_eq!(pipe.query_one("SELECT count(*) FROM sales.orders", &[]).await.unwrap().get::<_, i64>(0), 2);
    let admin = cluster.admin("shop").await.unwrap();
    admin.batch_execute("INSERT INTO sales.orders DEFAULT VALUES; CREATE TABLE sales.later (id int PRIMARY KEY)").await.unwrap();
    pipe.batch_execute("SELECT * FROM sales.later").await.unwrap();
    assert_eq!(text(&cluster, "SELECT max(id)::text FROM sales.orders").await, "3");
}

#[tokio::test]
async fn from_17_on_slots_that_are_consumed_are_carried_over() {
    if available(["17.4", "18.3"]).await.len() < 2 {
        return;
    }
    let (simulator, cluster) = logical("17.4").await;
    cluster.admin("shop").await.unwrap().batch_execute("CREATE TABLE t (id int PRIMARY KEY)").await.unwrap();
    let superuser = cluster.superuser("shop").await.unwrap();
    superuser.execute("SELECT pg_create_logical_replication_slot('pipe', 'pgoutput')", &[]).await.unwrap();
    cluster.admin("shop").await.unwrap().batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
    simulator.create_parameter_group("new", "aurora-postgresql18", &[("rds.logical_replication", "1")]).unwrap();

    upgrade(&simulator, &cluster, "18.3", Some("new")).await.unwrap();
    assert!(cluster.upgrade_failure().unwrap().contains("not consumed"), "{:?}", cluster.upgrade_failure());
    let superuser = cluster.superuser("shop").await.unwrap();
    superuser.execute("SELECT pg_replication_slot_advance('pipe', pg_current_wal_lsn())", &[]).await.unwrap();
    upgrade(&simulator, &cluster, "18.3", Some("default.aurora-postgresql18")).await.unwrap();
    assert!(cluster.upgrade_failure().unwrap().contains("turns logical replication off"), "{:?}", cluster.upgrade_failure());
    assert_eq!(version(&simulator).await, "17.4");

    upgrade(&simulator, &cluster, "18.3", Some("new")).await.unwrap();
    assert_eq!(cluster.upgrade_failure(), None);
    assert_eq!(text(&cluster, "SHOW server_version_num").await[..2], *"18");
    assert_eq!(
        text(&cluster, "SELECT string_agg(slot_name || plugin || database, ' ') FROM pg_replication_slots").await,
        "pipepgoutputshop"
    );
}

#[tokio::test]
async fn what_cannot_be_carried_over_fails_the_upgrade_and_is_named() {
    if available(["16.6"]).await.is_empty() {
        return;
    }
    let simulator = simulator();
    let cluster = simulator.create_cluster(ClusterSpec::new("orders").database("shop")).await.unwrap();
    cluster.admin("shop").await.unwrap().batch_execute("CREATE VIEW v AS SELECT 1").await.unwrap();
    upgrade(&simulator, &cluster, "16.6", None).await.unwrap();
    assert!(cluster.upgrade_failure().unwrap().contains("does not copy view v"), "{:?}", cluster.upgrade_failure());
    assert_eq!(text(&cluster, "SHOW server_version_num").await[..2], *"15");
}
