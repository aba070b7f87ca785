//! `clickpipes_replication_slots`: the replication slots of a server, and how much WAL each of them retains.

use super::{DataSource, Found};
use crate::catalogue::slot::{AnySlot, slots};
use crate::failure::Failure;
use crate::names;
use crate::printable::printable_line;
use crate::provider::{Context, Place};
use crate::terraform::{Attr, Configured, Diagnostics, computed, model, optional};

model! {
    /// The replication slots of a server. A pipe reads from one; a slot that nothing reads from retains WAL and holds up VACUUM, and a
    /// major version upgrade is refused while there are logical slots (before PostgreSQL 17 all of them).
    pub struct ReplicationSlotsModel {
        /// Cluster of the server. Default: the server that the provider block connects to.
        cluster_identifier: String => optional(),
        /// Database whose slots are listed. Default: all slots of the server, those of replication of the whole server included.
        database: String => optional(),
        /// The slots, sorted by name.
        slots: Vec<SlotModel> => computed(),
    }
}

model! {
    /// A replication slot.
    pub struct SlotModel {
        /// Whether something reads from it now.
        active: bool => computed(),
        /// Its database; null for a physical slot.
        database: String => computed(),
        /// Why it was invalidated, from PostgreSQL 17 on; otherwise null. An invalidated slot cannot be read again.
        invalidation_reason: String => computed(),
        /// WAL that it retains, in bytes; null if it retains none.
        lag_bytes: i64 => computed(),
        /// Its name. ClickPipes names its slots `peerflow_slot_` and the name of the pipe's mirror.
        name: String => computed(),
        /// Its output plugin, `pgoutput` for a pipe; null for a physical slot.
        plugin: String => computed(),
        /// `reserved`, `extended`, `unreserved` or `lost`, from PostgreSQL 13 on; otherwise null.
        wal_status: String => computed(),
    }
}

/// The data source.
pub(crate) struct ReplicationSlots;

impl Configured for ReplicationSlots {
    const TYPE_NAME: &'static str = "clickpipes_replication_slots";
    type Model = ReplicationSlotsModel;

    fn validate(config: &ReplicationSlotsModel) -> Diagnostics {
        names::place_faults(&config.cluster_identifier, &config.database)
    }
}

impl DataSource for ReplicationSlots {
    async fn read(context: &Context, config: &ReplicationSlotsModel) -> Result<Found<ReplicationSlotsModel>, Failure> {
        let place = Place { cluster_identifier: &config.cluster_identifier, database: &config.database };
        let database = config.database.known().map(String::as_str);
        let ask = |reader| async move { slots(&reader, database).await };
        let (found, _) = context.look(place, "listing replication slots", ask).await?;
        let slots: Vec<SlotModel> = found.into_iter().map(shown).collect();
        Ok(Found { model: ReplicationSlotsModel { slots: slots.into(), ..config.clone() }, warnings: Diagnostics::new() })
    }
}

fn shown(slot: AnySlot) -> SlotModel {
    SlotModel {
        active: slot.active.into(),
        database: text(slot.database),
        invalidation_reason: text(slot.invalidation_reason),
        lag_bytes: slot.lag_bytes.into(),
        name: text(Some(slot.name)),
        plugin: text(slot.plugin),
        wal_status: text(slot.wal_status),
    }
}

fn text(text: Option<String>) -> Attr<String> {
    text.map(|text| printable_line(&text)).into()
}
