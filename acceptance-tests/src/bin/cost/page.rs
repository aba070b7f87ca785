//! The tables, and their place in the page.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::Measured;
use super::database::FAR;
use super::writes::Writes;

const BEGIN: &str = "<!-- measured -->\n";
const END: &str = "<!-- end of what was measured -->";

/// Everything measured, in Markdown.
pub(crate) fn tables(measured: &Measured) -> String {
    let Measured { load, process, database, writes, large, size } = measured;
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut text = format!(
        "Measured {} on {cores} cores with {}, PostgreSQL {}. Load of the machine before: {load:.2}.\n\n",
        database.date, database.terraform, database.server
    );
    let far = FAR.as_millis();
    let _ = write!(
        text,
        "| plan without changes | wall, 0 ms | the same with `-refresh=false` | as many `terraform_data` | wall, {far} ms | server CPU | \
         client CPU | without refresh | connections | statements | round trips | for each resource | sent, received | created in \
         |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n"
    );
    for row in &database.rows {
        let traffic = row.far.traffic;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {}, {} | {} |",
            row.what,
            seconds(row.near.wall),
            seconds(row.without_refresh.wall),
            seconds(row.floor),
            seconds(row.far.wall),
            seconds(row.near.server),
            seconds(row.near.client),
            seconds(row.without_refresh.client),
            traffic.connections,
            row.far.statements,
            traffic.round_trips,
            each(traffic.round_trips, row.resources),
            kib(traffic.sent),
            kib(traffic.received),
            seconds(row.create),
        );
    }
    text.push_str(&of_writes(writes));
    let _ = write!(
        text,
        "\n| a publication of {} tables | wall, 0 ms | most memory of the provider's own (`RssAnon`) |\n|---|---|---|\n",
        large.tables
    );
    for (what, step) in &large.steps {
        let _ = writeln!(text, "| {what} | {} | {} |", seconds(step.wall), mib(step.memory));
    }
    let [validate, validate_floor] = process.validate.map(seconds);
    let [schema, schema_floor] = process.providers_schema.map(seconds);
    let _ = write!(
        text,
        "\n| the process | measured | without the provider |\n|---|---|---|\n| start to handshake | {} | |\n| start to schema answered | \
         {} | |\n| `terraform validate` | {validate} | {validate_floor} |\n| `terraform providers schema` | {schema} | {schema_floor} \
         |\n| memory of its own (`RssAnon`) with the schema answered | {} | |\n| the same at most, in the larger plan | {} | |\n| size of \
         the release binary | {:.1} MiB | |\n",
        seconds(process.handshake),
        seconds(process.schema),
        mib(process.memory),
        mib(database.memory),
        *size as f64 / f64::from(1 << 20),
    );
    text
}

fn of_writes(writes: &[Writes]) -> String {
    let far = FAR.as_millis();
    let mut text = format!(
        "\n| apply, and destroy | wall, 0 ms | wall, {far} ms | round trips | for each resource \
         |\n|---|---|---|---|---|\n"
    );
    for Writes { what, resources, near, far } in writes {
        for (word, near, far) in [("created", near.apply, far.apply), ("destroyed", near.destroy, far.destroy)] {
            let round_trips = far.traffic.round_trips;
            let _ = writeln!(
                text,
                "| {what}, {word} | {} | {} | {round_trips} | {} |",
                seconds(near.wall),
                seconds(far.wall),
                each(round_trips, *resources),
            );
        }
    }
    text
}

/// The page with `tables` in place of the earlier measurements.
pub(crate) fn replace(page: &str, tables: &str) -> Result<String> {
    let (before, rest) = page.split_once(BEGIN).context("the page has no place for the tables")?;
    let (_, after) = rest.split_once(END).context("the place for the tables does not end")?;
    Ok(format!("{before}{BEGIN}\n{tables}\n{END}{after}"))
}

fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 0.1 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{seconds:.2} s") }
}

fn each(count: u64, resources: usize) -> String {
    format!("{:.1}", count as f64 / resources as f64)
}

fn kib(bytes: u64) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}

fn mib(kib: u64) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}
