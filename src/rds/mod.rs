//! A client of the RDS API for Aurora PostgreSQL: clusters, their members and their parameter groups.
//!
//! Knows nothing of Terraform, and no type of the AWS SDK leaves this folder and `aws/`. Each write is exactly one API call; what
//! a call leaves unfinished is awaited with a [`Patience`]. Looks read through [`Readings`], which knows what they share.

pub mod attachment;
pub mod client;
pub mod cluster;
mod gather;
pub mod global;
pub mod instance;
mod memory;
mod named;
mod once;
mod pages;
pub mod parameter_group;
pub mod patience;
pub mod reader;
pub mod readings;
mod several;
pub mod status;
pub mod wait;

pub use client::Client;
pub use cluster::Cluster;
pub use global::GlobalMembership;
pub use instance::Instance;
pub use parameter_group::{ApplyMethod, ApplyType, Parameter};
pub use patience::Patience;
pub use reader::Reader;
pub use readings::Readings;
pub use status::{ClusterStatus, ParameterGroupStatus};
