//! A Terraform provider that prepares an Amazon Aurora PostgreSQL cluster as a CDC source for ClickHouse ClickPipes.
//!
//! The flow of every call: gRPC request, dispatch ([`server`]), decode (`wire`), observe where allowed, plan and diff (pure), apply (a loop
//! over operations), encode. docs/development/architecture.md has the map of the modules and the invariants.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout))]

mod action;
mod aws;
mod catalogue;
mod cluster;
mod data_source;
mod ephemeral;
mod failure;
mod function;
mod list;
mod mapping;
mod names;
pub mod plugin;
mod postgres;
mod printable;
pub mod proto;
mod provider;
mod rds;
mod readiness;
mod resource;
mod secret;
pub mod server;
mod terraform;
#[cfg(test)]
mod tidy;
mod timestamp;
mod wire;
