//! Replacements of every kind of object, whatever forces them, including adopted ones: both halves run, or the error says what is
//! impossible and the old object stays.

use std::fmt;

use acceptance_tests::terraform_cli::Plan;
use anyhow::{Context as _, Result, ensure};

use crate::world::{World, texts};

/// What makes Terraform replace an object.
#[derive(Clone, Copy, Debug)]
enum Force {
    Requested,
    Tainted,
    Triggered,
}

const FORCES: [Force; 3] = [Force::Requested, Force::Tainted, Force::Triggered];

/// An object with its address and its configuration.
struct Case {
    address: &'static str,
    /// How warnings name it.
    object: &'static str,
    arguments: String,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.object)
    }
}

fn cases() -> Vec<Case> {
    let password = "password_wo = var.password\n  password_wo_version = 1";
    vec![
        Case {
            address: "clickpipes_aurora_source.this",
            object: "cluster shop-a",
            arguments: "cluster_identifier = \"shop-a\"\n  reboot = \"writer\"\n  force_destroy = true".to_owned(),
        },
        Case {
            address: "clickpipes_replication_user.this",
            object: "role \"user_a\"",
            arguments: format!("name = \"user_a\"\n  database = \"app\"\n  schemas = [\"a\"]\n  {password}"),
        },
        Case {
            address: "clickpipes_publication.this",
            object: "publication \"pub_a\" of database \"app\"",
            arguments: "name = \"pub_a\"\n  database = \"app\"\n  tables = [\"a.t1\"]".to_owned(),
        },
    ]
}

impl Case {
    fn configuration(&self, round: u32, lifecycle: &str) -> String {
        let kind = self.address.trim_end_matches(".this");
        format!(
            "resource \"terraform_data\" \"round\" {{\n  input = {round}\n}}\n\
             resource \"{kind}\" \"this\" {{\n  {}\n  lifecycle {{\n{lifecycle}\n  }}\n}}\n",
            self.arguments
        )
    }
}

/// Plans a replacement of what exists.
async fn plan(world: &World, case: &Case, force: Force, lifecycle: &str) -> Result<Plan> {
    let trigger = "    replace_triggered_by = [terraform_data.round]";
    let write = |round: u32| match force {
        Force::Triggered => world.tf.write("main.tf", &case.configuration(round, &format!("{lifecycle}\n{trigger}"))),
        Force::Requested | Force::Tainted => world.tf.write("main.tf", &case.configuration(0, lifecycle)),
    };
    write(0)?;
    world.tf.apply().await?;
    match force {
        Force::Requested => world.tf.plan_with(&[&format!("-replace={}", case.address)]).await,
        Force::Tainted => {
            world.tf.run(["taint", "-no-color", case.address]).await?.succeeded()?;
            world.tf.plan().await
        }
        Force::Triggered => {
            write(1)?;
            world.tf.plan().await
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_goes_through_whole_whatever_forces_it() -> Result<()> {
    let world = World::new().await?;
    for case in cases() {
        for force in FORCES {
            let context = || format!("{case}, {force:?}");
            let plan = plan(&world, &case, force, "").await.with_context(context)?;
            let change = plan.change(case.address);
            ensure!(plan.actions(case.address) == ["delete", "create"], "{}: {:?}", context(), plan.actions(case.address));
            let on_destroy = &change["before"]["on_destroy"];
            ensure!(
                !texts(&on_destroy["operations"]).is_empty() && on_destroy["impact"]["pipe_stops"] == true,
                "{}: {on_destroy}",
                context()
            );
            ensure!(change["after_unknown"]["operations"] == true && change["after_unknown"]["impact"] == true, "{}", context());
            world.tf.apply_plan(&plan).await.with_context(context)?;
            world.tf.assert_empty_plan().await.with_context(context)?;
            let state = world.tf.resource(case.address).await?;
            ensure!(!texts(&state["operations"]).is_empty() && state["impact"].is_object(), "{}: {state}", context());
        }
        world.tf.destroy().await?;
    }
    Ok(())
}

/// If an argument forces a replacement, both halves are in warnings, and `impact` covers the create.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_argument_forces_warns_of_both_halves() -> Result<()> {
    let world = World::new().await?;
    let admin = world.data.admin("app").await?;
    admin.batch_execute("CREATE DATABASE second").await?;
    world.data.admin("second").await?.batch_execute("CREATE SCHEMA a; CREATE TABLE a.t1 (id int PRIMARY KEY)").await?;
    for (case, (from, to)) in
        cases().into_iter().zip([("shop-a", "shop-b"), ("\"app\"", "\"second\""), ("\"app\"", "\"second\"")])
    {
        world.tf.write("main.tf", &case.configuration(0, ""))?;
        world.tf.apply().await?;
        world.tf.write("main.tf", &case.configuration(0, "").replace(from, to))?;
        let plan = world.tf.plan().await?;
        ensure!(plan.actions(case.address) == ["delete", "create"], "{case}: {:?}", plan.actions(case.address));
        let message = plan.outcome.message();
        let destroyed = format!("Warning: Operations of this destroy: {}", case.object);
        let created = format!("Warning: Operations of the create in this replacement: {}", case.object.replace(from, to));
        for title in [destroyed, created] {
            ensure!(message.contains(&title), "{title} is missing in {message}");
        }
        let change = plan.change(case.address);
        let before = &change["before"]["on_destroy"];
        match case.address {
            "clickpipes_aurora_source.this" => {
                ensure!(message.contains("Warning: This destroy reboots the database: cluster shop-a"), "{message}");
                ensure!(message.contains("Warning: This change reboots the database: cluster shop-b"), "{message}");
                assert_eq!(
                    (&before["impact"]["outage"], &change["after"]["impact"]["outage"]),
                    (&"writer".into(), &"writer".into())
                );
            }
            // A role belongs to the whole server: the old half still has the name.
            "clickpipes_replication_user.this" => {
                assert_eq!(change["after_unknown"]["impact"], true);
                ensure!(message.contains("CREATE ROLE \"user_a\" LOGIN"), "{message}");
            }
            _ => assert_eq!(change["after"]["impact"]["destructive"], false),
        }
        assert_eq!(before["impact"]["destructive"], true);
        world.tf.apply_plan(&plan).await?;
        world.tf.assert_empty_plan().await?;
        world.tf.destroy().await?;
    }
    Ok(())
}

/// A name that is taken where an argument moves the object is no half of the replacement: nothing may be destroyed for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_elsewhere_is_refused_before_the_destroy_half() -> Result<()> {
    let world = World::new().await?;
    world.data.admin("app").await?.batch_execute("CREATE DATABASE second").await?;
    let second = world.data.admin("second").await?;
    second.batch_execute("CREATE SCHEMA a; CREATE TABLE a.t1 (id int PRIMARY KEY); CREATE PUBLICATION pub_a").await?;
    let case = cases().pop().context("no case")?;
    world.tf.write("main.tf", &case.configuration(0, ""))?;
    world.tf.apply().await?;
    world.tf.write("main.tf", &case.configuration(0, "").replace("\"app\"", "\"second\""))?;
    let message = world.tf.run(["plan", "-no-color"]).await?.failed()?.message();
    ensure!(message.contains("Error: Publication already exists: publication \"pub_a\" of database \"second\""), "{message}");
    Ok(())
}

/// A role that the destroy half drops cannot be adopted, and a new one needs a password.
#[tokio::test(flavor = "multi_thread")]
async fn an_adopted_user_without_a_password_is_not_replaced_by_one_that_cannot_log_in() -> Result<()> {
    let world = World::new().await?;
    let admin = world.data.admin("app").await?;
    admin.batch_execute("CREATE ROLE user_a LOGIN PASSWORD 'its-own'").await?;
    admin.batch_execute("CREATE DATABASE second").await?;
    let user = |adopted: &str, database: &str| {
        format!(
            "resource \"clickpipes_replication_user\" \"u\" {{\n  name = \"{adopted}\"\n  database = \"{database}\"\n  adopt_existing = true\n}}\n"
        )
    };
    let address = "clickpipes_replication_user.u";
    world.tf.write("main.tf", &user("user_a", "app"))?;
    let would_run = world.tf.would_run().await?;
    assert_eq!(would_run[0], "ALTER ROLE \"user_a\" LOGIN", "no password is set");
    world.tf.apply().await?;
    assert_eq!(texts(&world.tf.resource(address).await?["operations"])[0], "ALTER ROLE \"user_a\" LOGIN");
    let before = world.snapshot().await?;
    let replace = format!("-replace={address}");
    let requested = world.tf.run(["plan", "-no-color", &replace]).await?.failed()?.message();
    world.tf.write("main.tf", &user("user_a", "second"))?;
    let moved = world.tf.run(["plan", "-no-color"]).await?.failed()?.message();
    for message in [requested, moved] {
        ensure!(message.contains("Error: Password missing: role \"user_a\""), "{message}");
    }
    assert_eq!(world.snapshot().await?.roles, before.roles);
    world.data.connect("user_a", "its-own", "app").await?;

    // A role that is to be adopted may still be created by the same apply; if not, nothing is created.
    world.tf.write("main.tf", &user("user_b", "app"))?;
    world.tf.run(["state", "rm", "-no-color", address]).await?.succeeded()?;
    let plan = world.tf.plan().await?;
    ensure!(plan.outcome.message().contains("Warning: Password missing: role \"user_b\""), "{}", plan.outcome.message());
    let message = world.tf.run(["apply", "-no-color", "-auto-approve"]).await?.failed()?.message();
    ensure!(message.contains("Error: Password missing: role \"user_b\""), "{message}");
    Ok(())
}

const FIRST: &str = "    create_before_destroy = true";

#[tokio::test(flavor = "multi_thread")]
async fn with_create_before_destroy_a_name_is_taken_and_the_old_one_stays() -> Result<()> {
    let world = World::new().await?;
    for case in cases().into_iter().skip(1) {
        for force in FORCES {
            let plan = plan(&world, &case, force, FIRST).await?;
            ensure!(plan.actions(case.address) == ["create", "delete"], "{case}: {:?}", plan.actions(case.address));
            let before = world.snapshot().await?;
            let file = plan.file.to_string_lossy().into_owned();
            let message = world.tf.run(["apply", "-no-color", "-input=false", &file]).await?.failed()?.message();
            ensure!(
                message.contains("already exists") && message.contains("create_before_destroy"),
                "{case}, {force:?}: {message}"
            );
            let after = world.snapshot().await?;
            assert_eq!((&before.roles, &before.publications), (&after.roles, &after.publications), "{case}, {force:?}");
            assert_eq!(before.statements, after.statements);
            if let Force::Tainted = force {
                world.tf.run(["untaint", "-no-color", case.address]).await?.succeeded()?;
            }
        }
        world.tf.write("main.tf", "")?;
        world.tf.destroy().await?;
    }
    Ok(())
}

/// The destroy of a run does not remove what its create took over.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_create_takes_over_the_same_run_does_not_destroy() -> Result<()> {
    let world = World::new().await?;
    let mut cases = cases();
    cases.truncate(2);
    cases[1].arguments.push_str("\n  adopt_existing = true");
    for case in cases {
        for force in FORCES {
            let plan = plan(&world, &case, force, FIRST).await?;
            ensure!(plan.actions(case.address) == ["create", "delete"], "{case}: {:?}", plan.actions(case.address));
            let before = world.snapshot().await?;
            let message = world.tf.apply_plan(&plan).await?.message();
            ensure!(message.contains(&format!("Warning: Not destroyed: {}", case.object)), "{case}, {force:?}: {message}");
            ensure!(message.contains("create_before_destroy") && message.contains("moved"), "{message}");
            still_there(&world, &before).await.with_context(|| format!("{case}, {force:?}"))?;
            world.tf.assert_empty_plan().await?;
        }
        world.tf.write("main.tf", "")?;
        world.tf.destroy().await?;
    }
    Ok(())
}

/// An address that was renamed without `moved` is a destroy and a create, in any order. Here the old address is destroyed once the new one is
/// created.
#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_address_does_not_take_down_what_it_takes_over() -> Result<()> {
    let world = World::new().await?;
    let mut cases = cases();
    cases.truncate(2);
    cases[1].arguments.push_str("\n  adopt_existing = true");
    for case in cases {
        let kind = case.address.trim_end_matches(".this");
        let named = |name: &str| {
            let address = format!("{kind}.{name}");
            let resource = case.configuration(0, "").replace("\"this\"", &format!("{name:?}"));
            format!(
                "{resource}resource \"terraform_data\" \"after_{name}\" {{\n  depends_on = [{address}]\n  provisioner \"local-exec\" {{\n    \
                 command = \"touch created_{name}\"\n  }}\n  provisioner \"local-exec\" {{\n    when = destroy\n    command = \"until \
                 [ -e created_that ]; do sleep 0.1; done\"\n  }}\n}}\n"
            )
        };
        world.tf.write("main.tf", &named("this"))?;
        world.tf.apply().await?;
        world.tf.write("main.tf", &named("that"))?;
        let plan = world.tf.plan().await?;
        let (old, new) = (format!("{kind}.this"), format!("{kind}.that"));
        ensure!(plan.actions(&old) == ["delete"] && plan.actions(&new) == ["create"], "{}", plan.outcome.stdout);
        let before = world.snapshot().await?;
        let message = world.tf.apply_plan(&plan).await?.message();
        ensure!(message.contains(&format!("Warning: Not destroyed: {}", case.object)), "{message}");
        still_there(&world, &before).await.with_context(|| case.to_string())?;
        world.tf.assert_empty_plan().await?;
        world.tf.write("main.tf", "")?;
        world.tf.destroy().await?;
        std::fs::remove_file(world.tf.folder().join("created_that"))?;
    }
    Ok(())
}

/// The `moved` block in a message moves a live object without any operation.
#[tokio::test(flavor = "multi_thread")]
async fn the_moved_block_of_a_message_is_one_that_terraform_takes() -> Result<()> {
    let world = World::new().await?;
    for case in cases() {
        let kind = case.address.trim_end_matches(".this");
        world.tf.write("main.tf", &case.configuration(0, "").replace("\"this\"", "\"old_name\""))?;
        world.tf.apply().await?;
        let renamed = case.configuration(0, "").replace("\"this\"", "\"new_name\"");
        world.tf.write("main.tf", &renamed)?;
        let title = match kind {
            "clickpipes_aurora_source" => "The source is already set up",
            "clickpipes_replication_user" => "Role already exists",
            _ => "Publication already exists",
        };
        let warning = world.tf.warning(title).await?;
        let block = &warning[warning.find("moved {").context("no moved block")?..];
        let block = &block[..=block.find("\n}").context("no end")? + 1];
        world.tf.write("main.tf", &format!("{renamed}\n{block}\n"))?;
        let plan = world.tf.plan().await?;
        assert_eq!(plan.actions(&format!("{kind}.new_name")), ["no-op"], "{block}: {}", plan.outcome.stdout);
        world.tf.apply_plan(&plan).await?;
        world.tf.write("main.tf", "")?;
        world.tf.destroy().await?;
    }
    Ok(())
}

/// Nothing was dropped, renamed, rebooted or turned off.
async fn still_there(world: &World, before: &crate::world::Snapshot) -> Result<()> {
    let after = world.snapshot().await?;
    ensure!(before.roles == after.roles && before.publications == after.publications, "{before:?} {after:?}");
    ensure!(before.groups == after.groups && before.logical == after.logical, "{before:?} {after:?}");
    ensure!(before.reboots == after.reboots, "rebooted: {:?}", &after.reboots[before.reboots.len()..]);
    Ok(())
}
