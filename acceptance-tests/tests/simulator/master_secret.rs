//! The master user's password in a secret that RDS manages.

use acceptance_tests::simulator::{ClusterHandle, ClusterSpec, Simulator};
use aws_sdk_rds::error::ProvideErrorMetadata as _;
use serde_json::{Value, json};

use crate::{refusal, sdk, secrets_manager, simulator};

/// ARN, status and key as DescribeDBClusters shows them.
async fn described(simulator: &Simulator, identifier: &str) -> Option<(String, String, String)> {
    let described = sdk(simulator).describe_db_clusters().db_cluster_identifier(identifier).send().await.unwrap();
    let secret = described.db_clusters()[0].master_user_secret()?;
    let text = |value: Option<&str>| value.unwrap().to_owned();
    Some((text(secret.secret_arn()), text(secret.secret_status()), text(secret.kms_key_id())))
}

async fn secret(simulator: &Simulator, arn: &str) -> Value {
    let found = secrets_manager(simulator, "us-east-1").get_secret_value().secret_id(arn).send().await.unwrap();
    serde_json::from_str(found.secret_string().unwrap()).unwrap()
}

async fn is_let_in(cluster: &ClusterHandle, secret: &Value) -> bool {
    let password = secret["password"].as_str().unwrap();
    match cluster.connect(secret["username"].as_str().unwrap(), password, "postgres").await {
        Ok(_) => true,
        Err(error) => {
            let error = error.downcast::<tokio_postgres::Error>().unwrap();
            assert_eq!(refusal::<()>(Err(error)).0, "28P01");
            false
        }
    }
}

#[tokio::test]
async fn the_secret_has_name_and_password_of_the_master_user_and_follows_each_rotation() {
    let simulator = simulator();
    let cluster = simulator.create_cluster(ClusterSpec::new("orders").managed_master_secret()).await.unwrap();
    let (arn, status, key) = described(&simulator, "orders").await.unwrap();
    assert!(arn.starts_with("arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!cluster-"), "{arn}");
    assert_eq!((cluster.master_secret_arn().as_deref(), status.as_str()), (Some(arn.as_str()), "active"));
    assert!(key.starts_with("arn:aws:kms:us-east-1:"), "{key}");
    let first = secret(&simulator, &arn).await;
    assert_eq!(first, json!({ "username": "clusteradmin", "password": cluster.master_password() }));
    assert!(is_let_in(&cluster, &first).await);

    cluster.rotate_master_secret().await.unwrap();
    let second = secret(&simulator, &arn).await;
    assert_ne!(first["password"], second["password"]);
    assert_eq!((is_let_in(&cluster, &first).await, is_let_in(&cluster, &second).await), (false, true));
    cluster.admin("postgres").await.unwrap();
    let log = cluster.server_log().unwrap();
    assert!([&first, &second].iter().all(|secret| !log.contains(secret["password"].as_str().unwrap())));
}

#[tokio::test]
async fn a_test_stands_between_the_two_steps_of_a_rotation() {
    let simulator = simulator();
    let cluster = simulator.create_cluster(ClusterSpec::new("orders").managed_master_secret()).await.unwrap();
    let arn = cluster.master_secret_arn().unwrap();
    let first = secret(&simulator, &arn).await;

    let rotation = cluster.begin_master_rotation().unwrap();
    rotation.set_in_secret().unwrap();
    let second = secret(&simulator, &arn).await;
    assert_eq!((is_let_in(&cluster, &first).await, is_let_in(&cluster, &second).await), (true, false));
    rotation.set_on_server().await.unwrap();
    assert_eq!((is_let_in(&cluster, &first).await, is_let_in(&cluster, &second).await), (false, true));

    let rotation = cluster.begin_master_rotation().unwrap();
    rotation.set_on_server().await.unwrap();
    assert_eq!(secret(&simulator, &arn).await, second);
    assert!(!is_let_in(&cluster, &second).await);
    rotation.set_in_secret().unwrap();
    assert!(is_let_in(&cluster, &secret(&simulator, &arn).await).await);
}

#[tokio::test]
async fn calls_turn_management_on_rotate_and_turn_it_off() {
    let simulator = simulator();
    let cluster = simulator.create_cluster(ClusterSpec::new("orders")).await.unwrap();
    assert_eq!(described(&simulator, "orders").await, None);
    let modify = || sdk(&simulator).modify_db_cluster().db_cluster_identifier("orders").apply_immediately(true);
    let clock = simulator.clock();
    clock.stop();
    modify().manage_master_user_password(true).master_user_secret_kms_key_id("a key").send().await.unwrap();
    let (arn, status, key) = described(&simulator, "orders").await.unwrap();
    assert_eq!((status.as_str(), key.as_str()), ("creating", "a key"));
    clock.advance(15.0).await;
    assert_eq!(described(&simulator, "orders").await.unwrap().1, "active");
    let first = secret(&simulator, &arn).await;
    assert!(is_let_in(&cluster, &first).await);

    modify().rotate_master_user_password(true).send().await.unwrap();
    assert_eq!(described(&simulator, "orders").await.unwrap().1, "rotating");
    clock.advance(15.0).await;
    let second = secret(&simulator, &arn).await;
    assert_eq!((is_let_in(&cluster, &first).await, is_let_in(&cluster, &second).await), (false, true));

    modify().manage_master_user_password(false).master_user_password("one's own").send().await.unwrap();
    clock.advance(15.0).await;
    assert_eq!((described(&simulator, "orders").await, simulator.secret(&arn)), (None, None));
    assert!(is_let_in(&cluster, &json!({ "username": "clusteradmin", "password": "one's own" })).await);
    let calls = simulator.calls();
    assert!(calls.iter().any(|call| call.parameters.get("RotateMasterUserPassword").is_some_and(|value| value == "true")));
    assert!(!format!("{calls:?}").contains("one's own"));
}

#[tokio::test]
async fn a_rotation_that_the_server_does_not_take_leaves_the_secret_impaired() {
    let simulator = simulator();
    let cluster = simulator.create_cluster(ClusterSpec::new("orders").managed_master_secret()).await.unwrap();
    let (arn, before) = (cluster.master_secret_arn().unwrap(), cluster.master_password());
    cluster.server().unwrap().stop().await.unwrap();
    let modify = sdk(&simulator).modify_db_cluster().db_cluster_identifier("orders").apply_immediately(true);
    modify.rotate_master_user_password(true).send().await.unwrap();
    cluster.wait_until_available().await.unwrap();
    assert_eq!(described(&simulator, "orders").await.unwrap().1, "impaired");
    assert_eq!(secret(&simulator, &arn).await["password"], before);
}

#[tokio::test]
async fn a_created_cluster_has_its_secret_and_takes_it_along() {
    let simulator = simulator();
    let client = sdk(&simulator);
    let create =
        || client.create_db_cluster().db_cluster_identifier("orders").engine("aurora-postgresql").engine_version("15.10");
    let both = create().master_username("boss").master_user_password("one's own").manage_master_user_password(true).send().await;
    assert_eq!(both.unwrap_err().code(), Some("InvalidParameterCombination"));
    create().master_username("boss").manage_master_user_password(true).send().await.unwrap();
    assert_eq!(described(&simulator, "orders").await.unwrap().1, "creating");
    let cluster = simulator.cluster("orders").unwrap();
    cluster.wait_until_available().await.unwrap();
    let (arn, status, _) = described(&simulator, "orders").await.unwrap();
    assert_eq!(status, "active");
    let cluster = simulator.cluster("orders").unwrap();
    assert!(is_let_in(&cluster, &secret(&simulator, &arn).await).await);
    simulator.clock().run(0.0);
    client.delete_db_cluster().db_cluster_identifier("orders").skip_final_snapshot(true).send().await.unwrap();
    simulator.clock().advance(0.0).await;
    assert_eq!(simulator.secret(&arn), None);
}

#[tokio::test]
async fn contradictions_about_the_master_password_are_refused() {
    let simulator = simulator();
    simulator.create_cluster(ClusterSpec::new("own").without_postgres()).await.unwrap();
    simulator.create_cluster(ClusterSpec::new("managed").without_postgres().managed_master_secret()).await.unwrap();
    let client = sdk(&simulator);
    let modify = |identifier: &str| client.modify_db_cluster().db_cluster_identifier(identifier);
    for (case, request) in [
        ("both", modify("own").manage_master_user_password(true).master_user_password("one's own")),
        ("a password for a managed one", modify("managed").master_user_password("one's own")),
        ("no password when given up", modify("managed").manage_master_user_password(false)),
        ("a rotation of nothing", modify("own").rotate_master_user_password(true).apply_immediately(true)),
        ("a rotation later", modify("managed").rotate_master_user_password(true)),
        ("a key for nothing", modify("own").master_user_secret_kms_key_id("a key")),
    ] {
        let error = request.send().await.unwrap_err();
        assert_eq!(error.code(), Some("InvalidParameterCombination"), "{case}");
    }
}
