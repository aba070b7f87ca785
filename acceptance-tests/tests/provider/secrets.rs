//! The admin's password is nowhere after a full run with a trace log.

use acceptance_tests::rig::{ADMIN_PASSWORD, CLUSTER, Rig};
use acceptance_tests::simulator::ClusterSpec;
use anyhow::Result;

use super::{APPLY, P, publication, rig};

/// Create, change, an apply that fails, a login that fails, destroy.
async fn full_run(rig: &Rig) -> Result<()> {
    rig.apply_as_reviewed(P).await?;
    rig.main(&publication("\"insert\", \"delete\""))?;
    rig.apply_as_reviewed(P).await?;
    rig.main(&publication("\"insert\"").replace("public.orders", "public.nowhere"))?;
    rig.tf.run(APPLY).await?.failed()?;
    rig.main(&publication("\"insert\""))?;
    rig.cluster.superuser("postgres").await?.batch_execute("ALTER ROLE clusteradmin NOLOGIN").await?;
    rig.tf.run(APPLY).await?.failed()?;
    rig.cluster.superuser("postgres").await?.batch_execute("ALTER ROLE clusteradmin LOGIN").await?;
    rig.tf.destroy().await?;
    rig.tf.assert_no_secret(&[ADMIN_PASSWORD], &[rig.cluster.server()?.log_path()])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_the_environment_is_kept_nowhere() -> Result<()> {
    full_run(&rig(ClusterSpec::new(CLUSTER)).await?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_an_ephemeral_variable_is_kept_nowhere() -> Result<()> {
    let mut rig = rig(ClusterSpec::new(CLUSTER)).await?;
    rig.tf.unset_env("PGPASSWORD");
    rig.tf.set_env("TF_VAR_admin_password", ADMIN_PASSWORD);
    rig.tf.write(
        "variables.tf",
        "variable \"admin_password\" {\n  type      = string\n  sensitive = true\n  ephemeral = true\n}\n",
    )?;
    rig.provider(&format!(
        r#"host = "{}", port = {}, username = "clusteradmin", password = var.admin_password, sslmode = "disable""#,
        rig.cluster.host, rig.cluster.port
    ))?;
    full_run(&rig).await
}
