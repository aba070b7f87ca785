//! The cluster `shop` as the unit tests observe it.

use super::group::{Group, OWNER_TAG, PREVIOUS_TAG, Setting};
use super::observed::Observed;
use super::owner::Owner;
use super::ownership::DESCRIPTION;
use super::parameter_value::Kind;
use crate::rds::cluster::Member;
use crate::rds::parameter_group::is_default_group;
use crate::rds::{ApplyType, Cluster, ClusterStatus, ParameterGroupStatus};

const FAMILY: &str = "aurora-postgresql16";
/// Name of the group that is created for the cluster.
pub(crate) const OURS: &str = "clickpipes-shop-aurora-postgresql16";
/// Name of AWS's own group of the family.
pub(crate) const DEFAULT: &str = "default.aurora-postgresql16";

const CATALOGUE: [(&str, Option<&str>, ApplyType, &str); 6] = [
    ("max_replication_slots", Some("20"), ApplyType::Static, "5-8388607"),
    ("max_wal_senders", Some("10"), ApplyType::Static, "5-8388607"),
    ("rds.iam_auth_for_replication", Some("0"), ApplyType::Dynamic, "0,1"),
    ("rds.logical_replication", Some("0"), ApplyType::Static, "0,1"),
    ("wal_sender_timeout", None, ApplyType::Dynamic, "0-3600000"),
    ("work_mem", None, ApplyType::Dynamic, "64-2147483647"),
];

/// A group of the catalogue with user-set values.
pub(crate) fn group(name: &str, set: &[(&str, &str)]) -> Group {
    let setting = |(name, value, apply_type, allowed): (&str, Option<&str>, ApplyType, &str)| {
        let user = set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let setting = Setting {
            user_set: user.is_some(),
            value: user.or(value.map(str::to_owned)),
            apply_type,
            kind: Kind::Number,
            allowed_values: Some(allowed.to_owned()),
            whole: true,
        };
        (name.to_owned(), setting)
    };
    Group {
        name: name.to_owned(),
        family: FAMILY.to_owned(),
        description: "Settings of the shop".to_owned(),
        tags: Default::default(),
        owner: Owner::Unjudged,
        settings: CATALOGUE.into_iter().map(setting).collect(),
    }
}

/// A group created for the cluster `shop`.
pub(crate) fn our_group(name: &str, previous: &str, set: &[(&str, &str)]) -> Group {
    let mut group = group(name, set);
    group.description = DESCRIPTION.to_owned();
    group.tags.insert(OWNER_TAG.to_owned(), "shop".to_owned());
    group.tags.insert(PREVIOUS_TAG.to_owned(), previous.to_owned());
    group
}

/// The cluster `shop` with the writer `shop-b` and the reader `shop-a`, both in-sync.
pub(crate) fn observed(attached: Group) -> Observed {
    let member = |identifier: &str, writer: bool| Member {
        identifier: identifier.to_owned(),
        writer,
        parameter_group_status: ParameterGroupStatus::InSync,
    };
    let is_theirs = attached.description != DESCRIPTION && !is_default_group(&attached.name);
    Observed {
        cluster: Cluster {
            identifier: "shop".to_owned(),
            arn: "arn:aws:rds:eu-west-1:123456789012:cluster:shop".to_owned(),
            resource_id: "cluster-ABC".to_owned(),
            engine: "aurora-postgresql".to_owned(),
            engine_version: "16.4".to_owned(),
            engine_mode: "provisioned".to_owned(),
            scalability_type: String::new(),
            status: ClusterStatus::Available,
            parameter_group: attached.name.clone(),
            members: vec![member("shop-a", false), member("shop-b", true)],
            endpoint: Some("shop.cluster-x.eu-west-1.rds.amazonaws.com".to_owned()),
            reader_endpoint: None,
            port: Some(5432),
            master_username: Some("postgres".to_owned()),
            master_user_secret_arn: None,
            iam_authentication: false,
            replication_source: None,
            global_cluster_identifier: None,
            pending_modified_values: Vec::new(),
        },
        global: None,
        region: "eu-west-1".to_owned(),
        family: FAMILY.to_owned(),
        attached,
        detached: Vec::new(),
        target_in_use: false,
        previous: None,
        next_family: None,
        shared_with: is_theirs.then(Vec::new),
        gone: false,
        unfinished: Default::default(),
        disputes: Vec::new(),
        remembered: Default::default(),
    }
}

/// The cluster with our group attached, everything in effect, and nothing set in the group before.
pub(crate) fn settled() -> Observed {
    let ours = our_group(OURS, DEFAULT, &[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")]);
    Observed { previous: Some(group(DEFAULT, &[])), ..observed(ours) }
}

/// Makes members wait for a reboot.
pub(crate) fn waiting(mut observed: Observed, members: &[&str]) -> Observed {
    for member in &mut observed.cluster.members {
        if members.contains(&member.identifier.as_str()) {
            member.parameter_group_status = ParameterGroupStatus::PendingReboot;
        }
    }
    observed
}
