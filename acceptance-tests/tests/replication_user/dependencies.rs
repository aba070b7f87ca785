//! A destroy meets everything that a role may hold, in every database: it takes it back, or names who must, with what.

use acceptance_tests::postgres_server::{PostgresServer, ServerOptions};
use acceptance_tests::terraform_cli::Terraform;

use crate::rig::{ADMIN_PASSWORD, Rig, USER, rules};

/// One of each kind on which a role may hold privileges, granted by the superuser, out of the admin's reach; and what refers to a role
/// in another way.
const OUT_OF_REACH: &str = "\
CREATE TYPE public.mood AS ENUM ('calm'); GRANT USAGE ON TYPE public.mood TO pipe;
CREATE DOMAIN public.\"Odd name\" AS int; GRANT USAGE ON DOMAIN public.\"Odd name\" TO pipe;
GRANT USAGE ON LANGUAGE plpgsql TO pipe;
SELECT lo_create(4711); GRANT SELECT ON LARGE OBJECT 4711 TO pipe;
CREATE FOREIGN DATA WRAPPER wrapper; GRANT USAGE ON FOREIGN DATA WRAPPER wrapper TO pipe;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER wrapper; GRANT USAGE ON FOREIGN SERVER elsewhere TO pipe;
CREATE USER MAPPING FOR pipe SERVER elsewhere;
GRANT CREATE ON TABLESPACE pg_default TO pipe;
GRANT SET ON PARAMETER work_mem, my.setting TO pipe;
CREATE SEQUENCE public.numbers; GRANT USAGE ON SEQUENCE public.numbers TO pipe;
CREATE TABLE public.part (a int, b int); GRANT SELECT (b) ON public.part TO pipe;
CREATE POLICY for_one ON public.part FOR SELECT TO pipe USING (true);
CREATE POLICY for_two ON public.part FOR SELECT TO pipe, app_owner USING (true);
CREATE SCHEMA theirs; GRANT USAGE ON SCHEMA theirs TO pipe;
ALTER DATABASE postgres OWNER TO rdsadmin; GRANT CREATE ON DATABASE postgres TO pipe;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pipe;
ALTER DEFAULT PRIVILEGES FOR ROLE pipe IN SCHEMA public GRANT SELECT ON TABLES TO app_owner, PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE pipe REVOKE INSERT ON TABLES FROM pipe;
ALTER DEFAULT PRIVILEGES FOR ROLE pipe GRANT USAGE ON SEQUENCES TO app_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE pipe REVOKE EXECUTE ON ROUTINES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE pipe GRANT USAGE ON TYPES TO app_owner;";

/// What each of those needs, and who runs it.
const ADVICE: [&str; 22] = [
    "REVOKE ALL ON TYPE public.mood FROM \"pipe\";",
    "REVOKE ALL ON TYPE public.\"Odd name\" FROM \"pipe\";",
    "REVOKE ALL ON LANGUAGE plpgsql FROM \"pipe\";",
    "REVOKE ALL ON LARGE OBJECT 4711 FROM \"pipe\";",
    "REVOKE ALL ON FOREIGN DATA WRAPPER wrapper FROM \"pipe\";",
    "REVOKE ALL ON FOREIGN SERVER elsewhere FROM \"pipe\";",
    "DROP USER MAPPING FOR \"pipe\" SERVER \"elsewhere\";",
    "REVOKE ALL ON TABLESPACE pg_default FROM \"pipe\";",
    "REVOKE ALL ON PARAMETER \"work_mem\" FROM \"pipe\";",
    "REVOKE ALL ON PARAMETER \"my\".\"setting\" FROM \"pipe\";",
    "REVOKE ALL ON SEQUENCE \"public\".\"numbers\" FROM \"pipe\";",
    "REVOKE ALL (\"b\") ON TABLE \"public\".\"part\" FROM \"pipe\";",
    "DROP POLICY \"for_one\" ON \"public\".\"part\";",
    "ALTER POLICY \"for_two\" ON \"public\".\"part\" TO \"app_owner\";",
    "REVOKE ALL ON SCHEMA \"theirs\" FROM \"pipe\";",
    "REVOKE ALL ON DATABASE \"postgres\" FROM \"pipe\";",
    "ALTER DEFAULT PRIVILEGES FOR ROLE \"rdsadmin\" IN SCHEMA \"public\" REVOKE ALL ON TABLES FROM \"pipe\";",
    "ALTER DEFAULT PRIVILEGES FOR ROLE \"pipe\" IN SCHEMA \"public\" REVOKE ALL ON TABLES FROM PUBLIC; ALTER DEFAULT PRIVILEGES FOR ROLE \
     \"pipe\" IN SCHEMA \"public\" REVOKE ALL ON TABLES FROM \"app_owner\";",
    // Where nobody else has any, something that is built in is missing.
    "ALTER DEFAULT PRIVILEGES FOR ROLE \"pipe\" GRANT ALL ON TABLES TO \"pipe\";",
    "ALTER DEFAULT PRIVILEGES FOR ROLE \"pipe\" REVOKE ALL ON SEQUENCES FROM \"app_owner\"; ALTER DEFAULT PRIVILEGES FOR ROLE \"pipe\" \
     GRANT ALL ON SEQUENCES TO \"pipe\";",
    "ALTER DEFAULT PRIVILEGES FOR ROLE \"pipe\" GRANT ALL ON ROUTINES TO \"pipe\"; ALTER DEFAULT PRIVILEGES FOR ROLE \"pipe\" GRANT EXECUTE ON \
     ROUTINES TO PUBLIC;",
    "ALTER DEFAULT PRIVILEGES FOR ROLE \"pipe\" REVOKE ALL ON TYPES FROM \"app_owner\"; ALTER DEFAULT PRIVILEGES FOR ROLE \"pipe\" GRANT ALL \
     ON TYPES TO \"pipe\"; ALTER DEFAULT PRIVILEGES FOR ROLE \"pipe\" GRANT USAGE ON TYPES TO PUBLIC;",
];

#[tokio::test]
async fn whatever_others_gave_is_named_with_the_statement_that_removes_it() {
    let rig = Rig::start().await;
    rig.configure("  schemas = [\"shop\"]");
    rig.tf.apply().await.unwrap();
    rig.superuser(OUT_OF_REACH).await;
    let plan = rig.tf.plan_with(&["-destroy"]).await.unwrap();
    let said = plan.outcome.message();
    let mark = rig.mark();
    let refusal = rig.tf.run(["destroy", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap().message();
    assert_eq!(rig.changes_since(mark), Vec::<String>::new());
    for statement in ADVICE {
        // A column's privileges are those of the table for the owner, who may revoke both at once.
        let whole = statement.replace(" (\"b\")", "");
        let statement = if said.contains(statement) { statement } else { &whole };
        assert!(said.contains(statement) && refusal.contains(statement), "{statement}\n{said}\n{refusal}");
        rig.superuser(statement).await;
    }
    assert!(rig.holds("EXISTS (SELECT FROM pg_policy WHERE polname = 'for_two')").await);
    rig.tf.destroy().await.unwrap();
    assert!(!rig.role_exists("pipe").await);
}

/// What the admin granted, or can revoke as a member of who did, is taken back, and was in `on_destroy` before.
#[tokio::test]
async fn whatever_the_admin_can_take_back_is_taken_back() {
    let rig = Rig::start().await;
    rig.configure("  schemas = [\"shop\"]");
    rig.tf.apply().await.unwrap();
    rig.superuser("GRANT CREATE ON SCHEMA public TO clusteradmin, app_owner; GRANT SET ON PARAMETER work_mem TO clusteradmin WITH GRANT OPTION").await;
    rig.admin(
        "CREATE TYPE public.mood AS ENUM ('calm'); GRANT USAGE ON TYPE public.mood TO pipe; SELECT lo_create(4711); \
         GRANT SELECT ON LARGE OBJECT 4711 TO pipe; GRANT SET ON PARAMETER work_mem TO pipe; SET ROLE app_owner; \
         CREATE DOMAIN public.whole AS int; GRANT USAGE ON DOMAIN public.whole TO pipe",
    )
    .await;
    rig.tf.refresh_only().await.unwrap();
    let reviewed = rig.tf.resource(USER).await.unwrap()["on_destroy"]["operations"].clone();
    let mark = rig.mark();
    rig.tf.destroy().await.unwrap();
    let ran = rig.changes_since(mark);
    for object in ["TYPE public.mood", "TYPE public.whole", "LARGE OBJECT 4711", "PARAMETER \"work_mem\""] {
        let statement = format!("REVOKE ALL ON {object} FROM \"pipe\"");
        assert!(reviewed.as_array().unwrap().contains(&statement.as_str().into()), "{statement}: {reviewed:#}");
        assert!(ran.contains(&statement), "{statement}: {ran:#?}");
    }
    assert!(!rig.role_exists("pipe").await);
}

/// A database that nobody may enter, and one that the admin may not.
#[tokio::test]
async fn a_database_that_cannot_be_looked_into_is_named_with_what_opens_it() {
    let rig = Rig::start().await;
    rig.configure("  schemas = [\"shop\"]");
    rig.tf.apply().await.unwrap();
    for (name, shut, advice) in [
        ("closed", "ALTER DATABASE closed ALLOW_CONNECTIONS false", "ALTER DATABASE \"closed\" ALLOW_CONNECTIONS true;"),
        (
            "private",
            "ALTER DATABASE private OWNER TO rdsadmin; REVOKE CONNECT ON DATABASE private FROM PUBLIC",
            "GRANT CONNECT ON DATABASE \"private\" TO \"clusteradmin\";",
        ),
    ] {
        rig.admin(&format!("CREATE DATABASE {name}")).await;
        let other = rig.cluster.admin(name).await.unwrap();
        other.batch_execute("CREATE TABLE mine (id int); GRANT SELECT ON mine TO pipe; CREATE TABLE more (id int); GRANT SELECT ON more TO pipe").await.unwrap();
        drop(other);
        for statement in shut.split("; ") {
            rig.superuser(statement).await;
        }
        let plan = rig.tf.plan_with(&["-destroy"]).await.unwrap();
        let said = plan.outcome.message();
        assert!(said.contains(&format!("privileges on 2 objects in database \"{name}\"")) && said.contains(advice), "{said}");
        let mark = rig.mark();
        let refusal = rig.tf.run(["destroy", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap().message();
        assert!(refusal.contains(advice), "{refusal}");
        assert_eq!(rig.changes_since(mark), Vec::<String>::new());
        rig.tf.assert_empty_plan().await.unwrap();
        rig.superuser(advice).await;
        assert!(!rig.tf.plan_with(&["-destroy"]).await.unwrap().outcome.message().contains("Role is in use"));
    }
    rig.tf.destroy().await.unwrap();
    assert!(!rig.role_exists("pipe").await);
}

/// The server's rules keep the admin out of another database: only what the role owns nothing in can be cleared from there.
#[tokio::test]
async fn a_database_that_the_servers_rules_refuse_is_named_with_what_clears_it() {
    let rules = rules("local all all trust\nhost refused all 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 scram-sha-256\n");
    let server =
        PostgresServer::start(ServerOptions::major(15).setting("hba_file", rules.path().to_str().unwrap())).await.unwrap();
    server.create_superuser("admin", ADMIN_PASSWORD).await.unwrap();
    let superuser = server.superuser("postgres").await.unwrap();
    superuser.batch_execute("CREATE ROLE pipe LOGIN REPLICATION").await.unwrap();
    superuser.batch_execute("CREATE DATABASE refused").await.unwrap();
    let refused = server.superuser("refused").await.unwrap();
    refused.batch_execute("CREATE TABLE mine (id int); GRANT SELECT ON mine TO pipe").await.unwrap();
    let tf = Terraform::new().unwrap().with_env("PGPASSWORD", ADMIN_PASSWORD);
    let text = format!(
        "provider \"clickpipes\" {{\n  postgres = {{ host = \"127.0.0.1\", port = {}, username = \"admin\", sslmode = \"disable\" }}\n}}\n\
         resource \"clickpipes_replication_user\" \"pipe\" {{\n  name = \"pipe\"\n  database = \"postgres\"\n}}\n",
        server.port()
    );
    tf.write("main.tf", &text).unwrap();
    tf.import(USER, "postgres/pipe").await.unwrap();
    let said = tf.plan_with(&["-destroy"]).await.unwrap().outcome.message();
    let advice = "DROP OWNED BY \"pipe\";";
    for words in ["privileges on 1 objects in database \"refused\"", "pg_hba.conf rejects connection", advice] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let refusal = tf.run(["destroy", "-auto-approve", "-no-color"]).await.unwrap().failed().unwrap().message();
    assert!(refusal.contains(advice), "{refusal}");
    refused.batch_execute(advice).await.unwrap();
    tf.destroy().await.unwrap();
    assert!(superuser.query("SELECT FROM pg_roles WHERE rolname = 'pipe'", &[]).await.unwrap().is_empty());
}
