//! What a test can inject: faults of every kind, lags, and the clock.

use std::time::Duration;

use acceptance_tests::simulator::{ClusterSpec, Fault};
use aws_sdk_rds::config::timeout::TimeoutConfig;
use aws_sdk_rds::error::ProvideErrorMetadata;
use aws_sdk_rds::types::{ApplyMethod, Parameter};

use crate::{sdk, simulator};

const FAMILY: &str = "aurora-postgresql15";

#[tokio::test]
async fn passing_faults_are_tried_again_and_others_are_told() {
    let simulator = simulator();
    let client = sdk(&simulator);
    simulator.create_cluster(ClusterSpec::new("orders").without_postgres()).await.unwrap();
    for fault in [Fault::Throttling, Fault::InternalFailure, Fault::ServiceUnavailable, Fault::ConnectionReset] {
        simulator.clear_calls();
        simulator.inject_fault("DescribeDBClusters", fault, 2);
        client.describe_db_clusters().send().await.unwrap();
        assert_eq!(simulator.calls().len(), 3, "{fault:?}");
    }
    for (action, code) in [
        ("ModifyDBCluster", "InvalidDBClusterStateFault"),
        ("RebootDBInstance", "InvalidDBInstanceState"),
        ("DeleteDBClusterParameterGroup", "InvalidDBParameterGroupState"),
    ] {
        simulator.inject_fault(action, Fault::WrongState, 1);
        let error = match action {
            "ModifyDBCluster" => {
                client.modify_db_cluster().db_cluster_identifier("orders").send().await.unwrap_err().code().map(str::to_owned)
            }
            "RebootDBInstance" => {
                client.reboot_db_instance().db_instance_identifier("orders-1").send().await.unwrap_err().code().map(str::to_owned)
            }
            _ => client
                .delete_db_cluster_parameter_group()
                .db_cluster_parameter_group_name("own")
                .send()
                .await
                .unwrap_err()
                .code()
                .map(str::to_owned),
        };
        assert_eq!(error.as_deref(), Some(code));
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_its_effect() {
    let simulator = simulator();
    simulator.inject_fault("CreateDBClusterParameterGroup", Fault::AnswerLost, 1);
    let create = sdk(&simulator).create_db_cluster_parameter_group().db_cluster_parameter_group_name("own");
    let error = create.db_parameter_group_family(FAMILY).description("d").send().await.unwrap_err();
    // The SDK sent it again.
    assert_eq!(error.code(), Some("DBParameterGroupAlreadyExists"));
    let errors: Vec<_> = simulator.calls().into_iter().map(|call| call.error).collect();
    assert_eq!(errors, [Some("AnswerLost".to_owned()), Some("DBParameterGroupAlreadyExists".to_owned())]);
}

#[tokio::test]
async fn a_hang_lasts_until_the_client_gives_up_or_the_faults_are_cleared() {
    let simulator = simulator();
    let client = sdk(&simulator);
    simulator.inject_fault("DescribeDBClusters", Fault::Hang, 2);
    let impatient = TimeoutConfig::builder().operation_timeout(Duration::from_millis(50)).build();
    let impatient = aws_sdk_rds::config::Builder::new().timeout_config(impatient);
    let error = client.describe_db_clusters().customize().config_override(impatient).send().await.unwrap_err();
    assert!(matches!(error, aws_sdk_rds::error::SdkError::TimeoutError(_)), "{error:?}");

    let hanging = tokio::spawn(client.describe_db_clusters().send());
    // It hangs once the second fault is used up: the next call of the action passes.
    while client.describe_db_cluster_parameter_groups().send().await.is_ok() && !hanging.is_finished() {
        simulator.clear_faults();
    }
    hanging.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_created_group_and_a_modified_value_are_seen_after_some_reads() {
    let simulator = simulator();
    let client = sdk(&simulator);
    simulator.lag("*", 2);
    let create = client.create_db_cluster_parameter_group().db_cluster_parameter_group_name("own");
    create.db_parameter_group_family(FAMILY).description("d").send().await.unwrap();
    let find = || client.describe_db_cluster_parameter_groups().db_cluster_parameter_group_name("own").send();
    for _ in 0..2 {
        assert_eq!(find().await.unwrap_err().code(), Some("DBParameterGroupNotFound"));
    }
    find().await.unwrap();

    simulator.lag("*", 1);
    let set = Parameter::builder().parameter_name("wal_sender_timeout").parameter_value("0").apply_method(ApplyMethod::Immediate);
    client
        .modify_db_cluster_parameter_group()
        .db_cluster_parameter_group_name("own")
        .parameters(set.build())
        .send()
        .await
        .unwrap();
    let values = || async {
        let request = client.describe_db_cluster_parameters().db_cluster_parameter_group_name("own").source("user");
        request.send().await.unwrap().parameters().len()
    };
    assert_eq!((values().await, values().await), (0, 1));

    let cluster = simulator.create_cluster(ClusterSpec::new("orders").without_postgres()).await.unwrap();
    let modify = client.modify_db_cluster().db_cluster_identifier("orders").db_cluster_parameter_group_name("own");
    modify.send().await.unwrap();
    assert_eq!(cluster.parameter_group(), "own");
    let seen = || async {
        let described = client.describe_db_clusters().db_cluster_identifier("orders").send().await.unwrap();
        let cluster = &described.db_clusters()[0];
        (cluster.status().unwrap().to_owned(), cluster.db_cluster_parameter_group().unwrap().to_owned())
    };
    assert_eq!(seen().await, ("available".to_owned(), format!("default.{FAMILY}")));
    assert_eq!(seen().await.1, "own");
}

#[tokio::test]
async fn a_clock_that_stands_moves_nothing_until_it_is_advanced() {
    let simulator = simulator();
    let client = sdk(&simulator);
    let cluster = simulator.create_cluster(ClusterSpec::new("orders").without_postgres()).await.unwrap();
    let clock = simulator.clock();
    clock.stop();
    client
        .modify_db_cluster()
        .db_cluster_identifier("orders")
        .enable_iam_database_authentication(true)
        .apply_immediately(true)
        .send()
        .await
        .unwrap();
    clock.advance(14.0).await;
    assert_eq!(cluster.status(), "modifying");
    clock.advance(1.0).await;
    assert_eq!(cluster.status(), "available");
    client.reboot_db_instance().db_instance_identifier("orders-1").send().await.unwrap();
    clock.advance(29.0).await;
    assert_eq!(cluster.members()[0].status, "rebooting");
    clock.run(0.0);
    cluster.wait_until_available().await.unwrap();
}

#[tokio::test]
async fn the_writer_moves_in_the_middle_of_its_reboot() {
    let simulator = simulator();
    let client = sdk(&simulator);
    let cluster = simulator.create_cluster(ClusterSpec::new("orders")).await.unwrap();
    simulator.create_parameter_group("own", FAMILY, &[("rds.logical_replication", "1")]).unwrap();
    let modify = client.modify_db_cluster().db_cluster_identifier("orders").db_cluster_parameter_group_name("own");
    modify.send().await.unwrap();
    cluster.wait_until_available().await.unwrap();
    let moved = cluster.clone();
    simulator.after_call("RebootDBInstance", move || moved.move_writer("orders-2"));
    client.reboot_db_instance().db_instance_identifier("orders-1").send().await.unwrap();
    cluster.wait_until_available().await.unwrap();
    let members: Vec<_> = cluster.members().into_iter().map(|member| (member.writer, member.parameter_group_status)).collect();
    assert_eq!(members, [(false, "in-sync".to_owned()), (true, "pending-reboot".to_owned())]);
    assert_eq!(cluster.show("wal_level").await.unwrap(), "replica");
}
