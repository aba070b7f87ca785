//! From what is observed back to what was there before: the operations of a destroy. Pure.

use super::diff::{PREVIOUS_TAG, reboots, refuse_pending_values};
use super::model::{LOGICAL_REPLICATION, RebootPolicy};
use super::notice;
use super::observe::Observed;
use super::request::{Operation, lines};
use crate::rds::parameter_group::default_group;
use crate::terraform::{Diagnostic, Diagnostics};

/// What a destroy does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Undo {
    pub(super) operations: Vec<Operation>,
    /// Whether logical replication goes off by it, at once or at the next reboot.
    pub(super) turns_logical_replication_off: bool,
    pub(super) warnings: Diagnostics,
}

/// Operations that undo what the resource did: the previous group again, ours deleted.
pub(super) fn undo(observed: &Observed, policy: RebootPolicy) -> Result<Undo, Diagnostics> {
    let id = &observed.cluster.identifier;
    let mut undo = Undo::default();
    if observed.attached.belongs_to(id) {
        refuse_pending_values(observed)?;
        let previous = previous_name(observed);
        if let Some(recorded) = observed.attached.tags.get(PREVIOUS_TAG).filter(|recorded| **recorded != previous) {
            undo.warnings.push(Diagnostic::warning(
                "The previous parameter group cannot be attached again",
                format!(
                    "Parameter group {recorded} was attached to cluster {id} before; it is gone, or of another family. {previous} is attached instead."
                ),
            ));
        }
        undo.operations.push(Operation::AttachGroup { cluster: id.clone(), group: previous });
        undo.operations.extend(reboots(observed, policy, &undo.operations));
        undo.operations.push(Operation::DeleteGroup { name: observed.attached.name.clone() });
        let stays_on = observed.previous.as_ref().is_some_and(|group| group.holds(LOGICAL_REPLICATION, "1"));
        undo.turns_logical_replication_off = observed.attached.holds(LOGICAL_REPLICATION, "1") && !stays_on;
    }
    let detached = [&observed.named, &observed.left_over].into_iter().flatten().filter(|group| group.belongs_to(id));
    undo.operations.extend(detached.map(|group| Operation::DeleteGroup { name: group.name.clone() }));
    undo.warnings.extend(notice::of_change(observed, policy, &undo.operations));
    Ok(undo)
}

/// The warning of a destroy plan, which has no values to show operations in.
pub(super) fn announce(observed: &Observed, operations: &[Operation]) -> Diagnostic {
    let id = &observed.cluster.identifier;
    if operations.is_empty() {
        return Diagnostic::warning(
            "Destroying changes nothing",
            format!("No parameter group was made for cluster {id}, so nothing is undone: its parameters stay as they are."),
        );
    }
    Diagnostic::warning("Operations of this destroy", format!("For cluster {id}:\n  {}", lines(operations).join("\n  ")))
}

/// The group that was attached before, or AWS's own if that one is gone.
fn previous_name(observed: &Observed) -> String {
    observed.previous.as_ref().map_or_else(|| default_group(&observed.family), |group| group.name.clone())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;

    const DEFAULT: &str = "default.aurora-postgresql16";

    #[test]
    fn the_previous_group_comes_back_and_ours_goes() {
        let undo = undo(&settled(), RebootPolicy::Writer).unwrap();
        assert_eq!(
            lines(&undo.operations),
            [
                "ModifyDBCluster shop: parameter group default.aurora-postgresql16, immediately",
                "RebootDBInstance <the writer of shop>",
                "DeleteDBClusterParameterGroup clickpipes-shop-aurora-postgresql16",
            ]
        );
        assert!(undo.turns_logical_replication_off);
        assert!(undo.warnings.iter().all(|warning| warning.summary == "This change reboots the database"));
    }

    #[test]
    fn logical_replication_that_was_on_before_stays_on() {
        let on = group("shop-custom", &[("rds.logical_replication", "1")]);
        let undo = undo(&Observed { previous: Some(on), ..settled() }, RebootPolicy::Never).unwrap();
        assert!(!undo.turns_logical_replication_off);
        assert_eq!(undo.operations[0].to_string(), "ModifyDBCluster shop: parameter group shop-custom, immediately");
    }

    #[test]
    fn a_previous_group_that_is_gone_is_replaced_by_the_default_with_a_warning() {
        let ours = our_group(OURS, "shop-custom", &[("rds.logical_replication", "1")]);
        let undo = undo(&Observed { previous: Some(group(DEFAULT, &[])), ..observed(ours) }, RebootPolicy::Never).unwrap();
        assert!(undo.warnings.iter().any(|warning| warning.detail.contains("shop-custom")), "{:?}", undo.warnings);
    }

    #[test]
    fn nothing_done_means_nothing_undone() {
        let own = observed(group("shop-custom", &[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")]));
        let undo = undo(&own, RebootPolicy::All).unwrap();
        assert_eq!(undo, Undo::default());
        assert_eq!(announce(&own, &undo.operations).summary, "Destroying changes nothing");
    }

    #[test]
    fn a_group_of_ours_that_somebody_detached_is_deleted_only() {
        let detached = Observed { named: Some(our_group(OURS, DEFAULT, &[])), ..observed(group(DEFAULT, &[])) };
        let undo = undo(&detached, RebootPolicy::All).unwrap();
        assert_eq!(lines(&undo.operations), ["DeleteDBClusterParameterGroup clickpipes-shop-aurora-postgresql16"]);
    }
}
