//! `cluster_identifier` of users and publications: one provider block for many clusters, what replaces and what does not, and
//! clusters that are down, gone, or looked for in the wrong place.

use acceptance_tests::rig::{ADMIN, DATABASE, provider_block};
use acceptance_tests::simulator::{ClusterHandle, ClusterSpec, Options, Simulator};
use acceptance_tests::slow_network::ClosedPort;
use acceptance_tests::terraform_cli::{Feature, Terraform};
use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::{APPLICATION, PLAN, one_error};

const NAMES: [&str; 3] = ["billing", "orders", "shop"];
const USER: &str = "clickpipes_replication_user.u";
const PUBLICATION: &str = "clickpipes_publication.p";
const OID: &str = "SELECT oid::text FROM pg_publication WHERE pubname = 'p'";

/// Clusters whose master secret RDS manages, and a workspace with one provider block.
struct Fleet {
    tf: Terraform,
    simulator: Simulator,
    clusters: Vec<ClusterHandle>,
}

impl Fleet {
    async fn start(names: &[&str]) -> Result<Self> {
        let simulator = Simulator::start(Options::default())?;
        let mut clusters = Vec::new();
        for name in names {
            let spec = ClusterSpec::new(name).admin(ADMIN, "ignored").database(DATABASE).managed_master_secret();
            let cluster = simulator.create_cluster(spec).await?;
            cluster.admin(DATABASE).await?.batch_execute("CREATE TABLE orders (id int PRIMARY KEY)").await?;
            clusters.push(cluster);
        }
        // What is meant for another server must not be used for these.
        let elsewhere = [("PGHOST", "192.0.2.1"), ("PGPORT", "1"), ("PGUSER", "somebody"), ("PGPASSWORD", "of-somebody")];
        let tf = elsewhere.into_iter().try_fold(Terraform::new()?, |tf, (name, value)| anyhow::Ok(tf.with_env(name, value)))?;
        let fleet = Self { tf, simulator, clusters };
        fleet.provider("")?;
        Ok(fleet)
    }

    fn provider(&self, postgres: &str) -> Result<()> {
        let postgres = format!("sslmode = \"disable\"{postgres}");
        self.tf.write("provider.tf", &provider_block(&self.simulator, &postgres))
    }

    /// A user and a publication, with this in each of them.
    fn main(&self, more: &str) -> Result<()> {
        self.tf.write(
            "main.tf",
            &format!(
                "resource \"clickpipes_replication_user\" \"u\" {{\n  {more}\n  name = \"pipe\"\n  database = \"{DATABASE}\"\n  password_wo = \
                 \"a-long-password\"\n  password_wo_version = 1\n  schemas = [\"public\"]\n}}\n\nresource \"clickpipes_publication\" \"p\" \
                 {{\n  {more}\n  name = \"p\"\n  database = \"{DATABASE}\"\n  tables = [\"public.orders\"]\n}}\n\nresource \
                 \"clickpipes_replica_identity\" \"i\" {{\n  {more}\n  database = \"{DATABASE}\"\n  table = \"public.orders\"\n  identity = \
                 \"full\"\n}}\n"
            ),
        )
    }

    fn each(&self) -> Result<()> {
        let names = NAMES.map(|name| format!("\"{name}\"")).join(", ");
        self.main(&format!("for_each = toset([{names}])\n  cluster_identifier = each.key"))
    }
}

async fn ask(cluster: &ClusterHandle, sql: &str) -> Result<String> {
    let rows = cluster.superuser(DATABASE).await?.query(sql, &[]).await?;
    Ok(rows.first().and_then(|row| row.get::<_, Option<String>>(0)).unwrap_or_default())
}

/// How many of role and publication there are.
async fn objects(cluster: &ClusterHandle) -> Result<String> {
    let sql = "SELECT ((SELECT count(*) FROM pg_roles WHERE rolname = 'pipe') + (SELECT count(*) FROM pg_publication))::text";
    ask(cluster, sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_block_serves_many_clusters_each_with_its_own_secret() -> Result<()> {
    let fleet = Fleet::start(&NAMES).await?;
    fleet.each()?;
    let plan = fleet.tf.plan().await?;
    fleet.tf.apply_plan(&plan).await?;
    fleet.tf.assert_empty_plan().await?;
    for cluster in &fleet.clusters {
        assert_eq!(objects(cluster).await?, "2");
    }
    let secrets: Vec<String> = fleet.clusters.iter().map(ClusterHandle::master_password).collect();
    let logs: Vec<_> = fleet.clusters.iter().map(|cluster| Ok(cluster.server()?.log_path())).collect::<Result<_>>()?;
    fleet.tf.assert_no_secret(&secrets.iter().map(String::as_str).collect::<Vec<_>>(), &logs)?;

    // A plan connects once to each, and reads each secret once.
    let reads = || fleet.simulator.calls().iter().filter(|call| call.action == "GetSecretValue").count();
    let connections = |cluster: &ClusterHandle| -> Result<usize> {
        let opened = format!("application_name={APPLICATION}");
        Ok(cluster.server_log()?.lines().filter(|line| line.contains("connection authorized") && line.contains(&opened)).count())
    };
    let before: Vec<usize> = fleet.clusters.iter().map(connections).collect::<Result<_>>()?;
    let read = reads();
    fleet.tf.assert_empty_plan().await?;
    assert_eq!(reads() - read, NAMES.len());
    for (cluster, before) in fleet.clusters.iter().zip(before) {
        assert!(connections(cluster)? - before <= 1);
    }

    // Three of the same name: every title names its cluster, so Terraform folds none into another.
    let message = fleet.tf.plan_with(&["-destroy"]).await?.outcome.message();
    for name in NAMES {
        for object in ["role \"pipe\"", "publication \"p\" of database \"app\""] {
            let title = format!(": {object} of cluster {name}");
            ensure!(message.contains(&title), "{title} is missing in {message}");
        }
    }
    fleet.tf.destroy().await?;
    for cluster in &fleet.clusters {
        assert_eq!(objects(cluster).await?, "0");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_names_the_cluster_by_id_and_by_identity() -> Result<()> {
    let fleet = Fleet::start(&["orders", "shop"]).await?;
    fleet.main("cluster_identifier = \"shop\"")?;
    fleet.tf.apply().await?;
    let shop = fleet.tf.resource(PUBLICATION).await?;
    assert_eq!((&shop["id"], &shop["cluster_identifier"]), (&json!("shop:app/p"), &json!("shop")));
    assert_eq!(fleet.tf.resource(USER).await?["id"], "shop:app/pipe");
    let knows_identity = fleet.tf.version().await?.knows(Feature::Identity);
    for (address, name) in [(USER, "pipe"), (PUBLICATION, "p")] {
        let id = format!("id = \"shop:app/{name}\"");
        let identity = format!("identity = {{ cluster_identifier = \"shop\", database = \"app\", name = \"{name}\" }}");
        for by in [id, identity].into_iter().take(if knows_identity { 2 } else { 1 }) {
            fleet.tf.run(["state", "rm", address]).await?.succeeded()?;
            fleet.tf.write("import.tf", &format!("import {{\n  to = {address}\n  {by}\n}}\n"))?;
            fleet.tf.apply().await.context(by)?;
            fleet.tf.remove("import.tf")?;
            fleet.tf.assert_empty_plan().await?;
        }
    }
    // The other cluster has none, and says so with its name.
    fleet.tf.run(["state", "rm", PUBLICATION]).await?.succeeded()?;
    let arguments = ["import", "-no-color", PUBLICATION, "orders:app/p"];
    one_error(
        fleet.tf.run(arguments).await?,
        &["Publication to import not found: publication \"p\" of database \"app\" of cluster orders"],
    )?;
    one_error(fleet.tf.run(["import", "-no-color", PUBLICATION, "Orders:app/p"]).await?, &["lower case"])?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn to_name_the_present_cluster_changes_nothing_and_another_one_replaces() -> Result<()> {
    let fleet = Fleet::start(&["orders", "shop"]).await?;
    let [orders, shop] = &fleet.clusters[..] else { panic!("two clusters") };
    fleet.provider(", cluster_identifier = \"orders\"")?;
    fleet.main("")?;
    fleet.tf.apply().await?;
    let oid = ask(orders, OID).await?;
    for named in ["cluster_identifier = \"orders\"", ""] {
        fleet.main(named)?;
        let plan = fleet.tf.plan().await?;
        for address in [USER, PUBLICATION] {
            assert_eq!(plan.actions(address), ["update"], "{named}");
            assert_eq!(plan.operations(address), [""; 0], "{named}");
        }
        fleet.tf.apply_plan(&plan).await?;
        fleet.tf.assert_empty_plan().await?;
        assert_eq!(ask(orders, OID).await?, oid);
    }

    fleet.main("cluster_identifier = \"shop\"")?;
    let plan = fleet.tf.plan().await?;
    for address in [USER, PUBLICATION] {
        assert_eq!(plan.actions(address), ["delete", "create"]);
        assert_eq!(plan.change(address)["replace_paths"], json!([["cluster_identifier"]]));
    }
    let message = plan.outcome.message();
    ensure!(message.contains("DROP PUBLICATION \"p\"") && message.contains("DROP ROLE \"pipe\""), "{message}");
    fleet.tf.apply_plan(&plan).await?;
    fleet.tf.assert_empty_plan().await?;
    assert_eq!((objects(orders).await?, objects(shop).await?), ("0".to_owned(), "2".to_owned()));

    // Out of the configuration, the provider's own cluster is meant, which is another one.
    fleet.main("")?;
    let plan = fleet.tf.plan().await?;
    assert_eq!((plan.actions(USER), plan.actions(PUBLICATION)), (vec!["delete", "create"], vec!["delete", "create"]));
    // The provider moves to that cluster: nothing moves.
    fleet.provider(", cluster_identifier = \"shop\"")?;
    let plan = fleet.tf.plan().await?;
    assert_eq!((plan.operations(USER), plan.operations(PUBLICATION)), (vec![], vec![]));
    fleet.tf.apply_plan(&plan).await?;
    fleet.tf.assert_empty_plan().await?;

    // Unknown at plan.
    fleet.tf.write("name.tf", "resource \"terraform_data\" \"name\" {\n  input = \"shop\"\n}\n")?;
    fleet.main("cluster_identifier = terraform_data.name.output")?;
    let plan = fleet.tf.plan().await?;
    assert_eq!(plan.actions(PUBLICATION), ["delete", "create"]);
    assert!(plan.is_unknown(PUBLICATION, "operations"));
    fleet.tf.apply_plan(&plan).await?;
    fleet.tf.assert_empty_plan().await?;
    assert_eq!(objects(shop).await?, "2");
    fleet.tf.destroy().await?;
    assert_eq!(objects(shop).await?, "0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_that_name_on_the_other_cluster_is_not_the_one_that_moves() -> Result<()> {
    let fleet = Fleet::start(&["orders", "shop"]).await?;
    fleet.main("cluster_identifier = \"orders\"")?;
    fleet.tf.apply().await?;
    fleet.clusters[1].admin(DATABASE).await?.batch_execute("CREATE ROLE pipe LOGIN; CREATE PUBLICATION p").await?;
    fleet.main("cluster_identifier = \"shop\"")?;
    let message = fleet.tf.run(PLAN).await?.message();
    for title in ["Role already exists: role \"pipe\" of cluster shop", "Publication already exists"] {
        ensure!(message.contains(title), "{title} is missing in {message}");
    }
    ensure!(message.contains("\"shop:app/pipe\"") && message.contains("\"shop:app/p\""), "{message}");
    Ok(())
}

/// Errors about these objects of that cluster, and about no others.
fn only_orders(message: &str, labels: &[&str]) -> Result<()> {
    for name in NAMES {
        for label in ["p", "u"] {
            let is_named = message.contains(&format!(".{label}[\"{name}\"],"));
            ensure!(is_named == (name == "orders" && labels.contains(&label)), "{label} of {name}: {message}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_cluster_that_is_down_stops_only_its_own_objects() -> Result<()> {
    let fleet = Fleet::start(&NAMES).await?;
    fleet.each()?;
    fleet.tf.apply().await?;
    let main = std::fs::read_to_string(fleet.tf.folder().join("main.tf"))?;
    let tables = "tables = [\"public.orders\"]";
    fleet.tf.write("main.tf", &main.replace(tables, &format!("{tables}\n  publish = [\"insert\"]")))?;
    let plan = fleet.tf.plan().await?;
    let down = ClosedPort::hold()?;
    let orders = &fleet.clusters[1];
    let (host, port) = (orders.host.clone(), orders.port);
    orders.show_endpoint("127.0.0.1", down.number);
    only_orders(&fleet.tf.run(PLAN).await?.failed()?.message(), &["p", "u"])?;
    only_orders(&fleet.tf.apply_plan(&plan).await.unwrap_err().to_string(), &["p"])?;
    let publishes_updates = "SELECT pubupdate::text FROM pg_publication";
    for (cluster, expected) in fleet.clusters.iter().zip(["false", "true", "false"]) {
        assert_eq!(ask(cluster, publishes_updates).await?, expected);
    }
    // With on_unreachable, the others are planned as they are.
    let block = std::fs::read_to_string(fleet.tf.folder().join("provider.tf"))?;
    fleet.tf.write("provider.tf", &block.replace("  postgres =", "  on_unreachable = \"keep_state\"\n  postgres ="))?;
    let plan = fleet.tf.plan().await?;
    let address = |name: &str| format!("{PUBLICATION}[\"{name}\"]");
    let actions = NAMES.map(|name| plan.actions(&address(name)).concat());
    assert_eq!(actions, ["no-op", "update", "no-op"]);
    orders.show_endpoint(&host, port);
    fleet.tf.apply().await?;
    assert_eq!(ask(orders, publishes_updates).await?, "false");
    fleet.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_not_found_is_gone_only_where_it_was() -> Result<()> {
    let fleet = Fleet::start(&["orders", "shop"]).await?;
    fleet.main("cluster_identifier = \"shop\"")?;
    fleet.tf.apply().await?;
    let arn = fleet.clusters[1].arn.clone();

    // In another region.
    let block = std::fs::read_to_string(fleet.tf.folder().join("provider.tf"))?;
    fleet.tf.write("provider.tf", &block.replace("us-east-1", "eu-central-1"))?;
    for arguments in [PLAN, &["destroy", "-no-color", "-auto-approve", "-refresh=false"]] {
        let message = fleet.tf.run(arguments).await?.failed()?.message();
        for part in ["Cluster looked for in the wrong place: role \"pipe\" of cluster shop", &arn, "region eu-central-1"] {
            ensure!(message.contains(part), "{part} is missing in {message}");
        }
    }
    fleet.tf.write("provider.tf", &block)?;
    fleet.tf.assert_empty_plan().await?;

    // Under another identifier.
    let renamed = fleet.simulator.create_cluster(ClusterSpec::new("store").without_postgres()).await?;
    renamed.become_another(&fleet.clusters[1].resource_id);
    fleet.simulator.remove_cluster("shop");
    let message = fleet.tf.run(PLAN).await?.failed()?.message();
    ensure!(message.contains("The cluster was renamed") && message.contains("import it from store"), "{message}");

    // Gone.
    fleet.simulator.remove_cluster("store");
    let plan = fleet.tf.plan().await?;
    assert_eq!((plan.actions(USER), plan.actions(PUBLICATION)), (vec!["create"], vec!["create"]));
    fleet.tf.run(["destroy", "-no-color", "-auto-approve", "-refresh=false"]).await?.succeeded()?;
    assert_eq!(fleet.tf.state().await?["values"], serde_json::Value::Null);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_managed_secret_or_tokens_nobody_elses_password_is_sent() -> Result<()> {
    let fleet = Fleet::start(&["orders"]).await?;
    let bare = ClusterSpec::new("bare").admin("somebody", "of-somebody").database(DATABASE);
    fleet.simulator.create_cluster(bare).await?;
    fleet.main("cluster_identifier = \"bare\"")?;
    let message = fleet.tf.run(PLAN).await?.failed()?.message();
    for part in ["No way to log in to the cluster", "manages no secret", "cluster bare", "postgres.iam_auth"] {
        ensure!(message.contains(part), "{part} is missing in {message}");
    }
    for (value, part) in [("\"Bad_Name\"", "lower case"), ("\"\"", "1 to 63 characters")] {
        fleet.main(&format!("cluster_identifier = {value}"))?;
        let message = fleet.tf.run(PLAN).await?.failed()?.message();
        ensure!(message.contains(part) && message.contains("cluster_identifier"), "{message}");
    }
    // One that the same apply may create is a warning.
    fleet.main("cluster_identifier = \"later\"")?;
    let message = fleet.tf.plan().await?.outcome.message();
    ensure!(message.contains("There is no cluster later in region us-east-1"), "{message}");
    Ok(())
}
