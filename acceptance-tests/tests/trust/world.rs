//! A role and a publication of ours, and servers on which others have something under the same oids.

use acceptance_tests::rig::{ADMIN_PASSWORD, provider_block};
use acceptance_tests::simulator::{ClusterHandle, ClusterSpec, Options, Simulator};
use acceptance_tests::terraform_cli::Terraform;
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

pub const USER: &str = "clickpipes_replication_user.u";
pub const PUBLICATION: &str = "clickpipes_publication.p";
pub const BOTH: [&str; 2] = [USER, PUBLICATION];

const TABLES: &str =
    "CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY); CREATE TABLE shop.bills (id int PRIMARY KEY)";
const CONFIGURATION: &str = r#"
variable "password" {
  type      = string
  ephemeral = true
}

resource "clickpipes_replication_user" "u" {
  name                = "pipe"
  database            = "app"
  password_wo         = var.password
  password_wo_version = 1
  schemas             = ["shop"]
}

resource "clickpipes_publication" "p" {
  name     = "pipe"
  database = "app"
  tables   = ["shop.orders"]
}
"#;

/// A workspace, and the clusters that its provider block can point to.
pub struct World {
    pub tf: Terraform,
    pub simulator: Simulator,
}

impl World {
    pub fn new() -> Result<Self> {
        let simulator = Simulator::start(Options::default())?;
        for (name, family) in [("custom14", "aurora-postgresql14"), ("custom15", "aurora-postgresql15")] {
            simulator.create_parameter_group(name, family, &[("rds.logical_replication", "1")])?;
        }
        let tf = Terraform::new()?.with_env("PGPASSWORD", ADMIN_PASSWORD).with_env("TF_VAR_password", "password-of-the-role");
        tf.write("main.tf", CONFIGURATION)?;
        Ok(Self { tf, simulator })
    }

    /// The same with a cluster on which role and publication are applied.
    pub async fn applied() -> Result<(Self, ClusterHandle)> {
        let world = Self::new()?;
        let ours = world.cluster("ours", "15.10").await?;
        world.point_to(&ours)?;
        world.tf.apply().await?;
        Ok((world, ours))
    }

    /// A cluster with the application's tables. Clusters of one version are copies of one another: the same system identifier, the
    /// same oids.
    pub async fn cluster(&self, name: &str, version: &str) -> Result<ClusterHandle> {
        let group = format!("custom{}", &version[..2]);
        let spec = ClusterSpec::new(name).engine_version(version).parameter_group(&group);
        let cluster = self.simulator.create_cluster(spec.admin("clusteradmin", ADMIN_PASSWORD).database("app")).await?;
        cluster.admin("app").await?.batch_execute(TABLES).await?;
        Ok(cluster)
    }

    /// Points the provider to the host and port of a cluster, of which it does not know that they are a cluster's.
    pub fn point_to(&self, cluster: &ClusterHandle) -> Result<()> {
        let (host, port) = (&cluster.host, cluster.port);
        self.provider(&format!("host = \"{host}\", port = {port}, username = \"clusteradmin\", sslmode = \"disable\""))
    }

    /// Names a cluster, so that the provider knows its resource id.
    pub fn name_cluster(&self, cluster: &ClusterHandle, identifier: &str) -> Result<()> {
        let (host, port) = (&cluster.host, cluster.port);
        self.provider(&format!(
            "cluster_identifier = \"{identifier}\", host = \"{host}\", port = {port}, username = \"clusteradmin\", sslmode = \"disable\""
        ))
    }

    fn provider(&self, postgres: &str) -> Result<()> {
        self.tf.write("provider.tf", &provider_block(&self.simulator, postgres))
    }

    /// Runs terraform, and returns all that it says, whatever the outcome.
    pub async fn says(&self, arguments: &[&str]) -> Result<String> {
        let outcome = self.tf.run(arguments.iter().chain(&["-no-color"])).await?;
        Ok(outcome.message())
    }

    /// Changes the stored state of an object: its attributes and its private data, decoded.
    pub fn tamper(&self, address: &str, change: impl FnOnce(&mut Value, &mut Value)) -> Result<()> {
        let path = self.tf.folder().join("terraform.tfstate");
        let mut state: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
        let resources = state["resources"].as_array_mut().context("no resources in the state")?;
        let of_kind = |resource: &&mut Value| address.starts_with(resource["type"].as_str().unwrap_or_default());
        let instance = &mut resources.iter_mut().find(of_kind).context("not in the state")?["instances"][0];
        let mut private = match instance["private"].as_str() {
            Some(text) => serde_json::from_slice(&STANDARD.decode(text)?)?,
            None => Value::Null,
        };
        change(&mut instance["attributes"], &mut private);
        instance["private"] = if private.is_null() { Value::Null } else { STANDARD.encode(serde_json::to_vec(&private)?).into() };
        self.tf.write("terraform.tfstate", &serde_json::to_string_pretty(&state)?)
    }
}

/// Gives somebody else's role and publication the oids of ours, and makes them like ours in everything but their names: another
/// team's pipe.
pub async fn with_oids(cluster: &ClusterHandle, role: &str, publication: &str, oids: [u64; 2]) -> Result<()> {
    let superuser = cluster.superuser("app").await?;
    superuser
        .batch_execute(&format!(
            "CREATE ROLE {role} LOGIN; CREATE PUBLICATION {publication} FOR TABLE shop.orders; SET allow_system_table_mods = on; \
             UPDATE pg_authid SET oid = {} WHERE rolname = '{role}'; UPDATE pg_publication_rel SET prpubid = {} FROM pg_publication p \
             WHERE p.oid = prpubid AND pubname = '{publication}'; UPDATE pg_publication SET oid = {} WHERE pubname = '{publication}'; \
             GRANT CONNECT ON DATABASE app TO {role}; GRANT USAGE ON SCHEMA shop TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {role}; \
             ALTER DEFAULT PRIVILEGES FOR ROLE clusteradmin IN SCHEMA shop GRANT SELECT ON TABLES TO {role}; GRANT rds_replication TO {role}; \
             ALTER PUBLICATION {publication} OWNER TO clusteradmin",
            oids[0], oids[1], oids[1]
        ))
        .await?;
    Ok(())
}

/// The roles and publications that are not the system's, by oid.
pub async fn inventory(cluster: &ClusterHandle) -> Result<Vec<String>> {
    let sql = "SELECT 'role ' || rolname || ' ' || oid FROM pg_roles WHERE rolname IN ('application', 'pipe', 'other') \
               UNION ALL SELECT 'publication ' || pubname || ' ' || oid || ' ' || (SELECT string_agg(prrelid::regclass::text, ',') \
               FROM pg_publication_rel WHERE prpubid = p.oid) FROM pg_publication p ORDER BY 1";
    Ok(cluster.superuser("app").await?.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect())
}
