//! Looks at a cluster, and reads the logical replication slots from its writer.

use std::collections::BTreeSet;

use super::claims::{claims, names, recognise};
use super::desired::{Desired, Mode};
use super::diff::{diff, lacking, next_family_is_uncertain, turns_logical_replication_off, undo_remains};
use super::message;
use super::observed::{Observed, Slots};
use super::operation::Operation;
use super::remember::remembered;
use super::schema::Source;
use super::state::ready;
use super::takeover::begun_mode;
use super::unfinished::cut_off;
use crate::aws::{Cause, Error, Place};
use crate::catalogue::logical_decoding::logical_decoding;
use crate::catalogue::setting::settings;
use crate::catalogue::slot::logical_slots;
use crate::cluster::{
    self, Group, LOGICAL_REPLICATION, NextFamily, Owner, find_catalogue, find_group, find_next_family, judge, left_behind, switch,
};
use crate::failure::Failure;
use crate::postgres::{self, Server, Settings};
use crate::provider::{Context, stop};
use crate::rds::attachment::is_attached;
use crate::rds::parameter_group::{Which, default_group, is_default_group};
use crate::rds::{Patience, Reader};
use crate::resource::change::{Change, Look, Purpose};

/// Looks as far as the purpose needs it.
pub(super) async fn look(context: &Context, look: &Look<'_, Source>) -> Result<Option<Observed>, Failure> {
    let is_plan = matches!(look.purpose, Purpose::Plan { .. });
    let shows_remains = matches!(look.purpose, Purpose::Read { .. } | Purpose::PlanDestroy);
    if let (true, Some(_), Some(desired)) = (is_plan, look.prior, look.desired) {
        return look_for_update(context, look, desired).await;
    }
    if is_plan {
        // Even if the destroy of another address runs before this create.
        context.take_up(taken_up(&look.arguments.cluster_identifier));
    }
    let reader = context.readings().await?.look(&name(look));
    match observe(context, &reader, look).await? {
        None if is_plan => Err(absent(&reader, &look.arguments.cluster_identifier).await),
        None => {
            gone(context, look).await?;
            // The state keeps what is left of it: a destroy deletes that, and so does a replacement.
            let recalled = look.recalled.filter(|_| shows_remains).map(|recalled| recalled.found.clone());
            let Some(recalled) = recalled else { return Ok(None) };
            let Remains { groups, changed } = remains(context, &reader, look).await?;
            Ok((!groups.is_empty() || changed.is_some()).then(|| recalled.remains(groups, changed).into()))
        }
        Some(now) if look.purpose == Purpose::PlanDestroy => {
            let slots = planned_slots(context, &Change::destroy(look.arguments, &now)).await?;
            Ok(Some(Observed { slots, ..now }))
        }
        seen => Ok(seen),
    }
}

/// A cluster that is not found is gone, if it was looked for where the state says that it is, and has no other identifier now.
///
/// # Errors
/// It was looked for elsewhere, it cannot be told where, or it was renamed.
pub(super) async fn gone(context: &Context, look: &Look<'_, Source>) -> Result<(), Failure> {
    let Some(arn) = look.prior.and_then(|prior| prior.model.arn.known()) else { return Ok(()) };
    let Some(expected) = Place::of_arn(arn) else { return Ok(()) };
    let place = context.place().await?;
    let id = &look.arguments.cluster_identifier;
    if place != expected {
        return Err(message::looked_elsewhere(id, arn, &place).into());
    }
    let Some(resource_id) = look.prior.and_then(|prior| prior.model.cluster_resource_id.known()) else { return Ok(()) };
    let client = context.rds().await?;
    let found = stop::ends(context.cancel(), "AWS to describe clusters", Box::pin(client.find_identifier(resource_id))).await?;
    found.map_or(Ok(()), |now| Err(message::renamed(id, resource_id, &now).into()))
}

/// What is left of a source whose cluster was deleted first.
#[derive(Default)]
pub(super) struct Remains {
    /// Our groups, which nothing uses any more.
    pub(super) groups: Vec<Group>,
    /// The group in which values were set in place and are still to be restored. One that another cluster uses is left alone.
    pub(super) changed: Option<Group>,
}

/// Looks for what is left of a source whose cluster was deleted first.
pub(super) async fn remains(context: &Context, reader: &Reader, look: &Look<'_, Source>) -> Result<Remains, Failure> {
    let mode = look.recalled.map_or(look.arguments.mode, |recalled| begun_mode(look.arguments, &recalled.found));
    Ok(match mode {
        Mode::Dedicated => Remains { groups: orphans(context, reader, look).await?, changed: None },
        Mode::InPlace => Remains { groups: Vec::new(), changed: changed_in_place(context, reader, look).await? },
        Mode::External => Remains::default(),
    })
}

/// The group whose values were set in place, if some are still to be restored and no cluster has it.
async fn changed_in_place(context: &Context, reader: &Reader, look: &Look<'_, Source>) -> Result<Option<Group>, Failure> {
    let Some(last) = look.recalled.map(|recalled| &recalled.found) else { return Ok(None) };
    let name = &last.attached.name;
    if last.remembered.values.is_empty() || is_default_group(name) {
        return Ok(None);
    }
    let read = Box::pin(async {
        let Some(group) = find_group(reader, name, Which::All).await? else { return Ok(None) };
        let attachments = reader.list_attachments().await?;
        Ok::<_, Error>(Some(group).filter(|group| attachments.is_some_and(|all| !is_attached(&all, &group.name))))
    });
    let group = stop::ends(context.cancel(), &format!("AWS to describe parameter group {name}"), read).await?;
    Ok(group.filter(|group| {
        let left = last.clone().remains(Vec::new(), Some(group.clone()));
        !undo_remains(&left, look.arguments).is_empty()
    }))
}

async fn orphans(context: &Context, reader: &Reader, look: &Look<'_, Source>) -> Result<Vec<Group>, Failure> {
    let (id, claims) = (&look.arguments.cluster_identifier, claims(look, &[]));
    let mut names: BTreeSet<String> = claims.records.iter().map(|record| record.name.clone()).collect();
    let awaited = "AWS to list parameter groups";
    names.extend(stop::ends(context.cancel(), awaited, Box::pin(left_behind(reader, id, &names))).await?);
    let mut groups = Vec::new();
    for name in names {
        let awaited = format!("AWS to describe parameter group {name}");
        let group = stop::ends(context.cancel(), &awaited, Box::pin(find_group(reader, &name, Which::UserSet))).await?;
        let Some(group) = group else { continue };
        match judge(&group, id, &name, false, &claims) {
            (_, Some(dispute)) => return Err(message::disputed(id, &dispute).into()),
            (owner @ Owner::Ours { .. }, None) => groups.push(Group { owner, ..group }),
            _ => {}
        }
    }
    if !groups.is_empty() {
        let attachments = stop::ends(context.cancel(), "AWS to describe clusters", Box::pin(reader.list_attachments())).await?;
        groups.retain(|group| !attachments.as_deref().is_some_and(|all| is_attached(all, &group.name)));
    }
    Ok(groups)
}

/// Looks of one run with the same name are repetitions.
fn name(look: &Look<'_, Source>) -> String {
    format!("{:?} of {}", look.purpose, look.arguments.cluster_identifier)
}

/// An update is planned from what the last Read saw. Only what may refuse it is read now: the slots, if it turns logical replication
/// off, a group that it is to create, if there is one of that name already, and what a family allows, if parameters change or a group of
/// another family is wanted.
async fn look_for_update(context: &Context, look: &Look<'_, Source>, desired: &Desired) -> Result<Option<Observed>, Failure> {
    let Some(recalled) = look.recalled else { return Ok(None) };
    let allowed = Box::pin(allowed(context, look, desired, &recalled.found)).await?;
    let next_family = Box::pin(next_family(context, look, desired, &recalled.found)).await?;
    let now = Observed { allowed, next_family, ..recalled.clone() };
    let change = Change { after: Some(desired), ..Change::drift(look.arguments, &now) };
    let slots = Box::pin(planned_slots(context, &change)).await?;
    let taken = Box::pin(taken(context, look, &change)).await?;
    let is_needed = !taken.is_empty() || now.allowed.is_some() || now.next_family.is_some() || !matches!(slots, Slots::NotAsked);
    let mut now = Observed { slots, ..now };
    now.found.detached.extend(taken);
    Ok(is_needed.then_some(now))
}

/// What the family allows, if other parameters are wanted than before, or some that the last Read did not keep: the family's own group
/// says the same at every time.
async fn allowed(
    context: &Context,
    look: &Look<'_, Source>,
    desired: &Desired,
    found: &cluster::Observed,
) -> Result<Option<Group>, Failure> {
    if look.arguments.wanted == desired.wanted && lacking(found, desired).is_empty() {
        return Ok(None);
    }
    let Some(reader) = planning(context, look).await? else { return Ok(None) };
    let family = &found.family;
    let awaited = format!("AWS to describe the parameters of the family {family}");
    let settings = Box::pin(async {
        match find_catalogue(&reader, family).await? {
            Some(settings) => Ok(Some(settings)),
            // Not allowed to read it: the group at hand has the same parameters.
            None => Ok::<_, Error>(find_group(&reader, &found.attached.name, Which::All).await?.map(|group| group.settings)),
        }
    });
    let settings = within_reach(context, stop::ends(context.cancel(), &awaited, settings).await)?;
    let settings = settings.filter(|settings| !settings.is_empty());
    Ok(settings.map(|settings| Group { settings, ..Group::unread(&default_group(family), family) }))
}

/// What the family of the major version to come allows, if too little of that is stored: it says the same at every time.
async fn next_family(
    context: &Context,
    look: &Look<'_, Source>,
    desired: &Desired,
    found: &cluster::Observed,
) -> Result<Option<NextFamily>, Failure> {
    let Some(family) = desired.next_family.as_ref().filter(|_| next_family_is_uncertain(found, desired)) else { return Ok(None) };
    let Some(reader) = planning(context, look).await? else { return Ok(None) };
    let awaited = format!("AWS to describe the parameters of the family {family}");
    let asked = Box::pin(async { find_next_family(&reader, family).await.map(Some) });
    within_reach(context, stop::ends(context.cancel(), &awaited, asked).await)
}

/// A reader for a plan. `None`: it is not known yet where to look, and the apply looks again.
async fn planning(context: &Context, look: &Look<'_, Source>) -> Result<Option<Reader>, Failure> {
    match context.readings().await {
        Err(Failure::ConfigurationUnknown) => Ok(None),
        readings => Ok(Some(readings?.look(&name(look)))),
    }
}

/// What a plan has read, or nothing where AWS is out of reach and the plan goes on without it.
fn within_reach<T>(context: &Context, read: Result<Option<T>, Failure>) -> Result<Option<T>, Failure> {
    match read {
        Err(Failure::Unreachable(_)) if context.keeps_state() => Ok(None),
        read => read,
    }
}

/// Why there is no cluster of this identifier: it may be created yet, or the identifier is that of an instance.
async fn absent(reader: &Reader, id: &str) -> Failure {
    match reader.find_instance(id).await {
        Ok(Some(instance)) => message::is_an_instance(id, &instance).into(),
        Ok(None) => Failure::Missing(message::absent(id)),
        // An optional permission.
        Err(error) if error.cause() == Cause::AccessDenied => Failure::Missing(message::absent(id)),
        Err(error) => error.into(),
    }
}

/// The groups that have the names of those that the change creates.
async fn taken(context: &Context, look: &Look<'_, Source>, change: &Change<'_, Source>) -> Result<Vec<Group>, Failure> {
    let operations = diff(change).ok().flatten().unwrap_or_default();
    let mut taken = Vec::new();
    for operation in &operations {
        let Operation::CreateGroup { name: created, .. } = operation else { continue };
        let Some(reader) = planning(context, look).await? else { return Ok(Vec::new()) };
        let awaited = format!("AWS to describe parameter group {created}");
        let found = stop::ends(context.cancel(), &awaited, Box::pin(find_group(&reader, created, Which::UserSet))).await;
        taken.extend(within_reach(context, found)?.map(|group| {
            let (owner, _) = judge(&group, &look.arguments.cluster_identifier, created, false, &claims(look, &[]));
            Group { owner, ..group }
        }));
    }
    Ok(taken)
}

/// The slots for a plan: what it does is known anyway, and the apply reads them again.
async fn planned_slots(context: &Context, change: &Change<'_, Source>) -> Result<Slots, Failure> {
    match slots(context, change).await {
        Err(Failure::ConfigurationUnknown) => Ok(Slots::NotAsked),
        Err(Failure::Unreachable(outage)) if context.keeps_state() => Ok(Slots::OutOfReach(outage)),
        asked => asked,
    }
}

/// The key by which a cluster is remembered that this run sets up or takes over.
pub(super) fn taken_up(cluster_identifier: &str) -> String {
    format!("cluster {cluster_identifier}")
}

/// Observes the cluster; a stop ends it.
pub(super) async fn observe(context: &Context, reader: &Reader, look: &Look<'_, Source>) -> Result<Option<Observed>, Failure> {
    let awaited = format!("AWS to describe cluster {}", look.arguments.cluster_identifier);
    stop::ends(context.cancel(), &awaited, Box::pin(observe_anew(reader, look, &[]))).await
}

/// Observes the result of a change that ran these operations; an outage of AWS is waited out as in any other wait of the change.
pub(super) async fn observe_result(
    context: &Context,
    reader: &Reader,
    look: &Look<'_, Source>,
    ran: &[Operation],
    patience: &Patience,
) -> Result<Option<Observed>, Failure> {
    let awaited = format!("AWS to describe cluster {}", look.arguments.cluster_identifier);
    let looked = patience.through(&awaited, || ask(reader, look, ran));
    recognise(look, stop::ends(context.cancel(), &awaited, Box::pin(looked)).await?)
}

/// Observes the cluster after these operations, even after a stop.
pub(super) async fn observe_anew(
    reader: &Reader,
    look: &Look<'_, Source>,
    ran: &[Operation],
) -> Result<Option<Observed>, Failure> {
    recognise(look, ask(reader, look, ran).await?)
}

async fn ask(reader: &Reader, look: &Look<'_, Source>, ran: &[Operation]) -> Result<Option<Observed>, Error> {
    let id = &look.arguments.cluster_identifier;
    let Some(mut found) = cluster::observe(reader, id, &names(look, ran), &claims(look, ran)).await? else { return Ok(None) };
    found.unfinished = match (look.purpose, look.recalled, look.prior) {
        // A complete change leaves nothing unfinished.
        (Purpose::Result | Purpose::Read { importing: true }, ..) | (_, None, None) => Default::default(),
        (_, Some(last), _) => last.found.unfinished.clone(),
        (_, None, Some(prior)) => cut_off(prior, &found),
    };
    found.remembered = remembered(look, &found, ran);
    if !matches!(look.purpose, Purpose::Plan { .. } | Purpose::Apply) {
        // Of some hundred parameters, a plan needs a few.
        let mentioned = look.arguments.mentioned().chain(look.desired.into_iter().flat_map(Desired::mentioned));
        found.keep_parameters(&mentioned.cloned().collect());
    }
    Ok(Some(found.into()))
}

/// Reads the logical slots if the change would turn logical replication off, and nothing else refuses it already.
pub(super) async fn slots(context: &Context, change: &Change<'_, Source>) -> Result<Slots, Failure> {
    let (Some(arguments), Some(now)) = (change.after.or(change.before), change.now) else { return Ok(Slots::NotAsked) };
    let runs = diff(change).ok().flatten().is_some_and(|operations| !operations.is_empty());
    if arguments.force_destroy || !runs || !turns_logical_replication_off(change) || now.found.is_read_only() {
        return Ok(Slots::NotAsked);
    }
    if !context.has_postgres() {
        return Ok(Slots::NoServer);
    }
    logical_slots_of(context, &now.found).await.map_err(message::needed_for_slots)
}

async fn logical_slots_of(context: &Context, found: &cluster::Observed) -> Result<Slots, Failure> {
    let server = Box::pin(context.postgres(None)).await?;
    match writer(context, &server, found).await? {
        Some(reader) => Ok(Slots::Found(logical_slots(&reader).await?)),
        None => Ok(Slots::OtherServer { address: server.settings().address() }),
    }
}

/// Reads from the cluster's writer, if the server is that.
async fn writer(context: &Context, server: &Server, found: &cluster::Observed) -> Result<Option<postgres::Reader>, Failure> {
    let settings = server.settings();
    if !is_of_cluster(settings, found) {
        return Ok(None);
    }
    Ok(Some(Box::pin(server.read(&settings.database, context.cancel())).await?))
}

/// After a change, the writer itself is asked whether logical replication is on, if the provider's `postgres` leads to it and AWS says
/// so. Otherwise `ready` says what is missing.
///
/// # Errors
/// It is not on, or the writer cannot be asked.
pub(super) async fn verify(context: &Context, found: &cluster::Observed, desired: &Desired) -> Result<(), Failure> {
    let is_wanted = desired.wanted.get(LOGICAL_REPLICATION).is_some_and(|value| switch(value) == Some(true));
    if !is_wanted || !ready(found, desired) || !context.has_postgres() {
        return Ok(());
    }
    let asked = async {
        let server = Box::pin(context.postgres(None)).await?;
        let Some(reader) = writer(context, &server, found).await? else { return Ok(None) };
        Ok::<_, Failure>(Some((server.settings().address(), Box::pin(logical_decoding(&reader)).await?)))
    };
    match asked.await.map_err(message::needed_to_verify)? {
        Some((address, seen)) if !seen.is_on() => Err(message::not_logical(found, &address, &seen).into()),
        _ => Ok(()),
    }
}

/// Whether the writer runs with the wanted values that it applies only at a reboot; `None`: it cannot be asked, or does not say.
pub(super) async fn runs_with(context: &Context, found: &cluster::Observed, desired: &Desired) -> Option<bool> {
    let of_group = found.attached.statics().1;
    let names: Vec<&str> = of_group.keys().map(|name| name.as_str()).filter(|name| desired.wanted.contains_key(*name)).collect();
    if names.is_empty() {
        return Some(true);
    }
    if !context.has_postgres() {
        return None;
    }
    let server = Box::pin(context.postgres(None)).await.ok()?;
    let reader = writer(context, &server, found).await.ok()??;
    let settings = Box::pin(settings(&reader, &names)).await.ok()?;
    let is_in_effect = |name: &&str| Some(found.attached.holds(name, settings.get(*name)?));
    names.iter().map(is_in_effect).try_fold(true, |all, one| Some(all && one?))
}

/// Whether the server is the cluster's writer endpoint: connected directly, or through a tunnel with the endpoint as its TLS
/// name.
fn is_of_cluster(settings: &Settings, found: &cluster::Observed) -> bool {
    let Some(endpoint) = &found.cluster.endpoint else { return false };
    let tunnelled = settings.host != *endpoint;
    settings.server_name() == endpoint && (tunnelled || Some(settings.port) == found.cluster.port)
}
