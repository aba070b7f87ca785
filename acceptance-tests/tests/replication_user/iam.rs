//! A role that logs in with IAM tokens: switched in both directions, drifted, imported, refused.

use acceptance_tests::postgres_server::{PostgresServer, ServerOptions, is_available};
use acceptance_tests::rig::{ADMIN, CLUSTER, DATABASE, provider_block};
use acceptance_tests::simulator::ClusterSpec;
use acceptance_tests::terraform_cli::Terraform;
use serde_json::json;

use crate::rig::{ADMIN_PASSWORD, PASSWORD, Rig, USER, hcl, rules};

const SCHEMA: &str = "  schemas = [\"shop\"]";
const MEMBER: &str = "pg_has_role('pipe', 'rds_iam', 'MEMBER')";
const NO_PASSWORD: &str = "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'pipe'";

/// Configures a role that logs in with tokens.
pub fn with_tokens(rig: &Rig, name: &str, arguments: &str) {
    let text = format!(
        "resource \"clickpipes_replication_user\" \"pipe\" {{\n  name = {}\n  database = \"app\"\n  authentication = \"iam\"\n{arguments}\n}}\n",
        hcl(name)
    );
    rig.main(&text).unwrap();
}

/// A cluster with IAM authentication, named in the provider block; the admin logs in with the password, or with a token.
pub async fn cluster(version: &str, admin_by_token: bool) -> Rig {
    let rig = Rig::start_with(ClusterSpec::new(CLUSTER).engine_version(version).tls().iam_authentication()).await;
    if admin_by_token {
        rig.cluster.grant_rds_iam(ADMIN).await.unwrap();
    }
    rig.provider(&settings(&rig, ADMIN, admin_by_token)).unwrap();
    rig
}

fn settings(rig: &Rig, user: &str, by_token: bool) -> String {
    let authority = rig.cluster.ca_certificate().unwrap().display().to_string();
    format!(r#"cluster_identifier = "{CLUSTER}", username = "{user}", iam_auth = {by_token}, sslrootcert = "{authority}""#)
}

/// Logs in with a token, in a provider block of its own, and reads something.
async fn by_token(rig: &Rig, user: &str) -> String {
    let tf = Terraform::new().unwrap();
    tf.write("provider.tf", &provider_block(&rig.simulator, &settings(rig, user, true))).unwrap();
    tf.write("main.tf", &format!("data \"clickpipes_replication_slots\" \"s\" {{\n  database = \"{DATABASE}\"\n}}\n")).unwrap();
    tf.run(["plan", "-no-color", "-input=false"]).await.unwrap().message()
}

#[tokio::test]
async fn a_role_is_created_without_a_password_and_logs_in_with_a_token() {
    let rig = cluster("15.10", false).await;
    with_tokens(&rig, "pipe", SCHEMA);
    let plan = rig.tf.plan().await.unwrap();
    let operations = plan.operations(USER);
    assert_eq!(operations[..2], ["CREATE ROLE \"pipe\" LOGIN", "GRANT \"rds_iam\" TO \"pipe\""]);
    let resource = rig.simulator.cluster(CLUSTER).unwrap().resource_id;
    let arn = format!("arn:aws:rds-db:us-east-1:123456789012:dbuser:{resource}/pipe");
    assert_eq!(plan.change(USER)["after"]["iam_dbuser_arn"], arn);
    assert!(!plan.outcome.message().contains("IAM authentication is off"), "{}", plan.outcome.message());
    let mark = rig.mark();
    rig.tf.apply_plan(&plan).await.unwrap();
    assert_eq!(rig.changes_since(mark)[..2], operations[..2]);
    let state = rig.tf.resource(USER).await.unwrap();
    assert_eq!((&state["iam_dbuser_arn"], &state["authentication"]), (&json!(arn), &json!("iam")));
    assert!(rig.holds(MEMBER).await && rig.holds(NO_PASSWORD).await);
    rig.tf.assert_empty_plan().await.unwrap();
    let said = by_token(&rig, "pipe").await;
    assert!(rig.cluster.iam_logins().iter().any(|login| login.user == "pipe"), "{said}");

    // Known across a rename, which needs no password here.
    with_tokens(&rig, "Pipe/2", SCHEMA);
    let plan = rig.tf.plan().await.unwrap();
    let renamed = format!("{}/Pipe/2", arn.strip_suffix("/pipe").unwrap());
    assert_eq!(plan.change(USER)["after"]["iam_dbuser_arn"], renamed);
    assert_eq!(plan.operations(USER), ["ALTER ROLE \"pipe\" RENAME TO \"Pipe/2\""]);
    assert!(!plan.outcome.message().contains("md5"), "{}", plan.outcome.message());
    rig.tf.apply_plan(&plan).await.unwrap();
    assert_eq!(rig.tf.resource(USER).await.unwrap()["iam_dbuser_arn"], renamed);
    rig.tf.assert_empty_plan().await.unwrap();
    rig.tf.destroy().await.unwrap();
    assert!(!rig.role_exists("Pipe/2").await);
}

#[tokio::test]
async fn a_role_is_switched_to_tokens_and_back_in_place() {
    let rig = cluster("15.10", false).await;
    rig.configure(SCHEMA);
    rig.tf.apply().await.unwrap();
    rig.login("pipe", PASSWORD).await.unwrap();
    let oid = rig.tf.resource(USER).await.unwrap()["oid"].clone();

    // Who is a member of it, through another role too, needs tokens as well.
    rig.superuser("CREATE ROLE app LOGIN; CREATE ROLE readers ROLE app; CREATE ROLE noone; GRANT pipe TO readers, noone").await;
    with_tokens(&rig, "renamed", SCHEMA);
    let plan = rig.tf.plan().await.unwrap();
    assert!(plan.outcome.message().contains("become members of rds_iam with it: \"app\". Amazon"), "{}", plan.outcome.message());
    let operations =
        ["GRANT \"rds_iam\" TO \"pipe\"", "ALTER ROLE \"pipe\" RENAME TO \"renamed\"", "ALTER ROLE \"renamed\" PASSWORD NULL"];
    assert_eq!(plan.operations(USER), operations);
    assert_eq!(plan.change(USER)["after"]["impact"]["pipe_stops"], true);
    for words in ["Pipes log in another way", "its password is deleted"] {
        assert!(plan.outcome.message().contains(words), "{words}: {}", plan.outcome.message());
    }
    let mark = rig.mark();
    rig.tf.apply_plan(&plan).await.unwrap();
    assert_eq!(rig.changes_since(mark), operations);
    rig.tf.assert_empty_plan().await.unwrap();
    assert!(rig.holds("SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'renamed'").await);
    by_token(&rig, "renamed").await;
    assert!(rig.cluster.iam_logins().iter().any(|login| login.user == "renamed"));
    assert!(rig.login("renamed", PASSWORD).await.is_err());

    // Back: nobody could log in without a password.
    rig.main("resource \"clickpipes_replication_user\" \"pipe\" {\n  name = \"renamed\"\n  database = \"app\"\n  schemas = [\"shop\"]\n}\n").unwrap();
    let refusal = rig.tf.run(["plan", "-no-color"]).await.unwrap().failed().unwrap().message();
    assert!(refusal.contains("Password missing") && refusal.contains("password_wo"), "{refusal}");
    rig.configure_as("renamed", 1, SCHEMA);
    let plan = rig.tf.plan().await.unwrap();
    let operations = ["ALTER ROLE \"renamed\" PASSWORD '<redacted>'", "REVOKE \"rds_iam\" FROM \"renamed\""];
    assert_eq!(plan.operations(USER), operations);
    assert_eq!(plan.change(USER)["after"]["impact"]["pipe_stops"], true);
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.login("renamed", PASSWORD).await.unwrap();
    assert_eq!(rig.tf.resource(USER).await.unwrap()["oid"], oid);
    rig.tf.assert_empty_plan().await.unwrap();
    let log = rig.cluster.server().unwrap().log_path();
    rig.tf.assert_no_secret(&[PASSWORD, ADMIN_PASSWORD], &[&log]).unwrap();
}

#[tokio::test]
async fn a_membership_that_was_lost_or_gained_by_hand_is_drift() {
    let rig = Rig::start().await;
    with_tokens(&rig, "pipe", SCHEMA);
    rig.tf.apply().await.unwrap();
    // The provider block names a host, so the cluster is not known.
    assert!(rig.tf.resource(USER).await.unwrap()["iam_dbuser_arn"].is_null());
    rig.admin("REVOKE rds_iam FROM pipe").await;
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.operations(USER), ["GRANT \"rds_iam\" TO \"pipe\""]);
    assert_eq!(plan.drift(USER)["after"]["drift"], json!(["GRANT \"rds_iam\" TO \"pipe\""]));
    assert_eq!(plan.change(USER)["after"]["impact"]["pipe_stops"], false);
    rig.tf.apply_plan(&plan).await.unwrap();
    assert!(rig.holds(MEMBER).await);
    rig.tf.assert_empty_plan().await.unwrap();
    // Through another role is enough, and is not ours to end.
    rig.admin("CREATE ROLE tokens; GRANT rds_iam TO tokens; GRANT tokens TO pipe; REVOKE rds_iam FROM pipe").await;
    rig.tf.assert_empty_plan().await.unwrap();

    rig.configure(SCHEMA);
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.operations(USER), ["ALTER ROLE \"pipe\" PASSWORD '<redacted>'"]);
    rig.tf.apply_plan(&plan).await.unwrap();
    let warning = rig.tf.warning("The password is refused").await.unwrap();
    assert!(warning.contains("REVOKE \"tokens\" FROM \"pipe\";"), "{warning}");
    rig.tf.assert_empty_plan().await.unwrap();
    rig.admin("REVOKE tokens FROM pipe").await;
    rig.login("pipe", PASSWORD).await.unwrap();

    rig.admin("GRANT rds_iam TO pipe").await;
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.operations(USER), ["REVOKE \"rds_iam\" FROM \"pipe\""]);
    assert!(plan.outcome.message().contains("The password is refused"), "{}", plan.outcome.message());
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.login("pipe", PASSWORD).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn an_import_finds_how_a_role_logs_in_and_an_adoption_settles_it() {
    let rig = Rig::start().await;
    let name = "we\"ird ${x} b\\s/é";
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    rig.admin(&format!(
        "CREATE ROLE {quoted} LOGIN; GRANT rds_replication, rds_iam TO {quoted}; GRANT USAGE ON SCHEMA shop TO {quoted}; GRANT SELECT ON \
         shop.orders TO {quoted}"
    ))
    .await;
    with_tokens(&rig, name, "  tables = [\"shop.orders\"]");
    let id = format!("app/\"{}\"", name.replace('"', "\"\""));
    rig.tf.import(USER, &id).await.unwrap();
    assert_eq!(rig.tf.resource(USER).await.unwrap()["authentication"], "iam");
    rig.tf.assert_empty_plan().await.unwrap();
    rig.tf.run(["state", "rm", USER]).await.unwrap().succeeded().unwrap();

    rig.main(&format!("import {{\n  to = {USER}\n  id = {}\n}}\n", hcl(&id))).unwrap();
    rig.tf.plan_with(&["-generate-config-out=generated.tf"]).await.unwrap();
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.actions(USER), ["no-op"], "{}", plan.outcome.stdout);
    rig.tf.remove("generated.tf").unwrap();

    rig.admin("CREATE ROLE pipe LOGIN PASSWORD 'by-hand'; GRANT rds_replication TO pipe").await;
    with_tokens(&rig, "pipe", "  adopt_existing = true");
    rig.tf.apply().await.unwrap();
    assert!(rig.holds(MEMBER).await && rig.holds(NO_PASSWORD).await);
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn what_cannot_work_is_refused_or_said_at_plan() {
    let rig = Rig::start_with(ClusterSpec::new(CLUSTER).tls()).await;
    rig.provider(&settings(&rig, ADMIN, false)).unwrap();
    with_tokens(&rig, "pipe", "  password_wo = var.password\n  password_wo_version = 1");
    let refusal = rig.tf.run(["validate", "-no-color"]).await.unwrap().failed().unwrap().message();
    assert!(refusal.contains("Password beside IAM authentication"), "{refusal}");
    rig.configure("  authentication = \"kerberos\"");
    let refusal = rig.tf.run(["validate", "-no-color"]).await.unwrap().failed().unwrap().message();
    assert!(refusal.contains("\"kerberos\" is neither \"password\" nor \"iam\""), "{refusal}");

    // The flag of the cluster is off, at a create and at every plan after it.
    with_tokens(&rig, "pipe", SCHEMA);
    let plan = rig.tf.plan().await.unwrap();
    assert!(plan.outcome.message().contains("IAM authentication is off"), "{}", plan.outcome.message());
    rig.tf.apply_plan(&plan).await.unwrap();
    assert!(rig.tf.warning("IAM authentication is off").await.unwrap().contains("iam_authentication = true"));

    let server = PostgresServer::start(ServerOptions::major(15)).await.unwrap();
    server.create_superuser("admin", ADMIN_PASSWORD).await.unwrap();
    let tf = Terraform::new().unwrap().with_env("PGPASSWORD", ADMIN_PASSWORD);
    let text = format!(
        "provider \"clickpipes\" {{\n  postgres = {{ host = \"127.0.0.1\", port = {}, username = \"admin\", sslmode = \"disable\" }}\n}}\n\
         resource \"clickpipes_replication_user\" \"pipe\" {{\n  name = \"pipe\"\n  database = \"postgres\"\n  authentication = \"iam\"\n}}\n",
        server.port()
    );
    tf.write("main.tf", &text).unwrap();
    let refusal = tf.run(["plan", "-no-color"]).await.unwrap().failed().unwrap().message();
    for words in ["No IAM authentication on this server", "no server of Amazon RDS or Aurora", "no role rds_iam"] {
        assert!(refusal.contains(words), "{words}: {refusal}");
    }
}

/// From 16 on a role may be a member by several grants, and a plain REVOKE takes back one of them.
#[tokio::test]
async fn each_grant_is_taken_back_by_itself_or_named() {
    if !is_available(16).await.unwrap() {
        return;
    }
    let by_other = "SET ROLE other; GRANT rds_iam TO pipe; RESET ROLE";
    // Members may log in with a password here.
    let rules = rules("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
    let options = ServerOptions::major(16).setting("hba_file", rules.path().to_str().unwrap());
    let server = PostgresServer::start(options).await.unwrap();
    server.create_superuser("admin", ADMIN_PASSWORD).await.unwrap();
    let superuser = server.superuser("postgres").await.unwrap();
    let roles =
        "CREATE ROLE rds_iam; CREATE ROLE pipe LOGIN REPLICATION; CREATE ROLE other; GRANT rds_iam TO other WITH ADMIN OPTION";
    superuser.batch_execute(&format!("{roles}; {by_other}; GRANT rds_iam TO pipe")).await.unwrap();
    let tf = Terraform::new().unwrap().with_env("PGPASSWORD", ADMIN_PASSWORD);
    let text = |authentication: &str| {
        format!(
            "provider \"clickpipes\" {{\n  postgres = {{ host = \"127.0.0.1\", port = {}, username = \"admin\", sslmode = \"disable\" }}\n}}\n\
             resource \"clickpipes_replication_user\" \"pipe\" {{\n  name = \"pipe\"\n  database = \"postgres\"\n{authentication}\n}}\n",
            server.port()
        )
    };
    tf.write("main.tf", &text("  authentication = \"iam\"")).unwrap();
    tf.import(USER, "postgres/pipe").await.unwrap();
    tf.assert_empty_plan().await.unwrap();
    tf.write("main.tf", &text("  password_wo = \"its-new-password\"\n  password_wo_version = 1")).unwrap();
    let plan = tf.plan().await.unwrap();
    let revokes = ["REVOKE \"rds_iam\" FROM \"pipe\"", "REVOKE \"rds_iam\" FROM \"pipe\" GRANTED BY \"other\""];
    assert_eq!(plan.operations(USER)[1..], revokes);
    tf.apply_plan(&plan).await.unwrap();
    tf.assert_empty_plan().await.unwrap();

    // The admin has no privileges of the one that granted it.
    let admin = "ALTER ROLE admin NOSUPERUSER CREATEROLE REPLICATION; GRANT rds_iam, pipe TO admin WITH ADMIN OPTION";
    superuser.batch_execute(&format!("{admin}; {by_other}")).await.unwrap();
    let refusal = tf.run(["apply", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap().message();
    assert!(refusal.contains("Membership was not revoked"), "{refusal}");
    superuser.batch_execute("SET ROLE other; REVOKE \"rds_iam\" FROM \"pipe\"").await.unwrap();
    tf.assert_empty_plan().await.unwrap();
}
