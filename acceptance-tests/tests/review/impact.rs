//! `impact` and `on_destroy` in saved plans that create, change, replace and destroy three objects of each kind, compared with
//! the call log, the catalogue and the locks that statements take.

use acceptance_tests::terraform_cli::Plan;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::world::{EACH, Happened, KINDS, World, address, texts, unfolded_plan, verdict};

/// Every object of the plan with its kind, key and change.
fn objects(plan: &Plan) -> impl Iterator<Item = (&'static str, &'static str, &Value)> {
    KINDS.into_iter().flat_map(move |kind| EACH.map(|key| (kind, key, plan.change(&address(kind, key)))))
}

/// What was planned and applied is what a refresh finds, `on_destroy` included.
async fn refreshed_alike(world: &World) -> Result<()> {
    let plan = world.tf.plan_with(&["-refresh-only"]).await?;
    for (kind, key, _) in objects(&plan) {
        ensure!(plan.drift(&address(kind, key)).is_null(), "{}", plan.outcome.stdout);
    }
    world.tf.assert_empty_plan().await
}

/// Applies a plan, and compares the `impact` of each object with what then happened.
async fn hold(world: &World, plan: &Plan, impact: impl Fn(&Value) -> &Value) -> Result<()> {
    let before = world.snapshot().await?;
    world.tf.apply_plan(plan).await?;
    let after = world.snapshot().await?;
    for (kind, key, change) in objects(plan) {
        let happened = Happened::to(kind, key, &before, &after);
        let said = verdict(impact(change)).with_context(|| address(kind, key))?;
        ensure!(said == happened, "{}: {said:?}, and what happened is {happened:?}", address(kind, key));
    }
    Ok(())
}

/// The locks of each publication's statements are those that its plan names.
async fn same_locks(world: &World, plan: &Plan) -> Result<()> {
    for (kind, key, change) in objects(plan).filter(|(kind, ..)| *kind != "clickpipes_aurora_source.s") {
        let statements: Vec<&str> = texts(&change["after"]["operations"]);
        // Any password works in place of the redacted one.
        let statements: Vec<String> = statements.iter().map(|text| text.replace("<redacted>", "x")).collect();
        let one_by_one = statements.iter().map(String::as_str).filter(|text| !text.contains("<each table owner"));
        let held = world.locks(&one_by_one.collect::<Vec<_>>()).await?;
        let mut said = texts(&change["after"]["impact"]["locks"]);
        said.sort_unstable();
        ensure!(said == held, "{}: {said:?}, and held are {held:?}", address(kind, key));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_says_what_it_means_for_each_object_and_so_it_comes() -> Result<()> {
    let world = World::new().await?;
    world.nine()?;
    world.identities("full")?;
    let create = unfolded_plan(&world.tf, &[]).await?;
    same_locks(&world, &create).await?;
    hold(&world, &create, |change| &change["after"]["impact"]).await?;
    for (kind, key, change) in objects(&create) {
        let impact = &change["after"]["impact"];
        let locks = texts(&impact["locks"]);
        match kind {
            "clickpipes_aurora_source.s" => {
                assert_eq!(impact["outage"], "all");
                let reboots = texts(&impact["reboots"]);
                let writer = format!("RebootDBInstance <the writer of shop-{key}>");
                let others = format!("RebootDBInstance <each other member of shop-{key} that waits for one>");
                assert_eq!(reboots, [writer, others]);
            }
            "clickpipes_publication.p" => {
                assert_eq!(locks, ["t1", "t2"].map(|table| format!("{key}.{table}: SHARE UPDATE EXCLUSIVE")));
            }
            "clickpipes_replica_identity.r" => assert_eq!(locks, [format!("{key}.t3: ACCESS EXCLUSIVE")]),
            _ => assert!(locks.is_empty()),
        }
    }
    refreshed_alike(&world).await?;

    world.three(
        "  reboot = \"writer\"\n  parameters = { max_wal_senders = \"25\" }\n  tags = { team = \"data\" }",
        "  name = \"reader_${each.key}\"\n  schemas = [each.key]",
        "  name = \"feed_${each.key}\"\n  tables = [\"${each.key}.t2\", \"${each.key}.t3\"]\n  publish = [\"insert\"]",
    )?;
    world.identities("nothing")?;
    let change = unfolded_plan(&world.tf, &[]).await?;
    same_locks(&world, &change).await?;
    hold(&world, &change, |change| &change["after"]["impact"]).await?;
    refreshed_alike(&world).await?;

    // Nothing in the configuration asks for it, so the create half is not known, and the destroy half is in `before`.
    let all: Vec<String> = KINDS.iter().flat_map(|kind| EACH.map(|key| format!("-replace={}", address(kind, key)))).collect();
    let replace = unfolded_plan(&world.tf, &all.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    for (kind, key, change) in objects(&replace) {
        // What a table has when the create half runs makes no difference.
        let is_known = kind == "clickpipes_replica_identity.r";
        assert_eq!(replace.actions(&address(kind, key)), ["delete", "create"]);
        for attribute in ["impact", "operations"] {
            assert_eq!(change["after_unknown"][attribute] == true, !is_known, "{attribute} of {kind}");
        }
    }
    replaced(&world, &replace).await?;
    refreshed_alike(&world).await?;

    let destroy = unfolded_plan(&world.tf, &["-destroy"]).await?;
    for (kind, key, change) in objects(&destroy) {
        assert!(change["after"].is_null(), "{kind} {key}");
        let on_destroy = &change["before"]["on_destroy"];
        if kind == "clickpipes_aurora_source.s" {
            continue;
        }
        let summed = format!("REVOKE everything from \"reader_{key}\" on tables of schema \"{key}\"");
        let whole = format!("REVOKE ALL ON ALL TABLES IN SCHEMA \"{key}\" FROM \"reader_{key}\"");
        let statements: Vec<String> = texts(&on_destroy["operations"]).iter().map(|text| text.replace(&summed, &whole)).collect();
        let held = world.locks(&statements.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        assert_eq!(texts(&on_destroy["impact"]["locks"]), held, "{kind} {key}");
    }
    let before = world.snapshot().await?.statements.len();
    hold(&world, &destroy, |change| &change["before"]["on_destroy"]["impact"]).await?;
    let ran = world.snapshot().await?.statements.split_off(before);
    for key in EACH {
        let change = destroy.change(&address("clickpipes_replication_user.u", key));
        let lines = texts(&change["before"]["on_destroy"]["operations"]);
        let role = format!("\"reader_{key}\"");
        assert!(lines.contains(&format!("REVOKE everything from {role} on tables of schema \"{key}\"").as_str()), "{lines:?}");
        let summed = |line: &&&str| line.starts_with("REVOKE everything");
        let others: Vec<&&str> = lines.iter().filter(|line| !summed(line)).collect();
        assert!(others.iter().all(|line| ran.iter().any(|ran| ran == **line)), "{others:?} {ran:?}");
        assert!(ran.contains(&format!("REVOKE ALL ON ALL TABLES IN SCHEMA \"{key}\" FROM {role}")), "{ran:?}");
    }
    assert_eq!(world.snapshot().await?.roles.len(), 0);
    Ok(())
}

/// The destroy half of a replacement is what `before` says; what it removes is created again.
async fn replaced(world: &World, plan: &Plan) -> Result<()> {
    let before = world.snapshot().await?;
    world.tf.apply_plan(plan).await?;
    let after = world.snapshot().await?;
    for (kind, key, change) in objects(plan) {
        let said = verdict(&change["before"]["on_destroy"]["impact"])?;
        let happened = Happened::to(kind, key, &before, &after);
        match kind {
            // A group of the same name is created again, and logical replication is on again.
            "clickpipes_aurora_source.s" => assert!(said.destructive && said.pipe_stops && said.outage == "writer", "{said:?}"),
            _ => assert_eq!(said, happened, "{kind} {key}"),
        }
    }
    // One reboot with the destroy, which turns it off, and one with the create, which turns it on.
    for key in EACH {
        let writer = format!("shop-{key}-1");
        let reboots = after.reboots[before.reboots.len()..].iter().filter(|instance| **instance == writer).count();
        assert_eq!(reboots, 2, "{writer}");
        assert!(after.logical[key], "{key}");
    }
    Ok(())
}

/// Before 14.7 the readers restart together with the writer, which a policy must see.
#[tokio::test(flavor = "multi_thread")]
async fn where_readers_restart_with_the_writer_the_outage_is_of_all() -> Result<()> {
    use acceptance_tests::simulator::ClusterSpec;
    let world = World::new().await?;
    for (name, version) in [("old", "14.6"), ("new", "14.15")] {
        let spec = ClusterSpec::new(name).engine_version(version).without_postgres();
        world.simulator.create_cluster(spec).await?;
        world.tf.write(
            "main.tf",
            &format!(
                "resource \"clickpipes_aurora_source\" \"s\" {{\n  cluster_identifier = \"{name}\"\n  reboot = \"writer\"\n  \
                 force_destroy = true\n}}\n"
            ),
        )?;
        let plan = world.tf.plan().await?;
        let outage = plan.change("clickpipes_aurora_source.s")["after"]["impact"]["outage"].clone();
        assert_eq!(outage, if name == "old" { "all" } else { "writer" });
        world.tf.apply_plan(&plan).await?;
        let cluster = world.simulator.cluster(name).context("no cluster")?;
        let readers: Vec<String> =
            cluster.members().into_iter().filter(|member| !member.writer).map(|member| member.parameter_group_status).collect();
        let restarted = readers.iter().all(|status| status == "in-sync");
        assert_eq!(restarted, name == "old", "{readers:?}");
        world.tf.destroy().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_locks_fifty_are_named_and_a_change_of_arguments_alone_has_no_impact() -> Result<()> {
    let world = World::new().await?;
    let tables: Vec<String> = (0..60).map(|number| format!("CREATE TABLE a.n{number} (id int PRIMARY KEY)")).collect();
    world.data.admin("app").await?.batch_execute(&tables.join(";")).await?;
    let names: Vec<String> = (0..60).map(|number| format!("\"a.n{number}\"")).collect();
    let publication = |further: &str| {
        world.tf.write(
            "main.tf",
            &format!(
                "resource \"clickpipes_publication\" \"p\" {{\n  name = \"p\"\n  database = \"app\"\n  tables = [{}]\n{further}\n}}\n",
                names.join(", ")
            ),
        )
    };
    publication("")?;
    let plan = world.tf.plan().await?;
    let locks = plan.change("clickpipes_publication.p")["after"]["impact"]["locks"].clone();
    let locks = texts(&locks);
    assert_eq!((locks.len(), locks[50]), (51, "10 more tables: SHARE UPDATE EXCLUSIVE"));
    world.tf.apply_plan(&plan).await?;
    publication("  force_destroy = true")?;
    let plan = world.tf.plan().await?;
    let after = plan.change("clickpipes_publication.p")["after"].clone();
    assert_eq!((&after["operations"], &after["impact"]), (&serde_json::json!([]), &Value::Null));
    world.tf.apply_plan(&plan).await?;
    world.tf.assert_empty_plan().await
}
