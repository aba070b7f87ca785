//! The static binary in a root directory that contains nothing but itself and /etc/resolv.conf, as in an image built from scratch.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use acceptance_tests::core_client::{CoreClient, Identity, Kind, TerraformCore, Value, host_command_of};
use acceptance_tests::postgres_server::{Authority, Validity};
use acceptance_tests::provider_binary;
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::name_server::NameServer;

const NAME: &str = "lists.example.test";
const DATA_SOURCE: &str = "clickpipes_static_ips";

/// The static binary and resolv.conf.
fn empty_root(name_server: &NameServer) -> Result<TempDir> {
    // A short path: the socket's is inside.
    let root = tempfile::Builder::new().prefix("root-").tempdir_in("/tmp")?;
    fs::copy(provider_binary::linked_statically()?, root.path().join("provider"))?;
    fs::create_dir(root.path().join("etc"))?;
    fs::write(root.path().join("etc/resolv.conf"), format!("nameserver {}\n", name_server.address()))?;
    Ok(root)
}

/// Runs the provider there, without the caller's environment.
fn command(root: &Path, identity: &Identity) -> Command {
    let inside = host_command_of(Path::new("/provider"), identity);
    let inside = inside.as_std();
    // Another user than root needs a namespace to change the root directory.
    let mut command = if nix::unistd::geteuid().is_root() {
        Command::new("chroot")
    } else {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "chroot"]);
        command
    };
    command.arg(root).arg(inside.get_program()).env_clear();
    command.envs(inside.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

/// A server that answers one request with a list, and returns why if it could not.
async fn list_server(name_server: &NameServer, authority: &Authority, list: Json) -> Result<(u16, JoinHandle<Result<String>>)> {
    let listener = TcpListener::bind((name_server.address(), 0)).await?;
    let port = listener.local_addr()?.port();
    let acceptor = TlsAcceptor::from(Arc::new(authority.certify(&[NAME], Validity::Current)?.server_config()?));
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut stream = acceptor.accept(stream).await?;
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await?;
        let body = list.to_string();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
        stream.shutdown().await?;
        Ok(String::from_utf8_lossy(&request[..length]).into_owned())
    });
    Ok((port, serving))
}

/// The addresses that a provider in `root` takes from a list at this address, and what it logs.
async fn addresses(command: Command, identity: &Identity, root: &Path, port: u16) -> Result<(Value, String)> {
    let client = CoreClient::over_in_root(command, identity, root).await?;
    let mut core = TerraformCore::load(client.provider.clone()).await?;
    core.configure(&json!({})).await?;
    let url = format!("https://{NAME}:{port}/static-ips.json");
    let arguments = json!({ "cloud_provider": "aws", "region": "eu-central-1", "url": url });
    let config = core.schemas().configuration_of(Kind::DataSource, DATA_SOURCE, &arguments)?;
    let ips = core.read_data_source(DATA_SOURCE, &config).await?.attribute("ips");
    drop(core);
    let exit = client.close().await?;
    ensure!(exit.status.success(), "{exit:?}");
    Ok((ips, exit.stderr))
}

/// As many addresses as are built in, so that the list is used, and none that is built in.
fn list() -> (Json, Value) {
    let ips: Vec<String> = (1..=8).map(|last| format!("8.8.8.{last}")).collect();
    let list = json!({ "aws": [{ "region": "eu-central-1", "clickpipes_egress_ips": ips }], "gcp": [] });
    (list, Value::List(ips.into_iter().map(Value::text).collect()))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_resolves_names_and_verifies_who_answers() -> Result<()> {
    let name_server = NameServer::start().await?;
    let authority = Authority::new("an authority that nobody knows")?;
    let root = empty_root(&name_server)?;
    let identity = Identity::new()?;
    let (list, ips) = list();

    // The authorities that are built in do not include this one.
    let (port, serving) = list_server(&name_server, &authority, list.clone()).await?;
    let mut unknown = command(root.path(), &identity);
    unknown.env("TF_LOG", "INFO");
    let (found, log) = addresses(unknown, &identity, root.path(), port).await?;
    assert_ne!(found, ips);
    let refusal = serving.await?.err().context("the list was fetched from a server that nobody knows")?;
    ensure!(format!("{refusal:#}").contains("UnknownCA"), "{refusal:#}");
    ensure!(log.contains("the system has no root certificates: those that are built in are used"), "{log}");
    ensure!(name_server.asked().iter().any(|name| name == NAME), "{:?}", name_server.asked());

    let (port, serving) = list_server(&name_server, &authority, list).await?;
    fs::write(root.path().join("authority.pem"), authority.pem())?;
    let mut known = command(root.path(), &identity);
    known.env("SSL_CERT_FILE", "/authority.pem");
    let (found, _) = addresses(known, &identity, root.path(), port).await?;
    assert_eq!(found, ips);
    ensure!(serving.await??.starts_with("GET /static-ips.json"));
    Ok(())
}

/// A static program that loads the libraries which nsswitch.conf names gets another version of glibc with them.
#[tokio::test(flavor = "multi_thread")]
async fn names_are_resolved_whatever_the_system_prefers() -> Result<()> {
    let name_server = NameServer::start().await?;
    let authority = Authority::new("an authority in a file")?;
    let root = empty_root(&name_server)?;
    fs::write(root.path().join("etc/nsswitch.conf"), "hosts: a_service_of_this_system\n")?;
    fs::write(root.path().join("authority.pem"), authority.pem())?;
    let identity = Identity::new()?;
    let (list, ips) = list();
    let (port, serving) = list_server(&name_server, &authority, list).await?;
    let mut command = command(root.path(), &identity);
    command.env("SSL_CERT_FILE", "/authority.pem");
    let (found, _) = addresses(command, &identity, root.path(), port).await?;
    assert_eq!(found, ips);
    serving.await??;
    Ok(())
}
