//! `clickpipes_aurora_cluster`: what a pipe and a plan need to know of a cluster that no `clickpipes_aurora_source` manages.

use super::{DataSource, Found};
use crate::cluster::{self, Claims, Group, LOGICAL_REPLICATION, Names, Observed};
use crate::failure::Failure;
use crate::names;
use crate::provider::Context;
use crate::rds::{ClusterStatus, ParameterGroupStatus};
use crate::resource::aurora_source::{MemberState, SOURCE_TYPE, members};
use crate::terraform::{AttributePath, Configured, Diagnostic, Diagnostics, computed, model, required};

model! {
    /// An Aurora PostgreSQL cluster that something else manages, with the attributes that `clickpipes_aurora_source` has of one. It may
    /// be no source yet; nothing is changed.
    pub struct AuroraClusterModel {
        /// Identifier of the cluster, in lower case.
        cluster_identifier: String => required(),
        /// ARN of the cluster.
        arn: String => computed(),
        /// Resource id of the cluster (`cluster-...`), for IAM policies that allow database logins.
        cluster_resource_id: String => computed(),
        /// Engine version of the cluster.
        engine_version: String => computed(),
        /// Writer endpoint; null while the cluster has none.
        host: String => computed(),
        /// Whether IAM database authentication is on.
        iam_authentication: bool => computed(),
        /// The members of the cluster, sorted by identifier.
        members: Vec<MemberState> => computed(),
        /// Family of the parameter group that the engine version needs, for example `aurora-postgresql16`.
        parameter_group_family: String => computed(),
        /// Name of the parameter group attached to the cluster.
        parameter_group_name: String => computed(),
        /// The values that were set in that group, by the names of the parameters: not those that AWS's own group has too.
        parameters: std::collections::BTreeMap<String, String> => computed(),
        /// Port of the cluster.
        port: i64 => computed(),
        /// Whether the cluster is available, and logical replication is in effect on the writer.
        ready: bool => computed(),
        /// Whether a member runs without the values of its parameter group until it is rebooted.
        reboot_required: bool => computed(),
        /// Region of the cluster.
        region: String => computed(),
        /// Source type of a ClickPipe for this cluster: always `aurorapostgres`.
        source_type: String => computed(),
        /// Name that the server's certificate must have: the writer endpoint.
        tls_host: String => computed(),
        /// Identifier of the member that is the writer; null during a failover.
        writer_instance_id: String => computed(),
    }
}

/// The data source.
pub(crate) struct AuroraCluster;

impl Configured for AuroraCluster {
    const TYPE_NAME: &'static str = "clickpipes_aurora_cluster";
    type Model = AuroraClusterModel;

    fn validate(config: &AuroraClusterModel) -> Diagnostics {
        names::cluster(&config.cluster_identifier).err().unwrap_or_default()
    }
}

impl DataSource for AuroraCluster {
    async fn read(context: &Context, config: &AuroraClusterModel) -> Result<Found<AuroraClusterModel>, Failure> {
        let Some(identifier) = config.cluster_identifier.known() else {
            return Err(Diagnostic::invalid("cluster_identifier", "it is not known").into());
        };
        let look = |context: Context| async move {
            let reader = context.readings().await?.look(&format!("data source of cluster {identifier}"));
            let found = cluster::observe(&reader, identifier, &Names::default(), &Claims::default()).await?;
            found.ok_or_else(|| not_found(identifier, reader.region()).into())
        };
        let observed = context.in_time("describing the cluster", look).await?;
        let refusals: Diagnostics =
            (observed.cluster.engine != cluster::ENGINE).then(|| another_engine(&observed)).into_iter().collect();
        refusals.into_result()?;
        Ok(Found { model: shown(config, &observed), warnings: Diagnostics::new() })
    }
}

fn shown(config: &AuroraClusterModel, found: &Observed) -> AuroraClusterModel {
    let cluster = &found.cluster;
    let set = |group: &Group| group.user_set().map(|(name, value)| (name.clone(), value.clone())).collect();
    AuroraClusterModel {
        cluster_identifier: config.cluster_identifier.clone(),
        arn: cluster.arn.clone().into(),
        cluster_resource_id: cluster.resource_id.clone().into(),
        engine_version: cluster.engine_version.clone().into(),
        host: cluster.endpoint.clone().into(),
        iam_authentication: cluster.iam_authentication.into(),
        members: members(cluster).into(),
        parameter_group_family: found.family.clone().into(),
        parameter_group_name: found.attached.name.clone().into(),
        parameters: crate::terraform::Attr::Known(set(&found.attached)),
        port: cluster.port.map(i64::from).into(),
        ready: is_ready(found).into(),
        reboot_required: found.waiting().next().is_some().into(),
        region: found.region.clone().into(),
        source_type: SOURCE_TYPE.into(),
        tls_host: cluster.endpoint.clone().into(),
        writer_instance_id: cluster.writer().map(|writer| writer.identifier.clone()).into(),
    }
}

fn is_ready(found: &Observed) -> bool {
    let writer = found.cluster.writer();
    found.cluster.status == ClusterStatus::Available
        && found.attached.holds(LOGICAL_REPLICATION, "1")
        && writer.is_some_and(|writer| writer.parameter_group_status == ParameterGroupStatus::InSync)
}

fn not_found(identifier: &str, region: &str) -> Diagnostic {
    let detail = format!(
        "There is no cluster {identifier} in region {region}. Correct the identifier, or the region or account of the provider's `aws`; if \
         this apply creates the cluster, give the data source a depends_on for it."
    );
    Diagnostic::error(format!("Cluster {identifier} not found"), detail).at(AttributePath::of("cluster_identifier"))
}

fn another_engine(found: &Observed) -> Diagnostic {
    let (id, engine) = (found.id(), &found.cluster.engine);
    let detail =
        format!("The engine of cluster {id} is {engine}. This data source is for Aurora PostgreSQL ({}).", cluster::ENGINE);
    Diagnostic::error(format!("Cluster {id} is not Aurora PostgreSQL"), detail).at(AttributePath::of("cluster_identifier"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::fixture::{settled, waiting};

    #[test]
    fn a_cluster_is_ready_once_the_writer_runs_with_the_value() {
        assert!(is_ready(&settled()) && is_ready(&waiting(settled(), &["shop-a"])));
        assert!(!is_ready(&waiting(settled(), &["shop-b"])));
        let mut off = settled();
        off.attached.settings.remove(LOGICAL_REPLICATION);
        assert!(!is_ready(&off));
    }
}
