//! `clickpipes_prove` and `clickpipes_drop_replication_slot`, through a client that plays a Terraform with actions.

use acceptance_tests::core_client::{CoreClient, Kind, TerraformCore};
use acceptance_tests::rig::{ADMIN, ADMIN_PASSWORD, DATABASE, Rig};
use anyhow::{Result, ensure};
use serde_json::{Value as Json, json};

const PROVE: &str = "clickpipes_prove";
const DROP: &str = "clickpipes_drop_replication_slot";
const VARIABLE: &str = "PIPE_PASSWORD";
const SLOTS: &str = "SELECT count(*)::text FROM pg_replication_slots";

struct World {
    rig: Rig,
    client: CoreClient,
    core: TerraformCore,
}

impl World {
    async fn start(rig: Rig) -> Result<Self> {
        let client = CoreClient::start_with_env([(VARIABLE, "Correct-horse-1")]).await?;
        let mut core = TerraformCore::load(client.provider.clone()).await?;
        let (host, port) = (rig.cluster.host.clone(), rig.cluster.port);
        core.configure(&json!({ "postgres": {
            "host": host, "port": port, "username": ADMIN, "password": ADMIN_PASSWORD, "database": DATABASE, "sslmode": "disable",
        } }))
        .await?;
        Ok(Self { rig, client, core })
    }

    /// The progress of an action, or why it failed.
    async fn invoke(&mut self, action: &str, arguments: &Json) -> Result<Result<String, String>> {
        let config = self.core.schemas().configuration_of(Kind::Action, action, arguments)?;
        Ok(match self.core.invoke_action(action, &config).await {
            Ok(said) => Ok(said.join("\n")),
            Err(failure) => Err(failure.to_string()),
        })
    }

    /// What the plan warns of.
    async fn announced(&mut self, action: &str, arguments: &Json) -> Result<String> {
        let config = self.core.schemas().configuration_of(Kind::Action, action, arguments)?;
        Ok(format!("{:?}", self.core.plan_action(action, &config).await?))
    }
}

async fn logical() -> Result<World> {
    let world = World::start(Rig::start_logical().await?).await?;
    world
        .rig
        .sql(
            "CREATE ROLE pipe LOGIN PASSWORD 'Correct-horse-1'; GRANT rds_replication TO pipe;
             CREATE TABLE busy (id int PRIMARY KEY); CREATE PUBLICATION \"P 'x\" FOR TABLE busy",
        )
        .await?;
    Ok(world)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_can_replicate_receives_a_message() -> Result<()> {
    let mut world = logical().await?;
    let with = |changes: Json| {
        let mut arguments = json!({
            "database": DATABASE, "username": "pipe", "publication_name": "P 'x", "password_env": VARIABLE, "timeout": "30s",
        });
        for (name, value) in changes.as_object().into_iter().flatten() {
            arguments[name] = value.clone();
        }
        arguments
    };
    let said = world.invoke(PROVE, &with(json!({}))).await?.map_err(anyhow::Error::msg)?;
    ensure!(said.contains("pipe has received the message"), "{said}");
    assert_eq!(world.rig.ask(SLOTS).await?, "0", "the slot is gone");

    // Whatever is missing is found at its step.
    let nothing = world.invoke(PROVE, &with(json!({ "publication_name": "nothing" }))).await?.unwrap_err();
    ensure!(nothing.contains("Publication not found: \"nothing\""), "{nothing}");
    let unset = world.invoke(PROVE, &with(json!({ "password_env": "NOBODY_HAS_SET_THIS" }))).await?.unwrap_err();
    ensure!(unset.contains("NOBODY_HAS_SET_THIS is not set"), "{unset}");
    world.rig.sql("REVOKE rds_replication FROM pipe").await?;
    let refused = world.invoke(PROVE, &with(json!({}))).await?.unwrap_err();
    ensure!(
        refused.contains("Role \"pipe\" cannot replicate") && refused.contains("Opening a replication connection"),
        "{refused}"
    );
    world.rig.sql("GRANT rds_replication TO pipe; ALTER ROLE pipe PASSWORD 'another'").await?;
    let refused = world.invoke(PROVE, &with(json!({}))).await?.unwrap_err();
    ensure!(refused.contains("28P01") && !refused.contains("Correct-horse-1"), "{refused}");
    world.rig.sql("ALTER ROLE pipe PASSWORD 'Correct-horse-1'").await?;

    // A transaction that does not end holds the slot up, and nothing stays behind.
    let holder = world.rig.admin().await?;
    holder.batch_execute("BEGIN; INSERT INTO busy VALUES (1)").await?;
    let late = world.invoke(PROVE, &with(json!({ "timeout": "2s" }))).await?.unwrap_err();
    ensure!(late.contains("took longer than 2s") && late.contains("waits for the transactions that are open"), "{late}");
    holder.batch_execute("ROLLBACK").await?;
    world.invoke(PROVE, &with(json!({}))).await?.map_err(anyhow::Error::msg)?;
    assert_eq!(world.rig.ask(SLOTS).await?, "0");
    world.client.close().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_slot_that_nothing_reads_from_is_dropped() -> Result<()> {
    let mut world = logical().await?;
    let slot = json!({ "name": "pipe_slot" });
    let announced = world.announced(DROP, &slot).await?;
    ensure!(announced.contains("pipe_slot not found"), "{announced}");
    let stream = world.rig.stream("pipe_slot", "P 'x").await?;
    let announced = world.announced(DROP, &slot).await?;
    ensure!(announced.contains("is in use"), "{announced}");
    let refused = world.invoke(DROP, &slot).await?.unwrap_err();
    ensure!(refused.contains("pipe_slot is in use"), "{refused}");
    assert_eq!(world.rig.ask(SLOTS).await?, "1");
    drop(stream);
    while world.rig.ask("SELECT bool_or(active)::text FROM pg_replication_slots").await? == "true" {
        tokio::task::yield_now().await;
    }
    let announced = world.announced(DROP, &slot).await?;
    ensure!(announced.contains("is dropped") && announced.contains("of database app"), "{announced}");
    world.invoke(DROP, &slot).await?.map_err(anyhow::Error::msg)?;
    assert_eq!(world.rig.ask(SLOTS).await?, "0");
    let again = world.invoke(DROP, &slot).await?.unwrap_err();
    ensure!(again.contains("pipe_slot not found"), "{again}");
    world.client.close().await?;
    Ok(())
}
