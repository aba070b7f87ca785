//! `clickpipes_drop_replication_slot`: drops a slot that nothing reads from.

mod statement;

use std::time::Duration;

use super::{Action, Progress};
use crate::catalogue::slot::{AnySlot, slots};
use crate::failure::{Attempt, Failure};
use crate::names;
use crate::postgres::Server;
use crate::printable::printable_line;
use crate::provider::Context;
use crate::terraform::{Attr, AttributePath, Configured, Diagnostic, Diagnostics, model, optional, required};

/// How long the turn of the database and the drop may take.
const LIMIT: Duration = Duration::from_secs(60);
/// The longest name of a slot.
const LONGEST: usize = 63;

model! {
    /// Drops one inactive replication slot, so that its WAL can be removed: one that a deleted pipe has left behind, for instance.
    ///
    /// What would have read from the slot has to copy everything again. A slot that something reads from is not dropped.
    pub struct DropReplicationSlotModel {
        /// Cluster of the slot. Default: the server that the provider block connects to.
        cluster_identifier: String => optional(),
        /// Name of the slot.
        name: String => required(),
    }
}

/// The action.
pub(crate) struct DropReplicationSlot;

impl Configured for DropReplicationSlot {
    const TYPE_NAME: &'static str = "clickpipes_drop_replication_slot";
    type Model = DropReplicationSlotModel;

    fn validate(config: &DropReplicationSlotModel) -> Diagnostics {
        let mut faults = Diagnostics::new();
        faults.absorb(names::cluster(&config.cluster_identifier));
        let is_name = |name: &String| {
            let is_letter = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_');
            !name.is_empty() && name.len() <= LONGEST && name.chars().all(is_letter)
        };
        if config.name.known().is_some_and(|name| !is_name(name)) {
            let fault = "a slot has 1 to 63 lower-case letters, digits and underscores";
            faults.push(Diagnostic::invalid("name", fault));
        }
        faults
    }
}

impl Action for DropReplicationSlot {
    async fn plan(context: &Context, config: &DropReplicationSlotModel) -> Result<Diagnostics, Failure> {
        let (Attr::Known(name), false) = (&config.name, config.cluster_identifier.is_unknown()) else {
            return Ok(Diagnostics::new());
        };
        let look = |context: Context| async move {
            let server = server(&context, config).await?;
            let reader = server.read(&server.settings().database, context.cancel()).await?;
            Ok(slots(&reader, None).await?)
        };
        let found = context.in_time("looking for the slot", look).await?;
        Ok(announced(name, find(name, &found)).into())
    }

    async fn invoke(context: &Context, config: &DropReplicationSlotModel, progress: &Progress) -> Result<Diagnostics, Failure> {
        let name = config.name.known().map(String::as_str).unwrap_or_default();
        let drop = |context: Context| async move {
            let server = server(&context, config).await?;
            Ok(drop_slot(&context, &server, name, progress).await?)
        };
        context.in_time("dropping the slot", drop).await.map(|()| Diagnostics::new())
    }
}

async fn server(context: &Context, config: &DropReplicationSlotModel) -> Result<Server, Failure> {
    context.postgres(config.cluster_identifier.known().map(String::as_str)).await
}

async fn drop_slot(context: &Context, server: &Server, name: &str, progress: &Progress) -> Result<(), Attempt> {
    let database = &server.settings().database;
    let transaction = server.write(database, LIMIT, context.cancel()).await?;
    let found = transaction.begin(async { Ok::<_, Attempt>(slots(transaction.reader(), None).await?) }).await?;
    if let Some(refusal) = refusal(name, find(name, &found)) {
        return Err(refusal.into());
    }
    progress.say(format!("Dropping the replication slot {name}"));
    let left = transaction
        .execute(&[statement::drop_slot(name)], async { Ok::<_, Attempt>(slots(transaction.reader(), None).await?) })
        .await?;
    transaction.commit().await?;
    match find(name, &left) {
        None => {
            progress.say(format!("The replication slot {name} is gone"));
            Ok(())
        }
        Some(_) => {
            let detail = "The server dropped it, and lists it still. Something has created it again.";
            Err(Diagnostic::error(format!("Replication slot {name} is still there"), detail).at(AttributePath::of("name")).into())
        }
    }
}

fn find<'a>(name: &str, slots: &'a [AnySlot]) -> Option<&'a AnySlot> {
    slots.iter().find(|slot| slot.name == name)
}

/// What a reviewer should know.
fn announced(name: &str, slot: Option<&AnySlot>) -> Diagnostic {
    if let Some(refusal) = refusal(name, slot) {
        return Diagnostic { severity: crate::terraform::Severity::Warning, ..refusal };
    }
    let retained = slot.and_then(|slot| slot.lag_bytes).unwrap_or(0) >> 20;
    let of = slot.and_then(|slot| slot.database.as_deref()).map(|name| format!(" of database {}", printable_line(name)));
    let detail = format!(
        "It retains {retained} MB of WAL{}. What would have read from it has to copy everything again.",
        of.map(|of| format!(", and belongs to a pipe{of}")).unwrap_or_default()
    );
    Diagnostic::warning(format!("Replication slot {name} is dropped"), detail).at(AttributePath::of("name"))
}

/// Why it cannot be dropped.
fn refusal(name: &str, slot: Option<&AnySlot>) -> Option<Diagnostic> {
    let (summary, detail) = match slot {
        None => (
            format!("Replication slot {name} not found"),
            "The server has no slot of this name. It may have been dropped already; otherwise correct the name.",
        ),
        Some(slot) if slot.active => (
            format!("Replication slot {name} is in use"),
            "Something reads from it now, so it is not dropped. Pause or delete the pipe first.",
        ),
        Some(_) => return None,
    };
    Some(Diagnostic::error(summary, detail).at(AttributePath::of("name")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(active: bool) -> AnySlot {
        AnySlot {
            name: "p".to_owned(),
            database: Some("app".to_owned()),
            plugin: Some("pgoutput".to_owned()),
            active,
            lag_bytes: Some(7 << 20),
            wal_status: None,
            invalidation_reason: None,
        }
    }

    #[test]
    fn only_a_slot_that_nothing_reads_from_is_dropped() {
        assert!(refusal("p", Some(&slot(false))).is_none());
        assert!(refusal("p", Some(&slot(true))).is_some_and(|refusal| refusal.summary.contains("in use")));
        assert!(refusal("p", None).is_some_and(|refusal| refusal.summary.contains("not found")));
        assert!(announced("p", Some(&slot(false))).detail.contains("7 MB of WAL, and belongs to a pipe of database app"));
    }

    #[test]
    fn a_name_that_no_slot_can_have_is_refused() {
        let faults =
            |name: &str| DropReplicationSlot::validate(&DropReplicationSlotModel { name: name.into(), ..Default::default() });
        assert!(faults("peerflow_slot_1").is_empty());
        for name in ["", "Slot", "a'b", &"a".repeat(64)] {
            assert!(faults(name).has_errors(), "{name}");
        }
    }
}
