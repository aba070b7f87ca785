//! A new cluster: whether the account accepts it, its entry there and its Postgres.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use aws_sdk_rds::primitives::{DateTime, DateTimeFormat as Format};

use super::account::ACCOUNT;
use super::catalogue::{self, Values};
use super::cluster_postgres::{Admin, ClusterPostgres, major_of};
use super::endpoint;
use super::error::ApiError;
use super::iam::Keeper;
use super::secret_text::SecretText;
use super::shared::Shared;
use super::spec::{ClusterSpec, Options};
use super::state::{Cluster, Member, State};

/// Starts the Postgres that the spec asks for.
pub(super) async fn start_postgres(
    shared: &Arc<Shared>,
    spec: &ClusterSpec,
    values: &Values,
) -> Result<Option<Arc<ClusterPostgres>>> {
    let major = major_of(&spec.engine_version)?;
    if !spec.postgres || major < 12 || spec.engine != "aurora-postgresql" {
        return Ok(None);
    }
    let admin =
        Admin { username: spec.admin_username.clone(), password: spec.admin_password.clone(), database: spec.database.clone() };
    let keeper = Keeper::new(Arc::downgrade(shared), &spec.identifier);
    let what = || format!("starting the Postgres of {}", spec.identifier);
    let postgres = ClusterPostgres::start(&spec.engine_version, spec.tls, &admin, values).await.with_context(what)?;
    endpoint::open(&postgres, keeper, SocketAddr::from(([127, 0, 0, 1], 0))).await.with_context(what)?;
    Ok(Some(postgres))
}

fn created() -> String {
    let now = DateTime::from(std::time::SystemTime::now());
    now.fmt(Format::DateTime).unwrap_or_default()
}

/// The family and the parameter group, if such a cluster can be added.
pub(super) fn check(state: &State, spec: &ClusterSpec) -> Result<(String, String), ApiError> {
    let major = major_of(&spec.engine_version).map_err(|error| ApiError::invalid_value(error.to_string()))?;
    let family = format!("{}{major}", spec.engine);
    let group = spec.parameter_group.clone().unwrap_or_else(|| format!("default.{family}"));
    if state.clusters.contains_key(&spec.identifier) {
        return Err(ApiError::cluster_exists(&spec.identifier));
    }
    if catalogue::family_major(&family).is_some() && state.group_family(&group)? != family {
        return Err(ApiError::invalid_combination(format!("The parameter group {group} is not of the family {family}.")));
    }
    Ok((family, group))
}

/// Adds a cluster to the account, available and without a Postgres.
pub(super) fn add<'a>(state: &'a mut State, options: &Options, spec: &ClusterSpec) -> Result<&'a mut Cluster, ApiError> {
    let (_, group) = check(state, spec)?;
    let values = state.group_values(&group);
    let number = state.unique();
    let region = spec.region.as_ref().unwrap_or(&options.region);
    // A name that never resolves, until a Postgres can be reached.
    let absent = |kind: &str| format!("{}.{kind}-sim.{region}.rds.invalid", spec.identifier);
    let is_serverless_v1 = spec.engine_mode == "serverless";
    let mut cluster = Cluster {
        identifier: spec.identifier.clone(),
        region: region.clone(),
        arn: format!("arn:aws:rds:{region}:{ACCOUNT}:cluster:{}", spec.identifier),
        resource_id: format!("cluster-{number:026X}"),
        created: created(),
        engine: spec.engine.clone(),
        engine_version: spec.engine_version.clone(),
        engine_mode: spec.engine_mode.clone(),
        status: "available".to_owned(),
        parameter_group: group.clone(),
        iam_authentication: spec.iam_authentication,
        database: spec.database.clone(),
        master_username: spec.admin_username.clone(),
        master_password: SecretText::new(&spec.admin_password),
        master_secret: None,
        host: absent("cluster"),
        reader_host: absent("cluster-ro"),
        port: 5432,
        members: Vec::new(),
        security_groups: vec!["sg-0123456789abcdef0".to_owned()],
        settings: Default::default(),
        upgrade_failure: None,
        pending: Default::default(),
        tags: Default::default(),
        global: spec.global.clone(),
        replication_source: spec.replication_source.clone(),
        postgres: None,
        spec: spec.clone(),
    };
    // Serverless v1 has no visible instances.
    for index in 1..=if is_serverless_v1 { 0 } else { spec.members } {
        cluster.members.push(Member {
            identifier: format!("{}-{index}", spec.identifier),
            resource_id: format!("db-{number:020X}{index:06X}"),
            writer: index == 1 && cluster.can_have_writer(),
            status: "available".to_owned(),
            parameter_group_status: "in-sync".to_owned(),
            group_in_effect: group.clone(),
            values: values.clone(),
            settings: Default::default(),
            tags: Default::default(),
        });
    }
    Ok(state.clusters.entry(spec.identifier.clone()).or_insert(cluster))
}
