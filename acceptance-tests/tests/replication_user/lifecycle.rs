//! From plan to changed settings: what is planned runs, and takes effect.

use acceptance_tests::postgres_server::{PostgresServer, ServerOptions, is_available};
use acceptance_tests::terraform_cli::Terraform;

use crate::rig::{ADMIN_PASSWORD, PASSWORD, Rig, USER, hcl};

const SCHEMA: &str = "  schemas = [\"shop\"]";

#[tokio::test]
async fn the_reviewed_statements_run_and_make_a_user_that_reads_and_replicates() {
    let rig = Rig::start().await;
    rig.configure(SCHEMA);
    let plan = rig.tf.plan().await.unwrap();
    let operations = [
        "CREATE ROLE \"pipe\" LOGIN PASSWORD '<redacted>'",
        "GRANT \"rds_replication\" TO \"pipe\"",
        "GRANT CONNECT ON DATABASE \"app\" TO \"pipe\"",
        "GRANT USAGE ON SCHEMA \"shop\" TO \"pipe\"",
        "GRANT SELECT ON ALL TABLES IN SCHEMA \"shop\" TO \"pipe\"",
        "ALTER DEFAULT PRIVILEGES FOR ROLE <each table owner of \"shop\"> IN SCHEMA \"shop\" GRANT SELECT ON TABLES TO \"pipe\"",
    ];
    assert_eq!(plan.operations(USER), operations);
    assert!(plan.outcome.message().contains("stands for \"app_owner\" now"), "{}", plan.outcome.message());
    let mark = rig.mark();
    rig.tf.apply_plan(&plan).await.unwrap();
    let mut expected = operations.map(str::to_owned);
    expected[5] = expected[5].replace("<each table owner of \"shop\">", "\"app_owner\"");
    assert_eq!(rig.changes_since(mark), expected);

    let state = rig.tf.resource(USER).await.unwrap();
    assert_eq!(state["id"], "app/pipe");
    assert_eq!(state["username"], "pipe");
    assert_eq!(state["effective_table_owners"], serde_json::json!(["app_owner"]));
    assert_eq!(state["drift"], serde_json::json!([]));
    assert_eq!(state["connection_limit"], -1);
    assert!(rig.holds("SELECT rolcanlogin AND NOT rolsuper AND NOT rolcreaterole FROM pg_roles WHERE rolname = 'pipe'").await);
    assert!(rig.holds("pg_has_role('pipe', 'rds_replication', 'MEMBER')").await);
    rig.admin("SET ROLE app_owner; CREATE TABLE shop.later (id int)").await;
    let pipe = rig.login("pipe", PASSWORD).await.unwrap();
    for table in ["orders", "customers", "later"] {
        assert!(rig.holds(&format!("has_table_privilege('pipe', 'shop.{table}', 'SELECT')")).await, "{table}");
        pipe.query(&format!("SELECT * FROM shop.{table}"), &[]).await.unwrap();
    }
    // The admin did not become a member of any role.
    assert!(!rig.holds("pg_has_role('clusteradmin', 'pipe', 'USAGE')").await);
    rig.tf.assert_empty_plan().await.unwrap();
    let log = rig.cluster.server().unwrap().log_path();
    rig.tf.assert_no_secret(&[PASSWORD, ADMIN_PASSWORD], &[&log]).unwrap();
}

#[tokio::test]
async fn on_plain_postgres_the_same_configuration_gives_the_replication_attribute() {
    let server = PostgresServer::start(ServerOptions::major(15)).await.unwrap();
    server.create_superuser("admin", ADMIN_PASSWORD).await.unwrap();
    let superuser = server.superuser("postgres").await.unwrap();
    superuser.batch_execute("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY)").await.unwrap();
    let tf = Terraform::new().unwrap().with_env("PGPASSWORD", ADMIN_PASSWORD).with_env("TF_VAR_password", PASSWORD);
    let text = format!(
        "provider \"clickpipes\" {{\n  postgres = {{\n    host = \"127.0.0.1\"\n    port = {}\n    username = \"admin\"\n    \
         sslmode = \"disable\"\n  }}\n}}\nvariable \"password\" {{\n  type = string\n  ephemeral = true\n}}\n\
         resource \"clickpipes_replication_user\" \"pipe\" {{\n  name = \"pipe\"\n  database = \"postgres\"\n  \
         password_wo = var.password\n  password_wo_version = 1\n  schemas = [\"shop\"]\n}}\n",
        server.port()
    );
    tf.write("main.tf", &text).unwrap();
    let plan = tf.plan().await.unwrap();
    assert_eq!(plan.operations(USER)[0], "CREATE ROLE \"pipe\" LOGIN REPLICATION PASSWORD '<redacted>'");
    assert_eq!(plan.operations(USER).len(), 5);
    tf.apply_plan(&plan).await.unwrap();
    tf.assert_empty_plan().await.unwrap();
    let replication = "SELECT rolreplication FROM pg_roles WHERE rolname = 'pipe'";
    assert!(superuser.query_one(replication, &[]).await.unwrap().get::<_, bool>(0));
    superuser.batch_execute("ALTER ROLE pipe NOREPLICATION").await.unwrap();
    assert_eq!(tf.plan().await.unwrap().operations(USER), ["ALTER ROLE \"pipe\" REPLICATION"]);
    tf.apply().await.unwrap();
    tf.assert_empty_plan().await.unwrap();
    tf.destroy().await.unwrap();
    assert!(superuser.query("SELECT FROM pg_roles WHERE rolname = 'pipe'", &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_new_password_version_changes_who_may_log_in() {
    let mut rig = Rig::start().await;
    rig.configure(SCHEMA);
    rig.tf.apply().await.unwrap();
    rig.tf.set_env("TF_VAR_password", "second-password-of-the-user");
    rig.tf.assert_empty_plan().await.unwrap();
    rig.configure_as("pipe", 2, SCHEMA);
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.operations(USER), ["ALTER ROLE \"pipe\" PASSWORD '<redacted>'"]);
    let mark = rig.mark();
    rig.tf.apply_plan(&plan).await.unwrap();
    assert_eq!(rig.changes_since(mark), ["ALTER ROLE \"pipe\" PASSWORD '<redacted>'"]);
    rig.login("pipe", "second-password-of-the-user").await.unwrap();
    assert!(rig.login("pipe", PASSWORD).await.is_err());
    rig.tf.assert_empty_plan().await.unwrap();
    let log = rig.cluster.server().unwrap().log_path();
    rig.tf.assert_no_secret(&[PASSWORD, "second-password-of-the-user"], &[&log]).unwrap();
}

#[tokio::test]
async fn a_saved_plan_covers_the_owner_and_table_that_came_after_it() {
    let rig = Rig::start().await;
    rig.configure(SCHEMA);
    let plan = rig.tf.plan().await.unwrap();
    rig.admin(
        "CREATE ROLE later_owner; GRANT later_owner TO clusteradmin; SET ROLE app_owner; GRANT ALL ON SCHEMA shop TO later_owner; \
         RESET ROLE; SET ROLE later_owner; CREATE TABLE shop.late (id int); RESET ROLE",
    )
    .await;
    rig.tf.apply_plan(&plan).await.unwrap();
    assert!(rig.holds("has_table_privilege('pipe', 'shop.late', 'SELECT')").await);
    rig.admin("SET ROLE later_owner; CREATE TABLE shop.latest (id int)").await;
    assert!(rig.holds("has_table_privilege('pipe', 'shop.latest', 'SELECT')").await);
    let state = rig.tf.resource(USER).await.unwrap();
    assert_eq!(state["effective_table_owners"], serde_json::json!(["app_owner", "later_owner"]));
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn everything_but_the_database_changes_in_place() {
    let rig = Rig::start().await;
    rig.admin(
        "CREATE SCHEMA other AUTHORIZATION app_owner; SET ROLE app_owner; CREATE TABLE other.a (id int); CREATE TABLE other.b (id int)",
    )
    .await;
    rig.configure(SCHEMA);
    rig.tf.apply().await.unwrap();
    let oid = rig.tf.resource(USER).await.unwrap()["oid"].clone();
    rig.configure_as("renamed", 1, "  schemas = [\"other\"]\n  tables = [\"shop.orders\"]\n  connection_limit = 7");
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.actions(USER), ["update"]);
    assert!(plan.outcome.message().contains("Pipes log in with this name"));
    let mark = rig.mark();
    rig.tf.apply_plan(&plan).await.unwrap();
    let ran = rig.changes_since(mark);
    let first = [
        "ALTER ROLE \"pipe\" RENAME TO \"renamed\"",
        "ALTER ROLE \"renamed\" PASSWORD '<redacted>'",
        "ALTER ROLE \"renamed\" CONNECTION LIMIT 7",
    ];
    assert_eq!(ran[..3], first);
    assert_eq!(ran.len(), plan.operations(USER).len());
    rig.tf.assert_empty_plan().await.unwrap();
    let state = rig.tf.resource(USER).await.unwrap();
    assert_eq!((&state["oid"], &state["id"], &state["connection_limit"]), (&oid, &"app/renamed".into(), &7.into()));
    for (table, readable) in [("other.a", true), ("other.b", true), ("shop.orders", true), ("shop.customers", false)] {
        assert_eq!(rig.holds(&format!("has_table_privilege('renamed', '{table}', 'SELECT')")).await, readable, "{table}");
    }
    rig.admin("SET ROLE app_owner; CREATE TABLE shop.unseen (id int)").await;
    assert!(!rig.holds("has_table_privilege('renamed', 'shop.unseen', 'SELECT')").await);
    rig.login("renamed", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn lists_in_another_order_are_no_change() {
    let rig = Rig::start().await;
    rig.configure("  tables = [\"shop.orders\", \"shop.customers\"]");
    rig.tf.apply().await.unwrap();
    rig.configure("  tables = [\"shop.customers\", \"shop.orders\"]");
    rig.tf.assert_empty_plan().await.unwrap();
    rig.configure("  tables = [\"shop.customers\"]");
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.operations(USER), ["REVOKE SELECT ON TABLE \"shop\".\"orders\" FROM \"pipe\""]);
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn names_with_quotes_capitals_and_backslashes_live_a_whole_life() {
    let rig = Rig::start().await;
    let (name, schema, table) = ("Pipe \"$1\" \\ ${x}; DROP ROLE app_owner", "My \"Shop\" -- ü", "Or'ders \\");
    rig.admin(&format!(
        "CREATE SCHEMA \"My \"\"Shop\"\" -- ü\" AUTHORIZATION app_owner; SET ROLE app_owner; \
         CREATE TABLE \"My \"\"Shop\"\" -- ü\".\"{table}\" (id int)"
    ))
    .await;
    rig.configure_as(name, 1, &format!("  schemas = [{}]\n  tables = [{}]", hcl(schema), hcl(&format!("{schema}.{table}"))));
    rig.tf.apply().await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    assert!(rig.role_exists(name).await);
    let pipe = rig.login(name, PASSWORD).await.unwrap();
    pipe.query("SELECT * FROM \"My \"\"Shop\"\" -- ü\".\"Or'ders \\\"", &[]).await.unwrap();
    rig.configure_as("Plain", 1, "");
    rig.tf.apply().await.unwrap();
    rig.configure_as(name, 2, &format!("  tables = [{}]", hcl(&format!("{schema}.{table}"))));
    rig.tf.apply().await.unwrap();
    rig.tf.run(["state", "rm", USER]).await.unwrap().succeeded().unwrap();
    let id = "app/\"Pipe \"\"$1\"\" \\ ${x}; DROP ROLE app_owner\"";
    rig.tf.import(USER, id).await.unwrap();
    rig.tf.destroy().await.unwrap();
    assert!(!rig.role_exists(name).await);
    assert!(rig.role_exists("app_owner").await);
}

/// From 16 on, an admin may act for an owner without inheriting the owner's privileges.
#[tokio::test]
async fn an_owner_the_admin_may_only_set_role_to_is_acted_for_so() {
    if !is_available(16).await.unwrap() {
        return;
    }
    let rig = Rig::start_version("16.6").await;
    rig.admin("REVOKE INHERIT OPTION FOR app_owner FROM clusteradmin").await;
    assert!(!rig.holds("pg_has_role('clusteradmin', 'app_owner', 'USAGE')").await);
    rig.configure(SCHEMA);
    rig.tf.apply().await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    rig.admin("SET ROLE app_owner; CREATE TABLE shop.later (id int)").await;
    for table in ["orders", "customers", "later"] {
        assert!(rig.holds(&format!("has_table_privilege('pipe', 'shop.{table}', 'SELECT')")).await, "{table}");
    }
    for privilege in ["USAGE", "SET"] {
        assert!(!rig.holds(&format!("pg_has_role('clusteradmin', 'pipe', '{privilege}')")).await, "{privilege}");
    }
    rig.configure("  tables = [\"shop.orders\"]");
    rig.tf.apply().await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    assert!(!rig.holds("has_table_privilege('pipe', 'shop.customers', 'SELECT')").await);
    rig.configure("");
    rig.tf.apply().await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    rig.configure(SCHEMA);
    rig.tf.apply().await.unwrap();
    rig.tf.destroy().await.unwrap();
    assert!(!rig.role_exists("pipe").await);
}

#[tokio::test]
async fn a_role_whose_commit_went_unanswered_is_in_the_state() {
    let rig = Rig::start().await;
    rig.configure(SCHEMA);
    rig.hold_commits(true).await.unwrap();
    let apply = rig.tf.start(["apply", "-no-color", "-input=false", "-auto-approve"]).unwrap();
    rig.commit_waits().await.unwrap();
    rig.cut_waiting_commit().await.unwrap();
    apply.outcome().await.unwrap().succeeded().unwrap();
    rig.hold_commits(false).await.unwrap();
    rig.login("pipe", PASSWORD).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn a_password_whose_commit_went_unanswered_is_set_again() {
    let mut rig = Rig::start().await;
    rig.configure(SCHEMA);
    rig.tf.apply().await.unwrap();
    rig.tf.set_env("TF_VAR_password", "second-password-of-the-user");
    rig.configure_as("pipe", 2, SCHEMA);
    rig.hold_commits(true).await.unwrap();
    let apply = rig.tf.start(["apply", "-no-color", "-input=false", "-auto-approve"]).unwrap();
    rig.commit_waits().await.unwrap();
    rig.cut_waiting_commit().await.unwrap();
    let refusal = apply.outcome().await.unwrap().failed().unwrap().message();
    assert!(refusal.contains("Plan again"), "{refusal}");
    rig.hold_commits(false).await.unwrap();
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.operations(USER), ["ALTER ROLE \"pipe\" PASSWORD '<redacted>'"]);
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.login("pipe", "second-password-of-the-user").await.unwrap();
}
