//! Secrets Manager: its answers and refusals, and what a test can inject.

use acceptance_tests::simulator::Fault;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;

use crate::{sdk, secrets_manager, simulator};

async fn get(client: &Client, id: &str) -> Result<GetSecretValueOutput, String> {
    let result = client.get_secret_value().secret_id(id).send().await;
    result.map_err(|error| error.code().unwrap_or("no code").to_owned())
}

async fn text(client: &Client, id: &str) -> String {
    get(client, id).await.unwrap().secret_string().unwrap().to_owned()
}

#[tokio::test]
async fn a_secret_is_found_by_its_name_and_by_its_whole_or_partial_arn() {
    let simulator = simulator();
    let client = secrets_manager(&simulator, "us-east-1");
    let arn = simulator.put_secret("app/admin", r#"{"password":"a\"b"}"#).unwrap();
    for id in ["app/admin", &arn, &arn[..arn.len() - 7]] {
        assert_eq!(text(&client, id).await, r#"{"password":"a\"b"}"#, "{id}");
    }
    assert_eq!(get(&client, "app/adm").await.unwrap_err(), "ResourceNotFoundException");
    assert_eq!(get(&client, &arn[..arn.len() - 8]).await.unwrap_err(), "ResourceNotFoundException");
    let found = get(&client, "app/admin").await.unwrap();
    assert_eq!(
        (found.arn(), found.name(), found.version_stages()),
        (Some(arn.as_str()), Some("app/admin"), &["AWSCURRENT".to_owned()][..])
    );
    assert!(found.created_date().unwrap().secs() > 1_700_000_000);
}

#[tokio::test]
async fn a_changed_secret_keeps_its_previous_version() {
    let simulator = simulator();
    let client = secrets_manager(&simulator, "us-east-1");
    for value in ["one", "two", "three"] {
        simulator.put_secret("s", value).unwrap();
    }
    assert_eq!((text(&client, "s").await.as_str(), simulator.secret("s").as_deref()), ("three", Some("three")));
    let previous = client.get_secret_value().secret_id("s").version_stage("AWSPREVIOUS").send().await.unwrap();
    assert_eq!(previous.secret_string(), Some("two"));
    let request = client.get_secret_value().secret_id("s").version_id(previous.version_id().unwrap());
    assert_eq!(request.clone().send().await.unwrap().secret_string(), Some("two"));
    let contradiction = request.version_stage("AWSCURRENT").send().await.unwrap_err();
    assert_eq!(contradiction.code(), Some("InvalidRequestException"));
    let pending = client.get_secret_value().secret_id("s").version_stage("AWSPENDING").send().await.unwrap_err();
    assert_eq!(pending.code(), Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn a_deleted_secret_is_refused_and_a_removed_one_is_not_there() {
    let simulator = simulator();
    let client = secrets_manager(&simulator, "us-east-1");
    simulator.put_secret("s", "one").unwrap();
    simulator.delete_secret("s");
    assert_eq!(get(&client, "s").await.unwrap_err(), "InvalidRequestException");
    simulator.put_secret("s", "two").unwrap();
    assert_eq!(text(&client, "s").await, "two");
    simulator.remove_secret("s");
    assert_eq!(get(&client, "s").await.unwrap_err(), "ResourceNotFoundException");
}

#[tokio::test]
async fn a_secret_of_another_region_is_not_seen() {
    let simulator = simulator();
    let arn = simulator.put_secret_in("eu-west-1", "s", "there").unwrap();
    assert_eq!(get(&secrets_manager(&simulator, "us-east-1"), &arn).await.unwrap_err(), "ResourceNotFoundException");
    assert_eq!(text(&secrets_manager(&simulator, "eu-west-1"), "s").await, "there");
}

#[tokio::test]
async fn a_binary_secret_has_no_text() {
    let simulator = simulator();
    simulator.put_binary_secret("s", &[0, 159, 146]).unwrap();
    let found = get(&secrets_manager(&simulator, "us-east-1"), "s").await.unwrap();
    assert_eq!((found.secret_string(), found.secret_binary().unwrap().as_ref()), (None, &[0, 159, 146][..]));
}

#[tokio::test]
async fn faults_of_secrets_manager_have_its_own_codes() {
    let simulator = simulator();
    let client = secrets_manager(&simulator, "us-east-1");
    simulator.put_secret("s", "one").unwrap();
    for (fault, code) in [
        (Fault::AccessDenied, "AccessDeniedException"),
        (Fault::DecryptionFailure, "DecryptionFailure"),
        (Fault::WrongState, "InvalidRequestException"),
    ] {
        simulator.inject_fault("GetSecretValue", fault, 1);
        assert_eq!(get(&client, "s").await.unwrap_err(), code);
    }
    for fault in [Fault::Throttling, Fault::InternalFailure, Fault::ServiceUnavailable, Fault::ConnectionReset] {
        simulator.clear_calls();
        simulator.inject_fault("GetSecretValue", fault, 2);
        assert_eq!(text(&client, "s").await, "one");
        assert_eq!(simulator.calls().len(), 3, "{fault:?}");
    }
}

#[tokio::test]
async fn reads_see_a_change_as_late_as_ordered() {
    let simulator = simulator();
    let client = secrets_manager(&simulator, "us-east-1");
    simulator.put_secret("s", "one").unwrap();
    simulator.lag("PutSecretValue", 2);
    simulator.put_secret("s", "two").unwrap();
    let seen = [text(&client, "s").await, text(&client, "s").await, text(&client, "s").await];
    assert_eq!(seen, ["one", "one", "two"]);
}

#[tokio::test]
async fn the_call_log_names_service_and_access_key_and_no_value() {
    let simulator = simulator();
    simulator.put_secret("s", "its value").unwrap();
    text(&secrets_manager(&simulator, "us-east-1"), "s").await;
    sdk(&simulator).describe_db_clusters().send().await.unwrap();
    let calls = simulator.calls();
    assert_eq!(
        calls.iter().map(|call| (call.service.as_str(), call.action.as_str(), call.is_mutating())).collect::<Vec<_>>(),
        [("secretsmanager", "GetSecretValue", false), ("rds", "DescribeDBClusters", false)]
    );
    assert!(calls.iter().all(|call| call.access_key.as_deref() == Some("an id")));
    assert_eq!(calls[0].parameters["SecretId"], "s");
    let log = format!("{calls:?}");
    assert!(!log.contains("its value") && !log.contains("a secret"), "{log}");
}
