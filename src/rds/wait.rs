//! Waiting for RDS: with a deadline, an end at cancel, and a word in the log while it lasts.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::cluster::{Cluster, Member};
use super::status::{ClusterStatus, InstanceStatus, ParameterGroupStatus};
use crate::aws::{Cause, Error};

/// Between the first two looks.
const FIRST_INTERVAL: Duration = Duration::from_millis(50);
/// Between two looks of a long wait; RDS advises no more than a few calls a minute.
const LONGEST_INTERVAL: Duration = Duration::from_secs(15);
/// Between two lines in the log of an unchanged wait.
const LOG_INTERVAL: Duration = Duration::from_secs(30);
/// How long a call that is refused for the state of cluster, instance or parameter group is repeated.
pub const WRONG_STATE_LIMIT: Duration = Duration::from_secs(15 * 60);
/// How long a member may take to say that it waits for a reboot.
const NOTICE_LIMIT: Duration = Duration::from_secs(60);

/// How long to wait and what ends it.
#[derive(Debug, Clone)]
pub struct Patience {
    deadline: Instant,
    cancel: CancellationToken,
}

/// What one look at the awaited thing found.
enum Seen<T> {
    Done(T),
    NotYet(String),
    /// Waiting longer is of no use.
    DeadEnd(String),
}

impl Patience {
    /// Waits until `timeout` from now, or `cancel`.
    pub fn new(timeout: Duration, cancel: CancellationToken) -> Self {
        Self { deadline: Instant::now() + timeout, cancel }
    }

    /// The same, but ending after `limit` if that is sooner.
    pub fn at_most(&self, limit: Duration) -> Self {
        Self { deadline: self.deadline.min(Instant::now() + limit), cancel: self.cancel.clone() }
    }

    /// Looks at growing intervals until the thing awaited is there.
    async fn until<T, F>(&self, awaited: &str, mut look: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<Seen<T>, Error>>,
    {
        let start = Instant::now();
        let mut interval = FIRST_INTERVAL;
        let mut logged: Option<(String, Instant)> = None;
        loop {
            let seen = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(Error::Cancelled { awaited: awaited.to_owned() }),
                seen = look() => seen?,
            };
            let seen = match seen {
                Seen::Done(value) => return Ok(value),
                Seen::DeadEnd(seen) => {
                    return Err(Error::DeadEnd { awaited: awaited.to_owned(), seen });
                }
                Seen::NotYet(seen) => seen,
            };
            let now = Instant::now();
            if logged.as_ref().is_none_or(|(last, at)| *last != seen || now - *at >= LOG_INTERVAL) {
                tracing::info!(
                    seen,
                    elapsed_seconds = (now - start).as_secs(),
                    timeout_seconds = self.deadline.saturating_duration_since(start).as_secs(),
                    "waiting for {awaited}"
                );
                logged = Some((seen.clone(), now));
            }
            if now >= self.deadline {
                let after = Duration::from_secs((now - start).as_secs());
                return Err(Error::TimedOut { awaited: awaited.to_owned(), after, seen });
            }
            tokio::select! {
                () = self.cancel.cancelled() => {}
                () = tokio::time::sleep_until(self.deadline.min(now + interval)) => {}
            }
            interval = (interval * 3 / 2).min(LONGEST_INTERVAL);
        }
    }

    /// Repeats a call while RDS refuses it for the present state of cluster, instance or parameter group.
    pub(super) async fn through_wrong_state<T, F>(&self, what: &str, mut call: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let look = || {
            let attempt = call();
            async move {
                match attempt.await {
                    Ok(value) => Ok(Seen::Done(value)),
                    Err(error) if matches!(error.cause(), Cause::WrongState | Cause::InUse) => {
                        Ok(Seen::NotYet(error.to_string()))
                    }
                    Err(error) => Err(error),
                }
            }
        };
        self.at_most(WRONG_STATE_LIMIT).until(&format!("RDS to accept {what}"), look).await
    }
}

impl Client {
    /// Waits until the cluster is `available` and no member is taking over parameters.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel, and a status that does not lead to `available`.
    pub async fn wait_for_cluster_available(&self, identifier: &str, patience: &Patience) -> Result<Cluster, Error> {
        patience
            .until(&format!("cluster {identifier} to be available"), || async {
                let Some(cluster) = self.find_cluster(identifier).await? else {
                    return Ok(Seen::DeadEnd("the cluster does not exist any more".to_owned()));
                };
                let applying =
                    cluster.members.iter().find(|member| member.parameter_group_status == ParameterGroupStatus::Applying);
                Ok(match (&cluster.status, applying) {
                    (ClusterStatus::Available, None) => Seen::Done(cluster),
                    (ClusterStatus::Available, Some(member)) => {
                        Seen::NotYet(format!("member {} is applying parameters", member.identifier))
                    }
                    (status, _) if status.is_dead_end() => Seen::DeadEnd(format!("cluster status {status}")),
                    (status, _) => Seen::NotYet(format!("cluster status {status}")),
                })
            })
            .await
    }

    /// Waits until the cluster says that it is attached to the parameter group, and is available again.
    ///
    /// # Errors
    /// As [`Client::wait_for_cluster_available`].
    pub async fn wait_for_parameter_group_attached(
        &self,
        identifier: &str,
        group: &str,
        patience: &Patience,
    ) -> Result<Cluster, Error> {
        patience
            .until(&format!("cluster {identifier} to be attached to parameter group {group}"), || async {
                Ok(match self.find_cluster(identifier).await? {
                    None => Seen::DeadEnd("the cluster does not exist any more".to_owned()),
                    Some(cluster) if cluster.parameter_group == group => Seen::Done(()),
                    Some(cluster) => Seen::NotYet(format!("attached to {}", cluster.parameter_group)),
                })
            })
            .await?;
        self.wait_for_cluster_available(identifier, patience).await
    }

    /// Waits until a parameter group just created is there for other calls.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel.
    pub async fn wait_for_parameter_group(&self, group: &str, patience: &Patience) -> Result<(), Error> {
        patience
            .until(&format!("parameter group {group} to be visible"), || async {
                Ok(match self.find_parameter_group(group).await? {
                    Some(_) => Seen::Done(()),
                    None => Seen::NotYet("not found yet".to_owned()),
                })
            })
            .await
    }

    /// Waits until the instance is `available`.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel, and a status that does not lead to `available`.
    pub async fn wait_for_instance_available(&self, identifier: &str, patience: &Patience) -> Result<(), Error> {
        patience
            .until(&format!("instance {identifier} to be available"), || async {
                Ok(match self.find_instance_status(identifier).await? {
                    Some(InstanceStatus::Available) => Seen::Done(()),
                    Some(status) if status.is_dead_end() => Seen::DeadEnd(format!("instance status {status}")),
                    Some(status) => Seen::NotYet(format!("instance status {status}")),
                    None => Seen::DeadEnd("the instance does not exist any more".to_owned()),
                })
            })
            .await
    }

    /// Waits until the instance can be rebooted: `available`, or `incompatible-parameters`, which a reboot with mended parameters ends.
    ///
    /// # Errors
    /// As [`Client::wait_for_instance_available`].
    pub async fn wait_for_instance_rebootable(&self, identifier: &str, patience: &Patience) -> Result<(), Error> {
        match self.find_instance_status(identifier).await? {
            Some(InstanceStatus::IncompatibleParameters) => Ok(()),
            _ => self.wait_for_instance_available(identifier, patience).await,
        }
    }

    /// Waits until the member runs with the cluster's parameter group and is available.
    ///
    /// # Errors
    /// As [`Client::wait_for_instance_available`].
    pub async fn wait_for_member_in_sync(
        &self,
        cluster_identifier: &str,
        member: &str,
        patience: &Patience,
    ) -> Result<(), Error> {
        patience
            .until(&format!("member {member} of cluster {cluster_identifier} to be in-sync"), || async {
                let Some(Member { parameter_group_status, .. }) = self.find_member(cluster_identifier, member).await? else {
                    return Ok(Seen::DeadEnd("the member does not exist any more".to_owned()));
                };
                Ok(match parameter_group_status {
                    ParameterGroupStatus::InSync => Seen::Done(()),
                    // A server that does not start with its values never gets there.
                    status => match self.find_instance_status(member).await? {
                        Some(instance) if instance.is_dead_end() => Seen::DeadEnd(format!("instance status {instance}")),
                        _ => Seen::NotYet(format!("parameter group status {status}")),
                    },
                })
            })
            .await?;
        self.wait_for_instance_available(member, patience).await
    }

    /// Gives a member the time to say that it waits for a reboot after a change that needs one: RDS tells members with a delay. A member
    /// that says nothing within a minute is no error.
    ///
    /// # Errors
    /// Any failed call, cancel.
    pub async fn wait_for_member_to_notice(
        &self,
        cluster_identifier: &str,
        member: &str,
        patience: &Patience,
    ) -> Result<(), Error> {
        let noticed = patience
            .at_most(NOTICE_LIMIT)
            .until(&format!("member {member} of cluster {cluster_identifier} to wait for a reboot"), || async {
                Ok(match self.find_member(cluster_identifier, member).await? {
                    Some(Member { parameter_group_status: ParameterGroupStatus::InSync, .. }) => {
                        Seen::NotYet("in-sync".to_owned())
                    }
                    _ => Seen::Done(()),
                })
            })
            .await;
        match noticed {
            Err(Error::TimedOut { .. }) => Ok(()),
            other => other,
        }
    }

    async fn find_member(&self, cluster_identifier: &str, member: &str) -> Result<Option<Member>, Error> {
        let cluster = self.find_cluster(cluster_identifier).await?;
        Ok(cluster.and_then(|cluster| cluster.members.into_iter().find(|found| found.identifier == member)))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn patience(limit: Duration) -> Patience {
        Patience::new(limit, CancellationToken::new())
    }

    #[tokio::test]
    async fn looks_again_until_the_thing_is_there() {
        let looks = Cell::new(0);
        let look = || async {
            looks.set(looks.get() + 1);
            Ok(if looks.get() == 4 { Seen::Done("it") } else { Seen::NotYet("nothing".to_owned()) })
        };
        assert_eq!(patience(Duration::from_secs(60)).until("a thing", look).await.unwrap(), "it");
        assert_eq!(looks.get(), 4);
    }

    #[tokio::test]
    async fn a_timeout_says_what_was_awaited_and_what_was_seen() {
        let look = || async { Ok(Seen::<()>::NotYet("another".to_owned())) };
        let error = patience(Duration::from_millis(10)).until("a thing", look).await.unwrap_err();
        assert_eq!(error.to_string(), "timed out after 0s waiting for a thing; last seen: another");
    }

    #[tokio::test]
    async fn cancel_ends_a_wait() {
        let cancel = CancellationToken::new();
        let look = || async {
            cancel.cancel();
            Ok(Seen::<()>::NotYet("another".to_owned()))
        };
        let error = Patience::new(Duration::from_secs(60), cancel.clone()).until("a thing", look).await.unwrap_err();
        assert!(matches!(error, Error::Cancelled { .. }));
    }

    #[tokio::test]
    async fn a_call_refused_for_the_state_is_repeated_and_others_are_not() {
        let fault = |code: &str| Error::Api { action: "RebootDBInstance", code: code.to_owned(), message: "no".to_owned() };
        let calls = Cell::new(0);
        let call = || async {
            calls.set(calls.get() + 1);
            if calls.get() < 3 { Err(fault("InvalidDBInstanceState")) } else { Ok(()) }
        };
        patience(Duration::from_secs(60)).through_wrong_state("a reboot", call).await.unwrap();
        assert_eq!(calls.get(), 3);
        let call = || async { Err::<(), _>(fault("AccessDenied")) };
        let error = patience(Duration::from_secs(60)).through_wrong_state("a reboot", call).await.unwrap_err();
        assert_eq!(error.cause(), Cause::AccessDenied);
    }
}
