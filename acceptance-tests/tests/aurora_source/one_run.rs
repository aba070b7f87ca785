//! Several steps in one process, as in one run of Terraform: what the first has read is not what a later one has to see.

use std::collections::BTreeMap;

use acceptance_tests::core_client::{CoreClient, Object, TerraformCore, Version, Walk};
use acceptance_tests::simulator::{Call, ClusterSpec, Fault, Options, Simulator};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};

use crate::rig::DEFAULT;

const TYPE: &str = "clickpipes_aurora_source";

/// A configured provider.
struct Run {
    simulator: Simulator,
    client: CoreClient,
    core: TerraformCore,
}

impl Run {
    async fn start(clusters: &[&str]) -> Result<Self> {
        let simulator = Simulator::start(Options::default())?;
        for cluster in clusters {
            simulator.create_cluster(ClusterSpec::new(cluster).without_postgres()).await?;
        }
        let client = CoreClient::start().await?;
        let mut core = TerraformCore::load(client.provider.clone()).await?;
        let aws = json!({
            "region": "us-east-1", "access_key": "an id", "secret_key": "a secret key",
            "endpoints": { "rds": simulator.url(), "sts": simulator.url() },
        });
        core.configure(&json!({ "aws": aws })).await?;
        Ok(Self { simulator, client, core })
    }

    /// Sets a source up, in one walk.
    async fn create(&mut self, arguments: Json) -> Result<Object> {
        let config = self.core.configuration(TYPE, &arguments)?;
        let planned = self.core.plan(TYPE, None, &config, Walk::Plan(Version::V1_11)).await?;
        let applied = self.core.apply(TYPE, None, &planned, &config).await?;
        applied.succeeded()?.context("the create left no state")
    }

    async fn read(&mut self, object: &Object) -> Result<Json> {
        let object = self.core.read(TYPE, object).await?.context("it is gone")?;
        Ok(serde_json::from_slice(&object.json())?)
    }

    /// How often each action was called since the last question.
    fn counted(&self) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        for call in self.simulator.calls() {
            *counted.entry(call.action).or_insert(0) += 1;
        }
        self.simulator.clear_calls();
        counted
    }

    /// Attaches the default group, as another person might.
    async fn detach(&self, cluster: &str) -> Result<()> {
        let call = self.simulator.rds().modify_db_cluster().db_cluster_identifier(cluster);
        call.db_cluster_parameter_group_name(DEFAULT).apply_immediately(true).send().await?;
        self.simulator.cluster(cluster).context("no such cluster")?.wait_until_available().await
    }

    async fn end(self) -> Result<()> {
        self.client.close().await?;
        Ok(())
    }
}

#[tokio::test]
async fn what_a_plan_has_read_is_not_what_a_refresh_after_the_change_sees() -> Result<()> {
    let mut run = Run::start(&["shop"]).await?;
    // Its plan has read the cluster as it was before.
    let source = run.create(json!({ "cluster_identifier": "shop", "reboot": "writer" })).await?;
    run.counted();
    let read = run.read(&source).await?;
    assert_eq!((&read["ready"], &read["drift"]), (&json!(true), &json!([])));
    assert_eq!(run.counted()["DescribeDBClusters"], 1);
    run.end().await
}

#[tokio::test]
async fn a_second_refresh_sees_what_has_changed_since_the_first() -> Result<()> {
    let mut run = Run::start(&["shop"]).await?;
    let source = run.create(json!({ "cluster_identifier": "shop" })).await?;
    // A new run, which has changed nothing yet.
    run.core.begin_walk().await?;
    assert_eq!(run.read(&source).await?["drift"], json!([]));
    run.detach("shop").await?;
    let drift = run.read(&source).await?["drift"].clone();
    assert!(drift[0].as_str().is_some_and(|line| line.starts_with("ModifyDBCluster shop")), "{drift}");
    run.end().await
}

#[tokio::test]
async fn one_that_gives_up_waiting_for_the_shared_answer_takes_nobody_along() -> Result<()> {
    let mut run = Run::start(&["a", "b", "c"]).await?;
    let mut sources = Vec::new();
    for cluster in ["a", "b", "c"] {
        let timeouts = if cluster == "a" { json!({ "read": "1s" }) } else { Json::Null };
        sources.push(run.create(json!({ "cluster_identifier": cluster, "timeouts": timeouts })).await?);
    }
    run.core.begin_walk().await?;
    run.counted();
    run.simulator.inject_fault("DescribeDBClusters", Fault::Hang, u32::MAX);
    let read = |source: &Object| {
        let (mut core, source) = (run.core.clone(), source.clone());
        tokio::spawn(async move { core.read(TYPE, &source).await })
    };
    let (hasty, others) = (read(&sources[0]), [read(&sources[1]), read(&sources[2])]);
    let given_up = hasty.await?.expect_err("AWS answered").to_string();
    ensure!(given_up.contains("cluster a") && given_up.contains("1s"), "{given_up}");
    run.simulator.clear_faults();
    for other in others {
        ensure!(other.await??.is_some(), "it counts as gone");
    }
    // Whether a cluster has one of the groups is another question.
    let described = |call: &&Call| call.action == "DescribeDBClusters" && !call.parameters.is_empty();
    let described = run.simulator.calls().iter().filter(described).count();
    assert_eq!(described, 1, "the call that the first has left is the one that answers");
    run.end().await
}
