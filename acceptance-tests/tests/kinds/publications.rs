//! `terraform query` and the data source: existing publications, each with a configuration that then plans nothing.

use acceptance_tests::rig::{DATABASE, Rig};
use acceptance_tests::terraform_cli::Feature;
use anyhow::{Result, ensure};
use serde_json::Value as Json;

const NAMES: [&str; 6] = ["A \"ü\"", "all", "b", "filtered", "nothing", "schemas"];

const SHAPES: &str = r#"
CREATE TABLE orders (id int PRIMARY KEY, note text); CREATE TABLE keyless (id int);
CREATE SCHEMA sales CREATE TABLE lines (id int PRIMARY KEY);
CREATE PUBLICATION b FOR TABLE orders, sales.lines;
CREATE PUBLICATION "A ""ü""" FOR TABLE orders WITH (publish = 'insert, delete');
CREATE PUBLICATION nothing;
CREATE PUBLICATION filtered FOR TABLE orders (id) WHERE (id > 0) WITH (publish_via_partition_root = true);
CREATE PUBLICATION exposed FOR TABLE keyless;
"#;

const IMPORT_ALL: &str = r#"
data "clickpipes_publications" "app" {
  database = "app"
}

locals {
  found = { for publication in data.clickpipes_publications.app.publications : publication.name => publication }
}

import {
  for_each = local.found
  to       = clickpipes_publication.all[each.key]
  id       = each.value.id
}

resource "clickpipes_publication" "all" {
  for_each                   = local.found
  name                       = each.value.name
  database                   = each.value.database
  all_tables                 = each.value.all_tables
  tables                     = each.value.tables
  schemas                    = each.value.schemas
  table_options              = each.value.table_options
  publish                    = each.value.publish
  publish_via_partition_root = each.value.publish_via_partition_root
  publish_generated_columns  = each.value.publish_generated_columns
  owner                      = each.value.owner
}

output "found" {
  value = local.found
}
"#;

async fn rig() -> Result<Option<Rig>> {
    let rig = Rig::start_logical().await?;
    if !rig.tf.version().await?.knows(Feature::Queries) {
        return Ok(None);
    }
    rig.sql(
        "CREATE TABLE orders (id int PRIMARY KEY); CREATE SCHEMA sales CREATE TABLE lines (id int PRIMARY KEY);
         CREATE PUBLICATION b FOR TABLE orders, sales.lines;
         CREATE PUBLICATION \"A \"\"ü\"\"\" FOR TABLE orders WITH (publish = 'insert, delete');
         CREATE PUBLICATION nothing;
         CREATE PUBLICATION filtered FOR TABLE orders WITH (publish_via_partition_root = true);",
    )
    .await?;
    let superuser = rig.cluster.superuser(DATABASE).await?;
    superuser
        .batch_execute("CREATE PUBLICATION \"all\" FOR ALL TABLES; CREATE PUBLICATION schemas FOR TABLES IN SCHEMA sales")
        .await?;
    Ok(Some(rig))
}

fn query(rig: &Rig, arguments: &str, config: &str) -> Result<()> {
    rig.tf.write(
        "publications.tfquery.hcl",
        &format!(
            "list \"clickpipes_publication\" \"p\" {{\n  provider = clickpipes\n{arguments}\n  config {{\n{config}\n  }}\n}}\n"
        ),
    )
}

/// The results of a query.
async fn found(rig: &Rig) -> Result<Vec<Json>> {
    let output = rig.tf.run(["query", "-json"]).await?.succeeded()?.stdout;
    let events = output.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    Ok(events.filter(|event| event["type"] == "list_resource_found").map(|event| event["list_resource_found"].clone()).collect())
}

fn names(found: &[Json]) -> Vec<&str> {
    found.iter().filter_map(|one| one["display_name"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_listed_by_name_up_to_a_limit() -> Result<()> {
    let Some(rig) = rig().await? else { return Ok(()) };
    query(&rig, "", "database = \"app\"")?;
    let all = found(&rig).await?;
    assert_eq!(names(&all), NAMES);
    for (one, name) in all.iter().zip(NAMES) {
        assert_eq!(one["identity"]["name"], name);
        assert_eq!(one["identity"]["database"], DATABASE);
        ensure!(one.get("resource_object").is_none_or(Json::is_null), "{one}");
    }
    query(&rig, "  limit = 2", "database = \"app\"")?;
    assert_eq!(names(&found(&rig).await?), NAMES[..2]);
    query(&rig, "  include_resource = true", "database = \"app\"")?;
    let whole = found(&rig).await?;
    assert_eq!(names(&whole), NAMES);
    assert_eq!(whole[0]["resource_object"]["publish"], serde_json::json!(["delete", "insert"]));
    assert_eq!(whole[1]["resource_object"]["all_tables"], true);
    assert_eq!(whole[2]["resource_object"]["tables"], serde_json::json!(["public.orders", "sales.lines"]));
    assert_eq!(whole[5]["resource_object"]["schemas"], serde_json::json!(["sales"]));
    // The provider block's database, if none is named.
    query(&rig, "", "")?;
    assert_eq!(names(&found(&rig).await?), [""; 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_generated_configuration_imports_and_plans_nothing() -> Result<()> {
    let Some(rig) = rig().await? else { return Ok(()) };
    query(&rig, "", "database = \"app\"")?;
    rig.tf.run(["query", "-generate-config-out=generated.tf"]).await?.succeeded()?;
    rig.tf.remove("publications.tfquery.hcl")?;
    let plan = rig.tf.plan().await?;
    let summary = format!("Plan: {} to import, 0 to add, 0 to change, 0 to destroy.", NAMES.len());
    ensure!(plan.outcome.stdout.contains(&summary), "{}", plan.outcome.stdout);
    let before = rig.changes()?.len();
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.changes()?.len(), before, "an import changes nothing");
    rig.tf.assert_empty_plan().await
}

/// Every shape, made by others' hands, by `import` with `for_each` over the data source.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_data_source_finds_is_imported_as_it_is() -> Result<()> {
    let rig = Rig::start_logical().await?;
    rig.sql(SHAPES).await?;
    let wide = "CREATE PUBLICATION \"all\" FOR ALL TABLES WITH (publish = 'insert'); CREATE PUBLICATION schemas FOR TABLES IN SCHEMA sales";
    rig.cluster.superuser(DATABASE).await?.batch_execute(wide).await?;
    rig.main(IMPORT_ALL)?;
    let plan = rig.tf.plan().await?;
    ensure!(plan.outcome.stdout.contains("Plan: 7 to import, 0 to add, 0 to change, 0 to destroy."), "{}", plan.outcome.stdout);
    let before = rig.changes()?.len();
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.changes()?.len(), before, "an import changes nothing");
    rig.tf.assert_empty_plan().await?;
    let outputs: Json = serde_json::from_str(&rig.tf.run(["output", "-json"]).await?.succeeded()?.stdout)?;
    let found = &outputs["found"]["value"];
    let options = serde_json::json!({ "public.orders": { "columns": ["id"], "where": "(id > 0)" } });
    assert_eq!(found["filtered"]["table_options"], options);
    assert_eq!(found["exposed"]["tables_without_replica_identity"], serde_json::json!(["public.keyless"]));
    assert_eq!(found["schemas"]["schemas"], serde_json::json!(["sales"]));
    assert_eq!((&found["all"]["all_tables"], &found["b"]["owner"]), (&true.into(), &"clusteradmin".into()));
    assert_eq!(found["A \"ü\""]["id"], "app/\"A \"\"ü\"\"\"");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_listed_says_why() -> Result<()> {
    let Some(rig) = rig().await? else { return Ok(()) };
    for (config, parts) in [
        ("database = \"\"", &["Invalid database", "empty"][..]),
        ("database = \"nowhere\"", &["Database not found", "nowhere"]),
        ("database = \"app\"\ncluster_identifier = \"billing\"", &["Cluster not found", "billing"]),
    ] {
        query(&rig, "", config)?;
        let message = rig.tf.run(["query", "-no-color"]).await?.failed()?.message();
        for part in parts {
            ensure!(message.contains(part), "{part:?} is missing in:\n{message}");
        }
    }
    Ok(())
}
