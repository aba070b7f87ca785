//! `clickpipes_aurora_source`: the cluster parameters that logical replication needs, in a DB cluster parameter group made for the cluster.
//!
//! Manages that group, its attachment and the reboots that the configuration allows. Leaves alone: the cluster itself, its instances and
//! their own parameter groups, and every parameter that is not wanted here (what the previous group sets is carried over).
//!
//! A group is ours if its tags say that it was made for the cluster; they also hold the name of the group attached before. So a create
//! that stops half-way leaves no state and loses nothing: the next one finds the group and plans only what is missing.
//!
//! Needs rds:DescribeDBClusters, DescribeDBInstances, DescribeDBEngineVersions, DescribeDBClusterParameterGroups,
//! DescribeDBClusterParameters and ListTagsForResource to read, DescribeGlobalClusters to recognise a secondary cluster; to change,
//! CreateDBClusterParameterGroup, ModifyDBClusterParameterGroup, ResetDBClusterParameterGroup, DeleteDBClusterParameterGroup,
//! AddTagsToResource, RemoveTagsFromResource, ModifyDBCluster (cluster and group) and RebootDBInstance.

mod apply;
mod diff;
#[cfg(test)]
mod fixture;
mod lifecycle;
mod model;
mod notice;
mod observe;
mod outputs;
mod plan;
mod refuse;
mod request;
mod schema;
mod slots;
mod stop;
mod undo;

use serde::{Deserialize, Serialize};

use self::model::Desired;
use self::observe::Observed;
use self::request::Operation;
use self::schema::AuroraSource;
use crate::failure::Failure;
use crate::provider::Context;
use crate::resource::{ApplyRequest, Existing, Plan, PlanRequest, Resource, Saved};
use crate::terraform::{Attr, Diagnostic, Diagnostics};

/// The resource.
#[derive(Clone, Debug)]
pub(crate) struct Source;

/// What is stored beside the state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Private {
    /// What the last Read saw.
    observed: Option<Observed>,
    /// The operations planned; `None` where they were not known.
    planned: Option<Vec<Operation>>,
    /// An import has named the cluster, and the next Read states its arguments.
    importing: bool,
}

/// What a plan of a create looked up.
pub(crate) enum Lookup {
    /// There is no such cluster.
    Absent,
    /// The cluster with its parameter groups.
    Found(Box<Observed>),
}

impl Resource for Source {
    const TYPE_NAME: &'static str = "clickpipes_aurora_source";
    type Model = AuroraSource;
    type Private = Private;
    type Lookup = Lookup;

    fn validate(config: &AuroraSource) -> Diagnostics {
        model::validate(config)
    }

    async fn look_up(context: &Context, request: &PlanRequest<'_, Self>) -> Result<Option<Lookup>, Failure> {
        let (None, Some(desired)) = (request.prior, Desired::decode(request.proposed)) else { return Ok(None) };
        let client = context.rds().await?;
        let awaited = format!("AWS to describe cluster {}", desired.cluster_identifier);
        let observation = observe::observe(client, &desired.cluster_identifier, desired.group_name.as_deref(), &[]);
        let found = stop::ends(context.cancel(), &awaited, Box::pin(observation)).await?;
        Ok(Some(found.map_or(Lookup::Absent, |observed| Lookup::Found(Box::new(observed)))))
    }

    fn plan(request: &PlanRequest<'_, Self>, lookup: Option<&Lookup>) -> Plan<Self> {
        plan::plan(request, lookup)
    }

    async fn plan_destroy(context: &Context, prior: &Existing<Self>) -> Result<Diagnostics, Failure> {
        lifecycle::plan_destroy(context, prior).await
    }

    async fn read(context: &Context, prior: Existing<Self>) -> Result<Option<Existing<Self>>, Failure> {
        lifecycle::read(context, prior).await
    }

    async fn apply(context: &Context, request: &ApplyRequest<'_, Self>, saved: &Saved<Self>) -> Result<Diagnostics, Failure> {
        lifecycle::apply(context, request, saved).await
    }

    async fn destroy(context: &Context, prior: &Existing<Self>, saved: &Saved<Self>) -> Result<Diagnostics, Failure> {
        lifecycle::destroy(context, prior, saved).await
    }

    fn is_import(existing: &Existing<Self>) -> bool {
        existing.private.importing
    }

    fn import(id: &str) -> Result<Existing<Self>, Diagnostics> {
        if let Some(fault) = model::invalid_identifier(id, 63) {
            let detail = format!("The import id is the cluster identifier, and {id:?} is none: {fault}.");
            return Err(Diagnostic::error("Invalid import id", detail).into());
        }
        let model = AuroraSource { cluster_identifier: Attr::from(id), id: Attr::from(id), ..AuroraSource::default() };
        Ok(Existing { model, private: Private { importing: true, ..Private::default() } })
    }
}
