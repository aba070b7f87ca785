//! What takes time: modifications, reboots, failovers, parameters on their way to members.
//!
//! A change is visible as a status at once; its end is a task that sleeps on the simulator's clock and then changes the state.

use std::sync::Arc;

use super::catalogue::{self, Values};
use super::shared::Shared;
use super::state::{Cluster, State};

/// Durations of the real service, in seconds.
const MODIFY: f64 = 15.0;
const REBOOT: f64 = 30.0;
const APPLY: f64 = 5.0;
const FAIL_OVER: f64 = 20.0;

const IN_SYNC: &str = "in-sync";
const PENDING_REBOOT: &str = "pending-reboot";
const APPLYING: &str = "applying";

/// Attaches a group: it reaches each member, dynamic parameters too, with that member's next reboot.
pub(crate) fn attach_group(cluster: &mut Cluster, group: &str) {
    if cluster.parameter_group == group {
        return;
    }
    group.clone_into(&mut cluster.parameter_group);
    for member in &mut cluster.members {
        PENDING_REBOOT.clone_into(&mut member.parameter_group_status);
    }
}

/// Puts the cluster into `modifying` for a while; then, if asked to apply, everything pending takes effect, whoever left it.
pub(crate) fn modify(shared: &Arc<Shared>, cluster: &mut Cluster, apply: bool) {
    "modifying".clone_into(&mut cluster.status);
    let (shared_task, identifier) = (Arc::clone(shared), cluster.identifier.clone());
    shared.runtime.spawn(async move {
        tokio::time::sleep(shared_task.scaled(MODIFY)).await;
        let mut state = shared_task.state();
        let Some(cluster) = state.clusters.get_mut(&identifier) else {
            return;
        };
        if apply {
            for (name, value) in std::mem::take(&mut cluster.pending) {
                match name.as_str() {
                    "IAMDatabaseAuthenticationEnabled" => cluster.iam_authentication = value == "true",
                    "EngineVersion" => cluster.engine_version = value,
                    _ => {}
                }
            }
        }
        "available".clone_into(&mut cluster.status);
    });
}

/// Whether a reboot of the writer restarts the readers too: up to 14.6, 13.9 and 12.13. Later versions, and all majors from 15 on,
/// leave readers running with their old settings. (AWS names 15.2 as the first; for 16 on this is taken over.)
fn reboots_readers(engine_version: &str) -> bool {
    let mut parts = engine_version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    match major {
        0..=11 => true,
        12 => minor <= 13,
        13 => minor <= 9,
        14 => minor <= 6,
        15 => minor < 2,
        _ => false,
    }
}

/// Reboots an instance, and with a writer of an old version its readers.
pub(crate) fn reboot(shared: &Arc<Shared>, cluster: &mut Cluster, instance: &str) {
    let is_writer = cluster.writer().is_some_and(|writer| writer.identifier == instance);
    let all = is_writer && reboots_readers(&cluster.engine_version);
    let mut rebooting = Vec::new();
    for member in cluster.members.iter_mut().filter(|member| all || member.identifier == instance) {
        "rebooting".clone_into(&mut member.status);
        rebooting.push(member.identifier.clone());
    }
    let (shared_task, identifier) = (Arc::clone(shared), cluster.identifier.clone());
    shared.runtime.spawn(async move { finish_reboot(&shared_task, &identifier, &rebooting, is_writer).await });
}

async fn finish_reboot(shared: &Arc<Shared>, identifier: &str, rebooting: &[String], is_writer: bool) {
    tokio::time::sleep(shared.scaled(REBOOT / 2.0)).await;
    let (group, values, postgres) = {
        let state = shared.state();
        let Some(cluster) = state.clusters.get(identifier) else {
            return;
        };
        (cluster.parameter_group.clone(), state.group_values(&cluster.parameter_group), cluster.postgres.clone())
    };
    let mut started = Ok(());
    if let Some(postgres) = postgres {
        if is_writer {
            started = postgres.restart(&values).await;
        }
        if !is_writer || rebooting.len() > 1 {
            started = started.and(postgres.restart_reader(&values).await);
        }
    }
    if let Err(error) = &started {
        eprintln!("aurora-sim: {identifier} did not come back from its reboot: {error:#}");
    }
    tokio::time::sleep(shared.scaled(REBOOT / 2.0)).await;
    let mut state = shared.state();
    // What changed while Postgres started waits for the next reboot.
    let current = state.clusters.get(identifier).is_some_and(|cluster| cluster.parameter_group == group)
        && state.group_values(&group) == values;
    let Some(cluster) = state.clusters.get_mut(identifier) else {
        return;
    };
    for member in cluster.members.iter_mut().filter(|member| rebooting.contains(&member.identifier)) {
        if started.is_err() {
            "incompatible-parameters".clone_into(&mut member.status);
            continue;
        }
        "available".clone_into(&mut member.status);
        group.clone_into(&mut member.group_in_effect);
        member.values.clone_from(&values);
        (if current { IN_SYNC } else { PENDING_REBOOT }).clone_into(&mut member.parameter_group_status);
    }
}

/// Makes `target` the writer. It runs with the values that it started with, so that an old setting comes back with it.
pub(crate) fn fail_over(shared: &Arc<Shared>, cluster: &mut Cluster, target: &str) {
    "failing-over".clone_into(&mut cluster.status);
    let (shared_task, identifier, target) = (Arc::clone(shared), cluster.identifier.clone(), target.to_owned());
    shared.runtime.spawn(async move {
        tokio::time::sleep(shared_task.scaled(FAIL_OVER)).await;
        let (postgres, values) = {
            let mut state = shared_task.state();
            let Some(cluster) = state.clusters.get_mut(&identifier) else {
                return;
            };
            let mut values = Values::new();
            for member in &mut cluster.members {
                member.writer = member.identifier == target;
                if member.writer {
                    values.clone_from(&member.values);
                }
            }
            (cluster.postgres.clone(), values)
        };
        if let Some(postgres) = postgres
            && let Err(error) = postgres.restart(&values).await
        {
            eprintln!("aurora-sim: {identifier} did not come back from its failover: {error:#}");
        }
        if let Some(cluster) = shared_task.state().clusters.get_mut(&identifier) {
            "available".clone_into(&mut cluster.status);
        }
    });
}

/// Carries changed parameters to the clusters that use the group: `waits` for those that need a reboot, `at_once` for the others.
pub(crate) fn group_changed(shared: &Arc<Shared>, state: &mut State, group: &str, waits: bool, at_once: bool) {
    for cluster in state.clusters.values_mut().filter(|cluster| cluster.parameter_group == group) {
        let mut reached = false;
        for member in &mut cluster.members {
            if waits {
                PENDING_REBOOT.clone_into(&mut member.parameter_group_status);
            }
            if at_once && member.group_in_effect == group {
                reached = true;
                if member.parameter_group_status == IN_SYNC {
                    APPLYING.clone_into(&mut member.parameter_group_status);
                }
            }
        }
        if reached {
            let (shared_task, identifier, group) = (Arc::clone(shared), cluster.identifier.clone(), group.to_owned());
            shared.runtime.spawn(async move { finish_apply(&shared_task, &identifier, &group).await });
        }
    }
}

async fn finish_apply(shared: &Arc<Shared>, identifier: &str, group: &str) {
    tokio::time::sleep(shared.scaled(APPLY)).await;
    let (postgres, values) = {
        let mut state = shared.state();
        let Some(set) = state.groups.get(group) else {
            return;
        };
        let dynamic: Vec<(&str, Option<String>)> = catalogue::parameters(&set.family)
            .filter(|parameter| parameter.apply_type == "dynamic")
            .filter(|parameter| set.values.get(parameter.name).is_none_or(|value| value.apply_method == "immediate"))
            .map(|parameter| (parameter.name, set.values.get(parameter.name).map(|value| value.value.clone())))
            .collect();
        let Some(cluster) = state.clusters.get_mut(identifier) else {
            return;
        };
        for member in cluster.members.iter_mut().filter(|member| member.group_in_effect == group) {
            for (name, value) in &dynamic {
                match value {
                    Some(value) => member.values.insert((*name).to_owned(), value.clone()),
                    None => member.values.remove(*name),
                };
            }
        }
        (cluster.postgres.clone(), cluster.writer().map(|writer| writer.values.clone()).unwrap_or_default())
    };
    if let Some(postgres) = postgres
        && let Err(error) = postgres.reload(&values).await
    {
        eprintln!("aurora-sim: {identifier} did not take its changed parameters: {error:#}");
    }
    if let Some(cluster) = shared.state().clusters.get_mut(identifier) {
        for member in cluster.members.iter_mut().filter(|member| member.parameter_group_status == APPLYING) {
            IN_SYNC.clone_into(&mut member.parameter_group_status);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::reboots_readers;

    #[test]
    fn readers_restart_with_the_writer_on_old_versions_only() {
        let old = ["11.21", "12.13", "13.9", "14.6"];
        let new = ["12.14", "13.10", "14.7", "15.2", "15.10", "16.6", "17.4"];
        assert!(old.into_iter().all(reboots_readers));
        assert!(!new.into_iter().any(reboots_readers));
    }
}
