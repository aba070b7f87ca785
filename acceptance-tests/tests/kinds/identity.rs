//! Identities: in the state, kept through a rename, and used for imports.

use acceptance_tests::rig::{CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::ClusterSpec;
use acceptance_tests::terraform_cli::Feature;
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};

const SOURCE: &str = "clickpipes_aurora_source.s";
const USER: &str = "clickpipes_replication_user.u";
const PUBLICATION: &str = "clickpipes_publication.p";

/// One of each resource, under these names.
fn each(user: &str, publication: &str) -> String {
    format!(
        "resource \"clickpipes_aurora_source\" \"s\" {{\n  cluster_identifier = \"{CLUSTER}\"\n  reboot = \"writer\"\n}}\n\nresource \
         \"clickpipes_replication_user\" \"u\" {{\n  database = \"{DATABASE}\"\n  name = \"{user}\"\n  password_wo = \"a-long-password\"\n  \
         password_wo_version = 1\n  depends_on = [clickpipes_aurora_source.s]\n}}\n\nresource \"clickpipes_publication\" \"p\" {{\n  database = \
         \"{DATABASE}\"\n  name = \"{publication}\"\n  tables = [\"public.orders\"]\n  depends_on = [clickpipes_aurora_source.s]\n}}\n"
    )
}

/// A rig whose Terraform knows identities.
async fn rig() -> Result<Option<Rig>> {
    let rig = Rig::start_with(ClusterSpec::new(CLUSTER)).await?;
    if !rig.tf.version().await?.knows(Feature::Identity) {
        return Ok(None);
    }
    rig.sql("CREATE TABLE orders (id int PRIMARY KEY)").await?;
    Ok(Some(rig))
}

async fn identity(rig: &Rig, address: &str) -> Result<Json> {
    let state = rig.tf.state().await?;
    let resources = state["values"]["root_module"]["resources"].as_array().context("no resources")?;
    let resource = resources.iter().find(|resource| resource["address"] == address);
    Ok(resource.with_context(|| format!("no {address}"))?["identity"].clone())
}

fn of_database(name: &str) -> Json {
    json!({ "cluster_identifier": null, "database": DATABASE, "name": name })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_resource_has_one_that_follows_a_rename_and_imports_it() -> Result<()> {
    let Some(rig) = rig().await? else { return Ok(()) };
    rig.main(&each("pipe", "p"))?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    let source = json!({ "account_id": "123456789012", "cluster_identifier": CLUSTER, "region": "us-east-1" });
    assert_eq!(identity(&rig, SOURCE).await?, source);
    assert_eq!(identity(&rig, USER).await?, of_database("pipe"));
    assert_eq!(identity(&rig, PUBLICATION).await?, of_database("p"));

    rig.main(&each("pipe 2", "p/2"))?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(identity(&rig, USER).await?, of_database("pipe 2"));
    assert_eq!(identity(&rig, PUBLICATION).await?, of_database("p/2"));

    // Renamed by hand: the refresh finds it by its identity.
    rig.sql("ALTER PUBLICATION \"p/2\" RENAME TO \"by hand\"").await?;
    rig.tf.refresh_only().await?;
    assert_eq!(identity(&rig, PUBLICATION).await?, of_database("by hand"));
    rig.tf.apply().await?;
    assert_eq!(identity(&rig, PUBLICATION).await?, of_database("p/2"));

    let before = rig.tf.state().await?;
    for (address, identity) in [
        (SOURCE, "cluster_identifier = \"orders\"\n    region = \"us-east-1\"\n    account_id = \"123456789012\""),
        (USER, "database = \"app\"\n    name = \"pipe 2\""),
        (PUBLICATION, "database = \"app\"\n    name = \"p/2\""),
    ] {
        rig.tf.run(["state", "rm", address]).await?.succeeded()?;
        rig.tf.write("import.tf", &format!("import {{\n  to = {address}\n  identity = {{\n    {identity}\n  }}\n}}\n"))?;
        rig.tf.apply().await.with_context(|| address.to_owned())?;
        rig.tf.remove("import.tf")?;
    }
    rig.tf.assert_empty_plan().await?;
    let identities = |state: &Json| {
        let resources = state["values"]["root_module"]["resources"].as_array().cloned().unwrap_or_default();
        resources.into_iter().map(|resource| resource["identity"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(identities(&rig.tf.state().await?), identities(&before));
    rig.tf.destroy().await?;
    Ok(())
}

async fn import(rig: &Rig, address: &str, identity: &str) -> Result<String> {
    rig.tf.write("import.tf", &format!("import {{\n  to = {address}\n  identity = {{\n    {identity}\n  }}\n}}\n"))?;
    let planned = rig.tf.run(["plan", "-no-color", "-input=false"]).await?;
    rig.tf.remove("import.tf")?;
    Ok(if planned.code == Some(0) { planned.stdout } else { planned.message() })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_of_something_else_is_refused_with_what_is_wrong() -> Result<()> {
    let Some(rig) = rig().await? else { return Ok(()) };
    rig.sql("CREATE PUBLICATION p FOR TABLE orders").await?;
    rig.main(&each("pipe", "p"))?;
    for (address, identity, parts) in [
        (
            SOURCE,
            "cluster_identifier = \"orders\"\n    region = \"eu-west-1\"",
            &["region differs from the identity", "\"eu-west-1\"", "\"us-east-1\""][..],
        ),
        (
            SOURCE,
            "cluster_identifier = \"orders\"\n    account_id = \"1\"",
            &["account_id differs from the identity", "\"123456789012\""],
        ),
        (SOURCE, "cluster_identifier = \"Orders\"", &["Invalid cluster_identifier", "lower case"]),
        (PUBLICATION, "database = \"\"\n    name = \"p\"", &["Invalid name", "database", "empty"]),
        (
            PUBLICATION,
            "database = \"app\"\n    name = \"p\"\n    cluster_identifier = \"orders\"",
            &["No way to log in to the cluster", "manages no secret", "cluster orders"],
        ),
        (PUBLICATION, "database = \"app\"\n    name = \"q\"", &["There is no publication \"q\" of database \"app\""]),
    ] {
        let message = import(&rig, address, identity).await?;
        for part in parts {
            ensure!(message.contains(part), "{part:?} is missing in:\n{message}");
        }
    }
    Ok(())
}

/// An identity may name the cluster, the provider's own too; then the configuration may say it as well.
#[tokio::test(flavor = "multi_thread")]
async fn the_providers_own_cluster_may_be_named() -> Result<()> {
    let Some(rig) = rig().await? else { return Ok(()) };
    rig.sql("CREATE PUBLICATION p FOR TABLE orders").await?;
    let (host, port) = (rig.cluster.host.clone(), rig.cluster.port);
    rig.provider(&format!(
        "cluster_identifier = \"{CLUSTER}\", host = \"{host}\", port = {port}, username = \"clusteradmin\", sslmode = \"disable\""
    ))?;
    let publication = "resource \"clickpipes_publication\" \"p\" {\n  cluster_identifier = \"orders\"\n  database = \"app\"\n  name = \"p\"\n  tables = \
         [\"public.orders\"]\n}\n";
    rig.main(publication)?;
    let named = "database = \"app\"\n    name = \"p\"\n    cluster_identifier = ";
    let message = import(&rig, PUBLICATION, &format!("{named}\"billing\"")).await?;
    ensure!(message.contains("There is no cluster billing in region us-east-1"), "{message}");
    rig.tf.write("import.tf", &format!("import {{\n  to = {PUBLICATION}\n  identity = {{\n    {named}\"orders\"\n  }}\n}}\n"))?;
    rig.tf.apply().await?;
    rig.tf.remove("import.tf")?;
    let expected = json!({ "cluster_identifier": CLUSTER, "database": DATABASE, "name": "p" });
    assert_eq!(identity(&rig, PUBLICATION).await?, expected);
    rig.main(&publication.replace("\"p\"\n  tables", "\"q\"\n  tables"))?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(identity(&rig, PUBLICATION).await?["cluster_identifier"], CLUSTER);
    Ok(())
}
