//! How many connections many resources cost.

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

/// Processes of the provider's sessions that the server's log names after `mark` bytes of it.
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
