//! The two documented IAM policies: one for plans, which changes nothing, and one for applies. The simulator allows what they allow
//! and nothing else.

use acceptance_tests::simulator::{ClusterSpec, Options, Simulator};
use acceptance_tests::terraform_cli::{Outcome, Terraform};
use serde_json::Value;

use crate::rig::provider_block;

const PLAN: &str = include_str!("../../../examples/iam/plan.json");
const APPLY: &str = include_str!("../../../examples/iam/apply.json");

/// Without these the provider says less, and does the same.
const OPTIONAL: [&str; 1] = ["rds:DescribeGlobalClusters"];
/// Optional in plans: only asked when there is no cluster of the identifier.
const OPTIONAL_IN_PLANS: [&str; 2] = ["rds:DescribeDBInstances", OPTIONAL[0]];

/// One way to manage a cluster, and its life: the arguments of one apply after the other.
struct Life {
    mode: &'static str,
    applied: &'static [&'static str],
    /// The changing actions that are needed in it, and no others; `None`: all of the policy.
    changes: Option<&'static [&'static str]>,
}

const LIVES: [Life; 4] = [
    Life {
        mode: "dedicated",
        applied: &[
            "tags = { team = \"shop\" }\n  parameters = { max_wal_senders = \"30\" }",
            "parameters = { max_replication_slots = \"30\" }",
            "parameters = { max_replication_slots = \"30\" }\n  parameter_group = { name = \"clickpipes-orders-own\" }",
            "parameters = { max_replication_slots = \"30\" }\n  parameter_group = { next_family = \"aurora-postgresql16\" }",
        ],
        changes: None,
    },
    Life {
        mode: "in_place",
        applied: &[
            "parameter_group = { mode = \"in_place\" }\n  parameters = { max_wal_senders = \"30\" }",
            "parameter_group = { mode = \"in_place\" }",
        ],
        changes: Some(&[
            "rds:AddTagsToResource",
            "rds:ModifyDBClusterParameterGroup",
            "rds:RemoveTagsFromResource",
            "rds:ResetDBClusterParameterGroup",
            "rds:RebootDBInstance",
        ]),
    },
    Life {
        mode: "external",
        applied: &[
            "parameter_group = { mode = \"external\" }",
            "parameter_group = { mode = \"external\" }\n  reboot_triggers = { group = \"1\" }",
        ],
        changes: Some(&["rds:RebootDBInstance"]),
    },
    Life {
        mode: "in_place, with iam_authentication",
        applied: &["parameter_group = { mode = \"in_place\" }\n  iam_authentication = true"],
        changes: Some(&[
            "rds:AddTagsToResource",
            "rds:ModifyDBCluster",
            "rds:ModifyDBClusterParameterGroup",
            "rds:RemoveTagsFromResource",
            "rds:ResetDBClusterParameterGroup",
            "rds:RebootDBInstance",
        ]),
    },
];

/// The cluster's own group in the modes that create none.
const OWN: &str = "orders-custom";

impl Life {
    fn is_dedicated(&self) -> bool {
        self.changes.is_none()
    }

    /// A documented policy as the page says for this mode: the group is the cluster's own, `in_place` looks for other clusters that have it,
    /// and what the mode does not need is left out.
    fn policy(&self, documented: &str) -> String {
        let Some(needed) = self.changes else { return documented.to_owned() };
        let reads = ["rds:Describe", "rds:List"];
        let is_needless =
            |action: &String| !needed.contains(&action.as_str()) && !reads.iter().any(|read| action.starts_with(read));
        let policy = actions(documented)
            .into_iter()
            .filter(is_needless)
            .fold(documented.to_owned(), |policy, action| without(&policy, &action));
        let policy = policy.replace("clickpipes-orders-*", OWN);
        if !self.mode.starts_with("in_place") {
            return policy;
        }
        let mut document = document(&policy);
        for statement in document["Statement"].as_array_mut().expect("statements") {
            if statement["Sid"] == "Cluster" {
                statement["Resource"] = "*".into();
            }
        }
        document.to_string()
    }
}

/// The cluster `orders`, which the policies name, and a workspace.
struct Account {
    simulator: Simulator,
    tf: Terraform,
}

impl Account {
    async fn new(life: &Life) -> anyhow::Result<Self> {
        let simulator = Simulator::start(Options::default())?;
        let spec = ClusterSpec::new("orders").without_postgres();
        if life.is_dedicated() {
            simulator.create_cluster(spec).await?;
        } else {
            simulator.create_parameter_group(OWN, "aurora-postgresql15", &[("work_mem", "65536")])?;
            let cluster = simulator.create_cluster(spec.parameter_group(OWN)).await?;
            if life.mode == "external" {
                for (name, value, method) in
                    [("rds.logical_replication", "1", "pending-reboot"), ("wal_sender_timeout", "0", "immediate")]
                {
                    let parameter = aws_sdk_rds::types::Parameter::builder().parameter_name(name).parameter_value(value);
                    let call = simulator.rds().modify_db_cluster_parameter_group().db_cluster_parameter_group_name(OWN);
                    call.parameters(parameter.apply_method(method.into()).build()).send().await?;
                }
                cluster.wait_until_available().await?;
            }
        }
        let tf = Terraform::new()?;
        tf.write("provider.tf", &provider_block(&simulator, None, ""))?;
        Ok(Self { simulator, tf })
    }

    fn configure(&self, arguments: &str) -> anyhow::Result<()> {
        let source = format!(
            "resource \"clickpipes_aurora_source\" \"orders\" {{\n  cluster_identifier = \"orders\"\n  reboot = \"all\"\n  force_destroy = true\n  {arguments}\n}}\n"
        );
        self.tf.write("main.tf", &source)
    }

    async fn run(&self, arguments: &[&str]) -> anyhow::Result<Outcome> {
        self.tf.run(arguments.iter().copied().chain(["-no-color"])).await
    }

    /// The whole life. Returns the first run that failed, if one did.
    async fn live(&self, life: &Life) -> anyhow::Result<Option<Outcome>> {
        let address = "clickpipes_aurora_source.orders";
        for (index, arguments) in life.applied.iter().enumerate() {
            self.configure(arguments)?;
            let applied = self.run(&["apply", "-auto-approve", "-input=false"]).await?;
            if applied.code != Some(0) {
                return Ok(Some(applied));
            }
            if index == 0 {
                self.run(&["state", "rm", address]).await.map(drop)?;
                let imported = self.tf.run(["import", "-no-color", "-input=false", address, "orders"]).await?;
                if imported.code != Some(0) {
                    return Ok(Some(imported));
                }
                // Takes over what an import cannot know, such as the policy of reboots.
                let applied = self.run(&["apply", "-auto-approve", "-input=false"]).await?;
                if applied.code != Some(0) {
                    return Ok(Some(applied));
                }
            }
            self.tf.assert_empty_plan().await?;
        }
        let destroyed = self.run(&["destroy", "-auto-approve", "-input=false"]).await?;
        Ok((destroyed.code != Some(0)).then_some(destroyed))
    }
}

fn document(policy: &str) -> Value {
    serde_json::from_str(policy).expect("a policy is JSON")
}

/// The actions of a policy's statement.
fn actions_mut(statement: &mut Value) -> Vec<String> {
    let one_or_more = statement["Action"].take();
    let actions: Vec<String> = match one_or_more {
        Value::String(one) => vec![one],
        more => serde_json::from_value(more).expect("actions are texts"),
    };
    statement["Action"] = actions.clone().into();
    actions
}

fn actions(policy: &str) -> Vec<String> {
    let mut document = document(policy);
    document["Statement"].as_array_mut().expect("statements").iter_mut().flat_map(actions_mut).collect()
}

/// The policy with one action less.
fn without(policy: &str, action: &str) -> String {
    let mut document = document(policy);
    for statement in document["Statement"].as_array_mut().expect("statements") {
        let rest: Vec<String> = actions_mut(statement).into_iter().filter(|other| other != action).collect();
        statement["Action"] = rest.into();
    }
    document.to_string()
}

#[test]
fn the_policy_for_plans_changes_nothing_and_is_part_of_the_one_for_applies() {
    let reads = ["rds:Describe", "rds:List"];
    for action in actions(PLAN) {
        assert!(reads.iter().any(|read| action.starts_with(read)), "{action}");
        assert!(actions(APPLY).contains(&action), "{action}");
    }
}

#[tokio::test]
async fn a_whole_life_passes_with_the_policy_for_applies() -> anyhow::Result<()> {
    for life in &LIVES {
        let account = Account::new(life).await?;
        account.simulator.allow_only(&life.policy(APPLY))?;
        let failed = account.live(life).await?;
        assert!(failed.is_none(), "{}: {}", life.mode, failed.map(|failed| failed.message()).unwrap_or_default());
        let left: &[&str] = if life.is_dedicated() { &[] } else { &[OWN] };
        assert_eq!(account.simulator.parameter_groups(), left, "{}", life.mode);
    }
    Ok(())
}

#[tokio::test]
async fn one_action_less_for_applies_is_an_error_that_names_it() -> anyhow::Result<()> {
    for life in &LIVES {
        let policy = life.policy(APPLY);
        // What is read is read in every mode.
        let is_tried = |action: &&String| match life.changes {
            None => !OPTIONAL.contains(&action.as_str()),
            Some(changes) => changes.contains(&action.as_str()),
        };
        for action in actions(&policy).iter().filter(is_tried) {
            let account = Account::new(life).await?;
            account.simulator.allow_only(&without(&policy, action))?;
            let Some(failed) = account.live(life).await? else { anyhow::bail!("{}: nothing needs {action}", life.mode) };
            assert!(failed.message().contains(action), "{}: {action} is missing in {}", life.mode, failed.message());
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_refresh_and_a_plan_of_everything_pass_with_the_policy_for_plans() -> anyhow::Result<()> {
    for life in &LIVES {
        let (account, policy) = (Account::new(life).await?, life.policy(PLAN));
        for (index, arguments) in life.applied.iter().enumerate() {
            account.configure(arguments)?;
            // Of a create first, then of updates.
            account.simulator.allow_only(&policy)?;
            account.tf.plan().await?;
            if index > 0 {
                account.tf.plan_with(&["-destroy"]).await?;
            }
            account.simulator.allow_everything();
            account.tf.apply().await?;
            account.simulator.allow_only(&policy)?;
            account.tf.assert_empty_plan().await?;
        }
        for action in actions(&policy) {
            account.simulator.allow_only(&without(&policy, &action))?;
            let planned = account.run(&["plan", "-input=false"]).await?;
            // A mode other than the default needs less.
            let may_be_needless = OPTIONAL_IN_PLANS.contains(&action.as_str()) || !life.is_dedicated();
            if planned.code == Some(0) {
                assert!(may_be_needless, "{}: nothing needs {action}", life.mode);
            } else {
                let message = planned.failed()?.message();
                let is_named = message.contains(&action);
                assert!(is_named && !OPTIONAL_IN_PLANS.contains(&action.as_str()), "{}: {action}: {message}", life.mode);
            }
        }
        // Without a cluster too.
        account.simulator.allow_only(&policy)?;
        account
            .tf
            .write("main.tf", "resource \"clickpipes_aurora_source\" \"orders\" {\n  cluster_identifier = \"orders-1\"\n}\n")?;
        let message = account.run(&["plan", "-input=false"]).await?.failed()?.message();
        // In in_place it may look at every cluster.
        let expected = if life.mode.starts_with("in_place") { "An instance is not a cluster" } else { "rds:DescribeDBClusters" };
        assert!(message.contains(expected), "{message}");
    }
    Ok(())
}
