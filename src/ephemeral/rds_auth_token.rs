//! `clickpipes_rds_auth_token`: a token with which a role logs in to a database, instead of a password.

use super::Ephemeral;
use crate::aws::{TokenRequest, is_signable_host, is_signable_port};
use crate::cluster::{LONGEST_CLUSTER, invalid_identifier};
use crate::failure::Failure;
use crate::postgres::Identifier;
use crate::provider::Context;
use crate::secret::Secret;
use crate::terraform::{Attr, AttributePath, Configured, Diagnostic, Diagnostics, computed, model, optional, required};

model! {
    /// A token for IAM database authentication. A role that is a member of `rds_iam` can log in with it instead of a password.
    /// The connection must be opened within 15 minutes. The token is not stored in any state, plan or log.
    ///
    /// It is signed with the provider's AWS credentials, for the writer endpoint of a cluster or for a host. Signing itself makes
    /// no call; AWS checks the principal's `rds-db:connect` when the token is used.
    pub struct RdsAuthTokenModel {
        /// Identifier of an Aurora cluster: the token is then for its writer endpoint and port. Conflicts with `host` and `port`.
        /// Default: none.
        cluster_identifier: String => optional(),
        /// Host name that the token is for, as RDS knows it (not the local end of a tunnel). Needs `port`. Default: none.
        host: String => optional(),
        /// Port that the token is for. Needs `host`. Default: none.
        port: i64 => optional(),
        /// Role that logs in.
        username: String => required(),
        /// The token.
        token: Secret => computed().sensitive(),
    }
}

/// The ephemeral resource.
pub(crate) struct RdsAuthToken;

impl Configured for RdsAuthToken {
    const TYPE_NAME: &'static str = "clickpipes_rds_auth_token";
    type Model = RdsAuthTokenModel;

    fn validate(config: &RdsAuthTokenModel) -> Diagnostics {
        let mut faults = Diagnostics::new();
        faults.extend(place_fault(config));
        if let Some(fault) = config.username.known().and_then(|name| Identifier::new(name).err()) {
            faults.push(Diagnostic::invalid("username", fault));
        }
        if let Some(fault) = config.cluster_identifier.known().and_then(|id| invalid_identifier(id, LONGEST_CLUSTER)) {
            faults.push(Diagnostic::invalid("cluster_identifier", &fault));
        }
        if config.host.known().is_some_and(|host| !is_signable_host(host)) {
            faults.push(Diagnostic::invalid("host", "it is not an RDS endpoint, which has a host name or an IPv4 address"));
        }
        if config.port.known().is_some_and(|port| !u16::try_from(*port).is_ok_and(is_signable_port)) {
            faults.push(Diagnostic::invalid("port", "it must be between 1 and 65535, and a token cannot be for port 443"));
        }
        faults
    }
}

impl Ephemeral for RdsAuthToken {
    async fn open(context: &Context, config: &RdsAuthTokenModel) -> Result<RdsAuthTokenModel, Failure> {
        let username = config.username.known().cloned().unwrap_or_default();
        let (host, port) = match config.cluster_identifier.known() {
            Some(cluster) => context.writer(cluster, AttributePath::of("cluster_identifier")).await?,
            None => {
                let port = config.port.known().and_then(|port| u16::try_from(*port).ok()).unwrap_or_default();
                (config.host.known().cloned().unwrap_or_default(), port)
            }
        };
        let token = context.sign(&TokenRequest { host, port, username }).await?;
        Ok(RdsAuthTokenModel { token: token.into(), ..config.clone() })
    }
}

/// Either a cluster, or a host with its port, must be set: the endpoint that the token is for.
fn place_fault(config: &RdsAuthTokenModel) -> Option<Diagnostic> {
    let RdsAuthTokenModel { cluster_identifier, host, port, .. } = config;
    match (cluster_identifier, host, port) {
        (Attr::Known(_), Attr::Known(_), _) => {
            Some(Diagnostic::invalid("host", "it conflicts with cluster_identifier, which has its own"))
        }
        (Attr::Known(_), _, Attr::Known(_)) => {
            Some(Diagnostic::invalid("port", "it conflicts with cluster_identifier, which has its own"))
        }
        (Attr::Null, Attr::Null, _) => {
            Some(Diagnostic::invalid("cluster_identifier", "the token has no endpoint; set cluster_identifier, or host and port"))
        }
        (Attr::Null, Attr::Known(_), Attr::Null) => Some(Diagnostic::invalid("port", "host needs it: a token is for one port")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(config: RdsAuthTokenModel, expected: &[&str]) {
        let faults = RdsAuthToken::validate(&RdsAuthTokenModel { username: "etl".into(), ..config });
        let paths: Vec<String> = faults.iter().filter_map(|fault| fault.path.as_ref().map(ToString::to_string)).collect();
        assert_eq!(paths, expected);
    }

    #[test]
    fn a_cluster_or_a_host_with_its_port_is_needed() {
        let none = RdsAuthTokenModel::default;
        check(none(), &["cluster_identifier"]);
        check(RdsAuthTokenModel { cluster_identifier: "orders".into(), ..none() }, &[]);
        check(RdsAuthTokenModel { host: "db".into(), port: 5432.into(), ..none() }, &[]);
        check(RdsAuthTokenModel { host: "db".into(), ..none() }, &["port"]);
        check(RdsAuthTokenModel { port: 5432.into(), ..none() }, &["cluster_identifier"]);
        check(RdsAuthTokenModel { host: "db".into(), cluster_identifier: "orders".into(), ..none() }, &["host"]);
        check(RdsAuthTokenModel { port: 1.into(), cluster_identifier: "orders".into(), ..none() }, &["port"]);
        check(RdsAuthTokenModel { host: "db".into(), port: 70000.into(), ..none() }, &["port"]);
        check(RdsAuthTokenModel { cluster_identifier: "Orders".into(), ..none() }, &["cluster_identifier"]);
        check(RdsAuthTokenModel { host: "db".into(), port: 443.into(), ..none() }, &["port"]);
        for host in ["", "::1", "db:5432", "https://db", "a b"] {
            check(RdsAuthTokenModel { host: host.into(), port: 5432.into(), ..none() }, &["host"]);
        }
    }

    #[test]
    fn what_is_unknown_may_still_be_right() {
        let unknown = RdsAuthTokenModel {
            cluster_identifier: Attr::Unknown,
            host: Attr::Unknown,
            port: Attr::Unknown,
            username: Attr::Unknown,
            token: Attr::Null,
        };
        assert!(RdsAuthToken::validate(&unknown).is_empty());
        check(RdsAuthTokenModel { cluster_identifier: Attr::Unknown, host: "db".into(), ..Default::default() }, &[]);
        check(RdsAuthTokenModel { host: "db".into(), port: Attr::Unknown, ..Default::default() }, &[]);
    }
}
