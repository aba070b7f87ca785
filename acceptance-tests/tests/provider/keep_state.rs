//! `on_unreachable = "keep_state"`: a plan where AWS or the database is out of reach, as in the check of a pull request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use acceptance_tests::rig::{CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::ClusterSpec;
use anyhow::Result;
use serde_json::json;
use tokio::net::TcpListener;

use super::{APPLY, P, PLAN, PUBLICATIONS, closed_port, publication, refused, rig, state_file};

const U: &str = "clickpipes_replication_user.u";
const S: &str = "clickpipes_aurora_source.s";
const DATABASE_AWAY: &str = "Warning: Cannot reach the database server";
const AWS_AWAY: &str = "Warning: Cannot reach AWS";

fn user() -> String {
    format!(
        "resource \"clickpipes_replication_user\" \"u\" {{\n  database = \"{DATABASE}\"\n  name = \"u\"\n  schemas = [\"public\"]\n  \
         password_wo = \"a-password-of-some-length\"\n  password_wo_version = 1\n}}\n"
    )
}

fn source() -> String {
    format!("resource \"clickpipes_aurora_source\" \"s\" {{\n  cluster_identifier = \"{CLUSTER}\"\n  reboot = \"writer\"\n}}\n")
}

/// A provider block that keeps the state, with these settings.
fn provider(rig: &Rig, rds: &str, postgres: &str) -> Result<()> {
    rig.tf.write(
        "provider.tf",
        &format!(
            "provider \"clickpipes\" {{\n  on_unreachable = \"keep_state\"\n  aws = {{\n    region = \"us-east-1\"\n    access_key = \
             \"testing\"\n    secret_key = \"testing\"\n    max_attempts = 1\n    endpoints = {{ rds = \"{rds}\" }}\n  }}\n  postgres = \
             {{ username = \"clusteradmin\", sslmode = \"disable\", {postgres} }}\n}}\n"
        ),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_a_plan_comes_from_state_and_configuration_and_an_apply_fails() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let configuration = publication("\"insert\"") + &user();
    rig.main(&configuration)?;
    rig.tf.apply().await?;
    let state = state_file(&rig)?;
    let closed = format!("host = \"127.0.0.1\", port = {}", closed_port()?);
    provider(&rig, &rig.simulator.url(), &closed)?;

    let plan = rig.tf.plan().await?;
    assert_eq!((plan.actions(P), plan.actions(U)), (vec!["no-op"], vec!["no-op"]));
    let message = plan.outcome.message();
    for part in [DATABASE_AWAY, "on_unreachable is \"keep_state\"", "refused the connection"] {
        assert!(message.contains(part), "{part:?} is missing in:\n{message}");
    }

    // An update needs no look: its operations follow from state and configuration, as they do where the server is within reach.
    let changed = publication("\"delete\"")
        + &user().replace("password_wo_version = 1", "password_wo_version = 2")
        + &publication("\"insert\"").replace("\"p\"", "\"new\"");
    rig.main(&changed)?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(P), ["ALTER PUBLICATION \"p\" SET (publish = 'delete')"]);
    assert_eq!(plan.operations(U), ["ALTER ROLE \"u\" PASSWORD '<redacted>'"]);
    assert_eq!(plan.actions("clickpipes_publication.new"), ["create"]);
    assert!(plan.is_unknown("clickpipes_publication.new", "operations"));

    let failed = rig.tf.run(APPLY).await?.failed()?.message();
    assert!(failed.contains("Error: Cannot reach the database server"), "{failed}");
    assert_eq!(rig.tf.resource(P).await?["publish"], json!(["insert"]));
    let plan = rig.tf.plan_with(&["-destroy"]).await?;
    assert_eq!((plan.actions(P), plan.actions(U)), (vec!["delete"], vec!["delete"]));
    let failed = rig.tf.run(["destroy", "-no-color", "-input=false", "-auto-approve"]).await?.failed()?.message();
    assert!(failed.contains("Error: Cannot reach the database server"), "{failed}");

    // Within reach the same block plans as any other does.
    let within = format!("host = \"{}\", port = {}", rig.cluster.host, rig.cluster.port);
    provider(&rig, &rig.simulator.url(), &within)?;
    rig.main(&configuration)?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(state_file(&rig)?.matches("\"name\": \"u\"").count(), state.matches("\"name\": \"u\"").count());
    rig.main(&changed)?;
    rig.tf.apply().await?;
    assert_eq!(rig.ask(PUBLICATIONS).await?, "2");
    rig.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_aws_the_source_and_whatever_is_found_through_it_keep_their_state() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    provider(&rig, &rig.simulator.url(), &format!("cluster_identifier = \"{CLUSTER}\""))?;
    let configuration = publication("\"insert\"") + &source();
    rig.main(&configuration)?;
    rig.tf.apply().await?;
    let calls = rig.simulator.calls().len();
    let away = format!("http://127.0.0.1:{}", closed_port()?);
    provider(&rig, &away, &format!("cluster_identifier = \"{CLUSTER}\""))?;
    let plan = rig.tf.plan().await?;
    assert_eq!((plan.actions(P), plan.actions(S)), (vec!["no-op"], vec!["no-op"]));
    assert!(plan.outcome.message().contains(AWS_AWAY), "{}", plan.outcome.message());

    let other = source().replace("\"s\"", "\"other\"").replace(CLUSTER, "invoices");
    rig.main(&format!("{configuration}{}", other))?;
    let plan = rig.tf.plan().await?;
    assert!(plan.is_unknown("clickpipes_aurora_source.other", "operations"));
    let failed = rig.tf.run(APPLY).await?.failed()?.message();
    assert!(failed.contains("Error: Cannot reach AWS") && failed.contains("aws.endpoints"), "{failed}");
    let plan = rig.tf.plan_with(&["-destroy"]).await?;
    assert_eq!(plan.actions(S), ["delete"]);
    assert_eq!(rig.simulator.calls().len(), calls);
    rig.main(&configuration)?;
    provider(&rig, &rig.simulator.url(), &format!("cluster_identifier = \"{CLUSTER}\""))?;
    rig.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_cannot_be_assumed_because_nobody_answers_is_an_outage() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let cluster = format!("cluster_identifier = \"{CLUSTER}\"");
    provider(&rig, &rig.simulator.url(), &cluster)?;
    rig.tf.apply().await?;
    let block = std::fs::read_to_string(rig.tf.folder().join("provider.tf"))?;
    let sts = format!("sts = \"http://127.0.0.1:{}\", rds", closed_port()?);
    let assuming = block
        .replace("    max_attempts", "    assume_role = { role_arn = \"arn:aws:iam::123456789012:role/r\" }\n    max_attempts");
    rig.tf.write("provider.tf", &assuming.replace("rds", &sts))?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions(P), ["no-op"]);
    assert!(plan.outcome.message().contains("the service that gives the credentials"), "{}", plan.outcome.message());
    // One that answers and refuses is none.
    rig.tf.write("provider.tf", &assuming.replace("rds", &format!("sts = \"{}\", rds", rig.simulator.url())))?;
    refused(&rig, PLAN, &["No usable AWS credentials", "AccessDenied"]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_no_outage() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    rig.tf.apply().await?;
    let at = format!("host = \"{}\", port = {}", rig.cluster.host, rig.cluster.port);
    provider(&rig, &rig.simulator.url(), &format!("{at}, password = \"no-longer\""))?;
    refused(&rig, PLAN, &["refuses the login", "SQLSTATE 28P01"]).await?;
    let block = std::fs::read_to_string(rig.tf.folder().join("provider.tf"))?;
    rig.tf.write("provider.tf", &block.replace("keep_state", "ignore"))?;
    refused(&rig, PLAN, &["Invalid on_unreachable", "\"ignore\"", "\"fail\" or \"keep_state\""]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_found_once_however_many_resources_there_are() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let many: String = (0..30).map(|n| publication("\"insert\"").replace("\"p\"", &format!("\"p{n}\""))).collect();
    rig.main(&many)?;
    rig.tf.apply().await?;
    // A tunnel whose far end is gone: it accepts, and drops.
    let tunnel = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = tunnel.local_addr()?.port();
    let dialled = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&dialled);
    let accepting = tokio::spawn(async move {
        while let Ok((stream, _)) = tunnel.accept().await {
            counter.fetch_add(1, Ordering::Relaxed);
            drop(stream);
        }
    });
    for (on_unreachable, fails) in [("keep_state", false), ("fail", true)] {
        provider(&rig, &rig.simulator.url(), &format!("host = \"127.0.0.1\", port = {port}"))?;
        let block = std::fs::read_to_string(rig.tf.folder().join("provider.tf"))?;
        rig.tf.write("provider.tf", &block.replace("\"keep_state\"", &format!("\"{on_unreachable}\"")))?;
        dialled.store(0, Ordering::Relaxed);
        let outcome = rig.tf.run(PLAN).await?;
        if fails {
            assert_eq!(outcome.failed()?.message().matches("Error: Cannot reach the database server").count(), 30);
        } else {
            outcome.succeeded()?;
        }
        let dialled = dialled.load(Ordering::Relaxed);
        assert!((1..30).contains(&dialled), "{on_unreachable}: dialled {dialled} times");
    }
    accepting.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_has_no_state_to_keep() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    rig.sql("CREATE PUBLICATION p FOR TABLE ONLY orders WITH (publish = 'insert')").await?;
    let away = closed_port()?;
    let import = format!("import {{\n  to = {P}\n  id = \"{DATABASE}/p\"\n}}\n{}", publication("\"insert\""));
    rig.main(&import)?;
    provider(&rig, &rig.simulator.url(), &format!("host = \"127.0.0.1\", port = {away}"))?;
    refused(&rig, PLAN, &["Cannot reach the database server"]).await?;
    let by_command = ["import", "-no-color", "-input=false", P, &format!("{DATABASE}/p")];
    refused(&rig, &by_command, &["Cannot reach the database server"]).await?;
    assert!(rig.tf.resource(P).await?.is_null());
    // Within reach it is one.
    provider(&rig, &rig.simulator.url(), &format!("host = \"{}\", port = {}", rig.cluster.host, rig.cluster.port))?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await
}
