//! A client of the RDS API for Aurora PostgreSQL: clusters, their members and their parameter groups.
//!
//! Knows nothing of Terraform, and no type of the AWS SDK leaves this folder and `aws/`. Each write is exactly one API call; what
//! a call leaves unfinished is awaited with a [`Patience`].

pub mod client;
pub mod cluster;
mod named;
mod pages;
pub mod parameter_group;
pub mod patience;
pub mod status;
pub mod wait;

pub use client::Client;
pub use cluster::{Cluster, GlobalMembership};
pub use parameter_group::{ApplyMethod, ApplyType, Parameter};
pub use patience::Patience;
pub use status::{ClusterStatus, ParameterGroupStatus};
