//! `clickpipes_replication_user` on real terraform and real Postgres.

#![allow(clippy::unwrap_used, missing_docs)]

mod crowd;
mod dependencies;
mod destroy;
mod drift;
mod expiry;
mod hints;
mod iam;
mod import;
mod kept_out;
mod lifecycle;
mod pipeline;
mod public;
mod refusals;
mod rename;
mod rig;
mod rights;
