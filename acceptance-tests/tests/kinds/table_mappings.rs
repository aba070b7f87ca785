//! The function `table_mappings`, called by terraform.

use acceptance_tests::terraform_cli::Terraform;
use anyhow::{Result, ensure};
use serde_json::json;

fn output(call: &str) -> String {
    format!("output \"mappings\" {{\n  value = provider::clickpipes::table_mappings({call})\n}}\n")
}

#[tokio::test]
async fn terraform_calls_it_with_whatever_options() -> Result<()> {
    let tf = Terraform::new()?;
    let mapping = |schema: &str, table: &str, target: &str| json!({ "source_schema_name": schema, "source_table": table, "target_table": target });
    let made = json!([mapping("sales", "orders", "sales_orders"), mapping("sales", "Line Items", "sales_Line Items")]);
    let named = json!([mapping("sales", "orders", "o"), mapping("sales", "Line Items", "sales_Line Items")]);
    // OpenTofu does not call a function with an untyped null: its result stays unknown.
    let null = if tf.version().await?.is_opentofu() { "{}" } else { "null" };
    for (options, expected) in [
        (null, &made),
        ("{}", &made),
        ("{ targets = {} }", &made),
        ("{ targets = null }", &made),
        ("{ targets = { \"sales.orders\" = \"o\" } }", &named),
        ("{ targets = tomap({ \"sales.orders\" = \"o\" }) }", &named),
        ("tomap({ targets = { \"sales.orders\" = \"o\" } })", &named),
    ] {
        tf.write("main.tf", &output(&format!("[\"sales.orders\", \"sales.Line Items\"], {options}")))?;
        tf.apply().await?;
        let found = tf.run(["output", "-json"]).await?.succeeded()?.json()?;
        assert_eq!(found["mappings"]["value"], *expected, "{options}");
    }
    // A set is converted, and a value that is known only at apply makes the result unknown.
    tf.write(
        "main.tf",
        &format!(
            "resource \"terraform_data\" \"table\" {{\n  input = \"a.b\"\n}}\n{}",
            output("toset([terraform_data.table.output, \"c.d\"]), {}")
        ),
    )?;
    tf.apply().await?;
    let found = tf.run(["output", "-json"]).await?.succeeded()?.json()?;
    assert_eq!(found["mappings"]["value"], json!([mapping("a", "b", "a_b"), mapping("c", "d", "c_d")]));
    tf.assert_empty_plan().await
}

#[tokio::test]
async fn a_fault_is_shown_at_its_argument() -> Result<()> {
    let tf = Terraform::new()?;
    for (call, argument, words) in [
        ("[\"orders\"], {}", "tables", "does not name a schema"),
        ("[\"a_b.c\", \"a.b_c\"], {}", "tables", "would both go to the table \"a_b_c\""),
        ("null, {}", "tables", "must not be null"),
        ("[\"a.b\"], { target = {} }", "options", "is not an option"),
        ("[\"a.b\"], \"x\"", "options", "must be an object"),
    ] {
        tf.write("main.tf", &output(call))?;
        let message = tf.run(["validate", "-no-color"]).await?;
        let message = if message.code == Some(0) { tf.run(["plan", "-no-color"]).await? } else { message }.failed()?.message();
        let said = message.split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "");
        ensure!(said.contains(words), "{words:?} is missing in:\n{message}");
        ensure!(said.contains(&format!("Invalid value for \"{argument}\" parameter")), "{argument}:\n{message}");
    }
    Ok(())
}
