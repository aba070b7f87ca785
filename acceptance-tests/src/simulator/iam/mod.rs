//! IAM database authentication: members of `rds_iam` log in over TLS with a token instead of a password.
//!
//! Postgres cannot check a token. While a cluster's IAM authentication is on, its endpoints therefore speak TLS themselves, with
//! the server's certificate, and read the first message of each client. A member of `rds_iam` is asked for its token; if it is
//! valid, the rest of the session goes through the server's unix socket, which trusts such users. All other clients are passed on
//! to the server unchanged, over TLS again if they came over TLS.

mod encryption;
mod gate;
mod keeper;
mod startup;
mod token;

pub(crate) use gate::{Door, admit};
pub(crate) use keeper::Keeper;
