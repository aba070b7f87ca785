//! Each diagnostic about an object names it in its title, so that Terraform shows three warnings for three objects.

use anyhow::{Result, ensure};

use crate::world::{EACH, World, nothing_folded, titles};

/// Every object is named by some title, and no two warnings have the same one.
fn each_is_named(titles: &[String], about: &[&str]) -> Result<()> {
    for title in titles {
        ensure!(titles.iter().filter(|other| *other == title).count() == 1, "{title} is there more than once: {titles:#?}");
    }
    for key in EACH {
        for object in about.iter().map(|object| object.replace("KEY", key)) {
            ensure!(titles.iter().any(|title| title.ends_with(&object)), "nothing is said of {object}: {titles:#?}");
        }
    }
    Ok(())
}

const OBJECTS: [&str; 3] = [": cluster shop-KEY", ": role \"user_KEY\"", ": publication \"pub_KEY\" of database \"app\""];

#[tokio::test(flavor = "multi_thread")]
async fn of_three_objects_of_each_kind_every_warning_is_shown() -> Result<()> {
    let world = World::new().await?;
    // A reason for a warning on each: a reboot, owners found, a table that does not exist yet.
    world.three(
        "  reboot = \"writer\"",
        "  name = \"user_${each.key}\"\n  schemas = [\"a\", \"b\", each.key == \"c\" ? \"c\" : \"later\"]",
        "  name = \"pub_${each.key}\"\n  tables = [\"${each.key}.t1\", \"${each.key}.later\", \"${each.key}.later_too\"]",
    )?;
    each_is_named(&titles(&world.tf, &[]).await?, &OBJECTS)?;
    nothing_folded(&world.tf.plan().await?.outcome.message())?;

    // At apply: what was done by hand in the meantime is skipped.
    world.nine()?;
    world.tf.apply().await?;
    world.three(
        "  reboot = \"writer\"\n  tags = { team = \"data\" }",
        "  name = \"user_${each.key}\"\n  schemas = [each.key]\n  connection_limit = 5",
        "  name = \"pub_${each.key}\"\n  tables = [\"${each.key}.t1\", \"${each.key}.t2\", \"${each.key}.t3\"]",
    )?;
    let plan = world.tf.plan().await?;
    let admin = world.data.admin("app").await?;
    for key in EACH {
        admin.batch_execute(&format!("ALTER ROLE user_{key} CONNECTION LIMIT 5")).await?;
        admin.batch_execute(&format!("ALTER PUBLICATION pub_{key} ADD TABLE ONLY {key}.t3")).await?;
    }
    let applied = world.tf.apply_plan(&plan).await?.message();
    nothing_folded(&applied)?;
    for key in EACH {
        for object in &OBJECTS[1..] {
            let title = format!("Planned operations skipped{}", object.replace("KEY", key));
            ensure!(applied.contains(&title), "{title} is missing in {applied}");
        }
    }

    each_is_named(&titles(&world.tf, &["-destroy"]).await?, &OBJECTS)?;
    let plan = world.tf.plan_with(&["-destroy"]).await?;
    nothing_folded(&plan.outcome.message())?;
    // At a destroy: nothing is left to revoke.
    for key in EACH {
        admin.batch_execute(&format!("REVOKE ALL ON SCHEMA {key} FROM user_{key}")).await?;
    }
    let destroyed = world.tf.apply_plan(&plan).await?.message();
    nothing_folded(&destroyed)?;
    for key in EACH {
        let title = format!("Planned operations skipped: role \"user_{key}\"");
        ensure!(destroyed.contains(&title), "{title} is missing in {destroyed}");
    }
    Ok(())
}
