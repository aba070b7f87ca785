//! `clickpipes_rds_auth_token`: a token with which another client logs in, and which is not stored anywhere.

use std::path::PathBuf;

use acceptance_tests::rig::{CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::ClusterSpec;
use anyhow::{Context as _, Result, ensure};

/// A text that every token contains, and nothing else.
const TOKEN: &str = "X-Amz-Signature=";

/// A cluster with IAM authentication where the role `deployer` logs in with a token only. The provider block itself logs in with a password.
async fn rig() -> Result<Rig> {
    let rig = Rig::start_with(ClusterSpec::new(CLUSTER).tls().iam_authentication()).await?;
    rig.sql("CREATE TABLE orders (id int PRIMARY KEY)").await?;
    rig.cluster
        .superuser(DATABASE)
        .await?
        .batch_execute(&format!(
            "CREATE ROLE deployer LOGIN CREATEROLE; GRANT rds_superuser, clusteradmin TO deployer; GRANT CREATE ON DATABASE \"{DATABASE}\" \
             TO deployer"
        ))
        .await?;
    rig.cluster.grant_rds_iam("deployer").await?;
    Ok(rig)
}

const EPHEMERAL: &str =
    "ephemeral \"clickpipes_rds_auth_token\" \"t\" {\n  cluster_identifier = \"orders\"\n  username = \"deployer\"\n}\n";

fn tokens(rig: &Rig) -> usize {
    rig.cluster.iam_logins().iter().filter(|login| login.user == "deployer").count()
}

/// A use of the token that must not store it: the password in another provider's configuration.
#[tokio::test(flavor = "multi_thread")]
async fn another_provider_logs_in_with_it() -> Result<()> {
    let rig = rig().await?;
    let authority = rig.cluster.ca_certificate().context("no authority")?.display().to_string();
    let block = std::fs::read_to_string(rig.tf.folder().join("provider.tf"))?;
    let other = block.replace("provider \"clickpipes\" {", "provider \"clickpipes\" {\n  alias = \"other\"");
    let (before, _) = other.split_once("  postgres = ").context("no postgres settings")?;
    let other = format!(
        "{before}  postgres = {{\n    host = \"{}\"\n    port = {}\n    username = \"deployer\"\n    password = \
         ephemeral.clickpipes_rds_auth_token.t.token\n    sslmode = \"verify-ca\"\n    sslrootcert = \"{authority}\"\n  }}\n}}\n",
        rig.cluster.host, rig.cluster.port
    );
    rig.tf.write("other.tf", &other)?;
    let publication = |publish: &str| {
        format!(
            "{EPHEMERAL}\nresource \"clickpipes_publication\" \"p\" {{\n  provider = clickpipes.other\n  database = \"{DATABASE}\"\n  name = \
             \"p\"\n  tables = [\"public.orders\"]\n  publish = [{publish}]\n}}\n"
        )
    };
    rig.main(&publication("\"insert\""))?;
    rig.apply_as_reviewed("clickpipes_publication.p").await?;
    ensure!(tokens(&rig) > 0, "nobody logged in with a token: {:?}", rig.cluster.iam_logins());
    assert_eq!(rig.ask("SELECT r.rolname FROM pg_publication p JOIN pg_roles r ON r.oid = p.pubowner").await?, "deployer");
    rig.main(&publication("\"insert\", \"update\""))?;
    rig.apply_as_reviewed("clickpipes_publication.p").await?;
    rig.tf.destroy().await?;
    assert_eq!(rig.cluster.iam_refusals(), []);
    rig.tf.assert_no_secret(&[TOKEN], &[rig.cluster.server()?.log_path()])
}

fn psql() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join("psql")).find(|file| file.is_file())
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_logs_in_with_it() -> Result<()> {
    use std::io::Write as _;
    let Some(psql) = psql() else {
        writeln!(std::io::stderr(), "not run: psql is not on the PATH")?;
        return Ok(());
    };
    let rig = rig().await?;
    let authority = rig.cluster.ca_certificate().context("no authority")?.display().to_string();
    let asked = rig.tf.folder().join("asked");
    let command = format!(
        "{} \"host={} port={} user=deployer dbname={DATABASE} sslmode=verify-ca sslrootcert={authority}\" -Atc \"SELECT current_user\" > {}",
        psql.display(),
        rig.cluster.host,
        rig.cluster.port,
        asked.display()
    );
    rig.main(&format!(
        "{EPHEMERAL}\nresource \"terraform_data\" \"psql\" {{\n  provisioner \"local-exec\" {{\n    command = {command:?}\n    environment = {{ \
         PGPASSWORD = ephemeral.clickpipes_rds_auth_token.t.token }}\n  }}\n}}\n"
    ))?;
    rig.tf.apply().await?;
    assert_eq!(std::fs::read_to_string(asked)?.trim(), "deployer");
    assert_eq!(tokens(&rig), 1);
    rig.tf.assert_no_secret(&[TOKEN], &[rig.cluster.server()?.log_path()])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_cannot_be_made_for_is_an_error_at_its_place() -> Result<()> {
    let rig = Rig::start().await?;
    for (arguments, parts) in [
        ("cluster_identifier = \"nowhere\"", ["Cluster nowhere not found", "us-east-1"]),
        ("host = \"db.example.org\"", ["Invalid port", "host needs it"]),
        ("host = \"::1\"\n  port = 5432", ["Invalid host", "not an RDS endpoint"]),
    ] {
        rig.main(&format!("ephemeral \"clickpipes_rds_auth_token\" \"t\" {{\n  username = \"etl\"\n  {arguments}\n}}\n"))?;
        let message = rig.tf.run(["plan", "-no-color"]).await?.failed()?.message();
        for part in parts {
            ensure!(message.contains(part), "{part:?} is missing in:\n{message}");
        }
        ensure!(message.contains("main.tf line"), "{message}");
    }
    Ok(())
}

/// While the provider block is not known, neither is the token: the plan goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_known_only_at_apply_makes_it_then() -> Result<()> {
    let rig = rig().await?;
    let block = std::fs::read_to_string(rig.tf.folder().join("provider.tf"))?;
    rig.tf.write("provider.tf", &block.replace("\"us-east-1\"", "terraform_data.region.output"))?;
    // OpenTofu does not accept unknown values here, so the dependency has to be declared.
    let depends = if rig.tf.version().await?.is_opentofu() { "\n  depends_on = [terraform_data.region]\n}" } else { "\n}" };
    let ephemeral = EPHEMERAL.replace("\n}", depends);
    rig.main(&format!(
        "resource \"terraform_data\" \"region\" {{\n  input = \"us-east-1\"\n}}\n{ephemeral}\nresource \"terraform_data\" \"length\" {{\n  \
         provisioner \"local-exec\" {{\n    command = \"test $LENGTH -gt 100\"\n    environment = {{ LENGTH = \
         length(ephemeral.clickpipes_rds_auth_token.t.token) }}\n  }}\n}}\n"
    ))?;
    rig.tf.apply().await?;
    rig.tf.assert_no_secret(&[TOKEN], &[rig.cluster.server()?.log_path()])
}
