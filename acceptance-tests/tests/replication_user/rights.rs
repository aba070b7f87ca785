//! What the admin lacks is said at plan, with a statement that works on that server for that admin, before the role exists.

use acceptance_tests::postgres_server::is_available;

use crate::rig::{PASSWORD, Rig};

/// Every statement of a message that begins with GRANT or ALTER ROLE.
fn statements(message: &str) -> Vec<String> {
    let parts = message.split(';').filter_map(|part| {
        let start = part
            .rfind("GRANT \"")
            .max(part.rfind("GRANT CONNECT ON"))
            .max(part.rfind("GRANT USAGE ON"))
            .max(part.rfind("GRANT SELECT ON"))
            .max(part.rfind("ALTER ROLE"))?;
        Some(format!("{};", &part[start..]))
    });
    parts.collect()
}

#[tokio::test]
async fn what_the_admin_may_not_grant_is_said_at_plan_and_the_advice_works() {
    let rig = Rig::start().await;
    rig.superuser(
        "CREATE ROLE migrator; ALTER DATABASE app OWNER TO migrator; REVOKE ALL ON DATABASE app FROM PUBLIC; \
         GRANT CONNECT ON DATABASE app TO clusteradmin; \
         CREATE SCHEMA s AUTHORIZATION migrator; SET ROLE migrator; CREATE TABLE s.a (id int PRIMARY KEY); CREATE TABLE s.b (id int PRIMARY KEY)",
    )
    .await;
    rig.configure("  tables = [\"s.a\", \"s.b\"]");
    let plan = rig.tf.plan().await.unwrap();
    let said = plan.outcome.message();
    let expected = [
        "GRANT CONNECT ON DATABASE \"app\" TO \"clusteradmin\" WITH GRANT OPTION;",
        "GRANT USAGE ON SCHEMA \"s\" TO \"clusteradmin\" WITH GRANT OPTION;",
        "GRANT SELECT ON TABLE \"s\".\"a\" TO \"clusteradmin\" WITH GRANT OPTION;",
        "GRANT SELECT ON TABLE \"s\".\"b\" TO \"clusteradmin\" WITH GRANT OPTION;",
    ];
    for statement in expected {
        assert!(said.contains(statement), "{statement}: {said}");
    }
    assert!(said.contains("\"migrator\""), "{said}");
    assert!(!said.contains("TO \"pipe\";"), "a role that does not exist yet is no grantee: {said}");
    let mark = rig.mark();
    let refusal = rig.tf.run(["apply", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap().message();
    assert_eq!(rig.changes_since(mark), Vec::<String>::new(), "{refusal}");
    for statement in expected {
        assert!(refusal.contains(statement), "{statement}: {refusal}");
        rig.superuser(&format!("SET ROLE migrator; {statement}")).await;
    }
    let said = rig.tf.plan().await.unwrap().outcome.message();
    assert!(!said.contains("GRANT OPTION"), "{said}");
    rig.tf.apply().await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    rig.login("pipe", PASSWORD).await.unwrap().query("SELECT * FROM s.a", &[]).await.unwrap();
}

/// The other way out: membership in the owner. It works for an admin that does not inherit too, on each side of version 16.
async fn joins_the_owner(version: &str) {
    let rig = Rig::start_version(version).await;
    rig.superuser(
        "ALTER ROLE clusteradmin NOINHERIT; REVOKE app_owner FROM clusteradmin CASCADE; ALTER DATABASE app OWNER TO app_owner; \
         REVOKE CONNECT ON DATABASE app FROM PUBLIC; GRANT CONNECT ON DATABASE app TO clusteradmin",
    )
    .await;
    if !version.starts_with("15") {
        rig.superuser("GRANT app_owner TO clusteradmin WITH INHERIT FALSE, SET FALSE").await;
    }
    rig.configure("  schemas = [\"shop\"]");
    let said = rig.tf.plan().await.unwrap().outcome.message();
    let joining: Vec<String> = statements(&said).into_iter().filter(|text| text.starts_with("GRANT \"app_owner\" TO")).collect();
    assert!(!joining.is_empty(), "{said}");
    rig.superuser(&joining[0]).await;
    let said = rig.tf.plan().await.unwrap().outcome.message();
    assert!(!said.contains("cannot grant"), "{said}");
    rig.tf.apply().await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    rig.login("pipe", PASSWORD).await.unwrap().query("SELECT * FROM shop.orders", &[]).await.unwrap();
    rig.tf.destroy().await.unwrap();
    assert!(!rig.role_exists("pipe").await);
}

#[tokio::test]
async fn an_admin_that_does_not_inherit_joins_the_owner_as_told() {
    joins_the_owner("15.4").await;
    if is_available(16).await.unwrap() {
        joins_the_owner("16.6").await;
    }
}

/// An admin that is a member of the owner and of rds_superuser, and inherits from neither, on each side of version 16.
#[tokio::test]
async fn an_admin_that_does_not_inherit_acts_for_the_owner_and_publishes_as_told() {
    for version in ["15.4", "16.6"] {
        if !is_available(version[..2].parse().unwrap()).await.unwrap() {
            continue;
        }
        let rig = Rig::start_version(version).await;
        let member = if version < "16" {
            "ALTER ROLE clusteradmin NOINHERIT"
        } else {
            "REVOKE app_owner FROM clusteradmin CASCADE; GRANT app_owner, rds_superuser TO clusteradmin WITH INHERIT FALSE, SET TRUE"
        };
        rig.superuser(member).await;
        rig.superuser(
            "ALTER DATABASE app OWNER TO app_owner; REVOKE CONNECT ON DATABASE app FROM PUBLIC; \
             GRANT CONNECT, CREATE ON DATABASE app TO clusteradmin",
        )
        .await;
        rig.configure("  schemas = [\"shop\"]");
        rig.apply_as_owner().await;
        rig.tf.write("publication.tf", "resource \"clickpipes_publication\" \"p\" {\n  name = \"p\"\n  database = \"app\"\n  tables = [\"shop.orders\"]\n}\n").unwrap();
        let refusal = rig.tf.run(["apply", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap().message();
        let advice: std::collections::BTreeSet<String> =
            statements(&refusal).into_iter().filter(|text| text.contains("INHERIT")).collect();
        assert_eq!(advice.len(), 1, "{refusal}");
        rig.superuser(advice.first().unwrap()).await;
        rig.tf.apply().await.unwrap();
        rig.tf.assert_empty_plan().await.unwrap();
        assert!(rig.holds("EXISTS (SELECT FROM pg_publication_tables WHERE pubname = 'p')").await, "{version}");
        rig.tf.destroy().await.unwrap();
    }
}

impl Rig {
    /// Applies; the plan had no word about missing rights, and the user reads.
    async fn apply_as_owner(&self) {
        let plan = self.tf.plan().await.unwrap();
        let said = plan.outcome.message();
        assert!(!said.contains("cannot grant"), "{said}");
        self.tf.apply_plan(&plan).await.unwrap();
        self.tf.assert_empty_plan().await.unwrap();
        self.login("pipe", PASSWORD).await.unwrap().query("SELECT * FROM shop.orders", &[]).await.unwrap();
    }
}

/// CREATEROLE, and the right to let others replicate.
#[tokio::test]
async fn an_admin_who_may_not_create_roles_or_let_them_replicate_is_told_at_plan() {
    for version in ["15.4", "16.6"] {
        if !is_available(version[..2].parse().unwrap()).await.unwrap() {
            continue;
        }
        let rig = Rig::start_version(version).await;
        rig.superuser("ALTER ROLE clusteradmin NOCREATEROLE; REVOKE rds_superuser FROM clusteradmin").await;
        rig.configure("  schemas = [\"shop\"]");
        let said = rig.tf.plan().await.unwrap().outcome.message();
        let mark = rig.mark();
        let refusal = rig.tf.run(["apply", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap().message();
        assert_eq!(rig.changes_since(mark), Vec::<String>::new(), "{version}: {refusal}");
        let expected =
            ["ALTER ROLE \"clusteradmin\" CREATEROLE;", "GRANT \"rds_replication\" TO \"clusteradmin\" WITH ADMIN OPTION;"];
        for statement in expected {
            assert!(said.contains(statement) && refusal.contains(statement), "{statement}: {said}\n{refusal}");
            rig.superuser(statement).await;
        }
        assert!(!rig.tf.plan().await.unwrap().outcome.message().contains("Missing privilege"));
        rig.tf.apply().await.unwrap();
        rig.login("pipe", PASSWORD).await.unwrap();
    }
}
