//! What is lost outside Terraform is found, restored, and found again.

use acceptance_tests::postgres_server::{PostgresServer, ServerOptions, is_available};
use acceptance_tests::terraform_cli::Terraform;

use crate::rig::{ADMIN_PASSWORD, PASSWORD, Rig, USER};

const SCHEMA: &str = "  schemas = [\"shop\"]";

#[tokio::test]
async fn a_lost_grant_is_seen_and_mended_and_seen_again() {
    let rig = Rig::start().await;
    rig.configure(SCHEMA);
    rig.tf.apply().await.unwrap();
    let grant = "GRANT SELECT ON TABLE \"shop\".\"orders\" TO \"pipe\"";
    for round in 1..=2 {
        rig.admin("SET ROLE app_owner; REVOKE SELECT ON shop.orders FROM pipe").await;
        let refresh = rig.tf.plan_with(&["-refresh-only"]).await.unwrap();
        assert!(!refresh.empty, "round {round}: a refresh-only plan shows the drift");
        let plan = rig.tf.plan().await.unwrap();
        assert_eq!(plan.operations(USER), [grant], "round {round}");
        let mark = rig.mark();
        rig.tf.apply_plan(&plan).await.unwrap();
        assert_eq!(rig.changes_since(mark), [grant], "round {round}");
        assert!(rig.holds("has_table_privilege('pipe', 'shop.orders', 'SELECT')").await);
        rig.tf.assert_empty_plan().await.unwrap();
    }
    rig.admin("SET ROLE app_owner; REVOKE SELECT ON shop.orders FROM pipe").await;
    rig.tf.refresh_only().await.unwrap();
    assert_eq!(rig.drift().await, [grant.to_owned()].into());
}

#[tokio::test]
async fn each_lost_privilege_is_one_statement() {
    let rig = Rig::start().await;
    rig.configure(SCHEMA);
    rig.tf.apply().await.unwrap();
    // By the role that granted it: from 16 on, a REVOKE by another role does nothing.
    rig.admin("REVOKE rds_replication FROM pipe").await;
    rig.superuser(
        "ALTER ROLE pipe NOLOGIN; REVOKE CONNECT ON DATABASE app FROM PUBLIC, pipe; \
         GRANT CONNECT ON DATABASE app TO clusteradmin; REVOKE USAGE ON SCHEMA shop FROM pipe; \
         ALTER DEFAULT PRIVILEGES FOR ROLE app_owner IN SCHEMA shop REVOKE SELECT ON TABLES FROM pipe",
    )
    .await;
    let plan = rig.tf.plan().await.unwrap();
    let operations = [
        "ALTER ROLE \"pipe\" LOGIN",
        "GRANT \"rds_replication\" TO \"pipe\"",
        "GRANT CONNECT ON DATABASE \"app\" TO \"pipe\"",
        "GRANT USAGE ON SCHEMA \"shop\" TO \"pipe\"",
        "ALTER DEFAULT PRIVILEGES FOR ROLE \"app_owner\" IN SCHEMA \"shop\" GRANT SELECT ON TABLES TO \"pipe\"",
    ];
    assert_eq!(plan.operations(USER), operations);
    let mark = rig.mark();
    rig.tf.apply_plan(&plan).await.unwrap();
    assert_eq!(rig.changes_since(mark), operations);
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn what_is_mended_in_the_meantime_is_skipped_with_a_warning() {
    let rig = Rig::start().await;
    rig.configure(SCHEMA);
    rig.tf.apply().await.unwrap();
    rig.admin("SET ROLE app_owner; REVOKE SELECT ON shop.orders FROM pipe").await;
    let plan = rig.tf.plan().await.unwrap();
    rig.admin("SET ROLE app_owner; GRANT SELECT ON shop.orders TO pipe").await;
    let mark = rig.mark();
    let outcome = rig.tf.apply_plan(&plan).await.unwrap();
    assert!(outcome.message().contains("did not run"), "{}", outcome.message());
    assert!(rig.changes_since(mark).is_empty());
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn what_others_granted_is_left_alone() {
    let rig = Rig::start().await;
    rig.configure(SCHEMA);
    rig.tf.apply().await.unwrap();
    rig.superuser(
        "CREATE SCHEMA extra; CREATE TABLE extra.t (id int); GRANT USAGE ON SCHEMA extra TO pipe; GRANT ALL ON extra.t TO pipe; \
         GRANT INSERT ON shop.orders TO pipe; GRANT pg_monitor TO pipe; ALTER ROLE pipe SET statement_timeout = '1min'; \
         ALTER ROLE pipe IN DATABASE app SET search_path = 'extra'",
    )
    .await;
    rig.tf.assert_empty_plan().await.unwrap();
    let kept = |name: &str| {
        format!(
            "has_table_privilege('{name}', 'extra.t', 'DELETE') AND has_table_privilege('{name}', 'shop.orders', 'INSERT') \
             AND pg_has_role('{name}', 'pg_monitor', 'USAGE') AND (SELECT count(*) FROM pg_db_role_setting WHERE setrole = '{name}'::regrole) = 2"
        )
    };
    // A limit, a new password, a rename, single tables in place of the schema, and nothing at all.
    for (name, version, arguments) in [
        ("pipe", 1, "  schemas = [\"shop\"]\n  connection_limit = 4"),
        ("pipe", 2, SCHEMA),
        ("renamed", 2, SCHEMA),
        ("renamed", 2, "  tables = [\"shop.orders\"]"),
        ("renamed", 2, ""),
        ("renamed", 2, SCHEMA),
    ] {
        rig.configure_as(name, version, arguments);
        rig.tf.apply().await.unwrap();
        rig.tf.assert_empty_plan().await.unwrap();
        assert!(rig.holds(&kept(name)).await, "{name} {arguments}");
    }
}

#[tokio::test]
async fn a_role_dropped_or_renamed_by_hand_is_noticed() {
    let rig = Rig::start().await;
    rig.configure(SCHEMA);
    rig.tf.apply().await.unwrap();
    rig.superuser("ALTER ROLE pipe RENAME TO elsewhere").await;
    let plan = rig.tf.plan().await.unwrap();
    // A rename clears a password that is stored as md5.
    let operations = ["ALTER ROLE \"elsewhere\" RENAME TO \"pipe\"", "ALTER ROLE \"pipe\" PASSWORD '<redacted>'"];
    assert_eq!(plan.operations(USER), operations);
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.superuser("DROP OWNED BY pipe; REVOKE ALL ON DATABASE app FROM pipe; DROP ROLE pipe").await;
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.actions(USER), ["create"]);
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}

/// What was dropped by hand is named at every plan, stands in the way of nothing, and is granted again when it is back.
#[tokio::test]
async fn what_is_gone_is_named_and_blocks_no_configured_work() {
    let rig = Rig::start().await;
    rig.superuser(
        "CREATE SCHEMA single AUTHORIZATION app_owner; CREATE TABLE single.t (id int); ALTER TABLE single.t OWNER TO app_owner",
    )
    .await;
    let privileges = "  schemas = [\"shop\"]\n  tables = [\"single.t\"]";
    rig.configure(privileges);
    rig.tf.apply().await.unwrap();
    rig.superuser("DROP SCHEMA shop CASCADE; DROP TABLE single.t").await;
    let plan = rig.tf.plan().await.unwrap();
    let said = plan.outcome.message();
    for words in [
        "there is no schema \"shop\" in database \"app\" any more",
        "there is no table \"single.t\" in database \"app\" any more",
    ] {
        assert!(said.contains(words), "{said}");
    }
    assert!(plan.empty, "{said}");
    // A rotation goes on.
    rig.configure_as("pipe", 2, privileges);
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.operations(USER), ["ALTER ROLE \"pipe\" PASSWORD '<redacted>'"]);
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    // What is back is granted again.
    rig.superuser("CREATE SCHEMA shop AUTHORIZATION app_owner; SET ROLE app_owner; CREATE TABLE shop.orders (id int); CREATE TABLE single.t (id int)").await;
    rig.tf.apply().await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    assert!(
        rig.holds("has_table_privilege('pipe', 'shop.orders', 'SELECT') AND has_table_privilege('pipe', 'single.t', 'SELECT')")
            .await
    );
    // What is gone and taken out of the lists needs no statement.
    rig.superuser("DROP SCHEMA shop CASCADE; DROP TABLE single.t").await;
    rig.configure_as("pipe", 2, "  schemas = [\"single\"]");
    let said = rig.tf.apply().await.unwrap().message();
    assert!(!said.contains("skipped"), "{said}");
    rig.superuser("DROP SCHEMA single CASCADE").await;
    rig.tf.destroy().await.unwrap();
    assert!(!rig.role_exists("pipe").await);
}

/// From 16 on, REPLICATION of an admin who is no superuser; lost when a superuser takes it back from both.
#[tokio::test]
async fn replication_that_the_admin_cannot_restore_blocks_no_rotation() {
    let version = 16;
    if !is_available(version).await.unwrap() {
        return;
    }
    let server = PostgresServer::start(ServerOptions::major(version)).await.unwrap();
    let superuser = server.superuser("postgres").await.unwrap();
    let admin =
        format!("CREATE ROLE admin LOGIN CREATEROLE REPLICATION PASSWORD '{ADMIN_PASSWORD}'; CREATE DATABASE app OWNER admin");
    for statement in admin.split("; ") {
        superuser.batch_execute(statement).await.unwrap();
    }
    let tf = Terraform::new().unwrap().with_env("PGPASSWORD", ADMIN_PASSWORD).with_env("TF_VAR_password", PASSWORD);
    let port = server.port();
    let configure = |version: u32| {
        let text = format!(
            "provider \"clickpipes\" {{\n  postgres = {{ host = \"127.0.0.1\", port = {port}, username = \"admin\", sslmode = \"disable\" }}\n}}\n\
             variable \"password\" {{\n  type = string\n  ephemeral = true\n}}\n\
             resource \"clickpipes_replication_user\" \"pipe\" {{\n  name = \"pipe\"\n  database = \"app\"\n  password_wo = var.password\n  \
             password_wo_version = {version}\n}}\n"
        );
        tf.write("main.tf", &text).unwrap();
    };
    configure(1);
    tf.apply().await.unwrap();
    superuser.batch_execute("ALTER ROLE pipe NOREPLICATION").await.unwrap();
    assert_eq!(tf.plan().await.unwrap().operations(USER), ["ALTER ROLE \"pipe\" REPLICATION"]);
    superuser.batch_execute("ALTER ROLE admin NOREPLICATION").await.unwrap();
    let plan = tf.plan().await.unwrap();
    let said = plan.outcome.message();
    assert!(plan.empty && said.contains("Let a superuser run: ALTER ROLE \"pipe\" REPLICATION;"), "{said}");
    configure(2);
    let plan = tf.plan().await.unwrap();
    assert_eq!(plan.operations(USER), ["ALTER ROLE \"pipe\" PASSWORD '<redacted>'"]);
    tf.apply_plan(&plan).await.unwrap();
    superuser.batch_execute("ALTER ROLE \"pipe\" REPLICATION;").await.unwrap();
    tf.assert_empty_plan().await.unwrap();
    assert!(!tf.plan().await.unwrap().outcome.message().contains("cannot be restored"));
    // The same is said before a role is created.
    tf.destroy().await.unwrap();
    let said = tf.plan().await.unwrap().outcome.message();
    assert!(said.contains("Missing privilege") && said.contains("ALTER ROLE \"admin\" REPLICATION;"), "{said}");
    superuser.batch_execute("ALTER ROLE \"admin\" REPLICATION;").await.unwrap();
    tf.apply().await.unwrap();
}

/// A table of an owner out of reach, in a granted schema or listed, is said at every plan and stands in the way of nothing.
#[tokio::test]
async fn what_cannot_be_restored_blocks_no_configured_work() {
    let rig = Rig::start().await;
    let privileges = "  schemas = [\"shop\"]\n  tables = [\"public.listed\"]";
    rig.admin("CREATE TABLE public.listed (id int PRIMARY KEY)").await;
    rig.configure(privileges);
    rig.tf.apply().await.unwrap();
    rig.superuser(
        "CREATE ROLE stranger; GRANT ALL ON SCHEMA shop, public TO stranger; CREATE TABLE shop.secret (id int); \
         ALTER TABLE shop.secret OWNER TO stranger; ALTER TABLE public.listed OWNER TO stranger; REVOKE ALL ON public.listed FROM pipe",
    )
    .await;
    let lost = "Privileges that cannot be restored (stranger)";
    let warning = rig.tf.warning(lost).await.unwrap();
    for statement in [
        "GRANT SELECT ON TABLE \"shop\".\"secret\" TO \"pipe\";",
        "GRANT SELECT ON TABLE \"public\".\"listed\" TO \"pipe\";",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA \"shop\" GRANT SELECT ON TABLES TO \"pipe\";",
    ] {
        assert!(warning.contains(statement), "{statement} in {warning}");
    }
    rig.tf.assert_empty_plan().await.unwrap();
    assert!(rig.drift().await.is_empty());

    // A rotation, and what can be restored, go on.
    rig.superuser("REVOKE SELECT ON shop.orders FROM pipe").await;
    rig.configure_as("pipe", 2, privileges);
    let plan = rig.tf.plan().await.unwrap();
    let expected = ["ALTER ROLE \"pipe\" PASSWORD '<redacted>'", "GRANT SELECT ON TABLE \"shop\".\"orders\" TO \"pipe\""];
    assert_eq!(plan.operations(USER), expected);
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    rig.login("pipe", PASSWORD).await.unwrap();

    // Many lost tables are granted again as a schema, without those out of reach.
    rig.superuser("DO $$ BEGIN FOR i IN 1..30 LOOP EXECUTE format('CREATE TABLE shop.t%s (id int); ALTER TABLE shop.t%s OWNER TO app_owner', i, i); END LOOP; END $$").await;
    rig.tf.apply().await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    assert!(rig.holds("has_table_privilege('pipe', 'shop.t30', 'SELECT')").await);
    assert!(!rig.holds("has_table_privilege('pipe', 'shop.secret', 'SELECT')").await);

    // The advice is what works.
    for statement in warning.split("run:").nth(1).unwrap().split(';').take(3) {
        rig.superuser(&format!("SET ROLE stranger; {statement}")).await;
    }
    let plan = rig.tf.plan().await.unwrap();
    assert!(plan.empty && !plan.outcome.message().contains(lost), "{}", plan.outcome.message());

    // What a changed configuration asks for is still refused.
    rig.superuser("CREATE SCHEMA closed; CREATE TABLE closed.t (id int); ALTER TABLE closed.t OWNER TO stranger").await;
    rig.configure_as("pipe", 2, "  schemas = [\"shop\", \"closed\"]\n  tables = [\"public.listed\"]");
    let refusal = rig.tf.run(["apply", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap().message();
    assert!(refusal.contains("Privileges out of reach (stranger)"), "{refusal}");
}

/// An owner, a database and a schema that got out of reach block no rotation either.
#[tokio::test]
async fn a_rotation_goes_on_whatever_others_took_away() {
    let rig = Rig::start().await;
    rig.superuser("CREATE ROLE gone; CREATE ROLE stranger; GRANT gone TO clusteradmin").await;
    rig.superuser("CREATE SCHEMA single AUTHORIZATION clusteradmin; CREATE TABLE single.t (id int); ALTER TABLE single.t OWNER TO clusteradmin").await;
    let privileges = "  schemas = [\"shop\"]\n  table_owners = [\"app_owner\", \"gone\"]\n  tables = [\"single.t\"]";
    rig.configure(privileges);
    rig.tf.apply().await.unwrap();
    rig.superuser(
        "DROP OWNED BY gone; DROP ROLE gone; ALTER DATABASE app OWNER TO stranger; REVOKE CONNECT ON DATABASE app FROM PUBLIC, pipe; \
         ALTER SCHEMA single OWNER TO stranger; REVOKE USAGE ON SCHEMA single FROM pipe; GRANT USAGE ON SCHEMA single TO clusteradmin; GRANT CONNECT ON DATABASE app TO clusteradmin",
    )
    .await;
    let warning = rig.tf.warning("Privileges that cannot be restored (stranger)").await.unwrap();
    for statement in ["GRANT CONNECT ON DATABASE \"app\" TO \"pipe\";", "GRANT USAGE ON SCHEMA \"single\" TO \"pipe\";"] {
        assert!(warning.contains(statement), "{warning}");
    }
    assert!(rig.tf.warning("Owners not found").await.unwrap().contains("There is no role \"gone\""));
    rig.tf.assert_empty_plan().await.unwrap();
    rig.configure_as("pipe", 2, privileges);
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.operations(USER), ["ALTER ROLE \"pipe\" PASSWORD '<redacted>'"]);
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}

/// The server skips a table on which the admin has some privilege, but not that to grant, unless it acts as the owner.
#[tokio::test]
async fn an_owner_within_reach_is_acted_for_even_where_the_admin_has_a_privilege() {
    let rig = Rig::start_version("16.4").await;
    rig.superuser("GRANT app_owner TO clusteradmin WITH INHERIT FALSE, SET TRUE; GRANT INSERT ON shop.orders, shop.customers TO clusteradmin").await;
    rig.configure("  schemas = [\"shop\"]");
    rig.tf.apply().await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    assert!(rig.holds("has_table_privilege('pipe', 'shop.orders', 'SELECT')").await);
    rig.configure("");
    rig.tf.apply().await.unwrap();
    assert!(!rig.holds("has_table_privilege('pipe', 'shop.orders', 'SELECT')").await);
    rig.tf.assert_empty_plan().await.unwrap();
}

/// REVOKE takes back what the acting role granted; what is left is said.
#[tokio::test]
async fn what_a_revocation_leaves_is_said() {
    let rig = Rig::start().await;
    rig.configure("  tables = [\"shop.orders\", \"shop.customers\"]");
    rig.tf.apply().await.unwrap();
    rig.superuser(
        "CREATE ROLE g; GRANT USAGE ON SCHEMA shop TO g; SET ROLE app_owner; GRANT SELECT ON shop.orders TO g WITH GRANT OPTION; \
         SET ROLE g; GRANT SELECT ON shop.orders TO pipe",
    )
    .await;
    rig.configure("  tables = [\"shop.customers\"]");
    let said = rig.tf.apply().await.unwrap().message();
    assert!(said.contains("Tables are still readable"), "{said}");
    assert!(said.contains("\"pipe\" can still read \"shop\".\"orders\" (of \"app_owner\")"), "{said}");
    rig.tf.assert_empty_plan().await.unwrap();
}
