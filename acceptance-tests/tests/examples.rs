//! The examples of the documentation, applied unchanged to a simulated cluster with the tables that they name.
//! `examples/aurora-to-clickpipes` is applied by the demo.

use std::fs;

use acceptance_tests::docs::repository;
use acceptance_tests::rig::{ADMIN_PASSWORD, CLUSTER, Rig};
use acceptance_tests::simulator::ClusterSpec;
use acceptance_tests::terraform_cli::Feature;
use anyhow::{Context as _, Result};

/// The objects that the examples expect.
const APPLICATION: [&str; 6] = [
    "CREATE SCHEMA sales CREATE TABLE customers (id int PRIMARY KEY) CREATE TABLE orders (id int PRIMARY KEY)",
    "CREATE SCHEMA billing CREATE TABLE invoices (id int PRIMARY KEY)",
    "CREATE TABLE sales.events (at timestamptz, note text)",
    "CREATE TABLE sales.payments (reference text NOT NULL, amount numeric)",
    "CREATE UNIQUE INDEX payments_reference ON sales.payments (reference)",
    // Publishing whole schemas needs a superuser, or on Aurora rds_superuser, such as the master user.
    "CREATE TABLE billing.credits (id int PRIMARY KEY)",
];

fn example(path: &str) -> Result<String> {
    fs::read_to_string(repository().join("examples").join(path)).with_context(|| format!("reading the example {path}"))
}

/// All resources in one configuration, each with its own example, in the order that a user would follow.
#[tokio::test(flavor = "multi_thread")]
async fn the_resources_examples_are_applied_imported_and_destroyed() -> Result<()> {
    let mut rig = Rig::start().await?;
    rig.tf.set_env("TF_VAR_replication_password", "a-password-of-some-length");
    rig.sql("CREATE DATABASE shop").await?;
    let shop = rig.cluster.admin("shop").await?;
    for sql in APPLICATION {
        shop.batch_execute(sql).await?;
    }
    drop(shop);
    // The source comes first: a publication of a cluster without logical replication makes the server warn.
    let mut resources: Vec<String> = fs::read_dir(repository().join("examples/resources"))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    resources.sort_by_key(|resource| (resource != "clickpipes_aurora_source", resource.clone()));
    for resource in &resources {
        rig.tf.write(&format!("{resource}.tf"), &example(&format!("resources/{resource}/resource.tf"))?)?;
        rig.tf.apply().await.with_context(|| format!("applying the example of {resource}"))?;
        rig.tf.assert_empty_plan().await?;
    }
    let before = rig.tf.state().await?;

    // The import blocks, instead of the resources in the state.
    let by_identity = rig.tf.version().await?.knows(Feature::Identity).then_some("import-by-identity.tf");
    for way in ["import-by-string-id.tf"].into_iter().chain(by_identity) {
        for resource in &resources {
            let import = example(&format!("resources/{resource}/{way}"))?;
            let address = import.lines().find_map(|line| line.trim().strip_prefix("to = ")).context("an import without to")?;
            rig.tf.run(["state", "rm", address]).await?.succeeded()?;
            rig.tf.write("import.tf", &import)?;
            rig.tf.apply().await.with_context(|| format!("importing the example of {resource} ({way})"))?;
            rig.tf.remove("import.tf")?;
        }
    }
    rig.tf.assert_empty_plan().await?;
    let count = |state: &serde_json::Value| state["values"]["root_module"]["resources"].as_array().map(Vec::len);
    assert_eq!(count(&rig.tf.state().await?), count(&before));
    rig.tf.destroy().await?;
    Ok(())
}

/// The examples of every other kind, as far as this Terraform knows the kind.
#[tokio::test(flavor = "multi_thread")]
async fn the_other_kinds_examples_do_what_they_say() -> Result<()> {
    let rig = Rig::start_logical().await?;
    for path in [
        "data-sources/clickpipes_static_ips/data-source.tf",
        "functions/table_mappings/function.tf",
        "ephemeral-resources/clickpipes_rds_auth_token/ephemeral-resource.tf",
    ] {
        rig.tf.write(path.rsplit('/').next().unwrap_or(path), &example(path)?)?;
    }
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    let outputs = rig.tf.run(["output", "-json"]).await?.succeeded()?.json()?;
    assert_eq!(outputs["allow"]["value"][0], "54.228.1.92/32");
    assert_eq!(outputs["table_mappings"]["value"][0]["target_table"], "orders");
    assert_eq!(outputs["table_mappings"]["value"][1]["target_table"], "sales_customers");
    let version = rig.tf.version().await?;
    if version.knows(Feature::Actions) {
        rig.tf.write("action.tf", &example("actions/clickpipes_reboot/action.tf")?)?;
        rig.tf.run(["apply", "-no-color", "-auto-approve", "-invoke=action.clickpipes_reboot.writer"]).await?.succeeded()?;
        let calls = rig.simulator.calls();
        assert_eq!(calls.iter().filter(|call| call.action == "RebootDBInstance").count(), 1);
    }
    if version.knows(Feature::Queries) {
        rig.sql("CREATE DATABASE shop").await?;
        rig.cluster.admin("shop").await?.batch_execute("CREATE PUBLICATION found").await?;
        let query = "list-resources/clickpipes_publication/list-resource.tfquery.hcl";
        rig.tf.write("list-resource.tfquery.hcl", &example(query)?)?;
        let found = rig.tf.run(["query", "-no-color"]).await?.succeeded()?.stdout;
        assert!(found.contains("found"), "{found}");
    }
    Ok(())
}

/// The provider's example connects by the cluster's identifier; the rig only sets the address of AWS and the trusted authorities.
#[tokio::test(flavor = "multi_thread")]
async fn the_providers_example_connects() -> Result<()> {
    let mut rig = Rig::start_with(ClusterSpec::new(CLUSTER).tls().region("eu-west-1")).await?;
    rig.tf.set_env("TF_VAR_admin_password", ADMIN_PASSWORD);
    rig.tf.set_env("AWS_ACCESS_KEY_ID", "testing");
    rig.tf.set_env("AWS_SECRET_ACCESS_KEY", "testing");
    rig.tf.set_env("AWS_ENDPOINT_URL_RDS", rig.simulator.url());
    let authority = rig.cluster.ca_certificate().context("the cluster has no certificate authority")?;
    rig.tf.set_env("PGSSLROOTCERT", authority.display().to_string());
    rig.tf.unset_env("PGPASSWORD");
    rig.sql("CREATE DATABASE shop").await?;
    rig.cluster.admin("shop").await?.batch_execute(APPLICATION[0]).await?;
    // It has its own required_providers.
    rig.tf.remove("required_providers.tf")?;
    rig.tf.write("provider.tf", &example("provider/provider.tf")?)?;
    rig.main(
        "resource \"clickpipes_publication\" \"p\" {\n  name = \"p\"\n  database = \"shop\"\n  tables = [\"sales.orders\"]\n}\n",
    )?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    rig.tf.destroy().await?;
    Ok(())
}
