//! A database with the encoding SQL_ASCII, where names may have bytes that are no UTF-8.

use acceptance_tests::rig::{CLUSTER, Rig};
use acceptance_tests::simulator::ClusterSpec;
use anyhow::Result;
use serde_json::json;

const P: &str = "clickpipes_publication.p";
const U: &str = "clickpipes_replication_user.u";

/// Runs a statement with a name that ends in the byte ff.
fn odd(statement: &str) -> String {
    format!("DO $$ BEGIN EXECUTE format('{statement}', convert_from('\\x6f6464ff', 'SQL_ASCII')); END $$")
}

#[tokio::test(flavor = "multi_thread")]
async fn names_with_other_bytes_do_not_stop_plans_refreshes_and_destroys() -> Result<()> {
    let mut rig = Rig::start_with(ClusterSpec::new(CLUSTER)).await?;
    rig.tf.set_env("TF_VAR_password", "a-password-of-some-length");
    let superuser = rig.cluster.superuser("postgres").await?;
    superuser
        .batch_execute(
            "CREATE DATABASE old OWNER clusteradmin ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
        )
        .await?;
    let owner = rig.cluster.superuser("old").await?;
    owner.batch_execute(&odd("CREATE ROLE %I")).await?;
    let admin = rig.cluster.admin("old").await?;
    admin.batch_execute("CREATE SCHEMA app; CREATE TABLE app.orders (id int PRIMARY KEY)").await?;
    for statement in ["CREATE SCHEMA %I", "CREATE TABLE app.%I (id int)", "CREATE TABLE %1$I.%1$I (id int PRIMARY KEY)"] {
        admin.batch_execute(&odd(statement)).await?;
    }
    owner.batch_execute(&odd("ALTER SCHEMA %1$I OWNER TO %1$I")).await?;
    rig.tf.write("variables.tf", "variable \"password\" {\n  type      = string\n  ephemeral = true\n}\n")?;
    rig.main(
        "resource \"clickpipes_publication\" \"p\" {\n  database = \"old\"\n  name = \"p\"\n  tables = [\"app.orders\"]\n}\n\
         resource \"clickpipes_replication_user\" \"u\" {\n  database = \"old\"\n  name = \"u\"\n  schemas = [\"app\"]\n  \
         password_wo = var.password\n  password_wo_version = 1\n}\n",
    )?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(rig.tf.resource(P).await?["tables"], json!(["app.orders"]));
    assert!(!rig.tf.resource(U).await?.is_null());
    rig.tf.destroy().await?;
    assert_eq!(rig.ask("SELECT count(*)::text FROM pg_roles WHERE rolname = 'u'").await?, "0");
    Ok(())
}
