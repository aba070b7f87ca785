//! What will be observed once planned operations have run, as far as a destroy depends on it: the groups, not the members. Pure.

use super::observed::{Observed, basis};
use super::operation::Operation;
use super::remember;
use super::schema::Source;
use crate::cluster::{self, Group, Kind, OWNER_TAG, Owner, Setting};
use crate::rds::ApplyType;
use crate::resource::change::Change;

/// The cluster after the operations.
pub(super) fn foresee(change: &Change<'_, Source>, operations: &[Operation]) -> Option<Observed> {
    let mut found = basis(change)?.into_owned();
    // A complete change leaves nothing unfinished.
    found.unfinished = Default::default();
    remember::adopt(&mut found.remembered, &found.attached.tags, change.before, change.after);
    Some(after(found, operations).into())
}

/// What is found, after the operations.
pub(super) fn after(mut found: cluster::Observed, operations: &[Operation]) -> cluster::Observed {
    for operation in operations {
        run(operation, &mut found);
    }
    found.remembered.iam_enabled &= found.cluster.iam_authentication;
    found
}

fn run(operation: &Operation, found: &mut cluster::Observed) {
    match operation {
        Operation::CreateGroup { name, family, tags } => {
            found.detached.push(Group { tags: tags.clone(), ..Group::unread(name, family) });
        }
        Operation::ModifyGroup { name, parameters } => {
            let Some(group) = group(found, name) else { return };
            for (parameter, value, _) in parameters {
                set(group, parameter, Some(value.clone()));
            }
        }
        Operation::ResetGroup { name, parameters } => {
            let Some(group) = group(found, name) else { return };
            for (parameter, _) in parameters {
                set(group, parameter, None);
            }
        }
        Operation::TagGroup { name, tags } => {
            if found.attached.name == *name {
                remember::note(&mut found.remembered, tags);
            }
            let Some(group) = group(found, name) else { return };
            group.tags.extend(tags.clone());
            if group.tags.contains_key(OWNER_TAG) {
                group.owner = Owner::Unjudged;
            }
        }
        Operation::UntagGroup { name, keys } => {
            if found.attached.name == *name {
                remember::forget(&mut found.remembered, keys);
            }
            let Some(group) = group(found, name) else { return };
            group.tags.retain(|key, _| !keys.contains(key));
        }
        Operation::AttachGroup { group, .. } => attach(found, group),
        Operation::DeleteGroup { name } => found.detached.retain(|group| group.name != *name),
        Operation::SetIamAuthentication { on, .. } => {
            found.cluster.iam_authentication = *on;
            found.remembered.iam_enabled = *on;
        }
        Operation::RebootWriter { .. } | Operation::RebootWriterIfWaiting { .. } | Operation::RebootOthers { .. } => {}
    }
}

fn attach(found: &mut cluster::Observed, name: &str) {
    let Some(position) = found.detached.iter().position(|group| group.name == name) else { return };
    let attached = found.detached.remove(position);
    let was_ours = found.attached_is_ours();
    let before = std::mem::replace(&mut found.attached, attached);
    if was_ours {
        found.detached.push(before);
    } else {
        // A group of another family cannot be attached again.
        found.previous = Some(before).filter(|group| group.family == found.family);
    }
}

fn group<'a>(found: &'a mut cluster::Observed, name: &str) -> Option<&'a mut Group> {
    std::iter::once(&mut found.attached).chain(&mut found.detached).find(|group| group.name == name)
}

fn set(group: &mut Group, parameter: &str, value: Option<String>) {
    let user_set = value.is_some();
    let unknown = || Setting {
        value: None,
        apply_type: ApplyType::Static,
        user_set,
        kind: Kind::default(),
        allowed_values: None,
        whole: false,
    };
    let setting = group.settings.entry(parameter.to_owned()).or_insert_with(unknown);
    (setting.value, setting.user_set) = (value, user_set);
}

#[cfg(test)]
mod tests {
    use super::super::desired::Desired;
    use super::super::diff::diff;
    use super::super::fixture::desired;
    use super::{Change, Observed, Source, cluster, foresee};
    use crate::cluster::fixture::*;
    use crate::resource::change::{Moment, Replacement, lines};

    /// What a destroy would do after a create or, with `before`, an update.
    fn undone(now: cluster::Observed, before: Option<&Desired>, after: &Desired) -> Vec<String> {
        let now = Observed::from(now);
        let recalled = before.map(|_| &now);
        let change = Change::<Source> {
            before,
            after: Some(after),
            recalled,
            now: Some(&now),
            moment: Moment::Plan,
            replacement: Replacement::No,
        };
        let operations = diff(&change).unwrap().unwrap();
        let foreseen = foresee(&change, &operations).unwrap();
        lines(&diff(&Change::destroy(after, &foreseen)).unwrap().unwrap())
    }

    #[test]
    fn a_create_is_undone_by_attaching_what_was_attached() {
        let custom = observed(group("shop-custom", &[("work_mem", "64")]));
        assert_eq!(
            undone(custom, None, &desired("never", &[])),
            [
                "ModifyDBCluster shop: parameter group shop-custom, immediately",
                "DeleteDBClusterParameterGroup clickpipes-shop-aurora-postgresql16",
            ]
        );
    }

    #[test]
    fn what_was_in_effect_already_is_left_alone() {
        let own = observed(group("shop-custom", &[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")]));
        assert!(undone(own, None, &desired("all", &[])).is_empty());
    }

    #[test]
    fn a_new_policy_reboots_as_it_says_and_a_new_name_is_deleted() {
        let before = desired("never", &[]);
        let reboots = undone(settled(), Some(&before), &desired("writer", &[]));
        assert_eq!(reboots[1], "RebootDBInstance <the writer of shop>");
        let renamed = Desired { group_name: Some("other".to_owned()), ..desired("never", &[]) };
        assert_eq!(
            undone(settled(), Some(&before), &renamed),
            [
                "ModifyDBCluster shop: parameter group default.aurora-postgresql16, immediately",
                "DeleteDBClusterParameterGroup other",
            ]
        );
    }
}
