//! `clickpipes_reboot`: one member is rebooted, and the action ends only when it is available again.

use acceptance_tests::rig::{CLUSTER, Rig};
use acceptance_tests::simulator::{ClusterSpec, Fault, FaultSpec};
use acceptance_tests::terraform_cli::{Feature, Outcome};
use anyhow::{Result, ensure};

async fn rig() -> Result<Option<Rig>> {
    let rig = Rig::start_with(ClusterSpec::new(CLUSTER)).await?;
    Ok(rig.tf.version().await?.knows(Feature::Actions).then_some(rig))
}

fn action(arguments: &str) -> String {
    format!("action \"clickpipes_reboot\" \"r\" {{\n  config {{\n    cluster_identifier = \"orders\"\n{arguments}\n  }}\n}}\n")
}

const INVOKE: [&str; 4] = ["apply", "-no-color", "-auto-approve", "-invoke=action.clickpipes_reboot.r"];

async fn invoke(rig: &Rig, arguments: &str) -> Result<Outcome> {
    rig.main(&action(arguments))?;
    rig.tf.run(INVOKE).await
}

/// The instances that the control plane was asked to reboot.
fn rebooted(rig: &Rig) -> Vec<String> {
    let calls = rig.simulator.calls();
    let reboots = calls.iter().filter(|call| call.action == "RebootDBInstance" && call.error.is_none());
    reboots.filter_map(|call| call.parameters.get("DBInstanceIdentifier").cloned()).collect()
}

async fn started(rig: &Rig) -> Result<String> {
    rig.ask("SELECT pg_postmaster_start_time()::text").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_writer_is_rebooted_and_awaited() -> Result<()> {
    let Some(rig) = rig().await? else { return Ok(()) };
    // A static parameter that waits for a reboot.
    rig.main(&format!("resource \"clickpipes_aurora_source\" \"s\" {{\n  cluster_identifier = \"{CLUSTER}\"\n}}\n"))?;
    rig.tf.apply().await?;
    assert_eq!(rig.ask("SHOW rds.logical_replication").await?, "off");
    let before = started(&rig).await?;
    rig.tf.write("action.tf", &action(""))?;
    let planned = rig.tf.run(["plan", "-no-color", "-invoke=action.clickpipes_reboot.r"]).await?.succeeded()?.stdout;
    ensure!(planned.contains("The writer of cluster orders is rebooted"), "{planned}");
    assert_eq!(rebooted(&rig), [""; 0], "a plan reboots nothing");
    let done = rig.tf.run(INVOKE).await?.succeeded()?.stdout;
    for said in ["Asking RDS to reboot orders-1 of cluster orders", "orders-1 is available and in-sync"] {
        ensure!(done.contains(said), "{said:?} is missing in:\n{done}");
    }
    assert_eq!(rebooted(&rig), ["orders-1"]);
    // Awaited: the effect of the reboot is visible as soon as the action has ended.
    assert_eq!(rig.ask("SHOW rds.logical_replication").await?, "on");
    assert_ne!(started(&rig).await?, before);
    rig.tf.remove("action.tf")?;
    rig.tf.refresh_only().await?;
    assert_eq!(rig.tf.resource("clickpipes_aurora_source.s").await?["reboot_required"], true, "the reader still waits");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_rebooted_whether_or_not_it_waits_for_one() -> Result<()> {
    let Some(rig) = rig().await? else { return Ok(()) };
    let before = started(&rig).await?;
    let done = invoke(&rig, "    instance_identifier = \"orders-2\"").await?.succeeded()?.stdout;
    ensure!(done.contains("Member orders-2 of cluster orders is rebooted"), "{done}");
    ensure!(done.contains("Waiting for"), "no progress is shown:\n{done}");
    assert_eq!(rebooted(&rig), ["orders-2"]);
    assert_eq!(started(&rig).await?, before, "the writer goes on");
    invoke(&rig, "").await?.succeeded()?;
    assert_eq!(rebooted(&rig), ["orders-2", "orders-1"]);
    assert_ne!(started(&rig).await?, before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_rebooted_is_named_and_nothing_is() -> Result<()> {
    let Some(rig) = rig().await? else { return Ok(()) };
    for (arguments, parts) in [
        (
            "    instance_identifier = \"orders-9\"",
            &["Cluster orders has no member orders-9", "orders-1, orders-2", "main.tf line"][..],
        ),
        ("    instance_identifier = \"Orders\"", &["Invalid instance_identifier", "lower case"]),
        ("    timeout = \"soon\"", &["Invalid timeout"]),
    ] {
        let message = invoke(&rig, arguments).await?.failed()?.message();
        for part in parts {
            ensure!(message.contains(part), "{part:?} is missing in:\n{message}");
        }
    }
    rig.main(&action("").replace("\"orders\"", "\"nowhere\""))?;
    let message = rig.tf.run(INVOKE).await?.failed()?.message();
    ensure!(
        message.contains("Reboot of cluster nowhere: Cluster nowhere not found") && message.contains("us-east-1"),
        "{message}"
    );
    rig.simulator.inject_fault("RebootDBInstance", Fault::AccessDenied, 10);
    let message = invoke(&rig, "").await?.failed()?.message();
    ensure!(message.contains("rds:RebootDBInstance") && message.contains("Nothing was rebooted."), "{message}");
    assert_eq!(rebooted(&rig), [""; 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_wait_and_says_what_is_known_of_the_reboot() -> Result<()> {
    let Some(rig) = rig().await? else { return Ok(()) };
    rig.main(&action(""))?;
    for (hangs, said, consequence) in [
        ("DescribeDBInstances", "until orders-1 of cluster orders can be rebooted", "Nothing was rebooted."),
        ("RebootDBInstance", "Asking RDS to reboot orders-1", "may be rebooting, or may have rebooted"),
    ] {
        rig.simulator.inject_fault(hangs, Fault::Hang, 100);
        std::fs::remove_file(rig.tf.log_path()).ok();
        let session = rig.tf.start(INVOKE)?;
        rig.tf.until_logged(said).await?;
        session.interrupt()?;
        let message = session.outcome().await?.failed()?.message();
        ensure!(message.contains("Cancelled") && message.contains(consequence), "{message}");
        rig.simulator.clear_faults();
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeout_limits_the_whole_and_says_what_has_become_of_the_reboot() -> Result<()> {
    let Some(rig) = rig().await? else { return Ok(()) };
    rig.simulator.inject_fault("RebootDBInstance", Fault::Hang, 100);
    let message = invoke(&rig, "    timeout = \"2s\"").await?.failed()?.message();
    for part in [
        "Reboot of orders-1 of cluster orders: Timed out",
        "longer than 2s",
        "may be rebooting, or may have rebooted",
        "main.tf line",
    ] {
        ensure!(message.contains(part), "{part:?} is missing in:\n{message}");
    }
    rig.simulator.clear_faults();
    // An error after the reboot has begun: the message must not suggest that it did not happen.
    let denied = FaultSpec { action: "DescribeDBInstances".to_owned(), fault: Fault::AccessDenied, count: 100, skip: 2 };
    rig.simulator.inject(denied);
    let message = invoke(&rig, "").await?.failed()?.message();
    for part in ["rds:DescribeDBInstances", "RDS has accepted the reboot of orders-1"] {
        ensure!(message.contains(part), "{part:?} is missing in:\n{message}");
    }
    Ok(())
}

/// Two simultaneous outages of a cluster would be an outage of the whole cluster.
#[tokio::test(flavor = "multi_thread")]
async fn reboots_of_one_cluster_queue() -> Result<()> {
    let Some(rig) = rig().await? else { return Ok(()) };
    let member = |name: &str, instance: &str| {
        let action = action(&format!("    instance_identifier = \"{instance}\"")).replace("\"r\"", &format!("\"{name}\""));
        let trigger = format!(
            "resource \"terraform_data\" \"{name}\" {{\n  lifecycle {{\n    action_trigger {{\n      events = [after_create]\n      actions = \
             [action.clickpipes_reboot.{name}]\n    }}\n  }}\n}}\n"
        );
        format!("{action}\n{trigger}")
    };
    rig.main(&format!("{}\n{}", member("one", "orders-1"), member("two", "orders-2")))?;
    let done = rig.tf.apply().await?.stdout;
    let mut both = rebooted(&rig);
    both.sort();
    assert_eq!(both, ["orders-1", "orders-2"]);
    let at = |text: &str| done.find(text).ok_or_else(|| anyhow::anyhow!("{text:?} is missing in:\n{done}"));
    let (one, two) = (at("Asking RDS to reboot orders-1")?, at("Asking RDS to reboot orders-2")?);
    let (first_done, second) = if one < two { (at("orders-1 is available")?, two) } else { (at("orders-2 is available")?, one) };
    ensure!(first_done < second, "the second began before the first was done:\n{done}");
    Ok(())
}

/// As part of an apply: after the change that it depends on.
#[tokio::test(flavor = "multi_thread")]
async fn it_follows_a_change_that_triggers_it() -> Result<()> {
    let Some(rig) = rig().await? else { return Ok(()) };
    rig.main(&format!(
        "{}\nresource \"clickpipes_aurora_source\" \"s\" {{\n  cluster_identifier = \"{CLUSTER}\"\n  lifecycle {{\n    action_trigger {{\n      \
         events = [after_create]\n      actions = [action.clickpipes_reboot.r]\n    }}\n  }}\n}}\n",
        action("")
    ))?;
    rig.tf.apply().await?;
    assert_eq!(rebooted(&rig), ["orders-1"]);
    assert_eq!(rig.ask("SHOW rds.logical_replication").await?, "on");
    Ok(())
}
