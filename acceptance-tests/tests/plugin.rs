//! The handshake, the transport and the life of the provider's process, as a host sees them.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use acceptance_tests::{
    core_client::{CoreClient, Credentials, DEADLINE, Identity, ProviderProcess, connect, connect_plaintext, host_command},
    provider_binary,
    terraform_cli::Terraform,
};
use anyhow::{Context as _, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;
use terraform_provider_clickpipes::proto::{
    health::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient},
    plugin::{grpc_broker_client::GrpcBrokerClient, grpc_stdio_client::GrpcStdioClient},
    tfplugin6::{self as pb, provider_client::ProviderClient},
};
use tokio::process::Command;
use tonic::{Code, codegen::tokio_stream, transport::Channel};

type Outcome = anyhow::Result<()>;

async fn schema(channel: Channel) -> Result<pb::get_provider_schema::Response, tonic::Status> {
    Ok(ProviderClient::new(channel).get_provider_schema(pb::get_provider_schema::Request {}).await?.into_inner())
}

async fn run(command: &mut Command) -> anyhow::Result<std::process::Output> {
    tokio::time::timeout(DEADLINE, command.output()).await.context("the process still runs")?.context("cannot start")
}

// === Before the line ===

#[tokio::test]
async fn run_by_hand_it_says_what_it_is_and_exits_with_1() -> Outcome {
    let identity = Identity::new()?;
    for cookie in [None, Some("another program's")] {
        let mut command = host_command(&identity)?;
        match cookie {
            Some(cookie) => command.env("TF_PLUGIN_MAGIC_COOKIE", cookie),
            None => command.env_remove("TF_PLUGIN_MAGIC_COOKIE"),
        };
        let output = run(&mut command).await?;
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        assert!(String::from_utf8_lossy(&output.stderr).contains("not meant to be run by hand"));
    }
    Ok(())
}

#[tokio::test]
async fn a_host_without_protocol_6_is_refused() -> Outcome {
    let identity = Identity::new()?;
    for versions in ["5", ""] {
        let output = run(host_command(&identity)?.env("PLUGIN_PROTOCOL_VERSIONS", versions)).await?;
        assert_eq!(output.status.code(), Some(1));
        for said in [output.stdout, output.stderr] {
            assert!(String::from_utf8_lossy(&said).starts_with("this provider uses plugin protocol 6, but"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_client_certificate_that_cannot_be_read_ends_the_process_instead_of_the_protection() -> Outcome {
    let identity = Identity::new()?;
    let output = run(host_command(&identity)?.env("PLUGIN_CLIENT_CERT", "no PEM")).await?;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("the client certificate in PLUGIN_CLIENT_CERT is not"));
    Ok(())
}

#[tokio::test]
async fn version_and_help_are_answered_on_standard_output() -> Outcome {
    let binary = provider_binary::path()?;
    let version = run(Command::new(binary).arg("--version")).await?;
    assert!(version.status.success());
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("terraform-provider-clickpipes "));
    let help = run(Command::new(binary).arg("--help")).await?;
    assert!(help.status.success());
    assert!(String::from_utf8_lossy(&help.stdout).contains("--debug"));
    let unknown = run(Command::new(binary).arg("--serve")).await?;
    assert_eq!(unknown.status.code(), Some(2));
    assert!(unknown.stdout.is_empty());
    Ok(())
}

// === The line and the socket ===

#[tokio::test]
async fn a_start_makes_few_threads_also_on_a_machine_with_many_processors() -> Outcome {
    // What stands for the number of processors, where nothing else is said.
    let core = CoreClient::start_with_env([("TOKIO_WORKER_THREADS", "32")]).await?;
    schema(core.channel()).await?;
    let threads = fs::read_dir(format!("/proc/{}/task", core.process.id()))?.count();
    assert!(threads <= 4, "{threads} threads");
    core.close().await?;
    Ok(())
}

#[tokio::test]
async fn the_line_has_six_fields_and_is_all_that_is_ever_printed() -> Outcome {
    let mut core = CoreClient::start_with_env([("TF_LOG", "TRACE")]).await?;
    assert_eq!(core.process.line.text.split('|').count(), 6);
    assert!(!core.process.line.text.contains('='), "the certificate is padded");
    core.provider.get_provider_schema(pb::get_provider_schema::Request {}).await?;
    let exit = core.close().await?;
    assert_eq!(exit.stdout, "");
    assert!(exit.status.success());
    Ok(())
}

#[tokio::test]
async fn the_socket_lies_in_a_folder_of_its_own_that_goes_with_the_process() -> Outcome {
    let parent = tempfile::tempdir()?;
    let start = || CoreClient::start_with_env([("TMPDIR", parent.path())]);

    let core = start().await?;
    let folder = core.process.line.folder().to_owned();
    assert_eq!(folder.parent(), Some(parent.path()));
    assert_eq!(fs::metadata(&folder)?.permissions().mode() & 0o777, 0o700);
    core.close().await?;
    assert!(!folder.exists(), "after Shutdown");

    let core = start().await?;
    let folder = core.process.line.folder().to_owned();
    schema(core.channel()).await?;
    core.vanish().await?;
    assert!(!folder.exists(), "after the host was killed");

    let core = start().await?;
    let folder = core.process.line.folder().to_owned();
    core.process.signal(Signal::SIGTERM)?;
    core.process.exit(DEADLINE).await?;
    assert!(!folder.exists(), "after SIGTERM");
    Ok(())
}

#[tokio::test]
async fn the_host_may_choose_where_the_socket_goes() -> Outcome {
    let parent = tempfile::tempdir()?;
    let core = CoreClient::start_with_env([("PLUGIN_UNIX_SOCKET_DIR", parent.path())]).await?;
    assert_eq!(core.process.line.folder().parent(), Some(parent.path()));
    core.close().await?;
    Ok(())
}

#[tokio::test]
async fn a_temporary_folder_that_cannot_hold_the_socket_is_replaced_by_a_short_one() -> Outcome {
    let parent = tempfile::tempdir()?;
    let deep = parent.path().join("d".repeat(100));
    fs::create_dir(&deep)?;
    for folder in [deep.clone(), parent.path().join("missing"), parent.path().join("a|b")] {
        let core = CoreClient::start_with_env([("TMPDIR", &folder)]).await?;
        assert_eq!(core.process.line.folder().parent(), Some(Path::new("/tmp")), "{}", folder.display());
        assert!(schema(core.channel()).await?.provider.is_some());
        let socket = core.process.line.folder().to_owned();
        core.close().await?;
        assert!(!socket.exists(), "after Shutdown");
    }
    assert_eq!(fs::read_dir(&deep)?.count(), 0, "something is left in the long folder");
    Ok(())
}

#[tokio::test]
async fn if_no_folder_can_hold_the_socket_the_reason_is_in_place_of_the_line() -> Outcome {
    let missing = tempfile::tempdir()?.path().join("missing");
    let identity = Identity::new()?;
    // No folder but the host's is tried.
    let output = run(host_command(&identity)?.env("PLUGIN_UNIX_SOCKET_DIR", &missing)).await?;
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout)?;
    assert_eq!(said, String::from_utf8(output.stderr)?);
    assert_eq!(said.lines().count(), 1);
    let reason = format!("PLUGIN_UNIX_SOCKET_DIR={}: No such file or directory", missing.display());
    assert!(said.contains(&reason), "{said}");
    assert!(said.contains("Set PLUGIN_UNIX_SOCKET_DIR to an existing folder"), "{said}");
    Ok(())
}

// === Access ===

#[tokio::test]
async fn only_the_announced_certificate_is_let_in() -> Outcome {
    let identity = Identity::new()?;
    let foreign = Identity::new()?;
    let process = ProviderProcess::start(host_command(&identity)?).await?;
    for (who, credentials) in [
        ("no certificate", Credentials::Anonymous),
        ("a foreign certificate", Credentials::Pinned(&foreign)),
        ("plaintext", Credentials::Plaintext),
    ] {
        // With TLS 1.3 the client may learn of its refusal only when it first reads.
        if let Ok(channel) = connect(&process.line, credentials).await {
            assert!(schema(channel).await.is_err(), "{who} was served");
        }
    }
    // Refused peers do not count as a host that connected and disconnected.
    let channel = connect(&process.line, Credentials::Pinned(&identity)).await?;
    assert!(schema(channel).await?.provider.is_some());
    let exit = process.exit(DEADLINE).await?;
    assert!(exit.status.success());
    Ok(())
}

#[tokio::test]
async fn a_host_without_tls_gets_plaintext_in_the_protected_folder() -> Outcome {
    let identity = Identity::new()?;
    let mut command = host_command(&identity)?;
    command.env_remove("PLUGIN_CLIENT_CERT");
    let process = ProviderProcess::start(command).await?;
    assert!(process.line.certificate.is_empty());
    assert_eq!(fs::metadata(process.line.folder())?.permissions().mode() & 0o777, 0o700);
    let channel = connect_plaintext(&process.line.socket).await?;
    assert!(schema(channel).await?.provider.is_some());
    process.exit(DEADLINE).await?;
    Ok(())
}

#[tokio::test]
async fn a_peer_that_does_not_finish_its_handshake_holds_up_nobody() -> Outcome {
    let identity = Identity::new()?;
    let process = ProviderProcess::start(host_command(&identity)?).await?;
    let _silent = tokio::net::UnixStream::connect(&process.line.socket).await?;
    let channel = connect(&process.line, Credentials::Pinned(&identity)).await?;
    assert!(schema(channel).await?.provider.is_some());
    process.exit(DEADLINE).await?;
    Ok(())
}

// === The end ===

#[tokio::test]
async fn shutdown_is_answered_and_ends_the_process_while_streams_are_open() -> Outcome {
    let core = CoreClient::start().await?;
    let mut stdio = GrpcStdioClient::new(core.channel()).stream_stdio(()).await?.into_inner();
    let mut broker = GrpcBrokerClient::new(core.channel()).start_stream(tokio_stream::pending()).await?.into_inner();
    let exit = core.close().await?;
    assert!(exit.status.success());
    assert!(matches!(stdio.message().await, Ok(None)), "the stream ends in an orderly way");
    assert!(matches!(broker.message().await, Ok(None)), "the stream ends in an orderly way");
    Ok(())
}

#[tokio::test]
async fn the_process_ends_when_its_host_is_killed() -> Outcome {
    let core = CoreClient::start().await?;
    schema(core.channel()).await?;
    let exit = core.vanish().await?;
    assert!(exit.status.success());
    Ok(())
}

#[tokio::test]
async fn interrupts_end_nothing_from_the_line_on() -> Outcome {
    let identity = Identity::new()?;
    let process = ProviderProcess::start(host_command(&identity)?).await?;
    process.signal(Signal::SIGINT)?;
    let channel = connect(&process.line, Credentials::Pinned(&identity)).await?;
    process.signal(Signal::SIGINT)?;
    assert!(schema(channel.clone()).await?.provider.is_some());
    process.signal(Signal::SIGINT)?;
    assert!(schema(channel).await?.provider.is_some());
    process.exit(DEADLINE).await?;
    Ok(())
}

#[tokio::test]
async fn stop_is_answered_and_the_provider_goes_on_answering() -> Outcome {
    let mut core = CoreClient::start().await?;
    let answer = core.provider.stop_provider(pb::stop_provider::Request {}).await?.into_inner();
    assert_eq!(answer.error, "");
    assert!(schema(core.channel()).await?.provider.is_some());
    core.close().await?;
    Ok(())
}

// === Calls ===

#[tokio::test]
async fn ten_calls_run_side_by_side() -> Outcome {
    let core = CoreClient::start().await?;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..10 {
        calls.spawn(schema(core.channel()));
    }
    for answer in calls.join_all().await {
        assert!(answer?.provider.is_some());
    }
    core.close().await?;
    Ok(())
}

#[tokio::test]
async fn a_value_of_6_mib_passes_both_ways() -> Outcome {
    const SIZE: usize = 6 << 20;
    let mut core = CoreClient::start().await?;
    let schema = schema(core.channel()).await?;
    let (type_name, version, attribute) = schema
        .resource_schemas
        .iter()
        .find_map(|(type_name, schema)| {
            let attributes = &schema.block.as_ref()?.attributes;
            let attribute = attributes.iter().find(|attribute| attribute.r#type == b"\"string\"")?;
            Some((type_name.clone(), schema.version, attribute.name.clone()))
        })
        .context("no resource has a string attribute")?;
    let state = serde_json::json!({ attribute: "x".repeat(SIZE) });
    let answer = core
        .provider
        .upgrade_resource_state(pb::upgrade_resource_state::Request {
            type_name,
            version,
            raw_state: Some(pb::RawState { json: state.to_string().into_bytes(), ..Default::default() }),
        })
        .await?
        .into_inner();
    assert_eq!(answer.diagnostics, []);
    assert!(answer.upgraded_state.is_some_and(|state| state.msgpack.len() > SIZE));
    core.close().await?;
    Ok(())
}

#[tokio::test]
async fn what_is_not_offered_is_unimplemented() -> Outcome {
    let mut core = CoreClient::start().await?;
    let status = core.provider.get_states(pb::get_states::Request::default()).await.err().context("it was answered")?;
    assert_eq!(status.code(), Code::Unimplemented);
    let status = core.provider.move_resource_state(pb::move_resource_state::Request::default()).await.err();
    assert_eq!(status.context("it was answered")?.code(), Code::Unimplemented);
    core.close().await?;
    Ok(())
}

#[tokio::test]
async fn the_plugin_is_in_good_health() -> Outcome {
    let core = CoreClient::start().await?;
    let mut health = HealthClient::new(core.channel());
    let answer = health.check(HealthCheckRequest { service: "plugin".to_owned() }).await?.into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving);
    let status = health.check(HealthCheckRequest { service: "other".to_owned() }).await.err();
    assert_eq!(status.context("an unknown service is healthy")?.code(), Code::NotFound);
    let mut watch = health.watch(HealthCheckRequest { service: "plugin".to_owned() }).await?.into_inner();
    let first = watch.message().await?.context("no first status")?;
    assert_eq!(first.status(), ServingStatus::Serving);
    core.close().await?;
    Ok(())
}

// === Logs ===

#[tokio::test]
async fn logs_are_hclog_json_at_the_level_asked_for() -> Outcome {
    for (variable, value, levels) in [
        ("TF_LOG", "TRACE", &["trace", "debug", "info", "warn", "error"][..]),
        ("TF_LOG_PROVIDER", "INFO", &["info", "warn", "error"]),
    ] {
        let mut core = CoreClient::start_with_env([(variable, value)]).await?;
        core.provider.stop_provider(pb::stop_provider::Request {}).await?;
        let exit = core.close().await?;
        assert!(!exit.stderr.is_empty(), "nothing is logged with {variable}={value}");
        for line in exit.stderr.lines() {
            let line: Value = serde_json::from_str(line).with_context(|| format!("no JSON: {line}"))?;
            let level = line["@level"].as_str().context("no level")?;
            ensure!(levels.contains(&level), "{level} with {variable}={value}");
            ensure!(line["@message"].is_string() && line["@module"].is_string(), "{line}");
            let timestamp = line["@timestamp"].as_str().context("no timestamp")?;
            ensure!(timestamp.len() == "2006-01-02T15:04:05.000000Z".len() && timestamp.ends_with('Z'), "{timestamp}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn without_a_log_level_standard_error_is_silent() -> Outcome {
    let mut core = CoreClient::start().await?;
    core.provider.stop_provider(pb::stop_provider::Request {}).await?;
    assert_eq!(core.close().await?.stderr, "");
    Ok(())
}

// === The real host ===

#[tokio::test]
async fn terraform_starts_reads_and_ends_the_provider() -> Outcome {
    let tf = Terraform::new()?;
    tf.write("main.tf", "provider \"clickpipes\" {}\n")?;
    let schemas = tf.run(["providers", "schema", "-json"]).await?.succeeded()?.json()?;
    let providers = schemas["provider_schemas"].as_object().context("no schemas")?;
    assert!(providers.keys().any(|address| address.ends_with("/clickpipes/clickpipes")));
    let log = fs::read_to_string(tf.log_path())?;
    assert!(log.contains("using plugin: version=6"));
    assert!(!log.contains("plugin failed to exit gracefully"));
    Ok(())
}

#[tokio::test]
async fn terraform_works_with_a_temporary_folder_that_is_too_long_or_missing() -> Outcome {
    let parent = tempfile::tempdir()?;
    let deep = parent.path().join("d".repeat(100));
    fs::create_dir(&deep)?;
    for folder in [deep, parent.path().join("missing")] {
        let tf = Terraform::new()?.with_env("TMPDIR", folder.to_string_lossy());
        tf.write("main.tf", "provider \"clickpipes\" {}\n")?;
        tf.plan().await?;
    }
    Ok(())
}

/// What go-plugin's hint about architectures and permissions does not say.
#[tokio::test]
async fn terraform_shows_why_the_provider_does_not_start() -> Outcome {
    let tf = Terraform::new()?.with_env("PLUGIN_UNIX_SOCKET_DIR", "/nowhere");
    tf.write("main.tf", "provider \"clickpipes\" {}\n")?;
    let said = tf.run(["plan", "-no-color"]).await?.failed()?.message();
    assert!(said.contains("PLUGIN_UNIX_SOCKET_DIR=/nowhere: No such file or directory"), "{said}");
    Ok(())
}

#[tokio::test]
async fn terraform_attaches_to_a_provider_in_debug_mode_which_outlives_it() -> Outcome {
    let parent = tempfile::tempdir()?;
    let mut command = Command::new(provider_binary::path()?);
    command.arg("--debug").env("TMPDIR", parent.path()).env_remove("TF_LOG");
    let process = ProviderProcess::start_debug(command).await?;
    let attach = process
        .line
        .strip_prefix("TF_REATTACH_PROVIDERS='")
        .and_then(|rest| rest.strip_suffix('\''))
        .with_context(|| format!("no assignment: {}", process.line))?;
    let providers: Value = serde_json::from_str(attach)?;
    let socket = providers["clickpipes/clickpipes"]["Addr"]["String"].as_str().context("no socket")?;
    let socket = PathBuf::from(socket);

    let tf = Terraform::new()?.with_env("TF_REATTACH_PROVIDERS", attach);
    tf.write("main.tf", "provider \"clickpipes\" {}\n")?;
    // Only the attached provider is available here.
    tf.write("cli.tfrc", "disable_checkpoint = true\n")?;
    for _ in 0..2 {
        let schemas = tf.run(["providers", "schema", "-json"]).await?.succeeded()?;
        assert!(schemas.stdout.contains("/clickpipes/clickpipes"));
    }
    assert!(schema(connect_plaintext(&socket).await?).await?.provider.is_some());
    process.signal(Signal::SIGINT)?;
    let exit = process.exit(DEADLINE).await?;
    assert!(exit.status.success());
    assert!(!socket.exists());
    Ok(())
}
