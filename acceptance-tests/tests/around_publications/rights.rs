//! Who owns a publication, and what the provider's role lacks to alter it: known at plan, with a statement that works.

use acceptance_tests::postgres_server::{PostgresServer, ServerOptions, is_available};
use acceptance_tests::rig::DATABASE;
use acceptance_tests::terraform_cli::Terraform;
use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::rig::{P, flat, is_lacking, publication, rig, superuser};

const OWNER: &str = "SELECT string_agg(pubowner::regrole::text, ',') FROM pg_publication";
const TABLES: &str = "SELECT string_agg(prrelid::regclass::text, ',' ORDER BY prrelid) FROM pg_publication_rel";

/// On both sides of the version from which a membership says itself whether it inherits.
#[tokio::test(flavor = "multi_thread")]
async fn a_publication_of_another_owner_is_altered_by_who_may_act_for_that_one() -> Result<()> {
    for version in ["15.10", "17.4"] {
        let major = version.split('.').next().and_then(|major| major.parse().ok()).context("no version")?;
        if !is_available(major).await? {
            continue;
        }
        let rig = rig(version).await?;
        superuser(
            &rig,
            "CREATE ROLE debezium; GRANT app_owner TO debezium; GRANT CREATE ON DATABASE app TO debezium; SET ROLE debezium;
             CREATE PUBLICATION p FOR TABLE ONLY s.a",
        )
        .await?;
        rig.main(&publication("  tables = [\"s.a\"]"))?;
        rig.tf.import(P, "app/p").await?;
        rig.tf.assert_empty_plan().await?;
        assert_eq!(rig.tf.resource(P).await?["owner"], "debezium");

        let join = match major {
            15 => "GRANT \"debezium\" TO \"clusteradmin\";",
            _ => "GRANT \"debezium\" TO \"clusteradmin\" WITH INHERIT TRUE, SET TRUE;",
        };
        rig.main(&publication("  tables = [\"s.a\", \"s.b\"]"))?;
        is_lacking(&rig, &["Not the owner of the publication (debezium)", "belongs to \"debezium\"", join]).await?;
        let plan = rig.tf.plan_with(&["-destroy"]).await?;
        ensure!(flat(&plan.outcome.message()).contains(join), "{}", plan.outcome.message());
        let refusal = rig.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?.message();
        ensure!(flat(&refusal).contains(join), "{refusal}");

        // By SET ROLE only: then that role must own the tables, as it does.
        let only_set = match major {
            15 => "ALTER ROLE clusteradmin NOINHERIT; GRANT debezium TO clusteradmin",
            _ => "GRANT debezium TO clusteradmin WITH INHERIT FALSE, SET TRUE",
        };
        superuser(&rig, only_set).await?;
        let altered = rig.apply_as_reviewed(P).await?;
        assert_eq!((&altered["owner"], rig.ask(TABLES).await?.as_str()), (&json!("debezium"), "s.a,s.b"));
        superuser(&rig, "CREATE TABLE s.c (id int PRIMARY KEY)").await?;
        rig.main(&publication("  tables = [\"s.a\", \"s.b\", \"s.c\"]"))?;
        is_lacking(&rig, &["Not the owner of a table (s.c)", "acts for \"debezium\""]).await?;

        // A new owner needs to be in reach of whoever alters the publication, and CREATE on the database.
        rig.main(&publication("  tables = [\"s.a\", \"s.b\"]\n  owner = \"nobody\""))?;
        is_lacking(&rig, &["Owner not found (nobody)"]).await?;
        rig.main(&publication("  tables = [\"s.a\", \"s.b\"]\n  owner = \"clusteradmin\""))?;
        is_lacking(&rig, &["Owner out of reach (clusteradmin)", "GRANT \"clusteradmin\" TO \"debezium\""]).await?;
        superuser(&rig, &format!("ALTER ROLE clusteradmin INHERIT; {join}")).await?;
        assert_eq!(rig.apply_as_reviewed(P).await?["owner"], "clusteradmin");
        rig.main(&publication("  tables = [\"s.a\", \"s.b\"]\n  owner = \"app_owner\""))?;
        let grant = "GRANT CREATE ON DATABASE \"app\" TO \"app_owner\";";
        is_lacking(&rig, &["Owner lacks a privilege (app_owner)", grant]).await?;
        superuser(&rig, grant).await?;
        assert_eq!(rig.apply_as_reviewed(P).await?["owner"], "app_owner");

        // What somebody else gives away is given back; without the argument it is left.
        superuser(&rig, "ALTER PUBLICATION p OWNER TO debezium").await?;
        let restored = rig.apply_as_reviewed(P).await?;
        assert_eq!(restored["operations"], json!(["ALTER PUBLICATION \"p\" OWNER TO \"app_owner\""]));
        superuser(&rig, "ALTER PUBLICATION p OWNER TO debezium").await?;
        rig.main(&publication("  tables = [\"s.a\", \"s.b\"]"))?;
        rig.tf.assert_empty_plan().await?;
        assert_eq!(rig.ask(OWNER).await?, "debezium");
        rig.tf.destroy().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_needs_the_database_and_what_it_publishes() -> Result<()> {
    let rig = rig("15.10").await?;
    superuser(&rig, "CREATE ROLE boss; ALTER DATABASE app OWNER TO boss").await?;
    rig.main(&publication("  tables = [\"s.a\"]\n  owner = \"app_owner\""))?;
    let grant = "GRANT CREATE ON DATABASE \"app\" TO \"clusteradmin\";";
    is_lacking(&rig, &["Missing privilege", "Let its owner \"boss\"", grant, "Owner lacks a privilege (app_owner)"]).await?;
    superuser(&rig, &format!("{grant} GRANT CREATE ON DATABASE app TO app_owner")).await?;
    let created = rig.apply_as_reviewed(P).await?;
    assert_eq!((&created["owner"], rig.ask(OWNER).await?.as_str()), (&json!("app_owner"), "app_owner"));
    assert_eq!(created["operations"].as_array().map(Vec::len), Some(2), "{created}");

    // A publication that is replaced keeps its owner.
    rig.main(&publication("  all_tables = true\n  allow_scope_replacement = true"))?;
    superuser(&rig, "REVOKE rds_superuser FROM clusteradmin").await?;
    let grant = "GRANT \"rds_superuser\" TO \"clusteradmin\";";
    is_lacking(&rig, &["Missing privilege", "a member of rds_superuser", grant]).await?;
    rig.main(&publication("  schemas = [\"s\"]"))?;
    is_lacking(&rig, &["Missing privilege", grant]).await?;
    superuser(&rig, grant).await?;
    rig.apply_as_reviewed(P).await?;
    assert_eq!(rig.ask(OWNER).await?, "app_owner");
    rig.tf.destroy().await?;

    // What is not asked for is what the provider's role is, known at plan.
    rig.main(&publication("  tables = []"))?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.change(P)["after"]["owner"], "clusteradmin");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn on_plain_postgres_a_superuser_publishes_all_tables() -> Result<()> {
    let server = PostgresServer::start(ServerOptions::major(15)).await?;
    let superuser = server.superuser("postgres").await?;
    superuser.batch_execute("CREATE ROLE tf LOGIN PASSWORD 'tf-pa55'; CREATE ROLE app_owner").await?;
    superuser.batch_execute(&format!("CREATE DATABASE {DATABASE} OWNER tf")).await?;
    let tf = Terraform::new()?.with_env("PGPASSWORD", "tf-pa55");
    tf.write(
        "provider.tf",
        &format!(
            "provider \"clickpipes\" {{\n  postgres = {{ host = \"127.0.0.1\", port = {}, username = \"tf\", sslmode = \"disable\" }}\n}}\n",
            server.port()
        ),
    )?;
    tf.write("main.tf", &publication("  all_tables = true\n  owner = \"app_owner\""))?;
    let message = flat(&tf.plan().await?.outcome.message());
    for part in ["Only a superuser can publish all tables", "ALTER ROLE \"tf\" SUPERUSER;", "Owner out of reach (app_owner)"] {
        ensure!(message.contains(part), "{part:?} is missing in {message}");
    }
    superuser.batch_execute("ALTER ROLE tf SUPERUSER").await?;
    tf.apply().await?;
    assert_eq!(tf.resource(P).await?["owner"], "app_owner");
    tf.assert_empty_plan().await
}
