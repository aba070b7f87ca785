//! The simulator behaves correctly: driven by the AWS SDK and by Postgres clients, as the provider drives it.

mod api;
mod control_endpoint;
mod control_plane;
mod distorted;
mod engine;
mod iam_authentication;
mod lifetime;
mod master_secret;
mod ordered;
mod postgres_roles;
mod publications;
mod secrets;
mod sts;
mod upgrade;
mod walsender;

use acceptance_tests::postgres_server::is_available;
use acceptance_tests::simulator::{Options, Simulator};
use aws_sdk_rds::Client;
use aws_sdk_rds::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};

fn simulator() -> Simulator {
    Simulator::start(Options::default()).unwrap()
}

fn quick_retries() -> RetryConfig {
    RetryConfig::standard().with_initial_backoff(std::time::Duration::from_millis(5))
}

fn sdk(simulator: &Simulator) -> Client {
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(simulator.url())
        .credentials_provider(Credentials::new("an id", "a secret", None, None, "test"))
        .retry_config(quick_retries())
        .build();
    Client::from_conf(config)
}

fn secrets_manager(simulator: &Simulator, region: &'static str) -> aws_sdk_secretsmanager::Client {
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .endpoint_url(simulator.url())
        .credentials_provider(Credentials::new("an id", "a secret", None, None, "test"))
        .retry_config(quick_retries())
        .build();
    aws_sdk_secretsmanager::Client::from_conf(config)
}

/// The versions whose Postgres is available; the others are named as not run.
async fn available<const N: usize>(versions: [&str; N]) -> Vec<&str> {
    let mut available = Vec::new();
    for version in versions {
        if is_available(version[..2].parse().unwrap()).await.unwrap() {
            available.push(version);
        }
    }
    available
}

/// The code and message of an error that the server answered with.
fn refusal<T: std::fmt::Debug>(result: Result<T, tokio_postgres::Error>) -> (String, String) {
    let error = result.unwrap_err();
    let error = error.as_db_error().unwrap_or_else(|| panic!("no answer of the server: {error:?}"));
    (error.code().code().to_owned(), error.message().to_owned())
}
