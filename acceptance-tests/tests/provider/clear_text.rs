//! A password in a form that others can use goes to a verified server only.

use acceptance_tests::rig::{ADMIN_PASSWORD, CLUSTER, DATABASE};
use acceptance_tests::simulator::ClusterSpec;
use anyhow::{Context as _, Result};

use super::scripted::{Script, ScriptedServer, request};
use super::{P, PLAN, live, refused, rig};

const CLEAR_TEXT: u32 = 3;
const MD5: u32 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_the_password_without_proof_gets_nothing() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    for (asked, form) in [(request(CLEAR_TEXT, &[]), "in clear text"), (request(MD5, b"salt"), "as an md5 hash")] {
        let thief = ScriptedServer::start(Script::Answer(asked)).await?;
        rig.provider(&thief.settings("disable"))?;
        let asks = format!("it asks for the password {form}");
        let parts =
            ["The password was not sent", "\"clusteradmin\"", "(sslmode disable)", &asks, "sslmode = \"verify-full\"", "SCRAM"];
        refused(&rig, PLAN, &parts).await?;
        let received = String::from_utf8_lossy(&thief.received()).into_owned();
        assert!(received.contains("clusteradmin"), "nobody tried to log in");
        // The answer to a request for a password is the only message with this tag before the login.
        assert!(!received.contains(ADMIN_PASSWORD) && !received.contains("md5"), "{received:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_that_is_not_verified_gets_it_by_scram_only() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER).tls()).await?;
    let at = format!(r#"host = "{}", port = {}, username = "clusteradmin""#, rig.cluster.host, rig.cluster.port);
    let authority = rig.cluster.ca_certificate().context("a cluster with TLS has an authority")?.display().to_string();
    for method in ["password", "md5"] {
        let superuser = rig.cluster.superuser("postgres").await?;
        superuser
            .batch_execute(&format!("SET password_encryption = 'md5'; ALTER ROLE clusteradmin PASSWORD '{ADMIN_PASSWORD}'"))
            .await?;
        rig.cluster.server()?.authenticate_by(method).await?;
        for mode in ["disable", "require"] {
            rig.provider(&format!(r#"{at}, sslmode = "{mode}""#))?;
            refused(&rig, PLAN, &["The password was not sent", &format!("(sslmode {mode})"), "sslrootcert"]).await?;
        }
        for mode in ["require", "verify-ca", "verify-full"] {
            rig.provider(&format!(r#"{at}, sslmode = "{mode}", sslrootcert = "{authority}""#))?;
            rig.tf.run(PLAN).await?.succeeded().with_context(|| format!("{method} with {mode}"))?;
        }
    }
    let superuser = rig.cluster.superuser("postgres").await?;
    let scram = format!("SET password_encryption = 'scram-sha-256'; ALTER ROLE clusteradmin PASSWORD '{ADMIN_PASSWORD}'");
    superuser.batch_execute(&scram).await?;
    rig.cluster.server()?.authenticate_by("scram-sha-256").await?;
    for mode in ["disable", "require"] {
        rig.provider(&format!(r#"{at}, sslmode = "{mode}""#))?;
        live(&rig).await?;
    }
    rig.tf.assert_no_secret(&[ADMIN_PASSWORD], &[rig.cluster.server()?.log_path()])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_too_and_the_environment_cannot_take_the_verification_away() -> Result<()> {
    let mut rig = rig(ClusterSpec::new(CLUSTER).tls().iam_authentication()).await?;
    let superuser = rig.cluster.superuser(DATABASE).await?;
    superuser
        .batch_execute(&format!(
            "CREATE ROLE deployer LOGIN CREATEROLE; GRANT rds_superuser, clusteradmin TO deployer; GRANT CREATE ON DATABASE {DATABASE} TO deployer"
        ))
        .await?;
    rig.cluster.grant_rds_iam("deployer").await?;
    let authority = rig.cluster.ca_certificate().context("a cluster with TLS has an authority")?.display().to_string();
    let by_cluster =
        |more: &str| rig.provider(&format!(r#"cluster_identifier = "{CLUSTER}", username = "deployer", iam_auth = true{more}"#));
    by_cluster(r#", sslmode = "require""#)?;
    refused(&rig, PLAN, &["The password was not sent", "An IAM token is always sent in clear text", "sslmode = \"verify-full\""])
        .await?;
    assert!(rig.cluster.iam_logins().is_empty() && rig.cluster.iam_refusals().is_empty(), "a token was sent");

    // The authority is not that of RDS: with less than verify-full it would not be looked at.
    by_cluster("")?;
    for lower in ["disable", "require"] {
        rig.tf.set_env("PGSSLMODE", lower);
        refused(&rig, PLAN, &["(sslmode verify-full)", "not signed by a trusted certificate authority"]).await?;
    }
    rig.provider(&format!(
        r#"cluster_identifier = "{CLUSTER}", username = "deployer", iam_auth = true, sslrootcert = "{authority}""#
    ))?;
    rig.apply_as_reviewed(P).await?;
    assert!(!rig.cluster.iam_logins().is_empty());
    Ok(())
}
