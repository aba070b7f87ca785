//! Verdicts on the settings that the server runs with. Pure.

use std::collections::BTreeMap;

use super::check::{Verdict, Verdicts, fail, judge, pass, skip, unknown, warn};
use super::facts::ServerFacts;

/// The settings that are asked for.
pub(crate) const SETTINGS: [&str; 10] = [
    "effective_wal_level",
    "idle_replication_slot_timeout",
    "logical_decoding_work_mem",
    "max_replication_slots",
    "max_slot_wal_keep_size",
    "max_wal_senders",
    "rds.force_ssl",
    "rds.logical_replication",
    "wal_level",
    "wal_sender_timeout",
];

/// ClickPipes refuses fewer.
const SENDERS: i64 = 2;
/// WAL that a slot may retain, in megabytes: what ClickPipes asks for at least.
const KEPT_MEGABYTES: i64 = 100 << 10;
/// In milliseconds.
const FIVE_MINUTES: i64 = 300_000;

/// What sets a parameter, to be pasted into the source's resource.
pub(super) fn remedy(name: &str, value: &str) -> String {
    format!("# in the clickpipes_aurora_source of the cluster\nparameters = {{\n  {name:?} = {value:?}\n}}")
}

/// The verdicts.
pub(super) fn verdicts(server: &ServerFacts) -> Verdicts {
    let settings = &server.settings;
    let number = |name: &str| settings.get(name).and_then(|value| value.parse::<i64>().ok());
    let slots = i64::try_from(server.slots.len()).unwrap_or(i64::MAX);
    let force_ssl = match settings.get("rds.force_ssl").map(String::as_str) {
        Some("on" | "1") => "The server refuses connections without TLS.",
        Some(_) => "The server also accepts connections without TLS.",
        None => "Whether the server refuses connections without TLS is not shown by a setting.",
    };
    let memory = settings.get("logical_decoding_work_mem").map_or_else(
        || "This version has no limit to the memory of logical decoding.".to_owned(),
        |kilobytes| {
            format!(
                "Logical decoding keeps up to {kilobytes} kB of changes in memory for each pipe, and spills the rest to disk."
            )
        },
    );
    Verdicts::from([
        ("param.rds.logical_replication", logical_replication(settings)),
        ("param.wal_level", wal_level(settings)),
        ("param.max_wal_senders", places("max_wal_senders", number("max_wal_senders"), server.activity.senders, SENDERS)),
        ("param.max_replication_slots", places("max_replication_slots", number("max_replication_slots"), slots, 1)),
        ("param.wal_sender_timeout", wal_sender_timeout(number("wal_sender_timeout"))),
        ("param.max_slot_wal_keep_size", keep_size(number("max_slot_wal_keep_size"))),
        ("param.idle_replication_slot_timeout", idle_timeout(number("idle_replication_slot_timeout"))),
        ("param.logical_decoding_work_mem", pass(memory)),
        (
            "tls.force_ssl",
            pass(format!("{force_ssl} ClickPipes verifies the server with the certificate authority it is given.")),
        ),
    ])
}

fn logical_replication(settings: &BTreeMap<String, String>) -> Verdict {
    const NAME: &str = "rds.logical_replication";
    match settings.get(NAME).map(String::as_str) {
        None => skip(format!("This server has no setting {NAME}.")),
        Some("on" | "1") => pass(format!("{NAME} is on.")),
        Some(value) => fail(
            format!("{NAME} is {value}, so nothing can be replicated."),
            format!("{}\nreboot = \"writer\"", remedy(NAME, "1")),
        ),
    }
}

fn wal_level(settings: &BTreeMap<String, String>) -> Verdict {
    // From PostgreSQL 19 on, the level in effect rises with the first logical slot.
    let value = settings.get("effective_wal_level").or(settings.get("wal_level")).map_or("", String::as_str);
    judge(value == "logical", "wal_level is logical.", || {
        let how = if settings.contains_key("rds.logical_replication") {
            format!("{}\nreboot = \"writer\"", remedy("rds.logical_replication", "1"))
        } else {
            "ALTER SYSTEM SET wal_level = 'logical';\n-- Then restart the server.".to_owned()
        };
        fail(format!("wal_level is {value:?}; a pipe needs logical."), how)
    })
}

/// Places of which one has to be free.
fn places(name: &str, there_are: Option<i64>, taken: i64, needed: i64) -> Verdict {
    let Some(there_are) = there_are else { return unknown(format!("{name} is not shown.")) };
    let more = || remedy(name, &(taken.max(needed) + 10).to_string());
    match there_are {
        there_are if there_are < needed => fail(format!("{name} is {there_are}; a pipe needs at least {needed}."), more()),
        there_are if there_are > taken => pass(format!("{taken} of {there_are} are taken ({name}).")),
        // A sender is free again when its client goes; a slot stays.
        there_are if name == "max_wal_senders" => {
            warn(format!("All {there_are} of {name} are taken now, and a pipe needs one."), more())
        }
        there_are => fail(format!("All {there_are} of {name} are taken, and a pipe needs one."), more()),
    }
}

fn wal_sender_timeout(milliseconds: Option<i64>) -> Verdict {
    const NAME: &str = "wal_sender_timeout";
    match milliseconds {
        None => unknown(format!("{NAME} is not shown.")),
        Some(0) => pass(format!("{NAME} is off.")),
        Some(time) if time >= FIVE_MINUTES => pass(format!("{NAME} is {time} ms.")),
        Some(time) => warn(
            format!(
                "{NAME} is {time} ms. A pipe that is busy for longer loses its connection and begins the transaction again; 0 turns it off."
            ),
            remedy(NAME, "0"),
        ),
    }
}

fn keep_size(megabytes: Option<i64>) -> Verdict {
    const NAME: &str = "max_slot_wal_keep_size";
    match megabytes {
        None => skip(format!("This version has no {NAME}.")),
        Some(-1) => pass("A slot retains as much WAL as its pipe needs."),
        Some(size) if size >= KEPT_MEGABYTES => pass(format!("A slot retains up to {size} MB of WAL.")),
        Some(size) => warn(
            format!(
                "{NAME} is {size} MB. A pipe that is paused for longer than that lasts loses its slot and has to copy everything again."
            ),
            remedy(NAME, "-1"),
        ),
    }
}

fn idle_timeout(value: Option<i64>) -> Verdict {
    const NAME: &str = "idle_replication_slot_timeout";
    match value {
        None => skip(format!("This version has no {NAME}.")),
        Some(0) => pass("A slot is kept however long its pipe is paused."),
        Some(time) => warn(
            format!("{NAME} is {time}: a pipe that is paused for longer loses its slot and has to copy everything again."),
            remedy(NAME, "0"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::super::fixture::server;
    use super::*;

    fn with(name: &str, value: Option<&str>) -> Verdicts {
        let mut facts = server();
        match value {
            Some(value) => drop(facts.settings.insert(name.to_owned(), value.to_owned())),
            None => drop(facts.settings.remove(name)),
        }
        verdicts(&facts)
    }

    #[test]
    fn each_limit_is_where_the_pipe_meets_it() {
        use Status::{Fail, Pass, Skipped};
        for (name, value, expected, is_mild) in [
            ("max_wal_senders", Some("1"), Fail, false),
            ("max_wal_senders", Some("2"), Pass, false),
            ("max_replication_slots", Some("0"), Fail, false),
            ("max_replication_slots", Some("1"), Pass, false),
            ("wal_sender_timeout", Some("299999"), Fail, true),
            ("wal_sender_timeout", Some("300000"), Pass, false),
            ("wal_sender_timeout", Some("0"), Pass, false),
            ("max_slot_wal_keep_size", Some("102399"), Fail, true),
            ("max_slot_wal_keep_size", Some("102400"), Pass, false),
            ("max_slot_wal_keep_size", None, Skipped, false),
            ("idle_replication_slot_timeout", Some("60"), Fail, true),
            ("idle_replication_slot_timeout", Some("0"), Pass, false),
            ("rds.logical_replication", Some("off"), Fail, false),
            ("rds.logical_replication", None, Skipped, false),
            ("wal_level", Some("replica"), Fail, false),
        ] {
            let id = format!("param.{name}");
            let verdict = with(name, value).remove(id.as_str()).unwrap();
            assert_eq!((verdict.status, verdict.is_mild), (expected, is_mild), "{name} {value:?}: {verdict:?}");
        }
        assert_eq!(with("effective_wal_level", Some("replica"))["param.wal_level"].status, Fail);
    }

    #[test]
    fn a_full_server_says_so() {
        let mut facts = server();
        facts.activity.senders = 10;
        let verdict = &verdicts(&facts)["param.max_wal_senders"];
        assert!(verdict.is_mild && verdict.message.contains("All 10"), "{verdict:?}");
        facts.settings.insert("max_replication_slots".to_owned(), "1".to_owned());
        facts.slots = vec![super::super::fixture::slot("other")];
        let verdict = &verdicts(&facts)["param.max_replication_slots"];
        assert!(verdict.status == Status::Fail && !verdict.is_mild, "{verdict:?}");
    }
}
