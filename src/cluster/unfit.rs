//! What makes a cluster unfit as a source of changes: only facts, the messages are elsewhere. Pure.

use super::observed::Observed;
use super::parameters::{BABELFISH, ENGINE};

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
    /// Babelfish is on, and this version has no logical replication beside it.
    Babelfish { version: String },
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
    let version = || cluster.engine_version.clone();
    if cluster.scalability_type == "limitless" || cluster.engine_version.ends_with("-limitless") {
        found.push(Unfit::Limitless);
    }
    if observed.version().is_some_and(|version| version.major < OLDEST_MAJOR) {
        found.push(Unfit::TooOld { version: version() });
    }
    let has_babelfish = observed.attached.holds(BABELFISH, "on");
    if has_babelfish && observed.version().is_some_and(|version| !version.replicates_babelfish()) {
        found.push(Unfit::Babelfish { version: version() });
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
    use super::super::group::Setting;
    use super::super::parameter_value::Kind;
    use super::*;
    use crate::rds::ApplyType;

    #[test]
    fn all_faults_are_found_at_once_and_another_engine_is_the_only_one() {
        let mut observed = settled();
        assert_eq!(unfit(&observed), []);
        observed.cluster.engine_version = "11.9".to_owned();
        observed.cluster.scalability_type = "limitless".to_owned();
        assert_eq!(unfit(&observed), [Unfit::Limitless, Unfit::TooOld { version: "11.9".to_owned() }]);
        observed.cluster.scalability_type = String::new();
        observed.cluster.engine_version = "16.4-limitless".to_owned();
        assert_eq!(unfit(&observed), [Unfit::Limitless]);
        observed.cluster.engine = "aurora-mysql".to_owned();
        assert_eq!(unfit(&observed), [Unfit::Engine { engine: "aurora-mysql".to_owned() }]);
    }

    #[test]
    fn babelfish_needs_a_version_that_replicates_beside_it() {
        let with = |version: &str, babelfish: &str| {
            let mut observed = settled();
            observed.cluster.engine_version = version.to_owned();
            let setting = Setting {
                value: Some(babelfish.to_owned()),
                apply_type: ApplyType::Static,
                user_set: true,
                kind: Kind::Word,
                allowed_values: None,
                whole: false,
            };
            observed.attached.settings.insert("rds.babelfish_status".to_owned(), setting);
            unfit(&observed)
        };
        assert_eq!(with("16.2", "on"), [Unfit::Babelfish { version: "16.2".to_owned() }]);
        assert_eq!((with("16.2", "off"), with("16.3", "on")), (vec![], vec![]));
    }
}
