//! What the provider asks for many resources at once: it becomes one statement, and each resource gets its own answer, or its own error.

use std::fmt::Write as _;
use std::time::Duration;

use acceptance_tests::cost::CountingRig;
use acceptance_tests::rig::DATABASE;
use anyhow::{Result, bail, ensure};
use serde_json::json;

use super::APPLICATION;

/// Long enough for questions to arrive while others are under way.
const DISTANCE: Duration = Duration::from_millis(50);
/// Long enough on a busy machine, too.
const FAR: Duration = Duration::from_millis(400);
/// How often a plan is made until one has asked together what is looked for: whoever comes first is asked alone.
const ATTEMPTS: usize = 6;
/// Names that mean something in SQL, in a literal of an array or in the template of a statement.
const NAMES: [&str; 10] =
    ["plain", "NULL", "a,b", "{c}", "d\"e\\f", " g ", "$1", "each", "'); DROP SCHEMA sales; --", "ñ漢\u{1f980}"];

fn publication(address: usize, database: &str, table: &str) -> String {
    let name = serde_json::to_string(&format!("p {table}")).unwrap_or_default();
    let table = serde_json::to_string(&format!("sales.{table}")).unwrap_or_default();
    format!(
        "resource \"clickpipes_publication\" \"p{address}\" {{\n  database = \"{database}\"\n  name = {name}\n  tables = [{table}]\n}}\n"
    )
}

/// How many statements of the provider answered several resources: the server logs their values as arrays.
fn answered_several(log: &str) -> usize {
    let mut is_ours = false;
    let several = log.lines().filter(|line| {
        if line.contains("LOG:  execute ") {
            is_ours = line.contains(&format!("app={APPLICATION},")) && line.contains("SELECT each.number");
        }
        is_ours
            && line.contains("DETAIL:  parameters: $1 = '{")
            && line.split("', $2").next().is_some_and(|first| first.contains(','))
    });
    several.count()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_resource_gets_its_own_answer() -> Result<()> {
    let counting = CountingRig::start().await?;
    let rig = &counting.rig;
    let (mut sql, mut configuration) = ("CREATE SCHEMA sales;".to_owned(), String::new());
    for (number, name) in NAMES.iter().enumerate() {
        let _ = write!(sql, "CREATE TABLE sales.\"{}\" (id int PRIMARY KEY);", name.replace('"', "\"\""));
        configuration += &publication(number, DATABASE, name);
    }
    rig.admin().await?.batch_execute(&sql).await?;
    rig.main(&configuration)?;
    counting.network.set_round_trip(DISTANCE);
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;

    // A change by hand is seen at the resource that it concerns, and at no other.
    rig.sql("ALTER PUBLICATION \"p {c}\" DROP TABLE sales.\"{c}\"").await?;
    rig.sql("ALTER PUBLICATION \"p d\"\"e\\f\" DROP TABLE sales.\"d\"\"e\\f\"").await?;
    rig.sql("DROP PUBLICATION \"p $1\"").await?;
    let before = rig.cluster.server_log()?.len();
    counting.network.set_round_trip(FAR);
    let plan = rig.tf.plan().await?;
    counting.network.set_round_trip(DISTANCE);
    for (number, name) in NAMES.iter().enumerate() {
        let expected = match number {
            3 | 4 => json!(["update"]),
            6 => json!(["create"]),
            _ => json!(["no-op"]),
        };
        let address = format!("clickpipes_publication.p{number}");
        assert_eq!(json!(plan.actions(&address)), expected, "{name}");
    }
    ensure!(answered_several(&rig.cluster.server_log()?[before..]) > 0, "nothing was asked together");
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    rig.tf.destroy().await?;
    assert_eq!(rig.ask("SELECT count(*)::text FROM pg_publication").await?, "0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_reaches_only_those_whom_it_concerns() -> Result<()> {
    let counting = CountingRig::start().await?;
    let rig = &counting.rig;
    let superuser = rig.cluster.superuser("postgres").await?;
    superuser
        .batch_execute(
            "CREATE DATABASE latin OWNER clusteradmin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
        )
        .await?;
    let admin = rig.cluster.admin("latin").await?;
    let (mut sql, mut configuration) = ("CREATE SCHEMA sales;".to_owned(), String::new());
    for number in 0..8 {
        let _ = write!(sql, "CREATE TABLE sales.t{number} (id int PRIMARY KEY);");
        configuration += &publication(number, "latin", &format!("t{number}"));
    }
    admin.batch_execute(&sql).await?;
    // A name that this database cannot have: the server refuses every statement that contains it.
    configuration += &publication(8, "latin", "漢");
    rig.main(&configuration)?;
    counting.network.set_round_trip(FAR);
    let refused = format!("app={APPLICATION},STATEMENT:  SELECT each.number");
    for _ in 0..ATTEMPTS {
        let before = rig.cluster.server_log()?.len();
        let failed = rig.tf.run(["plan", "-json", "-input=false"]).await?.failed()?;
        let errors: Vec<&str> = failed.stdout.lines().filter(|line| line.contains("\"@level\":\"error\"")).collect();
        ensure!(errors.len() == 1, "one error was expected: {errors:#?}");
        ensure!(errors[0].contains("clickpipes_publication.p8") && errors[0].contains("LATIN1"), "{}", errors[0]);
        for number in 0..8 {
            let planned = format!("clickpipes_publication.p{number}: Plan to create");
            ensure!(failed.stdout.contains(&planned), "not said: {planned}\n{}", failed.stdout);
        }
        if rig.cluster.server_log()?[before..].contains(&refused) {
            return Ok(());
        }
    }
    bail!("it was never asked together with others")
}
