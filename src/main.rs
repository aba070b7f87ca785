//! The provider's process: what the command line asks for, and the exit code.

use std::{
    error::Error,
    io::{self, Write as _},
    process::ExitCode,
};

use terraform_provider_clickpipes::{
    plugin::{self, HELP, HostRequest, Invocation, Mode, PluginError},
    server::ProviderService,
};

/// The exit code for an unknown argument.
const USAGE: u8 = 2;

/// Threads that answer calls. Terraform needs several times the CPU time that the provider needs for the same resources, so one
/// for each processor would only make every start longer.
const WORKERS: usize = 2;

fn main() -> ExitCode {
    let environment = |name: &str| std::env::var(name).ok();
    let mode = match Invocation::decode(std::env::args_os().skip(1)) {
        Invocation::Version => {
            return answer(&format!("terraform-provider-clickpipes {}\n", env!("CARGO_PKG_VERSION")));
        }
        Invocation::Help => return answer(HELP),
        Invocation::Unknown(argument) => {
            eprintln!("unknown argument {argument:?}; see --help");
            return ExitCode::from(USAGE);
        }
        Invocation::Debug => Ok(Mode::Debug),
        Invocation::Plugin => HostRequest::decode(environment).map(Mode::Host),
    };
    plugin::logging::init(environment);
    let debug = matches!(mode, Ok(Mode::Debug));
    match mode.and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut reason = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                reason.push_str(&format!("\ncaused by: {error}"));
                cause = error.source();
            }
            eprintln!("{reason}");
            if !debug && error.is_awaited_by_host() {
                plugin::announce_refusal(&reason);
            }
            ExitCode::FAILURE
        }
    }
}

fn run(mode: Mode) -> Result<(), PluginError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let runtime = runtime.map_err(|source| PluginError::Runtime { source })?;
    runtime.block_on(plugin::serve(ProviderService::new(), mode))?;
    // Unfinished work is not awaited: its client is gone.
    runtime.shutdown_background();
    Ok(())
}

fn answer(text: &str) -> ExitCode {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
