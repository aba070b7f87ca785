//! Settings that are known only at apply: a plan makes no connection and has no error.

use acceptance_tests::rig::{CLUSTER, Rig};
use acceptance_tests::simulator::ClusterSpec;
use anyhow::{Result, ensure};

use super::{APPLICATION, P, publication, rig};

/// The publication, and a resource whose output is unknown until it is applied.
fn configuration(publish: &str, output: &str) -> String {
    format!("resource \"terraform_data\" \"later\" {{ input = \"{output}\" }}\n{}", publication(publish))
}

/// Plans into a file for the apply; no session was opened and no call was made.
async fn plan_without_dialling(rig: &Rig) -> Result<acceptance_tests::terraform_cli::Plan> {
    let (log, calls) = (rig.cluster.server_log()?, rig.simulator.calls().len());
    let plan = rig.tf.plan().await?;
    ensure!(!rig.cluster.server_log()?[log.len()..].contains(APPLICATION), "the plan dialled the server");
    ensure!(rig.simulator.calls().len() == calls, "the plan called AWS");
    ensure!(!plan.outcome.message().contains("Warning: Provider configuration"), "{}", plan.outcome.message());
    Ok(plan)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_dials_nothing_and_its_apply_works() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let port = rig.cluster.port;
    rig.provider(&format!(
        r#"host = terraform_data.later.output, port = {port}, username = "clusteradmin", sslmode = "disable""#
    ))?;
    rig.main(&configuration("\"insert\"", "127.0.0.1"))?;
    let plan = plan_without_dialling(&rig).await?;
    assert_eq!(plan.actions(P), ["create"]);
    assert!(plan.is_unknown(P, "operations"));
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await?;
    let created = rig.tf.resource(P).await?;

    // Unknown again while there is something in the state: the state is kept.
    rig.main(&configuration("\"insert\"", "localhost"))?;
    let plan = plan_without_dialling(&rig).await?;
    assert_eq!(plan.actions(P), ["no-op"]);
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.tf.resource(P).await?, created);

    // A change is planned from configuration and state.
    rig.main(&configuration("\"delete\"", "127.0.0.1"))?;
    let plan = plan_without_dialling(&rig).await?;
    assert_eq!(plan.operations(P), ["ALTER PUBLICATION \"p\" SET (publish = 'delete')"]);
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_address_of_aws_calls_nothing() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    rig.tf.write(
        "provider.tf",
        &format!(
            r#"provider "clickpipes" {{
  aws = {{ region = "us-east-1", access_key = "a", secret_key = "b", endpoints = {{ rds = terraform_data.later.output }} }}
  postgres = {{ cluster_identifier = "{CLUSTER}", username = "clusteradmin", sslmode = "disable" }}
}}
"#
        ),
    )?;
    rig.main(&configuration("\"insert\"", &rig.simulator.url()))?;
    let plan = plan_without_dialling(&rig).await?;
    assert!(plan.is_unknown(P, "operations"));
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await
}
