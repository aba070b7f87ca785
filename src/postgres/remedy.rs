//! What a practitioner can do about a failure.

use crate::postgres::error::{Cause, Error};
use crate::postgres::login::Origin;
use crate::postgres::tls_fault::TlsFault;

impl Error {
    /// What to do about it, where that can be said.
    pub fn remedy(&self) -> Option<&'static str> {
        match self.original() {
            Self::NameNotResolved { .. } => Some("Check the host name, and that it can be resolved from where Terraform runs."),
            Self::Refused { .. } | Self::ConnectTimeout { .. } | Self::Unreachable { .. } => Some(
                "Check host and port, that the server runs, and that security groups, routes and tunnels let this machine reach it.",
            ),
            Self::PasswordMissing { .. } => Some(
                "Set password, password_secret_arn or iam_auth in the provider's postgres settings, or the environment variable PGPASSWORD.",
            ),
            Self::LoginUnavailable { unreachable: true, .. } => {
                Some("Check aws.region and aws.endpoints of the provider block, and that this machine reaches AWS.")
            }
            Self::LoginUnavailable { origin: Origin::Secret(_), .. } => Some(
                "Check password_secret_arn of the provider's postgres settings (without it: the secret that RDS manages for the cluster), and \
                 that the provider's AWS principal has secretsmanager:GetSecretValue for it, and kms:Decrypt if it has a key of its own.",
            ),
            Self::LoginUnavailable { .. } => Some(
                "Check the aws settings of the provider block, the environment or profile that the credentials come from, and for whom the token \
                 is signed: the writer endpoint of postgres.cluster_identifier, or else tls_server_name or host.",
            ),
            Self::LoginRefused { origin, .. } => self.login_remedy(origin),
            Self::ConnectionLost { .. } => Some(
                "The server, or a proxy or tunnel before it, closed the connection. See that the server runs, then try again.",
            ),
            Self::Handshake { source, .. } => Some(source.downcast_ref::<TlsFault>().map_or(
                "Check sslmode, sslrootcert and tls_server_name of the provider's postgres settings against what the server offers.",
                TlsFault::remedy,
            )),
            Self::RootCertificates { .. } => Some("sslrootcert is the path of a PEM file or the PEM text itself."),
            Self::Reader { .. } => Some(
                "Use the writer endpoint of the cluster (for Aurora: the cluster endpoint). Right after a failover it may not lead to the new \
                 writer yet: run Terraform again.",
            ),
            Self::Uncertain { .. } => Some("Plan again: it shows what is there. Import what exists and is not in the state."),
            Self::Busy { .. } => Some("Try again when the other run has finished, or raise timeouts."),
            Self::Locked { .. } => Some("End or wait for the sessions that hold the lock, then apply again."),
            _ => self.cause_remedy(),
        }
    }

    fn login_remedy(&self, origin: &Origin) -> Option<&'static str> {
        match (origin, self.cause()) {
            (Origin::Token, Some(Cause::InvalidPassword | Cause::InvalidAuthorization)) => Some(
                "Check that IAM database authentication is on for the cluster, that the role is a member of rds_iam, that the AWS principal \
                 has rds-db:connect for the role, and that this machine's clock is right. Through a tunnel, set cluster_identifier: the token \
                 must be signed for the cluster's own endpoint and port.",
            ),
            (Origin::Secret(_), Some(Cause::InvalidPassword)) => Some(
                "The secret was read anew after the refusal. Check that it belongs to this role and cluster; while its password is being \
                 rotated, try again in a minute.",
            ),
            (Origin::Given, Some(Cause::InvalidPassword)) => {
                Some("Check username and password of the provider's postgres settings.")
            }
            (_, Some(Cause::InvalidAuthorization)) => Some(
                "Check the username, that the role may log in, and that the server's rules admit this way of connecting (TLS, address).",
            ),
            _ => self.cause_remedy(),
        }
    }

    fn cause_remedy(&self) -> Option<&'static str> {
        match self.cause()? {
            Cause::DatabaseMissing => Some("Create the database first, or correct its name."),
            Cause::InsufficientPrivilege => Some(
                "Grant what is missing to the role that the provider logs in as (username of the provider's postgres settings), or use another role.",
            ),
            Cause::TooManyConnections => {
                Some("Lower max_connections of the provider's postgres settings, or free connections on the server.")
            }
            _ => None,
        }
    }
}
