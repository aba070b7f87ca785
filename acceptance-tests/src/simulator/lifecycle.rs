//! Changes that take time: creations, modifications, reboots, failovers, deletions, parameters on their way to members.
//!
//! A change is visible as a status at once; its end is a task that sleeps on the simulator's clock and then changes the state.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::catalogue::{self, Values};
use super::cluster_postgres::ClusterPostgres;
use super::master_secret::{self, MasterChange};
use super::new_cluster;
use super::secret_text::SecretText;
use super::shared::Shared;
use super::state::{Cluster, Member, State};
use super::upgrade;

/// Durations of the real service, in seconds.
const CREATE: f64 = 60.0;
const CREATE_MEMBER: f64 = 120.0;
const DELETE: f64 = 30.0;
const UPGRADE: f64 = 300.0;
const MODIFY: f64 = 15.0;
const REBOOT: f64 = 30.0;
const APPLY: f64 = 5.0;
const FAIL_OVER: f64 = 20.0;

pub(super) const IN_SYNC: &str = "in-sync";
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

/// Brings a new cluster to `available`, with its Postgres.
pub(crate) fn create(shared: &Arc<Shared>, cluster: &Cluster) {
    let (shared_task, identifier, spec) = (Arc::clone(shared), cluster.identifier.clone(), cluster.spec.clone());
    shared.clock.spawn(async move {
        shared_task.clock.sleep(CREATE).await;
        let values = {
            let state = shared_task.state();
            let Some(cluster) = state.clusters.get(&identifier) else { return };
            state.group_values(&cluster.parameter_group)
        };
        let started = new_cluster::start_postgres(&shared_task, &spec, &values).await;
        let mut state = shared_task.state();
        let Some(cluster) = state.clusters.get_mut(&identifier) else { return };
        match started {
            Ok(postgres) => {
                if let Some(postgres) = postgres {
                    cluster.connect(postgres);
                }
                "available".clone_into(&mut cluster.status);
                if let Err(error) = master_secret::store(&shared_task, &mut state, &identifier) {
                    eprintln!("aurora-sim: {identifier} has no secret: {error:#}");
                }
            }
            Err(error) => {
                eprintln!("aurora-sim: {identifier} was not created: {error:#}");
                "failed".clone_into(&mut cluster.status);
            }
        }
    });
}

/// Removes a cluster, and its Postgres.
pub(crate) fn delete(shared: &Arc<Shared>, cluster: &mut Cluster) {
    "deleting".clone_into(&mut cluster.status);
    let (shared_task, identifier) = (Arc::clone(shared), cluster.identifier.clone());
    shared.clock.spawn(async move {
        shared_task.clock.sleep(DELETE).await;
        let removed = shared_task.state().remove_cluster(&identifier);
        if let Some(postgres) = removed.and_then(|cluster| cluster.postgres) {
            // It waits for the servers to end.
            drop(tokio::task::spawn_blocking(move || postgres.terminate()).await);
        }
    });
}

/// Brings a new member to `available`, with the group's values at that time.
pub(crate) fn create_member(shared: &Arc<Shared>, cluster: &Cluster, instance: &str) {
    let (shared_task, identifier, instance) = (Arc::clone(shared), cluster.identifier.clone(), instance.to_owned());
    shared.clock.spawn(async move {
        shared_task.clock.sleep(CREATE_MEMBER).await;
        let (group, values, postgres, is_writer) = {
            let state = shared_task.state();
            let Some(cluster) = state.clusters.get(&identifier) else { return };
            let is_writer = cluster.writer().is_some_and(|writer| writer.identifier == instance);
            let group = cluster.parameter_group.clone();
            (group.clone(), state.group_values(&group), cluster.postgres.clone(), is_writer)
        };
        let mut started = Ok(());
        // The server has run since the cluster was created, perhaps with other values.
        if let Some(postgres) = postgres.filter(|_| is_writer && !values.is_empty()) {
            started = postgres.restart(&values).await;
        }
        let mut state = shared_task.state();
        let Some(member) = state.clusters.get_mut(&identifier).and_then(|cluster| cluster.member_mut(&instance)) else { return };
        member.group_in_effect = group;
        member.values = values;
        come_back(member, &started);
    });
}

/// Reports an instance as `modifying` for a while.
pub(crate) fn modify_member(shared: &Arc<Shared>, cluster: &mut Cluster, instance: &str) {
    let Some(member) = cluster.member_mut(instance) else { return };
    "modifying".clone_into(&mut member.status);
    let (shared_task, identifier, instance) = (Arc::clone(shared), cluster.identifier.clone(), instance.to_owned());
    shared.clock.spawn(async move {
        shared_task.clock.sleep(MODIFY).await;
        let mut state = shared_task.state();
        let member = state.clusters.get_mut(&identifier).and_then(|cluster| cluster.member_mut(&instance));
        if let Some(member) = member.filter(|member| member.status == "modifying") {
            "available".clone_into(&mut member.status);
        }
    });
}

/// Removes an instance; if it is the writer, another becomes the writer.
pub(crate) fn delete_member(shared: &Arc<Shared>, cluster: &mut Cluster, instance: &str) {
    let Some(member) = cluster.member_mut(instance) else { return };
    "deleting".clone_into(&mut member.status);
    let is_writer = member.writer;
    let heir = cluster.members.iter().find(|member| !member.writer && member.status == "available");
    if let Some(heir) = heir.filter(|_| is_writer).map(|heir| heir.identifier.clone()) {
        move_writer(shared, cluster, &heir);
    }
    let (shared_task, identifier, instance) = (Arc::clone(shared), cluster.identifier.clone(), instance.to_owned());
    shared.clock.spawn(async move {
        shared_task.clock.sleep(DELETE).await;
        if let Some(cluster) = shared_task.state().clusters.get_mut(&identifier) {
            cluster.members.retain(|member| member.identifier != instance);
        }
    });
}

fn come_back(member: &mut Member, started: &anyhow::Result<()>) {
    match started {
        Ok(()) => "available".clone_into(&mut member.status),
        Err(error) => {
            eprintln!("aurora-sim: {} did not start: {error:#}", member.identifier);
            "incompatible-parameters".clone_into(&mut member.status);
        }
    }
}

/// Puts the cluster into `modifying` (`upgrading`) for a while; then, if requested, everything pending takes effect, no matter
/// who left it. A major upgrade attaches `group`, which is of the new family, if it succeeds.
pub(crate) fn modify(
    shared: &Arc<Shared>,
    cluster: &mut Cluster,
    apply: bool,
    master: Option<MasterChange>,
    group: Option<String>,
) {
    let upgrades = apply && cluster.pending.contains_key("EngineVersion");
    (if upgrades { "upgrading" } else { "modifying" }).clone_into(&mut cluster.status);
    let (shared_task, identifier) = (Arc::clone(shared), cluster.identifier.clone());
    shared.clock.spawn(async move {
        shared_task.clock.sleep(if upgrades { UPGRADE } else { MODIFY }).await;
        let mut pending = BTreeMap::new();
        {
            let mut state = shared_task.state();
            let Some(cluster) = state.clusters.get_mut(&identifier) else { return };
            if apply {
                pending = std::mem::take(&mut cluster.pending);
            }
        }
        let mut taken = Ok(());
        if let Some(password) = pending.get("MasterUserPassword") {
            taken = master_secret::set_on_server(&shared_task, &identifier, &SecretText::new(password)).await;
        }
        if let Some(change) = master {
            taken = taken.and(master_secret::change(&shared_task, &identifier, change).await);
        }
        if let Err(error) = taken {
            eprintln!("aurora-sim: {identifier} did not take its new password: {error:#}");
        }
        if let Some(version) = pending.remove("EngineVersion") {
            upgrade::run(&shared_task, &identifier, &version, group).await;
        }
        let mut state = shared_task.state();
        let Some(cluster) = state.clusters.get_mut(&identifier) else { return };
        for (name, value) in pending {
            match name.as_str() {
                "IAMDatabaseAuthenticationEnabled" => cluster.iam_authentication = value == "true",
                "BackupRetentionPeriod" => drop(cluster.settings.insert(name, value)),
                _ => {}
            }
        }
        "available".clone_into(&mut cluster.status);
    });
}

/// Whether a reboot of the writer restarts the readers too: up to 14.6, 13.9 and 12.13. Later versions, and all majors from 15
/// on, keep readers running with their old settings. (AWS names 15.2 as the first; the same is assumed for 16 and later.)
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
    shared.clock.spawn(async move { finish_reboot(&shared_task, &identifier, &rebooting).await });
}

async fn finish_reboot(shared: &Arc<Shared>, identifier: &str, rebooting: &[String]) {
    shared.clock.sleep(REBOOT / 2.0).await;
    let (group, values, postgres, is_writer) = {
        let state = shared.state();
        let Some(cluster) = state.clusters.get(identifier) else { return };
        // The writer may have moved meanwhile.
        let is_writer = cluster.writer().is_some_and(|writer| rebooting.contains(&writer.identifier));
        (cluster.parameter_group.clone(), state.group_values(&cluster.parameter_group), cluster.postgres.clone(), is_writer)
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
    shared.clock.sleep(REBOOT / 2.0).await;
    let mut state = shared.state();
    // A change made while Postgres started waits for the next reboot.
    let current = state.clusters.get(identifier).is_some_and(|cluster| cluster.parameter_group == group)
        && state.group_values(&group) == values;
    let Some(cluster) = state.clusters.get_mut(identifier) else { return };
    for member in cluster.members.iter_mut().filter(|member| rebooting.contains(&member.identifier)) {
        come_back(member, &started);
        if started.is_ok() {
            group.clone_into(&mut member.group_in_effect);
            member.values.clone_from(&values);
            (if current { IN_SYNC } else { PENDING_REBOOT }).clone_into(&mut member.parameter_group_status);
        }
    }
}

/// Makes `target` the writer after a while, in which the cluster is `failing-over`.
pub(crate) fn fail_over(shared: &Arc<Shared>, cluster: &mut Cluster, target: &str) {
    "failing-over".clone_into(&mut cluster.status);
    let (shared_task, identifier, target) = (Arc::clone(shared), cluster.identifier.clone(), target.to_owned());
    shared.clock.spawn(async move {
        shared_task.clock.sleep(FAIL_OVER).await;
        let taking_over = {
            let mut state = shared_task.state();
            let Some(cluster) = state.clusters.get_mut(&identifier) else { return };
            let postgres = cluster.postgres.clone();
            postgres.zip(swap_writer(cluster, &target))
        };
        if let Some((postgres, values)) = taking_over {
            take_over(&identifier, &postgres, &values).await;
        }
        if let Some(cluster) = shared_task.state().clusters.get_mut(&identifier) {
            "available".clone_into(&mut cluster.status);
        }
    });
}

/// Makes `target` the writer at once, even during other changes and without a status of the cluster, as when the writer fails.
pub(crate) fn move_writer(shared: &Arc<Shared>, cluster: &mut Cluster, target: &str) {
    let postgres = cluster.postgres.clone();
    if let Some((postgres, values)) = postgres.zip(swap_writer(cluster, target)) {
        let identifier = cluster.identifier.clone();
        shared.clock.spawn(async move { take_over(&identifier, &postgres, &values).await });
    }
}

/// The values that the new writer runs with; `None` if there is no such member.
fn swap_writer(cluster: &mut Cluster, target: &str) -> Option<Values> {
    let values = cluster.members.iter().find(|member| member.identifier == target)?.values.clone();
    for member in &mut cluster.members {
        member.writer = member.identifier == target;
    }
    Some(values)
}

/// The new writer keeps the values that it started with, so an old setting comes back with it.
async fn take_over(cluster: &str, postgres: &ClusterPostgres, values: &Values) {
    if let Err(error) = postgres.restart(values).await {
        eprintln!("aurora-sim: {cluster} did not come back from its failover: {error:#}");
    }
}

/// Applies changed parameters to the clusters that use the group: `waits` for those that need a reboot, `at_once` for the others.
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
            shared.clock.spawn(async move { finish_apply(&shared_task, &identifier, &group).await });
        }
    }
}

async fn finish_apply(shared: &Arc<Shared>, identifier: &str, group: &str) {
    shared.clock.sleep(APPLY).await;
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
