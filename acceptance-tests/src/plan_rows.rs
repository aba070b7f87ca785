//! How many rows and pages each statement looked at, from the plans that `auto_explain` writes into a server's log: what a statement
//! costs, without a clock. A row counts at every node of the plan that sees it, also one that the node throws away.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;
use tokio_postgres::Client;

use crate::postgres_server::quoted;

/// What `auto_explain` needs to log each plan with what it found, without a clock at its nodes.
const SETTINGS: [(&str, &str); 7] = [
    ("session_preload_libraries", "auto_explain"),
    ("auto_explain.log_min_duration", "0"),
    ("auto_explain.log_analyze", "on"),
    ("auto_explain.log_timing", "off"),
    ("auto_explain.log_buffers", "on"),
    ("auto_explain.log_nested_statements", "off"),
    ("auto_explain.log_format", "json"),
];
/// What a node has looked at, for each time that it ran.
const SEEN: [&str; 4] = ["Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck"];
/// What a node reads, the first that it names.
const PLACES: [&str; 4] = ["Relation Name", "Function Name", "Index Name", "Node Type"];
/// What a whole plan has looked at.
const PAGES: [&str; 2] = ["Shared Hit Blocks", "Shared Read Blocks"];

/// What all runs of one statement looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Looked {
    /// How often it ran.
    pub runs: usize,
    /// Pages of tables and indexes.
    pub pages: f64,
    /// Rows, by what a node of its plan reads: a table, an index or a function; if it reads from other nodes, its kind.
    pub rows: BTreeMap<String, f64>,
}

impl Looked {
    fn add(&mut self, node: &Value) {
        let number = |name: &str| node[name].as_f64().unwrap_or_default();
        let rows = SEEN.iter().map(|name| number(name)).sum::<f64>() * number("Actual Loops");
        let place = PLACES.iter().find_map(|name| node[name].as_str()).unwrap_or_default();
        *self.rows.entry(place.to_owned()).or_default() += rows;
        for child in node["Plans"].as_array().into_iter().flatten() {
            self.add(child);
        }
    }
}

/// From its next login on, the server logs the plans of a role's statements.
///
/// # Errors
/// If the server has no `auto_explain`, or no such role.
pub async fn log_plans_of(superuser: &Client, role: &str) -> Result<()> {
    superuser.batch_execute("LOAD 'auto_explain'").await.context("this server has no auto_explain")?;
    for (name, value) in SETTINGS {
        let statement = format!("ALTER ROLE {} SET {name} = {}", quoted(role, '"'), quoted(value, '\''));
        superuser.batch_execute(&statement).await.with_context(|| statement)?;
    }
    Ok(())
}

/// What each statement of the sessions with this `application_name` looked at, by its text.
///
/// # Errors
/// If a plan in the log cannot be read.
pub fn looked_at(log: &str, application: &str) -> Result<BTreeMap<String, Looked>> {
    let (by, mut found) = (format!(",app={application},LOG:  duration: "), BTreeMap::<String, Looked>::new());
    let mut lines = log.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.contains(&by) || !line.ends_with(" plan:") {
            continue;
        }
        let mut plan = String::new();
        // The server indents the further lines of a message with a tab.
        while let Some(rest) = lines.next_if(|line| line.starts_with('\t')) {
            plan.push_str(rest);
        }
        let plan: Value = serde_json::from_str(&plan).with_context(|| format!("a plan in the log: {plan}"))?;
        let looked = found.entry(plan["Query Text"].as_str().unwrap_or_default().to_owned()).or_default();
        looked.runs += 1;
        looked.pages += PAGES.iter().filter_map(|name| plan["Plan"][name].as_f64()).sum::<f64>();
        looked.add(&plan["Plan"]);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_counts_at_each_node_that_sees_it_and_as_often_as_the_node_runs() {
        let log = "now [7] user=a,db=d,app=x,LOG:  execute s0: SELECT 1\n\
                   now [7] user=a,db=d,app=x,LOG:  duration: 0.1 ms  plan:\n\
                   \t{\n\t  \"Query Text\": \"SELECT 1\",\n\t  \"Plan\": {\"Node Type\": \"Nested Loop\", \"Actual Rows\": 2, \"Actual Loops\": 1, \"Shared Hit Blocks\": 8,\n\
                   \t  \"Rows Removed by Join Filter\": 1, \"Plans\": [\n\
                   \t  {\"Node Type\": \"Seq Scan\", \"Relation Name\": \"t\", \"Actual Rows\": 3, \"Rows Removed by Filter\": 4, \"Actual Loops\": 1},\n\
                   \t  {\"Node Type\": \"Function Scan\", \"Function Name\": \"f\", \"Actual Rows\": 5, \"Actual Loops\": 3}]}\n\t}\n\
                   now [7] user=a,db=d,app=y,LOG:  duration: 0.1 ms  plan:\n\t{\"Query Text\": \"SELECT 2\"}\n";
        let found = looked_at(log, "x").unwrap();
        let looked = &found["SELECT 1"];
        assert_eq!((found.len(), looked.runs, looked.pages), (1, 1, 8.0));
        let rows: Vec<(&str, f64)> = looked.rows.iter().map(|(place, rows)| (place.as_str(), *rows)).collect();
        assert_eq!(rows, [("Nested Loop", 3.0), ("f", 15.0), ("t", 7.0)]);
    }
}
