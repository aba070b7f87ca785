//! The provider block as this resource sees it: unknown at plan, wrong, incomplete.

use acceptance_tests::simulator::ClusterSpec;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::rig::{DEFAULT, OURS, Rig, SOURCE};

fn aws(arguments: &str) -> String {
    format!("provider \"clickpipes\" {{\n  aws = {{\n    max_attempts = 1\n    {arguments}\n  }}\n}}\n")
}

#[tokio::test]
async fn a_provider_that_is_unknown_at_plan_dials_nothing_and_applies() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    let keys = "region = \"us-east-1\"\n access_key = \"an id\"\n secret_key = \"a secret key\"";
    rig.tf.write("provider.tf", &aws(&format!("{keys}\n endpoints = {{ rds = terraform_data.url.output }}")))?;
    rig.tf.write("url.tf", &format!("resource \"terraform_data\" \"url\" {{\n  input = {:?}\n}}\n", rig.simulator.url()))?;
    rig.source("reboot = \"writer\"")?;
    rig.simulator.clear_calls();
    let plan = rig.tf.plan().await?;
    assert!(rig.simulator.calls().is_empty(), "{:?}", rig.simulator.calls());
    assert!(plan.is_unknown(SOURCE, "operations"));
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.cluster.parameter_group(), OURS);
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_said_in_one_error() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("")?;
    let keys = "access_key = \"an id\"\n secret_key = \"a secret key\"";
    for (arguments, words) in [
        (keys.to_owned(), "no AWS region is known"),
        ("region = \"us-east-1\"".to_owned(), "no usable AWS credentials"),
        (
            format!("region = \"us-east-1\"\n{keys}\n endpoints = {{ rds = \"http://127.0.0.1:1\" }}"),
            "http://127.0.0.1:1 cannot be reached",
        ),
        (
            format!("region = \"us-east-1\"\n{keys}\n endpoints = {{ rds = \"http://nowhere.invalid\" }}"),
            "nowhere.invalid cannot be reached",
        ),
    ] {
        rig.tf.write("provider.tf", &aws(&arguments))?;
        let message = rig.plan_fails().await?.message();
        assert!(message.contains(words), "{words} is missing in {message}");
        assert_eq!(message.matches("Error: ").count(), 1, "{message}");
    }
    Ok(())
}

#[tokio::test]
async fn another_cluster_replaces_the_resource() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.simulator.create_cluster(ClusterSpec::new("other").without_postgres()).await?;
    rig.source("force_destroy = true")?;
    rig.tf.apply().await?;
    rig.tf.write("main.tf", "resource \"clickpipes_aurora_source\" \"shop\" {\n  cluster_identifier = \"other\"\n}\n")?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions(SOURCE), ["delete", "create"]);
    assert_eq!(plan.operations(SOURCE).len(), 3);
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.cluster.parameter_group(), DEFAULT);
    assert_eq!(rig.state().await?["id"], "other");
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn a_cluster_that_is_gone_is_replaced_and_its_group_deleted() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.simulator.create_cluster(ClusterSpec::new("brief").without_postgres()).await?;
    rig.tf.write("main.tf", "resource \"clickpipes_aurora_source\" \"shop\" {\n  cluster_identifier = \"brief\"\n}\n")?;
    rig.tf.apply().await?;
    let mut control = TcpStream::connect(rig.simulator.url().trim_start_matches("http://")).await?;
    control.write_all(b"DELETE /_sim/clusters/brief HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    control.read_to_string(&mut answer).await?;
    assert!(answer.starts_with("HTTP/1.1 2"), "{answer}");
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions(SOURCE), ["delete", "create"]);
    let message = plan.outcome.message();
    assert!(message.contains("DeleteDBClusterParameterGroup clickpipes-brief-aurora-postgresql15"), "{message}");
    Ok(())
}
