//! What a state says of the cluster and of our parameter groups, as far as it can be believed: a state can be edited, and private data
//! can come from another resource. Pure.

use super::desired::Mode;
use super::message;
use super::observed::Observed;
use super::operation::Operation;
use super::schema::{AuroraSource, Source};
use crate::cluster::{self, Claims, Names, PREVIOUS_TAG, Record, default_name};
use crate::failure::Failure;
use crate::resource::change::{Look, Purpose};
use crate::terraform::{Diagnostic, Severity};

/// The stored observation, if it is of the cluster that the state describes.
pub(super) fn of_this_cluster<'a>(model: &AuroraSource, stored: Option<&'a cluster::Observed>) -> Option<&'a cluster::Observed> {
    let cluster = &stored?.cluster;
    let says = |attribute: Option<&String>, stored: &String| attribute.is_none_or(|attribute| attribute == stored);
    let is_it = says(model.cluster_identifier.known(), &cluster.identifier)
        && says(model.arn.known(), &cluster.arn)
        && says(model.cluster_resource_id.known(), &cluster.resource_id);
    stored.filter(|_| is_it)
}

/// Which groups are ours apart from their tags: those that the state records, and those that this run has created or tagged.
pub(super) fn claims(look: &Look<'_, Source>, ran: &[Operation]) -> Claims {
    let mut records: Vec<Record> = ran.iter().filter_map(recorded_by).collect();
    let of_state = look.prior.and_then(|prior| {
        let previous = prior.model.previous_parameter_group_name.known()?.clone();
        Some(Record { name: prior.model.parameter_group_name.known()?.clone(), previous: Some(previous) })
    });
    let of_look = look.recalled.into_iter().flat_map(|Observed { found, .. }| {
        // What was attached before a detached group is decided when it is attached again.
        let detached = found.detached.iter().filter_map(|group| Some(Record { previous: None, ..group.record(found.id())? }));
        found.attached.record(found.id()).into_iter().chain(detached)
    });
    // In the other modes no group is ours.
    let is_dedicated = look.prior.is_none_or(|prior| prior.arguments.mode == Mode::Dedicated);
    let known: Vec<Record> = of_state.into_iter().chain(of_look).filter(|_| is_dedicated).collect();
    let ran_on: Vec<String> = records.iter().map(|record| record.name.clone()).collect();
    records.extend(known.into_iter().filter(|record| !ran_on.contains(&record.name)));
    let is_import = look.purpose == Purpose::Read { importing: true };
    // A change from another mode may have attached one, or left it attached: of whatever name.
    let any_name = is_import || !is_dedicated;
    Claims { from_state: look.prior.is_some() && !is_import, any_name, records }
}

/// Where groups of ours may be: by the names of the configurations before and after, of the state, of the last look and of what ran. A
/// plan, its apply and the look after it see the same ones.
pub(super) fn names(look: &Look<'_, Source>, ran: &[Operation]) -> Names {
    let of_state = look.prior.and_then(|prior| prior.model.parameter_group_name.known());
    let of_look = look.recalled.into_iter().flat_map(|Observed { found, .. }| {
        std::iter::once(&found.attached.name).chain(found.detached.iter().map(|group| &group.name))
    });
    let of_run = ran.iter().filter_map(|operation| match operation {
        Operation::CreateGroup { name, .. }
        | Operation::ModifyGroup { name, .. }
        | Operation::ResetGroup { name, .. }
        | Operation::TagGroup { name, .. }
        | Operation::UntagGroup { name, .. }
        | Operation::DeleteGroup { name }
        | Operation::AttachGroup { group: name, .. } => Some(name),
        Operation::SetIamAuthentication { .. }
        | Operation::RebootWriter { .. }
        | Operation::RebootWriterIfWaiting { .. }
        | Operation::RebootOthers { .. } => None,
    });
    let of_next = [Some(look.arguments), look.desired].into_iter().flatten().filter_map(|desired| {
        let family = desired.next_family.as_ref()?;
        Some(default_name(&desired.cluster_identifier, family))
    });
    let wanted = look.desired.unwrap_or(look.arguments);
    // A destroy deletes whatever is ours, unless another cluster has it.
    let is_destroy = matches!(look.purpose, Purpose::PlanDestroy | Purpose::Destroy);
    Names {
        wanted: wanted.group_name.clone(),
        next_family: wanted.next_family.clone().filter(|_| !is_destroy),
        finds_next_family: look.purpose == Purpose::Read { importing: true },
        before: look.arguments.group_name.clone(),
        known: of_state.into_iter().chain(of_look).chain(of_run).cloned().chain(of_next).collect(),
    }
}

fn recorded_by(operation: &Operation) -> Option<Record> {
    match operation {
        Operation::CreateGroup { name, tags, .. } => {
            Some(Record { name: name.clone(), previous: tags.get(PREVIOUS_TAG).cloned() })
        }
        Operation::TagGroup { name, tags } => {
            Some(Record { name: name.clone(), previous: Some(tags.get(PREVIOUS_TAG)?.clone()) })
        }
        _ => None,
    }
}

/// Makes sure that the cluster is the one in the state. For a refresh, one that was created again under the same identifier means
/// that the one in the state is gone.
///
/// # Errors
/// Another cluster.
pub(super) fn recognise(look: &Look<'_, Source>, seen: Option<Observed>) -> Result<Option<Observed>, Failure> {
    let (Some(prior), Some(Observed { found, .. })) = (look.prior, &seen) else { return Ok(seen) };
    let (id, cluster) = (found.id(), &found.cluster);
    if let Some(arn) = prior.model.arn.known().filter(|arn| **arn != cluster.arn) {
        return Err(message::another_arn(id, arn, &cluster.arn).into());
    }
    let Some(expected) = prior.model.cluster_resource_id.known().filter(|expected| **expected != cluster.resource_id) else {
        return Ok(seen);
    };
    let another = message::another_cluster(id, expected, &cluster.resource_id);
    Err(match look.purpose {
        Purpose::Read { .. } => Failure::Missing(Diagnostic { severity: Severity::Warning, ..another }),
        _ => another.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::desired::Desired;
    use super::super::fixture::{config, config_in};
    use super::super::state;
    use super::*;
    use crate::cluster::fixture::{DEFAULT, OURS, group, observed, our_group, settled};
    use crate::rds::parameter_group::Tags;
    use crate::resource::Prior;
    use crate::terraform::Attr;

    fn prior(found: &cluster::Observed) -> Prior<AuroraSource, Desired> {
        let model = state::observed(&config("never", &[]), &found.clone().into(), false);
        let arguments = Desired::decode(&model).unwrap().unwrap();
        Prior { model, arguments }
    }

    fn look<'a>(purpose: Purpose, prior: &'a Prior<AuroraSource, Desired>, recalled: Option<&'a Observed>) -> Look<'a, Source> {
        Look { purpose, arguments: &prior.arguments, prior: Some(prior), recalled, desired: None, operations: &[] }
    }

    fn record(name: &str, previous: Option<&str>) -> Record {
        Record { name: name.to_owned(), previous: previous.map(str::to_owned) }
    }

    #[test]
    fn state_and_private_data_record_the_same_group() {
        let recalled = Observed::from(settled());
        let prior = prior(&settled());
        let claims = claims(&look(Purpose::Apply, &prior, Some(&recalled)), &[]);
        assert!(claims.from_state && !claims.any_name);
        assert_eq!(claims.records, [record(OURS, Some(DEFAULT)), record(OURS, Some(DEFAULT))]);
    }

    #[test]
    fn a_detached_group_is_recorded_by_private_data_alone() {
        let detached = cluster::Observed { detached: vec![our_group(OURS, DEFAULT, &[])], ..observed(group(DEFAULT, &[])) };
        let recalled = Observed::from(detached.clone());
        let prior = prior(&detached);
        assert_eq!(claims(&look(Purpose::Apply, &prior, Some(&recalled)), &[]).records, [record(OURS, None)]);
        assert!(claims(&look(Purpose::Apply, &prior, None), &[]).records.is_empty());
    }

    #[test]
    fn in_other_modes_no_group_is_recorded_whatever_is_attached() {
        let recalled = Observed::from(settled());
        for mode in ["in_place", "external"] {
            let model = state::observed(&config_in(mode, "never", &[]), &settled().into(), false);
            assert!(model.previous_parameter_group_name == Attr::Null);
            let arguments = Desired::decode(&model).unwrap().unwrap();
            let prior = Prior { model, arguments };
            assert!(claims(&look(Purpose::Destroy, &prior, Some(&recalled)), &[]).records.is_empty(), "{mode}");
        }
    }

    #[test]
    fn what_this_run_did_takes_precedence() {
        let recalled = Observed::from(settled());
        let prior = prior(&settled());
        let tags = Tags::from([(PREVIOUS_TAG.to_owned(), "theirs".to_owned())]);
        let ran = [
            Operation::CreateGroup { name: "shop-cdc".to_owned(), family: String::new(), tags: tags.clone() },
            Operation::TagGroup { name: OURS.to_owned(), tags },
        ];
        let claims = claims(&look(Purpose::Result, &prior, Some(&recalled)), &ran);
        assert_eq!(claims.records, [record("shop-cdc", Some("theirs")), record(OURS, Some("theirs"))]);
    }

    #[test]
    fn private_data_of_another_cluster_are_ignored() {
        let mut other = settled();
        let model = prior(&settled()).model;
        assert!(of_this_cluster(&model, Some(&other)).is_some());
        other.cluster.resource_id = "cluster-DEF".to_owned();
        assert!(of_this_cluster(&model, Some(&other)).is_none());
    }

    #[test]
    fn another_cluster_under_the_identifier_is_gone_for_a_refresh_and_an_error_for_a_change() {
        let prior = prior(&settled());
        let mut found = settled();
        assert!(recognise(&look(Purpose::Apply, &prior, None), Some(found.clone().into())).is_ok());
        found.cluster.resource_id = "cluster-DEF".to_owned();
        let seen = || Some(Observed::from(found.clone()));
        let refreshed = recognise(&look(Purpose::Read { importing: false }, &prior, None), seen());
        assert!(matches!(refreshed, Err(Failure::Missing(warning)) if warning.detail.contains("cluster-DEF")));
        let changed = recognise(&look(Purpose::Destroy, &prior, None), seen());
        assert!(matches!(changed, Err(Failure::Diagnosed(_))));
        found.cluster.arn = "arn:aws:rds:eu-west-1:999999999999:cluster:shop".to_owned();
        let elsewhere = recognise(&look(Purpose::Read { importing: false }, &prior, None), Some(found.into()));
        assert!(matches!(elsewhere, Err(Failure::Diagnosed(_))), "an account that was mixed up does not mean that it is gone");
    }
}
