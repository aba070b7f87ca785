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

/// Another database in which the role holds something: it is cleared first.
async fn grant_in_a_second_database(rig: &Rig) {
    rig.admin("CREATE DATABASE second").await;
    let second = rig.cluster.admin("second").await.unwrap();
    second.batch_execute("CREATE TABLE public.mine (id int); GRANT SELECT ON public.mine TO pipe").await.unwrap();
}

/// Everything after `run...:` in a message up to the semicolon: the statement that it gives to somebody.
fn advice(message: &str, start: &str) -> String {
    let from = message.rfind(start).unwrap_or_else(|| panic!("{start} in {message}"));
    format!("{};", message[from..].split(';').next().unwrap())
}

#[tokio::test]
async fn what_others_granted_is_named_with_their_statement_before_anything_is_changed() {
    let rig = Rig::start().await;
    rig.configure("  schemas = [\"shop\"]");
    rig.tf.apply().await.unwrap();
    grant_in_a_second_database(&rig).await;
    // An owner out of reach; a chain of grants; a single column; each is enough to make the role undroppable.
    let chain = "CREATE ROLE middle LOGIN PASSWORD 'm'; GRANT USAGE ON SCHEMA shop TO middle; SET ROLE app_owner; \
                 GRANT SELECT ON shop.orders TO middle WITH GRANT OPTION; SET ROLE middle; GRANT SELECT ON shop.orders TO pipe; RESET ROLE";
    for (set_up, grantor, start) in [
        (
            "CREATE VIEW public.report AS SELECT 1 AS one; GRANT SELECT ON public.report TO pipe",
            "rdsadmin",
            "REVOKE ALL ON TABLE \"public\".\"report\"",
        ),
        (
            "CREATE FUNCTION public.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT EXECUTE ON FUNCTION public.f TO pipe",
            "rdsadmin",
            "REVOKE ALL ON ROUTINE public.f(integer)",
        ),
        (
            "CREATE TABLE public.part (a int, b int); GRANT SELECT (b) ON public.part TO pipe",
            "rdsadmin",
            "REVOKE ALL ON TABLE \"public\".\"part\"",
        ),
        (
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pipe",
            "rdsadmin",
            "ALTER DEFAULT PRIVILEGES FOR ROLE \"rdsadmin\"",
        ),
        (chain, "middle", "REVOKE ALL ON TABLE \"shop\".\"orders\""),
    ] {
        rig.superuser(set_up).await;
        let plan = rig.tf.plan_with(&["-destroy"]).await.unwrap();
        let said = plan.outcome.message();
        assert!(
            said.contains(&format!("\"{grantor}\" granted it a privilege, and \"clusteradmin\" cannot act as \"{grantor}\"")),
            "{said}"
        );
        let mark = rig.mark();
        let refusal = rig.tf.run(["destroy", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap();
        assert!(refusal.message().contains("Role is in use"), "{}", refusal.message());
        assert_eq!(rig.changes_since(mark), Vec::<String>::new());
        // The advice is what works.
        rig.superuser(&format!("SET ROLE {grantor}; {}", advice(&refusal.message(), start))).await;
        let plan = rig.tf.plan_with(&["-destroy"]).await.unwrap();
        assert!(!plan.outcome.message().contains("granted it a privilege"), "{}", plan.outcome.message());
    }
    // As a member of the grantor the admin takes back both grants itself.
    rig.superuser("SET ROLE middle; GRANT SELECT ON shop.orders TO pipe; RESET ROLE; GRANT middle TO clusteradmin").await;
    rig.tf.destroy().await.unwrap();
    assert!(!rig.role_exists("pipe").await);
}

#[tokio::test]
async fn a_role_that_the_admin_may_not_drop_is_named_at_plan() {
    let rig = Rig::start_version("16.4").await;
    rig.superuser("CREATE ROLE pipe LOGIN REPLICATION; GRANT rds_replication TO pipe").await;
    rig.configure("");
    rig.tf.import(USER, "app/pipe").await.unwrap();
    let said = rig.tf.plan_with(&["-destroy"]).await.unwrap().outcome.message();
    assert!(said.contains("\"clusteradmin\" may not drop it. Let an administrator run: GRANT"), "{said}");
    rig.superuser(&advice(&said, "GRANT \"pipe\" TO \"clusteradmin\"")).await;
    rig.tf.destroy().await.unwrap();
    assert!(!rig.role_exists("pipe").await);
}

#[tokio::test]
async fn after_a_partial_success_the_message_says_what_was_done() {
    let rig = Rig::start().await;
    rig.configure("  schemas = [\"shop\"]");
    rig.tf.apply().await.unwrap();
    grant_in_a_second_database(&rig).await;
    rig.superuser(
        "CREATE FUNCTION public.no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$; \
         CREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN ('REVOKE') EXECUTE FUNCTION public.no()",
    )
    .await;
    let mark = rig.mark();
    let refusal = rig.tf.run(["destroy", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap().message();
    let done = "REVOKE ALL ON TABLE \"public\".\"mine\" FROM \"pipe\" (database \"second\")";
    assert!(refusal.contains("not today"), "{refusal}");
    assert!(
        refusal.contains(&format!("In other databases this was done before, and need not be done again: {done}")),
        "{refusal}"
    );
    assert!(!refusal.contains(" Nothing was changed."), "{refusal}");
    assert!(rig.changes_since(mark).contains(&done.replace(" (database \"second\")", "")));
    rig.superuser("DROP EVENT TRIGGER no").await;
    rig.tf.destroy().await.unwrap();
    assert!(!rig.role_exists("pipe").await);
}

/// Who is to run what, as a message says it: `Let "somebody" run, in database "app": ...;`.
fn told(message: &str) -> (String, String) {
    let (before, after) = message.rsplit_once(" run, in database \"app\": ").unwrap_or_else(|| panic!("no advice in {message}"));
    let who = before.to_lowercase().rsplit_once("let ").unwrap().1.trim_matches('"').replace("the owner", "app_owner");
    (who, format!("{};", after.split(';').next().unwrap()))
}

#[tokio::test]
async fn what_a_revoke_would_not_reach_is_named_with_what_does() {
    let rig = Rig::start().await;
    rig.configure("  schemas = [\"shop\"]");
    rig.tf.apply().await.unwrap();
    grant_in_a_second_database(&rig).await;
    rig.superuser("CREATE ROLE w; CREATE ROLE g; GRANT USAGE ON SCHEMA shop TO g, w").await;
    let own_option = "REVOKE app_owner FROM clusteradmin; SET ROLE app_owner; GRANT USAGE ON SCHEMA shop TO clusteradmin; \
        GRANT INSERT ON shop.orders TO clusteradmin WITH GRANT OPTION; SET ROLE clusteradmin; GRANT INSERT ON shop.orders TO pipe; \
        RESET ROLE; GRANT app_owner TO clusteradmin";
    let onward = "SET ROLE app_owner; GRANT UPDATE ON shop.orders TO pipe WITH GRANT OPTION; SET ROLE pipe; GRANT UPDATE ON shop.orders TO w; RESET ROLE";
    let onward_column = "SET ROLE app_owner; GRANT UPDATE ON shop.customers TO pipe WITH GRANT OPTION; SET ROLE pipe; \
        GRANT UPDATE (id) ON shop.customers TO w; RESET ROLE";
    let column = "SET ROLE app_owner; GRANT SELECT (id) ON shop.orders TO g WITH GRANT OPTION; SET ROLE g; GRANT SELECT (id) ON shop.orders TO pipe; \
        RESET ROLE";
    let shut_out = "SET ROLE app_owner; GRANT DELETE ON shop.orders TO g WITH GRANT OPTION; SET ROLE g; GRANT DELETE ON shop.orders TO pipe; \
        SET ROLE app_owner; REVOKE USAGE ON SCHEMA shop FROM g; RESET ROLE";
    for (what, set_up) in [
        ("own option", own_option),
        ("onward", onward),
        ("onward column", onward_column),
        ("column", column),
        ("shut out", shut_out),
    ] {
        rig.superuser(set_up).await;
        let plan = rig.tf.plan_with(&["-destroy"]).await.unwrap();
        assert!(plan.outcome.message().contains("Role is in use"), "{what}: {}", plan.outcome.message());
        let mark = rig.mark();
        let refusal = rig.tf.run(["destroy", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap().message();
        assert_eq!(rig.changes_since(mark), Vec::<String>::new(), "{what}");
        let (who, statement) = told(&refusal);
        let for_a_moment = if what == "own option" { "app_owner" } else { "w" };
        rig.superuser(&format!("REVOKE {for_a_moment} FROM clusteradmin")).await;
        rig.superuser(&format!("SET ROLE \"{who}\"; {statement}")).await;
        rig.superuser("GRANT app_owner TO clusteradmin").await;
        let said = rig.tf.plan_with(&["-destroy"]).await.unwrap().outcome.message();
        let left = said.split("Role is in use").nth(1);
        assert!(left.is_none(), "{what}, after {who} has run {statement}: {left:?}");
    }
    rig.tf.destroy().await.unwrap();
    assert!(!rig.role_exists("pipe").await);
}
