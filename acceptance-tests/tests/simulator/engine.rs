//! What other clients ask about a cluster and its engine.

use acceptance_tests::postgres_server::{PostgresServer, ServerOptions};
use acceptance_tests::simulator::ClusterSpec;
use aws_sdk_rds::error::ProvideErrorMetadata as _;
use aws_sdk_rds::types::Filter;

use crate::{sdk, simulator};

#[tokio::test]
async fn a_cluster_says_when_it_was_created_and_whether_it_is_limitless() {
    let simulator = simulator();
    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    simulator.create_cluster(ClusterSpec::new("orders").without_postgres()).await.unwrap();
    let limitless =
        ClusterSpec { limitless: true, ..ClusterSpec::new("vast").engine_version("16.4-limitless").without_postgres() };
    simulator.create_cluster(limitless).await.unwrap();
    let described = sdk(&simulator).describe_db_clusters().send().await.unwrap();
    let kinds: Vec<_> = described
        .db_clusters()
        .iter()
        .map(|cluster| (cluster.cluster_scalability_type().unwrap().as_str(), cluster.db_cluster_parameter_group().unwrap()))
        .collect();
    assert_eq!(kinds, [("standard", "default.aurora-postgresql15"), ("limitless", "default.aurora-postgresql16")]);
    let created = described.db_clusters()[0].cluster_create_time().unwrap().secs();
    assert!(u64::try_from(created).unwrap() >= before, "{created} is before {before}");
}

#[tokio::test]
async fn engine_versions_are_found_as_hashicorp_aws_looks_for_them() {
    let simulator = simulator();
    let client = sdk(&simulator);
    let ask = || {
        let call = client.describe_db_engine_versions().engine("aurora-postgresql");
        call.list_supported_character_sets(true).list_supported_timezones(true)
    };
    let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let default = ask().engine_version("16").default_only(true).send().await.unwrap();
    assert_eq!(default.db_engine_versions().iter().map(|it| it.engine_version().unwrap()).collect::<Vec<_>>(), ["16.8"]);
    let one = ask().filters(filter("engine-version", "15.10")).filters(filter("status", "available")).send().await.unwrap();
    let [one] = one.db_engine_versions() else { panic!("{one:?}") };
    assert_eq!(one.db_parameter_group_family(), Some("aurora-postgresql15"));
    let targets = |is_major: bool| {
        let targets = one.valid_upgrade_target().iter().filter(move |target| target.is_major_version_upgrade() == Some(is_major));
        targets.map(|target| target.engine_version().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(targets(false), ["15.12"]);
    assert_eq!(targets(true), ["16.1", "16.6", "16.8", "17.4", "17.5", "17.6", "18.3"]);
    let unknown = ask().filters(filter("colour", "red")).send().await.unwrap_err();
    assert_eq!(unknown.code(), Some("InvalidAction"));
}

#[tokio::test]
async fn a_failover_without_readers_is_refused_with_the_reason() {
    let simulator = simulator();
    simulator.create_cluster(ClusterSpec::new("orders").members(1).without_postgres()).await.unwrap();
    let refused = sdk(&simulator).failover_db_cluster().db_cluster_identifier("orders").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidDBClusterStateFault"));
    assert_eq!(refused.message(), Some("DBCluster orders has no readers to fail over to."));
}

#[tokio::test]
async fn sql_tells_the_version_of_aurora_and_the_extensions() {
    let simulator = simulator();
    let cluster = simulator.create_cluster(ClusterSpec::new("orders").database("shop")).await.unwrap();
    let told = async || {
        let admin = cluster.admin("shop").await.unwrap();
        let row = admin.query_one("SELECT aurora_version(), current_setting('rds.extensions')", &[]).await.unwrap();
        (row.get::<_, String>(0), row.get::<_, String>(1))
    };
    assert_eq!(told().await, ("15.10.0".to_owned(), "pg_stat_statements,pgcrypto,postgres_fdw".to_owned()));
    let admin = cluster.admin("shop").await.unwrap();
    assert_eq!(crate::refusal(admin.batch_execute("SET rds.extensions = ''").await).0, "55P02");
    // A minor upgrade restarts the servers.
    let call = sdk(&simulator).modify_db_cluster().db_cluster_identifier("orders").engine_version("15.12");
    call.apply_immediately(true).send().await.unwrap();
    cluster.wait_until_available().await.unwrap();
    assert_eq!(told().await.0, "15.12.0");
}

#[tokio::test]
async fn every_family_has_defaults_and_18_differs_from_17() {
    let simulator = simulator();
    let client = sdk(&simulator);
    let mut kinds = Vec::new();
    for major in 11..=18 {
        let family = format!("aurora-postgresql{major}");
        let (mut marker, mut found) = (None, Vec::new());
        loop {
            let call = client.describe_engine_default_cluster_parameters().db_parameter_group_family(&family);
            let answer = call.set_marker(marker).send().await.unwrap();
            let defaults = answer.engine_defaults().unwrap();
            found.extend(defaults.parameters().iter().cloned());
            marker = defaults.marker().map(str::to_owned);
            if marker.is_none() {
                break;
            }
        }
        assert!(found.iter().any(|parameter| parameter.parameter_name() == Some("rds.logical_replication")), "{family}");
        let kind = |name: &str| {
            let found = found.iter().find(|parameter| parameter.parameter_name() == Some(name));
            found.map(|parameter| parameter.data_type().unwrap().to_owned())
        };
        kinds.push(["log_connections", "log_min_duration_statement", "shared_preload_libraries"].map(kind));
    }
    let kind = |name: &str| Some(name.to_owned());
    assert_eq!(kinds[6], [kind("boolean"), kind("integer"), kind("list")]);
    assert_eq!(kinds[7], [kind("string"), None, None]);
}

/// The provider knows the units of PostgreSQL's parameters by a table.
#[tokio::test]
async fn the_units_that_the_provider_knows_are_those_of_every_server() {
    let known: std::collections::BTreeMap<&str, &str> = include_str!("../../../src/cluster/units.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect();
    for version in crate::available(["12", "13", "14", "15", "16", "17", "18"]).await {
        let server = PostgresServer::start(ServerOptions::major(version.parse().unwrap())).await.unwrap();
        let client = server.superuser("postgres").await.unwrap();
        let rows = client.query("SELECT name, unit FROM pg_settings WHERE unit IS NOT NULL", &[]).await.unwrap();
        assert!(rows.len() > 40, "{version}: {}", rows.len());
        for row in rows {
            let (name, unit): (String, String) = (row.get(0), row.get(1));
            assert_eq!(known.get(name.as_str()).copied(), Some(unit.as_str()), "{version}: {name}");
        }
    }
}
