//! What makes a cluster unfit as a source of changes: only facts, the messages are elsewhere. Pure.

use super::observed::Observed;
use super::parameters::ENGINE;

/// The oldest major version that ClickPipes reads from.
pub(crate) const OLDEST_MAJOR: u32 = 12;

/// Why a cluster cannot be a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is not Aurora PostgreSQL.
    Engine { engine: String },
    /// Aurora Serverless v1 has no logical replication.
    ServerlessV1,
    /// ClickPipes cannot read from Aurora Limitless.
    Limitless,
    /// Its major version is below [`OLDEST_MAJOR`].
    TooOld { version: String },
    /// It replicates another cluster or instance, and is read-only.
    Replica { source_arn: String },
    /// It is a secondary of a global database, and read-only.
    Secondary {
        global_cluster: String,
        /// `None`: RDS names no primary at the moment.
        primary_arn: Option<String>,
    },
}

/// Everything that makes the cluster unfit.
pub(crate) fn unfit(observed: &Observed) -> Vec<Unfit> {
    let cluster = &observed.cluster;
    if cluster.engine != ENGINE {
        // The following checks are about Aurora PostgreSQL.
        return vec![Unfit::Engine { engine: cluster.engine.clone() }];
    }
    let mut found = Vec::new();
    if cluster.engine_mode == "serverless" {
        found.push(Unfit::ServerlessV1);
    }
    if cluster.scalability_type == "limitless" {
        found.push(Unfit::Limitless);
    }
    let major = cluster.engine_version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major < OLDEST_MAJOR) {
        found.push(Unfit::TooOld { version: cluster.engine_version.clone() });
    }
    found.extend(cluster.replication_source.clone().map(|source_arn| Unfit::Replica { source_arn }));
    if let Some(global) = observed.global.as_ref().filter(|global| !global.primary) {
        let (global_cluster, primary_arn) = (global.global_cluster_identifier.clone(), global.primary_arn.clone());
        found.push(Unfit::Secondary { global_cluster, primary_arn });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::fixture::settled;
    use super::*;

    #[test]
    fn all_faults_are_found_at_once_and_another_engine_is_the_only_one() {
        let mut observed = settled();
        assert_eq!(unfit(&observed), []);
        observed.cluster.engine_version = "11.9".to_owned();
        observed.cluster.scalability_type = "limitless".to_owned();
        assert_eq!(unfit(&observed), [Unfit::Limitless, Unfit::TooOld { version: "11.9".to_owned() }]);
        observed.cluster.engine = "aurora-mysql".to_owned();
        assert_eq!(unfit(&observed), [Unfit::Engine { engine: "aurora-mysql".to_owned() }]);
    }
}
