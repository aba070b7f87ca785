//! `on_unreachable = "keep_state"`: a plan without access to AWS or the database, as in a pull request check.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use acceptance_tests::core_client::{CoreClient, TerraformCore, Value as Stored, Version, Walk};
use acceptance_tests::rig::{ADMIN_PASSWORD, CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::ClusterSpec;
use acceptance_tests::slow_network::ClosedPort;
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{APPLY, P, PLAN, PUBLICATIONS, publication, refused, rig, state_file};

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

/// The contents of the state file for every resource: attributes, private data, and whether it is tainted. A failed apply leaves
/// the planned private data; its operations are those of the last plan, and no later plan uses them.
fn resources(rig: &Rig) -> Result<Value> {
    let mut resources = serde_json::from_str::<Value>(&state_file(rig)?)?["resources"].take();
    for resource in resources.as_array_mut().context("no resources")? {
        for instance in resource["instances"].as_array_mut().context("no instances")? {
            let private = STANDARD.decode(instance["private"].as_str().context("no private data")?)?;
            let mut private: Value = serde_json::from_slice(&private)?;
            if let Some(private) = private.as_object_mut() {
                private.remove("operations");
            }
            instance["private"] = private;
        }
    }
    Ok(resources)
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
    let stored = resources(&rig)?;
    assert_eq!(stored.as_array().map(Vec::len), Some(2));
    let nobody = ClosedPort::hold()?;
    let closed = format!("host = \"127.0.0.1\", port = {}", nobody.number);
    provider(&rig, &rig.simulator.url(), &closed)?;

    let plan = rig.tf.plan().await?;
    assert_eq!((plan.actions(P), plan.actions(U)), (vec!["no-op"], vec!["no-op"]));
    let message = plan.outcome.message();
    for part in [DATABASE_AWAY, "on_unreachable is \"keep_state\"", "refused the connection"] {
        assert!(message.contains(part), "{part:?} is missing in:\n{message}");
    }

    // An update needs no look: its operations follow from state and configuration, just as when the server can be reached.
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
    assert_eq!(resources(&rig)?, stored);
    assert_eq!(rig.tf.resource(P).await?["publish"], json!(["insert"]));
    let plan = rig.tf.plan_with(&["-destroy"]).await?;
    assert_eq!((plan.actions(P), plan.actions(U)), (vec!["delete"], vec!["delete"]));
    let failed = rig.tf.run(["destroy", "-no-color", "-input=false", "-auto-approve"]).await?.failed()?.message();
    assert!(failed.contains("Error: Cannot reach the database server"), "{failed}");
    assert_eq!(resources(&rig)?, stored);

    // If the server can be reached, the same block plans as usual.
    let within = format!("host = \"{}\", port = {}", rig.cluster.host, rig.cluster.port);
    provider(&rig, &rig.simulator.url(), &within)?;
    rig.main(&configuration)?;
    rig.tf.assert_empty_plan().await?;
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
    let stored = resources(&rig)?;
    let calls = rig.simulator.calls().len();
    let nobody = ClosedPort::hold()?;
    let away = format!("http://127.0.0.1:{}", nobody.number);
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
    assert_eq!(resources(&rig)?, stored);
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
    let nobody = ClosedPort::hold()?;
    let sts = format!("sts = \"http://127.0.0.1:{}\", rds", nobody.number);
    let assuming = block
        .replace("    max_attempts", "    assume_role = { role_arn = \"arn:aws:iam::123456789012:role/r\" }\n    max_attempts");
    rig.tf.write("provider.tf", &assuming.replace("rds", &sts))?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions(P), ["no-op"]);
    assert!(plan.outcome.message().contains("the service that provides the credentials"), "{}", plan.outcome.message());
    // A server that answers and refuses is not an outage.
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

/// In one process, as when Terraform goes on with resources that do not depend on the failed one.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_that_is_over_is_forgotten_after_an_apply() -> Result<()> {
    const TYPE: &str = "clickpipes_publication";
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let closed = ClosedPort::hold()?;
    let client = CoreClient::start().await?;
    let mut core = TerraformCore::load(client.provider.clone()).await?;
    core.configure(&json!({
        "on_unreachable": "keep_state",
        "postgres": {
            "host": "127.0.0.1", "port": closed.number, "username": "clusteradmin", "password": ADMIN_PASSWORD, "sslmode": "disable",
        },
    }))
    .await?;
    let arguments = json!({ "database": DATABASE, "name": "p", "tables": ["public.orders"], "publish": ["insert"] });
    let config = core.configuration(TYPE, &arguments)?;
    let walk = Walk::Plan(Version::V1_11);
    let without = core.plan(TYPE, None, &config, walk).await?;
    assert!(!without.state.attribute("operations").is_known());
    assert_eq!(without.warnings.len(), 1, "{:?}", without.warnings);
    let failure = core.apply(TYPE, None, &without, &config).await?.failure.context("it was applied")?;
    assert!(failure.to_string().contains("Cannot reach the database server"), "{failure}");

    let server = format!("{}:{}", rig.cluster.host, rig.cluster.port).parse()?;
    let _network = closed.open(server)?;
    let planned = core.plan(TYPE, None, &config, walk).await?;
    assert!(planned.state.attribute("operations").is_wholly_known(), "{:?}", planned.warnings);
    assert_eq!(planned.warnings, []);
    let object = core.apply(TYPE, None, &planned, &config).await?.succeeded()?.context("nothing was created")?;
    assert_eq!(object.value.attribute("name"), Stored::text("p"));
    assert_eq!(rig.ask(PUBLICATIONS).await?, "1");
    client.close().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_found_once_however_many_resources_there_are() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let many: String = (0..30).map(|n| publication("\"insert\"").replace("\"p\"", &format!("\"p{n}\""))).collect();
    rig.main(&many)?;
    rig.tf.apply().await?;
    // A tunnel whose far end is gone: it accepts connections, and drops them.
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
    let away = ClosedPort::hold()?;
    let import = format!("import {{\n  to = {P}\n  id = \"{DATABASE}/p\"\n}}\n{}", publication("\"insert\""));
    rig.main(&import)?;
    provider(&rig, &rig.simulator.url(), &format!("host = \"127.0.0.1\", port = {}", away.number))?;
    refused(&rig, PLAN, &["Cannot reach the database server"]).await?;
    let by_command = ["import", "-no-color", "-input=false", P, &format!("{DATABASE}/p")];
    refused(&rig, &by_command, &["Cannot reach the database server"]).await?;
    assert!(rig.tf.resource(P).await?.is_null());
    // If the server can be reached, the import works.
    provider(&rig, &rig.simulator.url(), &format!("host = \"{}\", port = {}", rig.cluster.host, rig.cluster.port))?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await
}
