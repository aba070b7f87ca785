//! Taking over what exists.

use crate::rig::{PASSWORD, Rig, USER, hcl};

/// The guide's own statements, run by the admin.
const GUIDE: &str = "\
CREATE USER pipe PASSWORD 'by-hand';
GRANT USAGE ON SCHEMA shop TO pipe;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO pipe;
ALTER DEFAULT PRIVILEGES FOR ROLE app_owner IN SCHEMA shop GRANT SELECT ON TABLES TO pipe;
GRANT rds_replication TO pipe;";

const CONFIGURATION: &str = "resource \"clickpipes_replication_user\" \"pipe\" {\n  name = \"pipe\"\n  database = \"app\"\n";

#[tokio::test]
async fn an_imported_user_plans_nothing_and_nothing_was_changed() {
    let rig = Rig::start().await;
    rig.admin(GUIDE).await;
    rig.tf.write("main.tf", &format!("{CONFIGURATION}  schemas = [\"shop\"]\n}}\n")).unwrap();
    let mark = rig.mark();
    rig.tf.import(USER, "app/pipe").await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    assert!(rig.changes_since(mark).is_empty());
    rig.login("pipe", "by-hand").await.unwrap();

    // A first password version is a rotation.
    rig.configure("  schemas = [\"shop\"]");
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.operations(USER), ["ALTER ROLE \"pipe\" PASSWORD '<redacted>'"]);
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.login("pipe", PASSWORD).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn single_tables_are_imported_as_tables() {
    let rig = Rig::start().await;
    rig.admin("CREATE USER pipe; GRANT USAGE ON SCHEMA shop TO pipe; GRANT SELECT ON shop.orders TO pipe; GRANT rds_replication TO pipe").await;
    rig.tf.write("main.tf", &format!("{CONFIGURATION}  tables = [\"shop.orders\"]\n}}\n")).unwrap();
    rig.tf.import(USER, "app/pipe").await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn what_terraform_generates_from_an_import_block_plans_nothing() {
    let rig = Rig::start().await;
    rig.admin(GUIDE).await;
    rig.tf.write("main.tf", &format!("import {{\n  to = {USER}\n  id = \"app/pipe\"\n}}\n")).unwrap();
    rig.tf.plan_with(&["-generate-config-out=generated.tf"]).await.unwrap();
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.actions(USER), ["no-op"], "{}", plan.outcome.stdout);
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn a_malformed_or_wrong_id_is_refused() {
    let rig = Rig::start().await;
    rig.configure("");
    for (id, words) in [
        ("pipe", "database/name"),
        ("app/nobody", "There is no role \"nobody\" (looked for in database \"app\")"),
        ("nodb/pipe", "nodb"),
    ] {
        let refusal = rig.tf.run(["import", "-no-color", USER, id]).await.unwrap().failed().unwrap();
        assert!(refusal.message().contains(words), "{id}: {}", refusal.message());
    }
}

#[tokio::test]
async fn an_existing_role_is_refused_with_an_import_block_and_can_be_adopted() {
    let rig = Rig::start().await;
    rig.admin("CREATE USER pipe PASSWORD 'by-hand' CONNECTION LIMIT 3").await;
    rig.configure("  schemas = [\"shop\"]");
    let plan = rig.tf.plan().await.unwrap();
    assert!(plan.outcome.message().contains("id = \"app/pipe\""), "{}", plan.outcome.message());
    let mark = rig.mark();
    let refusal = rig.tf.run(["apply", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap();
    assert!(refusal.message().contains("Role already exists"), "{}", refusal.message());
    assert!(rig.changes_since(mark).is_empty());

    rig.configure("  schemas = [\"shop\"]\n  adopt_existing = true");
    let plan = rig.tf.plan().await.unwrap();
    // Terraform does not say whether this run drops the role first, so the list is in a warning.
    assert!(plan.is_unknown(USER, "operations") && plan.is_unknown(USER, "impact"));
    assert!(plan.outcome.message().contains("ALTER ROLE \"pipe\" LOGIN PASSWORD '<redacted>'"), "{}", plan.outcome.message());
    rig.tf.apply_plan(&plan).await.unwrap();
    assert_eq!(rig.tf.resource(USER).await.unwrap()["connection_limit"], 3);
    rig.login("pipe", PASSWORD).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn the_import_block_of_a_message_imports_a_role_of_any_name() {
    let rig = Rig::start().await;
    let name = "we\"ird ${x} %{y} $${z} b\\s/é表";
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    rig.admin(&format!("CREATE USER {quoted} PASSWORD 'by-hand'; GRANT rds_replication TO {quoted}")).await;
    let resource = format!(
        "resource \"clickpipes_replication_user\" \"new_name\" {{\n  name = {}\n  database = \"app\"\n  adopt_existing = false\n  \
}}\n",
        hcl(name)
    );
    let with_password =
        resource.replace("  adopt_existing = false\n", "  password_wo = var.password\n  password_wo_version = 1\n");
    rig.main(&with_password).unwrap();
    let warning = rig.tf.warning("Role already exists").await.unwrap();
    let block = &warning[warning.find("import {").unwrap()..];
    let block = &block[..=block.find("\n}").unwrap() + 1];
    rig.main(&format!("{resource}\n{block}\n")).unwrap();
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.actions("clickpipes_replication_user.new_name"), ["no-op"], "{block}: {}", plan.outcome.stdout);
    rig.tf.apply_plan(&plan).await.unwrap();
    assert_eq!(rig.tf.resource("clickpipes_replication_user.new_name").await.unwrap()["name"], name);
}

/// Nothing is stored yet that could be damaged, so the fault is in the names.
#[tokio::test]
async fn a_role_of_the_servers_own_is_refused_by_its_name() {
    let rig = Rig::start().await;
    rig.tf.write("main.tf", &format!("{CONFIGURATION}  schemas = [\"shop\"]\n}}\n")).unwrap();
    let refusal = rig.tf.run(["import", "-no-color", USER, "app/pg_monitor"]).await.unwrap().failed().unwrap().message();
    assert!(refusal.contains("pg_") && !refusal.contains("stored state"), "{refusal}");
}
