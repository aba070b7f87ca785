//! Runs operations in order, each as its RDS call, and waits for what they start.

use tokio_util::sync::CancellationToken;

use super::message;
use super::operation::Operation;
use crate::aws::{Cause, Error};
use crate::cluster::{DESCRIPTION, RebootError, Reboots, find_group};
use crate::failure::Failure;
use crate::provider::stop;
use crate::rds::parameter_group::{Tags, Which};
use crate::rds::{Client, Patience, Reader, Readings};

/// The result of a run that may have stopped half-way.
pub(super) struct Outcome {
    /// The operations that were carried out.
    pub(super) done: Vec<Operation>,
    /// The one that was abandoned or lost its answer: it may have had its effect.
    pub(super) under_way: Option<Operation>,
    pub(super) result: Result<(), Failure>,
}

/// Runs the operations of one cluster, for which they were decided, and which has this group attached; ends at the first failure and at
/// a stop.
pub(super) async fn run(
    readings: &Readings,
    mut reboots: Reboots<'_>,
    attached: &str,
    operations: &[Operation],
    cancel: &CancellationToken,
) -> Outcome {
    let cluster_identifier = reboots.cluster;
    let reboots_writer = operations.iter().any(Operation::reboots_writer);
    let iam_authentication = operations.iter().find_map(|operation| match operation {
        Operation::SetIamAuthentication { on, .. } => Some(*on),
        _ => None,
    });
    let planned = Planned { reboots_writer, iam_authentication };
    let mut done = Vec::new();
    for operation in operations {
        let awaited = format!("AWS to answer {operation}");
        if cancel.is_cancelled() {
            return Outcome { done, under_way: None, result: Err(Error::Cancelled { awaited }.into()) };
        }
        tracing::info!(cluster = cluster_identifier, %operation, "running");
        if let Err(failure) = stop::ends(cancel, &awaited, Box::pin(call(&reboots, &readings.anew(), operation, planned))).await {
            let unanswered = cancel.is_cancelled() || matches!(failure, Failure::Unreachable(_));
            return Outcome { done, under_way: unanswered.then(|| operation.clone()), result: Err(failure) };
        }
        reboots.statics_changed |= operation.needs_reboot(attached);
        done.push(operation.clone());
    }
    let is_in_use = |group: &String| group == attached || operations.iter().any(|other| other.attached_group() == Some(group));
    let result = if operations.iter().any(Operation::is_reboot) {
        match reboots.check_writer().await {
            // A replica has none.
            Err(RebootError::NoWriter { .. }) if !reboots_writer => Ok(()),
            checked => checked.map_err(message::reboot),
        }
    } else if reboots.resource_id.is_empty() {
        // It no longer exists.
        Ok(())
    } else if operations.iter().filter_map(Operation::changed_group).any(is_in_use) || reboots.statics_changed {
        // Members apply a dynamic parameter within seconds, and report within seconds that they wait for a reboot.
        Box::pin(reboots.noticed()).await.map_err(|error| message::reboot(error.into()))
    } else {
        Ok(())
    };
    Outcome { done, under_way: None, result }
}

/// What a call depends on of the other operations.
#[derive(Clone, Copy)]
struct Planned {
    /// Whether the writer's reboot is among them.
    reboots_writer: bool,
    /// What they make of IAM database authentication.
    iam_authentication: Option<bool>,
}

/// Boxed in parts: a debug build would need too much of the stack at once.
async fn call(reboots: &Reboots<'_>, reader: &Reader, operation: &Operation, planned: Planned) -> Result<(), Failure> {
    let Reboots { client, cluster: owner, resource_id, patience, .. } = reboots;
    match operation {
        Operation::CreateGroup { name, family, tags } => {
            match client.create_parameter_group(name, family, DESCRIPTION, tags, patience).await {
                // A repeated call whose first answer was lost.
                Err(error) if error.cause() == Cause::AlreadyExists => {
                    let awaited = format!("AWS to describe parameter group {name}");
                    let group = patience.through(&awaited, || find_group(reader, name, Which::UserSet)).await?;
                    if !group.is_some_and(|group| group.belongs_to(owner) && group.description == DESCRIPTION) {
                        return Err(error.into());
                    }
                }
                result => result?,
            }
            client.wait_for_parameter_group(name, patience).await?;
        }
        Operation::ModifyGroup { name, parameters } => client.modify_parameter_group(name, parameters, patience).await?,
        Operation::ResetGroup { name, parameters } => client.reset_parameters(name, parameters, patience).await?,
        Operation::TagGroup { name, tags } => {
            let arn = group_arn(client, name, patience).await?;
            client.add_tags(&arn, tags, patience).await?;
            client.wait_for_tags(&arn, tags, &[], patience).await?;
        }
        Operation::UntagGroup { name, keys } => {
            let arn = group_arn(client, name, patience).await?;
            client.remove_tags(&arn, keys, patience).await?;
            client.wait_for_tags(&arn, &Tags::new(), keys, patience).await?;
        }
        Operation::AttachGroup { cluster, group } => {
            reboots.available().await.map_err(|error| message::reboot(error.into()))?;
            modified(
                Box::pin(client.attach_parameter_group(cluster, resource_id, group, planned.iam_authentication, patience)).await,
            )?;
            client.wait_for_parameter_group_attached(cluster, group, patience).await?;
        }
        Operation::SetIamAuthentication { cluster, on } => {
            reboots.available().await.map_err(|error| message::reboot(error.into()))?;
            modified(Box::pin(client.set_iam_authentication(cluster, resource_id, *on, patience)).await)?;
            client.wait_for_iam_authentication(cluster, *on, patience).await?;
        }
        Operation::RebootWriterIfWaiting { .. } => Box::pin(reboots.writer_if_waiting()).await.map_err(message::reboot)?,
        Operation::RebootWriter { .. } => Box::pin(reboots.writer()).await.map_err(message::reboot)?,
        Operation::RebootOthers { .. } => {
            Box::pin(reboots.others(planned.reboots_writer)).await.map_err(|error| message::reboot(error.into()))?
        }
        Operation::DeleteGroup { name } => match client.delete_parameter_group(name, patience).await {
            Err(error) if error.cause() == Cause::NotFound => {}
            result => result?,
        },
    }
    Ok(())
}

/// The result of a change of the cluster, with our words for what prevents one.
fn modified(result: Result<(), Error>) -> Result<(), Failure> {
    match result {
        Err(Error::OtherChangesPending { cluster, pending }) => Err(message::pending_values(&cluster, &pending).into()),
        Err(Error::AnotherCluster { cluster, expected, found }) => {
            Err(message::another_cluster(&cluster, &expected, &found).into())
        }
        result => Ok(result?),
    }
}

async fn group_arn(client: &Client, name: &str, patience: &Patience) -> Result<String, Failure> {
    let awaited = format!("AWS to describe parameter group {name}");
    let group = patience.through(&awaited, || client.find_parameter_group(name)).await?;
    group.map(|group| group.arn).ok_or_else(|| message::group_gone(name).into())
}
