//! Everything is revoked, or nothing is changed.

use acceptance_tests::stream::{ReplicationStream, Source};

use crate::rig::{PASSWORD, Rig, USER};

#[tokio::test]
async fn a_destroy_lists_and_runs_its_statements_and_leaves_nothing() {
    let rig = Rig::start().await;
    rig.configure("  schemas = [\"shop\"]");
    let before = rig.acls().await;
    rig.tf.apply().await.unwrap();
    let plan = rig.tf.plan_with(&["-destroy"]).await.unwrap();
    let operations = [
        "ALTER DEFAULT PRIVILEGES FOR ROLE \"app_owner\" IN SCHEMA \"shop\" REVOKE ALL ON TABLES FROM \"pipe\"",
        "REVOKE ALL ON ALL TABLES IN SCHEMA \"shop\" FROM \"pipe\"",
        "REVOKE ALL ON SCHEMA \"shop\" FROM \"pipe\"",
        "REVOKE ALL ON DATABASE \"app\" FROM \"pipe\"",
        "DROP ROLE \"pipe\"",
    ];
    assert!(plan.outcome.message().contains(&operations.join(" ")), "{}", plan.outcome.message());
    let mark = rig.mark();
    rig.tf.apply_plan(&plan).await.unwrap();
    assert_eq!(rig.changes_since(mark), operations);
    assert!(!rig.role_exists("pipe").await);
    assert_eq!(rig.acls().await, before);
}

#[tokio::test]
async fn privileges_in_other_databases_are_taken_back_too() {
    let rig = Rig::start().await;
    rig.configure("  schemas = [\"shop\"]");
    rig.tf.apply().await.unwrap();
    rig.admin("CREATE DATABASE second").await;
    let second = rig.cluster.admin("second").await.unwrap();
    second
        .batch_execute(
            "CREATE SCHEMA x; CREATE TABLE x.t (id int); CREATE SEQUENCE x.s; CREATE FUNCTION x.f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'; \
             GRANT USAGE ON SCHEMA x TO pipe; GRANT SELECT ON x.t TO pipe; GRANT USAGE ON SEQUENCE x.s TO pipe; GRANT EXECUTE ON FUNCTION x.f TO pipe; \
             ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pipe",
        )
        .await
        .unwrap();
    rig.tf.destroy().await.unwrap();
    assert!(!rig.role_exists("pipe").await);
}

#[tokio::test]
async fn a_role_that_owns_something_is_refused_with_a_list() {
    let rig = Rig::start().await;
    rig.configure("  schemas = [\"shop\"]");
    rig.tf.apply().await.unwrap();
    rig.superuser("CREATE TABLE public.mine (id int); ALTER TABLE public.mine OWNER TO pipe").await;
    let mark = rig.mark();
    let refusal = rig.tf.run(["destroy", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap();
    assert!(refusal.message().contains("it owns table public.mine"), "{}", refusal.message());
    assert!(rig.changes_since(mark).is_empty());
    assert!(rig.role_exists("pipe").await);
    assert_eq!(rig.tf.resource(USER).await.unwrap()["name"], "pipe");
    rig.superuser("DROP TABLE public.mine").await;
    rig.tf.destroy().await.unwrap();
}

#[tokio::test]
async fn a_role_that_is_gone_already_is_no_error() {
    let rig = Rig::start().await;
    rig.configure("");
    rig.tf.apply().await.unwrap();
    let plan = rig.tf.plan_with(&["-destroy"]).await.unwrap();
    rig.superuser("REVOKE ALL ON DATABASE app FROM pipe; DROP ROLE pipe").await;
    rig.tf.apply_plan(&plan).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_a_live_replication_connection_is_refused() {
    let rig = Rig::start_logical().await;
    rig.configure("  schemas = [\"shop\"]\n  timeouts = { delete = \"1s\" }");
    rig.tf.apply().await.unwrap();
    rig.admin("CREATE PUBLICATION p FOR ALL TABLES").await;
    rig.admin("SELECT pg_create_logical_replication_slot('slot', 'pgoutput')").await;
    let (host, port) = (rig.cluster.host.clone(), rig.cluster.port);
    let source = Source { host: &host, port, user: "pipe", password: PASSWORD, database: "app", slot: "slot", publication: "p" };
    let stream = ReplicationStream::open(source).await.unwrap();
    let mark = rig.mark();
    let refusal = rig.tf.run(["destroy", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap();
    assert!(refusal.message().contains("it has an open replication connection"), "{}", refusal.message());
    assert!(rig.changes_since(mark).is_empty());
    assert!(rig.role_exists("pipe").await);
    drop(stream);
}
