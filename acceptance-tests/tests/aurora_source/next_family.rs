//! `parameter_group.next_family`: a second group for the major version to come, kept beside the attached one, and the upgrade to it.

use acceptance_tests::postgres_server::is_available;
use acceptance_tests::simulator::{ClusterHandle, ClusterSpec, Fault, Options, Simulator};
use anyhow::Context as _;
use serde_json::Value;

use crate::rig::{CUSTOM, OURS, Rig, SOURCE, strings};

const NEXT: &str = "clickpipes-shop-aurora-postgresql16";
const LATER: &str = "clickpipes-shop-aurora-postgresql17";

fn next(family: &str) -> String {
    format!("reboot = \"writer\"\n  force_destroy = true\n  parameter_group = {{ next_family = {family:?} }}")
}

fn deletes(group: &str) -> String {
    format!("DeleteDBClusterParameterGroup {group}")
}

fn reboots(rig: &Rig) -> anyhow::Result<usize> {
    Ok(rig.changes()?.iter().filter(|line| line.starts_with("RebootDBInstance")).count())
}

/// The cluster as it is now: an upgrade gives it another server.
fn cluster(rig: &Rig) -> anyhow::Result<ClusterHandle> {
    rig.simulator.cluster("shop").context("there is no cluster")
}

fn values(rig: &Rig, group: &str) -> Vec<(String, String)> {
    rig.simulator.parameter_group(group).unwrap_or_default().into_iter().collect()
}

/// A cluster that has a custom group, which sets `work_mem`.
async fn with_work_mem() -> anyhow::Result<Rig> {
    Rig::with_custom_group(&[("work_mem", "65536")], false).await
}

#[tokio::test]
async fn a_second_group_is_made_and_kept_and_members_never_wait_for_it() -> anyhow::Result<()> {
    let rig = with_work_mem().await?;
    rig.source(&next("aurora-postgresql16"))?;
    let plan = rig.tf.plan().await?;
    let planned = plan.operations(SOURCE);
    let create = format!(
        "CreateDBClusterParameterGroup {NEXT}: family aurora-postgresql16, tags clickpipes:cluster=shop, clickpipes:previous-parameter-group={CUSTOM}"
    );
    let set = format!(
        "ModifyDBClusterParameterGroup {NEXT}: rds.logical_replication = 1 (pending-reboot), wal_sender_timeout = 0 (immediate), work_mem = 65536 (immediate)"
    );
    assert_eq!((planned[0], planned[1], planned.len()), (create.as_str(), set.as_str(), 6), "{planned:#?}");
    assert_eq!(plan.change(SOURCE)["after"]["next_parameter_group_name"], NEXT);
    rig.tf.apply_plan(&plan).await?;
    assert_eq!((rig.cluster.parameter_group().as_str(), values(&rig, NEXT)), (OURS, values(&rig, OURS)));
    let state = rig.state().await?;
    assert_eq!((&state["next_parameter_group_name"], &state["ready"]), (&NEXT.into(), &true.into()));
    assert!(strings(&state["on_destroy"]["operations"]).contains(&deletes(NEXT).as_str()), "{state}");
    rig.tf.assert_empty_plan().await?;

    // Whatever happens to it is drift, each time.
    let rds = rig.simulator.rds();
    for _ in 0..2 {
        rds.delete_db_cluster_parameter_group().db_cluster_parameter_group_name(NEXT).send().await?;
        let plan = rig.tf.plan().await?;
        assert_eq!(plan.operations(SOURCE), [&create, &set]);
        assert_eq!(strings(&plan.drift(SOURCE)["after"]["drift"]), [&create, &set]);
        assert!(!plan.outcome.message().contains("reboot is needed"), "{}", plan.outcome.stdout);
        rig.tf.apply_plan(&plan).await?;
        rig.tf.assert_empty_plan().await?;
    }
    rig.set_parameter(NEXT, "wal_sender_timeout", "60000", "immediate").await?;
    rig.set_parameter(NEXT, "max_wal_senders", "30", "pending-reboot").await?;
    rig.untag(NEXT, &["clickpipes:cluster"]).await?;
    let plan = rig.tf.plan().await?;
    let restore = [
        format!("AddTagsToResource {NEXT}: clickpipes:cluster=shop"),
        format!("ModifyDBClusterParameterGroup {NEXT}: wal_sender_timeout = 0 (immediate)"),
        format!("ResetDBClusterParameterGroup {NEXT}: max_wal_senders (pending-reboot)"),
    ];
    assert_eq!(plan.operations(SOURCE), restore);
    assert!(!plan.is_unknown(SOURCE, "ready") && !plan.is_unknown(SOURCE, "members"));
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!((values(&rig, NEXT), rig.tags(NEXT).await?), (values(&rig, OURS), rig.tags(OURS).await?));
    assert_eq!((reboots(&rig)?, rig.statuses()[0].as_str()), (1, "in-sync"));

    // It follows the attached group, in values and tags.
    rig.source(&format!(
        "{}\n  parameters = {{ max_wal_senders = \"30\", work_mem = \"128\" }}\n  tags = {{ team = \"shop\" }}",
        next("aurora-postgresql16")
    ))?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!((values(&rig, NEXT), rig.tags(NEXT).await?), (values(&rig, OURS), rig.tags(OURS).await?));
    rig.source(&next("aurora-postgresql16"))?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(
        values(&rig, NEXT),
        [("rds.logical_replication", "1"), ("wal_sender_timeout", "0"), ("work_mem", "65536")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    Ok(())
}

#[tokio::test]
async fn another_family_none_and_a_destroy_delete_it_visibly() -> anyhow::Result<()> {
    let rig = with_work_mem().await?;
    rig.source(&next("aurora-postgresql16"))?;
    rig.tf.apply().await?;
    rig.source(&next("aurora-postgresql17"))?;
    let plan = rig.tf.plan().await?;
    let planned = plan.operations(SOURCE);
    assert!(planned.len() == 3 && planned[0].contains(LATER) && planned[2] == deletes(NEXT), "{planned:#?}");
    assert_eq!(plan.change(SOURCE)["after"]["impact"]["destructive"], true);
    assert_eq!(plan.change(SOURCE)["after"]["impact"]["outage"], "none");
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(rig.simulator.parameter_groups(), [OURS, LATER, CUSTOM]);

    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE), [deletes(LATER)]);
    assert_eq!(plan.change(SOURCE)["after"]["impact"]["destructive"], true);
    assert_eq!(plan.change(SOURCE)["after"]["next_parameter_group_name"], Value::Null);
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await?;

    // The present family asks for nothing.
    rig.source(&next("aurora-postgresql15"))?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(rig.state().await?["next_parameter_group_name"], OURS);
    assert_eq!(rig.simulator.parameter_groups(), [OURS, CUSTOM]);

    rig.source(&next("aurora-postgresql16"))?;
    rig.tf.apply().await?;
    let plan = rig.tf.plan_with(&["-destroy"]).await?;
    let on_destroy = strings(&plan.change(SOURCE)["before"]["on_destroy"]["operations"]);
    assert_eq!(on_destroy.last(), Some(&deletes(NEXT).as_str()), "{on_destroy:#?}");
    rig.tf.apply_plan(&plan).await?;
    assert_eq!((rig.cluster.parameter_group().as_str(), rig.simulator.parameter_groups()), (CUSTOM, vec![CUSTOM.to_owned()]));
    assert_eq!(reboots(&rig)?, 2);
    Ok(())
}

#[tokio::test]
async fn what_is_made_is_imported_with_its_family() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("parameter_group = { next_family = \"aurora-postgresql16\" }")?;
    rig.tf.apply().await?;
    rig.tf.run(["state", "rm", SOURCE]).await?.succeeded()?;
    let before = rig.changes()?;
    rig.tf.import(SOURCE, "shop").await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(rig.state().await?["next_parameter_group_name"], NEXT);
    assert_eq!(rig.changes()?, before, "an import changes nothing");
    Ok(())
}

#[tokio::test]
async fn what_no_upgrade_leads_to_is_refused_at_plan() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    let refusals = [
        ("next_family = \"aurora-postgresql14\"", "Next family is not a later one", "aurora-postgresql15"),
        ("next_family = \"aurora-postgresql99\"", "Next family does not exist", "describe-db-engine-versions"),
        ("next_family = \"aurora-mysql8.0\"", "Invalid next family", "Aurora PostgreSQL"),
        ("next_family = \"aurora-postgresql16\", name = \"shop-cdc\"", "Next family together with a name", "Remove `name`"),
        ("next_family = \"aurora-postgresql16\", mode = \"in_place\"", "Not used in this mode", "yours to create"),
        ("next_family = \"aurora-postgresql16\", mode = \"external\"", "Not used in this mode", "something else manages"),
    ];
    let refused = async |arguments: &[&str]| {
        for (group, summary, words) in refusals {
            rig.source(&format!("parameter_group = {{ {group} }}"))?;
            let message = rig.tf.run(arguments.iter().copied()).await?.failed()?.message();
            for words in [summary, words, "parameter_group.next_family"] {
                anyhow::ensure!(message.contains(words), "{words} is missing in {message}");
            }
        }
        Ok(())
    };
    refused(&["plan", "-no-color", "-input=false"]).await?;
    assert_eq!(rig.changes()?, [""; 0]);
    rig.source("")?;
    rig.tf.apply().await?;
    let before = rig.changes()?;
    refused(&["plan", "-no-color", "-input=false"]).await?;
    refused(&["plan", "-no-color", "-input=false", "-refresh=false"]).await?;
    assert_eq!(rig.changes()?, before);
    Ok(())
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_at_plan_and_again_at_apply() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source(&next("aurora-postgresql16"))?;
    let plan = rig.tf.plan().await?;
    rig.simulator.create_parameter_group(NEXT, "aurora-postgresql16", &[])?;
    let taken = |message: &str| {
        for words in ["Parameter group name is taken", NEXT, "next_family"] {
            anyhow::ensure!(message.contains(words), "{words} is missing in {message}");
        }
        Ok(())
    };
    taken(&rig.tf.run(["apply".as_ref(), "-no-color".as_ref(), plan.file.as_os_str()]).await?.failed()?.message())?;
    taken(&rig.plan_fails().await?.message())?;
    assert_eq!(rig.changes()?, [""; 0]);
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    rig.source(&next("aurora-postgresql16"))?;
    taken(&rig.plan_fails().await?.message())?;
    // A destroy leaves it alone.
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.destroy().await?;
    assert_eq!(rig.simulator.parameter_groups(), [NEXT]);
    Ok(())
}

#[tokio::test]
async fn a_create_that_stops_at_any_call_is_completed_by_the_next_one() -> anyhow::Result<()> {
    let actions = ["CreateDBClusterParameterGroup", "ModifyDBClusterParameterGroup", "ModifyDBCluster", "RebootDBInstance"];
    for action in actions {
        let rig = Rig::without_postgres().await?;
        rig.provider(Some(1))?;
        rig.source(&next("aurora-postgresql16"))?;
        rig.simulator.inject_fault(action, Fault::AccessDenied, 1);
        rig.apply_fails().await?;
        rig.cluster.wait_until_available().await?;
        rig.tf.apply().await?;
        rig.tf.assert_empty_plan().await?;
        assert_eq!((rig.simulator.parameter_groups(), reboots(&rig)?), (vec![OURS.to_owned(), NEXT.to_owned()], 1), "{action}");
        assert_eq!(values(&rig, NEXT), values(&rig, OURS), "{action}");
    }
    Ok(())
}

/// From 18 on, three of the parameters are others.
#[tokio::test]
async fn what_stays_behind_is_named_and_after_the_upgrade_only_the_old_group_is_tidied_away() -> anyhow::Result<()> {
    const THEIRS: [(&str, &str); 4] = [
        ("log_connections", "1"),
        ("log_min_duration_statement", "1000"),
        ("shared_preload_libraries", "pg_cron,pg_stat_statements"),
        ("work_mem", "65536"),
    ];
    let (old, new) = (LATER, "clickpipes-shop-aurora-postgresql18");
    let simulator = Simulator::start(Options::default())?;
    simulator.create_parameter_group(CUSTOM, "aurora-postgresql17", &THEIRS)?;
    let spec = ClusterSpec::new("shop").engine_version("17.4").parameter_group(CUSTOM).without_postgres();
    let rig = Rig::in_simulator(simulator, spec).await?;
    let arguments = format!("{}\n  parameters = {{ max_wal_senders = \"30\" }}", next("aurora-postgresql18"));
    rig.source(&arguments)?;
    let warned = rig.tf.warning("Values stay behind in a major upgrade: cluster shop").await?;
    for words in [
        "log_connections = 1: aurora-postgresql18 allows receipt,authentication",
        "log_min_duration_statement = 1000: aurora-postgresql18 has no such DB cluster parameter",
        "shared_preload_libraries = pg_cron,pg_stat_statements: aurora-postgresql18 has no such DB cluster parameter",
    ] {
        assert!(warned.contains(words), "{words} is missing in {warned}");
    }
    assert!(!warned.contains("work_mem"), "{warned}");
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    let kept = values(&rig, new);
    assert_eq!(
        kept.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["max_wal_senders", "rds.logical_replication", "wal_sender_timeout", "work_mem"]
    );

    rig.upgrade_with("18.3", new).await?;
    assert_eq!(rig.cluster.upgrade_failure(), None);
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE), [deletes(old)]);
    assert_eq!(strings(&plan.drift(SOURCE)["after"]["drift"]), [deletes(old)]);
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await?;
    let state = rig.state().await?;
    assert_eq!((&state["ready"], &state["next_parameter_group_name"]), (&true.into(), &new.into()));
    assert_eq!((&state["parameter_group_name"], &state["previous_parameter_group_name"]), (&new.into(), &CUSTOM.into()));
    assert_eq!((reboots(&rig)?, rig.statuses(), values(&rig, new)), (1, vec!["in-sync".to_owned(); 2], kept));

    // The group that was attached before has the old family.
    let plan = rig.tf.plan_with(&["-destroy"]).await?;
    assert!(plan.outcome.message().contains("The previous parameter group cannot be attached again"), "{}", plan.outcome.stdout);
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.cluster.parameter_group(), "default.aurora-postgresql18");
    assert_eq!(rig.simulator.parameter_groups(), [CUSTOM]);
    Ok(())
}

/// The cluster's own group has every value, so none of ours is attached until the upgrade.
#[tokio::test]
async fn a_group_of_the_cluster_is_carried_over_and_a_destroy_before_the_upgrade_reboots_nothing() -> anyhow::Result<()> {
    let on = [("rds.logical_replication", "1"), ("wal_sender_timeout", "0"), ("work_mem", "65536")];
    let rig = Rig::with_custom_group(&on, false).await?;
    rig.source(&next("aurora-postgresql16"))?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(
        (rig.cluster.parameter_group().as_str(), rig.simulator.parameter_groups()),
        (CUSTOM, vec![NEXT.to_owned(), CUSTOM.to_owned()])
    );
    rig.set_parameter(CUSTOM, "max_worker_processes", "16", "pending-reboot").await?;
    rig.cluster.wait_until_available().await?;
    rig.tf.destroy().await?;
    assert_eq!((reboots(&rig)?, rig.simulator.parameter_groups()), (0, vec![CUSTOM.to_owned()]));

    rig.tf.apply().await?;
    let before = reboots(&rig)?;
    rig.upgrade_with("16.6", NEXT).await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!((rig.cluster.parameter_group().as_str(), reboots(&rig)?), (NEXT, before));
    rig.tf.destroy().await?;
    assert_eq!(rig.cluster.parameter_group(), "default.aurora-postgresql16");
    assert_eq!(rig.simulator.parameter_groups(), [CUSTOM]);
    Ok(())
}

/// On real servers: from 15 to 16, to 17 and to 18, the last with a slot that is consumed.
#[tokio::test]
async fn from_one_major_version_to_the_next_logical_replication_stays_on() -> anyhow::Result<()> {
    for major in [15, 16, 17, 18] {
        if !is_available(major).await? {
            return Ok(());
        }
    }
    let rig = Rig::new().await?;
    for (major, version) in [(16, "16.6"), (17, "17.4"), (18, "18.3")] {
        let group = |major: u32| format!("clickpipes-shop-aurora-postgresql{major}");
        rig.source(&next(&format!("aurora-postgresql{major}")))?;
        rig.tf.apply().await?;
        assert_eq!(rig.simulator.parameter_groups(), [group(major - 1), group(major)]);
        if major == 18 {
            let superuser = cluster(&rig)?.superuser("postgres").await?;
            superuser.execute("SELECT pg_create_logical_replication_slot('pipe', 'pgoutput')", &[]).await?;
            superuser.execute("SELECT pg_replication_slot_advance('pipe', pg_current_wal_lsn())", &[]).await?;
        }
        rig.upgrade_with(version, &group(major)).await?;
        let cluster = cluster(&rig)?;
        assert_eq!((cluster.upgrade_failure(), rig.statuses()), (None, vec!["in-sync".to_owned(); 2]));
        assert!(cluster.show("server_version_num").await?.starts_with(&major.to_string()));
        assert_eq!(cluster.show("wal_level").await?, "logical");
        let plan = rig.tf.plan().await?;
        assert_eq!(plan.operations(SOURCE), [deletes(&group(major - 1))]);
        rig.tf.apply_plan(&plan).await?;
        rig.tf.assert_empty_plan().await?;
        assert_eq!((rig.state().await?["ready"].clone(), reboots(&rig)?), (true.into(), 1));
    }
    Ok(())
}

/// Such as a copy of the cluster that was upgraded first.
#[tokio::test]
async fn a_second_group_that_another_cluster_uses_is_left_alone() -> anyhow::Result<()> {
    for is_removed in [false, true] {
        let rig = Rig::without_postgres().await?;
        rig.source(&next("aurora-postgresql16"))?;
        rig.tf.apply().await?;
        let copy = ClusterSpec::new("copy").engine_version("16.6").parameter_group(NEXT).without_postgres();
        rig.simulator.create_cluster(copy).await?;
        rig.tf.assert_empty_plan().await?;
        if is_removed {
            rig.source("reboot = \"writer\"\n  force_destroy = true")?;
            rig.tf.apply().await?;
            rig.tf.assert_empty_plan().await?;
        }
        rig.tf.destroy().await?;
        assert_eq!(rig.simulator.parameter_groups(), [NEXT]);
    }
    Ok(())
}
