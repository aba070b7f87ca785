//! `clickpipes_replication_user` on real terraform and real Postgres.

#![allow(clippy::unwrap_used, missing_docs)]

mod destroy;
mod drift;
mod expiry;
mod import;
mod lifecycle;
mod pipeline;
mod refusals;
mod rig;
