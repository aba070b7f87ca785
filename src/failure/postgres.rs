//! The messages for the practitioner when the database server fails, with the remedies. Pure.

use std::error::Error as _;

use super::{Failure, Outage, Party};
use crate::postgres::{Breach, Cause, Error, Origin, Phase, TlsFault};
use crate::printable::printable_line;
use crate::terraform::Diagnostic;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let said = diagnostic(&error);
        match error {
            error if error.is_database_missing() => Self::Missing(said),
            Error::Cancelled { awaited } => Self::Cancelled { awaited, diagnostic: said },
            error if error.is_outage() => Self::Unreachable(Outage { party: Party::Database, diagnostic: said }),
            _ => said.into(),
        }
    }
}

/// One clear error: what failed as the title, then the causes and the remedy.
fn diagnostic(error: &Error) -> Diagnostic {
    let summary = match error.original() {
        Error::LoginUnavailable { .. } => "No credentials for the database server",
        Error::ConnectTimeout { phase: Phase::Tls | Phase::Session | Phase::FirstQuery, .. } => {
            "The database server does not answer"
        }
        error if error.cause() == Some(Cause::CannotConnectNow) => "The database server does not accept logins yet",
        error if error.is_unreachable() => "Cannot reach the database server",
        error if error.is_database_missing() => "Database not found",
        Error::LoginRefused { .. } | Error::PasswordMissing { .. } => "The database server refuses the login",
        Error::ConnectionLost { .. } => "Lost the connection to the database server",
        Error::PasswordWithheld { .. } => "The password was not sent",
        Error::Pooled { .. } => "Connected to a pooler instead of the database server",
        Error::Reader { .. } => "Connected to a reader instead of the writer",
        Error::Locked { .. } | Error::Busy { .. } => "Timed out waiting for a lock",
        Error::Cancelled { .. } => "Cancelled",
        Error::Statement { .. } => "The database server refuses a statement",
        _ => "The database server cannot be used",
    };
    Diagnostic::error(summary, describe(error))
}

/// The error with its sources and remedy, one below the other.
pub(crate) fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    // Names of others are part of it, and a line break in one must not look like the layout of this message.
    let mut text = printable_line(&text);
    if let Some(remedy) = remedy(error) {
        text.push_str("\n\n");
        text.push_str(remedy);
    }
    text
}

/// The remedy, if there is one.
fn remedy(error: &Error) -> Option<&'static str> {
    match error.original() {
        Error::NameNotResolved { host, .. } if has_a_port(host) => Some(
            "The host has a port in it. Set host of the provider's postgres settings (or PGHOST) to the part before the colon, and port (or \
                 PGPORT) to the rest.",
        ),
        Error::NameNotResolved { .. } => Some("Check the host name, and that it can be resolved from where Terraform runs."),
        Error::Refused { .. } => Some("Check host and port, and that the server, or the tunnel to it, runs and listens there."),
        Error::Unreachable { .. } => Some("Check host and port, and that this machine has a route to the server."),
        Error::Dropped { .. } => Some(
            "A server that starts, ends or has no free connection does that, and so does a tunnel or proxy whose server does not run. Check \
                 what listens there and that the server runs, then try again.",
        ),
        Error::ConnectTimeout { phase, .. } => Some(match phase {
            Phase::Name => "Check the host name, and the resolver of the machine where Terraform runs.",
            Phase::Dial => {
                "Check host and port, that the server runs, and that security groups, routes and tunnels let this machine reach it."
            }
            Phase::Tls | Phase::Session => {
                "Check that a PostgreSQL server listens there and is not stopped or overloaded. If a tunnel or proxy listens there, check \
                 that it reaches the server. If the server is only slow, increase connect_timeout of the provider's postgres settings."
            }
            Phase::FirstQuery => {
                "Check that the server is not stopped or overloaded. If it is only slow, increase connect_timeout of the provider's \
                 postgres settings."
            }
        }),
        Error::PasswordWithheld { origin: Origin::Token, .. } => Some(
            "An IAM token is always sent in clear text, so the server must be verified first: set sslmode = \"verify-full\" in the provider's \
                 postgres settings, and sslrootcert if the server's certificate is not signed by Amazon RDS's authorities.",
        ),
        Error::PasswordWithheld { .. } => Some(
            "Set sslmode = \"verify-full\" in the provider's postgres settings, and sslrootcert if the server's certificate is not signed by \
                 Amazon RDS's authorities. Or let the server use SCRAM: set password_encryption = 'scram-sha-256', set the role's password \
                 again, and use the method scram-sha-256 in pg_hba.conf.",
        ),
        Error::Breached { source: Breach::Foreign, .. } => {
            Some("Check host and port: another program than PostgreSQL seems to listen there.")
        }
        Error::Breached { source: Breach::NoTls, .. } => Some(
            "The server's log has the reason. What comes before TLS may be anybody's, so it is not shown. A server that has no process or no \
                 memory left does that.",
        ),
        Error::Breached { .. } => {
            Some("Check host and port, and that what listens there is the PostgreSQL server that you expect.")
        }
        Error::Pooled { .. } => Some(
            "Set host and port of the provider's postgres settings to the server itself (for Aurora: the cluster endpoint), and not to \
                 PgBouncer, RDS Proxy or another pooler: a change needs a session of its own.",
        ),
        Error::PasswordMissing { .. } => Some(
            "Set password, password_secret_arn or iam_auth in the provider's postgres settings, or the environment variable PGPASSWORD.",
        ),
        Error::LoginUnavailable { unreachable: true, .. } => {
            Some("Check aws.region and aws.endpoints of the provider block, and that this machine can reach AWS.")
        }
        Error::LoginUnavailable { origin: Origin::Secret(_), .. } => Some(
            "Check password_secret_arn of the provider's postgres settings (without it: the secret that RDS manages for the cluster), and \
                 that the provider's AWS principal has secretsmanager:GetSecretValue for it, and kms:Decrypt if the secret has its own KMS key.",
        ),
        Error::LoginUnavailable { .. } => Some(
            "Check the aws settings of the provider block, the environment or profile that the credentials come from, and which endpoint the token \
                 is signed for: the writer endpoint of postgres.cluster_identifier, or else tls_server_name or host.",
        ),
        Error::LoginRefused { origin, .. } => login_remedy(error, origin),
        Error::ConnectionLost { .. } => Some(
            "The server, or a proxy, a tunnel or the network in front of it, ended the connection. Check that the server runs, then try again.",
        ),
        Error::Handshake { source, .. } => Some(source.downcast_ref::<TlsFault>().map_or(
            "Check sslmode, sslrootcert and tls_server_name of the provider's postgres settings against what the server offers.",
            tls_remedy,
        )),
        Error::RootCertificates { .. } => Some("sslrootcert is the path of a PEM file or the PEM text itself."),
        Error::Reader { .. } => Some(
            "Use the writer endpoint of the cluster (for Aurora: the cluster endpoint). Right after a failover it may not resolve to the new \
                 writer yet: run Terraform again.",
        ),
        Error::Uncertain { .. } => Some("Plan again to see what exists. Import objects that exist but are not in the state."),
        Error::Busy { .. } => Some("Try again when the other run has finished, or increase the timeouts."),
        Error::Locked { .. } => Some("End or wait for the sessions that hold the lock, then apply again."),
        _ => cause_remedy(error),
    }
}

/// Whether a host name ends with a port, as in a URL. An IPv6 address has more than one colon.
fn has_a_port(host: &str) -> bool {
    host.split_once(':').is_some_and(|(name, port)| !name.is_empty() && port.parse::<u16>().is_ok())
}

fn login_remedy(error: &Error, origin: &Origin) -> Option<&'static str> {
    match (origin, error.cause()) {
        (Origin::Token, Some(Cause::InvalidPassword | Cause::InvalidAuthorization)) => Some(
            "Check that IAM database authentication is on for the cluster, that the role is a member of rds_iam, that the AWS principal \
                 has rds-db:connect for the role, and that this machine's clock is right. Through a tunnel, set cluster_identifier: the token \
                 must be signed for the cluster's own endpoint and port.",
        ),
        (Origin::Secret(_), Some(Cause::InvalidPassword)) => Some(
            "The secret was read again after the refusal. Check that it belongs to this role and cluster; while its password is being \
                 rotated, try again in a minute.",
        ),
        (Origin::Given, Some(Cause::InvalidPassword)) => Some("Check username and password of the provider's postgres settings."),
        (_, Some(Cause::InvalidAuthorization)) => Some(
            "Check the username, that the role may log in, and that the server's rules allow this kind of connection (TLS, address). Amazon RDS \
                 refuses the password of a member of rds_iam, also of one through another role: it needs a token (iam_auth of the provider's \
                 postgres settings).",
        ),
        _ => cause_remedy(error),
    }
}

fn cause_remedy(error: &Error) -> Option<&'static str> {
    match error.cause()? {
        Cause::CannotConnectNow => Some("The server starts, stops or recovers. Wait until it is ready, then try again."),
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

/// The remedy for a certificate, or for a server without TLS.
fn tls_remedy(fault: &TlsFault) -> &'static str {
    match fault {
        TlsFault::NotSpoken => {
            "Turn TLS on at the server (ssl = on), or set sslmode = \"disable\" in the provider's postgres settings if the network \
                 path is secure."
        }
        TlsFault::WrongName { .. } => {
            "Set tls_server_name of the provider's postgres settings to a name that the certificate has, or set sslmode = \"verify-ca\", \
                 which does not check the name."
        }
        TlsFault::Expired(_) => "Renew the server's certificate. If it is still valid, correct this machine's clock.",
        TlsFault::NotYetValid(_) => {
            "Correct this machine's clock. If it is right, give the server a certificate that is already valid."
        }
        TlsFault::UnknownAuthority => {
            "Set sslrootcert of the provider's postgres settings to the PEM file, or the PEM text, of the authority that signed it. \
                 Without sslrootcert only Amazon RDS's authorities of the commercial regions are trusted. sslmode = \"require\" \
                 without sslrootcert encrypts, but does not verify the server."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::error::{ServerError, SqlState};

    fn statement(code: &str, message: &str) -> Error {
        let source = ServerError { sqlstate: SqlState::new(code), message: message.to_owned(), detail: None, hint: None };
        Error::Statement { statement: "GRANT x TO y".to_owned(), source: Box::new(source) }
    }

    /// What answered is not out of reach: only a connection that nothing answers may be the fault of a security group.
    #[test]
    fn only_a_dial_without_an_answer_is_put_down_to_the_network() {
        let address = || "db:5432".to_owned();
        let timeout = |phase| Error::ConnectTimeout { address: address(), after: std::time::Duration::from_secs(5), phase };
        let reset = || std::io::ErrorKind::ConnectionReset.into();
        let login = |code: &str| Error::LoginRefused {
            address: address(),
            user: "admin".to_owned(),
            origin: Origin::Given,
            database: "app".to_owned(),
            source: Box::new(ServerError { sqlstate: SqlState::new(code), message: String::new(), detail: None, hint: None }),
        };
        let silent = "db:5432 accepted the connection but did not answer the start of the session or the login within 5s";
        for (error, part, of_network) in [
            (timeout(Phase::Name), "db:5432 has a host name that did not resolve within 5s", false),
            (timeout(Phase::Dial), "db:5432 did not answer within 5s", true),
            (timeout(Phase::Tls), "db:5432 accepted the connection but did not answer the start of TLS within 5s", false),
            (timeout(Phase::Session), silent, false),
            (timeout(Phase::FirstQuery), "db:5432 accepted the login but did not answer the first query within 5s", false),
            (Error::Refused { address: address(), source: reset() }, "db:5432 refused the connection", false),
            (Error::Dropped { address: address(), source: reset() }, "db:5432 accepted the connection and closed it", false),
            (Error::Unreachable { address: address(), source: reset() }, "a route to the server", false),
            (Error::NameNotResolved { host: "db".to_owned(), source: reset() }, "\"db\" does not resolve", false),
            (Error::NameNotResolved { host: "db:5432".to_owned(), source: reset() }, "The host has a port in it", false),
            (Error::ConnectionLost { address: address(), source: "x".into() }, "the connection to db:5432 was lost", false),
            (login("57P03"), "Wait until it is ready", false),
            (login("53300"), "Lower max_connections", false),
        ] {
            let said = diagnostic(&error);
            let text = format!("{}: {}", said.summary, said.detail);
            assert!(text.contains(part), "{part:?} is missing in {text}");
            assert_eq!(text.contains("security groups"), of_network, "{text}");
        }
    }

    #[test]
    fn a_failed_statement_is_shown_once_with_what_the_server_said() {
        let error = statement("42501", "permission denied for schema s");
        assert_eq!(
            describe(&error),
            "GRANT x TO y failed: permission denied for schema s (SQLSTATE 42501)\n\nGrant what is missing to the role that the \
             provider logs in as (username of the provider's postgres settings), or use another role."
        );
        assert_eq!(error.cause(), Some(Cause::InsufficientPrivilege));
    }
}
