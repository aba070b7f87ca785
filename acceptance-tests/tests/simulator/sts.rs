//! STS: roles, their temporary credentials, and the calls signed with them.

use std::time::{Duration, SystemTime};

use acceptance_tests::simulator::{ClusterSpec, RoleSpec, Simulator};
use aws_sdk_rds::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sts::error::ProvideErrorMetadata as _;

use crate::{quick_retries, simulator};

fn credentials(key: &str) -> Credentials {
    Credentials::new(key, "a secret", None, None, "test")
}

fn sts(simulator: &Simulator, credentials: Credentials) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(simulator.url())
        .credentials_provider(credentials)
        .retry_config(quick_retries())
        .build();
    aws_sdk_sts::Client::from_conf(config)
}

/// Credentials of a role, or the code of the refusal.
async fn assume(client: &aws_sdk_sts::Client, role: &str, external_id: Option<&str>) -> Result<Credentials, String> {
    let request = client.assume_role().role_arn(role).role_session_name("test").set_external_id(external_id.map(str::to_owned));
    let answer = request.send().await.map_err(|error| error.code().unwrap_or("no code").to_owned())?;
    let given = answer.credentials().unwrap();
    let expires = SystemTime::try_from(*given.expiration()).unwrap();
    let token = Some(given.session_token().to_owned());
    Ok(Credentials::new(given.access_key_id(), given.secret_access_key(), token, Some(expires), "test"))
}

/// The error codes with which RDS, Secrets Manager and STS answer calls with these credentials; empty if they accept them.
async fn codes(simulator: &Simulator, credentials: &Credentials) -> [String; 3] {
    let rds = aws_sdk_rds::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(simulator.url())
        .credentials_provider(credentials.clone());
    let rds = aws_sdk_rds::Client::from_conf(rds.build()).describe_db_clusters().send().await;
    let secrets = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(simulator.url())
        .credentials_provider(credentials.clone());
    let secrets = aws_sdk_secretsmanager::Client::from_conf(secrets.build()).get_secret_value().secret_id("s").send().await;
    let caller = sts(simulator, credentials.clone()).get_caller_identity().send().await;
    let code = |code: Option<&str>| code.unwrap_or_default().to_owned();
    [
        code(rds.err().as_ref().and_then(aws_sdk_rds::error::ProvideErrorMetadata::code)),
        code(secrets.err().as_ref().and_then(aws_sdk_secretsmanager::error::ProvideErrorMetadata::code)),
        code(caller.err().as_ref().and_then(aws_sdk_sts::error::ProvideErrorMetadata::code)),
    ]
}

#[tokio::test]
async fn a_role_gives_credentials_that_calls_are_signed_with() {
    let simulator = simulator();
    simulator.put_secret("s", "one").unwrap();
    let role = simulator.create_role(RoleSpec::new("reader"));
    let given = assume(&sts(&simulator, credentials("testing")), &role, None).await.unwrap();
    assert!(given.access_key_id().starts_with("ASIA"), "{given:?}");
    let lifetime = given.expiry().unwrap().duration_since(SystemTime::now()).unwrap();
    assert!((Duration::from_secs(3500)..=Duration::from_secs(3600)).contains(&lifetime), "{lifetime:?}");
    assert_eq!(codes(&simulator, &given).await, ["", "", ""]);
    let caller = sts(&simulator, given.clone()).get_caller_identity().send().await.unwrap();
    assert_eq!(caller.arn(), Some("arn:aws:sts::123456789012:assumed-role/reader/test"));
    assert_eq!(caller.account(), Some("123456789012"));

    let calls = simulator.calls();
    let signed: Vec<_> = calls.iter().map(|call| (call.action.as_str(), call.access_key.as_deref().unwrap())).collect();
    assert_eq!(signed[..2], [("AssumeRole", "testing"), ("DescribeDBClusters", given.access_key_id())]);
    let log = format!("{calls:?}");
    assert!(!log.contains(given.secret_access_key()) && !log.contains(given.session_token().unwrap()));
}

#[tokio::test]
async fn a_role_that_is_not_there_or_does_not_trust_the_caller_is_refused() {
    let simulator = simulator();
    let client = sts(&simulator, credentials("testing"));
    let denied = || Err("AccessDenied".to_owned());
    let assumed = async |role: &str, id: Option<&str>| assume(&client, role, id).await.map(drop);
    assert_eq!(assumed("arn:aws:iam::123456789012:role/nobody", None).await, denied());
    let guarded = simulator.create_role(RoleSpec::new("guarded").external_id("x1"));
    assert_eq!(assumed(&guarded, None).await, denied());
    assert_eq!(assumed(&guarded, Some("x2")).await, denied());
    assert_eq!(assumed(&guarded, Some("x1")).await, Ok(()));
    let chosen = simulator.create_role(RoleSpec::new("chosen").trusts(&["another", &guarded]));
    assert_eq!(assumed(&chosen, None).await, denied());
    // A chain of roles.
    let guarded = assume(&client, &guarded, Some("x1")).await.unwrap();
    assert!(assume(&sts(&simulator, guarded), &chosen, None).await.is_ok());
    simulator.delete_role(&chosen);
    assert_eq!(assume(&sts(&simulator, credentials("another")), &chosen, None).await.map(drop), denied());
}

#[tokio::test]
async fn a_wrong_session_is_no_session() {
    let simulator = simulator();
    let role = simulator.create_role(RoleSpec::new("reader"));
    let request = || sts(&simulator, credentials("testing")).assume_role().role_arn(&role);
    for request in [
        request().role_session_name("a name"),
        request().role_session_name("n"),
        request().role_session_name("name").duration_seconds(899),
        request().role_session_name("name").duration_seconds(43201),
    ] {
        assert_eq!(request.send().await.unwrap_err().code(), Some("ValidationError"));
    }
}

#[tokio::test]
async fn bad_temporary_credentials_are_refused_in_the_words_of_each_service() {
    let simulator = simulator();
    simulator.create_cluster(ClusterSpec::new("orders").without_postgres()).await.unwrap();
    simulator.put_secret("s", "one").unwrap();
    let role = simulator.create_role(RoleSpec::new("reader"));
    let given = assume(&sts(&simulator, credentials("testing")), &role, None).await.unwrap();
    let with =
        |key: &str, token: Option<&str>| Credentials::new(key, given.secret_access_key(), token.map(str::to_owned), None, "test");
    let invalid = ["InvalidClientTokenId", "UnrecognizedClientException", "InvalidClientTokenId"];
    assert_eq!(codes(&simulator, &with("ASIAUNKNOWN", given.session_token())).await, invalid);
    assert_eq!(codes(&simulator, &with(given.access_key_id(), None)).await, invalid);
    assert_eq!(codes(&simulator, &with(given.access_key_id(), Some("another"))).await, invalid);
    simulator.advance_time_of_day(Duration::from_secs(3601));
    let expired = ["ExpiredToken", "ExpiredTokenException", "ExpiredToken"];
    assert_eq!(codes(&simulator, &with(given.access_key_id(), given.session_token())).await, expired);
}
