//! Mode in_place: only the wanted parameters, in the cluster's own group, and back to what they were.

use acceptance_tests::simulator::{ClusterSpec, Fault};

use crate::rig::{CUSTOM, DEFAULT, Rig, SOURCE};

const SET: &str =
    "ModifyDBClusterParameterGroup shop-custom: rds.logical_replication = 1 (pending-reboot), wal_sender_timeout = 0 (immediate)";
const RESTORED: [&str; 3] = [
    "ModifyDBClusterParameterGroup shop-custom: wal_sender_timeout = 30000 (immediate)",
    "ResetDBClusterParameterGroup shop-custom: rds.logical_replication (pending-reboot)",
    "RebootDBInstance shop-1",
];

fn values(rig: &Rig) -> Vec<(String, String)> {
    let mut values: Vec<(String, String)> = rig.simulator.parameter_group(CUSTOM).unwrap_or_default().into_iter().collect();
    values.sort();
    values
}

fn as_before() -> Vec<(String, String)> {
    [("wal_sender_timeout", "30000"), ("work_mem", "65536")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

async fn rig(postgres: bool) -> anyhow::Result<Rig> {
    Rig::with_custom_group(&[("wal_sender_timeout", "30000"), ("work_mem", "65536")], postgres).await
}

#[tokio::test]
async fn the_clusters_own_group_is_changed_and_a_destroy_restores_it() -> anyhow::Result<()> {
    let rig = rig(true).await?;
    rig.source_in("in_place", "reboot = \"writer\"")?;
    let plan = rig.tf.plan().await?;
    let operations = plan.operations(SOURCE);
    assert_eq!(operations[1..], [SET, "RebootDBInstance <the writer of shop>"]);
    assert!(operations[0].starts_with("AddTagsToResource shop-custom: clickpipes:previous-value:"), "{operations:?}");
    assert_eq!(plan.change(SOURCE)["after"]["impact"]["outage"], "writer");
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.changes_without_tags()?, [SET, "RebootDBInstance shop-1"]);
    assert_eq!(rig.cluster.show("wal_level").await?, "logical");
    assert_eq!(rig.cluster.parameter_group(), CUSTOM);
    let state = rig.state().await?;
    assert!(state["ready"] == true && state["previous_parameter_group_name"].is_null(), "{state}");
    rig.tf.assert_empty_plan().await?;

    let before = rig.changes_without_tags()?.len();
    rig.source_in("in_place", "reboot = \"writer\"\n  parameters = { work_mem = \"128\" }")?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    rig.source_in("in_place", "reboot = \"writer\"")?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    let work_mem = |value| format!("ModifyDBClusterParameterGroup shop-custom: work_mem = {value} (immediate)");
    assert_eq!(rig.changes_without_tags()?[before..], [work_mem("128"), work_mem("65536")]);

    let before = rig.changes_without_tags()?.len();
    rig.tf.destroy().await?;
    assert_eq!(rig.changes_without_tags()?[before..], RESTORED);
    assert_eq!(values(&rig), as_before());
    assert_eq!(rig.tags(CUSTOM).await?, [""; 0]);
    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "off");
    assert_eq!(rig.simulator.parameter_groups(), [CUSTOM]);
    Ok(())
}

/// What is restored is decided by the tags that are seen after the apply.
#[tokio::test]
async fn tags_that_are_seen_late_are_awaited() -> anyhow::Result<()> {
    let rig = rig(false).await?;
    for action in ["AddTagsToResource", "RemoveTagsFromResource"] {
        rig.simulator.lag(action, 6);
    }
    for arguments in ["force_destroy = true\n  parameters = { max_connections = \"500\" }", "force_destroy = true"] {
        rig.source_in("in_place", arguments)?;
        rig.tf.apply().await?;
        rig.tf.assert_empty_plan().await?;
    }
    rig.tf.destroy().await?;
    assert_eq!((values(&rig), rig.tags(CUSTOM).await?), (as_before(), Vec::new()));
    Ok(())
}

#[tokio::test]
async fn the_group_of_aws_is_refused_with_the_remedy() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source_in("in_place", "")?;
    let failure = rig.plan_fails().await?.message();
    assert!(failure.contains(DEFAULT) && failure.contains("dedicated"), "{failure}");
    Ok(())
}

#[tokio::test]
async fn a_group_that_another_cluster_has_too_is_refused_by_its_name() -> anyhow::Result<()> {
    let rig = rig(false).await?;
    rig.simulator.create_cluster(ClusterSpec::new("billing").parameter_group(CUSTOM).without_postgres()).await?;
    rig.source_in("in_place", "")?;
    let failure = rig.plan_fails().await?.message();
    assert!(failure.contains("Other clusters use the parameter group") && failure.contains("billing"), "{failure}");
    // The same after an import, whose refresh does not ask for other clusters.
    rig.tf.import(SOURCE, "shop").await?;
    let failure = rig.plan_fails().await?.message();
    assert!(failure.contains("billing"), "{failure}");
    assert_eq!(rig.changes()?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn another_cluster_that_has_the_group_by_now_stops_a_destroy() -> anyhow::Result<()> {
    let rig = rig(false).await?;
    rig.source_in("in_place", "force_destroy = true\n  timeouts = { delete = \"1s\" }")?;
    rig.tf.apply().await?;
    rig.simulator.create_cluster(ClusterSpec::new("billing").parameter_group(CUSTOM).without_postgres()).await?;
    let failure = rig.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?.message();
    assert!(failure.contains("billing"), "{failure}");
    assert_ne!(values(&rig), as_before());
    rig.source_in("external", "force_destroy = true")?;
    rig.tf.apply().await?;
    rig.tf.destroy().await?;
    assert_ne!(values(&rig), as_before(), "the values that billing uses now stay");
    Ok(())
}

#[tokio::test]
async fn another_cluster_that_the_same_run_destroys_is_awaited() -> anyhow::Result<()> {
    let rig = rig(false).await?;
    rig.source_in("in_place", "force_destroy = true")?;
    rig.tf.apply().await?;
    rig.simulator.create_cluster(ClusterSpec::new("billing").parameter_group(CUSTOM).without_postgres()).await?;
    let destroy = rig.tf.start(["destroy", "-no-color", "-auto-approve"])?;
    rig.tf.until_logged("waiting for another destroy of this run").await?;
    assert_ne!(values(&rig), as_before());
    rig.simulator.remove_cluster("billing");
    destroy.outcome().await?.succeeded()?;
    assert_eq!(values(&rig), as_before());
    Ok(())
}

#[tokio::test]
async fn values_of_a_cluster_that_was_deleted_first_are_restored_unless_another_one_has_them() -> anyhow::Result<()> {
    for (refresh, is_shared) in [("-refresh=true", false), ("-refresh=false", false), ("-refresh=true", true)] {
        let rig = rig(false).await?;
        rig.source_in("in_place", "reboot = \"writer\"\n  force_destroy = true")?;
        rig.tf.apply().await?;
        rig.simulator.remove_cluster("shop");
        if is_shared {
            rig.simulator.create_cluster(ClusterSpec::new("billing").parameter_group(CUSTOM).without_postgres()).await?;
        } else {
            let message = rig.tf.plan().await?.outcome.message();
            assert!(message.contains("ResetDBClusterParameterGroup shop-custom: rds.logical_replication"), "{message}");
        }
        rig.tf.run(["destroy", "-no-color", "-auto-approve", refresh]).await?.succeeded()?;
        assert_eq!(values(&rig) == as_before(), !is_shared);
        assert_eq!(rig.tags(CUSTOM).await?.is_empty(), !is_shared);
        assert!(rig.state().await?.is_null());
    }
    Ok(())
}

/// Tags alone change nothing, so each plan says what a killed apply has left, and how to restore it.
#[tokio::test]
async fn a_value_that_a_killed_apply_has_set_is_named_until_it_is_restored() -> anyhow::Result<()> {
    const MORE: &str = "force_destroy = true\n  parameters = { work_mem = \"128\" }";
    let rig = rig(false).await?;
    rig.source_in("in_place", "force_destroy = true")?;
    rig.tf.apply().await?;
    let state = rig.tf.folder().join("terraform.tfstate");
    let before = std::fs::read(&state)?;
    rig.source_in("in_place", MORE)?;
    rig.tf.apply().await?;
    // The process was killed before Terraform learnt of it, and the change is given up.
    std::fs::write(&state, before)?;
    rig.source_in("in_place", "force_destroy = true")?;
    for _ in 0..2 {
        assert!(rig.tf.warning("Tags name other parameters").await?.contains("work_mem"));
    }
    for arguments in [MORE, "force_destroy = true"] {
        rig.source_in("in_place", arguments)?;
        rig.tf.apply().await?;
        rig.tf.assert_empty_plan().await?;
    }
    assert_eq!(rig.simulator.parameter_group(CUSTOM).unwrap_or_default()["work_mem"], "65536");
    Ok(())
}

#[tokio::test]
async fn a_create_that_stopped_half_way_is_resumed_and_a_destroy_still_knows_what_was_before() -> anyhow::Result<()> {
    let rig = rig(false).await?;
    rig.provider(Some(1))?;
    rig.source_in("in_place", "reboot = \"writer\"\n  force_destroy = true")?;
    for action in ["AddTagsToResource", "ModifyDBClusterParameterGroup", "RebootDBInstance"] {
        rig.simulator.inject_fault(action, Fault::AccessDenied, 1);
        rig.apply_fails().await?;
        assert!(rig.state().await?.is_null(), "{action}");
    }
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(rig.changes_without_tags()?, [SET, "RebootDBInstance shop-1"]);
    let before = rig.changes_without_tags()?.len();
    for action in ["ModifyDBClusterParameterGroup", "ResetDBClusterParameterGroup", "RebootDBInstance", "RemoveTagsFromResource"]
    {
        rig.simulator.inject_fault(action, Fault::AccessDenied, 1);
        rig.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?;
    }
    rig.tf.destroy().await?;
    assert_eq!(rig.changes_without_tags()?[before..], RESTORED, "each once");
    assert_eq!(values(&rig), as_before());
    Ok(())
}

#[tokio::test]
async fn what_was_in_effect_is_left_alone_by_a_destroy_too() -> anyhow::Result<()> {
    let rig = Rig::with_custom_group(&[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")], false).await?;
    rig.source_in("in_place", "reboot = \"all\"")?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    rig.tf.destroy().await?;
    assert_eq!(rig.changes()?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn an_import_takes_one_update_without_operations_and_knows_what_was_before() -> anyhow::Result<()> {
    let rig = rig(false).await?;
    rig.source_in("in_place", "reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    rig.tf.run(["state", "rm", SOURCE]).await?.succeeded()?;
    let before = rig.changes()?.len();
    rig.tf.import(SOURCE, "shop").await?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions(SOURCE), ["update"]);
    assert_eq!(plan.operations(SOURCE), [""; 0]);
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(rig.changes_since(before)?, [""; 0]);
    rig.tf.destroy().await?;
    assert_eq!(values(&rig), as_before());
    Ok(())
}
