//! From PostgreSQL 16 on, whoever creates a role is a member of it, and so of `rds_iam` with it: the provider's own password may then be
//! refused, which the provider tries before it goes on.

use acceptance_tests::postgres_server::{PostgresServer, ServerOptions, is_available};
use acceptance_tests::slow_network::{Cut, SlowNetwork};
use acceptance_tests::terraform_cli::Terraform;

use crate::iam::{cluster, with_tokens};
use crate::rig::{ADMIN_PASSWORD, PASSWORD, Rig, USER, rules};

const SCHEMA: &str = "  schemas = [\"shop\"]";
const APPLY: [&str; 4] = ["apply", "-auto-approve", "-no-color", "-input=false"];

/// Neither a create nor a switch makes the admin a member of `rds_iam` if the server then refuses its password.
async fn nothing_is_left(rig: &Rig, refusal: &str) {
    with_tokens(rig, "pipe", SCHEMA);
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.operations(USER)[1], "GRANT \"rds_iam\" TO \"pipe\"");
    let applied = async || {
        let message = rig.tf.run(APPLY).await.unwrap().failed().unwrap().message();
        for words in ["The provider would be kept out", refusal, "Nothing was changed", "postgres.iam_auth"] {
            assert!(message.contains(words), "{words}: {message}");
        }
        // A new login of the admin with its password.
        rig.admin("SELECT 1").await;
    };
    let mark = rig.mark();
    applied().await;
    assert_eq!(rig.changes_since(mark), ["CREATE ROLE \"pipe\" LOGIN", "GRANT \"rds_iam\" TO \"pipe\"", "DROP ROLE \"pipe\""]);
    assert!(!rig.role_exists("pipe").await);
    assert!(rig.tf.resource(USER).await.unwrap().is_null());

    rig.configure(SCHEMA);
    rig.tf.apply().await.unwrap();
    with_tokens(rig, "renamed", SCHEMA);
    applied().await;
    rig.login("pipe", PASSWORD).await.unwrap();
    assert!(!rig.holds("pg_has_role('pipe', 'rds_iam', 'MEMBER')").await);
    rig.configure(SCHEMA);
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn a_rule_of_the_server_that_keeps_the_provider_out_is_found_in_time() {
    if is_available(16).await.unwrap() {
        nothing_is_left(&Rig::start_version("16.6").await, "pg_hba.conf rejects connection").await;
    }
    if is_available(18).await.unwrap() {
        nothing_is_left(&cluster("18.1", false).await, "PAM authentication failed").await;
    }
}

/// The membership may have been committed, and there is no session any more that could take it back.
#[tokio::test]
async fn a_commit_without_an_answer_is_said_with_the_way_out() {
    if !is_available(16).await.unwrap() {
        return;
    }
    let rig = Rig::start_version("16.6").await;
    rig.configure(SCHEMA);
    rig.tf.apply().await.unwrap();
    let server = format!("{}:{}", rig.cluster.host, rig.cluster.port);
    let network = SlowNetwork::to(server.parse().unwrap()).await.unwrap();
    rig.dial(network.address()).unwrap();
    with_tokens(&rig, "pipe", SCHEMA);
    network.cut([Cut::Answer("COMMIT\0")]);
    let message = rig.tf.run(APPLY).await.unwrap().failed().unwrap().message();
    for words in ["it is unknown whether", "The provider may be kept out", "REVOKE \"rds_iam\" FROM \"pipe\";"] {
        assert!(message.contains(words), "{words}: {message}");
    }
    let message = rig.tf.run(APPLY).await.unwrap().failed().unwrap().message();
    assert!(message.contains("a member of rds_iam"), "{message}");
    rig.superuser("REVOKE \"rds_iam\" FROM \"pipe\"").await;
    rig.login("pipe", PASSWORD).await.unwrap();
    rig.configure(SCHEMA);
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn a_provider_that_logs_in_with_tokens_itself_is_not_kept_out() {
    for version in ["16.6", "18.1"] {
        if !is_available(version[..2].parse().unwrap()).await.unwrap() {
            continue;
        }
        let rig = cluster(version, true).await;
        with_tokens(&rig, "pipe", SCHEMA);
        rig.tf.apply().await.unwrap();
        rig.tf.assert_empty_plan().await.unwrap();
        assert!(rig.holds("pg_has_role('pipe', 'rds_iam', 'MEMBER')").await);
        rig.configure(SCHEMA);
        rig.tf.apply().await.unwrap();
        rig.login("pipe", PASSWORD).await.unwrap();
        rig.tf.assert_empty_plan().await.unwrap();
    }
}

/// The role has been committed when the statements after it fail.
#[tokio::test]
async fn what_was_tried_is_taken_back_if_the_rest_fails() {
    if !is_available(16).await.unwrap() {
        return;
    }
    // Who is a member of rds_iam may log in with a password here.
    let rules = rules("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
    let options = ServerOptions::major(16).setting("hba_file", rules.path().to_str().unwrap());
    let server = PostgresServer::start(options).await.unwrap();
    let superuser = server.superuser("postgres").await.unwrap();
    superuser
        .batch_execute(&format!(
            "CREATE ROLE rds_iam; CREATE ROLE admin LOGIN CREATEROLE REPLICATION PASSWORD '{ADMIN_PASSWORD}'; GRANT rds_iam TO admin WITH \
             ADMIN OPTION; CREATE SCHEMA shop AUTHORIZATION admin; GRANT ALL ON DATABASE postgres TO admin WITH GRANT OPTION; \
             CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not today''; END'; \
             CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('GRANT') EXECUTE FUNCTION public.refuse()"
        ))
        .await
        .unwrap();
    let tf = Terraform::new().unwrap().with_env("PGPASSWORD", ADMIN_PASSWORD);
    let text = format!(
        "provider \"clickpipes\" {{\n  postgres = {{ host = \"127.0.0.1\", port = {}, username = \"admin\", sslmode = \"disable\" }}\n}}\n\
         resource \"clickpipes_replication_user\" \"pipe\" {{\n  name = \"pipe\"\n  database = \"postgres\"\n  authentication = \"iam\"\n  \
         schemas = [\"shop\"]\n}}\n",
        server.port()
    );
    tf.write("main.tf", &text).unwrap();
    let message = tf.run(APPLY).await.unwrap().failed().unwrap().message();
    assert!(message.contains("not today") && !message.contains("kept out"), "{message}");
    let roles = async || {
        let rows =
            superuser.query("SELECT pg_has_role(oid, 'rds_iam', 'MEMBER') FROM pg_roles WHERE rolname = 'pipe'", &[]).await;
        rows.unwrap().iter().map(|row| row.get(0)).collect::<Vec<bool>>()
    };
    assert!(roles().await.is_empty());
    assert!(server.log_text().unwrap().contains("GRANT \"rds_iam\" TO \"pipe\""));
    superuser.batch_execute("DROP EVENT TRIGGER refuse").await.unwrap();
    tf.apply().await.unwrap();
    assert_eq!(roles().await, [true]);
    tf.assert_empty_plan().await.unwrap();
}
