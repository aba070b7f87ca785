//! The configurations of the guide on modes, with hashicorp/aws: apply, change a parameter, destroy, and never a tug-of-war.

use acceptance_tests::docs::repository;
use acceptance_tests::simulator::{ClusterHandle, Options, Simulator};
use acceptance_tests::terraform_cli::Terraform;
use anyhow::Context as _;

use crate::beside_hashicorp_aws::{mirror, providers};

pub const SOURCE: &str = "clickpipes_aurora_source.orders";
pub const PASSWORD: &str = "master-Pa55word-kx3";

/// What the guides leave out.
pub const REST: &str = r#"
resource "aws_rds_cluster_instance" "orders" {
  count              = 2
  identifier         = "orders-${count.index + 1}"
  cluster_identifier = aws_rds_cluster.orders.id
  engine             = aws_rds_cluster.orders.engine
  instance_class     = "db.r6g.large"
}

variable "master_password" {
  type      = string
  sensitive = true
}
"#;

/// The configuration of a mode, as the guide has it.
fn configuration(heading: &str) -> anyhow::Result<String> {
    let guide = std::fs::read_to_string(repository().join("docs/guides/parameter-group-modes.md"))?;
    let section = guide.split("\n## ").find(|section| section.starts_with(heading)).context("no such heading")?;
    let (_, code) = section.split_once("```terraform\n").context("no code")?;
    let (code, _) = code.split_once("```").context("the code does not end")?;
    let reboot = "  reboot             = \"all\"\n";
    anyhow::ensure!(code.contains(reboot), "{code}");
    let with_members = format!("{reboot}  depends_on         = [aws_rds_cluster_instance.orders]\n");
    Ok(code.replace(reboot, &with_members) + REST)
}

struct World {
    simulator: Simulator,
    tf: Terraform,
}

impl World {
    /// Applies the guide's configuration; the next plan is empty. `None`: there is no hashicorp/aws.
    async fn apply(heading: &str) -> anyhow::Result<Option<Self>> {
        let Some(mirror) = mirror()? else { return Ok(None) };
        let simulator = Simulator::start(Options::default())?;
        simulator.create_parameter_group("orders-custom", "aurora-postgresql15", &[("wal_sender_timeout", "30000")])?;
        let tf = Terraform::new()?.with_env("TF_VAR_master_password", PASSWORD);
        tf.write("main.tf", &configuration(heading)?)?;
        tf.write("providers.tf", &providers(&simulator, "orders"))?;
        tf.init_from(&mirror).await?;
        tf.apply().await?;
        let world = Self { simulator, tf };
        assert_eq!(world.cluster()?.show("wal_level").await?, "logical");
        assert_eq!(world.tf.resource(SOURCE).await?["ready"], true);
        world.tf.assert_empty_plan().await?;
        Ok(Some(world))
    }

    fn cluster(&self) -> anyhow::Result<ClusterHandle> {
        self.simulator.cluster("orders").context("hashicorp/aws made no cluster")
    }

    /// Changes the configuration; one apply is enough, in which the members get the new value.
    async fn change(&self, heading: &str, from: &str, to: &str) -> anyhow::Result<()> {
        let before = configuration(heading)?;
        anyhow::ensure!(before.contains(from), "{from} is missing in {before}");
        self.tf.write("main.tf", &before.replace(from, to))?;
        self.tf.apply().await?;
        assert_eq!(self.cluster()?.show("max_wal_senders").await?, "20");
        self.tf.assert_empty_plan().await
    }

    /// Destroys everything; returns the parameter groups that are left.
    async fn destroy(self) -> anyhow::Result<Vec<String>> {
        self.tf.destroy().await?;
        assert!(self.simulator.cluster("orders").is_none());
        let values = self.simulator.parameter_group("orders-custom").unwrap_or_default();
        assert_eq!(values.into_iter().collect::<Vec<_>>(), [("wal_sender_timeout".to_owned(), "30000".to_owned())]);
        Ok(self.simulator.parameter_groups())
    }
}

#[tokio::test]
async fn dedicated() -> anyhow::Result<()> {
    let Some(world) = World::apply("dedicated:").await? else { return Ok(()) };
    assert_eq!(world.cluster()?.parameter_group(), "clickpipes-orders-aurora-postgresql15");
    world
        .change("dedicated:", "reboot             = \"all\"", "reboot = \"all\"\n  parameters = { max_wal_senders = \"20\" }")
        .await?;
    assert_eq!(world.destroy().await?, ["orders-custom"]);
    Ok(())
}

#[tokio::test]
async fn in_place() -> anyhow::Result<()> {
    let Some(world) = World::apply("in_place:").await? else { return Ok(()) };
    assert_eq!(world.cluster()?.parameter_group(), "orders-custom");
    world
        .change("in_place:", "reboot             = \"all\"", "reboot = \"all\"\n  parameters = { max_wal_senders = \"20\" }")
        .await?;
    assert_eq!(world.destroy().await?, ["orders-custom"]);
    Ok(())
}

/// The group changes in the same apply in which the members are rebooted.
#[tokio::test]
async fn external() -> anyhow::Result<()> {
    let Some(world) = World::apply("external:").await? else { return Ok(()) };
    assert_eq!(world.cluster()?.parameter_group(), "orders-cdc");
    world.change("external:", "value        = \"15\"", "value        = \"20\"").await?;
    assert_eq!(world.destroy().await?, ["orders-custom"]);
    Ok(())
}
