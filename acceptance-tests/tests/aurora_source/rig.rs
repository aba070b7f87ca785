//! A simulator, a cluster, and a terraform workspace that knows both.

use acceptance_tests::simulator::{Call, ClusterHandle, ClusterSpec, Options, Simulator};
use acceptance_tests::terraform_cli::{Outcome, Terraform};
use anyhow::Context as _;
use serde_json::Value;

/// The resource of every test.
pub const SOURCE: &str = "clickpipes_aurora_source.shop";
/// The group that the resource creates for the cluster `shop`.
pub const OURS: &str = "clickpipes-shop-aurora-postgresql15";
/// The group that AWS attaches when none is named.
pub const DEFAULT: &str = "default.aurora-postgresql15";

/// The cluster's own group.
pub const CUSTOM: &str = "shop-custom";

/// The reboots of a cluster whose policy is `all`.
pub const ALL_REBOOT: [&str; 2] =
    ["RebootDBInstance <the writer of shop>", "RebootDBInstance <each other member of shop that waits for one>"];

pub struct Rig {
    pub simulator: Simulator,
    pub cluster: ClusterHandle,
    pub tf: Terraform,
}

impl Rig {
    /// The cluster `shop`: a writer `shop-1` and a reader `shop-2`, Aurora PostgreSQL 15.10.
    pub async fn new() -> anyhow::Result<Self> {
        Self::with(ClusterSpec::new("shop")).await
    }

    /// The same without a Postgres, for tests that need none.
    pub async fn without_postgres() -> anyhow::Result<Self> {
        Self::with(ClusterSpec::new("shop").without_postgres()).await
    }

    pub async fn with(spec: ClusterSpec) -> anyhow::Result<Self> {
        Self::on(Options::default(), spec).await
    }

    pub async fn on(options: Options, spec: ClusterSpec) -> anyhow::Result<Self> {
        Self::in_simulator(Simulator::start(options)?, spec).await
    }

    /// The same beside what a simulator already has.
    pub async fn in_simulator(simulator: Simulator, spec: ClusterSpec) -> anyhow::Result<Self> {
        let cluster = simulator.create_cluster(spec).await?;
        let rig = Self { tf: Terraform::new()?.with_env("PGPASSWORD", &cluster.spec.admin_password), simulator, cluster };
        rig.provider(None)?;
        Ok(rig)
    }

    /// Writes the provider block; `attempts` is how often a call is tried.
    pub fn provider(&self, attempts: Option<u32>) -> anyhow::Result<()> {
        let postgres = match self.cluster.spec.postgres {
            true => format!(
                "postgres = {{ host = {:?}, port = {}, username = {:?}, database = {:?}, sslmode = \"disable\" }}",
                self.cluster.host, self.cluster.port, self.cluster.spec.admin_username, self.cluster.spec.database
            ),
            false => String::new(),
        };
        self.tf.write("provider.tf", &provider_block(&self.simulator, attempts, &postgres))
    }

    /// Writes the resource with these further arguments.
    pub fn source(&self, arguments: &str) -> anyhow::Result<()> {
        self.tf.write(
            "main.tf",
            &format!("resource \"clickpipes_aurora_source\" \"shop\" {{\n  cluster_identifier = \"shop\"\n{arguments}\n}}\n"),
        )
    }

    /// The resource in the state, or null.
    pub async fn state(&self) -> anyhow::Result<Value> {
        self.tf.resource(SOURCE).await
    }

    /// Writes the resource in a mode, with these further arguments.
    pub fn source_in(&self, mode: &str, arguments: &str) -> anyhow::Result<()> {
        self.source(&format!("  parameter_group = {{ mode = {mode:?} }}\n{arguments}"))
    }

    /// The cluster `shop` with a custom group `shop-custom` that holds these values.
    pub async fn with_custom_group(values: &[(&str, &str)], postgres: bool) -> anyhow::Result<Self> {
        let simulator = Simulator::start(Options::default())?;
        simulator.create_parameter_group(CUSTOM, "aurora-postgresql15", values)?;
        let spec = ClusterSpec::new("shop").parameter_group(CUSTOM);
        Self::in_simulator(simulator, if postgres { spec } else { spec.without_postgres() }).await
    }

    /// Sets the provider's work apart: its changes from here on.
    pub fn changes_since(&self, before: usize) -> anyhow::Result<Vec<String>> {
        Ok(self.changes()?.split_off(before))
    }

    /// The calls that changed something, without those that only tag.
    pub fn changes_without_tags(&self) -> anyhow::Result<Vec<String>> {
        Ok(self
            .changes()?
            .into_iter()
            .filter(|change| !change.contains("TagsToResource") && !change.contains("TagsFromResource"))
            .collect())
    }

    /// A run of apply that must fail.
    pub async fn apply_fails(&self) -> anyhow::Result<Outcome> {
        self.tf.run(["apply", "-no-color", "-input=false", "-auto-approve"]).await?.failed()
    }

    /// A run of plan that must fail.
    pub async fn plan_fails(&self) -> anyhow::Result<Outcome> {
        self.tf.run(["plan", "-no-color", "-input=false"]).await?.failed()
    }

    /// What a create would run now if a part of it already exists. Its plan has no known list, because the same run might destroy
    /// that part first.
    pub async fn would_run(&self) -> anyhow::Result<Vec<String>> {
        let plan = self.tf.plan().await?;
        anyhow::ensure!(plan.is_unknown(SOURCE, "operations") && plan.is_unknown(SOURCE, "impact"), "{}", plan.outcome.stdout);
        self.tf.would_run().await
    }

    /// The changes that the simulator was asked for and made, as `operations` show them.
    pub fn changes(&self) -> anyhow::Result<Vec<String>> {
        let calls = self.simulator.calls();
        calls.iter().filter(|call| call.is_mutating() && call.error.is_none()).map(|call| self.shown(call)).collect()
    }

    /// The statuses of the members' parameter groups, the writer's first.
    pub fn statuses(&self) -> Vec<String> {
        let mut members = self.cluster.members();
        members.sort_by_key(|member| !member.writer);
        members.into_iter().map(|member| member.parameter_group_status).collect()
    }

    /// Attaches the default group, as another person might.
    pub async fn detach(&self) -> anyhow::Result<()> {
        self.attach(DEFAULT).await
    }

    /// Attaches a group, as another person might.
    pub async fn attach(&self, group: &str) -> anyhow::Result<()> {
        let call = self.simulator.rds().modify_db_cluster().db_cluster_identifier("shop").db_cluster_parameter_group_name(group);
        call.apply_immediately(true).send().await?;
        self.cluster.wait_until_available().await
    }

    /// Upgrades the engine to another major version, as another person might, with the new family's default group.
    pub async fn upgrade(&self, version: &str) -> anyhow::Result<()> {
        let major = version.split('.').next().unwrap_or_default();
        self.upgrade_with(version, &format!("default.aurora-postgresql{major}")).await
    }

    /// The same with a group of the new family.
    pub async fn upgrade_with(&self, version: &str, group: &str) -> anyhow::Result<()> {
        let call = self.simulator.rds().modify_db_cluster().db_cluster_identifier("shop").engine_version(version);
        let call = call.db_cluster_parameter_group_name(group);
        call.allow_major_version_upgrade(true).apply_immediately(true).send().await?;
        self.cluster.wait_until_available().await
    }

    /// Sets a parameter, as another person might.
    pub async fn set_parameter(&self, group: &str, name: &str, value: &str, method: &str) -> anyhow::Result<()> {
        let parameter = aws_sdk_rds::types::Parameter::builder().parameter_name(name).parameter_value(value);
        let parameter = parameter.apply_method(method.into()).build();
        let call = self.simulator.rds().modify_db_cluster_parameter_group().db_cluster_parameter_group_name(group);
        call.parameters(parameter).send().await?;
        Ok(())
    }

    /// Sets tags of a parameter group, as another person might.
    pub async fn tag(&self, group: &str, tags: &[(&str, &str)]) -> anyhow::Result<()> {
        let tags = tags.iter().map(|(key, value)| aws_sdk_rds::types::Tag::builder().key(*key).value(*value).build());
        let call = self.simulator.rds().add_tags_to_resource().resource_name(arn(group));
        call.set_tags(Some(tags.collect())).send().await?;
        Ok(())
    }

    /// Removes tags of a parameter group, as another person might.
    pub async fn untag(&self, group: &str, keys: &[&str]) -> anyhow::Result<()> {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let call = self.simulator.rds().remove_tags_from_resource().resource_name(arn(group));
        call.set_tag_keys(Some(keys)).send().await?;
        Ok(())
    }

    /// The tags of a parameter group, sorted, as `key=value`.
    pub async fn tags(&self, group: &str) -> anyhow::Result<Vec<String>> {
        let answer = self.simulator.rds().list_tags_for_resource().resource_name(arn(group)).send().await?;
        let shown =
            |tag: &aws_sdk_rds::types::Tag| format!("{}={}", tag.key().unwrap_or_default(), tag.value().unwrap_or_default());
        let mut tags: Vec<String> = answer.tag_list().iter().map(shown).collect();
        tags.sort();
        Ok(tags)
    }

    /// Edits the resource's instance in the state file by hand: `attributes` and `private`.
    pub fn edit_state(&self, edit: impl FnOnce(&mut Value)) -> anyhow::Result<()> {
        let path = self.tf.folder().join("terraform.tfstate");
        let mut state: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
        edit(&mut state["resources"][0]["instances"][0]);
        Ok(std::fs::write(path, serde_json::to_string_pretty(&state)?)?)
    }

    fn shown(&self, call: &Call) -> anyhow::Result<String> {
        let parameter = |name: &str| call.parameters.get(name).with_context(|| format!("{call:?} has no {name}"));
        let group = || parameter("DBClusterParameterGroupName");
        let listed = |pattern: &str, field: &str| {
            (1..).map_while(|number| call.parameters.get(&format!("{pattern}.{number}.{field}"))).cloned().collect::<Vec<_>>()
        };
        Ok(match call.action.as_str() {
            "CreateDBClusterParameterGroup" => {
                let tags = listed("Tags.Tag", "Key").into_iter().zip(listed("Tags.Tag", "Value"));
                let tags: Vec<String> = tags.map(|(key, value)| format!("{key}={value}")).collect();
                format!("{} {}: family {}, tags {}", call.action, group()?, parameter("DBParameterGroupFamily")?, tags.join(", "))
            }
            "ModifyDBClusterParameterGroup" => {
                let field = |name| listed("Parameters.Parameter", name);
                let values = field("ParameterName").into_iter().zip(field("ParameterValue")).zip(field("ApplyMethod"));
                let values: Vec<String> = values.map(|((name, value), method)| format!("{name} = {value} ({method})")).collect();
                format!("{} {}: {}", call.action, group()?, values.join(", "))
            }
            "ResetDBClusterParameterGroup" => {
                let field = |name| listed("Parameters.Parameter", name);
                let names = field("ParameterName").into_iter().zip(field("ApplyMethod"));
                let names: Vec<String> = names.map(|(name, method)| format!("{name} ({method})")).collect();
                format!("{} {}: {}", call.action, group()?, names.join(", "))
            }
            "ModifyDBCluster" if call.parameters.contains_key("DBClusterParameterGroupName") => {
                assert_eq!(parameter("ApplyImmediately")?, "true");
                format!("{} {}: parameter group {}, immediately", call.action, parameter("DBClusterIdentifier")?, group()?)
            }
            "ModifyDBCluster" if call.parameters.contains_key("EnableIAMDatabaseAuthentication") => {
                assert_eq!(parameter("ApplyImmediately")?, "true");
                let on = if parameter("EnableIAMDatabaseAuthentication")? == "true" { "on" } else { "off" };
                format!("{} {}: IAM database authentication {on}, immediately", call.action, parameter("DBClusterIdentifier")?)
            }
            "RebootDBInstance" => format!("{} {}", call.action, parameter("DBInstanceIdentifier")?),
            "DeleteDBClusterParameterGroup" => format!("{} {}", call.action, group()?),
            _ => format!("{} {:?}", call.action, call.parameters),
        })
    }
}

fn arn(group: &str) -> String {
    format!("arn:aws:rds:us-east-1:123456789012:cluster-pg:{group}")
}

/// A provider block for the simulator with this `postgres` argument.
pub fn provider_block(simulator: &Simulator, attempts: Option<u32>, postgres: &str) -> String {
    let attempts = attempts.map(|attempts| format!("max_attempts = {attempts}")).unwrap_or_default();
    format!(
        "provider \"clickpipes\" {{\n  aws = {{\n    region = \"us-east-1\"\n    access_key = \"an id\"\n    secret_key = \"a secret key\"\n    \
         endpoints = {{ rds = {url:?}, sts = {url:?} }}\n    {attempts}\n  }}\n  {postgres}\n}}\n",
        url = simulator.url()
    )
}

/// The strings of a list.
pub fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
