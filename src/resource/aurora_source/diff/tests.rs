mod modes;

use super::*;
use crate::cluster::fixture::*;
use crate::cluster::{Group, OWNER_TAG, Observed};
use crate::rds::GlobalMembership;
use crate::rds::cluster::PendingValue;
use crate::resource::aurora_source::check;
use crate::resource::aurora_source::fixture::desired;
use crate::resource::aurora_source::observed::Observed as Seen;
use crate::resource::change::{Moment, Replacement, lines};

const CREATE: &str = "CreateDBClusterParameterGroup clickpipes-shop-aurora-postgresql16: family aurora-postgresql16, \
                      tags clickpipes:cluster=shop, clickpipes:previous-parameter-group=default.aurora-postgresql16";
const SET_BOTH: &str = "ModifyDBClusterParameterGroup clickpipes-shop-aurora-postgresql16: \
                        rds.logical_replication = 1 (pending-reboot), wal_sender_timeout = 0 (immediate)";
const ATTACH: &str = "ModifyDBCluster shop: parameter group clickpipes-shop-aurora-postgresql16, immediately";
const WRITER: &str = "RebootDBInstance <the writer of shop>";
const OTHERS: &str = "RebootDBInstance <each other member of shop that waits for one>";

/// The change as its plan sees it.
fn change<'a>(seen: &'a Seen, desired: &'a Desired, before: Option<&'a Desired>) -> Change<'a, Source> {
    let seen = Some(seen);
    Change { before, after: Some(desired), recalled: seen, now: seen, moment: Moment::Plan, replacement: Replacement::No }
}

/// The operations to get there.
fn to(observed: &Observed, desired: &Desired, before: Option<&Desired>) -> Result<Vec<Operation>, Diagnostics> {
    diff(&change(&observed.clone().into(), desired, before)).map(Option::unwrap)
}

#[track_caller]
fn check(observed: &Observed, desired: &Desired, expected: &[&str]) -> Diagnostics {
    let operations = to(observed, desired, Some(desired)).unwrap();
    assert_eq!(lines(&operations), expected);
    check::check(&change(&observed.clone().into(), desired, Some(desired)), Some(&operations)).warnings
}

#[track_caller]
fn refused(observed: &Observed, summary: &str, words: &[&str]) {
    let refusals = to(observed, &desired("all", &[]), None).unwrap_err();
    let refusal = refusals.iter().find(|refusal| refusal.summary == summary).unwrap_or_else(|| panic!("{refusals:?}"));
    for word in words {
        assert!(refusal.detail.contains(word), "{word} is missing in: {}", refusal.detail);
    }
}

#[test]
fn makes_a_group_attaches_it_and_reboots_as_the_policy_says() {
    let observed = observed(group(DEFAULT, &[]));
    let warnings = check(&observed, &desired("never", &[]), &[CREATE, SET_BOTH, ATTACH]);
    assert_eq!(warnings.iter().map(|warning| warning.summary.as_str()).collect::<Vec<_>>(), ["A reboot is needed"]);
    let warnings = check(&observed, &desired("writer", &[]), &[CREATE, SET_BOTH, ATTACH, WRITER]);
    assert!(warnings.iter().any(|warning| warning.detail.contains("(now shop-b)")), "{warnings:?}");
    check(&observed, &desired("all", &[]), &[CREATE, SET_BOTH, ATTACH, WRITER, OTHERS]);
}

#[test]
fn the_list_does_not_depend_on_which_member_is_the_writer() {
    let one = observed(group(DEFAULT, &[]));
    let mut other = one.clone();
    for member in &mut other.cluster.members {
        member.writer = !member.writer;
    }
    for policy in ["never", "writer", "all"] {
        let operations = |observed| to(observed, &desired(policy, &[]), None).unwrap();
        assert_eq!(operations(&one), operations(&other), "{policy}");
    }
}

#[test]
fn a_group_that_already_has_every_value_is_left_alone() {
    let own = observed(group("shop-custom", &[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")]));
    check(&own, &desired("all", &[]), &[]);
    check(&waiting(own, &["shop-a"]), &desired("all", &[]), &[OTHERS]);
}

#[test]
fn a_second_diff_is_empty_and_waiting_members_count_whatever_the_cause() {
    check(&settled(), &desired("all", &[]), &[]);
    check(&waiting(settled(), &["shop-a", "shop-b"]), &desired("never", &[]), &[]);
    check(&waiting(settled(), &["shop-a"]), &desired("writer", &[]), &[]);
    let warnings = check(&waiting(settled(), &["shop-b"]), &desired("writer", &[]), &[WRITER]);
    assert!(warnings.iter().any(|warning| warning.detail.contains("made outside Terraform")));
}

#[test]
fn carries_over_what_the_present_group_sets_and_ours_wins() {
    let observed = observed(group("shop-custom", &[("work_mem", "65536"), ("wal_sender_timeout", "30000")]));
    let operations = to(&observed, &desired("never", &[("max_wal_senders", "30")]), None).unwrap();
    assert_eq!(
        operations[1].to_string(),
        "ModifyDBClusterParameterGroup clickpipes-shop-aurora-postgresql16: max_wal_senders = 30 (pending-reboot), \
         rds.logical_replication = 1 (pending-reboot), wal_sender_timeout = 0 (immediate), work_mem = 65536 (immediate)"
    );
}

#[test]
fn more_than_twenty_parameters_take_more_than_one_call() {
    let mut attached = group("shop-custom", &[]);
    for number in 0..45 {
        let mut setting = attached.settings["work_mem"].clone();
        setting.user_set = true;
        setting.value = Some("1".to_owned());
        attached.settings.insert(format!("a{number:02}"), setting);
    }
    let operations = to(&observed(attached), &desired("never", &[]), None).unwrap();
    let sizes: Vec<usize> = operations
        .iter()
        .filter_map(|operation| match operation {
            Operation::ModifyGroup { parameters, .. } => Some(parameters.len()),
            _ => None,
        })
        .collect();
    assert_eq!(sizes, [20, 20, 7]);
}

#[test]
fn a_create_that_stopped_half_way_plans_only_what_is_missing() {
    let with_group = |ours: Group| Observed { detached: vec![ours], ..observed(group(DEFAULT, &[])) };
    check(&with_group(our_group(OURS, DEFAULT, &[])), &desired("writer", &[]), &[SET_BOTH, ATTACH, WRITER]);
    let both = [("rds.logical_replication", "1"), ("wal_sender_timeout", "0")];
    check(&with_group(our_group(OURS, DEFAULT, &both)), &desired("writer", &[]), &[ATTACH, WRITER]);
    check(&waiting(settled(), &["shop-a", "shop-b"]), &desired("writer", &[]), &[WRITER]);
}

#[test]
fn a_group_that_is_taken_up_is_compared_as_a_whole() {
    let theirs = || group("shop-custom", &[("work_mem", "65536")]);
    let planted = [("rds.logical_replication", "1"), ("wal_sender_timeout", "0"), ("max_wal_senders", "99")];
    let ours = || our_group(OURS, "shop-custom", &planted);
    let set = "ModifyDBClusterParameterGroup clickpipes-shop-aurora-postgresql16: work_mem = 65536 (immediate)";
    let reset = "ResetDBClusterParameterGroup clickpipes-shop-aurora-postgresql16: max_wal_senders (pending-reboot)";
    let created = |observed: &Observed, desired: &Desired| lines(&to(observed, desired, None).unwrap());
    let detached = Observed { detached: vec![ours()], ..observed(theirs()) };
    assert_eq!(created(&detached, &desired("never", &[])), [set, reset, ATTACH]);
    let attached = Observed { previous: Some(theirs()), ..observed(ours()) };
    assert_eq!(created(&attached, &desired("writer", &[])), [set, reset, WRITER]);
    // What is wanted, or left alone, is not in excess; nor what an existing source finds.
    assert_eq!(created(&attached, &desired("never", &[("max_wal_senders", "99")])), [set]);
    let mut left_alone = desired("never", &[]);
    left_alone.left_alone = vec!["max_wal_senders".to_owned()];
    assert_eq!(created(&attached, &left_alone), [set]);
    check(&attached, &desired("never", &[]), &[]);
    // The previous group is gone: nobody knows what was carried over.
    let gone = Observed { previous: Some(group(DEFAULT, &[])), ..attached };
    assert!(created(&gone, &desired("never", &[])).is_empty());
}

#[test]
fn a_dynamic_change_in_our_group_needs_no_reboot_and_a_static_one_does() {
    let mut drifted = settled();
    drifted.attached = our_group(OURS, DEFAULT, &[("rds.logical_replication", "1"), ("wal_sender_timeout", "60000")]);
    let set = "ModifyDBClusterParameterGroup clickpipes-shop-aurora-postgresql16: wal_sender_timeout = 0 (immediate)";
    check(&drifted, &desired("all", &[]), &[set]);
    let set = "ModifyDBClusterParameterGroup clickpipes-shop-aurora-postgresql16: max_wal_senders = 30 (pending-reboot)";
    check(&settled(), &desired("writer", &[("max_wal_senders", "30")]), &[set, WRITER]);
}

#[test]
fn a_parameter_taken_out_goes_back_to_what_the_previous_group_sets() {
    let both = [("rds.logical_replication", "1"), ("wal_sender_timeout", "0"), ("max_wal_senders", "30"), ("work_mem", "128")];
    let observed = Observed {
        previous: Some(group("shop-custom", &[("work_mem", "65536")])),
        ..observed(our_group(OURS, "shop-custom", &both))
    };
    let prior = desired("never", &[("max_wal_senders", "30"), ("work_mem", "128")]);
    let operations = to(&observed, &desired("never", &[]), Some(&prior)).unwrap();
    assert_eq!(
        lines(&operations),
        [
            "ModifyDBClusterParameterGroup clickpipes-shop-aurora-postgresql16: work_mem = 65536 (immediate)",
            "ResetDBClusterParameterGroup clickpipes-shop-aurora-postgresql16: max_wal_senders (pending-reboot)",
        ]
    );
}

#[test]
fn another_name_makes_a_new_group_and_deletes_the_old_one_after_the_reboot() {
    let mut wanted = desired("writer", &[]);
    wanted.group_name = Some("shop-cdc".to_owned());
    check(
        &settled(),
        &wanted,
        &[
            "CreateDBClusterParameterGroup shop-cdc: family aurora-postgresql16, tags clickpipes:cluster=shop, \
             clickpipes:previous-parameter-group=default.aurora-postgresql16",
            "ModifyDBClusterParameterGroup shop-cdc: rds.logical_replication = 1 (pending-reboot), wal_sender_timeout = 0 (immediate)",
            "ModifyDBCluster shop: parameter group shop-cdc, immediately",
            WRITER,
            "DeleteDBClusterParameterGroup clickpipes-shop-aurora-postgresql16",
        ],
    );
}

#[test]
fn after_a_major_upgrade_a_group_of_the_new_family_replaces_the_old_one() {
    let mut upgraded = observed(group("default.aurora-postgresql17", &[]));
    upgraded.family = "aurora-postgresql17".to_owned();
    upgraded.attached.family = upgraded.family.clone();
    upgraded.detached = vec![our_group(OURS, DEFAULT, &[("rds.logical_replication", "1")])];
    let operations = lines(&to(&upgraded, &desired("writer", &[]), None).unwrap());
    assert!(
        operations[0]
            .starts_with("CreateDBClusterParameterGroup clickpipes-shop-aurora-postgresql17: family aurora-postgresql17")
    );
    assert_eq!(operations.last().unwrap(), "DeleteDBClusterParameterGroup clickpipes-shop-aurora-postgresql16");
    assert_eq!(operations[operations.len() - 2], WRITER);
}

#[test]
fn tags_of_our_group_follow_the_configuration_and_leave_others_alone() {
    let mut tagged = settled();
    tagged.attached.tags.extend([("team".to_owned(), "shop".to_owned()), ("cost".to_owned(), "1".to_owned())]);
    let mut before = desired("never", &[]);
    before.tags = [("team".to_owned(), "shop".to_owned())].into();
    let mut after = desired("never", &[]);
    after.tags = [("stage".to_owned(), "live".to_owned())].into();
    let operations = to(&tagged, &after, Some(&before)).unwrap();
    assert_eq!(
        lines(&operations),
        [
            "AddTagsToResource clickpipes-shop-aurora-postgresql16: stage=live",
            "RemoveTagsFromResource clickpipes-shop-aurora-postgresql16: team",
        ]
    );
}

#[test]
fn refuses_clusters_that_cannot_be_a_source() {
    let with = |change: fn(&mut Observed)| {
        let mut observed = observed(group(DEFAULT, &[]));
        change(&mut observed);
        observed
    };
    refused(&with(|o| o.cluster.engine = "aurora-mysql".to_owned()), "Not an Aurora PostgreSQL cluster", &["aurora-mysql"]);
    refused(&with(|o| o.cluster.engine_version = "11.9".to_owned()), "Engine version too old", &["11.9", "12"]);
    refused(
        &with(|o| o.cluster.engine_mode = "serverless".to_owned()),
        "Aurora Serverless v1 has no logical replication",
        &["Serverless v2"],
    );
    refused(
        &with(|o| o.cluster.replication_source = Some("arn:aws:rds:eu-west-1:1:db:old".to_owned())),
        "A replica cluster cannot be a source",
        &["arn:aws:rds:eu-west-1:1:db:old"],
    );
    let secondary = with(|o| {
        o.global = Some(GlobalMembership {
            global_cluster_identifier: "world".to_owned(),
            primary: false,
            primary_arn: Some("arn:aws:rds:us-east-1:123456789012:cluster:main".to_owned()),
        });
    });
    refused(
        &secondary,
        "A secondary cluster of a global database cannot be a source",
        &["us-east-1", "arn:aws:rds:us-east-1:123456789012:cluster:main"],
    );
}

#[test]
fn refuses_a_group_of_our_name_that_is_not_ours() {
    let foreign = Observed { detached: vec![group(OURS, &[])], ..observed(group(DEFAULT, &[])) };
    refused(&foreign, "Parameter group name is taken", &[OURS, "parameter_group.name"]);
    let mut other = our_group(OURS, DEFAULT, &[]);
    other.tags.insert(OWNER_TAG.to_owned(), "another".to_owned());
    refused(&Observed { detached: vec![other], ..observed(group(DEFAULT, &[])) }, "Parameter group name is taken", &["another"]);
}

#[test]
fn refuses_to_attach_while_other_changes_wait_for_the_maintenance_window() {
    let mut pending = observed(group(DEFAULT, &[]));
    pending.cluster.pending_modified_values = vec![PendingValue { name: "EngineVersion".to_owned(), value: "16.6".to_owned() }];
    refused(&pending, "Other changes to the cluster are pending", &["EngineVersion = 16.6"]);
    pending.attached = settled().attached;
    check(&pending, &desired("all", &[]), &[]);
}

#[test]
fn refuses_parameters_that_the_family_does_not_take() {
    let observed = observed(group(DEFAULT, &[]));
    let refusals = to(&observed, &desired("never", &[("max_wal_sender", "30"), ("max_wal_senders", "3")]), None).unwrap_err();
    let summaries: Vec<&str> = refusals.iter().map(|refusal| refusal.summary.as_str()).collect();
    assert_eq!(summaries, ["Not a modifiable cluster parameter (max_wal_sender)", "Value not allowed (max_wal_senders)"]);
}

#[test]
fn the_list_does_not_depend_on_how_many_members_there_are() {
    let mut headless = observed(group(DEFAULT, &[]));
    headless.cluster.members.clear();
    check(&headless, &desired("all", &[]), &[CREATE, SET_BOTH, ATTACH, WRITER, OTHERS]);
    check(&headless, &desired("writer", &[]), &[CREATE, SET_BOTH, ATTACH, WRITER]);
}
