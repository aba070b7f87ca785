//! Statements that are sent without waiting for each other, and queries that a session has prepared.

use crate::rig::{PASSWORD, Rig, USER};

#[tokio::test]
async fn a_password_is_not_sent_before_the_statements_ahead_of_it_have_run() {
    let rig = Rig::start().await;
    rig.configure("  schemas = [\"shop\"]");
    rig.tf.apply().await.unwrap();
    let holder = rig.cluster.superuser("app").await.unwrap();
    holder.batch_execute("BEGIN; ALTER ROLE pipe CONNECTION LIMIT 5").await.unwrap();
    rig.configure_as("renamed", 2, "  schemas = [\"shop\"]\n  timeouts = { update = \"4s\" }");
    let mark = rig.cluster.server_log().unwrap().len();
    let refusal = rig.tf.run(["apply", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap().message();
    assert!(refusal.contains("ALTER ROLE \"pipe\" RENAME TO \"renamed\""), "{refusal}");
    let log = rig.cluster.server_log().unwrap();
    assert!(!log[mark..].contains("SCRAM-SHA-256"), "the server logs what it refuses");

    holder.batch_execute("ROLLBACK").await.unwrap();
    rig.tf.apply().await.unwrap();
    rig.login("renamed", PASSWORD).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}

#[tokio::test]
async fn a_trigger_that_forgets_prepared_queries_does_no_harm() {
    let rig = Rig::start().await;
    rig.superuser(
        "CREATE FUNCTION public.forget() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$; \
         CREATE EVENT TRIGGER forget ON ddl_command_end EXECUTE FUNCTION public.forget()",
    )
    .await;
    let user = |number: usize| {
        format!(
            "resource \"clickpipes_replication_user\" \"u{number}\" {{\n  name = \"u{number}\"\n  database = \"app\"\n  \
             password_wo = var.password\n  password_wo_version = 1\n  schemas = [\"shop\"]\n}}\n"
        )
    };
    rig.main(&(0..5).map(user).collect::<String>()).unwrap();
    rig.tf.apply().await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    for number in 0..5 {
        rig.login(&format!("u{number}"), PASSWORD).await.unwrap().batch_execute("SELECT * FROM shop.orders").await.unwrap();
    }
    rig.superuser("DROP EVENT TRIGGER forget").await;
}

#[tokio::test]
async fn a_user_that_owns_a_table_is_imported_with_it() {
    let rig = Rig::start().await;
    rig.admin("CREATE USER pipe; GRANT USAGE ON SCHEMA shop TO pipe; GRANT rds_replication TO pipe").await;
    rig.superuser(
        "CREATE TABLE shop.own (id int PRIMARY KEY); ALTER TABLE shop.own OWNER TO pipe; GRANT SELECT ON shop.own TO app_owner",
    )
    .await;
    rig.tf
        .write(
            "main.tf",
            "resource \"clickpipes_replication_user\" \"pipe\" {\n  name = \"pipe\"\n  database = \"app\"\n  tables = [\"shop.own\"]\n}\n",
        )
        .unwrap();
    rig.tf.import(USER, "app/pipe").await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}
