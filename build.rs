//! Compiles `proto/` with protox, so that a build needs no `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = ["proto/tfplugin6.proto", "proto/plugin.proto", "proto/health.proto"];
    let descriptors = protox::compile(files, ["proto"])?;
    tonic_prost_build::configure()
        .build_server(true)
        // The acceptance tests play Terraform with these clients.
        .build_client(true)
        // `Client::connect` would need tonic's TLS and DNS; both sides bring their own transport.
        .build_transport(false)
        .compile_fds(descriptors)?;
    Ok(())
}
