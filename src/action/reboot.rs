//! `clickpipes_reboot`: reboots one member of a cluster, and waits until it runs with the values of its parameter group.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Action, Progress};
use crate::cluster::{LONGEST_CLUSTER, Reboots, invalid_identifier};
use crate::failure::Failure;
use crate::provider::{Context, stop};
use crate::rds::{Client, Cluster, Patience};
use crate::terraform::{
    Attr, AttributePath, Configured, Diagnostic, Diagnostics, Severity, decode_duration, model, optional, required,
};

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
        /// Identifier of the member to reboot. Default: the member that is the writer when the action runs.
        instance_identifier: String => optional(),
        /// Maximum duration, such as `10m` or `1h`. Time spent waiting for other changes of the cluster by this run does not
        /// count. Default: `30m`.
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
            .map(|(name, fault)| Diagnostic::invalid(name, fault))
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
        let rds = context.readings().await?.glance();
        let awaited = format!("AWS to describe cluster {id}");
        let cluster = stop::ends(context.cancel(), &awaited, Box::pin(rds.find_cluster(id))).await?;
        // Another change in the same apply may create the missing cluster.
        Ok(match cluster {
            Some(cluster) => announced(&cluster, &config.instance_identifier),
            None => not_found(id, rds.region(), Diagnostic::warning),
        }
        .into())
    }

    async fn invoke(context: &Context, config: &RebootModel, progress: &Progress) -> Result<Diagnostics, Failure> {
        let client = context.rds().await?;
        let cluster = config.cluster_identifier.known().map(String::as_str).unwrap_or_default();
        let limit = config.timeout.known().and_then(|limit| decode_duration(limit).ok()).unwrap_or(LIMIT);
        progress.say(format!("Waiting for other changes of cluster {cluster} by this run, if there are any"));
        let _turn = context.turn(&format!("cluster {cluster}")).await?;
        let run = Run { client, cluster, progress, stage: Mutex::new(Stage::Before), said: Mutex::new(String::new()) };
        let work = tokio::time::timeout(limit, run.reboot(context, config.instance_identifier.known(), limit));
        // Boxed: the futures of the SDK are large.
        let ended = tokio::select! {
            biased;
            ended = Box::pin(work) => ended,
            () = context.cancel().cancelled() => Ok(Err(run.stopped().into())),
        };
        match ended {
            Ok(Ok(())) => Ok(Diagnostics::new()),
            Ok(Err(failure)) => {
                let is_given_up = context.cancel().is_cancelled() || matches!(failure, Failure::Unreachable(_));
                Err(run.explained(failure.into_diagnostics(), is_given_up).into())
            }
            Err(_) => Err(run.explained(run.timed_out(limit).into(), true).into()),
        }
    }
}

/// How far the reboot has got.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// RDS has not been asked yet.
    Before,
    /// RDS was asked and has not answered.
    Asked { instance: String },
    /// RDS has accepted it.
    Accepted { instance: String },
}

/// A reboot in progress.
struct Run<'a> {
    client: &'a Client,
    cluster: &'a str,
    progress: &'a Progress,
    stage: Mutex<Stage>,
    /// The last progress message.
    said: Mutex<String>,
}

impl Run<'_> {
    async fn reboot(&self, context: &Context, named: Option<&String>, limit: Duration) -> Result<(), Failure> {
        let Self { client, cluster: id, .. } = *self;
        let Some(found) = client.find_cluster(id).await? else {
            return Err(not_found(id, client.region(), Diagnostic::error).into());
        };
        let progress = self.progress.clone();
        // The overall limit ends it.
        let patience = Patience::new(2 * limit, context.cancel().clone()).telling(move |text| progress.say(text));
        let reboots =
            Reboots { client, cluster: id, resource_id: &found.resource_id, patience: &patience, statics_changed: false };
        self.say(format!("Waiting for cluster {id} to be available"));
        // During a failover the writer is not known yet.
        let instance = instance(&reboots.available().await?, named)?;
        self.say(format!("Waiting until {instance} of cluster {id} can be rebooted"));
        client.wait_for_instance_rebootable(&instance, &patience).await?;
        self.say(format!("Asking RDS to reboot {instance} of cluster {id}"));
        self.reach(Stage::Asked { instance: instance.clone() });
        client.reboot_instance(&instance, &patience).await?;
        self.reach(Stage::Accepted { instance: instance.clone() });
        self.say(format!("RDS is rebooting {instance} of cluster {id}; waiting until it is available and in-sync"));
        reboots.settled(&instance).await?;
        self.say(format!("{instance} is available and in-sync"));
        Ok(())
    }

    fn reach(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    fn stage(&self) -> Stage {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn say(&self, text: String) {
        tracing::info!(cluster = self.cluster, "{text}");
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&text);
        self.progress.say(text);
    }

    fn last_said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn timed_out(&self, limit: Duration) -> Diagnostic {
        let detail =
            format!("The reboot took longer than {}. Last step: {}.", humantime::format_duration(limit), self.last_said());
        Diagnostic::error("Timed out", detail).at(AttributePath::of("timeout"))
    }

    fn stopped(&self) -> Diagnostic {
        Diagnostic::error("Cancelled", format!("The run was stopped. Last step: {}.", self.last_said()))
    }

    /// The faults, with what they concern and what happened to the reboot. `is_given_up`: the last call may not have been
    /// answered.
    fn explained(&self, faults: Diagnostics, is_given_up: bool) -> Diagnostics {
        let stage = self.stage();
        let consequence = match &stage {
            Stage::Asked { instance } if is_given_up => format!(
                "RDS was asked to reboot {instance}, but no answer came: the instance may be rebooting, or may have rebooted. Check \
                 its events in RDS before you run this again."
            ),
            Stage::Accepted { instance } => format!(
                "RDS has accepted the reboot of {instance}, and the reboot continues. Check the status of the instance before you run this \
                 again: that would reboot it once more."
            ),
            Stage::Before | Stage::Asked { .. } => "Nothing was rebooted.".to_owned(),
        };
        let what = match stage {
            Stage::Before => format!("cluster {}", self.cluster),
            Stage::Asked { instance } | Stage::Accepted { instance } => format!("{instance} of cluster {}", self.cluster),
        };
        let explain = |fault: Diagnostic| {
            let path = fault.path.unwrap_or_else(|| AttributePath::of("cluster_identifier"));
            Diagnostic::error(format!("Reboot of {what}: {}", fault.summary), format!("{}\n\n{consequence}", fault.detail))
                .at(path)
        };
        faults.into_iter().map(explain).collect()
    }
}

/// The member to reboot.
fn instance(cluster: &Cluster, named: Option<&String>) -> Result<String, Diagnostic> {
    match named {
        Some(named) if cluster.members.iter().any(|member| member.identifier == *named) => Ok(named.clone()),
        Some(named) => Err(no_member(cluster, named)),
        None => cluster.writer().map(|writer| writer.identifier.clone()).ok_or_else(|| no_writer(cluster)),
    }
}

/// What a reviewer should know.
fn announced(cluster: &Cluster, named: &Attr<String>) -> Diagnostic {
    let id = &cluster.identifier;
    if named.is_unknown() {
        let detail = "Which one is known only after apply. Its connections break until it is available again. If it is the writer, \
                      nothing can be written in the meantime.";
        return Diagnostic::warning(format!("A member of cluster {id} is rebooted"), detail);
    }
    match instance(cluster, named.known()) {
        Ok(instance) if cluster.writer().is_some_and(|writer| writer.identifier == instance) => {
            let which = if named.is_null() { " (the action reboots the member that is the writer when it runs)" } else { "" };
            let detail = format!(
                "{instance} is currently the writer of cluster {id}{which}. Its connections break and nothing can be written until it is \
                 available again; readers may restart with it."
            );
            Diagnostic::warning(format!("The writer of cluster {id} is rebooted"), detail)
        }
        Ok(instance) => {
            let detail =
                format!("{instance} is currently a reader of cluster {id}. Its connections break until it is available again.");
            Diagnostic::warning(format!("Member {instance} of cluster {id} is rebooted"), detail)
        }
        Err(fault) => Diagnostic { severity: Severity::Warning, ..fault },
    }
}

fn not_found(id: &str, region: &str, severity: fn(String, String) -> Diagnostic) -> Diagnostic {
    let detail = format!(
        "This account has no cluster {id} in {region}. Correct the identifier, or the region or account of the provider block."
    );
    severity(format!("Cluster {id} not found"), detail).at(AttributePath::of("cluster_identifier"))
}

fn no_member(cluster: &Cluster, named: &str) -> Diagnostic {
    let members: Vec<&str> = cluster.members.iter().map(|member| member.identifier.as_str()).collect();
    let members = if members.is_empty() { "none".to_owned() } else { members.join(", ") };
    let id = &cluster.identifier;
    let detail = format!("{named} is not a member of cluster {id}. Its members: {members}.");
    Diagnostic::error(format!("Cluster {id} has no member {named}"), detail).at(AttributePath::of("instance_identifier"))
}

fn no_writer(cluster: &Cluster) -> Diagnostic {
    let id = &cluster.identifier;
    let detail = match cluster.members.is_empty() {
        true => format!("Cluster {id} has no DB instances."),
        false => format!("Cluster {id} has no writer at the moment, for example during a failover. Try again later."),
    };
    Diagnostic::error(format!("Cluster {id} has no writer"), detail).at(AttributePath::of("cluster_identifier"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::fixture::settled;

    fn summary(named: Attr<String>) -> String {
        announced(&settled().cluster, &named).summary
    }

    #[test]
    fn a_reviewer_reads_who_is_rebooted() {
        assert_eq!(summary(Attr::Null), "The writer of cluster shop is rebooted");
        assert_eq!(summary("shop-b".into()), "The writer of cluster shop is rebooted");
        assert_eq!(summary("shop-a".into()), "Member shop-a of cluster shop is rebooted");
        assert_eq!(summary("shop-c".into()), "Cluster shop has no member shop-c");
        assert_eq!(summary(Attr::Unknown), "A member of cluster shop is rebooted");
    }

    #[test]
    fn a_cluster_without_members_is_told_from_one_in_a_failover() {
        let mut cluster = settled().cluster;
        cluster.members.retain(|member| !member.writer);
        assert!(no_writer(&cluster).detail.contains("failover"));
        cluster.members.clear();
        assert_eq!(no_writer(&cluster).detail, "Cluster shop has no DB instances.");
    }
}
