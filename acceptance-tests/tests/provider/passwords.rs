//! Passwords of every kind, for every way in which a server asks for them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use acceptance_tests::postgres_server::is_available;
use acceptance_tests::rig::{ADMIN_PASSWORD, CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::ClusterSpec;
use anyhow::{Context as _, Result, ensure};

use super::{PLAN, live, rig};

/// Characters with a meaning in a shell, SQL, HCL, a URL or a connection string, and those that SASLprep maps, folds, reorders,
/// refuses or does not know.
const AWKWARD: [&str; 12] = [
    "it's \"quoted\" and \\back\\slashed\\",
    "  blanks around, tab\t and newline\n ",
    "100%s %d ${var.x} %{ if } $HOME `id` $(id) ;--",
    "postgres://u:p@h:5432/d?sslmode=disable&x=#y",
    "pässwörd-ßẞ-Ἀ",
    "decomposed-e\u{301}-a\u{30a}",
    "folded-Ⅳ-ﬁ-ª-①-\u{2126}",
    "mapped-\u{a0}-\u{200b}-\u{ad}-\u{2003}-end",
    "astral-\u{1d11e}-\u{1f468}\u{200d}\u{1f469}-\u{10ffff}",
    "\u{5d0}both\u{5d1}directions",
    "forbidden-\u{202e}-\u{7f}-\u{fdd0}-\u{e000}",
    "since-3.2-\u{20bf}-\u{1f9ff}",
];

fn long() -> String {
    "0123456789 abcdefghi".repeat(10)
}

/// Sets the admin's password, stored as the server's settings say.
async fn set_admin_password(rig: &Rig, password: &str) -> Result<()> {
    let superuser = rig.cluster.superuser("postgres").await?;
    let text = password.replace('\'', "''");
    Ok(superuser.batch_execute(&format!("ALTER ROLE clusteradmin PASSWORD '{text}'")).await?)
}

/// Plans, which needs a login, with the password from the environment and, if `both`, from an attribute.
async fn logs_in(rig: &mut Rig, settings: &str, password: &str, both: bool) -> Result<()> {
    let at = format!(r#"host = "{}", port = {}, username = "clusteradmin", {settings}"#, rig.cluster.host, rig.cluster.port);
    rig.provider(&at)?;
    rig.tf.set_env("PGPASSWORD", password);
    rig.tf.run(PLAN).await?.succeeded().with_context(|| format!("by environment: {password:?}"))?;
    if both {
        rig.tf.unset_env("PGPASSWORD");
        rig.tf.set_env("TF_VAR_admin_password", password);
        rig.provider(&format!("{at}, password = var.admin_password"))?;
        rig.tf.run(PLAN).await?.succeeded().with_context(|| format!("by attribute: {password:?}"))?;
    }
    Ok(())
}

async fn passwords_rig(spec: ClusterSpec) -> Result<Rig> {
    let mut rig = rig(spec).await?;
    rig.tf.set_env("TF_LOG", "");
    rig.tf.set_env("TF_VAR_admin_password", "unused");
    rig.tf.set_env("TF_VAR_password", "unused");
    let variable = |name| format!("variable \"{name}\" {{\n  type      = string\n  ephemeral = true\n}}\n");
    rig.tf.write("variables.tf", &[variable("admin_password"), variable("password")].concat())?;
    Ok(rig)
}

/// Settings that verify the server: no other gets a password in clear text or as an md5 hash.
fn verified(rig: &Rig) -> Result<String> {
    let authority = rig.cluster.ca_certificate().context("a cluster with TLS has an authority")?.display().to_string();
    Ok(format!("sslmode = \"verify-full\", sslrootcert = \"{authority}\""))
}

/// The form in which the server stores a role's password.
async fn stored(rig: &Rig, role: &str) -> Result<String> {
    rig.ask(&format!("SELECT left(rolpassword, 3) FROM pg_authid WHERE rolname = '{role}'")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admins_may_be_anything() -> Result<()> {
    let mut rig = passwords_rig(ClusterSpec::new(CLUSTER)).await?;
    let long = long();
    for password in AWKWARD.into_iter().chain([long.as_str()]) {
        set_admin_password(&rig, password).await?;
        assert_eq!(stored(&rig, "clusteradmin").await?, "SCR");
        logs_in(&mut rig, "sslmode = \"disable\"", password, true).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_md5_passwords_is_worked_with_and_gets_a_scram_verifier() -> Result<()> {
    for (version, all) in [("12.22", false), ("15.10", true)] {
        let major = version.split('.').next().and_then(|major| major.parse().ok()).context("no version")?;
        if !is_available(major).await? {
            continue;
        }
        let mut rig = passwords_rig(ClusterSpec::new(CLUSTER).tls().engine_version(version)).await?;
        let verified = verified(&rig)?;
        rig.cluster.superuser("postgres").await?.batch_execute("ALTER SYSTEM SET password_encryption = 'md5'").await?;
        rig.cluster.server()?.authenticate_by("md5").await?;
        let long = long();
        // Terraform composes letters in attributes (NFC), and md5 depends on every byte.
        let kept = |password: &str| !password.starts_with("decomposed") && !password.starts_with("folded");
        for password in AWKWARD.into_iter().chain([long.as_str()]).take(if all { usize::MAX } else { 1 }) {
            set_admin_password(&rig, password).await?;
            assert_eq!(stored(&rig, "clusteradmin").await?, "md5");
            logs_in(&mut rig, &verified, password, kept(password)).await?;
        }
        set_admin_password(&rig, ADMIN_PASSWORD).await?;
        logs_in(&mut rig, &verified, ADMIN_PASSWORD, false).await?;
        live(&rig).await?;

        rig.main(&user(1))?;
        rig.tf.set_env("TF_VAR_password", AWKWARD[0]);
        rig.tf.apply().await?;
        assert_eq!(stored(&rig, "pipe").await?, "SCR");
        rig.cluster.connect("pipe", AWKWARD[0], DATABASE).await?;
        rig.tf.assert_empty_plan().await?;
        rig.tf.destroy().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_in_clear_goes_over_tls() -> Result<()> {
    let mut rig = passwords_rig(ClusterSpec::new(CLUSTER).tls()).await?;
    rig.cluster.server()?.authenticate_by("password").await?;
    let settings = verified(&rig)?;
    for password in [AWKWARD[0], AWKWARD[1], AWKWARD[4]] {
        set_admin_password(&rig, password).await?;
        logs_in(&mut rig, &settings, password, true).await?;
    }
    set_admin_password(&rig, ADMIN_PASSWORD).await?;
    logs_in(&mut rig, &settings, ADMIN_PASSWORD, false).await?;
    live(&rig).await
}

fn user(version: usize) -> String {
    format!(
        "resource \"clickpipes_replication_user\" \"pipe\" {{\n  name = \"pipe\"\n  database = \"{DATABASE}\"\n  \
         schemas = [\"public\"]\n  password_wo = var.password\n  password_wo_version = {version}\n}}\n"
    )
}

/// Logs in with libpq, whose SASLprep differs from the driver's. If there is no psql, standard error says so.
fn libpq_logs_in(rig: &Rig, password: &str) -> Result<()> {
    let mut psql = Command::new("psql");
    psql.args([
        "-X",
        "-h",
        &rig.cluster.host,
        "-p",
        &rig.cluster.port.to_string(),
        "-U",
        "pipe",
        "-d",
        DATABASE,
        "-c",
        "SELECT 1",
    ]);
    match psql.env("PGPASSWORD", password).stdin(Stdio::null()).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // Not eprintln: the harness would capture it.
            writeln!(std::io::stderr(), "not run: the login by libpq: psql is not on PATH")?;
        }
        output => {
            let output = output.context("starting psql")?;
            ensure!(output.status.success(), "{password:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_replication_users_may_be_anything_too() -> Result<()> {
    let mut rig = passwords_rig(ClusterSpec::new(CLUSTER)).await?;
    let long = long();
    for (number, password) in AWKWARD.into_iter().chain([long.as_str()]).enumerate() {
        rig.main(&user(number + 1))?;
        rig.tf.set_env("TF_VAR_password", password);
        rig.tf.apply().await?;
        rig.cluster.connect("pipe", password, DATABASE).await.with_context(|| format!("{password:?}"))?;
        libpq_logs_in(&rig, password)?;
        let wrong = format!("{password}.");
        ensure!(rig.cluster.connect("pipe", &wrong, DATABASE).await.is_err(), "{wrong:?} is let in");
    }
    rig.tf.assert_empty_plan().await
}
