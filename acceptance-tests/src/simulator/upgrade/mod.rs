//! Upgrades of the engine: a restart for a minor version; for a major one, a server of that version with the contents of the old.

mod copy;

use std::sync::Arc;

use anyhow::{Context, Result, bail};

use super::catalogue::Values;
use super::cluster_postgres::{ClusterPostgres, major_of};
use super::endpoint;
use super::iam::Keeper;
use super::lifecycle::IN_SYNC;
use super::shared::Shared;

/// From this major version on, slots are carried over.
const KEEPS_SLOTS: u32 = 17;

/// Upgrades a cluster to this engine version. A major upgrade attaches `group`; if it fails, everything stays as it was.
pub(crate) async fn run(shared: &Arc<Shared>, identifier: &str, version: &str, group: Option<String>) {
    let (old_version, values, target, postgres) = {
        let state = shared.state();
        let Some(cluster) = state.clusters.get(identifier) else { return };
        let target = group.unwrap_or_else(|| cluster.parameter_group.clone());
        let values = cluster.writer().map(|writer| writer.values.clone()).unwrap_or_default();
        (cluster.engine_version.clone(), values, target, cluster.postgres.clone())
    };
    let new_values = shared.state().group_values(&target);
    let upgraded = match &postgres {
        None => Ok(None),
        Some(postgres) if major_of(&old_version).ok() == major_of(version).ok() => {
            postgres.set_version(version);
            postgres.restart(&new_values).await.map(|()| None)
        }
        Some(postgres) => major(shared, identifier, postgres, version, &values, &new_values).await.map(Some),
    };
    let mut state = shared.state();
    let Some(cluster) = state.clusters.get_mut(identifier) else { return };
    match upgraded {
        Err(error) => {
            eprintln!("aurora-sim: {identifier} was not upgraded to {version}: {error:#}");
            cluster.upgrade_failure = Some(format!("{error:#}"));
        }
        Ok(successor) => {
            cluster.upgrade_failure = None;
            version.clone_into(&mut cluster.engine_version);
            target.clone_into(&mut cluster.parameter_group);
            if let Some(successor) = successor {
                cluster.connect(successor);
            }
            // All instances have restarted during this.
            for member in &mut cluster.members {
                target.clone_into(&mut member.group_in_effect);
                member.values.clone_from(&new_values);
                IN_SYNC.clone_into(&mut member.parameter_group_status);
            }
        }
    }
}

/// The servers of the new major version, with the contents of the old and at the same endpoint.
async fn major(
    shared: &Arc<Shared>,
    identifier: &str,
    old: &Arc<ClusterPostgres>,
    version: &str,
    values: &Values,
    new_values: &Values,
) -> Result<Arc<ClusterPostgres>> {
    let keeper = Keeper::new(Arc::downgrade(shared), identifier);
    let address = old.close(values).await.context("ending the sessions")?;
    match succeed(old, version, new_values).await {
        Ok(new) => {
            old.server().stop().await.context("stopping the old server")?;
            endpoint::open(&new, keeper, address).await?;
            Ok(new)
        }
        Err(error) => {
            old.restart(values).await.context("starting the old server again")?;
            endpoint::open(old, keeper, address).await?;
            Err(error)
        }
    }
}

async fn succeed(old: &Arc<ClusterPostgres>, version: &str, new_values: &Values) -> Result<Arc<ClusterPostgres>> {
    let slots = copy::logical_slots(old.server()).await?;
    if let Some(slot) = slots.first().filter(|_| old.server().major() < KEEPS_SLOTS) {
        bail!("the logical replication slot {} exists; before {KEEPS_SLOTS} all of them must be dropped first", slot.name);
    }
    if let Some(slot) = slots.iter().find(|slot| !slot.is_consumed) {
        bail!("the logical replication slot {} still has changes that were not consumed", slot.name);
    }
    if !slots.is_empty() && new_values.get("rds.logical_replication").is_none_or(|value| value != "1") {
        bail!("logical replication slots exist, and the new parameter group turns logical replication off");
    }
    let new = ClusterPostgres::start_successor(old, version, new_values).await?;
    copy::contents(old.server(), new.server()).await?;
    copy::create_slots(new.server(), &slots).await?;
    Ok(new)
}
