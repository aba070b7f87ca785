//! What is lost outside Terraform is found, restored, and found again.

use crate::rig::{PASSWORD, Rig, USER};

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
         GRANT pg_monitor TO pipe; ALTER ROLE pipe SET statement_timeout = '1min'",
    )
    .await;
    rig.tf.assert_empty_plan().await.unwrap();
    rig.configure("  schemas = [\"shop\"]\n  connection_limit = 4");
    rig.tf.apply().await.unwrap();
    assert!(rig.holds("has_table_privilege('pipe', 'extra.t', 'DELETE') AND pg_has_role('pipe', 'pg_monitor', 'USAGE')").await);
}

#[tokio::test]
async fn a_role_dropped_or_renamed_by_hand_is_noticed() {
    let rig = Rig::start().await;
    rig.configure(SCHEMA);
    rig.tf.apply().await.unwrap();
    rig.superuser("ALTER ROLE pipe RENAME TO elsewhere").await;
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.operations(USER), ["ALTER ROLE \"elsewhere\" RENAME TO \"pipe\""]);
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.superuser("DROP OWNED BY pipe; REVOKE ALL ON DATABASE app FROM pipe; DROP ROLE pipe").await;
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.actions(USER), ["create"]);
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn a_schema_that_is_gone_leaves_the_state_and_is_named() {
    let rig = Rig::start().await;
    rig.configure(SCHEMA);
    rig.tf.apply().await.unwrap();
    rig.superuser("DROP SCHEMA shop CASCADE").await;
    let plan = rig.tf.plan().await.unwrap();
    assert!(plan.outcome.message().contains("there is no schema \"shop\" in database \"app\""), "{}", plan.outcome.message());
    let refusal = rig.tf.run(["apply", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap();
    assert!(refusal.message().contains("Schema not found"), "{}", refusal.message());
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
    assert!(refusal.contains("Tables of an owner out of reach"), "{refusal}");
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
