//! Through a pooler the provider does nothing, and leaves the application's connection as it was: with a real PgBouncer, and with one
//! by a script.

use std::net::SocketAddr;

use acceptance_tests::pgbouncer::{PgBouncer, Program};
use acceptance_tests::rig::{ADMIN, ADMIN_PASSWORD, CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::ClusterSpec;
use anyhow::{Context as _, Result, ensure};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::scripted_pooler::ScriptedPooler;
use super::{PLAN, PUBLICATIONS, one_error, refused, rig};

/// Every setting that a session may change.
const SETTINGS: &str = "\
SELECT string_agg(name || '=' || setting, ', ' ORDER BY name) FROM pg_settings
 WHERE context IN ('user', 'superuser') AND name NOT IN ('application_name', 'client_encoding')";
const IGNORE: &str = "ignore_startup_parameters = options";
/// From PgBouncer 1.20 on.
const TRACK: &str = "track_extra_parameters = default_transaction_read_only, client_min_messages, search_path";

/// The application, which uses the same role and database through the same pooler.
async fn application(pooler: SocketAddr) -> Result<Client> {
    let mut config = tokio_postgres::Config::new();
    config.host(pooler.ip().to_string()).port(pooler.port()).user(ADMIN).password(ADMIN_PASSWORD).dbname(DATABASE);
    config.ssl_mode(tokio_postgres::config::SslMode::Disable);
    let (client, connection) = config.connect(NoTls).await.context("the application connects")?;
    tokio::spawn(connection);
    Ok(client)
}

/// The application writes, and tells its settings.
async fn works(pooler: SocketAddr) -> Result<String> {
    let client = application(pooler).await?;
    client
        .batch_execute("INSERT INTO orders SELECT coalesce(max(id), 0) + 1 FROM orders")
        .await
        .context("the application writes")?;
    let answer = client.simple_query(SETTINGS).await?;
    let row = answer.iter().find_map(|message| if let SimpleQueryMessage::Row(row) = message { row.get(0) } else { None });
    Ok(row.unwrap_or_default().to_owned())
}

/// A plan and the apply of a plan that was made on the server itself are refused, and the application notices nothing.
async fn is_refused(rig: &mut Rig, pooler: SocketAddr) -> Result<()> {
    let direct = rig.cluster.port.to_string();
    rig.tf.set_env("PGPORT", &direct);
    let plan = rig.tf.plan().await?;
    let before = works(pooler).await?;
    rig.tf.set_env("PGPORT", pooler.port().to_string());
    let parts =
        ["Connected to a pooler instead of the database server", "PgBouncer", &pooler.to_string(), "to the server itself"];
    refused(rig, PLAN, &parts).await?;
    let apply = rig.tf.run(["apply", "-no-color", "-input=false", &plan.file.display().to_string()]).await?;
    one_error(apply, &parts)?;
    let after = works(pooler).await?;
    ensure!(before == after, "before: {before}\nafter: {after}");
    ensure!(rig.ask(PUBLICATIONS).await? == "0", "a publication was created");
    Ok(())
}

/// A rig whose address comes from the environment. By chance its role has a setting that is also one of the provider's sessions.
async fn start() -> Result<Rig> {
    let mut rig = rig(ClusterSpec::new(CLUSTER)).await?;
    rig.provider(&format!(r#"username = "{ADMIN}", sslmode = "disable""#))?;
    rig.tf.set_env("PGHOST", rig.cluster.host.clone());
    rig.cluster.superuser("postgres").await?.batch_execute("ALTER ROLE clusteradmin SET client_min_messages = warning").await?;
    Ok(rig)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_pgbouncer_in_every_mode_is_named_and_the_application_notices_nothing() -> Result<()> {
    // Standard error says so if there is none; the test below holds the same.
    let Some(program) = Program::locate() else { return Ok(()) };
    let mut rig = start().await?;
    for mode in ["transaction", "session"] {
        let mut settings = vec![String::new(), IGNORE.to_owned()];
        if program.version >= (1, 20) {
            settings.extend([TRACK.to_owned(), format!("{IGNORE}\n{TRACK}")]);
        }
        for settings in settings {
            let settings = format!("pool_mode = {mode}\n{settings}");
            let pooler = PgBouncer::start(&program, rig.cluster.port, DATABASE, (ADMIN, ADMIN_PASSWORD), &settings)?;
            is_refused(&mut rig, pooler.address).await.with_context(|| format!("{:?}: {settings}", program.version))?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_passes_on_some_of_the_settings_is_named_too() -> Result<()> {
    let mut rig = start().await?;
    rig.cluster.server()?.authenticate_by("trust").await?;
    for tracks in [false, true] {
        let pooler = ScriptedPooler::start((&rig.cluster.host, rig.cluster.port), ADMIN, DATABASE, tracks).await?;
        is_refused(&mut rig, pooler.address).await.with_context(|| format!("tracks: {tracks}"))?;
    }
    Ok(())
}
