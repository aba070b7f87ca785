//! Wrong settings: one clear error each, and the state does not change.

use acceptance_tests::rig::CLUSTER;
use acceptance_tests::simulator::ClusterSpec;
use acceptance_tests::slow_network::ClosedPort;
use anyhow::Result;

use super::{PLAN, refused, rig, state_file};

/// With an empty state, and then with a publication in it. Restores the provider block.
async fn refused_always(cases: &[(String, &[&str])]) -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let good = std::fs::read_to_string(rig.tf.folder().join("provider.tf"))?;
    for (settings, parts) in cases {
        rig.provider(settings)?;
        refused(&rig, PLAN, parts).await?;
    }
    rig.tf.write("provider.tf", &good)?;
    rig.tf.apply().await?;
    let state = state_file(&rig)?;
    for (settings, parts) in cases {
        rig.provider(settings)?;
        refused(&rig, PLAN, parts).await?;
        assert_eq!(state_file(&rig)?, state);
    }
    rig.tf.write("provider.tf", &good)?;
    rig.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers() -> Result<()> {
    let closed = ClosedPort::hold()?;
    refused_always(&[
        (
            format!(r#"host = "127.0.0.1", port = {}, username = "a", sslmode = "disable""#, closed.number),
            &["Cannot reach the database server", "refused the connection", "Check host and port"],
        ),
        (
            r#"host = "nowhere.invalid", username = "a", sslmode = "disable""#.to_owned(),
            &["Cannot reach the database server", "\"nowhere.invalid\" does not resolve", "Check the host name"],
        ),
    ])
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_no_settings() -> Result<()> {
    refused_always(&[
        (r#"host = "h", username = "a", sslmode = "prefer""#.to_owned(), &["Invalid sslmode", "postgres.sslmode", "verify-full"]),
        (r#"host = "h", username = "a", port = 70000"#.to_owned(), &["postgres.port is 70000", "between 1 and 65535"]),
        (r#"host = "h", username = "a", port = "many""#.to_owned(), &["port", "number is required"]),
        (
            r#"host = "h", username = "a", max_connections = 0"#.to_owned(),
            &["postgres.max_connections is 0", "between 1 and 1000"],
        ),
        (String::new(), &["postgres.host", "postgres.cluster_identifier", "PGHOST", "postgres.username", "PGUSER"]),
        (r#"host = "h""#.to_owned(), &["Provider configuration is incomplete", "postgres.username", "PGUSER"]),
    ])
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_refused() -> Result<()> {
    let mut rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let at = format!(r#"host = "{}", port = {}, sslmode = "disable""#, rig.cluster.host, rig.cluster.port);
    for settings in [
        format!(r#"{at}, username = "clusteradmin", password = "no-longer""#),
        format!(r#"{at}, username = "nobody", password = "no-longer""#),
    ] {
        rig.provider(&settings)?;
        refused(&rig, PLAN, &["refuses the login", "SQLSTATE 28P01", "Check username and password"]).await?;
    }
    rig.provider(&format!(r#"{at}, username = "clusteradmin""#))?;
    rig.tf.unset_env("PGPASSWORD");
    refused(&rig, PLAN, &["refuses the login", "none is given", "PGPASSWORD"]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_in_the_place_of_the_writer() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    rig.tf.apply().await?;
    let state = state_file(&rig)?;
    let (host, port) = rig.cluster.start_reader().await?;
    rig.provider(&format!(r#"host = "{host}", port = {port}, username = "clusteradmin", sslmode = "disable""#))?;
    refused(&rig, PLAN, &["Connected to a reader instead of the writer", &port.to_string(), "writer endpoint"]).await?;
    assert_eq!(state_file(&rig)?, state);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn aws_settings_that_are_no_settings() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let closed = ClosedPort::hold()?;
    let lookup = format!(r#"postgres = {{ cluster_identifier = "{CLUSTER}", username = "clusteradmin" }}"#);
    let cases: [(&str, &[&str]); 5] = [
        (r#"aws = { access_key = "a" }"#, &["aws.access_key is set without aws.secret_key", "set both, or neither"]),
        (r#"aws = { secret_key = "a" }"#, &["aws.secret_key is set without aws.access_key"]),
        (r#"hots = "h""#, &["Unsupported argument", "hots"]),
        (r#"aws = { region = ["eu-west-1"] }"#, &["region", "string required"]),
        (r#"aws = { access_key = "a", secret_key = "b" }"#, &["No AWS region", "AWS_REGION"]),
    ];
    for (arguments, parts) in cases {
        rig.tf.write("provider.tf", &format!("provider \"clickpipes\" {{\n  {arguments}\n  {lookup}\n}}\n"))?;
        refused(&rig, PLAN, parts).await?;
    }
    let down = format!(
        r#"aws = {{ region = "us-east-1", access_key = "a", secret_key = "b", max_attempts = 1, endpoints = {{ rds = "http://127.0.0.1:{}" }} }}"#,
        closed.number
    );
    rig.tf.write("provider.tf", &format!("provider \"clickpipes\" {{\n  {down}\n  {lookup}\n}}\n"))?;
    refused(&rig, PLAN, &["Cannot reach AWS", "DescribeDBClusters", &format!("127.0.0.1:{}", closed.number), "aws.endpoints"])
        .await?;
    Ok(())
}
