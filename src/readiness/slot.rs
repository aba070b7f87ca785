//! Verdicts on the replication slots of the server. Pure.

use postgres_protocol::escape::escape_literal;

use super::check::{Verdict, Verdicts, fail, judge, listed, pass, skip, warn};
use super::facts::{Facts, ServerFacts};
use crate::catalogue::slot::AnySlot;

/// How the slots that ClickPipes creates begin.
const OF_CLICKPIPES: &str = "peerflow_slot_";
/// From how much retained WAL on ClickPipes sends an alert, in bytes.
const MUCH: i64 = 5000 << 20;

/// The verdicts.
pub(super) fn verdicts(server: &ServerFacts, facts: &Facts) -> Verdicts {
    let slots = &server.slots;
    let wanted = facts.pipe.slot.as_deref();
    Verdicts::from([
        ("slot.name_free", wanted.map_or_else(|| skip("No replication_slot_name is given."), |name| is_free(name, slots))),
        ("slot.wal_status", wal_status(wanted, slots)),
        ("slot.retained_bytes", retained(slots)),
        ("slot.inactive_peerflow", inactive(slots)),
        ("upgrade.slots", pass(upgrade(server))),
    ])
}

fn drop_slot(slot: &AnySlot) -> String {
    format!("-- if nothing reads from it any more:\nSELECT pg_catalog.pg_drop_replication_slot({});", escape_literal(&slot.name))
}

fn drop_slots(slots: &[&AnySlot]) -> String {
    slots.iter().map(|slot| drop_slot(slot)).collect::<Vec<_>>().join("\n")
}

fn names(slots: &[&AnySlot]) -> String {
    listed(&slots.iter().map(|slot| slot.name.as_str()).collect::<Vec<_>>())
}

fn is_free(name: &str, slots: &[AnySlot]) -> Verdict {
    match slots.iter().find(|slot| slot.name == name) {
        None => pass(format!("There is no slot {name:?} yet.")),
        Some(slot) => {
            let database = slot.database.as_deref().map(|name| format!(" in database {name:?}")).unwrap_or_default();
            let state = if slot.active { "something reads from it" } else { "nothing reads from it" };
            fail(format!("There is a slot {name:?} already{database}, and {state}."), drop_slot(slot))
        }
    }
}

/// A slot that is lost matters to the pipe that has it.
fn wal_status(wanted: Option<&str>, slots: &[AnySlot]) -> Verdict {
    let is_lost = |slot: &&AnySlot| slot.wal_status.as_deref() == Some("lost") || slot.invalidation_reason.is_some();
    let lost: Vec<&AnySlot> = slots.iter().filter(is_lost).collect();
    let concerns = |slot: &&AnySlot| slot.name.starts_with(OF_CLICKPIPES) || Some(slot.name.as_str()) == wanted;
    let message = || format!("These slots are lost, and what reads from them has to copy everything again: {}.", names(&lost));
    match (lost.is_empty(), lost.iter().any(concerns)) {
        (true, _) => pass("No slot is lost."),
        (false, true) => fail(message(), drop_slots(&lost)),
        (false, false) => warn(message(), drop_slots(&lost)),
    }
}

fn retained(slots: &[AnySlot]) -> Verdict {
    let much: Vec<&AnySlot> = slots.iter().filter(|slot| slot.lag_bytes.is_some_and(|bytes| bytes >= MUCH)).collect();
    judge(much.is_empty(), "No slot retains 5000 MB of WAL or more.", || {
        let sizes: Vec<String> =
            much.iter().map(|slot| format!("{} ({} MB)", slot.name, slot.lag_bytes.unwrap_or(0) >> 20)).collect();
        warn(format!("These slots retain much WAL: {}.", listed(&sizes)), drop_slots(&much))
    })
}

fn inactive(slots: &[AnySlot]) -> Verdict {
    let idle: Vec<&AnySlot> = slots.iter().filter(|slot| !slot.active && slot.name.starts_with(OF_CLICKPIPES)).collect();
    judge(idle.is_empty(), "No slot of ClickPipes is left behind.", || {
        let message = format!(
            "Nothing reads from these slots of ClickPipes, which retain WAL: {}. Their pipes are paused, or gone.",
            names(&idle)
        );
        warn(message, drop_slots(&idle))
    })
}

fn upgrade(server: &ServerFacts) -> String {
    let logical: Vec<&AnySlot> = server.slots.iter().filter(|slot| slot.plugin.is_some()).collect();
    if logical.is_empty() {
        "There are no logical slots, so they do not stand in the way of a major version upgrade.".to_owned()
    } else if server.version.major() >= 17 {
        format!("A major version upgrade keeps logical slots whose pipes have read everything: {}.", names(&logical))
    } else {
        format!("A major version upgrade is refused while there are logical slots: {}.", names(&logical))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::super::fixture::{fit, server, slot};
    use super::*;

    fn with(slots: Vec<AnySlot>, wanted: &str) -> Verdicts {
        let mut facts = fit();
        facts.pipe.slot = Some(wanted.to_owned());
        verdicts(&ServerFacts { slots, ..server() }, &facts)
    }

    #[test]
    fn a_slot_of_that_name_may_be_in_any_database() {
        let verdict = &with(vec![slot("p")], "p")["slot.name_free"];
        assert!(verdict.status == Status::Fail && verdict.message.contains("in database \"other\""), "{verdict:?}");
        assert_eq!(with(vec![slot("p")], "q")["slot.name_free"].status, Status::Pass);
    }

    #[test]
    fn a_lost_slot_of_somebody_else_does_not_block() {
        let lost = |name: &str| AnySlot { wal_status: Some("lost".to_owned()), ..slot(name) };
        assert!(with(vec![lost("theirs")], "p")["slot.wal_status"].is_mild);
        for name in ["p", "peerflow_slot_x"] {
            let verdict = &with(vec![lost(name)], "p")["slot.wal_status"];
            assert!(verdict.status == Status::Fail && !verdict.is_mild);
        }
    }

    #[test]
    fn much_wal_and_idle_slots_of_clickpipes_are_named() {
        let retains = AnySlot { lag_bytes: Some(5000 << 20), ..slot("peerflow_slot_x") };
        let verdicts = with(vec![retains, slot("peerflow_slot_'y")], "p");
        assert!(verdicts["slot.retained_bytes"].message.contains("peerflow_slot_x (5000 MB)"));
        assert!(verdicts["slot.inactive_peerflow"].remedy.as_ref().unwrap().contains("'peerflow_slot_''y'"));
        assert!(verdicts["upgrade.slots"].message.contains("refused"));
    }
}
