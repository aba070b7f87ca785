//! An oid means something on one server only.

use anyhow::{Context as _, Result};

use crate::world::{BOTH, PUBLICATION, USER, World, inventory, with_oids};

async fn oids(world: &World) -> Result<[u64; 2]> {
    let [user, publication] = [world.tf.resource(USER).await?, world.tf.resource(PUBLICATION).await?];
    Ok([user["oid"].as_u64().context("no oid")?, publication["oid"].as_u64().context("no oid")?])
}

/// On a server with another system identifier, the oids of ours belong to an application.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_our_oid_on_another_server_is_neither_renamed_nor_dropped() -> Result<()> {
    let (world, ours) = World::applied().await?;
    let theirs = world.cluster("theirs", "14.15").await?;
    with_oids(&theirs, "application", "application", oids(&world).await?).await?;
    let before = inventory(&theirs).await?;
    world.point_to(&theirs)?;

    // Without a refresh nothing is done there.
    for arguments in
        [&["destroy", "-auto-approve", "-refresh=false"][..], &["apply", "-auto-approve", "-refresh=false", "-replace", USER]]
    {
        let refusal = world.says(arguments).await?;
        assert!(refusal.contains("The server is another one than last time"), "{refusal}");
        assert_eq!(inventory(&theirs).await?, before, "{arguments:?}");
    }

    let plan = world.tf.plan().await?;
    for address in BOTH {
        assert_eq!(plan.actions(address), ["create"], "{address}");
    }
    let said = plan.outcome.message();
    assert_eq!(said.matches("The server is another one than last time").count(), 2, "{said}");
    world.tf.apply_plan(&plan).await?;
    let after = inventory(&theirs).await?;
    assert!(before.iter().all(|line| after.contains(line)) && after.len() == before.len() + 2, "{after:?}");
    world.tf.assert_empty_plan().await?;
    world.tf.destroy().await?;
    assert_eq!(inventory(&theirs).await?, before);
    // What was made on the first server is still there.
    assert_eq!(inventory(&ours).await?.len(), 2);
    Ok(())
}

/// A copied data directory or a restored snapshot has the same system identifier and the same oids.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_our_oid_on_a_copy_of_the_server_is_not_ours_under_another_name() -> Result<()> {
    let (world, ours) = World::applied().await?;
    let copy = world.cluster("copy", "15.10").await?;
    // A copy has a life of its own: its counter of transactions is elsewhere when the other pipe is set up.
    for _ in 0..7 {
        copy.superuser("app").await?.execute("SELECT txid_current()", &[]).await?;
    }
    let system = "SELECT system_identifier::text FROM pg_control_system()";
    let (one, other) = (ours.superuser("app").await?, copy.superuser("app").await?);
    assert_eq!(one.query_one(system, &[]).await?.get::<_, String>(0), other.query_one(system, &[]).await?.get::<_, String>(0));
    with_oids(&copy, "application", "application", oids(&world).await?).await?;
    let before = inventory(&copy).await?;
    world.point_to(&copy)?;

    let refusal = world.says(&["destroy", "-auto-approve", "-refresh=false"]).await?;
    assert!(refusal.contains("The role was renamed since it was read"), "{refusal}");
    assert!(refusal.contains("The publication was renamed since it was read"), "{refusal}");
    assert_eq!(inventory(&copy).await?, before);

    let plan = world.tf.plan().await?;
    for address in BOTH {
        assert_eq!(plan.actions(address), ["create"], "{address}");
    }
    world.tf.apply_plan(&plan).await?;
    world.tf.assert_empty_plan().await?;
    world.tf.destroy().await?;
    assert_eq!(inventory(&copy).await?, before);
    Ok(())
}

/// With `cluster_identifier`, a restored snapshot is told from its origin by its resource id.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_cluster_is_another_server_even_with_the_same_names_and_oids() -> Result<()> {
    let world = World::new()?;
    let ours = world.cluster("ours", "15.10").await?;
    world.name_cluster(&ours, "ours")?;
    world.tf.apply().await?;
    let oids = oids(&world).await?;
    let restored = world.cluster("restored", "15.10").await?;
    with_oids(&restored, "pipe", "pipe", oids).await?;
    world.name_cluster(&restored, "restored")?;
    let before = inventory(&restored).await?;
    let refusal = world.says(&["destroy", "-auto-approve", "-refresh=false"]).await?;
    assert_eq!(refusal.matches("Error: The server is another one than last time").count(), 2, "{refusal}");
    assert_eq!(inventory(&restored).await?, before);
    // The plan goes on by name, and says so.
    let plan = world.tf.plan().await?;
    for address in BOTH {
        assert!(!plan.actions(address).contains(&"create") && !plan.actions(address).contains(&"delete"), "{address}");
    }
    let said = plan.outcome.message();
    assert_eq!(said.matches("from now on the state describes that one").count(), 2, "{said}");
    Ok(())
}

/// A role and a publication that were renamed by hand are still ours, and are renamed back.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_renamed_by_hand_is_still_ours_if_it_is_what_was_last_seen() -> Result<()> {
    let (world, ours) = World::applied().await?;
    let before = inventory(&ours).await?;
    let saved = world.tf.plan_with(&["-destroy"]).await?;
    let superuser = ours.superuser("app").await?;
    superuser.batch_execute("ALTER ROLE pipe RENAME TO other; ALTER PUBLICATION pipe RENAME TO other").await?;

    // A plan from before is refused, and loses nothing.
    let refusal = world.tf.run(["apply", "-no-color", saved.file.to_str().unwrap_or_default()]).await?.failed()?.message();
    assert!(refusal.contains("Plan again, with a refresh."), "{refusal}");
    assert_eq!(inventory(&ours).await?.len(), 2);

    let plan = world.tf.plan().await?;
    assert!(plan.operations(USER).contains(&"ALTER ROLE \"other\" RENAME TO \"pipe\""), "{:?}", plan.operations(USER));
    assert!(plan.operations(PUBLICATION).contains(&"ALTER PUBLICATION \"other\" RENAME TO \"pipe\""));
    world.tf.apply_plan(&plan).await?;
    assert_eq!(inventory(&ours).await?, before);

    // Another one of the name, while ours is gone: it is not dropped by a plan that meant ours.
    let saved = world.tf.plan_with(&["-destroy"]).await?;
    superuser
        .batch_execute(
            "DROP PUBLICATION pipe; CREATE PUBLICATION pipe FOR TABLE shop.bills; DROP OWNED BY pipe; DROP ROLE pipe; CREATE ROLE pipe",
        )
        .await?;
    let theirs = inventory(&ours).await?;
    let said = world.tf.apply_plan(&saved).await?.message();
    assert!(said.contains("The role was already gone") && said.contains("The publication was already gone"), "{said}");
    assert_eq!(inventory(&ours).await?, theirs);
    Ok(())
}
