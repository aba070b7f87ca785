//! The contents of a server, copied to one of another major version: roles, databases and what is in them. The downloaded servers
//! have neither pg_upgrade nor pg_dump.

use anyhow::{Context, Result, bail};
use tokio_postgres::Client;

use crate::postgres_server::{PostgresServer, quoted};

/// Each is a query for the statements that create something, run in this order.
const ROLES: &str = include_str!("roles.sql");
const DATABASES: &str = include_str!("databases.sql");
/// Names what a database has and is not copied.
const UNKNOWN: &str = include_str!("unknown.sql");
const BEFORE_ROWS: &str = include_str!("before_rows.sql");
/// The tables with rows, and their columns.
const ROWS: &str = include_str!("rows.sql");
const AFTER_ROWS: &str = include_str!("after_rows.sql");
const PUBLICATIONS: &str = include_str!("publications.sql");
/// Row filters, column lists and schemas came with 15.
const PUBLISHED: [&str; 2] = [include_str!("published.sql"), include_str!("published_15.sql")];

/// A logical replication slot.
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) plugin: String,
    pub(super) database: String,
    /// Whether nothing is left that it has not passed on.
    pub(super) is_consumed: bool,
}

/// The logical slots of a server that no client uses at the moment.
pub(super) async fn logical_slots(server: &PostgresServer) -> Result<Vec<Slot>> {
    let all = "SELECT slot_name::text, plugin::text, database::text FROM pg_replication_slots WHERE slot_type = 'logical'";
    let mut slots = Vec::new();
    for row in server.superuser("postgres").await?.query(all, &[]).await.context("listing the slots")? {
        let (name, plugin, database): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let client = server.superuser(&database).await?;
        // A copy that any client can read, whatever the plugin.
        let copied = "SELECT pg_copy_logical_replication_slot($1, 'sim_upgrade', true, 'test_decoding')";
        client.execute(copied, &[&name]).await.with_context(|| format!("looking into slot {name}"))?;
        let left = "SELECT count(*) FROM pg_logical_slot_get_changes('sim_upgrade', NULL, NULL, 'skip-empty-xacts', '1')";
        let left: i64 = client.query_one(left, &[]).await.with_context(|| format!("reading slot {name}"))?.get(0);
        slots.push(Slot { name, plugin, database, is_consumed: left == 0 });
    }
    Ok(slots)
}

/// Creates the slots again. They begin where the new server begins.
pub(super) async fn create_slots(server: &PostgresServer, slots: &[Slot]) -> Result<()> {
    for slot in slots {
        let client = server.superuser(&slot.database).await?;
        let create = "SELECT pg_create_logical_replication_slot($1, $2)";
        client.execute(create, &[&slot.name, &slot.plugin]).await.with_context(|| format!("creating slot {}", slot.name))?;
    }
    Ok(())
}

/// Copies everything; what it cannot copy is an error.
pub(super) async fn contents(old: &PostgresServer, new: &PostgresServer) -> Result<()> {
    let (from, to) = (old.superuser("postgres").await?, new.superuser("postgres").await?);
    run(&from, &to, ROLES).await?;
    run(&from, &to, DATABASES).await?;
    let databases = "SELECT datname::text FROM pg_database WHERE datallowconn AND datname NOT IN ('template0', 'template1')";
    for database in from.query(databases, &[]).await.context("listing the databases")? {
        let database: String = database.get(0);
        copy_database(&old.superuser(&database).await?, &new.superuser(&database).await?, old.major())
            .await
            .with_context(|| format!("copying database {database}"))?;
    }
    Ok(())
}

async fn copy_database(from: &Client, to: &Client, major: u32) -> Result<()> {
    let unknown = from.query(UNKNOWN, &[]).await.context("looking for what is not copied")?;
    if let Some(first) = unknown.first() {
        bail!("the simulator does not copy {}", first.get::<_, String>(0));
    }
    run(from, to, BEFORE_ROWS).await?;
    for table in from.query(ROWS, &[]).await.context("listing the tables")? {
        let (table, columns): (String, String) = (table.get(0), table.get(1));
        copy_rows(from, to, &table, &columns).await?;
    }
    run(from, to, AFTER_ROWS).await?;
    run(from, to, PUBLICATIONS).await?;
    run(from, to, PUBLISHED[usize::from(major >= 15)]).await
}

/// The rows travel as one JSON text a table: they are those of a test.
async fn copy_rows(from: &Client, to: &Client, table: &str, columns: &str) -> Result<()> {
    let reading = || format!("reading {table}");
    let rows = from.query_one(&format!("SELECT json_agg(t)::text FROM ONLY {table} AS t"), &[]).await.with_context(reading)?;
    let Some(rows) = rows.get::<_, Option<String>>(0) else { return Ok(()) };
    let insert = format!(
        "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM json_populate_recordset(NULL::{table}, {})",
        quoted(&rows, '\'')
    );
    to.batch_execute(&insert).await.with_context(|| format!("writing {table}"))
}

/// Runs on `to` the statements that the query returns from `from`.
async fn run(from: &Client, to: &Client, query: &str) -> Result<()> {
    let statements = from.query(query, &[]).await.context("describing what to copy")?;
    for statement in statements {
        let statement: String = statement.get(0);
        // A verifier of a password is part of some; the driver's error does not repeat them.
        to.batch_execute(&statement)
            .await
            .with_context(|| statement.split(" PASSWORD ").next().unwrap_or_default().to_owned())?;
    }
    Ok(())
}
