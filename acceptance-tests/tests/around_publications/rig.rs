//! A cluster with tables of an application, of whose owner the admin is a member.

use acceptance_tests::rig::{CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::ClusterSpec;
use anyhow::{Context as _, Result, ensure};

pub const P: &str = "clickpipes_publication.p";

const APPLICATION: &str = "
    CREATE ROLE app_owner NOLOGIN; GRANT app_owner TO clusteradmin;
    CREATE SCHEMA s AUTHORIZATION app_owner; SET ROLE app_owner;
    CREATE TABLE s.a (id int PRIMARY KEY); CREATE TABLE s.b (id int PRIMARY KEY);";

pub async fn rig(version: &str) -> Result<Rig> {
    with_application(Rig::start_with(ClusterSpec::new(CLUSTER).engine_version(version)).await?).await
}

pub async fn with_application(rig: Rig) -> Result<Rig> {
    rig.sql(APPLICATION).await?;
    Ok(rig)
}

/// The publication `p` with these arguments.
pub fn publication(arguments: &str) -> String {
    format!("resource \"clickpipes_publication\" \"p\" {{\n  database = \"{DATABASE}\"\n  name = \"p\"\n{arguments}\n}}\n")
}

/// Runs SQL as the rig's superuser.
pub async fn superuser(rig: &Rig, sql: &str) -> Result<()> {
    rig.cluster.superuser(DATABASE).await?.batch_execute(sql).await.with_context(|| format!("running {sql}"))
}

/// A message on one line.
pub fn flat(message: &str) -> String {
    message.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

/// The plan warns of this, and the apply is refused with the same and changes nothing.
pub async fn is_lacking(rig: &Rig, parts: &[&str]) -> Result<()> {
    let plan = rig.tf.plan().await?;
    let before = rig.changes()?;
    let refusal = rig.tf.run(["apply", "-no-color", "-auto-approve", "-input=false"]).await?.failed()?.message();
    for message in [flat(&plan.outcome.message()), flat(&refusal)] {
        for part in parts {
            ensure!(message.contains(part), "{part:?} is missing in {message}");
        }
    }
    ensure!(rig.changes()? == before, "something was changed");
    Ok(())
}
