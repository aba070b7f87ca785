//! The modes in which a parameter group is managed, and the changes between them.

use super::*;
use crate::resource::aurora_source::desired::RebootPolicy;
use crate::resource::aurora_source::fixture::desired_in;

const OTHER: &str = "RebootDBInstance <the writer of shop> if it waits for one";

fn lines_of(observed: &Observed, desired: &Desired, before: Option<&Desired>) -> Vec<String> {
    lines(&to(observed, desired, before).unwrap())
}

#[track_caller]
fn refusal(observed: &Observed, desired: &Desired, before: Option<&Desired>) -> String {
    let refusals = to(observed, desired, before).unwrap_err();
    refusals.iter().map(|refusal| format!("{}: {}", refusal.summary, refusal.detail)).collect()
}

fn ready() -> Observed {
    observed(group("shop-custom", &[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")]))
}

#[test]
fn external_sets_nothing_and_a_create_reboots_on_a_condition() {
    let bare = observed(group(DEFAULT, &[]));
    assert!(lines_of(&bare, &desired_in("external", "never", &[]), None).is_empty());
    assert_eq!(lines_of(&bare, &desired_in("external", "writer", &[]), None), [OTHER]);
    assert_eq!(lines_of(&bare, &desired_in("external", "all", &[]), None), [OTHER, OTHERS]);
    // The same whatever another resource of the same run has done in the meantime.
    let waits = waiting(ready(), &["shop-a", "shop-b"]);
    assert_eq!(lines_of(&waits, &desired_in("external", "all", &[]), None), [OTHER, OTHERS]);
}

#[test]
fn triggers_look_again_in_every_mode_and_otherwise_only_members_that_wait_are_rebooted() {
    let triggered = |mode: &str| Desired {
        reboot_triggers: [("group".to_owned(), "2".to_owned())].into(),
        ..desired_in(mode, "writer", &[])
    };
    for mode in ["dedicated", "in_place", "external"] {
        let before = desired_in(mode, "writer", &[]);
        let observed = ready();
        assert_eq!(lines_of(&observed, &triggered(mode), Some(&before)), [OTHER], "{mode}");
        assert!(lines_of(&observed, &triggered(mode), Some(&triggered(mode))).is_empty(), "{mode}");
        let waits = waiting(ready(), &["shop-b"]);
        assert_eq!(lines_of(&waits, &before, Some(&before)), [WRITER], "{mode}");
        // The same line, whether it waits already or not.
        assert_eq!(lines_of(&waits, &triggered(mode), Some(&before)), [OTHER], "{mode}");
        let never = Desired { reboot: RebootPolicy::Never, ..triggered(mode) };
        assert!(lines_of(&waits, &never, Some(&before)).is_empty(), "{mode}");
    }
}

#[test]
fn letting_go_runs_nothing_whatever_waits_and_whoever_owns_the_group() {
    let external = desired_in("external", "all", &[]);
    let mut forged = waiting(settled(), &["shop-a", "shop-b"]);
    forged.attached.tags.insert(OWNER_TAG.to_owned(), "another".to_owned());
    for observed in [waiting(settled(), &["shop-b"]), waiting(ready(), &["shop-b"]), forged] {
        for before in ["dedicated", "in_place"] {
            assert!(lines_of(&observed, &external, Some(&desired_in(before, "all", &[]))).is_empty(), "{before}");
        }
    }
    assert!(diff(&Change::destroy(&external, &settled().into())).unwrap().unwrap().is_empty());
}

#[test]
fn from_external_it_is_like_a_create() {
    let external = desired_in("external", "never", &[]);
    let bare = observed(group(DEFAULT, &[]));
    assert_eq!(lines_of(&bare, &desired("never", &[]), Some(&external)), [CREATE, SET_BOTH, ATTACH]);
    let custom = observed(group("shop-custom", &[("wal_sender_timeout", "0")]));
    assert_eq!(
        lines_of(&custom, &desired_in("in_place", "never", &[]), Some(&external)),
        [
            "AddTagsToResource shop-custom: clickpipes:previous-value:rds.logical_replication=unset",
            "ModifyDBClusterParameterGroup shop-custom: rds.logical_replication = 1 (pending-reboot)",
        ]
    );
    // The group that was let go is taken up again.
    assert!(lines_of(&settled(), &desired("never", &[]), Some(&external)).is_empty());
}

#[test]
fn between_dedicated_and_in_place_the_change_is_refused_unless_nothing_was_created() {
    let (dedicated, in_place) = (desired("never", &[]), desired_in("in_place", "never", &[]));
    for refused in [refusal(&settled(), &in_place, Some(&dedicated)), refusal(&ready(), &dedicated, Some(&in_place))] {
        assert!(refused.contains("The mode cannot be changed directly") && refused.contains("\"external\""), "{refused}");
    }
    // An import has the default mode.
    assert!(lines_of(&ready(), &in_place, Some(&dedicated)).is_empty());
}

#[test]
fn iam_authentication_is_turned_on_and_off_in_both_places_and_unset_leaves_them_alone() {
    let with = |on: Option<bool>| {
        let config = crate::resource::aurora_source::schema::AuroraSource {
            iam_authentication: on.into(),
            ..crate::resource::aurora_source::fixture::config("never", &[])
        };
        Desired::decode(&config).unwrap().unwrap()
    };
    let set = |value: u8| {
        format!(
            "ModifyDBClusterParameterGroup clickpipes-shop-aurora-postgresql16: rds.iam_auth_for_replication = {value} (immediate)"
        )
    };
    let flag = |on: &str| format!("ModifyDBCluster shop: IAM database authentication {on}, immediately");
    let tag = "AddTagsToResource clickpipes-shop-aurora-postgresql16: clickpipes:previous-iam-authentication=off";
    let untag = "RemoveTagsFromResource clickpipes-shop-aurora-postgresql16: clickpipes:previous-iam-authentication";
    let none = with(None);
    assert_eq!(lines_of(&settled(), &with(Some(true)), Some(&none)), [set(1), tag.to_owned(), flag("on")]);
    let mut on = settled();
    on.cluster.iam_authentication = true;
    on.remembered.iam_enabled = true;
    on.attached.tags.insert("clickpipes:previous-iam-authentication".to_owned(), "off".to_owned());
    let iam = on.attached.settings.get_mut("rds.iam_auth_for_replication").unwrap();
    (iam.value, iam.user_set) = (Some("1".to_owned()), true);
    assert!(lines_of(&on, &with(Some(true)), Some(&with(Some(true)))).is_empty());
    assert!(lines_of(&on, &none, Some(&with(Some(true)))).is_empty(), "unset leaves both alone");
    assert_eq!(lines_of(&on, &with(Some(false)), Some(&with(Some(true)))), [set(0), flag("off"), untag.to_owned()]);
    let undone = |observed: &Observed| lines(&diff(&Change::destroy(&none, &observed.clone().into())).unwrap().unwrap());
    assert_eq!(undone(&on)[1], flag("off"));
    on.remembered.iam_enabled = false;
    assert!(!undone(&on).contains(&flag("off")), "it was on before");
}

#[test]
fn iam_authentication_that_waits_for_the_window_is_no_other_change_if_it_is_the_wanted_one() {
    let mut pending = settled();
    let value = PendingValue { name: "IAMDatabaseAuthenticationEnabled".to_owned(), value: "true".to_owned() };
    pending.cluster.pending_modified_values = vec![value];
    let wanted = |on| Desired { iam_authentication: Some(on), ..desired("never", &[]) };
    assert!(to(&pending, &wanted(true), None).is_ok());
    pending.cluster.iam_authentication = true;
    assert!(refusal(&pending, &wanted(false), None).contains("IAMDatabaseAuthenticationEnabled = true"));
}
