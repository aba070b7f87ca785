use super::super::diff;
use super::*;
use crate::cluster::fixture::*;
use crate::cluster::{Group, Remembered};
use crate::resource::aurora_source::fixture::desired_in;
use crate::resource::change::{Change, lines};

const WRITER: &str = "RebootDBInstance <the writer of shop>";

fn shown(observed: &Observed, parameters: &[(&str, &str)]) -> Vec<String> {
    let desired = desired_in("in_place", "never", parameters);
    lines(&set_up(observed, &desired, Some(&desired)).unwrap())
}

fn undone(observed: &Observed, policy: &str) -> Vec<String> {
    let before = desired_in("in_place", policy, &[]);
    lines(&diff(&Change::destroy(&before, &observed.clone().into())).unwrap().unwrap())
}

/// The group after our change, with what was before: one value set, one not.
fn changed() -> Observed {
    let mut attached =
        group("shop-custom", &[("rds.logical_replication", "1"), ("wal_sender_timeout", "0"), ("work_mem", "65536")]);
    tag(&mut attached, "rds.logical_replication", None);
    tag(&mut attached, "wal_sender_timeout", Some("30000"));
    let remembered = Remembered::of_tags(&attached.tags);
    Observed { remembered, ..observed(attached) }
}

fn tag(group: &mut Group, parameter: &str, value: Option<&str>) {
    group.tags.insert(value_tag(parameter), value_text(value).unwrap());
}

#[test]
fn only_what_differs_is_set_and_what_it_was_is_tagged_first() {
    let own = observed(group("shop-custom", &[("wal_sender_timeout", "30000"), ("work_mem", "65536")]));
    assert_eq!(
        shown(&own, &[]),
        [
            "AddTagsToResource shop-custom: clickpipes:previous-value:rds.logical_replication=unset, \
             clickpipes:previous-value:wal_sender_timeout=set:30000",
            "ModifyDBClusterParameterGroup shop-custom: rds.logical_replication = 1 (pending-reboot), wal_sender_timeout = 0 (immediate)",
        ]
    );
    assert!(shown(&changed(), &[]).is_empty());
}

#[test]
fn what_was_before_is_remembered_once() {
    let mut drifted = changed();
    drifted.attached.settings.get_mut("wal_sender_timeout").unwrap().value = Some("5".to_owned());
    assert_eq!(shown(&drifted, &[]), ["ModifyDBClusterParameterGroup shop-custom: wal_sender_timeout = 0 (immediate)"]);
    // A lost tag is restored from what is stored beside the state.
    let mut stripped = changed();
    stripped.attached.tags.remove(&value_tag("wal_sender_timeout"));
    assert_eq!(shown(&stripped, &[]), ["AddTagsToResource shop-custom: clickpipes:previous-value:wal_sender_timeout=set:30000"]);
}

#[test]
fn a_parameter_taken_out_returns_to_what_it_was() {
    let mut set = changed();
    for (parameter, before) in [("work_mem", Some("128")), ("max_wal_senders", None)] {
        tag(&mut set.attached, parameter, before);
    }
    set.attached.settings.get_mut("max_wal_senders").unwrap().user_set = true;
    set.remembered = Remembered::of_tags(&set.attached.tags);
    assert_eq!(
        shown(&set, &[]),
        [
            "ModifyDBClusterParameterGroup shop-custom: work_mem = 128 (immediate)",
            "ResetDBClusterParameterGroup shop-custom: max_wal_senders (pending-reboot)",
            "RemoveTagsFromResource shop-custom: clickpipes:previous-value:max_wal_senders, clickpipes:previous-value:work_mem",
        ]
    );
    // Not by tags alone: whoever may tag could change any parameter.
    assert!(set_up(&set, &desired_in("in_place", "never", &[]), None).unwrap().is_empty());
}

#[test]
fn a_destroy_restores_what_was_set_here_and_nothing_else() {
    let restored = [
        "ModifyDBClusterParameterGroup shop-custom: wal_sender_timeout = 30000 (immediate)",
        "ResetDBClusterParameterGroup shop-custom: rds.logical_replication (pending-reboot)",
    ];
    let forgotten = "RemoveTagsFromResource shop-custom: clickpipes:previous-value:rds.logical_replication, \
                     clickpipes:previous-value:wal_sender_timeout";
    assert_eq!(undone(&changed(), "writer"), [restored[0], restored[1], WRITER, forgotten]);
    assert_eq!(undone(&changed(), "never"), [restored[0], restored[1], forgotten]);
    let own = observed(group("shop-custom", &[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")]));
    assert!(undone(&waiting(own, &["shop-b"]), "all").is_empty());
}

#[test]
fn a_destroy_that_stopped_at_the_reboot_goes_on_with_it() {
    let restored = group("shop-custom", &[("wal_sender_timeout", "30000"), ("work_mem", "65536")]);
    let tags = changed().attached.tags;
    let mut half = Observed { attached: Group { tags, ..restored }, ..changed() };
    half = waiting(half, &["shop-b"]);
    let undone = undone(&half, "writer");
    assert_eq!(undone[0], WRITER);
    assert!(undone[1].starts_with("RemoveTagsFromResource") && undone.len() == 2, "{undone:?}");
}

#[test]
fn iam_authentication_is_turned_off_before_its_tag_is_removed() {
    let mut enabled = changed();
    enabled.cluster.iam_authentication = true;
    enabled.attached.tags.insert(IAM_TAG.to_owned(), "off".to_owned());
    enabled.remembered = Remembered::of_tags(&enabled.attached.tags);
    for policy in ["never", "writer"] {
        let undone = undone(&enabled, policy);
        let at = |start: &str| undone.iter().position(|line| line.starts_with(start)).unwrap();
        assert!(at("ModifyDBCluster shop: IAM") < at("RemoveTagsFromResource"), "{undone:?}");
        assert!(undone.last().unwrap().contains(IAM_TAG), "{undone:?}");
    }
}

#[test]
fn the_group_of_aws_and_a_value_that_fits_into_no_tag_are_refused() {
    let refused = |observed: &Observed| set_up(observed, &desired_in("in_place", "never", &[]), None).unwrap_err();
    let refusal = refused(&observed(group(DEFAULT, &[])));
    assert!(
        refusal.iter().any(|refusal| refusal.detail.contains("dedicated") && refusal.detail.contains(DEFAULT)),
        "{refusal:?}"
    );
    let long = "x".repeat(300);
    let refusal = refused(&observed(group("shop-custom", &[("wal_sender_timeout", &long)])));
    assert!(refusal.iter().any(|refusal| refusal.summary.contains("wal_sender_timeout")), "{refusal:?}");
}

#[test]
fn turning_it_off_again_counts_as_such() {
    use super::super::turns_logical_replication_off;
    let before = desired_in("in_place", "never", &[]);
    let off = |observed: &Observed| turns_logical_replication_off(&Change::destroy(&before, &observed.clone().into()));
    assert!(off(&changed()));
    let mut was_on = changed();
    was_on.remembered.values.insert("rds.logical_replication".to_owned(), Some("1".to_owned()));
    assert!(!off(&was_on));
    was_on.remembered.values.clear();
    assert!(!off(&was_on));
}
