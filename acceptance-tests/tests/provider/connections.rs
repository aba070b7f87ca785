//! Every way to configure the connection, each for a whole life of a resource.

use acceptance_tests::rig::{ADMIN_PASSWORD, CLUSTER};
use acceptance_tests::simulator::ClusterSpec;
use anyhow::{Context as _, Result};

use super::{PLAN, live, refused, rig};

#[tokio::test(flavor = "multi_thread")]
async fn spelled_out_with_a_single_connection() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let (host, port) = (&rig.cluster.host, rig.cluster.port);
    rig.provider(&format!(
        r#"host = "{host}", port = {port}, username = "clusteradmin", password = "{ADMIN_PASSWORD}", sslmode = "disable", database = "postgres", max_connections = 1"#
    ))?;
    live(&rig).await
}

#[tokio::test(flavor = "multi_thread")]
async fn by_cluster_identifier_with_and_without_verification() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER).tls()).await?;
    let settings = |more: &str| {
        format!(r#"cluster_identifier = "{CLUSTER}", username = "clusteradmin", password = "{ADMIN_PASSWORD}"{more}"#)
    };
    // Verification is optional here, and this server's authority is not that of RDS.
    rig.provider(&settings(""))?;
    refused(&rig, PLAN, &["verify-full", "certificate", "sslrootcert"]).await?;

    rig.provider(&settings(r#", sslmode = "require""#))?;
    live(&rig).await?;

    let authority = rig.cluster.ca_certificate().context("a cluster with TLS has an authority")?.display().to_string();
    rig.provider(&settings(&format!(r#", sslrootcert = "{authority}""#)))?;
    rig.tf.apply().await?;
    rig.provider(&settings(&format!(
        r#", sslrootcert = file("{authority}"), sslmode = "verify-ca", tls_server_name = "elsewhere""#
    )))?;
    rig.tf.assert_empty_plan().await?;
    assert!(rig.simulator.calls().iter().any(|call| call.action == "DescribeDBClusters"));

    rig.provider(&settings(&format!(r#", sslrootcert = "{authority}", tls_server_name = "elsewhere""#)))?;
    refused(&rig, PLAN, &["certificate", "elsewhere", "tls_server_name"]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn by_cluster_identifier_without_tls() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    rig.provider(&format!(r#"cluster_identifier = "{CLUSTER}", username = "clusteradmin", sslmode = "disable""#))?;
    live(&rig).await?;
    // A required TLS mode is not given up if the server has no TLS.
    rig.provider(&format!(r#"cluster_identifier = "{CLUSTER}", username = "clusteradmin", sslmode = "require""#))?;
    refused(&rig, PLAN, &["sslmode require", "server does not support TLS", "sslmode = \"disable\""]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn by_environment_alone() -> Result<()> {
    let mut rig = rig(ClusterSpec::new(CLUSTER)).await?;
    rig.tf.write("provider.tf", "provider \"clickpipes\" {}\n")?;
    for (name, value) in [("PGHOST", rig.cluster.host.clone()), ("PGPORT", rig.cluster.port.to_string())] {
        rig.tf.set_env(name, value);
    }
    rig.tf.set_env("PGUSER", "clusteradmin");
    rig.tf.set_env("PGSSLMODE", "disable");
    live(&rig).await?;

    for other in ["prefer", "allow"] {
        rig.tf.set_env("PGSSLMODE", other);
        let is_none = format!("The environment variable PGSSLMODE: \"{other}\" is not an sslmode");
        refused(&rig, PLAN, &[&is_none, "libpq has this mode too", "Set require if the server has TLS"]).await?;
    }
    rig.tf.set_env("PGSSLMODE", "disable");
    rig.tf.set_env("PGPORT", "70000");
    refused(&rig, PLAN, &["PGPORT is \"70000\"", "between 1 and 65535"]).await?;
    Ok(())
}
