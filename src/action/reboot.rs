//! `clickpipes_reboot`: reboots one member of a cluster, and waits until it runs with the values of its parameter group.

use std::time::Duration;

use super::{Action, Progress};
use crate::cluster::{LONGEST_CLUSTER, Reboots, invalid_identifier};
use crate::failure::Failure;
use crate::provider::{Context, stop};
use crate::rds::{Cluster, Patience};
use crate::terraform::{Attr, AttributePath, Configured, Diagnostic, Diagnostics, decode_duration, model, optional, required};

/// A reboot of a busy writer takes minutes.
const LIMIT: Duration = Duration::from_secs(30 * 60);

model! {
    /// Reboots one DB instance of an Aurora cluster without a failover, and waits until it is available and runs with the values of its
    /// parameter group.
    ///
    /// A reboot is an outage of that instance: its connections break, and a reboot of the writer stops all writes. Readers may restart
    /// together with the writer.
    pub struct RebootModel {
        /// Identifier of the DB cluster, in lower case.
        cluster_identifier: String => required(),
        /// Identifier of the member to reboot. Default: whichever member is the writer when the action runs.
        instance_identifier: String => optional(),
        /// How long it may take, such as `10m` or `1h`. Default: `30m`.
        timeout: String => optional(),
    }
}

/// The action.
pub(crate) struct Reboot;

impl Configured for Reboot {
    const TYPE_NAME: &'static str = "clickpipes_reboot";
    type Model = RebootModel;

    fn validate(config: &RebootModel) -> Diagnostics {
        let identifiers =
            [("cluster_identifier", &config.cluster_identifier), ("instance_identifier", &config.instance_identifier)];
        let mut faults: Diagnostics = identifiers
            .into_iter()
            .filter_map(|(name, value)| Some((name, invalid_identifier(value.known()?, LONGEST_CLUSTER)?)))
            .map(|(name, fault)| Diagnostic::invalid(name, &fault))
            .collect();
        if let Some(Err(fault)) = config.timeout.known().map(|limit| decode_duration(limit)) {
            faults.push(Diagnostic::invalid("timeout", fault));
        }
        faults
    }
}

impl Action for Reboot {
    async fn plan(context: &Context, config: &RebootModel) -> Result<Diagnostics, Failure> {
        let Attr::Known(id) = &config.cluster_identifier else { return Ok(Diagnostics::new()) };
        if config.instance_identifier.is_unknown() {
            return Ok(Diagnostics::new());
        }
        let client = context.rds().await?;
        let awaited = format!("AWS to describe cluster {id}");
        let cluster = stop::ends(context.cancel(), &awaited, Box::pin(client.find_cluster(id))).await?;
        // Something else in the same apply may make what is not there yet.
        Ok(match cluster {
            Some(cluster) => announced(&cluster, config.instance_identifier.known()),
            None => not_found(id, client.region(), Diagnostic::warning),
        }
        .into())
    }

    async fn invoke(context: &Context, config: &RebootModel, progress: &Progress) -> Result<Diagnostics, Failure> {
        let client = context.rds().await?;
        let id = config.cluster_identifier.known().cloned().unwrap_or_default();
        let limit = config.timeout.known().and_then(|limit| decode_duration(limit).ok()).unwrap_or(LIMIT);
        let said = progress.clone();
        let patience = Patience::new(limit, context.cancel().clone()).telling(move |text| said.say(text));
        let awaited = format!("AWS to describe cluster {id}");
        let cluster = stop::ends(context.cancel(), &awaited, Box::pin(client.find_cluster(&id))).await?;
        if cluster.is_none() {
            return Err(not_found(&id, client.region(), Diagnostic::error).into());
        }
        let reboots = Reboots { client, cluster: &id, patience: &patience, statics_changed: false };
        // In a failover nobody knows yet who the writer is.
        let cluster = stop::ends(context.cancel(), &awaited, Box::pin(reboots.available())).await?;
        let instance = instance(&cluster, config.instance_identifier.known())?;
        progress.say(format!("Rebooting {instance} of cluster {id}"));
        let awaited = format!("AWS to answer RebootDBInstance {instance}");
        let rebooted = stop::ends(context.cancel(), &awaited, Box::pin(reboots.once(&instance))).await;
        match rebooted {
            Ok(()) => {
                progress.say(format!("{instance} is available and in-sync"));
                Ok(Diagnostics::new())
            }
            Err(failure) if context.cancel().is_cancelled() => Err(interrupted(&instance, failure).into()),
            Err(failure) => Err(failure),
        }
    }
}

/// The member that is rebooted.
fn instance(cluster: &Cluster, named: Option<&String>) -> Result<String, Diagnostic> {
    match named {
        Some(named) if cluster.members.iter().any(|member| member.identifier == *named) => Ok(named.clone()),
        Some(named) => Err(no_member(cluster, named)),
        None => cluster.writer().map(|writer| writer.identifier.clone()).ok_or_else(|| no_writer(cluster)),
    }
}

/// What a reviewer should know.
fn announced(cluster: &Cluster, named: Option<&String>) -> Diagnostic {
    let id = &cluster.identifier;
    match instance(cluster, named) {
        Ok(instance) if cluster.writer().is_some_and(|writer| writer.identifier == instance) => {
            let which = if named.is_some() { "" } else { ", or whichever member is the writer then" };
            let detail = format!(
                "{instance} is the writer of cluster {id} now{which}. Its connections break and nothing can be written until it is back; \
                 readers may restart with it."
            );
            Diagnostic::warning(format!("The writer of cluster {id} is rebooted"), detail)
        }
        Ok(instance) => {
            let detail = format!("{instance} is a reader of cluster {id} now. Its connections break until it is back.");
            Diagnostic::warning(format!("Member {instance} of cluster {id} is rebooted"), detail)
        }
        Err(fault) => Diagnostic { severity: crate::terraform::Severity::Warning, ..fault },
    }
}

fn not_found(id: &str, region: &str, severity: fn(String, String) -> Diagnostic) -> Diagnostic {
    let detail = format!(
        "This account has no cluster {id} in {region}. Correct the identifier, or the region or account of the provider block. Nothing \
         is rebooted."
    );
    severity(format!("Cluster {id} not found"), detail).at(AttributePath::of("cluster_identifier"))
}

fn no_member(cluster: &Cluster, named: &str) -> Diagnostic {
    let members: Vec<&str> = cluster.members.iter().map(|member| member.identifier.as_str()).collect();
    let members = if members.is_empty() { "none".to_owned() } else { members.join(", ") };
    let id = &cluster.identifier;
    let detail = format!("{named} is no member of cluster {id}, which has {members}. Nothing is rebooted.");
    Diagnostic::error(format!("Cluster {id} has no member {named}"), detail).at(AttributePath::of("instance_identifier"))
}

fn no_writer(cluster: &Cluster) -> Diagnostic {
    let id = &cluster.identifier;
    let detail = format!("No member of cluster {id} is the writer now, as in a failover. Nothing is rebooted. Try again.");
    Diagnostic::error(format!("Cluster {id} has no writer"), detail).at(AttributePath::of("cluster_identifier"))
}

/// A stop does not take back what was asked for.
fn interrupted(instance: &str, failure: Failure) -> Diagnostics {
    let add = |fault: Diagnostic| {
        let detail = format!("{}\n\nA reboot of {instance} that was asked for before the stop goes on.", fault.detail);
        Diagnostic { detail, ..fault }
    };
    failure.into_diagnostics().into_iter().map(add).collect()
}
