//! A role's state: as planned, and as observed. Pure.

use std::collections::BTreeSet;

use super::desired::{Authentication, Desired};
use super::observed::Observed;
use super::schema::{ReplicationUser, ReplicationUserModel};
use crate::catalogue::validity::ValidUntil;
use crate::postgres::Identifier;
use crate::printable::printable_line;
use crate::resource::change::{Change, Proposal};
use crate::terraform::Attr;

/// The planned state: the computed values that follow from the configuration.
pub(super) fn planned(change: &Change<'_, ReplicationUser>, plan: Proposal<'_, ReplicationUser>) -> ReplicationUserModel {
    let Proposal { mut model, config, prior, .. } = plan;
    model.username = config.name.clone();
    model = model.with_id();
    model.iam_dbuser_arn = dbuser_arn(change, config, prior);
    let same_owners = matches!((change.before, change.after), (Some(before), Some(desired))
        if before.table_owners == desired.table_owners && same(&before.schemas, &desired.schemas));
    model.effective_table_owners = match (explicit_owners(change.after), prior) {
        (Some(owners), _) => owners.into(),
        (None, Some(prior)) if same_owners => prior.effective_table_owners.clone(),
        (None, _) => Attr::Unknown,
    };
    model
}

/// The ARN follows from the cluster, which a change of the configuration alone does not move, and the name.
fn dbuser_arn(
    change: &Change<'_, ReplicationUser>,
    config: &ReplicationUserModel,
    prior: Option<&ReplicationUserModel>,
) -> Attr<String> {
    let Some(name) = config.name.known() else { return Attr::Unknown };
    let (stays, seen) = match prior {
        Some(prior) => (prior.cluster_identifier == config.cluster_identifier, change.recalled),
        None => (change.now.is_some(), change.now),
    };
    if !stays {
        return Attr::Unknown;
    }
    let of_cluster = seen.and_then(|seen| seen.site.as_ref()).and_then(|site| site.dbuser_arn(name));
    of_cluster.or_else(|| renamed_arn(&prior?.iam_dbuser_arn, name)).into()
}

/// The ARN of a role of the same cluster. A resource id has no slash.
fn renamed_arn(before: &Attr<String>, name: &str) -> Option<String> {
    let (cluster, _) = before.known()?.split_once('/')?;
    Some(format!("{cluster}/{name}"))
}

fn explicit_owners(desired: Option<&Desired>) -> Option<Vec<String>> {
    let mut owners: Vec<String> = desired?.table_owners.as_ref()?.iter().map(|owner| printable_line(owner.as_str())).collect();
    owners.sort();
    Some(owners)
}

fn same(one: &[Identifier], other: &[Identifier]) -> bool {
    one.len() == other.len() && one.iter().all(|name| other.contains(name))
}

/// The state of what was observed. The lists stay as configured, even where something of them is gone: they say what is managed, a
/// warning names what is gone, and it is granted again when it is back. Those of an import are what was found.
pub(super) fn observed(model: &ReplicationUserModel, observed: &Observed, importing: bool) -> ReplicationUserModel {
    let mut model = model.clone();
    if let Some(role) = &observed.role {
        model.name = role.name.clone().into();
        model.username = role.name.clone().into();
        model.oid = i64::from(role.oid).into();
        model.connection_limit = role.connection_limit.into();
        model.valid_until = valid_until(&model.valid_until, role.valid_until);
        let of_cluster = observed.site.as_ref().and_then(|site| site.dbuser_arn(&role.name));
        model.iam_dbuser_arn = of_cluster.or_else(|| renamed_arn(&model.iam_dbuser_arn, &role.name)).into();
        if importing || model.authentication.is_null() {
            let is_iam = importing && role.iam.is_effective();
            let found = if is_iam { Authentication::Iam } else { Authentication::Password };
            model.authentication = found.word().to_owned().into();
        }
        model = model.with_id();
    }
    if importing {
        let found = |names: Vec<String>| Some(names).filter(|names| !names.is_empty()).into();
        model.schemas = found(observed.closer.granted_schemas.clone());
        model.tables = found(observed.tables.keys().cloned().collect());
    }
    let owners: BTreeSet<String> = match (&model.table_owners, &model.schemas) {
        (Attr::Known(owners), _) => owners.iter().cloned().collect(),
        (_, Attr::Known(listed)) => {
            let found = listed.iter().filter_map(|schema| observed.schemas.get(schema));
            found.flat_map(|schema| schema.effective_owners(None)).collect()
        }
        _ => BTreeSet::new(),
    };
    model.effective_table_owners = owners.iter().map(|owner| printable_line(owner)).collect::<Vec<_>>().into();
    model
}

/// The end of the password: as it is written already, if it means the same.
fn valid_until(written: &Attr<String>, found: Option<ValidUntil>) -> Attr<String> {
    match found {
        Some(found) if written.known().and_then(|text| text.parse().ok()) != Some(found) => found.to_string().into(),
        _ => written.clone(),
    }
}
