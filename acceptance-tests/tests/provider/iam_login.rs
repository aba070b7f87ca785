//! IAM database authentication: a token for each connection, signed for the cluster's own endpoint whatever the client connects
//! to.

use std::collections::BTreeSet;

use acceptance_tests::rig::{ADMIN, ADMIN_PASSWORD, CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::{ClusterHandle, ClusterSpec, IamLogin, IamRefusalReason, RoleSpec};
use acceptance_tests::slow_network::SlowNetwork;
use anyhow::{Context as _, Result};

use super::interruptions::{hold, until_it_waits, waiting_apply};
use super::{P, PLAN, PUBLICATIONS, live, publication, refused, rig};

/// A text that every token contains, and nothing else.
const TOKEN: &str = "X-Amz-Signature=";
/// A role that works like the master user, with characters that have a meaning in a query string.
const ODD: &str = "ci deploy+1&x=%41\"é@corp";

/// A cluster with IAM authentication, where these roles have the privileges of the master user and log in with a token only.
async fn cluster(roles: &[&str]) -> Result<Rig> {
    let mut rig = rig(ClusterSpec::new(CLUSTER).tls().iam_authentication()).await?;
    rig.tf.unset_env("PGPASSWORD");
    let_in(&rig.cluster, roles).await?;
    Ok(rig)
}

async fn let_in(cluster: &ClusterHandle, roles: &[&str]) -> Result<()> {
    let superuser = cluster.superuser(DATABASE).await?;
    for role in roles {
        let name = format!("\"{}\"", role.replace('"', "\"\""));
        superuser
            .batch_execute(&format!(
                "CREATE ROLE {name} LOGIN CREATEROLE; GRANT rds_superuser, clusteradmin TO {name}; GRANT CREATE ON DATABASE \
                 \"{DATABASE}\" TO {name}"
            ))
            .await?;
        cluster.grant_rds_iam(role).await?;
    }
    Ok(())
}

fn authority(rig: &Rig) -> Result<String> {
    Ok(rig.cluster.ca_certificate().context("a cluster with TLS has an authority")?.display().to_string())
}

fn by_cluster(rig: &Rig, user: &str, more: &str) -> Result<()> {
    let user = user.replace('\\', "\\\\").replace('"', "\\\"");
    rig.provider(&format!(
        r#"cluster_identifier = "{CLUSTER}", username = "{user}", iam_auth = true, sslrootcert = "{}"{more}"#,
        authority(rig)?
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_lets_a_role_in_whatever_its_name_is_and_is_kept_nowhere() -> Result<()> {
    let rig = cluster(&["deployer", ODD]).await?;
    for user in ["deployer", ODD] {
        by_cluster(&rig, user, "")?;
        live(&rig).await?;
        let logins = rig.cluster.iam_logins();
        let mut of_user = logins.iter().filter(|login| login.user == user).peekable();
        assert!(of_user.peek().is_some(), "{user}: {logins:?}");
        assert!(of_user.all(|login| login.access_key == "testing"), "{logins:?}");
    }
    assert_eq!(rig.cluster.iam_refusals(), []);
    rig.tf.assert_no_secret(&[TOKEN], &[rig.cluster.server()?.log_path()])
}

/// A token is good for one endpoint only, so each cluster that a resource names gets tokens of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_a_resource_names_gets_tokens_of_its_own() -> Result<()> {
    let rig = cluster(&["deployer"]).await?;
    let spec = ClusterSpec::new("shop").tls().iam_authentication().admin(ADMIN, ADMIN_PASSWORD).database(DATABASE);
    let shop = rig.simulator.create_cluster(spec).await?;
    let_in(&shop, &["deployer"]).await?;
    shop.admin(DATABASE).await?.batch_execute("CREATE TABLE orders (id int PRIMARY KEY)").await?;
    let both = [&rig.cluster, &shop].map(|cluster| cluster.ca_certificate().map(std::fs::read_to_string));
    let both: String = both.into_iter().flatten().collect::<std::io::Result<_>>()?;
    rig.tf.write("authorities.pem", &both)?;
    let authorities = rig.tf.folder().join("authorities.pem");
    rig.provider(&format!(r#"username = "deployer", iam_auth = true, sslrootcert = "{}""#, authorities.display()))?;
    let each = format!("{{\n  for_each = toset([\"{CLUSTER}\", \"shop\"])\n  cluster_identifier = each.key\n");
    rig.main(&publication("\"insert\"").replacen("{\n", &each, 1))?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    for cluster in [&rig.cluster, &shop] {
        let row = cluster.superuser(DATABASE).await?.query_one(PUBLICATIONS, &[]).await?;
        assert_eq!((row.get::<_, String>(0).as_str(), cluster.iam_refusals()), ("1", Vec::new()));
        assert!(cluster.iam_logins().iter().all(|login| login.user == "deployer") && !cluster.iam_logins().is_empty());
    }
    Ok(())
}

/// New credentials of the role are requested for each token, so the access key identifies the token.
#[tokio::test(flavor = "multi_thread")]
async fn each_connection_of_a_run_has_a_token_of_its_own() -> Result<()> {
    let rig = cluster(&["deployer"]).await?;
    let role = rig.simulator.create_role(RoleSpec::new("deploy"));
    by_cluster(&rig, "deployer", "")?;
    let block = std::fs::read_to_string(rig.tf.folder().join("provider.tf"))?;
    let assuming = block.replace("region ", &format!("assume_role = {{ role_arn = \"{role}\" }}\n    region "));
    rig.tf.write("provider.tf", &assuming)?;
    let holder = hold(&rig).await?;
    let (session, pid) = waiting_apply(&rig).await?;
    // The applying process waits here; the next logins come from the same process.
    let before = rig.cluster.iam_logins();
    rig.ask(&format!("SELECT pg_terminate_backend({pid})::text")).await?;
    until_it_waits(&rig, pid).await?;
    let after = rig.cluster.iam_logins();
    holder.batch_execute("ROLLBACK").await?;
    session.outcome().await?.succeeded()?;
    assert!(!before.is_empty() && after.len() > before.len(), "{before:?}\n{after:?}");
    let key = |login: &IamLogin| login.access_key.clone();
    let tokens: BTreeSet<String> = after.iter().map(key).collect();
    assert!(tokens.len() == after.len() && tokens.iter().all(|key| key.starts_with("ASIA")), "a token was used twice: {after:?}");
    assert_eq!((rig.cluster.iam_refusals(), rig.ask(PUBLICATIONS).await?), (Vec::new(), "1".to_owned()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_tunnel_the_token_and_tls_are_the_clusters() -> Result<()> {
    let rig = cluster(&["deployer"]).await?;
    let tunnel = SlowNetwork::to(format!("{}:{}", rig.cluster.host, rig.cluster.port).parse()?).await?;
    let near_end = format!(r#", host = "localhost", port = {}"#, tunnel.address().port());
    by_cluster(&rig, "deployer", &near_end)?;
    live(&rig).await?;
    assert!(tunnel.take_traffic().connections > 0);
    assert_eq!(rig.cluster.iam_refusals(), []);

    // Without the cluster, the server at the far end is unknown.
    let spelled_out = format!(
        r#"username = "deployer", iam_auth = true, sslmode = "verify-ca", sslrootcert = "{}"{near_end}"#,
        authority(&rig)?
    );
    rig.provider(&spelled_out)?;
    refused(&rig, PLAN, &["refuses the login", "with an IAM token", "PAM authentication failed", "rds_iam", "rds-db:connect"])
        .await?;
    let refusals = rig.cluster.iam_refusals();
    let signed_for = format!("localhost:{}", tunnel.address().port());
    assert!(refusals.iter().all(|refusal| refusal.reason == IamRefusalReason::OtherEndpoint(signed_for.clone())), "{refusals:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assumed_role_signs_the_token_and_calls_aws() -> Result<()> {
    let rig = cluster(&["deployer"]).await?;
    let role = rig.simulator.create_role(RoleSpec::new("deploy").external_id("shop-7"));
    by_cluster(&rig, "deployer", "")?;
    let block = std::fs::read_to_string(rig.tf.folder().join("provider.tf"))?;
    let assuming = |external_id: &str| {
        let assume = format!("assume_role = {{ role_arn = \"{role}\", external_id = \"{external_id}\" }}\n    region ");
        block.replace("region ", &assume)
    };
    rig.tf.write("provider.tf", &assuming("shop-7"))?;
    rig.simulator.clear_calls();
    live(&rig).await?;
    let logins = rig.cluster.iam_logins();
    assert!(!logins.is_empty() && logins.iter().all(|login| login.access_key.starts_with("ASIA")), "{logins:?}");
    let calls = rig.simulator.calls();
    let described = calls.iter().filter(|call| call.action == "DescribeDBClusters");
    assert!(described.clone().all(|call| call.access_key.as_deref().is_some_and(|key| key.starts_with("ASIA"))), "{calls:?}");

    rig.tf.write("provider.tf", &assuming("another"))?;
    refused(&rig, PLAN, &["No usable AWS credentials", "AccessDenied", "aws settings of the provider block"]).await?;
    rig.tf.assert_no_secret(&[TOKEN], &[rig.cluster.server()?.log_path()])
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_log_in_with_a_token_learns_what_to_check() -> Result<()> {
    let rig = cluster(&["deployer"]).await?;
    let refusal = ["refuses the login", "\"deployer\"", "with an IAM token", "member of rds_iam", "rds-db:connect", "clock"];
    rig.cluster.revoke_rds_iam("deployer").await?;
    by_cluster(&rig, "deployer", "")?;
    refused(&rig, PLAN, &refusal).await?;
    rig.cluster.grant_rds_iam("deployer").await?;

    // Another principal's key, which is unknown here.
    let block = std::fs::read_to_string(rig.tf.folder().join("provider.tf"))?;
    rig.tf.write("provider.tf", &block.replace("secret_key = \"testing\"", "secret_key = \"another\""))?;
    refused(&rig, PLAN, &refusal).await?;
    assert_eq!(rig.cluster.iam_refusals().last().map(|refusal| &refusal.reason), Some(&IamRefusalReason::WrongSignature));

    by_cluster(&rig, "deployer", r#", sslmode = "disable""#)?;
    refused(&rig, PLAN, &["An IAM token needs TLS", "postgres.iam_auth", "sslmode"]).await?;
    by_cluster(&rig, "deployer", "")?;
    rig.main(&publication("\"insert\""))?;
    rig.apply_as_reviewed(P).await?;
    Ok(())
}
