//! Actions. Each has its own file, with one line here that declares it and one that registers it.

mod contract;

pub(crate) mod drop_replication_slot;
pub(crate) mod prove;
pub(crate) mod reboot;

/// Every action, for a macro that takes their paths.
#[rustfmt::skip]
macro_rules! each_action {
    ($with:ident) => {
        $with![
            $crate::action::drop_replication_slot::DropReplicationSlot,
            $crate::action::prove::Prove,
            $crate::action::reboot::Reboot,
        ]
    };
}
pub(crate) use each_action;

pub(crate) use contract::{Action, Progress};
