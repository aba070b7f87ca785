//! What the user needs is granted to the user, also where PUBLIC has it: what takes it from PUBLIC later leaves the pipe working.

use crate::rig::{PASSWORD, Rig, USER};

/// PUBLIC has all that a user of `shop` and `single` needs. In `closed` a statement for the whole schema would fail.
const OPEN_TO_ALL: &str = "\
GRANT CONNECT ON DATABASE app TO PUBLIC;
CREATE SCHEMA single AUTHORIZATION app_owner;
CREATE SCHEMA closed AUTHORIZATION app_owner;
CREATE ROLE stranger;
GRANT USAGE ON SCHEMA shop, single, closed TO PUBLIC;
SET ROLE app_owner;
CREATE TABLE single.a (id int PRIMARY KEY);
CREATE TABLE closed.a (id int PRIMARY KEY);
CREATE TABLE closed.b (id int PRIMARY KEY);
GRANT SELECT ON ALL TABLES IN SCHEMA shop, single, closed TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO PUBLIC;
RESET ROLE;
ALTER DEFAULT PRIVILEGES FOR ROLE stranger GRANT SELECT ON TABLES TO PUBLIC;
ALTER TABLE closed.b OWNER TO stranger;";

const HARDENED: &str = "\
REVOKE CONNECT ON DATABASE app FROM PUBLIC;
REVOKE USAGE ON SCHEMA shop, single, closed FROM PUBLIC;
SET ROLE app_owner;
REVOKE SELECT ON ALL TABLES IN SCHEMA shop, single FROM PUBLIC;
REVOKE SELECT ON closed.a FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop REVOKE SELECT ON TABLES FROM PUBLIC;
CREATE TABLE shop.later (id int PRIMARY KEY);
RESET ROLE;";

const PRIVILEGES: &str = "  schemas = [\"shop\", \"closed\"]\n  tables = [\"single.a\"]";

/// A new user, and one that exists before its lists do.
#[tokio::test]
async fn what_public_has_is_granted_to_the_user_all_the_same() {
    let rig = Rig::start().await;
    rig.superuser(OPEN_TO_ALL).await;
    for start in ["", PRIVILEGES] {
        rig.configure(start);
        if start.is_empty() {
            rig.tf.apply().await.unwrap();
            rig.configure(PRIVILEGES);
        }
        let plan = rig.tf.plan().await.unwrap();
        let applied = rig.tf.apply_plan(&plan).await.unwrap().message();
        assert!(!applied.contains("skipped"), "{applied}");
        rig.superuser(HARDENED).await;
        let pipe = rig.login("pipe", PASSWORD).await.unwrap();
        for table in ["shop.orders", "shop.later", "single.a", "closed.a"] {
            pipe.query(&format!("SELECT * FROM {table}"), &[]).await.unwrap();
        }
        drop(pipe);
        // A table that nobody lets the admin grant is not in the way while everybody may read it.
        assert!(rig.holds("has_table_privilege('pipe', 'closed.b', 'SELECT')").await);
        rig.tf.assert_empty_plan().await.unwrap();
        rig.tf.destroy().await.unwrap();
        assert!(!rig.role_exists("pipe").await);
        rig.superuser("SET ROLE app_owner; DROP TABLE shop.later").await;
        rig.superuser(
            &OPEN_TO_ALL
                .lines()
                .filter(|line| !line.starts_with("CREATE") && !line.starts_with("ALTER TABLE"))
                .collect::<String>(),
        )
        .await;
    }
}

/// A schema, a table and a database on which the admin may grant nothing and PUBLIC has everything: said, and in the way of nothing.
#[tokio::test]
async fn what_only_public_gives_is_said() {
    let rig = Rig::start().await;
    rig.superuser(
        "ALTER DATABASE app OWNER TO rdsadmin; CREATE SCHEMA foreign_schema; GRANT USAGE ON SCHEMA foreign_schema TO PUBLIC; \
         CREATE TABLE foreign_schema.t (id int); GRANT SELECT ON foreign_schema.t TO PUBLIC",
    )
    .await;
    rig.configure("  tables = [\"foreign_schema.t\"]");
    let plan = rig.tf.plan().await.unwrap();
    let said = plan.outcome.message();
    let statements = [
        "GRANT CONNECT ON DATABASE \"app\" TO \"clusteradmin\" WITH GRANT OPTION;",
        "GRANT USAGE ON SCHEMA \"foreign_schema\" TO \"clusteradmin\" WITH GRANT OPTION;",
        "GRANT SELECT ON TABLE \"foreign_schema\".\"t\" TO \"clusteradmin\" WITH GRANT OPTION;",
    ];
    assert!(said.contains("PUBLIC"), "{said}");
    for statement in statements {
        assert!(said.contains(statement), "{statement}: {said}");
    }
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.login("pipe", PASSWORD).await.unwrap().query("SELECT * FROM foreign_schema.t", &[]).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    // With these the same configuration is granted to the user.
    rig.tf.destroy().await.unwrap();
    for statement in statements {
        rig.superuser(statement).await;
    }
    let plan = rig.tf.plan().await.unwrap();
    assert!(!plan.outcome.message().contains("PUBLIC"), "{}", plan.outcome.message());
    let mark = rig.mark();
    rig.tf.apply_plan(&plan).await.unwrap();
    assert_eq!(rig.changes_since(mark), plan.operations(USER));
}
