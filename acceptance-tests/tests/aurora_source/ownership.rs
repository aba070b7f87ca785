//! Whose a parameter group is: forged, altered and missing tags, in every phase. Nothing is changed in a group that tags and state do
//! not both call ours.

use acceptance_tests::simulator::{ClusterSpec, Options, Simulator};

use crate::rig::{DEFAULT, OURS, Rig, SOURCE, strings};

const OWNER: &str = "clickpipes:cluster";
const PREVIOUS: &str = "clickpipes:previous-parameter-group";
/// The group of the customer.
const THEIRS: &str = "shop-custom";
const CONTRADICTION: &str = "Tags and state contradict each other";

/// A cluster with the customer's group attached, which has these values.
async fn with_their_group(values: &[(&str, &str)]) -> anyhow::Result<Rig> {
    let simulator = Simulator::start(Options::default())?;
    simulator.create_parameter_group(THEIRS, "aurora-postgresql15", values)?;
    Rig::in_simulator(simulator, ClusterSpec::new("shop").without_postgres().parameter_group(THEIRS)).await
}

async fn forge(rig: &Rig) -> anyhow::Result<()> {
    rig.tag(THEIRS, &[(OWNER, "shop"), (PREVIOUS, "attacker")]).await
}

/// Every way to go on fails, naming both, and changes nothing.
async fn refused_everywhere(rig: &Rig, group: &str, words: &[&str]) -> anyhow::Result<()> {
    let before = (rig.changes()?, rig.cluster.parameter_group(), rig.simulator.parameter_group(group));
    let mut messages = vec![
        // An unchanged configuration must not block other work, so it is a warning there.
        rig.tf.run(["plan", "-no-color", "-input=false"]).await?.succeeded()?.message(),
        rig.tf.run(["plan", "-no-color", "-destroy"]).await?.failed()?.message(),
        rig.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?.message(),
        rig.tf.run(["destroy", "-no-color", "-auto-approve", "-refresh=false"]).await?.failed()?.message(),
    ];
    rig.source("reboot = \"all\"\n  force_destroy = true\n  parameters = { max_wal_senders = \"30\" }")?;
    messages.push(rig.plan_fails().await?.message());
    messages.push(rig.apply_fails().await?.message());
    for message in messages {
        for word in words.iter().chain([&CONTRADICTION, &group]) {
            assert!(message.contains(word), "{word} is missing in {message}");
        }
    }
    assert_eq!((rig.changes()?, rig.cluster.parameter_group(), rig.simulator.parameter_group(group)), before);
    rig.source("reboot = \"writer\"\n  force_destroy = true")
}

#[tokio::test]
async fn forged_tags_do_not_make_the_customers_group_ours() -> anyhow::Result<()> {
    let rig = with_their_group(&[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")]).await?;
    rig.simulator.create_parameter_group("attacker", "aurora-postgresql15", &[])?;
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    assert_eq!(rig.changes()?, [""; 0]);
    // Reviewed: a destroy changes nothing.
    let reviewed = rig.tf.plan_with(&["-destroy"]).await?;
    forge(&rig).await?;
    let failure = rig.tf.run(["apply".as_ref(), "-no-color".as_ref(), reviewed.file.as_os_str()]).await?.failed()?;
    assert!(failure.message().contains(CONTRADICTION), "{}", failure.message());
    let words = ["created for cluster shop", "attacker was attached before it", "made before"];
    refused_everywhere(&rig, THEIRS, &words).await?;
    assert!(rig.state().await?["previous_parameter_group_name"].is_null(), "a refresh does not learn it from the tags");
    assert!(!rig.simulator.calls().iter().any(|call| call.is_mutating() && call.action != "AddTagsToResource"));

    rig.untag(THEIRS, &[OWNER, PREVIOUS]).await?;
    rig.tf.assert_empty_plan().await?;
    rig.tf.destroy().await?;
    assert_eq!(rig.cluster.parameter_group(), THEIRS);
    assert!(rig.simulator.parameter_group(THEIRS).is_some());
    Ok(())
}

#[tokio::test]
async fn a_create_refuses_the_customers_group_with_forged_tags() -> anyhow::Result<()> {
    for values in [&[][..], &[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")]] {
        let rig = with_their_group(values).await?;
        forge(&rig).await?;
        rig.source("reboot = \"writer\"")?;
        let message = rig.plan_fails().await?.message();
        assert!(message.contains(CONTRADICTION) && message.contains(THEIRS), "{message}");
        // A group with the name that ours would have is no better.
        rig.untag(THEIRS, &[OWNER, PREVIOUS]).await?;
        rig.simulator.create_parameter_group(OURS, "aurora-postgresql15", &[("log_statement", "all")])?;
        rig.tag(OURS, &[(OWNER, "shop"), (PREVIOUS, THEIRS)]).await?;
        let message = rig.plan_fails().await?.message();
        assert!(message.contains(CONTRADICTION) && message.contains(OURS), "{message}");
        assert_eq!(rig.cluster.parameter_group(), THEIRS);
    }
    Ok(())
}

#[tokio::test]
async fn altered_tags_of_our_group_are_refused_until_they_are_corrected() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.simulator.create_parameter_group("attacker", "aurora-postgresql15", &[])?;
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    for (key, forged, right, words) in [
        (PREVIOUS, "attacker", DEFAULT, ["attacker was attached before it", DEFAULT]),
        (OWNER, "orders", "shop", ["created for cluster orders", "created for cluster shop"]),
    ] {
        rig.tag(OURS, &[(key, forged)]).await?;
        refused_everywhere(&rig, OURS, &words).await?;
        let state = rig.state().await?;
        rig.tf.run(["apply", "-refresh-only", "-no-color", "-auto-approve"]).await?.succeeded()?;
        rig.tf.run(["apply", "-refresh-only", "-no-color", "-auto-approve"]).await?.succeeded()?;
        assert_eq!(rig.state().await?["previous_parameter_group_name"], state["previous_parameter_group_name"]);
        let message = rig.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?.message();
        assert!(message.contains(CONTRADICTION), "a refresh has settled it: {message}");
        rig.tag(OURS, &[(key, right)]).await?;
        rig.tf.assert_empty_plan().await?;
    }
    rig.tf.destroy().await?;
    assert_eq!((rig.cluster.parameter_group().as_str(), rig.simulator.parameter_group(OURS)), (DEFAULT, None));
    Ok(())
}

#[tokio::test]
async fn tags_that_somebody_removed_are_drift() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"\n  force_destroy = true\n  tags = { team = \"shop\" }")?;
    rig.tf.apply().await?;
    rig.tag(OURS, &[("cost", "1")]).await?;
    let all = rig.tags(OURS).await?;
    rig.tf.assert_empty_plan().await?;
    for (removed, restored) in [
        (&[OWNER, PREVIOUS, "team"][..], format!("{OWNER}=shop, {PREVIOUS}={DEFAULT}, team=shop")),
        (&[OWNER], format!("{OWNER}=shop")),
        (&[PREVIOUS], format!("{PREVIOUS}={DEFAULT}")),
    ] {
        rig.untag(OURS, removed).await?;
        let plan = rig.tf.plan().await?;
        let line = format!("AddTagsToResource {OURS}: {restored}");
        assert_eq!(plan.operations(SOURCE), [&line]);
        assert_eq!(strings(&plan.drift(SOURCE)["after"]["drift"]), [&line]);
        rig.tf.apply_plan(&plan).await?;
        assert_eq!(rig.tags(OURS).await?, all);
        rig.tf.assert_empty_plan().await?;
    }
    Ok(())
}

#[tokio::test]
async fn without_its_tags_our_group_is_still_updated_attached_again_and_destroyed() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    rig.untag(OURS, &[OWNER, PREVIOUS]).await?;
    rig.source("reboot = \"writer\"\n  force_destroy = true\n  parameters = { max_wal_senders = \"30\" }")?;
    rig.tf.apply().await?;
    assert_eq!(rig.state().await?["ready"], true);
    rig.tf.assert_empty_plan().await?;

    // Detached, and then without tags: nothing but the data beside the state knows it.
    rig.detach().await?;
    rig.untag(OURS, &[OWNER, PREVIOUS]).await?;
    rig.tf.run(["apply", "-refresh-only", "-no-color", "-auto-approve"]).await?.succeeded()?;
    rig.tf.apply().await?;
    assert_eq!(rig.cluster.parameter_group(), OURS);
    rig.tf.assert_empty_plan().await?;

    rig.untag(OURS, &[OWNER, PREVIOUS]).await?;
    rig.tf.destroy().await?;
    assert_eq!((rig.cluster.parameter_group().as_str(), rig.simulator.parameter_group(OURS)), (DEFAULT, None));
    Ok(())
}

#[tokio::test]
async fn a_create_does_not_take_up_a_group_without_tags() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    rig.tf.run(["state", "rm", SOURCE]).await?.succeeded()?;
    rig.untag(OURS, &[OWNER, PREVIOUS]).await?;
    // Every value is in effect: there is nothing to do, and nothing to undo.
    rig.tf.apply().await?;
    rig.tf.destroy().await?;
    assert_eq!(rig.cluster.parameter_group(), OURS);
    rig.source("reboot = \"writer\"\n  parameters = { max_wal_senders = \"30\" }")?;
    let message = rig.plan_fails().await?.message();
    assert!(message.contains("Parameter group name is taken") && message.contains(OWNER), "{message}");
    Ok(())
}
