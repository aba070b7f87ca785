//! The reboot policies, and what the plan says about them.

use acceptance_tests::simulator::{ClusterSpec, GlobalMembership};

use crate::rig::{ALL_REBOOT, DEFAULT, OURS, Rig, SOURCE, strings};

const CREATE: &str = "CreateDBClusterParameterGroup clickpipes-shop-aurora-postgresql15: family aurora-postgresql15, tags \
                      clickpipes:cluster=shop, clickpipes:previous-parameter-group=default.aurora-postgresql15";
const SET: &str = "ModifyDBClusterParameterGroup clickpipes-shop-aurora-postgresql15: rds.logical_replication = 1 (pending-reboot), \
                   wal_sender_timeout = 0 (immediate)";
const ATTACH: &str = "ModifyDBCluster shop: parameter group clickpipes-shop-aurora-postgresql15, immediately";

#[tokio::test]
async fn never_attaches_the_group_and_leaves_the_reboot_to_people() -> anyhow::Result<()> {
    let rig = Rig::new().await?;
    rig.source("")?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE), [CREATE, SET, ATTACH]);
    assert!(plan.outcome.message().contains("A reboot is needed"), "{}", plan.outcome.stdout);
    assert!(plan.is_unknown(SOURCE, "host"));
    assert_eq!(plan.change(SOURCE)["after"]["source_type"], "aurorapostgres");

    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.changes()?, [CREATE, SET, ATTACH]);
    assert_eq!(rig.statuses(), ["pending-reboot", "pending-reboot"]);
    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "off");
    let state = rig.state().await?;
    assert_eq!(state["ready"], false);
    assert_eq!(state["reboot_required"], true);
    assert_eq!(state["parameter_group_name"], OURS);
    assert_eq!(state["previous_parameter_group_name"], DEFAULT);
    assert_eq!(state["host"], rig.cluster.host.as_str());
    assert_eq!(state["port"], rig.cluster.port);
    assert_eq!(state["arn"], rig.cluster.arn.as_str());
    assert_eq!(state["cluster_resource_id"], rig.cluster.resource_id.as_str());
    assert_eq!(state["region"], "us-east-1");
    rig.tf.assert_empty_plan().await?;

    // The policy is changed later: only the reboot is left.
    rig.source("reboot = \"writer\"")?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE), ["RebootDBInstance <the writer of shop>"]);
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "on");
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn writer_reboots_the_writer_only_and_the_source_is_ready() -> anyhow::Result<()> {
    let rig = Rig::new().await?;
    rig.source("reboot = \"writer\"")?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE), [CREATE, SET, ATTACH, "RebootDBInstance <the writer of shop>"]);
    let message = plan.outcome.message();
    assert!(message.contains("This change reboots the database") && message.contains("(now shop-1)"), "{message}");

    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.changes()?, [CREATE, SET, ATTACH, "RebootDBInstance shop-1"]);
    assert_eq!(rig.statuses(), ["in-sync", "pending-reboot"]);
    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "on");
    assert_eq!(rig.cluster.show("wal_level").await?, "logical");
    assert_eq!(rig.cluster.show("wal_sender_timeout").await?, "0");
    let state = rig.state().await?;
    assert_eq!(state["ready"], true);
    assert_eq!(state["writer_instance_id"], "shop-1");
    assert_eq!(state["members"][1]["parameter_group_status"], "pending-reboot");
    rig.tf.assert_empty_plan().await?;
    rig.tf.assert_no_secret::<&str>(&[&rig.cluster.spec.admin_password, "a secret key"], &[])
}

#[tokio::test]
async fn all_reboots_the_writer_first_and_then_each_reader() -> anyhow::Result<()> {
    let rig = Rig::with(ClusterSpec::new("shop").members(3)).await?;
    rig.source("reboot = \"all\"")?;
    let plan = rig.tf.plan().await?;
    let reboots = ["RebootDBInstance shop-1", "RebootDBInstance shop-2", "RebootDBInstance shop-3"];
    assert_eq!(plan.operations(SOURCE)[3..], ALL_REBOOT);
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.changes()?[3..], reboots);
    assert_eq!(rig.statuses(), ["in-sync", "in-sync", "in-sync"]);
    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "on");
    assert_eq!(rig.state().await?["reboot_required"], false);
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn readers_that_restart_with_the_writer_are_not_rebooted_again() -> anyhow::Result<()> {
    // Up to 14.6 the readers restart together with the writer.
    let rig = Rig::with(ClusterSpec::new("shop").engine_version("14.6").without_postgres()).await?;
    rig.source("reboot = \"all\"")?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE)[3..], ALL_REBOOT);
    let outcome = rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.changes()?[3..], ["RebootDBInstance shop-1"]);
    assert!(!outcome.message().contains("skipped"), "{}", outcome.message());
    assert_eq!(rig.statuses(), ["in-sync", "in-sync"]);
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn a_group_that_already_has_every_value_is_left_alone() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.simulator.create_parameter_group(
        "logical",
        "aurora-postgresql15",
        &[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")],
    )?;
    let cluster = rig.simulator.create_cluster(ClusterSpec::new("other").parameter_group("logical").without_postgres()).await?;
    rig.tf.write("main.tf", "resource \"clickpipes_aurora_source\" \"shop\" {\n  cluster_identifier = \"other\"\n}\n")?;
    rig.tf.apply().await?;
    assert_eq!(rig.changes()?, [""; 0]);
    let state = rig.state().await?;
    assert_eq!(strings(&state["operations"]), [""; 0]);
    assert_eq!(state["previous_parameter_group_name"], serde_json::Value::Null);
    assert_eq!(state["ready"], true);
    rig.tf.assert_empty_plan().await?;
    let outcome = rig.tf.destroy().await?;
    assert!(outcome.message().contains("Destroying changes nothing"), "{}", outcome.message());
    assert_eq!(cluster.parameter_group(), "logical");
    Ok(())
}

#[tokio::test]
async fn values_of_the_present_group_are_carried_over_and_parameters_are_changed_in_place() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.simulator.create_parameter_group("custom", "aurora-postgresql15", &[("max_worker_processes", "16")])?;
    rig.simulator.create_cluster(ClusterSpec::new("other").parameter_group("custom").without_postgres()).await?;
    let write = |arguments: &str| {
        rig.tf.write(
            "main.tf",
            &format!("resource \"clickpipes_aurora_source\" \"shop\" {{\n  cluster_identifier = \"other\"\n  reboot = \"writer\"\n{arguments}\n}}\n"),
        )
    };
    let values = || rig.simulator.parameter_group("clickpipes-other-aurora-postgresql15").unwrap_or_default();
    write("parameters = { max_wal_senders = \"30\", max_replication_slots = \"25\" }\n tags = { team = \"shop\" }")?;
    rig.tf.apply().await?;
    assert_eq!(values().get("max_worker_processes").map(String::as_str), Some("16"));
    assert_eq!(values().get("max_wal_senders").map(String::as_str), Some("30"));
    rig.tf.assert_empty_plan().await?;

    write("parameters = { max_wal_senders = \"40\" }")?;
    let plan = rig.tf.plan().await?;
    assert_eq!(
        plan.operations(SOURCE),
        [
            "ModifyDBClusterParameterGroup clickpipes-other-aurora-postgresql15: max_wal_senders = 40 (pending-reboot)",
            "ResetDBClusterParameterGroup clickpipes-other-aurora-postgresql15: max_replication_slots (pending-reboot)",
            "RemoveTagsFromResource clickpipes-other-aurora-postgresql15: team",
            "RebootDBInstance <the writer of other>",
        ]
    );
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(values().get("max_replication_slots"), None);
    rig.tf.assert_empty_plan().await?;

    // A dynamic parameter takes effect without a reboot.
    write("parameters = { max_wal_senders = \"40\", wal_sender_timeout = \"30000\" }")?;
    let plan = rig.tf.plan().await?;
    let set = "ModifyDBClusterParameterGroup clickpipes-other-aurora-postgresql15: wal_sender_timeout = 30000 (immediate)";
    assert_eq!(plan.operations(SOURCE), [set]);
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn the_outage_of_a_global_databases_primary_says_what_the_other_regions_do() -> anyhow::Result<()> {
    for (version, members, words) in [
        ("15.3", "all", "The readers in the secondary regions of the global database world restart with it."),
        ("15.4", "writer", "The readers in the secondary regions of the global database world keep running."),
    ] {
        let global = Some(GlobalMembership { identifier: "world".to_owned(), primary_arn: None });
        let spec = ClusterSpec { global, ..ClusterSpec::new("shop").engine_version(version).without_postgres() };
        let rig = Rig::with(spec).await?;
        rig.source(&format!("reboot = {members:?}"))?;
        let message = rig.tf.plan().await?.outcome.message();
        assert!(message.contains(words), "{version}: {message}");
    }
    Ok(())
}
