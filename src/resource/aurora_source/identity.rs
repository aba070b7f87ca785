//! Identity of a cluster. Pure.

use super::schema::AuroraSource;
use crate::cluster::{LONGEST_CLUSTER, invalid_identifier};
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics, model, optional, required};

/// Position of the account in an ARN: `arn:aws:rds:<region>:<account>:cluster:<identifier>`.
const ACCOUNT: usize = 4;

model! {
    /// Identifies a cluster.
    pub struct SourceIdentity {
        /// Account that the cluster belongs to. An import checks it if it is set.
        account_id: String => optional(),
        /// Identifier of the DB cluster, in lower case.
        cluster_identifier: String => required(),
        /// Region that the cluster is in. An import checks it if it is set.
        region: String => optional(),
    }
}

impl SourceIdentity {
    /// The identity of the cluster in a state.
    pub(super) fn of(model: &AuroraSource) -> Self {
        let account_id = match &model.arn {
            Attr::Known(arn) => arn.split(':').nth(ACCOUNT).map(str::to_owned).into(),
            Attr::Unknown => Attr::Unknown,
            Attr::Null => Attr::Null,
        };
        Self { account_id, cluster_identifier: model.cluster_identifier.clone(), region: model.region.clone() }
    }

    /// The source that an import starts with. The first refresh checks the region and the account.
    pub(super) fn named(&self) -> Result<AuroraSource, Diagnostics> {
        let path = AttributePath::of("cluster_identifier");
        let Some(id) = self.cluster_identifier.known() else {
            let detail = format!("The identity has no {path}, which an import needs. Set it.");
            return Err(Diagnostic::error("cluster_identifier is missing", detail).at(path).into());
        };
        match invalid_identifier(id, LONGEST_CLUSTER) {
            None => Ok(AuroraSource::named(id)),
            Some(fault) => {
                let detail = format!("{path} of the identity is {id:?}: {fault}.");
                Err(Diagnostic::error("Invalid cluster_identifier", detail).at(path).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_and_region_are_those_of_the_cluster() {
        let model = AuroraSource {
            arn: "arn:aws:rds:eu-west-1:123456789012:cluster:shop".into(),
            region: "eu-west-1".into(),
            ..AuroraSource::named("shop")
        };
        let expected =
            SourceIdentity { account_id: "123456789012".into(), cluster_identifier: "shop".into(), region: "eu-west-1".into() };
        assert_eq!(SourceIdentity::of(&model), expected);
        let created = SourceIdentity::of(&AuroraSource { arn: Attr::Unknown, region: Attr::Unknown, ..model });
        assert!(created.account_id.is_unknown() && created.region.is_unknown());
    }

    #[test]
    fn an_identity_without_a_usable_identifier_imports_nothing() {
        for id in [Attr::Null, "Shop".into()] {
            let faults = SourceIdentity { cluster_identifier: id, ..SourceIdentity::default() }.named().unwrap_err();
            assert_eq!(faults.iter().next().and_then(|fault| fault.path.clone()), Some(AttributePath::of("cluster_identifier")));
        }
    }
}
