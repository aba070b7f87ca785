//! What `build.rs` generates from `proto/`: messages, server traits and clients.
//!
//! Named only by `wire`, `server` and `plugin`, and by the acceptance tests, which play Terraform with the clients.

/// Terraform's provider protocol 6.11.
#[allow(missing_docs, clippy::all, clippy::pedantic, rustdoc::all, rust_2018_idioms)]
pub mod tfplugin6 {
    tonic::include_proto!("tfplugin6");
}

/// go-plugin's own services: controller, stdio, broker.
#[allow(missing_docs, clippy::all, clippy::pedantic, rustdoc::all, rust_2018_idioms)]
pub mod plugin {
    tonic::include_proto!("plugin");
}

/// gRPC's health service.
#[allow(missing_docs, clippy::all, clippy::pedantic, rustdoc::all, rust_2018_idioms)]
pub mod health {
    tonic::include_proto!("grpc.health.v1");
}
