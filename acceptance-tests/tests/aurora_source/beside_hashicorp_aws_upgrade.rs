//! The guide on major upgrades, with hashicorp/aws: it upgrades the cluster to the group that our provider keeps ready.

use acceptance_tests::docs::repository;
use acceptance_tests::postgres_server::is_available;
use acceptance_tests::simulator::{Options, Simulator};
use acceptance_tests::terraform_cli::Terraform;
use anyhow::Context as _;

use crate::beside_hashicorp_aws::{mirror, providers};
use crate::beside_hashicorp_aws_modes::{PASSWORD, REST, SOURCE};

/// The configuration of a step, as the guide has it.
fn configuration(step: &str) -> anyhow::Result<String> {
    let guide = std::fs::read_to_string(repository().join("docs/guides/major-upgrade.md"))?;
    let section = guide.split("\n## ").find(|section| section.starts_with(step)).context("no such step")?;
    let (_, code) = section.split_once("```terraform\n").context("no code")?;
    let (code, _) = code.split_once("```").context("the code does not end")?;
    let reboot = "  reboot             = \"all\"\n";
    anyhow::ensure!(code.contains(reboot), "{code}");
    Ok(code.replace(reboot, &format!("{reboot}  depends_on         = [aws_rds_cluster_instance.orders]\n")) + REST)
}

#[tokio::test]
async fn the_cluster_is_upgraded_to_the_group_that_is_kept_ready_and_logical_replication_stays_on() -> anyhow::Result<()> {
    let Some(mirror) = mirror()? else { return Ok(()) };
    if !(is_available(15).await? && is_available(16).await?) {
        return Ok(());
    }
    let (old, new) = ("clickpipes-orders-aurora-postgresql15", "clickpipes-orders-aurora-postgresql16");
    let simulator = Simulator::start(Options::default())?;
    let tf = Terraform::new()?.with_env("TF_VAR_master_password", PASSWORD);
    tf.write("providers.tf", &providers(&simulator, "orders"))?;
    let (prepared, upgraded) = (configuration("1.")?, configuration("3.")?);
    tf.write("main.tf", &prepared)?;
    tf.init_from(&mirror).await?;
    tf.apply().await?;
    assert_eq!(simulator.parameter_groups(), [old, new]);

    let reboots = || simulator.calls().iter().filter(|call| call.action == "RebootDBInstance").count();
    let before = reboots();
    tf.write("main.tf", &upgraded)?;
    tf.apply().await?;
    let cluster = simulator.cluster("orders").context("hashicorp/aws made no cluster")?;
    assert_eq!((cluster.upgrade_failure(), cluster.parameter_group().as_str()), (None, new));
    assert!(cluster.show("server_version_num").await?.starts_with("16"));
    assert_eq!(cluster.show("wal_level").await?, "logical");
    let plan = tf.plan().await?;
    assert_eq!(plan.operations(SOURCE), [format!("DeleteDBClusterParameterGroup {old}")]);
    assert_eq!(plan.actions("aws_rds_cluster.orders"), ["no-op"]);
    tf.apply_plan(&plan).await?;
    assert_eq!((reboots(), simulator.parameter_groups()), (before, vec![new.to_owned()]));

    // What the upgrade needed can go, in any order.
    tf.write("main.tf", &prepared.replace("15.10", "16.6"))?;
    tf.apply().await?;
    tf.assert_empty_plan().await?;
    assert_eq!((reboots(), cluster.parameter_group().as_str()), (before, new));
    tf.destroy().await?;
    assert_eq!(simulator.parameter_groups(), [""; 0]);
    Ok(())
}
