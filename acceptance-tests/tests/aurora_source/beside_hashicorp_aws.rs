//! hashicorp/aws together with this provider: it creates the cluster and its instances, and ours makes them a source.
//!
//! `CLICKPIPES_TEST_PROVIDER_MIRROR` names a filesystem mirror that holds hashicorp/aws; without it, nothing is run.

use std::io::Write as _;
use std::path::PathBuf;

use acceptance_tests::simulator::{Options, Simulator};
use acceptance_tests::terraform_cli::Terraform;

const MIRROR: &str = "CLICKPIPES_TEST_PROVIDER_MIRROR";
const PASSWORD: &str = "master-Pa55word-kx3";

/// A usual configuration of the cluster, its instances and its group, and what our provider adds.
const CONFIGURATION: &str = r#"
resource "aws_rds_cluster_parameter_group" "shop" {
  name        = "shop"
  family      = "aurora-postgresql15"
  description = "the shop's own"

  parameter {
    name         = "max_wal_senders"
    value        = "15"
    apply_method = "pending-reboot"
  }
}

data "aws_rds_engine_version" "shop" {
  engine  = "aurora-postgresql"
  version = "15"
  latest  = true

  filter {
    name   = "engine-mode"
    values = ["provisioned"]
  }
}

data "aws_rds_engine_version" "default" {
  engine       = "aurora-postgresql"
  version      = "15.10"
  include_all  = true
  default_only = true
}

output "engine_versions" {
  value = {
    latest  = data.aws_rds_engine_version.shop.version
    family  = data.aws_rds_engine_version.default.parameter_group_family
    upgrade = contains(data.aws_rds_engine_version.default.valid_major_targets, "16.6")
  }
}

resource "aws_rds_cluster" "shop" {
  cluster_identifier              = "shop"
  engine                          = "aurora-postgresql"
  engine_version                  = data.aws_rds_engine_version.default.version
  database_name                   = "shop"
  master_username                 = "clusteradmin"
  master_password                 = var.master_password
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.shop.name
  skip_final_snapshot             = true
  apply_immediately               = true
  tags                            = { team = "shop" }

  lifecycle {
    ignore_changes = [db_cluster_parameter_group_name]
  }
}

resource "aws_rds_cluster_instance" "shop" {
  count              = 2
  identifier         = "shop-${count.index + 1}"
  cluster_identifier = aws_rds_cluster.shop.id
  engine             = aws_rds_cluster.shop.engine
  instance_class     = "db.r6g.large"
}

resource "clickpipes_aurora_source" "shop" {
  cluster_identifier = aws_rds_cluster.shop.cluster_identifier
  reboot             = "all"
  depends_on         = [aws_rds_cluster_instance.shop]
}

resource "clickpipes_replication_user" "clickpipes" {
  name                = "clickpipes"
  database            = "shop"
  schemas             = ["public"]
  password_wo         = var.replication_password
  password_wo_version = 1
  depends_on          = [clickpipes_aurora_source.shop]
}

resource "clickpipes_publication" "shop" {
  name       = "clickpipes"
  database   = "shop"
  all_tables = true
  depends_on = [clickpipes_aurora_source.shop]
}

variable "master_password" {
  type      = string
  sensitive = true
}

variable "replication_password" {
  type      = string
  ephemeral = true
}
"#;

/// The mirror that holds hashicorp/aws. If there is none, standard error says so.
pub fn mirror() -> anyhow::Result<Option<PathBuf>> {
    let mirror = std::env::var_os(MIRROR).filter(|mirror| !mirror.is_empty()).map(PathBuf::from);
    if mirror.is_none() {
        // Bypasses the test harness, which only shows the output of failed tests.
        writeln!(std::io::stderr(), "not run: hashicorp/aws: no provider mirror ({MIRROR} names none)")?;
    }
    Ok(mirror)
}

/// Both providers, ours connected to the cluster that hashicorp/aws creates as `aws_rds_cluster.<cluster>`.
pub fn providers(simulator: &Simulator, cluster: &str) -> String {
    let url = simulator.url();
    format!(
        r#"
provider "aws" {{
  region                      = "us-east-1"
  access_key                  = "testing"
  secret_key                  = "testing"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
  endpoints {{ rds = "{url}" }}
}}

provider "clickpipes" {{
  aws = {{
    region     = "us-east-1"
    access_key = "testing"
    secret_key = "testing"
    endpoints  = {{ rds = "{url}" }}
  }}
  postgres = {{
    host     = aws_rds_cluster.{cluster}.endpoint
    port     = aws_rds_cluster.{cluster}.port
    username = aws_rds_cluster.{cluster}.master_username
    password = var.master_password
    sslmode  = "disable"
  }}
}}
"#
    )
}

#[tokio::test]
async fn hashicorp_aws_makes_the_cluster_and_ours_makes_it_a_source() -> anyhow::Result<()> {
    let Some(mirror) = mirror()? else { return Ok(()) };
    let simulator = Simulator::start(Options::default())?;
    let tf = Terraform::new()?
        .with_env("TF_VAR_master_password", PASSWORD)
        .with_env("TF_VAR_replication_password", "replication-Pa55word-kx3");
    tf.write("main.tf", CONFIGURATION)?;
    tf.write("providers.tf", &providers(&simulator, "shop"))?;
    tf.init_from(&mirror).await?;
    tf.apply().await?;
    let cluster = simulator.cluster("shop").ok_or_else(|| anyhow::anyhow!("hashicorp/aws made no cluster"))?;
    assert_eq!(cluster.show("wal_level").await?, "logical");
    assert_eq!(cluster.show("max_wal_senders").await?, "15");
    assert_eq!(cluster.parameter_group(), "clickpipes-shop-aurora-postgresql15");
    let versions = serde_json::json!({ "latest": "15.12", "family": "aurora-postgresql15", "upgrade": true });
    assert_eq!(tf.state().await?["values"]["outputs"]["engine_versions"]["value"], versions);
    assert_eq!(tf.resource("clickpipes_aurora_source.shop").await?["ready"], true);
    tf.assert_empty_plan().await?;

    tf.destroy().await?;
    assert!(simulator.cluster("shop").is_none());
    assert_eq!(simulator.parameter_groups(), [""; 0]);
    let unknown: Vec<_> = simulator.calls().into_iter().filter(|call| call.error.as_deref() == Some("InvalidAction")).collect();
    assert_eq!(unknown, [], "calls that the simulator does not know");
    Ok(())
}
