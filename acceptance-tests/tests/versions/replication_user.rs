//! A replication user from create through rotation and drift to destroy.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::cell::{Cell, Flavour, PASSWORD, USER};

const SECOND_PASSWORD: &str = "second-password-of-the-user";

/// Privileges on the application's objects for roles other than their owners.
const PRIVILEGES: &str = "\
SELECT string_agg(o.what || ' ' || a::text, E'\\n' ORDER BY 1) FROM (
  SELECT 'schema ' || nspname, nspacl, nspowner FROM pg_namespace
  UNION ALL SELECT 'table ' || oid::regclass::text, relacl, relowner FROM pg_class
  UNION ALL SELECT 'database ' || datname, datacl, datdba FROM pg_database
  UNION ALL SELECT 'default ' || defaclrole::regrole::text, defaclacl, defaclrole FROM pg_default_acl) AS o (what, acl, owner),
unnest(o.acl) a WHERE split_part(a::text, '=', 1) = 'pipe'";

fn configuration(password_version: u32) -> String {
    format!(
        "resource \"clickpipes_replication_user\" \"u\" {{\n  name = \"pipe\"\n  database = \"app\"\n  schemas = [\"shop\"]\n  \
         password_wo = var.password\n  password_wo_version = {password_version}\n}}\n"
    )
}

/// Switches to IAM tokens and back. From 16 on the admin becomes a member of `rds_iam` with the role that it created, and its password is
/// refused, so it is not done.
async fn tokens(cell: &Cell) -> Result<()> {
    let by_token =
        configuration(2).replace("  password_wo = var.password\n  password_wo_version = 2", "  authentication = \"iam\"");
    cell.main(&by_token)?;
    if cell.flavour == Flavour::Plain {
        let refusal = cell.refusal().await?;
        ensure!(refusal.contains("has no role rds_iam"), "{refusal}");
    } else if cell.since(16) {
        let refusal = cell.tf.run(["apply", "-auto-approve", "-no-color"]).await?.failed()?.message();
        ensure!(refusal.contains("The provider would be kept out"), "{refusal}");
    } else {
        let (plan, _) = cell.apply_as_reviewed(USER).await?;
        assert_eq!(plan.operations(USER), ["GRANT \"rds_iam\" TO \"pipe\"", "ALTER ROLE \"pipe\" PASSWORD NULL"]);
        assert!(cell.login("pipe", SECOND_PASSWORD).await.is_err());
        assert!(cell.holds("SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'pipe'").await?);
        cell.main(&configuration(3))?;
        let (plan, _) = cell.apply_as_reviewed(USER).await?;
        assert_eq!(plan.operations(USER), ["ALTER ROLE \"pipe\" PASSWORD '<redacted>'", "REVOKE \"rds_iam\" FROM \"pipe\""]);
        return Ok(());
    }
    cell.main(&configuration(2))?;
    cell.tf.assert_empty_plan().await
}

pub async fn life(cell: &mut Cell) -> Result<()> {
    if cell.since(16) {
        let superuser = cell.server()?.superuser("app").await?;
        superuser.batch_execute("ALTER ROLE clusteradmin SET createrole_self_grant = 'set, inherit'").await?;
    }
    // What PUBLIC has is granted to the user all the same.
    cell.sql("SET ROLE app_owner; GRANT USAGE ON SCHEMA shop TO PUBLIC; GRANT SELECT ON shop.orders TO PUBLIC").await?;
    cell.main(&configuration(1))?;
    let (_, created) = cell.apply_as_reviewed(USER).await?;
    assert_eq!(created["effective_table_owners"], json!(["app_owner"]));
    cell.sql("SET ROLE app_owner; REVOKE USAGE ON SCHEMA shop FROM PUBLIC; REVOKE SELECT ON shop.orders FROM PUBLIC").await?;
    cell.sql("REVOKE CONNECT ON DATABASE app FROM PUBLIC").await?;
    cell.sql("SET ROLE app_owner; CREATE TABLE shop.later (id int)").await?;
    let pipe = cell.login("pipe", PASSWORD).await?;
    pipe.batch_execute("SELECT * FROM shop.orders; SELECT * FROM shop.events; SELECT * FROM shop.later").await?;
    let replicates = match cell.flavour {
        Flavour::Rds => "pg_has_role('pipe', 'rds_replication', 'MEMBER')",
        Flavour::Plain => "SELECT rolreplication FROM pg_roles WHERE rolname = 'pipe'",
    };
    assert!(cell.holds(replicates).await?);
    assert!(cell.holds("SELECT NOT rolsuper AND NOT rolcreaterole FROM pg_roles WHERE rolname = 'pipe'").await?);
    if cell.flavour == Flavour::Rds {
        assert!(!cell.holds("pg_has_role('clusteradmin', 'pipe', 'USAGE')").await?, "the admin became a member of nothing");
    }
    if cell.since(16) {
        let own = "SELECT FROM pg_auth_members WHERE roleid = 'pipe'::regrole AND member = 'clusteradmin'::regrole";
        assert!(cell.holds(&format!("NOT EXISTS ({own} AND (inherit_option OR set_option))")).await?);
        let admin_only = matches!(cell.flavour, Flavour::Rds);
        assert!(cell.holds(&format!("EXISTS ({own} AND admin_option) = {admin_only}")).await?);
    }

    cell.tf.set_env("TF_VAR_password", SECOND_PASSWORD);
    cell.main(&configuration(2))?;
    cell.apply_as_reviewed(USER).await?;
    cell.login("pipe", SECOND_PASSWORD).await?;
    assert!(cell.login("pipe", PASSWORD).await.is_err());

    tokens(cell).await?;
    cell.login("pipe", SECOND_PASSWORD).await?;
    drift(cell).await?;
    assert!(cell.holds(replicates).await?);
    pipe.batch_execute("SELECT * FROM shop.orders").await?;
    drop(pipe);

    let mut operations = vec![
        "ALTER DEFAULT PRIVILEGES FOR ROLE \"app_owner\" IN SCHEMA \"shop\" REVOKE ALL ON TABLES FROM \"pipe\"",
        "REVOKE ALL ON ALL TABLES IN SCHEMA \"shop\" FROM \"pipe\"",
        "REVOKE ALL ON SCHEMA \"shop\" FROM \"pipe\"",
        "REVOKE ALL ON DATABASE \"app\" FROM \"pipe\"",
        "DROP ROLE \"pipe\"",
    ];
    // Grants by others are removed too, in the form of each version.
    cell.sql(
        "CREATE TYPE billing.mood AS ENUM ('calm'); GRANT USAGE ON TYPE billing.mood TO pipe; SELECT lo_create(4711); \
         GRANT SELECT ON LARGE OBJECT 4711 TO pipe",
    )
    .await?;
    let mut others = vec!["REVOKE ALL ON TYPE billing.mood FROM \"pipe\"", "REVOKE ALL ON LARGE OBJECT 4711 FROM \"pipe\""];
    if cell.since(15) {
        let superuser = cell.server()?.superuser("app").await?;
        superuser.batch_execute("GRANT SET ON PARAMETER work_mem TO clusteradmin WITH GRANT OPTION").await?;
        cell.sql("GRANT SET ON PARAMETER work_mem TO pipe").await?;
        others.push("REVOKE ALL ON PARAMETER \"work_mem\" FROM \"pipe\"");
    }
    let last = operations.len() - 1;
    operations.splice(last..last, others);
    if cell.since(17) {
        cell.sql("SET ROLE app_owner; GRANT MAINTAIN ON shop.orders TO pipe").await?;
    }
    if cell.since(18) {
        cell.sql("ALTER DEFAULT PRIVILEGES FOR ROLE app_owner GRANT SELECT ON LARGE OBJECTS TO pipe").await?;
        operations.insert(0, "ALTER DEFAULT PRIVILEGES FOR ROLE \"app_owner\" REVOKE ALL ON LARGE OBJECTS FROM \"pipe\"");
    }
    let plan = cell.tf.plan_with(&["-destroy"]).await?;
    assert!(plan.outcome.message().contains(&operations.join(" ")), "{}", plan.outcome.message());
    let before = cell.changes()?.len();
    cell.tf.apply_plan(&plan).await?;
    assert_eq!(cell.changes()?.split_off(before), operations);
    assert_eq!(cell.ask(PRIVILEGES).await?, "");
    assert!(cell.holds("NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pipe')").await?);
    let log = cell.server()?.log_path();
    cell.tf.assert_no_secret(&[PASSWORD, SECOND_PASSWORD, acceptance_tests::rig::ADMIN_PASSWORD], &[log])
}

/// A role that someone else created. Up to 15 CREATEROLE is enough to take it over; later versions need ADMIN OPTION on the role,
/// and the refusal says so.
pub async fn adopted(cell: &mut Cell) -> Result<()> {
    let someone = cell.server()?.superuser("app").await?;
    someone.batch_execute("CREATE ROLE pipe").await?;
    // An admin that inherits from nobody, in the way of each version.
    if cell.flavour == Flavour::Rds {
        let apart = if cell.since(16) {
            "REVOKE app_owner FROM clusteradmin CASCADE; GRANT app_owner, rds_superuser TO clusteradmin WITH INHERIT FALSE, SET TRUE"
        } else {
            "ALTER ROLE clusteradmin NOINHERIT"
        };
        someone.batch_execute(apart).await?;
        assert!(!cell.holds("pg_has_role('clusteradmin', 'app_owner', 'USAGE')").await?);
    }
    let configuration = configuration(1).replace("schemas", "adopt_existing = true\n  schemas");
    cell.main(&configuration)?;
    if cell.flavour == Flavour::Rds && cell.since(16) {
        let before = cell.changes()?.len();
        let refusal = cell.tf.run(["apply", "-no-color", "-auto-approve"]).await?.failed()?.message();
        assert!(refusal.contains("Missing privilege") && refusal.contains("ADMIN"), "{refusal}");
        assert!(!cell.holds("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'pipe'").await?);
        let (changes, refused) = (cell.changes()?, "ALTER ROLE \"pipe\" LOGIN");
        assert!(changes[before].starts_with(refused) && refusal.contains(refused), "the first statement is refused: {refusal}");
        assert!(cell.holds("NOT EXISTS (SELECT FROM pg_namespace, aclexplode(nspacl) WHERE grantee = 'pipe'::regrole)").await?);
        someone.batch_execute("GRANT pipe TO clusteradmin WITH ADMIN TRUE, INHERIT FALSE, SET FALSE").await?;
    }
    // An admin that does not inherit grants table by table, as each owner.
    cell.tf.apply().await?;
    cell.tf.assert_empty_plan().await?;
    cell.login("pipe", PASSWORD).await?.batch_execute("SELECT * FROM shop.orders").await?;
    // The rename clears a password that is stored as md5, and sets the configured one again.
    someone.batch_execute("SET password_encryption = 'md5'; ALTER ROLE pipe PASSWORD 'by-hand'").await?;
    cell.main(&configuration.replace("\"pipe\"", "\"renamed\""))?;
    let (plan, _) = cell.apply_as_reviewed(USER).await?;
    let operations = ["ALTER ROLE \"pipe\" RENAME TO \"renamed\"", "ALTER ROLE \"renamed\" PASSWORD '<redacted>'"];
    assert_eq!(plan.operations(USER), operations);
    cell.login("renamed", PASSWORD).await?.batch_execute("SELECT * FROM shop.orders").await?;
    cell.tf.destroy().await?;
    assert!(cell.holds("NOT EXISTS (SELECT FROM pg_roles WHERE rolname IN ('pipe', 'renamed'))").await?);
    Ok(())
}

/// Each privilege lost outside Terraform is one statement of the next plan.
async fn drift(cell: &Cell) -> Result<()> {
    let replication = match cell.flavour {
        Flavour::Rds => ("REVOKE rds_replication FROM pipe", "GRANT \"rds_replication\" TO \"pipe\""),
        Flavour::Plain => ("ALTER ROLE pipe NOREPLICATION", "ALTER ROLE \"pipe\" REPLICATION"),
    };
    cell.sql(replication.0).await?;
    cell.sql(
        "SET ROLE app_owner; REVOKE SELECT ON shop.orders FROM pipe; REVOKE USAGE ON SCHEMA shop FROM pipe;
         ALTER DEFAULT PRIVILEGES IN SCHEMA shop REVOKE SELECT ON TABLES FROM pipe",
    )
    .await?;
    let (plan, mended) = cell.apply_as_reviewed(USER).await?;
    assert_eq!(
        plan.operations(USER),
        [
            replication.1,
            "GRANT USAGE ON SCHEMA \"shop\" TO \"pipe\"",
            "GRANT SELECT ON TABLE \"shop\".\"orders\" TO \"pipe\"",
            "ALTER DEFAULT PRIVILEGES FOR ROLE \"app_owner\" IN SCHEMA \"shop\" GRANT SELECT ON TABLES TO \"pipe\"",
        ]
    );
    assert_eq!(mended["drift"], json!([]));
    Ok(())
}
