//! The state: as planned, and as observed. Pure.

use super::desired::{index, word};
use super::observed::Observed;
use super::schema::{ReplicaIdentityModel, ReplicaIdentityOfTable};
use crate::catalogue::table_identity::ReplicaIdentity;
use crate::printable::printable_line;
use crate::resource::change::{Change, Proposal};
use crate::terraform::Attr;

/// The planned state. What was before a create is known only at apply.
pub(super) fn planned(
    _: &Change<'_, ReplicaIdentityOfTable>,
    plan: Proposal<'_, ReplicaIdentityOfTable>,
) -> ReplicaIdentityModel {
    let Proposal { mut model, prior, .. } = plan;
    model = model.with_id();
    if let Some(prior) = prior {
        model.previous_identity = prior.previous_identity.clone();
        model.previous_index = prior.previous_index.clone();
    }
    model
}

/// The state of a table: what was observed, with the config-only arguments of `prior`.
pub(super) fn observed(prior: &ReplicaIdentityModel, observed: &Observed) -> ReplicaIdentityModel {
    let Some(found) = &observed.table else { return prior.clone() };
    let before = observed.before.identity();
    ReplicaIdentityModel {
        identity: word(&found.identity).into(),
        index: shown(&found.identity, &prior.index),
        previous_identity: before.map(|before| word(before).to_owned()).into(),
        previous_index: before.map_or(Attr::Null, |before| shown(before, &prior.previous_index)),
        ..prior.clone()
    }
    .with_id()
}

/// The name of an index. One that the configuration does not have is shown in a plan, so it must be harmless there.
fn shown(identity: &ReplicaIdentity, written: &Attr<String>) -> Attr<String> {
    let name = index(identity).map(|index| index.as_str());
    let is_written = |name: &&str| written.known().is_some_and(|written| written == name);
    name.map(|name| if is_written(&name) { name.to_owned() } else { printable_line(name) }).into()
}
