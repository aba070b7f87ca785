//! What the operations of a source mean to the users of the database. Pure.

use super::diff::turns_logical_replication_off;
use super::operation::Operation;
use super::schema::Source;
use crate::cluster::LOGICAL_REPLICATION;
use crate::resource::change::{Change, Effect, Restarts};

/// What an operation means to the users of the database.
pub(super) fn effect(operation: &Operation, change: &Change<'_, Source>) -> Effect {
    let stops = |touches_it: bool| touches_it && turns_logical_replication_off(change);
    let is_it = |name: &str| name == LOGICAL_REPLICATION;
    match operation {
        Operation::AttachGroup { .. } => Effect { pipe_stops: stops(true), ..Effect::default() },
        Operation::ModifyGroup { parameters, .. } => {
            Effect { pipe_stops: stops(parameters.iter().any(|(name, ..)| is_it(name))), ..Effect::default() }
        }
        Operation::ResetGroup { parameters, .. } => {
            Effect { pipe_stops: stops(parameters.iter().any(|(name, _)| is_it(name))), ..Effect::default() }
        }
        Operation::RebootWriter { .. } | Operation::RebootWriterIfWaiting { .. } => {
            let together = change.basis().is_some_and(|basis| basis.found.readers_restart_with_writer());
            let restarts = if together { Restarts::All } else { Restarts::Writer };
            // It may be the reboot alone that puts a value into effect.
            Effect { restarts, pipe_stops: stops(true), ..Effect::default() }
        }
        Operation::RebootOthers { .. } => Effect { restarts: Restarts::Readers, ..Effect::default() },
        // A pipe that logs in with IAM cannot connect any more.
        Operation::SetIamAuthentication { on, .. } => Effect { pipe_stops: !on, ..Effect::default() },
        Operation::DeleteGroup { .. } => Effect { destructive: true, ..Effect::default() },
        Operation::CreateGroup { .. } | Operation::TagGroup { .. } | Operation::UntagGroup { .. } => Effect::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::diff::diff;
    use super::super::fixture::desired;
    use super::super::observed::Observed;
    use super::*;
    use crate::cluster::fixture::*;

    fn of(before: &str, after: Option<&str>) -> Vec<Effect> {
        let now = Observed::from(settled());
        let before = desired(before, &[]);
        let after = after.map(|value| desired("all", &[("rds.logical_replication", value)]));
        let change = Change { after: after.as_ref(), ..Change::drift(&before, &now) };
        diff(&change).unwrap().unwrap().iter().map(|operation| effect(operation, &change)).collect()
    }

    #[test]
    fn turning_logical_replication_off_stops_pipes() {
        let stops = |effects: Vec<Effect>| effects.iter().map(|effect| effect.pipe_stops).collect::<Vec<_>>();
        // The previous group attached, the reboot, ours deleted.
        assert_eq!(stops(of("writer", None)), [true, true, false]);
        // The parameter modified, then the writer and the others rebooted.
        assert_eq!(stops(of("never", Some("0"))), [true, true, false]);
        assert!(of("all", Some("1")).is_empty());
    }

    #[test]
    fn only_deleting_the_group_is_destructive() {
        assert_eq!(of("never", None).iter().map(|effect| effect.destructive).collect::<Vec<_>>(), [false, true]);
    }
}
