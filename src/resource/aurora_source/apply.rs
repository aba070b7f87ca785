//! Runs operations in order and waits for what they start.

use tokio_util::sync::CancellationToken;

use super::observe::find_group;
use super::request::Operation;
use super::stop;
use crate::aws::{Cause, Error};
use crate::failure::Failure;
use crate::rds::parameter_group::Which;
use crate::rds::{Client, Cluster, ParameterGroupStatus, Patience};
use crate::terraform::Diagnostic;

const GROUP_DESCRIPTION: &str = "Logical replication for ClickPipes, made by terraform-provider-clickpipes";

/// What came of a run that may have stopped half-way.
pub(super) struct Outcome {
    /// The operations that were carried out.
    pub(super) done: Vec<Operation>,
    /// The one that was given up or lost its answer: it may have had its effect.
    pub(super) under_way: Option<Operation>,
    pub(super) result: Result<(), Failure>,
}

/// Runs the operations of one cluster; ends at the first failure and at a stop.
pub(super) async fn run(
    client: &Client,
    cluster_identifier: &str,
    operations: &[Operation],
    patience: &Patience,
    cancel: &CancellationToken,
) -> Outcome {
    let mut runner = Runner { client, cluster_identifier, patience, statics_changed: false };
    let mut done = Vec::new();
    let mut remaining: Vec<Operation> = operations.to_vec();
    while !remaining.is_empty() {
        if remaining.first().is_some_and(Operation::is_reboot)
            && let Err(failure) = runner.writer_first(&mut remaining).await
        {
            return Outcome { done, under_way: None, result: Err(failure) };
        }
        let operation = remaining.remove(0);
        let awaited = format!("AWS to answer {operation}");
        if cancel.is_cancelled() {
            return Outcome { done, under_way: None, result: Err(Error::Cancelled { awaited }.into()) };
        }
        tracing::info!(cluster = cluster_identifier, %operation, "running");
        if let Err(failure) = stop::ends(cancel, &awaited, Box::pin(runner.run(&operation))).await {
            let unanswered = cancel.is_cancelled() || matches!(failure, Failure::Unreachable(_));
            return Outcome { done, under_way: unanswered.then_some(operation), result: Err(failure) };
        }
        runner.statics_changed |= operation.needs_reboot();
        done.push(operation);
    }
    let result = match operations.iter().any(Operation::is_reboot) {
        true => runner.check_writer().await,
        false => Ok(()),
    };
    Outcome { done, under_way: None, result }
}

struct Runner<'a> {
    client: &'a Client,
    cluster_identifier: &'a str,
    patience: &'a Patience,
    /// Whether this run changed something that members take over only at a reboot.
    statics_changed: bool,
}

impl Runner<'_> {
    async fn run(&mut self, operation: &Operation) -> Result<(), Failure> {
        let Self { client, patience, .. } = *self;
        match operation {
            Operation::CreateGroup { name, family, tags } => {
                match client.create_parameter_group(name, family, GROUP_DESCRIPTION, tags).await {
                    // A repeated call whose first answer was lost.
                    Err(error) if error.cause() == Cause::AlreadyExists => {
                        let group = find_group(client, name, Which::UserSet).await?;
                        if !group.is_some_and(|group| group.belongs_to(self.cluster_identifier)) {
                            return Err(error.into());
                        }
                    }
                    result => result?,
                }
                client.wait_for_parameter_group(name, patience).await?;
            }
            Operation::ModifyGroup { name, parameters } => client.modify_parameter_group(name, parameters, patience).await?,
            Operation::ResetGroup { name, parameters } => client.reset_parameters(name, parameters, patience).await?,
            Operation::TagGroup { name, tags } => client.add_tags(&self.group_arn(name).await?, tags).await?,
            Operation::UntagGroup { name, keys } => client.remove_tags(&self.group_arn(name).await?, keys).await?,
            Operation::AttachGroup { cluster, group } => {
                client.wait_for_cluster_available(cluster, patience).await?;
                client.attach_parameter_group(cluster, group, patience).await?;
                client.wait_for_parameter_group_attached(cluster, group, patience).await?;
            }
            Operation::RebootWriter { .. } => {
                let cluster = self.cluster().await?;
                let writer = cluster.writer().ok_or_else(|| no_writer(&cluster))?;
                self.reboot(&writer.identifier).await?;
            }
            Operation::RebootMember { instance } => {
                let cluster = self.cluster().await?;
                let member = cluster.members.iter().find(|member| member.identifier == *instance);
                match member {
                    // It restarted together with the writer.
                    Some(member) if !member.writer && member.parameter_group_status == ParameterGroupStatus::InSync => {
                        tracing::info!(instance, "in-sync, needs no reboot any more");
                    }
                    Some(_) => self.reboot(instance).await?,
                    None => tracing::info!(instance, "is no member any more"),
                }
            }
            Operation::DeleteGroup { name } => match client.delete_parameter_group(name, patience).await {
                Err(error) if error.cause() == Cause::NotFound => {}
                result => result?,
            },
        }
        Ok(())
    }

    async fn cluster(&self) -> Result<Cluster, Error> {
        self.client.wait_for_cluster_available(self.cluster_identifier, self.patience).await
    }

    async fn group_arn(&self, name: &str) -> Result<String, Failure> {
        let group = self.client.find_parameter_group(name).await?;
        group.map(|group| group.arn).ok_or_else(|| {
            Diagnostic::error("Parameter group not found", format!("Parameter group {name} was there a moment ago.")).into()
        })
    }

    /// A failover must not land on a reader with other values than the writer's, so the writer's turn comes first.
    async fn writer_first(&self, remaining: &mut [Operation]) -> Result<(), Failure> {
        let reboots = remaining.iter().take_while(|operation| operation.is_reboot()).count();
        if reboots > 1 {
            let cluster = self.cluster().await?;
            let writer = cluster.writer().map(|writer| writer.identifier.clone());
            remaining[..reboots].sort_by_key(
                |operation| !matches!(operation, Operation::RebootMember { instance } if writer.as_ref() == Some(instance)),
            );
        }
        Ok(())
    }

    async fn reboot(&self, instance: &str) -> Result<(), Failure> {
        self.client.wait_for_instance_rebootable(instance, self.patience).await?;
        if self.statics_changed {
            self.client.wait_for_member_to_notice(self.cluster_identifier, instance, self.patience).await?;
        }
        self.client.reboot_instance(instance, self.patience).await?;
        self.client.wait_for_member_in_sync(self.cluster_identifier, instance, self.patience).await?;
        Ok(())
    }

    async fn check_writer(&self) -> Result<(), Failure> {
        let cluster = self.cluster().await?;
        let writer = cluster.writer().ok_or_else(|| no_writer(&cluster))?;
        if writer.parameter_group_status == ParameterGroupStatus::InSync {
            return Ok(());
        }
        Err(Diagnostic::error(
            "The writer moved to a member that waits for a reboot",
            format!(
                "The writer of cluster {} is {} now, which does not run with the new values ({}), and its reboot was not planned. Plan and \
                 apply again.",
                cluster.identifier, writer.identifier, writer.parameter_group_status
            ),
        )
        .into())
    }
}

fn no_writer(cluster: &Cluster) -> Failure {
    Diagnostic::error(
        "The cluster has no writer",
        format!("Cluster {} has no writer to reboot: a failover may be under way.", cluster.identifier),
    )
    .into()
}
