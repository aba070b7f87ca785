//! Compiles `proto/` with protox, so that a build needs no `protoc`, and `src/name_service.c`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    name_service()?;
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

/// Links what decides how the C library resolves names, if it is glibc.
fn name_service() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=src/name_service.c");
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|environment| environment == "gnu") {
        for object in cc::Build::new().file("src/name_service.c").try_compile_intermediates()? {
            println!("cargo::rustc-link-arg-bins={}", object.display());
        }
    }
    Ok(())
}
