//! Configurations that would not do what they seem to: refused, or said at every plan.

use acceptance_tests::rig::ADMIN;

use crate::rig::{PASSWORD, Rig, USER};

#[tokio::test]
async fn names_that_mean_something_else_are_refused_at_plan() {
    let rig = Rig::start().await;
    for name in ["public", "none", "current_user", "session_user", "user", "pg_pipe"] {
        rig.configure_as(name, 1, "  schemas = [\"shop\"]");
        let refusal = rig.tf.run(["plan", "-no-color"]).await.unwrap().failed().unwrap().message();
        assert!(refusal.contains("Reserved role name"), "{name}: {refusal}");
    }
    rig.configure("  schemas = [\"pg_catalog\"]\n  tables = [\"information_schema.tables\"]");
    let refusal = rig.tf.run(["validate", "-no-color"]).await.unwrap().failed().unwrap().message();
    for words in ["schemas[0]: the schema \"pg_catalog\"", "tables[0]: the schema \"information_schema\""] {
        assert!(refusal.contains(words), "{words}: {refusal}");
    }
    let text = "resource \"clickpipes_replication_user\" \"pipe\" {\n  name = \"pipe\"\n  database = \"app\"\n  password_wo = \"x\"\n}\n";
    rig.main(text).unwrap();
    let refusal = rig.tf.run(["validate", "-no-color"]).await.unwrap().failed().unwrap().message();
    assert!(refusal.contains("Password version missing"), "{refusal}");
}

#[tokio::test]
async fn a_user_that_reads_nothing_and_a_name_in_another_case_are_said() {
    let rig = Rig::start().await;
    rig.configure("");
    rig.tf.apply().await.unwrap();
    let plan = rig.tf.plan().await.unwrap();
    assert!(plan.empty && plan.outcome.message().contains("The role reads nothing"), "{}", plan.outcome.message());
    rig.configure("  schemas = [\"Shop\"]\n  tables = [\"public.a\", \"SHOP.orders\"]");
    rig.admin("CREATE TABLE public.\"A\" (id int PRIMARY KEY)").await;
    rig.tf
        .write("publication.tf", "resource \"clickpipes_publication\" \"p\" {\n  name = \"p\"\n  database = \"app\"\n  tables = [\"shop.ORDERS\"]\n}\n")
        .unwrap();
    let said = rig.tf.plan().await.unwrap().outcome.message();
    for near in ["There is \"shop\":", "There is \"public.A\":", "There is \"shop.orders\":"] {
        assert!(said.contains(near), "{near}: {said}");
    }
    assert_eq!(said.matches("There is \"shop.orders\":").count(), 2, "{said}");
    assert!(!said.contains("The role reads nothing"), "{said}");
}

#[tokio::test]
async fn the_role_that_the_provider_works_as_is_not_managed() {
    let rig = Rig::start().await;
    let is_refused = async |name: &str| {
        rig.configure_as(name, 1, "  schemas = [\"shop\"]\n  adopt_existing = true");
        let refusal = rig.tf.run(["plan", "-no-color"]).await.unwrap().failed().unwrap().message();
        assert!(refusal.contains("Role of the provider itself"), "{name}: {refusal}");
        let refusal =
            rig.tf.run(["import", "-no-color", USER, &format!("app/{name}")]).await.unwrap().failed().unwrap().message();
        assert!(refusal.contains("Role of the provider itself"), "{name}: {refusal}");
        assert!(rig.tf.resource(USER).await.unwrap().is_null());
    };
    is_refused(ADMIN).await;
    // It logs in as one role and works as another.
    rig.superuser(
        "CREATE ROLE worker CREATEROLE; GRANT rds_superuser, app_owner TO worker; GRANT worker TO clusteradmin; \
         ALTER ROLE clusteradmin SET role = 'worker'",
    )
    .await;
    is_refused(ADMIN).await;
    is_refused("worker").await;
}

#[tokio::test]
async fn a_host_with_a_port_in_it_is_recognised() {
    let rig = Rig::start().await;
    rig.configure("");
    let port = rig.cluster.port;
    rig.provider(&format!("host = \"127.0.0.1:{port}\", username = \"{ADMIN}\", sslmode = \"disable\"")).unwrap();
    let refusal = rig.tf.run(["plan", "-no-color"]).await.unwrap().failed().unwrap().message();
    assert!(refusal.contains("The host has a port in it"), "{refusal}");
}

/// Row level security hides rows without an error.
#[tokio::test]
async fn row_level_security_is_said_at_every_plan_and_the_advice_works() {
    let rig = Rig::start().await;
    rig.superuser(
        "CREATE SCHEMA single AUTHORIZATION app_owner; SET ROLE app_owner; CREATE TABLE single.t (id int PRIMARY KEY); \
         ALTER TABLE single.t ENABLE ROW LEVEL SECURITY; ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY; INSERT INTO shop.orders VALUES (1)",
    )
    .await;
    rig.configure("  schemas = [\"shop\"]\n  tables = [\"single.t\"]");
    let hidden = "Rows may be hidden from the role";
    let said = rig.tf.plan().await.unwrap().outcome.message();
    assert!(said.contains(hidden) && said.contains("\"shop\".\"orders\", \"single\".\"t\""), "{said}");
    rig.tf.apply().await.unwrap();
    let plan = rig.tf.plan().await.unwrap();
    let said = plan.outcome.message();
    assert!(plan.empty && said.contains(hidden), "{said}");
    let count = "SELECT count(*) FROM shop.orders";
    let pipe = rig.login("pipe", PASSWORD).await.unwrap();
    assert_eq!(pipe.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 0);
    // By policies, of each owner.
    let policy = said.split("CREATE POLICY").nth(1).unwrap().split(';').next().unwrap().to_owned();
    rig.superuser(&format!("SET ROLE app_owner; CREATE POLICY{policy}")).await;
    assert_eq!(pipe.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 1);
    let said = rig.tf.plan().await.unwrap().outcome.message();
    assert!(said.contains(hidden) && !said.contains("\"shop\".\"orders\""), "{said}");
    // By the role.
    rig.superuser("ALTER ROLE \"pipe\" BYPASSRLS;").await;
    let plan = rig.tf.plan().await.unwrap();
    assert!(plan.empty && !plan.outcome.message().contains(hidden), "{}", plan.outcome.message());
    // A policy for the role is in the way of a destroy: the plan says what removes it.
    let said = rig.tf.plan_with(&["-destroy"]).await.unwrap().outcome.message();
    assert!(said.contains("DROP POLICY \"pipe\" ON \"shop\".\"orders\";"), "{said}");
}
