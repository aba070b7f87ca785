//! The reboots of a change. Pure.

use super::super::desired::RebootPolicy;
use super::super::operation::Operation;
use crate::cluster::Observed;

/// The reboots that the policy allows, the writer's first. Members come and go, so it does not matter here whether there are
/// others. With `looks_again`, another resource of the same run may still make members wait: then each reboot is planned on that
/// condition.
pub(super) fn reboots(observed: &Observed, policy: RebootPolicy, before: &[Operation], looks_again: bool) -> Vec<Operation> {
    let all_wait = looks_again || before.iter().any(|operation| operation.needs_reboot(&observed.attached.name));
    let waits = |writer: bool| all_wait || observed.waiting().any(|member| member.writer == writer);
    let cluster = || observed.id().to_owned();
    // A replica has no writer.
    let writer = (policy != RebootPolicy::Never && !observed.is_read_only() && waits(true)).then(|| match looks_again {
        true => Operation::RebootWriterIfWaiting { cluster: cluster() },
        false => Operation::RebootWriter { cluster: cluster() },
    });
    let others = (policy == RebootPolicy::All && waits(false)).then(|| Operation::RebootOthers { cluster: cluster() });
    writer.into_iter().chain(others).collect()
}
