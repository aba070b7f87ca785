//! What ten sources ask AWS: facts that several of them need are asked for once, and an obstacle of one is no obstacle of another.

use std::collections::{BTreeMap, BTreeSet};

use acceptance_tests::simulator::{Call, ClusterSpec, Fault, Options, Simulator};
use acceptance_tests::terraform_cli::Terraform;

use crate::rig::provider_block;

/// Sources on as many clusters without a Postgres, each with its own parameter group in effect.
struct Sources {
    simulator: Simulator,
    tf: Terraform,
}

impl Sources {
    /// AWS has pages of 100.
    async fn start(number: usize) -> anyhow::Result<Self> {
        Self::in_pages_of(100, number).await
    }

    async fn in_pages_of(page_size: usize, number: usize) -> anyhow::Result<Self> {
        let sources = Self::planned(page_size, number).await?;
        sources.tf.apply().await?;
        sources.simulator.clear_calls();
        Ok(sources)
    }

    /// The same before the first apply.
    async fn planned(page_size: usize, number: usize) -> anyhow::Result<Self> {
        let simulator = Simulator::start(Options { page_size, ..Options::default() })?;
        let clusters: Vec<String> = (0..number).map(cluster).collect();
        for cluster in &clusters {
            simulator.create_cluster(ClusterSpec::new(cluster).without_postgres()).await?;
        }
        let sources = Self { simulator, tf: Terraform::new()? };
        sources.attempts(None)?;
        sources.tf.write(
            "main.tf",
            &format!(
                "resource \"clickpipes_aurora_source\" \"each\" {{\n  for_each = toset({clusters:?})\n  cluster_identifier = each.key\n  \
                 reboot = \"writer\"\n  force_destroy = true\n}}\n"
            ),
        )?;
        Ok(sources)
    }

    fn attempts(&self, attempts: Option<u32>) -> anyhow::Result<()> {
        self.tf.write("provider.tf", &provider_block(&self.simulator, attempts, ""))
    }

    /// The calls since the last question, each action with its number.
    fn counted(&self) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        for call in self.simulator.calls() {
            *counted.entry(call.action).or_insert(0) += 1;
        }
        self.simulator.clear_calls();
        counted
    }

    /// For each DescribeDBClusters since the last question the clusters that it names.
    fn described(&self) -> Vec<BTreeSet<String>> {
        let calls = self.simulator.calls();
        self.simulator.clear_calls();
        calls.iter().filter(|call| call.action == "DescribeDBClusters").map(named).collect()
    }
}

fn cluster(number: usize) -> String {
    format!("shop-{number}")
}

fn clusters(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
    numbers.into_iter().map(cluster).collect()
}

fn named(call: &Call) -> BTreeSet<String> {
    let names = |parameter: &str| parameter == "DBClusterIdentifier" || parameter.starts_with("Filters.Filter.1.Values");
    call.parameters.iter().filter(|(parameter, _)| names(parameter)).map(|(_, value)| value.clone()).collect()
}

fn expected(counts: &[(&str, usize)]) -> BTreeMap<String, usize> {
    counts.iter().map(|(action, count)| ((*action).to_owned(), *count)).collect()
}

#[tokio::test]
async fn ten_sources_cost_one_description_of_clusters_and_one_source_no_more_than_before() -> anyhow::Result<()> {
    // Of each source its group with tags and parameters; of AWS's own group only that it exists. A plan needs no DescribeDBInstances:
    // the members and what they wait for are in the description of the cluster.
    let ten = Sources::start(10).await?;
    ten.tf.assert_empty_plan().await?;
    let own_groups = 10;
    assert_eq!(
        ten.counted(),
        expected(&[
            ("DescribeDBClusters", 1),
            ("DescribeGlobalClusters", 1),
            ("DescribeDBEngineVersions", 1),
            // And a page of all groups: one of them might be left behind.
            ("DescribeDBClusterParameterGroups", own_groups + 1 + 1),
            ("ListTagsForResource", own_groups),
            // The first is read as a whole; for the others the defaults of the family, and what is set.
            ("DescribeDBClusterParameters", own_groups + 1),
        ])
    );
    let one = Sources::start(1).await?;
    one.tf.assert_empty_plan().await?;
    assert_eq!(
        one.counted(),
        expected(&[
            ("DescribeDBClusters", 1),
            ("DescribeGlobalClusters", 1),
            ("DescribeDBEngineVersions", 1),
            ("DescribeDBClusterParameterGroups", 2 + 1),
            ("ListTagsForResource", 1),
            ("DescribeDBClusterParameters", 1),
        ])
    );
    Ok(())
}

#[tokio::test]
async fn ten_that_are_to_be_created_share_what_their_clusters_have_in_common() -> anyhow::Result<()> {
    let ten = Sources::planned(100, 10).await?;
    ten.tf.plan().await?;
    assert_eq!(
        ten.counted(),
        expected(&[
            ("DescribeDBClusters", 1),
            ("DescribeGlobalClusters", 1),
            ("DescribeDBEngineVersions", 1),
            // AWS's own group, which is attached to all of them, whether there is one with the name of each, and a page of all.
            ("DescribeDBClusterParameterGroups", 11 + 1),
            ("DescribeDBClusterParameters", 1),
        ])
    );
    Ok(())
}

#[tokio::test]
async fn the_cluster_of_the_provider_block_is_described_once_too() -> anyhow::Result<()> {
    let simulator = Simulator::start(Options::default())?;
    let own = simulator.create_cluster(ClusterSpec::new("shop-0")).await?;
    for cluster in ["shop-1", "shop-2"] {
        simulator.create_cluster(ClusterSpec::new(cluster).without_postgres()).await?;
    }
    let tf = Terraform::new()?.with_env("PGPASSWORD", &own.spec.admin_password);
    let postgres = format!(
        "postgres = {{ cluster_identifier = \"shop-0\", username = {:?}, sslmode = \"disable\" }}",
        own.spec.admin_username
    );
    tf.write("provider.tf", &provider_block(&simulator, None, &postgres))?;
    tf.write(
        "main.tf",
        "resource \"clickpipes_aurora_source\" \"each\" {\n  for_each = toset([\"shop-0\", \"shop-1\", \"shop-2\"])\n  \
         cluster_identifier = each.key\n  reboot = \"writer\"\n}\n\
         resource \"clickpipes_publication\" \"shop\" {\n  name = \"shop\"\n  database = \"postgres\"\n  tables = []\n  \
         depends_on = [clickpipes_aurora_source.each]\n}\n",
    )?;
    tf.apply().await?;
    simulator.clear_calls();
    tf.assert_empty_plan().await?;
    let calls = simulator.calls();
    let described = calls.iter().filter(|call| call.action == "DescribeDBClusters").flat_map(named);
    let mut described: Vec<String> = described.collect();
    described.sort();
    assert_eq!(described, ["shop-0", "shop-1", "shop-2"]);
    Ok(())
}

#[tokio::test]
async fn pages_are_followed() -> anyhow::Result<()> {
    let ten = Sources::in_pages_of(4, 10).await?;
    ten.tf.assert_empty_plan().await?;
    assert_eq!(ten.described(), vec![clusters(0..10); 3]);
    Ok(())
}

#[tokio::test]
async fn a_cluster_that_is_gone_is_missing_for_its_source_only() -> anyhow::Result<()> {
    let ten = Sources::start(10).await?;
    ten.simulator.remove_cluster("shop-3");
    let plan = ten.tf.plan().await?;
    for number in 0..10 {
        let address = format!("clickpipes_aurora_source.each[\"shop-{number}\"]");
        let actions = if number == 3 { &["delete", "create"][..] } else { &["no-op"] };
        assert_eq!(plan.actions(&address), actions, "{address}");
    }
    // It counts as gone only after it was asked for by its identifier, and then by its resource id, which a rename does not change. The
    // plan of the new one asks for it once more.
    let mut described = ten.described();
    // Whether a cluster uses what is left of it.
    described.retain(|names| !names.is_empty());
    assert_eq!(described[..2], [clusters(0..10), clusters([3])]);
    assert!(described[2].iter().all(|name| name.starts_with("cluster-")), "{described:?}");
    assert_eq!(described[3..], [clusters([3])]);
    Ok(())
}

#[tokio::test]
async fn a_caller_who_may_only_describe_some_clusters_asks_for_each() -> anyhow::Result<()> {
    let ten = Sources::start(10).await?;
    ten.simulator.deny_unnamed("DescribeDBClusters");
    ten.tf.assert_empty_plan().await?;
    let mut described = ten.described();
    assert_eq!(described.remove(0), clusters(0..10), "refused");
    described.sort();
    assert_eq!(described, (0..10).map(|number| clusters([number])).collect::<Vec<_>>());

    ten.simulator.deny("DescribeDBClusters", "shop-3");
    let failed = ten.tf.run(["plan", "-no-color", "-input=false"]).await?.failed()?.message();
    assert_eq!(failed.matches("Error: ").count(), 1, "{failed}");
    assert!(failed.contains("cluster shop-3") && failed.contains("rds:DescribeDBClusters"), "{failed}");
    Ok(())
}

#[tokio::test]
async fn a_caller_who_may_not_read_awss_own_group_reads_each_group_as_a_whole() -> anyhow::Result<()> {
    let ten = Sources::start(10).await?;
    ten.simulator.deny("DescribeDBClusterParameters", "default.aurora-postgresql15");
    ten.tf.assert_empty_plan().await?;
    assert_eq!(ten.counted()["DescribeDBClusterParameters"], 10 + 1, "each, and one that was refused");
    Ok(())
}

#[tokio::test]
async fn throttling_is_an_error_of_every_source_and_costs_one_call() -> anyhow::Result<()> {
    let ten = Sources::start(10).await?;
    ten.attempts(Some(1))?;
    ten.simulator.inject_fault("DescribeDBClusters", Fault::Throttling, u32::MAX);
    let failed = ten.tf.run(["plan", "-no-color", "-input=false"]).await?.failed()?.message();
    for number in 0..10 {
        let title = format!("Error: AWS refuses a call: cluster shop-{number}");
        assert!(failed.contains(&title), "{title} is missing in {failed}");
    }
    assert_eq!(ten.described(), [clusters(0..10)]);
    Ok(())
}

#[tokio::test]
async fn what_a_refresh_has_read_is_not_asked_again_by_the_plan_of_a_destroy() -> anyhow::Result<()> {
    let ten = Sources::start(10).await?;
    ten.tf.write("main.tf", "")?;
    let plan = ten.tf.plan().await?;
    assert_eq!(plan.actions("clickpipes_aurora_source.each[\"shop-9\"]"), ["delete"]);
    let counted = ten.counted();
    assert_eq!((counted["DescribeDBClusters"], counted["ListTagsForResource"]), (1, 10), "{counted:?}");
    Ok(())
}
