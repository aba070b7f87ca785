//! The admin's password in Secrets Manager: the secret that RDS manages for the cluster, a separate secret, and rotations.

use acceptance_tests::rig::{ADMIN_PASSWORD, CLUSTER, Rig};
use acceptance_tests::simulator::{ClusterSpec, Fault};
use acceptance_tests::slow_network::ClosedPort;
use anyhow::{Context as _, Result};

use super::interruptions::{hold, until_it_waits, waiting_apply};
use super::{P, PLAN, PUBLICATIONS, live, publication, refused, rig, state_file};

/// A cluster whose master secret RDS manages, and a workspace that sets only the cluster.
async fn managed() -> Result<Rig> {
    let mut rig = rig(ClusterSpec::new(CLUSTER).managed_master_secret()).await?;
    rig.tf.unset_env("PGPASSWORD");
    rig.provider(&format!(r#"cluster_identifier = "{CLUSTER}", sslmode = "disable""#))?;
    Ok(rig)
}

/// A cluster with an unmanaged password, and a workspace that reads it from a secret of this name.
async fn own(secret: &str) -> Result<Rig> {
    let mut rig = rig(ClusterSpec::new(CLUSTER)).await?;
    rig.tf.unset_env("PGPASSWORD");
    with_secret(&rig, secret, "")?;
    Ok(rig)
}

fn with_secret(rig: &Rig, secret: &str, more: &str) -> Result<()> {
    let (host, port) = (&rig.cluster.host, rig.cluster.port);
    rig.provider(&format!(r#"host = "{host}", port = {port}, sslmode = "disable", password_secret_arn = "{secret}"{more}"#))
}

fn secret_reads(rig: &Rig) -> usize {
    rig.simulator.calls().iter().filter(|call| call.action == "GetSecretValue").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_alone_is_enough_and_its_password_is_kept_nowhere() -> Result<()> {
    let rig = managed().await?;
    let password = rig.cluster.master_password();
    live(&rig).await?;
    rig.main(&publication("\"insert\""))?;
    rig.tf.apply().await?;
    let before = secret_reads(&rig);
    rig.tf.assert_empty_plan().await?;
    assert_eq!(secret_reads(&rig) - before, 1, "a plan reads the secret once");
    rig.tf.assert_no_secret(&[&password], &[rig.cluster.server()?.log_path()])?;
    // PGPASSWORD of another server does not override it.
    let mut rig = rig;
    rig.tf.set_env("PGPASSWORD", "of-some-other-server");
    rig.tf.assert_empty_plan().await
}

/// The environment is used only for values that are not set elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_the_environment_names_the_managed_secrets_user_logs_in() -> Result<()> {
    let mut rig = managed().await?;
    rig.sql("CREATE ROLE passer_by LOGIN PASSWORD 'of-the-passer-by'").await?;
    rig.tf.set_env("PGUSER", "passer_by");
    rig.tf.set_env("PGPASSWORD", "of-the-passer-by");
    live(&rig).await?;
    rig.main(&publication("\"insert\""))?;
    rig.tf.apply().await?;
    // The role that creates a publication owns it.
    let owner = "SELECT pg_get_userbyid(pubowner)::text FROM pg_publication";
    assert_eq!(rig.ask(owner).await?, "clusteradmin");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_between_two_connections_of_a_run_goes_unnoticed() -> Result<()> {
    let rig = managed().await?;
    let first = rig.cluster.master_password();
    let holder = hold(&rig).await?;
    let (session, pid) = waiting_apply(&rig).await?;
    rig.cluster.rotate_master_secret().await?;
    // Its session is gone, so the run needs another; the password that it read is the old one.
    rig.ask(&format!("SELECT pg_terminate_backend({pid})::text")).await?;
    until_it_waits(&rig, pid).await?;
    holder.batch_execute("ROLLBACK").await?;
    session.outcome().await?.succeeded()?;
    assert_eq!(rig.ask(PUBLICATIONS).await?, "1");
    let log = rig.cluster.server_log()?;
    assert!(log.contains("password authentication failed for user \"clusteradmin\""), "nothing was refused");
    rig.tf.assert_empty_plan().await?;
    rig.tf.assert_no_secret(&[&first, &rig.cluster.master_password()], &[rig.cluster.server()?.log_path()])
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_middle_of_a_rotation_the_refusal_names_the_secret_and_passes_by_itself() -> Result<()> {
    let rig = managed().await?;
    rig.tf.apply().await?;
    let state = state_file(&rig)?;
    let arn = rig.cluster.master_secret_arn().context("a managed secret")?;
    let refusal = ["refuses the login", "SQLSTATE 28P01", &arn, "read again", "rotated", "try again in a minute"];

    let secret_first = rig.cluster.begin_master_rotation()?;
    secret_first.set_in_secret()?;
    refused(&rig, PLAN, &refusal).await?;
    secret_first.set_on_server().await?;
    rig.tf.assert_empty_plan().await?;

    let server_first = rig.cluster.begin_master_rotation()?;
    server_first.set_on_server().await?;
    refused(&rig, PLAN, &refusal).await?;
    server_first.set_in_secret()?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(state_file(&rig)?, state);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_ones_own_in_each_of_its_forms() -> Result<()> {
    let rig = own("orders/admin").await?;
    let object =
        format!(r#"{{"engine":"postgres","host":"elsewhere","port":1,"username":"clusteradmin","password":"{ADMIN_PASSWORD}"}}"#);
    let arn = rig.simulator.put_secret("orders/admin", &object)?;
    live(&rig).await?;
    with_secret(&rig, &arn, "")?;
    live(&rig).await?;
    // The bare password, for the user in the block.
    rig.simulator.put_secret("orders/admin", ADMIN_PASSWORD)?;
    with_secret(&rig, &arn, r#", username = "clusteradmin""#)?;
    live(&rig).await?;
    // A secret of another region is read in that region.
    let elsewhere = rig.simulator.put_secret_in("eu-west-1", "orders/admin", &object)?;
    with_secret(&rig, &elsewhere, "")?;
    live(&rig).await?;
    rig.tf.assert_no_secret(&[ADMIN_PASSWORD], &[rig.cluster.server()?.log_path()])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_helps_nobody_is_named_and_its_text_is_not() -> Result<()> {
    let rig = own("orders/admin").await?;
    let nothing = "No credentials for the database server";
    refused(&rig, PLAN, &[nothing, "orders/admin", "ResourceNotFoundException", "password_secret_arn"]).await?;

    let text = "gehe1m-t3xt";
    for (value, parts) in [
        (text.to_owned(), vec![nothing, "has no `username`", "set username"]),
        (format!(r#"{{"username":"clusteradmin","passphrase":"{text}"}}"#), vec![nothing, "without a text `password`"]),
        (
            format!(r#"{{"username":"clusteradmin","password":"{text}"}}"#),
            vec!["refuses the login", "28P01", "password in the secret orders/admin", "belongs to this role and cluster"],
        ),
    ] {
        rig.simulator.put_secret("orders/admin", &value)?;
        let message = refused(&rig, PLAN, &parts).await?;
        assert!(!message.contains(text), "{message}");
    }
    rig.simulator.put_binary_secret("orders/admin", b"binary")?;
    refused(&rig, PLAN, &[nothing, "is binary", "must be text"]).await?;

    rig.simulator.inject_fault("GetSecretValue", Fault::AccessDenied, 100);
    refused(&rig, PLAN, &[nothing, "the permission secretsmanager:GetSecretValue", "kms:Decrypt"]).await?;
    rig.simulator.clear_faults();
    rig.simulator.delete_secret("orders/admin");
    refused(&rig, PLAN, &[nothing, "InvalidRequestException"]).await?;
    rig.tf.assert_no_secret(&[text], &[rig.cluster.server()?.log_path()])
}

#[tokio::test(flavor = "multi_thread")]
async fn two_ways_to_log_in_are_one_too_many() -> Result<()> {
    let rig = own("orders/admin").await?;
    with_secret(&rig, "orders/admin", r#", password = "p""#)?;
    refused(&rig, PLAN, &["Two ways to log in", "postgres.password_secret_arn and postgres.password both"]).await?;
    rig.provider(r#"host = "h", username = "a", password_secret_arn = "orders/admin", iam_auth = true"#)?;
    refused(&rig, PLAN, &["Two ways to log in", "postgres.iam_auth and postgres.password_secret_arn both"]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_manager_out_of_reach_is_an_outage() -> Result<()> {
    let rig = managed().await?;
    rig.tf.apply().await?;
    let nobody = ClosedPort::hold()?;
    let closed = format!("secretsmanager = \"http://127.0.0.1:{}\"", nobody.number);
    let block = std::fs::read_to_string(rig.tf.folder().join("provider.tf"))?;
    let reachable = format!("secretsmanager = \"{}\"", rig.simulator.url());
    let away = block.replace(&reachable, &closed).replace("region ", "max_attempts = 1\n    region ");
    assert_ne!(away, block);
    rig.tf.write("provider.tf", &away)?;
    refused(
        &rig,
        PLAN,
        &["No credentials for the database server", "GetSecretValue failed", "cannot be reached", "aws.endpoints"],
    )
    .await?;
    rig.tf.write(
        "provider.tf",
        &away.replace("provider \"clickpipes\" {", "provider \"clickpipes\" {\n  on_unreachable = \"keep_state\""),
    )?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions(P), ["no-op"]);
    assert!(plan.outcome.message().contains("GetSecretValue failed"), "{}", plan.outcome.message());
    Ok(())
}
