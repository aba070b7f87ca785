//! `clickpipes_replica_identity` on real terraform and real Postgres.

mod lifecycle;
mod locks;
mod publications;
mod refusals;
mod rig;
