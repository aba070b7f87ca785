//! Parameters reach Postgres as on Aurora: attached, pending, and in effect after that member's reboot only.

use acceptance_tests::simulator::{ClusterHandle, ClusterSpec, Fault, Options, Simulator};
use aws_sdk_rds::Client;
use aws_sdk_rds::error::ProvideErrorMetadata;
use aws_sdk_rds::types::{ApplyMethod, Parameter};

use crate::{sdk, simulator};

fn parameter(name: &str, value: &str, method: ApplyMethod) -> Parameter {
    Parameter::builder().parameter_name(name).parameter_value(value).apply_method(method).build()
}

fn statuses(cluster: &ClusterHandle) -> Vec<String> {
    cluster.members().into_iter().map(|member| member.parameter_group_status).collect()
}

async fn create_group(client: &Client, name: &str, family: &str) {
    client
        .create_db_cluster_parameter_group()
        .db_cluster_parameter_group_name(name)
        .db_parameter_group_family(family)
        .description("d")
        .send()
        .await
        .unwrap();
}

async fn set(client: &Client, group: &str, parameters: impl IntoIterator<Item = Parameter>) -> Result<(), String> {
    let parameters = parameters.into_iter().collect();
    let sent = client
        .modify_db_cluster_parameter_group()
        .db_cluster_parameter_group_name(group)
        .set_parameters(Some(parameters))
        .send()
        .await;
    sent.map(drop).map_err(|error| error.code().unwrap_or("no code").to_owned())
}

async fn attach(client: &Client, cluster: &str, group: &str) -> Result<(), String> {
    let sent = client
        .modify_db_cluster()
        .db_cluster_identifier(cluster)
        .db_cluster_parameter_group_name(group)
        .apply_immediately(true)
        .send()
        .await;
    sent.map(drop).map_err(|error| error.code().unwrap_or("no code").to_owned())
}

async fn reboot(client: &Client, instance: &str) -> Result<(), String> {
    client
        .reboot_db_instance()
        .db_instance_identifier(instance)
        .send()
        .await
        .map(drop)
        .map_err(|error| error.code().unwrap_or("no code").to_owned())
}

/// Transitions take seconds here, so that the next call still sees them on a busy machine.
fn slow_simulator() -> Simulator {
    Simulator::start(Options { time_scale: 0.1, ..Options::default() }).unwrap()
}

#[tokio::test]
async fn logical_replication_is_on_only_after_the_writers_reboot() {
    let simulator = slow_simulator();
    let client = sdk(&simulator);
    let cluster = simulator.create_cluster(ClusterSpec::new("orders")).await.unwrap();
    assert_eq!(cluster.show("rds.logical_replication").await.unwrap(), "off");
    assert_eq!(cluster.show("wal_level").await.unwrap(), "replica");
    assert_eq!(statuses(&cluster), ["in-sync", "in-sync"]);

    create_group(&client, "own", "aurora-postgresql15").await;
    let immediate = parameter("rds.logical_replication", "1", ApplyMethod::Immediate);
    assert_eq!(set(&client, "own", [immediate]).await, Err("InvalidParameterCombination".to_owned()));
    set(&client, "own", [parameter("rds.logical_replication", "1", ApplyMethod::PendingReboot)]).await.unwrap();
    attach(&client, "orders", "own").await.unwrap();
    assert_eq!(statuses(&cluster), ["pending-reboot", "pending-reboot"]);
    assert_eq!(cluster.status(), "modifying");
    assert_eq!(attach(&client, "orders", "own").await, Err("InvalidDBClusterStateFault".to_owned()));
    assert_eq!(reboot(&client, "orders-1").await, Err("InvalidDBInstanceState".to_owned()));

    cluster.wait_until_available().await.unwrap();
    assert_eq!(statuses(&cluster), ["pending-reboot", "pending-reboot"]);
    assert_eq!(cluster.show("rds.logical_replication").await.unwrap(), "off");
    let deletion = client.delete_db_cluster_parameter_group().db_cluster_parameter_group_name("own").send().await;
    assert_eq!(deletion.unwrap_err().code(), Some("InvalidDBParameterGroupState"));

    simulator.inject_fault("RebootDBInstance", Fault::Throttling, 2);
    reboot(&client, "orders-1").await.unwrap();
    assert_eq!(cluster.members()[0].status, "rebooting");
    assert_eq!(statuses(&cluster), ["pending-reboot", "pending-reboot"]);
    assert_eq!(reboot(&client, "orders-1").await, Err("InvalidDBInstanceState".to_owned()));
    cluster.wait_until_available().await.unwrap();
    assert_eq!(statuses(&cluster), ["in-sync", "pending-reboot"]);
    assert_eq!(cluster.show("rds.logical_replication").await.unwrap(), "on");
    assert_eq!(cluster.show("wal_level").await.unwrap(), "logical");

    reboot(&client, "orders-2").await.unwrap();
    cluster.wait_until_available().await.unwrap();
    assert_eq!(statuses(&cluster), ["in-sync", "in-sync"]);

    // The SDK retried after each throttle, and the log shows it.
    let reboots: Vec<Option<String>> = simulator
        .calls()
        .into_iter()
        .filter(|call| call.action == "RebootDBInstance" && call.parameters["DBInstanceIdentifier"] == "orders-1")
        .map(|call| call.error)
        .collect();
    let throttled = Some("Throttling".to_owned());
    let wrong_state = Some("InvalidDBInstanceState".to_owned());
    assert_eq!(reboots, [wrong_state.clone(), throttled.clone(), throttled, None, wrong_state]);
}

#[tokio::test]
async fn dynamic_parameters_reach_members_that_run_with_the_group_at_once() {
    let simulator = slow_simulator();
    let client = sdk(&simulator);
    simulator.create_parameter_group("own", "aurora-postgresql15", &[]).unwrap();
    let cluster = simulator.create_cluster(ClusterSpec::new("orders").parameter_group("own")).await.unwrap();
    assert_eq!(cluster.show("wal_sender_timeout").await.unwrap(), "1min");
    set(&client, "own", [parameter("wal_sender_timeout", "0", ApplyMethod::Immediate)]).await.unwrap();
    assert_eq!(statuses(&cluster), ["applying", "applying"]);
    cluster.wait_until_available().await.unwrap();
    assert_eq!(cluster.show("wal_sender_timeout").await.unwrap(), "0");
    assert_eq!(statuses(&cluster), ["in-sync", "in-sync"]);

    // A static parameter makes the members pending again, and resetting the dynamic one does not end that.
    set(&client, "own", [parameter("max_replication_slots", "30", ApplyMethod::PendingReboot)]).await.unwrap();
    client
        .reset_db_cluster_parameter_group()
        .db_cluster_parameter_group_name("own")
        .parameters(Parameter::builder().parameter_name("wal_sender_timeout").apply_method(ApplyMethod::Immediate).build())
        .send()
        .await
        .unwrap();
    while cluster.show("wal_sender_timeout").await.unwrap() != "1min" {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(statuses(&cluster), ["pending-reboot", "pending-reboot"]);
    assert_ne!(cluster.show("max_replication_slots").await.unwrap(), "30");
    assert_eq!(simulator.parameter_group("own").unwrap().into_keys().collect::<Vec<_>>(), ["max_replication_slots"]);
}

#[tokio::test]
async fn dynamic_parameters_of_a_group_just_attached_wait_for_the_reboot_too() {
    let simulator = simulator();
    let client = sdk(&simulator);
    let cluster = simulator.create_cluster(ClusterSpec::new("orders")).await.unwrap();
    simulator.create_parameter_group("own", "aurora-postgresql15", &[("wal_sender_timeout", "0")]).unwrap();
    attach(&client, "orders", "own").await.unwrap();
    cluster.wait_until_available().await.unwrap();
    assert_eq!(cluster.show("wal_sender_timeout").await.unwrap(), "1min");
    reboot(&client, "orders-1").await.unwrap();
    cluster.wait_until_available().await.unwrap();
    assert_eq!(cluster.show("wal_sender_timeout").await.unwrap(), "0");
}

#[tokio::test]
async fn the_writers_reboot_restarts_readers_of_old_versions_only() {
    for (version, reader) in [("15.10", "pending-reboot"), ("14.6", "in-sync")] {
        let simulator = simulator();
        let client = sdk(&simulator);
        let cluster =
            simulator.create_cluster(ClusterSpec::new("orders").engine_version(version).without_postgres()).await.unwrap();
        let family = format!("aurora-postgresql{}", &version[..2]);
        simulator.create_parameter_group("own", &family, &[("rds.logical_replication", "1")]).unwrap();
        attach(&client, "orders", "own").await.unwrap();
        cluster.wait_until_available().await.unwrap();
        reboot(&client, "orders-1").await.unwrap();
        cluster.wait_until_available().await.unwrap();
        assert_eq!(statuses(&cluster), ["in-sync", reader], "{version}");
    }
}

#[tokio::test]
async fn a_failover_brings_the_settings_of_the_new_writer() {
    let simulator = simulator();
    let client = sdk(&simulator);
    let cluster = simulator.create_cluster(ClusterSpec::new("orders")).await.unwrap();
    simulator.create_parameter_group("own", "aurora-postgresql15", &[("rds.logical_replication", "1")]).unwrap();
    attach(&client, "orders", "own").await.unwrap();
    cluster.wait_until_available().await.unwrap();
    reboot(&client, "orders-1").await.unwrap();
    cluster.wait_until_available().await.unwrap();
    assert_eq!(cluster.show("wal_level").await.unwrap(), "logical");
    client.failover_db_cluster().db_cluster_identifier("orders").send().await.unwrap();
    cluster.wait_until_available().await.unwrap();
    assert_eq!(cluster.members().iter().map(|member| member.writer).collect::<Vec<_>>(), [false, true]);
    assert_eq!(cluster.show("wal_level").await.unwrap(), "replica");
}
