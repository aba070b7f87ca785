//! Slots and replication connections: for members of rds_replication, when logical replication is on.

use std::time::Duration;

use acceptance_tests::simulator::{ClusterHandle, ClusterSpec, Simulator};
use acceptance_tests::stream::{ReplicationStream, Source};

use crate::{available, refusal, simulator};

async fn logical_cluster(simulator: &Simulator, version: &str) -> ClusterHandle {
    let major = &version[..2];
    let group = format!("logical-{major}");
    simulator.create_parameter_group(&group, &format!("aurora-postgresql{major}"), &[("rds.logical_replication", "1")]).unwrap();
    simulator
        .create_cluster(ClusterSpec::new(&format!("orders-{major}")).engine_version(version).parameter_group(&group))
        .await
        .unwrap()
}

async fn stream(cluster: &ClusterHandle) -> anyhow::Result<ReplicationStream> {
    let (host, port) = (cluster.host.as_str(), cluster.port);
    let source = Source { host, port, user: "pipe", password: "one", database: "postgres", slot: "slot", publication: "p" };
    ReplicationStream::open(source).await
}

/// Why a stream does not start.
async fn stream_refusal(cluster: &ClusterHandle) -> String {
    match stream(cluster).await {
        Ok(_) => panic!("the stream started"),
        Err(error) => format!("{error:#}"),
    }
}

#[tokio::test]
async fn membership_in_rds_replication_opens_the_stream_and_its_end_closes_it() {
    let simulator = simulator();
    for version in available(["15.10", "16.6"]).await {
        let cluster = logical_cluster(&simulator, version).await;
        let admin = cluster.admin("postgres").await.unwrap();
        admin
            .batch_execute(
                "CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION p FOR ALL TABLES; CREATE ROLE pipe LOGIN PASSWORD 'one'",
            )
            .await
            .unwrap();
        admin.batch_execute("GRANT SELECT ON t TO pipe").await.unwrap();
        let create_slot = "SELECT pg_create_logical_replication_slot('slot', 'pgoutput')";

        let pipe = cluster.connect("pipe", "one", "postgres").await.unwrap();
        assert_eq!(refusal(pipe.batch_execute(create_slot).await).0, "42501");
        let error = stream_refusal(&cluster).await;
        assert!(error.contains("to start"), "{error}");

        admin.batch_execute("GRANT rds_replication TO pipe").await.unwrap();
        // A new connection, which sees the membership at once.
        let pipe = cluster.connect("pipe", "one", "postgres").await.unwrap();
        pipe.batch_execute(create_slot).await.unwrap();
        let mut client = stream(&cluster).await.unwrap();
        admin.batch_execute("INSERT INTO t VALUES (4711)").await.unwrap();
        assert_eq!(client.next_insert().await.unwrap(), [Some("4711".to_owned())]);
        drop(client);

        admin.batch_execute("REVOKE rds_replication FROM pipe").await.unwrap();
        let error = stream_refusal(&cluster).await;
        assert!(error.contains("to start"), "{error}");
    }
}

#[tokio::test]
async fn the_admin_makes_and_drops_slots_once_logical_replication_is_on() {
    let simulator = simulator();
    let create = "SELECT pg_create_logical_replication_slot('slot', 'pgoutput')";
    let without = simulator.create_cluster(ClusterSpec::new("without")).await.unwrap();
    assert_eq!(refusal(without.admin("postgres").await.unwrap().batch_execute(create).await).0, "55000");
    let cluster = logical_cluster(&simulator, "15.10").await;
    let admin = cluster.admin("postgres").await.unwrap();
    admin.batch_execute(create).await.unwrap();
    admin.batch_execute("SELECT pg_drop_replication_slot('slot')").await.unwrap();
}

#[tokio::test]
async fn a_reader_is_a_streaming_replica() {
    let simulator = simulator();
    let cluster = simulator.create_cluster(ClusterSpec::new("orders").tls()).await.unwrap();
    let admin = cluster.admin("postgres").await.unwrap();
    let (host, port) = cluster.start_reader().await.unwrap();
    admin.batch_execute("CREATE TABLE t (id int PRIMARY KEY)").await.unwrap();
    let mut config = tokio_postgres::Config::new();
    config
        .host(&host)
        .port(port)
        .user("clusteradmin")
        .password("admin-password")
        .dbname("postgres")
        .ssl_mode(tokio_postgres::config::SslMode::Disable);
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    assert!(client.query_one("SELECT pg_is_in_recovery()", &[]).await.unwrap().get::<_, bool>(0));
    while client.query_one("SELECT to_regclass('t') IS NULL", &[]).await.unwrap().get::<_, bool>(0) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(refusal(client.batch_execute("CREATE TABLE u ()").await).0, "25006");
}
