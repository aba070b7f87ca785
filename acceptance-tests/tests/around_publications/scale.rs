//! Many tables: what is done, and what is asked, does not grow with the tables that stay.

use acceptance_tests::rig::APPLICATION;
use anyhow::{Result, ensure};
use serde_json::json;

use crate::rig::{P, publication, rig};

#[tokio::test(flavor = "multi_thread")]
async fn one_more_table_is_one_statement_about_that_table() -> Result<()> {
    let rig = rig("15.10").await?;
    let tables = "FOR i IN 1..1500 LOOP EXECUTE format('CREATE TABLE s.t%s (id int PRIMARY KEY)', i); END LOOP";
    rig.sql(&format!("SET ROLE app_owner; DO $$ BEGIN {tables}; END $$")).await?;
    let listed = |number: usize| {
        let names: Vec<String> = (1..=number).map(|table| format!("\"s.t{table}\"")).collect();
        publication(&format!("  tables = [{}]", names.join(", ")))
    };
    let mut statements = Vec::new();
    for number in [3, 1499] {
        rig.main(&listed(number))?;
        rig.tf.apply().await?;
        rig.main(&listed(number + 1))?;
        let before = rig.cluster.statements()?.len();
        let operations = rig.apply_as_reviewed(P).await?["operations"].clone();
        ensure!(
            operations == json!([format!("ALTER PUBLICATION \"p\" ADD TABLE ONLY \"s\".\"t{}\"", number + 1)]),
            "{:.500}",
            operations.to_string()
        );
        let ran = rig.cluster.statements()?.split_off(before);
        statements.push(ran.iter().filter(|statement| statement.application == APPLICATION).count());
    }
    ensure!(statements[1] <= statements[0], "{statements:?}");
    Ok(())
}
