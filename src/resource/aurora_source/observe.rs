//! Looks at a cluster, and reads the logical replication slots from its writer.

use super::claims::{claims, recognise};
use super::desired::Desired;
use super::diff::{diff, turns_logical_replication_off};
use super::message;
use super::observed::{Observed, Slots};
use super::operation::Operation;
use super::schema::Source;
use crate::aws::{Cause, Error};
use crate::catalogue::slot::logical_slots;
use crate::cluster::{self, Group, find_catalogue};
use crate::failure::Failure;
use crate::postgres::Settings;
use crate::provider::{Context, stop};
use crate::rds::parameter_group::default_group;
use crate::rds::{Patience, Reader};
use crate::resource::change::{Change, Look, Purpose};

/// Looks as far as the purpose needs it.
pub(super) async fn look(context: &Context, look: &Look<'_, Source>) -> Result<Option<Observed>, Failure> {
    let is_plan = matches!(look.purpose, Purpose::Plan { .. });
    if let (true, Some(_), Some(desired)) = (is_plan, look.prior, look.desired) {
        return look_for_slots(context, look, desired).await;
    }
    if is_plan {
        // Even if the destroy of another address runs before this create.
        context.take_up(taken_up(&look.arguments.cluster_identifier));
    }
    let reader = context.readings().await?.look(&name(look));
    match observe(context, &reader, look).await? {
        None if is_plan => Err(absent(&reader, &look.arguments.cluster_identifier).await),
        Some(now) if look.purpose == Purpose::PlanDestroy => {
            let slots = planned_slots(context, &Change::destroy(look.arguments, &now)).await?;
            Ok(Some(Observed { slots, ..now }))
        }
        seen => Ok(seen),
    }
}

/// Looks of one run with the same name are repetitions.
fn name(look: &Look<'_, Source>) -> String {
    format!("{:?} of {}", look.purpose, look.arguments.cluster_identifier)
}

/// An update is planned from what the last Read saw. Only what may refuse it is read now: the slots, if it turns logical
/// replication off, and what the family allows, if parameters change.
async fn look_for_slots(context: &Context, look: &Look<'_, Source>, desired: &Desired) -> Result<Option<Observed>, Failure> {
    let Some(recalled) = look.recalled else { return Ok(None) };
    let change = Change { after: Some(desired), ..Change::drift(look.arguments, recalled) };
    let slots = planned_slots(context, &change).await?;
    let allowed = allowed(context, look, desired, &recalled.found.family).await?;
    let is_needed = allowed.is_some() || !matches!(slots, Slots::NotAsked);
    Ok(is_needed.then(|| Observed { slots, allowed, ..recalled.clone() }))
}

/// What the family allows, if other parameters are wanted than before.
async fn allowed(context: &Context, look: &Look<'_, Source>, desired: &Desired, family: &str) -> Result<Option<Group>, Failure> {
    if look.arguments.wanted == desired.wanted {
        return Ok(None);
    }
    let reader = context.readings().await?.look(&name(look));
    let awaited = format!("AWS to describe the parameters of {family}");
    let found = stop::ends(context.cancel(), &awaited, Box::pin(find_catalogue(&reader, family))).await?;
    Ok(found.map(|settings| Group { settings, ..Group::unread(&default_group(family), family) }))
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
    let arguments = look.desired.unwrap_or(look.arguments);
    let before = look.recalled.map(|recalled| &recalled.found);
    let names = [
        look.prior.and_then(|prior| prior.model.parameter_group_name.known()),
        before.map(|before| &before.attached.name),
        before.and_then(|before| before.named.as_ref()).map(|group| &group.name),
        before.and_then(|before| before.left_over.as_ref()).map(|group| &group.name),
    ];
    let earlier: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
    let (id, group) = (&arguments.cluster_identifier, arguments.group_name.as_deref());
    Ok(cluster::observe(reader, id, group, &earlier, &claims(look, ran)).await?.map(Observed::from))
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
    let server = context.postgres(None).await?;
    let settings = server.settings();
    if !is_of_cluster(settings, found) {
        return Ok(Slots::OtherServer { address: settings.address() });
    }
    let reader = server.read(&settings.database, context.cancel()).await?;
    Ok(Slots::Found(logical_slots(&reader).await?))
}

/// Whether the server is the cluster's writer endpoint: connected directly, or through a tunnel with the endpoint as its TLS
/// name.
fn is_of_cluster(settings: &Settings, found: &cluster::Observed) -> bool {
    let Some(endpoint) = &found.cluster.endpoint else { return false };
    let tunnelled = settings.host != *endpoint;
    settings.server_name() == endpoint && (tunnelled || Some(settings.port) == found.cluster.port)
}
