//! Messages that the server sends besides its answers. Pure.

use crate::postgres::error::SqlState;

/// A NOTICE or WARNING of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `NOTICE`, `WARNING`, ... (in the server's language).
    pub severity: String,
    /// Its SQLSTATE.
    pub sqlstate: SqlState,
    /// The primary message.
    pub message: String,
    /// The detail, if there is one.
    pub detail: Option<String>,
    /// The hint, if there is one.
    pub hint: Option<String>,
}
