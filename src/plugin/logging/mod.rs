//! Logs as the host reads them: hclog's JSON on standard error, at the level set in the host's environment.
//!
//! Only this crate's own events are written. Dependencies may log what must not be logged: the AWS SDK prints whole requests at
//! trace level.

mod hclog;
mod level;
mod panic;
mod target;

use std::io::{self, Write as _};

use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::{FilterExt as _, filter_fn},
    layer::SubscriberExt as _,
    registry::LookupSpan,
};

use hclog::HclogLayer;
use target::CRATE;

/// Installs the process's logger and panic hook, once, before anything else runs.
///
/// If the environment that `variable` looks up sets no level, nothing is installed or formatted: the host would drop the lines. A
/// panic then leaves no log line; the handler that it ended reports it.
pub fn init(variable: impl Fn(&str) -> Option<String>) {
    let level = level::from_environment(variable);
    if level != LevelFilter::OFF {
        let subscriber = tracing_subscriber::registry().with(layer(level, write_line));
        // Fails only when a logger is already installed; that one is then used.
        let _ = tracing::subscriber::set_global_default(subscriber);
    }
    panic::install_hook();
}

fn layer<S>(level: LevelFilter, write: fn(&str)) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let ours = filter_fn(|metadata| metadata.target().starts_with(CRATE));
    HclogLayer::new(write).with_filter(ours.and(level))
}

/// One write per line, so that lines of several threads do not mix. A closed standard error means that the host is gone.
fn write_line(line: &str) {
    let _ = io::stderr().lock().write_all(line.as_bytes());
}
