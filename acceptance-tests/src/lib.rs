//! The foundation of the acceptance tests and the demo: real Postgres servers, a simulated Aurora control plane that owns some of
//! them, the real terraform, and a client that plays Terraform.
//!
//! Start at [`simulator::Simulator`] for Aurora, at [`postgres_server::PostgresServer`] for plain Postgres and at
//! [`terraform_cli::Terraform`] for the CLI.

pub mod core_client;
pub mod cost;
pub mod cpu;
pub mod docs;
pub mod package;
pub mod pgbouncer;
pub mod plan_rows;
pub mod postgres_server;
pub mod processes;
pub mod provider_binary;
pub mod rig;
pub mod simulator;
pub mod slow_network;
pub mod stream;
pub mod surface;
pub mod terraform_cli;
