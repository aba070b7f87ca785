//! Missing objects and missing privileges: a warning while they may still come, an error at apply before any change.

use acceptance_tests::rig::{CLUSTER, Rig};
use acceptance_tests::simulator::ClusterSpec;
use acceptance_tests::terraform_cli::Plan;
use anyhow::{Result, ensure};
use serde_json::Value;

use super::{APPLY, P, PUBLICATIONS, publication, publication_in, refused, rig};

async fn warned(rig: &Rig, parts: &[&str]) -> Result<Plan> {
    let plan = rig.tf.plan().await?;
    let message = plan.outcome.message();
    for part in parts {
        ensure!(message.contains(part), "{part:?} is missing in:\n{message}");
    }
    Ok(plan)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_comes_later_and_goes_again() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    rig.main(&publication_in("later", "\"insert\""))?;
    refused(&rig, APPLY, &["Error: Database not found", "\"later\"", "Create the database first"]).await?;
    assert_eq!(rig.tf.resource(P).await?, Value::Null);
    let plan = warned(&rig, &["Warning: Database not found", "\"later\"", "Create the database first"]).await?;
    assert!(plan.is_unknown(P, "operations"));

    rig.sql("CREATE DATABASE later").await?;
    rig.cluster.admin("later").await?.batch_execute("CREATE TABLE orders (id int PRIMARY KEY)").await?;
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await?;

    rig.cluster.superuser("postgres").await?.batch_execute("DROP DATABASE later WITH (FORCE)").await?;
    let plan = warned(&rig, &["Warning: Database not found"]).await?;
    assert_eq!(plan.actions(P), ["create"]);
    rig.tf.destroy().await?;
    assert_eq!(rig.tf.resource(P).await?, Value::Null);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_comes_later() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    rig.provider(r#"cluster_identifier = "elsewhere", username = "clusteradmin", sslmode = "disable""#)?;
    let parts = ["Cluster not found", "postgres.cluster_identifier", "\"elsewhere\"", "us-east-1"];
    let plan = warned(&rig, &parts).await?;
    assert!(plan.outcome.message().contains("Warning: Cluster not found"));
    assert_eq!(plan.actions(P), ["create"]);
    refused(&rig, APPLY, &parts).await?;
    assert_eq!(rig.tf.resource(P).await?, Value::Null);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_without_the_privileges() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let superuser = rig.cluster.superuser("app").await?;
    superuser.batch_execute("CREATE ROLE limited LOGIN PASSWORD 'limited-4711'; GRANT CREATE ON DATABASE app TO limited").await?;
    rig.provider(&format!(
        r#"host = "{}", port = {}, username = "limited", password = "limited-4711", sslmode = "disable""#,
        rig.cluster.host, rig.cluster.port
    ))?;
    warned(&rig, &["Warning: Not the owner of a table", "public.orders"]).await?;
    let parts = ["Not the owner of a table", "belongs to \"clusteradmin\"", "GRANT \"clusteradmin\" TO \"limited\""];
    refused(&rig, APPLY, &parts).await?;

    superuser.batch_execute("ALTER TABLE orders OWNER TO limited; REVOKE CREATE ON DATABASE app FROM limited").await?;
    let denied =
        ["Missing privilege", "may not create publications in database", "GRANT CREATE ON DATABASE \"app\" TO \"limited\""];
    refused(&rig, APPLY, &denied).await?;
    assert_eq!((rig.tf.resource(P).await?, rig.ask(PUBLICATIONS).await?), (Value::Null, "0".to_owned()));

    superuser.batch_execute("GRANT CREATE ON DATABASE app TO limited").await?;
    let mut created = rig.apply_as_reviewed(P).await?;
    // The state keeps an existing object, and says whose it is.
    superuser.batch_execute("ALTER PUBLICATION p OWNER TO clusteradmin").await?;
    rig.main(&publication("\"delete\""))?;
    refused(&rig, APPLY, &["Not the owner of the publication", "GRANT \"clusteradmin\" TO \"limited\""]).await?;
    created["owner"] = "clusteradmin".into();
    assert_eq!(rig.tf.resource(P).await?, created);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_exists_is_not_gone_because_its_cluster_was_looked_for_in_the_wrong_place() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    rig.main(&publication("\"insert\""))?;
    let created = rig.apply_as_reviewed(P).await?;
    rig.provider(r#"cluster_identifier = "elsewhere", username = "clusteradmin", sslmode = "disable""#)?;
    let parts = ["Error: Cluster not found", "\"elsewhere\"", "region us-east-1, account 123456789012"];
    refused(&rig, &["plan", "-no-color", "-input=false"], &parts).await?;
    refused(&rig, &["destroy", "-no-color", "-auto-approve"], &parts).await?;
    refused(&rig, &["destroy", "-no-color", "-auto-approve", "-refresh=false"], &parts).await?;
    assert_eq!((rig.tf.resource(P).await?, rig.ask(PUBLICATIONS).await?), (created, "1".to_owned()));
    Ok(())
}
