//! Destroying everything at once, with the pipe in the same configuration: a destroy waits for what another destroy removes, and
//! it runs what was reviewed or nothing.

use std::time::Duration;

use acceptance_tests::stream::{ReplicationStream, Source};
use anyhow::{Context as _, Result, ensure};

use crate::world::{PASSWORD, World};

/// A source, a role and a publication of the cluster `data`, as a pipe needs them.
fn piped(delete: &str) -> String {
    let timeouts = format!("timeouts = {{ delete = \"{delete}\" }}");
    format!(
        "resource \"clickpipes_replication_user\" \"u\" {{\n  name = \"pipe\"\n  database = \"app\"\n  schemas = [\"a\"]\n  password_wo = \
         var.password\n  password_wo_version = 1\n  {timeouts}\n}}\n\
         resource \"clickpipes_publication\" \"p\" {{\n  name = \"feed\"\n  database = \"app\"\n  tables = [\"a.t1\"]\n  {timeouts}\n}}\n"
    )
}

/// A pipe that streams as the role.
async fn pipe(world: &World) -> Result<ReplicationStream> {
    let admin = world.data.admin("app").await?;
    admin.batch_execute("SELECT pg_create_logical_replication_slot('slot', 'pgoutput')").await?;
    let (host, port) = (world.data.host.clone(), world.data.port);
    let source =
        Source { host: &host, port, user: "pipe", password: PASSWORD, database: "app", slot: "slot", publication: "feed" };
    ReplicationStream::open(source).await
}

/// Everything that a pipe needs, and the pipe that streams.
async fn streaming(delete: &str) -> Result<(World, ReplicationStream)> {
    let world = World::new().await?;
    world.tf.write("main.tf", &piped(delete))?;
    world.tf.apply().await?;
    let stream = pipe(&world).await?;
    Ok((world, stream))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_pipe_holds_is_a_warning_at_plan_and_awaited_at_apply() -> Result<()> {
    let (world, stream) = streaming("60s").await?;
    let plan = world.tf.plan_with(&["-destroy"]).await?;
    let message = plan.outcome.message();
    ensure!(message.matches("the destroy waits for it: for timeouts.delete").count() == 2, "{message}");
    for title in ["Role is in use: role \"pipe\"", "Publication may be in use: publication \"feed\" of database \"app\""] {
        ensure!(message.contains(&format!("Warning: {title}")), "{title} is missing in {message}");
    }
    let plan_file = plan.file.to_string_lossy().into_owned();
    let session = world.tf.start(["apply", "-no-color", "-input=false", &plan_file])?;
    // Both wait and log it; neither holds anything that the other waits for.
    world.tf.until_logged("waiting for another destroy of this run").await?;
    ensure!(world.snapshot().await?.statements.iter().all(|text| !text.starts_with("DROP")), "something is dropped already");
    drop(stream);
    world
        .data
        .admin("app")
        .await?
        .batch_execute("SELECT pg_drop_replication_slot('slot')")
        .await
        .or_else(|_| Ok::<_, anyhow::Error>(()))?;
    session.outcome().await?.succeeded()?;
    let after = world.snapshot().await?;
    ensure!(after.publications.is_empty(), "{:?}", after.publications);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_freed_in_time_is_refused_before_any_change() -> Result<()> {
    let (world, stream) = streaming("1s").await?;
    let before = world.snapshot().await?.statements;
    let message = world.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?.message();
    for words in ["Error: Role is in use: role \"pipe\"", "Error: Publication may be in use", "timeouts.delete"] {
        ensure!(message.contains(words), "{words} is missing in {message}");
    }
    assert_eq!(world.snapshot().await?.statements, before);
    drop(stream);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_wait_and_says_that_nothing_was_changed() -> Result<()> {
    let (world, stream) = streaming("5m").await?;
    let before = world.snapshot().await?.statements;
    let session = world.tf.start(["destroy", "-no-color", "-auto-approve"])?;
    world.tf.until_logged("waiting for another destroy of this run").await?;
    session.interrupt()?;
    let message = session.outcome().await?.failed()?.message();
    ensure!(message.contains("Nothing was changed. Waited") && message.contains("then the run was stopped"), "{message}");
    assert_eq!(world.snapshot().await?.statements, before);
    drop(stream);
    Ok(())
}

/// A source waits for any slot, since without logical replication the server would not start with one.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_waits_until_the_last_slot_is_gone() -> Result<()> {
    let world = World::new().await?;
    let shop = world.shop().await?;
    let source = "resource \"clickpipes_aurora_source\" \"s\" {\n  cluster_identifier = \"shop\"\n  reboot = \"writer\"\n}\n";
    world.tf.write("main.tf", source)?;
    world.tf.apply().await?;
    let postgres = shop.superuser("app").await?;
    postgres.batch_execute("SELECT pg_create_logical_replication_slot('slot', 'pgoutput')").await?;
    let plan = world.tf.plan_with(&["-destroy"]).await?;
    ensure!(plan.outcome.message().contains("Warning: Logical replication slots exist: cluster shop"), "{}", plan.outcome.stdout);
    let calls = world.simulator.calls().iter().filter(|call| call.is_mutating()).count();
    let plan_file = plan.file.to_string_lossy().into_owned();
    let session = world.tf.start(["apply", "-no-color", "-input=false", &plan_file])?;
    world.tf.until_logged("waiting for another destroy of this run").await?;
    assert_eq!(world.simulator.calls().iter().filter(|call| call.is_mutating()).count(), calls);
    postgres.batch_execute("SELECT pg_drop_replication_slot('slot')").await?;
    session.outcome().await?.succeeded()?;
    assert_eq!(shop.parameter_group(), "default.aurora-postgresql15");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroy_that_would_do_more_than_was_reviewed_does_nothing() -> Result<()> {
    let world = World::new().await?;
    world.tf.write("main.tf", &piped("5s"))?;
    world.tf.apply().await?;
    let plan = world.tf.plan_with(&["-destroy"]).await?;
    let admin = world.data.admin("app").await?;
    // One more table in a reviewed schema is covered by the review; another schema is not.
    admin.batch_execute("CREATE TABLE a.t4 (id int PRIMARY KEY); GRANT SELECT ON a.t4 TO pipe").await?;
    admin.batch_execute("GRANT USAGE ON SCHEMA b TO pipe; GRANT SELECT ON b.t1 TO pipe").await?;
    let plan_file = plan.file.to_string_lossy().into_owned();
    let message = world.tf.run(["apply", "-no-color", "-input=false", &plan_file]).await?.failed()?.message();
    ensure!(message.contains("The role changed since the plan: role \"pipe\""), "{message}");
    ensure!(message.contains("on tables of schema \"b\"") && !message.contains("schema \"a\""), "{message}");
    ensure!(world.tf.resource("clickpipes_replication_user.u").await?["name"] == "pipe", "the role left the state");
    // A refresh shows it.
    let again = world.tf.plan_with(&["-destroy"]).await?;
    let lines = again.change("clickpipes_replication_user.u")["before"]["on_destroy"]["operations"].clone();
    ensure!(lines.to_string().contains("on tables of schema \\\"b\\\""), "{lines}");
    world.tf.apply_plan(&again).await?;
    Ok(())
}

/// If a role has privileges in another database, the plan names the database and the apply revokes them.
#[tokio::test(flavor = "multi_thread")]
async fn another_database_is_one_line_of_a_destroy_and_costs_a_plan_no_connection() -> Result<()> {
    let world = World::new().await?;
    world.tf.write("main.tf", &piped("5s"))?;
    world.tf.apply().await?;
    let admin = world.data.admin("app").await?;
    admin.batch_execute("CREATE DATABASE second").await?;
    let second = world.data.admin("second").await?;
    second
        .batch_execute("CREATE SCHEMA x; CREATE TABLE x.t (id int); GRANT USAGE ON SCHEMA x TO pipe; GRANT SELECT ON x.t TO pipe")
        .await?;
    let connections = "SELECT sum(sessions)::bigint FROM pg_stat_database WHERE datname = 'second'";
    let superuser = world.data.superuser("app").await?;
    let before: i64 = superuser.query_one(connections, &[]).await?.get(0);
    world.tf.apply().await?;
    let after: i64 = superuser.query_one(connections, &[]).await?.get(0);
    let on_destroy = world.tf.resource("clickpipes_replication_user.u").await?["on_destroy"]["operations"].clone();
    let first = on_destroy[0].as_str().context("no line")?;
    assert_eq!((first, after - before), ("REVOKE everything from \"pipe\" in database \"second\"", 0));
    let plan = world.tf.plan_with(&["-destroy"]).await?;
    ensure!(plan.outcome.message().contains("REVOKE ALL ON SCHEMA \"x\" FROM \"pipe\""), "{}", plan.outcome.message());
    world.tf.apply_plan(&plan).await?;
    let left: i64 = superuser.query_one("SELECT count(*) FROM pg_roles WHERE rolname = 'pipe'", &[]).await?.get(0);
    assert_eq!(left, 0);
    Ok(())
}

/// A cluster that is no longer a valid source can still be destroyed.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_became_a_replica_is_let_go() -> Result<()> {
    let world = World::new().await?;
    let source =
        "resource \"clickpipes_aurora_source\" \"s\" {\n  cluster_identifier = \"shop-a\"\n  reboot = \"writer\"\nFURTHER}\n";
    world.tf.write("main.tf", &source.replace("FURTHER", ""))?;
    world.tf.apply().await?;
    world.simulator.cluster("shop-a").context("no cluster")?.replicate("arn:aws:rds:eu-west-1:000000000000:cluster:primary");
    // A normal plan comes before each destroy and refuses nothing; the test then makes a change that runs nothing.
    let plan = world.tf.plan().await?;
    ensure!(plan.outcome.message().contains("Warning: A replica cluster cannot be a source"), "{}", plan.outcome.message());
    world.tf.write("main.tf", &source.replace("FURTHER", "  force_destroy = true\n"))?;
    world.tf.apply().await?;
    world.tf.write("main.tf", &source.replace("FURTHER", ""))?;
    world.tf.apply().await?;
    tokio::time::timeout(Duration::from_secs(120), world.tf.destroy()).await??;
    assert_eq!(world.simulator.cluster("shop-a").context("no cluster")?.parameter_group(), "default.aurora-postgresql15");
    Ok(())
}

/// An import and a plan without changes are no apply; what drifts later is drift all the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_imported_object_that_drifted_can_be_destroyed() -> Result<()> {
    let world = World::new().await?;
    let admin = world.data.admin("app").await?;
    admin.batch_execute("CREATE PUBLICATION feed FOR TABLE ONLY a.t1, ONLY a.t2").await?;
    world.tf.write(
        "main.tf",
        "resource \"clickpipes_publication\" \"p\" {\n  name = \"feed\"\n  database = \"app\"\n  tables = [\"a.t1\", \"a.t2\"]\n}\n",
    )?;
    world.tf.import("clickpipes_publication.p", "app/feed").await?;
    world.tf.assert_empty_plan().await?;
    admin.batch_execute("ALTER PUBLICATION feed DROP TABLE a.t2; ALTER TABLE a.t2 DROP CONSTRAINT t2_pkey").await?;
    let plan = world.tf.plan().await?;
    ensure!(plan.outcome.message().contains("Warning: Tables without a replica identity"), "{}", plan.outcome.message());
    world.tf.destroy().await?;
    assert!(world.snapshot().await?.publications.is_empty());
    Ok(())
}

/// What a destroy would run does not depend on whether a schema has tables now, and what a plan without a refresh shows beyond the state is
/// said.
#[tokio::test(flavor = "multi_thread")]
async fn tables_come_and_go_without_a_change_of_what_a_destroy_would_run() -> Result<()> {
    let world = World::new().await?;
    let admin = world.data.admin("app").await?;
    admin.batch_execute("CREATE SCHEMA empty").await?;
    world.tf.write("main.tf", &piped("5s").replace("[\"a\"]", "[\"a\", \"empty\"]\n  table_owners = [\"clusteradmin\"]"))?;
    world.tf.apply().await?;
    let user = "clickpipes_replication_user.u";
    let on_destroy = async || anyhow::Ok(world.tf.resource(user).await?["on_destroy"].clone());
    let without = on_destroy().await?;
    admin.batch_execute("CREATE TABLE empty.first (id int PRIMARY KEY)").await?;
    world.tf.refresh_only().await?;
    assert_eq!(on_destroy().await?, without);
    admin.batch_execute("DROP TABLE empty.first; GRANT USAGE ON SCHEMA b TO pipe").await?;
    let plan = world.tf.plan_with(&["-destroy", "-refresh=false"]).await?;
    let message = plan.outcome.message();
    ensure!(message.contains("Warning: The role changed since the plan") && message.contains("with a refresh"), "{message}");
    Ok(())
}
