//! The operations of `iam_authentication`: the cluster's own setting. Its parameter is one of the wanted ones. Pure.

use super::super::desired::{Desired, Mode};
use super::super::operation::Operation;
use crate::cluster::{IAM_OFF, IAM_TAG, Observed};
use crate::rds::parameter_group::{Tags, is_default_group};

/// Operations that turn IAM database authentication on or off. `group` is the one that is attached once the others have run; that it
/// was off before goes into a tag of that group, if this resource manages it.
pub(super) fn set_up(observed: &Observed, desired: &Desired, group: &str) -> Vec<Operation> {
    let attached = &observed.attached;
    let is_on = observed.cluster.iam_authentication;
    let change = desired.iam_authentication.filter(|on| *on != is_on);
    let is_managed = match desired.mode {
        Mode::Dedicated => group != attached.name || observed.attached_is_ours(),
        Mode::InPlace => !is_default_group(group),
        Mode::External => return Vec::new(),
    };
    let has_tag = group == attached.name && attached.tags.contains_key(IAM_TAG);
    let turned_on = change == Some(true) || (observed.remembered.iam_enabled && is_on && change.is_none());
    let mut operations = Vec::new();
    if is_managed && turned_on && !has_tag {
        let tags = Tags::from([(IAM_TAG.to_owned(), IAM_OFF.to_owned())]);
        operations.push(Operation::TagGroup { name: group.to_owned(), tags });
    }
    operations.extend(change.map(|on| set(observed, on)));
    if is_managed && change == Some(false) && has_tag {
        operations.push(Operation::UntagGroup { name: group.to_owned(), keys: vec![IAM_TAG.to_owned()] });
    }
    operations
}

/// Turns it off if this resource turned it on.
pub(super) fn undo(observed: &Observed) -> Option<Operation> {
    (observed.remembered.iam_enabled && observed.cluster.iam_authentication).then(|| set(observed, false))
}

fn set(observed: &Observed, on: bool) -> Operation {
    Operation::SetIamAuthentication { cluster: observed.id().to_owned(), on }
}
