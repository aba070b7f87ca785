//! Bad input and missing privileges: one clear error with the remedy, and nothing is changed.

use crate::rig::{Rig, USER};

/// Applies, which fails; returns the message. Nothing was changed and no role was left.
async fn refusal(rig: &Rig) -> String {
    let mark = rig.mark();
    let refusal = rig.tf.run(["apply", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap();
    let ran = rig.changes_since(mark);
    assert!(!rig.role_exists("pipe").await, "{ran:?}");
    assert!(rig.tf.resource(USER).await.unwrap().is_null());
    refusal.message()
}

#[tokio::test]
async fn a_schema_or_table_that_does_not_exist_is_a_warning_at_plan_and_an_error_at_apply() {
    let rig = Rig::start().await;
    rig.configure("  schemas = [\"shop\", \"nowhere\"]\n  tables = [\"public.nothing\"]");
    let plan = rig.tf.plan().await.unwrap();
    assert!(plan.outcome.message().contains("there is no schema \"nowhere\""), "{}", plan.outcome.message());
    let mark = rig.mark();
    let message = refusal(&rig).await;
    assert!(message.contains("Attribute schemas[1]: there is no schema \"nowhere\""), "{message}");
    assert!(message.contains("Attribute tables[0]: there is no table \"public.nothing\""), "{message}");
    assert!(rig.changes_since(mark).is_empty());
}

#[tokio::test]
async fn tables_of_an_owner_out_of_reach_are_named_with_the_statement_for_the_owner() {
    let rig = Rig::start().await;
    rig.superuser("CREATE ROLE stranger; CREATE TABLE shop.secret (id int); ALTER TABLE shop.secret OWNER TO stranger").await;
    rig.configure("  schemas = [\"shop\"]");
    let plan = rig.tf.plan().await.unwrap();
    assert!(plan.outcome.message().contains("Privileges out of reach (stranger)"), "{}", plan.outcome.message());
    let mark = rig.mark();
    let message = refusal(&rig).await;
    for words in [
        "\"shop\".\"secret\"",
        "GRANT SELECT ON TABLE \"shop\".\"secret\" TO \"clusteradmin\" WITH GRANT OPTION;",
        "GRANT \"stranger\" TO \"clusteradmin\";",
        "set table_owners, and leave \"stranger\" out of it",
    ] {
        assert!(message.contains(words), "{words}: {message}");
    }
    assert!(rig.changes_since(mark).is_empty());

    // With some privilege the server would skip the table silently.
    rig.superuser("GRANT INSERT ON shop.secret TO clusteradmin").await;
    assert!(refusal(&rig).await.contains("\"shop\".\"secret\""));

    rig.superuser("GRANT stranger TO clusteradmin").await;
    rig.tf.apply().await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn a_view_of_an_owner_out_of_reach_does_not_stand_in_the_way() {
    let rig = Rig::start().await;
    rig.superuser("CREATE ROLE stranger; CREATE VIEW shop.report AS SELECT 1 AS one; ALTER VIEW shop.report OWNER TO stranger")
        .await;
    rig.configure("  schemas = [\"shop\"]");
    rig.tf.apply().await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    assert!(rig.holds("has_table_privilege('pipe', 'shop.orders', 'SELECT')").await);
}

#[tokio::test]
async fn an_admin_who_may_not_create_roles_is_told_what_is_missing() {
    let rig = Rig::start().await;
    rig.superuser("ALTER ROLE clusteradmin NOCREATEROLE").await;
    rig.configure("  schemas = [\"shop\"]");
    let message = refusal(&rig).await;
    assert!(message.contains("Missing privilege") && message.contains("needs CREATEROLE"), "{message}");
}

#[tokio::test]
async fn malformed_arguments_are_refused_with_their_paths() {
    let rig = Rig::start().await;
    for (arguments, words) in [
        ("  schemas = [\"\"]", "schemas[0]"),
        ("  schemas = [\"a\", \"a\"]", "schemas[1]"),
        ("  tables = [\"orders\"]", "tables[0]"),
        ("  tables = [\"a.b.c\"]", "cannot be replicated by ClickPipes"),
        ("  connection_limit = -5", "connection_limit"),
        ("  timeouts = { create = \"soon\" }", "timeouts.create"),
        ("  timeouts = { create = \"400000000000years\" }", "timeouts.create"),
        ("  timeouts = { read = \"366days\" }", "at most 365 days"),
    ] {
        rig.configure(arguments);
        let refusal = rig.tf.run(["validate", "-no-color"]).await.unwrap().failed().unwrap();
        assert!(refusal.message().contains(words), "{words}: {}", refusal.message());
    }
    rig.configure_as("pg_pipe", 1, "");
    let refusal = rig.tf.run(["validate", "-no-color"]).await.unwrap().failed().unwrap();
    assert!(refusal.message().contains("reserves"), "{}", refusal.message());
    rig.tf
        .write("main.tf", "resource \"clickpipes_replication_user\" \"pipe\" {\n  name = \"pipe\"\n  database = \"app\"\n}\n")
        .unwrap();
    let refusal = rig.tf.run(["plan", "-no-color"]).await.unwrap().failed().unwrap();
    assert!(refusal.message().contains("Password missing"), "{}", refusal.message());
}

#[tokio::test]
async fn a_name_that_is_listed_twice_is_one_error() {
    let rig = Rig::start().await;
    for list in
        ["schemas = [\"a\", \"b\", \"a\"]", "tables = [\"a.b\", \"a.c\", \"a.b\"]", "table_owners = [\"a\", \"b\", \"a\"]"]
    {
        rig.configure(&format!("  {list}"));
        let refusal = rig.tf.run(["validate", "-json"]).await.unwrap().failed().unwrap().json().unwrap();
        assert_eq!(refusal["error_count"], 1, "{refusal}");
        assert_eq!(refusal["diagnostics"][0]["summary"], "Duplicate entry");
    }
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_an_error_and_not_a_role_that_is_gone() {
    let rig = Rig::start().await;
    rig.configure("  schemas = [\"shop\"]");
    rig.tf.apply().await.unwrap();
    let path = rig.tf.folder().join("terraform.tfstate");
    let written = std::fs::read_to_string(&path).unwrap();
    let broken = written.replace("\"tables\": null", "\"tables\": [\"nodot\"]");
    assert_ne!(broken, written);
    std::fs::write(&path, &broken).unwrap();
    for arguments in
        [&["plan", "-no-color"][..], &["apply", "-no-color", "-auto-approve"], &["destroy", "-no-color", "-auto-approve"]]
    {
        let refusal = rig.tf.run(arguments).await.unwrap().failed().unwrap();
        assert!(refusal.message().contains("tables[0]"), "{}", refusal.message());
    }
    assert!(rig.role_exists("pipe").await);
    std::fs::write(&path, written).unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn a_refresh_takes_no_longer_than_timeouts_read_says() {
    let rig = Rig::start().await;
    rig.configure("  schemas = [\"shop\"]\n  timeouts = { read = \"1s\" }");
    rig.tf.apply().await.unwrap();
    let superuser = rig.cluster.superuser("app").await.unwrap();
    superuser.batch_execute("BEGIN; LOCK TABLE pg_catalog.pg_default_acl IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let refusal = rig.tf.run(["plan", "-no-color"]).await.unwrap().failed().unwrap();
    let message = refusal.message();
    assert!(message.contains("reading role \"pipe\" after 1s") && message.contains("timeouts"), "{message}");
    superuser.batch_execute("ROLLBACK").await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}
