//! Logins with tokens at the endpoints of a cluster: accepted ones, and refused ones with the reason, kept for the test to read.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::lock::lock;

/// A refused login. Only the test sees the reason; the client does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IamRefusal {
    /// The role of the login.
    pub user: String,
    /// Why it was refused.
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

/// Why a member of `rds_iam` was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IamRefusalReason {
    /// The connection has no TLS.
    NotEncrypted,
    /// The text sent is not a token but, for example, a password: what is missing or wrong in it.
    NoToken(String),
    /// The access key is unknown.
    UnknownAccessKey(String),
    /// The session token of temporary credentials is missing or wrong.
    WrongSessionToken,
    /// The temporary credentials have expired.
    CredentialsExpired,
    /// The signature is not that of the access key's secret.
    WrongSignature,
    /// Signed for this region.
    OtherRegion(String),
    /// Signed for this `host:port`, which is not the endpoint that the API shows.
    OtherEndpoint(String),
    /// Signed for this role.
    OtherUser(String),
    /// Older than 15 minutes, or than its own limit.
    Expired,
    /// Signed more than five minutes ahead.
    NotYetValid,
    /// A replication connection, while `rds.iam_auth_for_replication` is not in effect.
    Replication,
}

/// The logins of one cluster so far.
#[derive(Debug, Default)]
pub(crate) struct IamLogins {
    refused: Mutex<Vec<IamRefusal>>,
    accepted: Mutex<Vec<IamLogin>>,
}

impl IamLogins {
    /// Records a refused login.
    pub(crate) fn refuse(&self, user: &str, reason: IamRefusalReason) {
        lock(&self.refused).push(IamRefusal { user: user.to_owned(), reason });
    }

    /// Records an accepted login.
    pub(crate) fn accept(&self, user: &str, access_key: String) {
        lock(&self.accepted).push(IamLogin { user: user.to_owned(), access_key });
    }

    /// The logins refused so far, in order.
    pub(crate) fn refused(&self) -> Vec<IamRefusal> {
        lock(&self.refused).clone()
    }

    /// The logins accepted so far, in order.
    pub(crate) fn accepted(&self) -> Vec<IamLogin> {
        lock(&self.accepted).clone()
    }
}
