//! IAM database authentication: members of `rds_iam` log in over TLS with a token in place of a password.
//!
//! Postgres cannot check a token. While a cluster's IAM authentication is on, its endpoints therefore speak TLS themselves, with the
//! server's certificate, and read the first message of each client. A member of `rds_iam` is asked for its token; if that is good, the
//! rest of the session goes through the server's unix socket, which trusts such users. Everybody else is handed on to the server as it
//! came, over TLS again if it came over TLS.

mod encryption;
mod gate;
mod keeper;
mod startup;
mod token;

use serde::{Deserialize, Serialize};

pub(crate) use gate::{Door, admit};
pub(crate) use keeper::Keeper;

/// A login that was refused, which is told to nobody but the test: the client learns no reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IamRefusal {
    /// The role that was to log in.
    pub user: String,
    /// Why it did not.
    pub reason: IamRefusalReason,
}

/// A login with a token that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IamLogin {
    /// The role.
    pub user: String,
    /// The access key that the token is signed with.
    pub access_key: String,
}

/// Why a member of `rds_iam` did not get in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IamRefusalReason {
    /// The connection has no TLS.
    NotEncrypted,
    /// What was sent is no token, such as a password: what it lacks, or what in it is wrong.
    NoToken(String),
    /// Nobody has this access key.
    UnknownAccessKey(String),
    /// The session token of temporary credentials is missing or another one.
    WrongSessionToken,
    /// The temporary credentials have ended.
    CredentialsExpired,
    /// The signature is not that of the access key's secret.
    WrongSignature,
    /// Signed for this region.
    OtherRegion(String),
    /// Signed for this `host:port`, which is not the endpoint that the API shows.
    OtherEndpoint(String),
    /// Signed for this role.
    OtherUser(String),
    /// Older than 15 minutes, or than it says itself.
    Expired,
    /// Signed more than five minutes ahead.
    NotYetValid,
    /// A replication connection, while `rds.iam_auth_for_replication` is not in effect.
    Replication,
}
