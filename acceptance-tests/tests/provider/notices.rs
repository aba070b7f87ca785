//! What the server sends besides its answers: warnings are shown in bounds, and nothing else is shown or logged.

use acceptance_tests::rig::{CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::ClusterSpec;
use anyhow::Result;

use super::{APPLY, rig};

const PASSWORD: &str = "a-password-of-some-length";

/// A replication user, in an apply whose log has everything.
async fn user_rig() -> Result<Rig> {
    let mut rig = rig(ClusterSpec::new(CLUSTER)).await?;
    rig.tf.set_env("TF_VAR_password", PASSWORD);
    rig.tf.write("variables.tf", "variable \"password\" {\n  type      = string\n  ephemeral = true\n}\n")?;
    rig.main(&format!(
        "resource \"clickpipes_replication_user\" \"pipe\" {{\n  name = \"pipe\"\n  database = \"{DATABASE}\"\n  \
         schemas = [\"public\"]\n  password_wo = var.password\n  password_wo_version = 1\n}}\n"
    ))?;
    Ok(rig)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_whose_messages_include_the_servers_log_does_not_bring_the_verifier_back() -> Result<()> {
    let rig = user_rig().await?;
    let superuser = rig.cluster.superuser("postgres").await?;
    for setting in
        ["client_min_messages = 'log'", "log_statement = 'all'", "log_min_duration_statement = 0", "debug_print_parse = on"]
    {
        superuser.batch_execute(&format!("ALTER ROLE clusteradmin SET {setting}")).await?;
        superuser.batch_execute(&format!("ALTER DATABASE {DATABASE} SET {setting}")).await?;
    }
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    let verifier = rig.ask("SELECT rolpassword FROM pg_authid WHERE rolname = 'pipe'").await?;
    assert!(verifier.starts_with("SCRAM-SHA-256$"), "{verifier}");
    rig.cluster.connect("pipe", PASSWORD, DATABASE).await?;
    rig.tf.assert_no_secret::<&str>(&[&verifier, PASSWORD, "statement: "], &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_warnings_is_shown_in_part() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let superuser = rig.cluster.superuser(DATABASE).await?;
    superuser
        .batch_execute(
            "CREATE FUNCTION public.flood() RETURNS event_trigger LANGUAGE plpgsql AS $$
             BEGIN FOR i IN 1..20000 LOOP
               RAISE WARNING 'warning % of many', i; RAISE NOTICE 'a notice nobody needs'; RAISE LOG 'nor this';
             END LOOP; RAISE WARNING '%', repeat('x', 3000000); END $$;
             CREATE EVENT TRIGGER flood ON ddl_command_end EXECUTE FUNCTION public.flood()",
        )
        .await?;
    let message = rig.tf.run(APPLY).await?.succeeded()?.message();
    // One is about wal_level.
    assert!(message.contains("(The server sent 19952 more warnings than are shown.)"), "{message}");
    rig.tf.assert_no_secret::<&str>(&["a notice nobody needs", "nor this", "warning 20000 of many"], &[])?;
    superuser.batch_execute("DROP EVENT TRIGGER flood").await?;
    rig.tf.assert_empty_plan().await
}
