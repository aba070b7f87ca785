//! Plans of replica identities, as the engine makes them.

use super::fixture::{met, name, observed, table, wanted};
use super::*;
use crate::catalogue::table_identity::{ReplicaIdentity, Table};
use crate::resource::change::rehearsal::{rehearse, stored};
use crate::resource::{Engine, Existing};
use crate::terraform::Attr;
use observed::Before;

fn model(identity: &str, index: Option<&str>) -> ReplicaIdentityModel {
    let index = index.map(str::to_owned).into();
    ReplicaIdentityModel { identity: identity.into(), index, ..ReplicaIdentityModel::named(None, "app", "s.t") }
}

/// One that was created when the table had the default.
fn existing() -> Existing<Engine<ReplicaIdentityOfTable>> {
    let seen = Observed {
        before: Before::Known(ReplicaIdentity::Default),
        ..observed(met(Table { identity: ReplicaIdentity::Full, ..table() }))
    };
    let model = state::observed(&model("full", None), &seen);
    stored(model, Some(observed::remember(&seen)), None)
}

fn changed(to: ReplicaIdentityModel, prior: &ReplicaIdentityModel) -> ReplicaIdentityModel {
    let unknown = ReplicaIdentityModel {
        identity: to.identity,
        index: to.index,
        operations: Attr::Unknown,
        impact: Attr::Unknown,
        on_destroy: Attr::Unknown,
        previous_identity: Attr::Unknown,
        previous_index: Attr::Unknown,
        ..prior.clone()
    };
    ReplicaIdentityModel { id: Attr::Unknown, ..unknown }
}

#[test]
fn a_create_is_known_even_if_nothing_can_be_seen() {
    let wanted = model("full", None);
    let proposed = changed(wanted.clone(), &wanted);
    let plan = rehearse::<ReplicaIdentityOfTable>(&wanted, None, &proposed, None, None).model;
    let lines = plan.operations.known().unwrap();
    assert_eq!(*lines, ["ALTER TABLE \"s\".\"t\" REPLICA IDENTITY FULL"]);
    let impact = plan.impact.known().unwrap();
    assert_eq!(impact.locks.known().unwrap(), &["s.t: ACCESS EXCLUSIVE"]);
    assert_eq!((plan.previous_identity, plan.on_destroy, plan.id), (Attr::Unknown, Attr::Unknown, "app/s.t".into()));
}

#[test]
fn an_update_keeps_what_was_before_and_says_what_a_destroy_will_do() {
    let prior = existing();
    let wanted = model("index", Some("by_code"));
    let proposed = changed(wanted.clone(), &prior.model);
    let plan = rehearse::<ReplicaIdentityOfTable>(&wanted, Some(&prior), &proposed, None, Some(&observed(met(table())))).model;
    assert_eq!(plan.operations.known().unwrap(), &["ALTER TABLE \"s\".\"t\" REPLICA IDENTITY USING INDEX \"by_code\""]);
    assert_eq!((plan.previous_identity, plan.previous_index), ("default".into(), Attr::Null));
    let on_destroy = plan.on_destroy.known().unwrap();
    assert_eq!(on_destroy.operations.known().unwrap(), &["ALTER TABLE \"s\".\"t\" REPLICA IDENTITY DEFAULT"]);
}

#[test]
fn back_to_what_was_before_there_is_nothing_to_restore() {
    let prior = existing();
    let wanted = model("default", None);
    let proposed = changed(wanted.clone(), &prior.model);
    let plan = rehearse::<ReplicaIdentityOfTable>(&wanted, Some(&prior), &proposed, None, None).model;
    assert_eq!(plan.on_destroy.known().unwrap().operations, Attr::from(Vec::<String>::new()));
}

#[test]
fn a_state_without_private_data_still_says_what_was_before() {
    let prior = Prior { model: existing().model, arguments: wanted(ReplicaIdentity::Full) };
    assert_eq!(observed::recall(&prior, None).before, Before::Known(ReplicaIdentity::Default));
    let model = ReplicaIdentityModel { previous_identity: "index".into(), previous_index: "i".into(), ..prior.model };
    let prior = Prior { model, ..prior };
    assert_eq!(observed::recall(&prior, None).before, Before::Known(ReplicaIdentity::Index(Some(name("i")))));
}
