//! How many connections many resources need.

use std::collections::BTreeSet;

use acceptance_tests::rig::{ADMIN_PASSWORD, DATABASE, Rig};
use anyhow::Result;

const VARIABLES: &str = "variable \"password\" {\n  type = string\n  ephemeral = true\n}\n";
const PASSWORD: &str = "a-password-of-some-length";

fn user(resource: &str, name: &str, database: &str) -> String {
    format!(
        "resource \"clickpipes_replication_user\" \"{resource}\" {{\n  name = \"{name}\"\n  database = \"{database}\"\n  \
         password_wo = var.password\n  password_wo_version = 1\n  schemas = [\"public\"]\n}}\n"
    )
}

/// The processes of the provider's sessions in the server's log after its first `mark` bytes.
fn sessions(rig: &Rig, mark: usize) -> Result<BTreeSet<String>> {
    let log = rig.cluster.server_log()?;
    let lines = log[mark..].lines().filter(|line| line.contains("app=terraform-provider-clickpipes"));
    Ok(lines.filter_map(|line| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned())).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_is_enough_for_many_resources_in_two_databases() -> Result<()> {
    let mut rig = Rig::start().await?;
    rig.tf.set_env("TF_VAR_password", PASSWORD);
    rig.sql("CREATE TABLE t (id int PRIMARY KEY)").await?;
    rig.sql("CREATE DATABASE second").await?;
    let (host, port) = (rig.cluster.host.clone(), rig.cluster.port);
    let provider = |limit: u32| {
        format!(r#"host = "{host}", port = {port}, username = "clusteradmin", sslmode = "disable", max_connections = {limit}"#)
    };
    let mut configuration = VARIABLES.to_owned();
    for number in 0..6 {
        let database = if number < 4 { DATABASE } else { "second" };
        configuration += &user(&format!("pipe{number}"), &format!("pipe{number}"), database);
    }
    rig.main(&configuration)?;
    rig.provider(&provider(1))?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;

    rig.provider(&provider(4))?;
    let mark = rig.cluster.server_log()?.len();
    rig.tf.assert_empty_plan().await?;
    let refreshing = sessions(&rig, mark)?;
    assert_eq!(refreshing.len(), 2, "a refresh costs one connection for each database: {refreshing:?}");
    rig.tf.destroy().await?;
    rig.tf.assert_no_secret(&[ADMIN_PASSWORD, PASSWORD], &[rig.cluster.server()?.log_path()])
}

/// Three resources of every kind over two databases, each with several schemas.
fn everything(publish: &str) -> String {
    let mut configuration = VARIABLES.to_owned();
    configuration +=
        "resource \"clickpipes_aurora_source\" \"orders\" {\n  cluster_identifier = \"orders\"\n  reboot = \"writer\"\n}\n";
    for database in [DATABASE, "second"] {
        for number in 0..2 {
            let name = format!("{database}{number}");
            configuration += &format!(
                "resource \"clickpipes_replication_user\" \"{name}\" {{\n  name = \"{name}\"\n  database = \"{database}\"\n  \
                 password_wo = var.password\n  password_wo_version = 1\n  schemas = [\"public\", \"sales\", \"billing\"]\n  \
                 depends_on = [clickpipes_aurora_source.orders]\n}}\n\
                 resource \"clickpipes_publication\" \"{name}\" {{\n  name = \"{name}\"\n  database = \"{database}\"\n  \
                 schemas = [\"sales\"]\n  tables = [\"billing.t\", \"public.t\"]\n  publish = [{publish}]\n  \
                 depends_on = [clickpipes_aurora_source.orders]\n}}\n"
            );
        }
    }
    configuration
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_finishes_everything() -> Result<()> {
    let mut rig = Rig::start().await?;
    rig.tf.set_env("TF_VAR_password", PASSWORD);
    rig.sql("CREATE DATABASE second").await?;
    for database in [DATABASE, "second"] {
        let admin = rig.cluster.admin(database).await?;
        admin.batch_execute("CREATE SCHEMA sales; CREATE SCHEMA billing").await?;
        for schema in ["public", "sales", "billing"] {
            admin.batch_execute(&format!("CREATE TABLE {schema}.t (id int PRIMARY KEY)")).await?;
        }
    }
    let (host, port) = (rig.cluster.host.clone(), rig.cluster.port);
    rig.provider(&format!(
        r#"host = "{host}", port = {port}, username = "clusteradmin", sslmode = "disable", max_connections = 1"#
    ))?;
    rig.main(&everything("\"insert\""))?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(rig.cluster.show("wal_level").await?, "logical");
    let mark = rig.cluster.server_log()?.len();
    rig.main(&everything("\"insert\", \"delete\""))?;
    rig.tf.apply().await?;
    assert!(!sessions(&rig, mark)?.is_empty());
    rig.tf.assert_empty_plan().await?;
    rig.tf.destroy().await?;
    let left = "SELECT (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM pg_roles WHERE rolname ~ '[01]$')";
    assert_eq!(rig.ask(&format!("SELECT ({left})::text")).await?, "0");
    assert_eq!(rig.cluster.parameter_group(), "default.aurora-postgresql15");
    rig.tf.assert_no_secret(&[ADMIN_PASSWORD, PASSWORD], &[rig.cluster.server()?.log_path()])
}
