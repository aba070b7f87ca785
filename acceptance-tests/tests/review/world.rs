//! Three clusters, three publications and three roles, and snapshots of what exists.

use std::collections::{BTreeMap, BTreeSet};

use acceptance_tests::rig::{ADMIN_PASSWORD, changes, provider_block, without_verifier};
use acceptance_tests::simulator::{ClusterHandle, ClusterSpec, Options, Simulator};
use acceptance_tests::terraform_cli::{Plan, Terraform};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// The password of the roles.
pub const PASSWORD: &str = "password-of-the-roles";
/// The instances of each resource.
pub const EACH: [&str; 3] = ["a", "b", "c"];
/// The addresses of the resources, without their keys.
pub const KINDS: [&str; 4] =
    ["clickpipes_aurora_source.s", "clickpipes_replication_user.u", "clickpipes_publication.p", "clickpipes_replica_identity.r"];

const TABLES: &str = "\
CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA c;
CREATE TABLE a.t1 (id int PRIMARY KEY); CREATE TABLE a.t2 (id int PRIMARY KEY); CREATE TABLE a.t3 (id int PRIMARY KEY);
CREATE TABLE b.t1 (id int PRIMARY KEY); CREATE TABLE b.t2 (id int PRIMARY KEY); CREATE TABLE b.t3 (id int PRIMARY KEY);
CREATE TABLE c.t1 (id int PRIMARY KEY); CREATE TABLE c.t2 (id int PRIMARY KEY); CREATE TABLE c.t3 (id int PRIMARY KEY);";

/// The clusters `shop-a`, `shop-b` and `shop-c`, and a database with the schemas `a`, `b` and `c`.
pub struct World {
    pub tf: Terraform,
    pub simulator: Simulator,
    pub data: ClusterHandle,
}

impl World {
    pub async fn new() -> Result<Self> {
        let simulator = Simulator::start(Options::default())?;
        simulator.create_parameter_group("custom", "aurora-postgresql15", &[("rds.logical_replication", "1")])?;
        let data = ClusterSpec::new("data").admin("clusteradmin", ADMIN_PASSWORD).database("app").parameter_group("custom");
        let data = simulator.create_cluster(data).await?;
        for name in EACH {
            simulator.create_cluster(ClusterSpec::new(&format!("shop-{name}")).without_postgres()).await?;
        }
        data.admin("app").await?.batch_execute(TABLES).await?;
        let tf = Terraform::new()?.with_env("PGPASSWORD", ADMIN_PASSWORD).with_env("TF_VAR_password", PASSWORD);
        tf.write("variables.tf", "variable \"password\" {\n  type = string\n  ephemeral = true\n}\n")?;
        let world = Self { tf, simulator, data };
        world.provider(&world.data)?;
        Ok(world)
    }

    /// The cluster `shop` with a Postgres, to which the provider block leads from now on.
    pub async fn shop(&self) -> Result<ClusterHandle> {
        let shop = ClusterSpec::new("shop").admin("clusteradmin", ADMIN_PASSWORD).database("app");
        let shop = self.simulator.create_cluster(shop).await?;
        self.provider(&shop)?;
        Ok(shop)
    }

    fn provider(&self, cluster: &ClusterHandle) -> Result<()> {
        let settings = format!(
            "host = \"{}\", port = {}, username = \"clusteradmin\", database = \"app\", sslmode = \"disable\"",
            cluster.host, cluster.port
        );
        self.tf.write("provider.tf", &provider_block(&self.simulator, &settings))
    }

    /// Sets a static parameter, as another administrator might.
    pub async fn set_parameter(&self, group: &str, name: &str, value: &str) -> Result<()> {
        let parameter = aws_sdk_rds::types::Parameter::builder().parameter_name(name).parameter_value(value);
        let parameter = parameter.apply_method("pending-reboot".into()).build();
        let call = self.simulator.rds().modify_db_cluster_parameter_group();
        call.db_cluster_parameter_group_name(group).parameters(parameter).send().await?;
        Ok(())
    }

    /// Writes three of each resource with these arguments, in which `${each.key}` is a, b or c.
    pub fn three(&self, source: &str, user: &str, publication: &str) -> Result<()> {
        let each = "for_each = toset([\"a\", \"b\", \"c\"])";
        self.tf.write(
            "main.tf",
            &format!(
                "resource \"clickpipes_aurora_source\" \"s\" {{\n  {each}\n  cluster_identifier = \"shop-${{each.key}}\"\n  \
                 force_destroy = true\n{source}\n}}\n\
                 resource \"clickpipes_replication_user\" \"u\" {{\n  {each}\n  database = \"app\"\n  password_wo = var.password\n  \
                 password_wo_version = 1\n{user}\n}}\n\
                 resource \"clickpipes_publication\" \"p\" {{\n  {each}\n  database = \"app\"\n{publication}\n}}\n"
            ),
        )
    }

    /// The nine objects as most tests begin with them.
    pub fn nine(&self) -> Result<()> {
        self.three(
            "  reboot = \"all\"",
            "  name = \"user_${each.key}\"\n  schemas = [each.key]",
            "  name = \"pub_${each.key}\"\n  tables = [\"${each.key}.t1\", \"${each.key}.t2\"]",
        )
    }

    /// Writes the replica identity of each `t3`, beside the others.
    pub fn identities(&self, identity: &str) -> Result<()> {
        self.tf.write(
            "identities.tf",
            &format!(
                "resource \"clickpipes_replica_identity\" \"r\" {{\n  for_each = toset([\"a\", \"b\", \"c\"])\n  database = \"app\"\n  \
                 table = \"${{each.key}}.t3\"\n  identity = \"{identity}\"\n}}\n"
            ),
        )
    }

    /// What exists now.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        let client = self.data.superuser("app").await?;
        let named = async |sql: &str| -> Result<BTreeMap<u32, String>> {
            Ok(client.query(sql, &[]).await?.iter().map(|row| (row.get(0), row.get(1))).collect())
        };
        let logical = EACH.map(|name| {
            let cluster = self.simulator.cluster(&format!("shop-{name}")).map(|cluster| cluster.parameter_group());
            let values = cluster.and_then(|group| self.simulator.parameter_group(&group)).unwrap_or_default();
            (name.to_owned(), values.get("rds.logical_replication").is_some_and(|value| value == "1"))
        });
        let reboots = self.simulator.calls().into_iter().filter(|call| call.action == "RebootDBInstance" && call.error.is_none());
        Ok(Snapshot {
            publications: named("SELECT oid, pubname::text FROM pg_publication").await?,
            roles: named("SELECT oid, rolname::text FROM pg_roles WHERE rolname ~ '_[abc]$'").await?,
            groups: self.simulator.parameter_groups().into_iter().collect(),
            logical: logical.into(),
            reboots: reboots.filter_map(|call| call.parameters.get("DBInstanceIdentifier").cloned()).collect(),
            statements: changes(self.data.statements()?).iter().map(|text| without_verifier(text)).collect(),
        })
    }

    /// The table locks stronger than ACCESS SHARE that these statements take, as `schema.table: MODE`; the statements are rolled
    /// back.
    pub async fn locks(&self, statements: &[&str]) -> Result<Vec<String>> {
        let client = self.data.superuser("app").await?;
        client.batch_execute("BEGIN").await?;
        for statement in statements {
            client.batch_execute(statement).await.with_context(|| format!("running {statement}"))?;
        }
        let held = "SELECT n.nspname || '.' || c.relname || ': ' || \
                    upper(regexp_replace(replace(l.mode, 'Lock', ''), '([a-z])([A-Z])', '\\1 \\2', 'g')) \
                    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace \
                    WHERE l.pid = pg_backend_pid() AND l.mode <> 'AccessShareLock' AND c.relkind IN ('r', 'p') \
                    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1";
        let held = client.query(held, &[]).await?.iter().map(|row| row.get(0)).collect();
        client.batch_execute("ROLLBACK").await?;
        Ok(held)
    }
}

/// What exists at a moment.
#[derive(Debug)]
pub struct Snapshot {
    pub publications: BTreeMap<u32, String>,
    pub roles: BTreeMap<u32, String>,
    pub groups: BTreeSet<String>,
    /// Whether the group that is attached to `shop-<key>` turns logical replication on.
    pub logical: BTreeMap<String, bool>,
    /// The instances rebooted so far.
    pub reboots: Vec<String>,
    /// The statements so far that changed something.
    pub statements: Vec<String>,
}

/// What happened to one object between two moments, in the terms of `impact`.
#[derive(Debug, PartialEq)]
pub struct Happened {
    pub outage: &'static str,
    pub resync: bool,
    pub pipe_stops: bool,
    pub destructive: bool,
}

impl Happened {
    /// What happened to the object with this key.
    pub fn to(kind: &str, key: &str, before: &Snapshot, after: &Snapshot) -> Self {
        let nothing = Self { outage: "none", resync: false, pipe_stops: false, destructive: false };
        let of_key = |name: &&String| name.ends_with(&format!("_{key}"));
        let lost = |before: &BTreeMap<u32, String>, after: &BTreeMap<u32, String>| {
            let ours: Vec<(&u32, &String)> = before.iter().filter(|(_, name)| of_key(name)).collect();
            let gone = ours.iter().any(|(oid, _)| !after.contains_key(oid));
            (gone, gone || ours.iter().any(|(oid, name)| after.get(oid) != Some(name)))
        };
        match kind {
            "clickpipes_publication.p" => {
                let (destructive, stops) = lost(&before.publications, &after.publications);
                Self { resync: stops, pipe_stops: stops, destructive, ..nothing }
            }
            "clickpipes_replication_user.u" => {
                let (destructive, pipe_stops) = lost(&before.roles, &after.roles);
                Self { pipe_stops, destructive, ..nothing }
            }
            "clickpipes_replica_identity.r" => nothing,
            _ => {
                let cluster = format!("shop-{key}");
                let rebooted = &after.reboots[before.reboots.len()..];
                // The first member is the writer.
                let rebooted = [1, 2].map(|number| rebooted.contains(&format!("{cluster}-{number}")));
                let outage = match rebooted {
                    [true, true] => "all",
                    [true, false] => "writer",
                    [false, _] => "none",
                };
                let groups = |snapshot: &Snapshot| -> BTreeSet<String> {
                    snapshot.groups.iter().filter(|name| name.contains(&cluster)).cloned().collect()
                };
                let destructive = !groups(before).is_subset(&groups(after));
                Self { outage, pipe_stops: before.logical[key] && !after.logical[key], destructive, resync: false }
            }
        }
    }
}

/// The verdict of a plan.
pub fn verdict(impact: &Value) -> Result<Happened> {
    let flag = |name: &str| impact[name].as_bool().with_context(|| format!("{name} of {impact}"));
    let outage = match impact["outage"].as_str() {
        Some("none") => "none",
        Some("writer") => "writer",
        Some("all") => "all",
        _ => anyhow::bail!("the outage of {impact}"),
    };
    Ok(Happened { outage, resync: flag("resync")?, pipe_stops: flag("pipe_stops")?, destructive: flag("destructive")? })
}

/// The address of an object.
pub fn address(kind: &str, key: &str) -> String {
    format!("{kind}[{key:?}]")
}

/// A list of texts.
pub fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Terraform folded no message.
pub fn nothing_folded(message: &str) -> Result<()> {
    ensure!(!message.contains("more similar warning"), "{message}");
    Ok(())
}

/// The titles of the warnings of a plan, as `-json` has them.
pub async fn titles(tf: &Terraform, arguments: &[&str]) -> Result<Vec<String>> {
    let run = tf.run([&["plan", "-json"], arguments].concat()).await?.succeeded()?;
    let events = run.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(events.filter_map(|event| event["diagnostic"]["summary"].as_str().map(str::to_owned)).collect())
}

/// A plan of these arguments whose whole text says nothing folded.
pub async fn unfolded_plan(tf: &Terraform, arguments: &[&str]) -> Result<Plan> {
    let plan = tf.plan_with(arguments).await?;
    nothing_folded(&plan.outcome.message())?;
    Ok(plan)
}
