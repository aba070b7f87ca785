//! All three resources in one configuration, and the stream that they are for.

use std::time::Duration;

use acceptance_tests::rig::{ADMIN_PASSWORD, CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::{ClusterSpec, Options, Simulator};
use acceptance_tests::stream::{ReplicationStream, Source};
use acceptance_tests::terraform_cli::Terraform;
use anyhow::Result;

const PIPE_PASSWORD: &str = "p1pe-Pa55-w0rd-jx27";

/// The whole source: the cluster, the user, the publication.
fn source(cluster: &str, depends_on: &str) -> String {
    format!(
        r#"
variable "pipe_password" {{
  type      = string
  sensitive = true
  ephemeral = true
}}
resource "clickpipes_aurora_source" "s" {{
  cluster_identifier = "{cluster}"
  reboot             = "all"
  depends_on         = [{depends_on}]
}}
resource "clickpipes_replication_user" "u" {{
  name                = "clickpipes"
  database            = "{DATABASE}"
  password_wo         = var.pipe_password
  password_wo_version = 1
  schemas             = ["public"]
  depends_on          = [clickpipes_aurora_source.s]
}}
resource "clickpipes_publication" "p" {{
  name       = "clickpipes"
  database   = "{DATABASE}"
  tables     = ["public.orders"]
  depends_on = [clickpipes_aurora_source.s]
}}
"#
    )
}

const ADDRESSES: [&str; 3] = ["clickpipes_aurora_source.s", "clickpipes_replication_user.u", "clickpipes_publication.p"];

/// The work of a pipe: log in, create a slot, read a row that is inserted meanwhile.
async fn replicates(host: &str, port: u16, insert: impl Future<Output = Result<()>>) -> Result<()> {
    let mut config = tokio_postgres::Config::new();
    config.host(host).port(port).user("clickpipes").password(PIPE_PASSWORD).dbname(DATABASE);
    config.ssl_mode(tokio_postgres::config::SslMode::Disable);
    let (pipe, connection) = config.connect(tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    pipe.batch_execute("SELECT * FROM orders LIMIT 0; SELECT pg_create_logical_replication_slot('pipe', 'pgoutput')").await?;
    let stream = Source {
        host,
        port,
        user: "clickpipes",
        password: PIPE_PASSWORD,
        database: DATABASE,
        slot: "pipe",
        publication: "clickpipes",
    };
    let mut stream = ReplicationStream::open(stream).await?;
    insert.await?;
    assert_eq!(stream.next_insert().await?, [Some("4711".to_owned()), Some("first".to_owned())]);
    Ok(())
}

/// Waits until `done`: a slot is released asynchronously after a disconnect.
async fn slot_is_free(rig: &Rig) -> Result<()> {
    while rig.ask("SELECT count(*)::text FROM pg_replication_slots WHERE active").await? != "0" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn makes_a_source_that_streams_and_gives_everything_back_without_a_trace_of_a_secret() -> Result<()> {
    let mut rig = Rig::start().await?;
    rig.tf.set_env("TF_VAR_pipe_password", PIPE_PASSWORD);
    rig.sql("CREATE TABLE orders (id int PRIMARY KEY, note text)").await?;
    let group = rig.cluster.parameter_group();
    // An empty list of privileges and the explicit default mean the same.
    let privileges = "SELECT coalesce(c.relacl, acldefault('r', c.relowner))::text || (SELECT count(*) FROM pg_default_acl)
                      FROM pg_class c WHERE c.relname = 'orders'";
    let before = rig.ask(privileges).await?;
    rig.main(&source(CLUSTER, ""))?;

    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "off");
    let plan = rig.tf.plan().await?;
    assert!(ADDRESSES.iter().all(|address| !plan.operations(address).is_empty()), "{}", plan.outcome.stdout);
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "on");
    assert_eq!(rig.cluster.show("wal_level").await?, "logical");
    rig.tf.assert_empty_plan().await?;

    replicates(&rig.cluster.host, rig.cluster.port, rig.sql("INSERT INTO orders VALUES (4711, 'first')")).await?;
    slot_is_free(&rig).await?;

    // An inactive slot still keeps logical replication on: Postgres would not start without it. The pipe may go in the same run.
    let destroy = rig.tf.start(["destroy", "-no-color", "-auto-approve"])?;
    rig.tf.until_logged("waiting for another destroy of this run").await?;
    assert_ne!(rig.cluster.parameter_group(), group);
    rig.sql("SELECT pg_drop_replication_slot('pipe')").await?;
    destroy.outcome().await?.succeeded()?;
    assert_eq!(rig.cluster.parameter_group(), group);
    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "off");
    assert_eq!(rig.ask("SELECT count(*)::text FROM pg_publication").await?, "0");
    assert_eq!(rig.ask("SELECT count(*)::text FROM pg_authid WHERE rolname = 'clickpipes'").await?, "0");
    assert_eq!(rig.ask(privileges).await?, before);

    rig.tf.assert_no_secret(&[ADMIN_PASSWORD, PIPE_PASSWORD], &[rig.cluster.server()?.log_path()])
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_and_applies_for_a_cluster_that_is_made_in_the_same_apply() -> Result<()> {
    let simulator = Simulator::start(Options::default())?;
    let tf = Terraform::new()?.with_env("PGPASSWORD", ADMIN_PASSWORD).with_env("TF_VAR_pipe_password", PIPE_PASSWORD);
    let url = simulator.url();
    tf.write(
        "main.tf",
        &format!(
            r#"
provider "clickpipes" {{
  aws      = {{ region = "us-east-1", access_key = "testing", secret_key = "testing", endpoints = {{ rds = "{url}", sts = "{url}" }} }}
  postgres = {{ cluster_identifier = "late", username = "clusteradmin", sslmode = "disable" }}
}}
# Asks for the cluster and waits until it is there.
resource "terraform_data" "cluster" {{
  provisioner "local-exec" {{
    command = "touch asked; until [ -e made ]; do sleep 0.05; done"
  }}
}}
{}
"#,
            source("late", "terraform_data.cluster")
        ),
    )?;
    let plan = tf.plan().await?;
    assert_eq!(plan.actions("clickpipes_publication.p"), ["create"]);
    for address in ADDRESSES {
        assert!(plan.is_unknown(address, "operations"), "{address}");
    }
    assert!(plan.outcome.message().contains("late"), "{}", plan.outcome.message());

    let apply = tf.start(["apply", "-no-color", "-input=false", &plan.file.display().to_string()])?;
    while !tf.folder().join("asked").exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let cluster =
        simulator.create_cluster(ClusterSpec::new("late").admin("clusteradmin", ADMIN_PASSWORD).database(DATABASE)).await?;
    let admin = cluster.admin(DATABASE).await?;
    admin.batch_execute("CREATE TABLE orders (id int PRIMARY KEY, note text)").await?;
    drop(admin);
    tf.write("made", "")?;
    apply.outcome().await?.succeeded()?;
    tf.assert_empty_plan().await?;

    let insert = async {
        let admin = cluster.admin(DATABASE).await?;
        Ok(admin.batch_execute("INSERT INTO orders VALUES (4711, 'first')").await?)
    };
    replicates(&cluster.host, cluster.port, insert).await?;
    tf.assert_no_secret(&[ADMIN_PASSWORD, PIPE_PASSWORD], &[cluster.server()?.log_path()])
}
