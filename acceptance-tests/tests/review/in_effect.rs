//! What members run with counts, not only what the parameter group says: a value may wait for a reboot.

use acceptance_tests::simulator::ClusterHandle;
use anyhow::{Result, ensure};

use crate::world::World;

const SOURCE: &str = "clickpipes_aurora_source.s";

fn source(arguments: &str) -> String {
    format!(
        "resource \"clickpipes_aurora_source\" \"s\" {{\n  cluster_identifier = \"shop\"\n  timeouts = {{ delete = \"1s\"          }}\n{arguments}\n}}\n"
    )
}

/// A cluster that was set up as a source, with a slot.
async fn with_a_slot(world: &World) -> Result<ClusterHandle> {
    let shop = world.shop().await?;
    world.tf.write("main.tf", &source("  reboot = \"writer\""))?;
    world.tf.apply().await?;
    let postgres = shop.superuser("app").await?;
    postgres.batch_execute("SELECT pg_create_logical_replication_slot('slot', 'pgoutput')").await?;
    Ok(shop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reboot_that_puts_the_end_of_logical_replication_into_effect_is_refused_while_a_slot_exists() -> Result<()> {
    let world = World::new().await?;
    let shop = world.shop().await?;
    world.tf.write("main.tf", &source("  reboot = \"writer\""))?;
    world.tf.apply().await?;
    let off = "  parameters = { \"rds.logical_replication\" = \"0\" }";
    world.tf.write("main.tf", &source(&format!("  reboot = \"never\"\n{off}")))?;
    world.tf.apply().await?;
    assert_eq!(shop.show("wal_level").await?, "logical");
    let postgres = shop.superuser("app").await?;
    postgres.batch_execute("SELECT pg_create_logical_replication_slot('slot', 'pgoutput')").await?;
    world.tf.write("main.tf", &source(&format!("  reboot = \"writer\"\n{off}")))?;
    let message = world.tf.run(["plan", "-no-color"]).await?.failed()?.message();
    ensure!(message.contains("Error: Logical replication slots exist: cluster shop"), "{message}");
    postgres.batch_execute("SELECT pg_drop_replication_slot('slot')").await?;
    let plan = world.tf.plan().await?;
    assert_eq!(plan.change(SOURCE)["after"]["impact"]["pipe_stops"], true);
    world.tf.apply_plan(&plan).await?;
    assert_eq!(shop.show("wal_level").await?, "replica");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroy_sees_the_slot_though_the_group_says_already_that_it_is_off() -> Result<()> {
    let world = World::new().await?;
    let shop = with_a_slot(&world).await?;
    let group = shop.parameter_group();
    world.set_parameter(&group, "rds.logical_replication", "0").await?;
    shop.wait_until_available().await?;
    let plan = world.tf.plan_with(&["-destroy"]).await?;
    ensure!(plan.outcome.message().contains("Warning: Logical replication slots exist: cluster shop"), "{}", plan.outcome.stdout);
    assert_eq!(plan.change(SOURCE)["before"]["on_destroy"]["impact"]["pipe_stops"], true);
    let file = plan.file.to_string_lossy().into_owned();
    world.tf.run(["apply", "-no-color", "-input=false", &file]).await?.failed()?;
    assert_eq!((shop.parameter_group(), shop.show("wal_level").await?.as_str()), (group, "logical"));
    Ok(())
}
