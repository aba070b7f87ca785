//! `clickpipes_static_ips`: every row on both sides of its date, and a list from ClickHouse, good or bad.

use std::sync::Arc;

use acceptance_tests::docs::repository;
use acceptance_tests::terraform_cli::Terraform;
use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value as Json, json};

/// Reads every row of the table with terraform's own CSV decoder: on its day, and on the day before. Rows of Google Cloud have
/// two cases, too.
const EVERY_ROW: &str = r#"
locals {
  rows  = { for row in csvdecode(file("static-ips.csv")) : "${row.cloud}/${row.clickpipes_region}" => row }
  dated = { for key, row in local.rows : key => row if row.service_created_from != "" }
}

data "clickpipes_static_ips" "from" {
  for_each                        = local.rows
  cloud_provider                  = each.value.cloud
  region                          = each.value.clickpipes_region
  service_created_at              = each.value.service_created_from == "" ? null : each.value.service_created_from
  had_clickpipes_before_june_2026 = each.value.cloud == "gcp" ? false : null
}

data "clickpipes_static_ips" "before" {
  for_each                        = local.dated
  cloud_provider                  = each.value.cloud
  region                          = each.value.clickpipes_region
  service_created_at              = timeadd("${each.value.service_created_from}T00:00:00Z", "-1s")
  had_clickpipes_before_june_2026 = each.value.cloud == "gcp" ? true : null
}

output "wrong" {
  value = concat(
    [for key, row in local.rows : key
      if data.clickpipes_static_ips.from[key].clickpipes_region != row.clickpipes_region
      || join(" ", data.clickpipes_static_ips.from[key].ips) != row.ips
      || join(" ", data.clickpipes_static_ips.from[key].cidr_blocks) != "${replace(row.ips, " ", "/32 ")}/32"],
    [for key, row in local.dated : "before ${key}"
      if data.clickpipes_static_ips.before[key].clickpipes_region != row.fallback_region
      || join(" ", data.clickpipes_static_ips.before[key].ips) != local.rows["aws/${row.fallback_region}"].ips],
  )
}

output "checked" {
  value = [length(data.clickpipes_static_ips.from), length(data.clickpipes_static_ips.before)]
}
"#;

#[tokio::test]
async fn every_row_counts_on_both_sides_of_its_date() -> Result<()> {
    let tf = Terraform::new()?;
    let table = std::fs::read_to_string(repository().join("src/data_source/static_ips/static-ips.csv"))?;
    tf.write("static-ips.csv", &table)?;
    tf.write("main.tf", EVERY_ROW)?;
    tf.apply().await?;
    let outputs = outputs(&tf).await?;
    assert_eq!(outputs["wrong"]["value"], json!([]));
    assert_eq!(outputs["checked"]["value"], json!([31, 28]));
    tf.assert_empty_plan().await
}

async fn outputs(tf: &Terraform) -> Result<Json> {
    tf.run(["output", "-json"]).await?.succeeded()?.json()
}

fn main(more: &str) -> String {
    format!(
        "data \"clickpipes_static_ips\" \"s\" {{\n  cloud_provider = \"aws\"\n  region = \"eu-central-1\"\n  {more}\n}}\noutput \"ips\" {{\n  \
         value = data.clickpipes_static_ips.s.ips\n}}\noutput \"as_of\" {{\n  value = data.clickpipes_static_ips.s.as_of\n}}\n"
    )
}

#[tokio::test]
async fn an_input_that_decides_is_asked_for_where_it_belongs() -> Result<()> {
    let tf = Terraform::new()?;
    let region = |region: &str| main("").replace("eu-central-1", region);
    tf.write("main.tf", &region("eu-west-1"))?;
    let message = tf.run(["plan", "-no-color"]).await?.failed()?.message();
    for part in ["Invalid service_created_at", "2026-01-20 or later", "main.tf line 1"] {
        ensure!(message.contains(part), "{part:?} is missing in:\n{message}");
    }
    // If it is known only at apply, it is read at apply.
    tf.write(
        "main.tf",
        &format!("resource \"terraform_data\" \"created\" {{\n  input = \"2026-02-01\"\n}}\n{}", region("eu-west-1"))
            .replace("region = ", "service_created_at = terraform_data.created.output\n  region = "),
    )?;
    tf.apply().await?;
    assert_eq!(outputs(&tf).await?["ips"]["value"][0], "54.228.1.92");
    tf.assert_empty_plan().await
}

/// Serves this answer, and returns its address.
async fn serve(status: StatusCode, answer: impl Into<String>) -> Result<String> {
    let answer: Arc<str> = answer.into().into();
    let router = Router::new().route("/static-ips.json", get(move || async move { (status, answer.to_string()) }));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/static-ips.json", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

fn list(ips: &[&str]) -> String {
    json!({
        "aws": [
            { "region": "us-east-1", "egress_ips": ["8.8.8.8"] },
            { "region": "eu-central-1", "clickpipes_egress_ips": ips, "egress_ips": ["8.8.4.4"] },
        ],
        "gcp": [],
    })
    .to_string()
}

const NEWER: [&str; 7] =
    ["18.195.233.217", "3.127.86.90", "35.157.23.2", "18.197.167.47", "3.122.25.29", "52.28.148.40", "52.29.1.1"];

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_clickhouses_own_counts_if_it_is_no_smaller() -> Result<()> {
    // Local addresses are called without a proxy.
    let tf = Terraform::new()?.with_env("HTTP_PROXY", "http://127.0.0.1:9").with_env("http_proxy", "http://127.0.0.1:9");
    tf.write("main.tf", &main(&format!("url = {:?}", serve(StatusCode::OK, list(&NEWER)).await?)))?;
    let applied = tf.apply().await?;
    ensure!(!applied.stdout.contains("not refreshed"), "{}", applied.stdout);
    let found = outputs(&tf).await?;
    assert_eq!(found["ips"]["value"], json!(NEWER));
    ensure!(found["as_of"]["value"].is_null(), "{found}");
    tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_cannot_be_used_leaves_the_built_in_addresses_and_says_so() -> Result<()> {
    let nobody = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        format!("http://{}/static-ips.json", listener.local_addr()?)
    };
    let tf = Terraform::new()?;
    for (url, reason) in [
        (serve(StatusCode::OK, list(&NEWER[..5])).await?, "it has 5 addresses for eu-central-1, but 6 are known"),
        (serve(StatusCode::OK, list(&["10.0.0.1"; 6])).await?, "\"10.0.0.1\" is not a public IPv4 address"),
        (serve(StatusCode::OK, "<html>").await?, "it is not the expected JSON document"),
        (serve(StatusCode::OK, "x".repeat(5 << 20)).await?, "its answer is larger than 4 MiB"),
        (serve(StatusCode::FOUND, "").await?, "it answered with status 302"),
        (nobody, "it cannot be fetched"),
    ] {
        tf.write("main.tf", &main(&format!("url = {url:?}")))?;
        let detail = tf.warning("Static addresses of eu-central-1 not refreshed").await.context(reason)?;
        ensure!(detail.contains(reason), "{detail}");
        tf.apply().await?;
        assert_eq!(outputs(&tf).await?["ips"]["value"], json!(NEWER[..6]), "{reason}");
    }
    Ok(())
}
