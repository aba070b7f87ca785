//! Events as hclog's JSON: one object per line, which the host parses.
//!
//! The host is strict: `@message`, `@level` and `@timestamp` must be strings, the timestamp must have one exact layout, and the
//! line must be shorter than 64 KiB. Otherwise it prints the raw line at debug level, or worse.

use std::{error::Error, fmt, time::SystemTime};

use serde_json::{Map, Value};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use super::target::CRATE;
use crate::printable::printable_line;

/// One byte may take six in JSON, and a message is never dropped: 8 KiB always fit.
const TEXT_LIMIT: usize = 8 << 10;

/// Below the host's limit of 64 KiB.
const LINE_LIMIT: usize = 60 << 10;

/// Writes each event, with the fields of the spans around it.
pub(super) struct HclogLayer {
    write: fn(&str),
}

impl HclogLayer {
    /// `write` gets whole lines, including the line breaks.
    pub(super) fn new(write: fn(&str)) -> Self {
        Self { write }
    }
}

impl<S> Layer<S> for HclogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            fields.inherit(&span);
        }
        event.record(&mut fields);
        let metadata = event.metadata();
        (self.write)(&line(metadata.level(), metadata.target(), SystemTime::now(), fields));
    }
}

/// The fields of an event or a span, besides its message.
#[derive(Default)]
struct Fields {
    message: String,
    extra: Map<String, Value>,
}

impl Fields {
    fn inherit<S: for<'a> LookupSpan<'a>>(&mut self, span: &SpanRef<'_, S>) {
        if let Some(fields) = span.extensions().get::<Fields>() {
            self.extra.extend(fields.extra.clone());
        }
    }

    fn insert(&mut self, field: &Field, value: Value) {
        // Names with "@" belong to hclog.
        if !field.name().starts_with('@') {
            self.extra.insert(field.name().to_owned(), value);
        }
    }

    fn insert_text(&mut self, field: &Field, text: String) {
        let text = printable_line(&shortened(text));
        if field.name() == "message" {
            self.message = text;
        } else {
            self.insert(field, text.into());
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert_text(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert_text(field, value.to_owned());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        self.insert_text(field, text);
    }
}

fn shortened(mut text: String) -> String {
    if text.len() > TEXT_LIMIT {
        let whole = text.len();
        text.truncate(text.floor_char_boundary(TEXT_LIMIT));
        text = format!("{text}... ({whole} bytes)");
    }
    text
}

fn line(level: &Level, target: &str, now: SystemTime, fields: Fields) -> String {
    let level = match *level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    };
    let own = [
        ("@level", level.to_owned()),
        ("@message", fields.message),
        ("@module", module(target)),
        // Microseconds, always with six digits: the layout that the host expects.
        ("@timestamp", humantime::format_rfc3339_micros(now).to_string()),
    ];
    let own = || own.iter().map(|(key, value)| ((*key).to_owned(), Value::from(value.as_str())));
    let mut object = fields.extra;
    object.extend(own());
    let mut line = Value::Object(object).to_string();
    if line.len() > LINE_LIMIT {
        let too_long = ("fields_left_out".to_owned(), Value::Bool(true));
        line = Value::Object(own().chain([too_long]).collect()).to_string();
    }
    line.push('\n');
    line
}

/// `terraform_provider_clickpipes::postgres::client` becomes `clickpipes.postgres.client`, the way Go's loggers name modules.
fn module(target: &str) -> String {
    match target.strip_prefix(CRATE) {
        Some(path) => format!("clickpipes{}", path.replace("::", ".")),
        None => target.replace("::", "."),
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, time::Duration};

    use tracing::level_filters::LevelFilter;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    thread_local! {
        static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    /// What `work` logs at `level`, one object per line.
    fn logged(level: LevelFilter, work: impl FnOnce()) -> Vec<Value> {
        let write: fn(&str) = |line| LINES.with_borrow_mut(|lines| lines.push(line.to_owned()));
        let subscriber = tracing_subscriber::registry().with(crate::plugin::logging::layer(level, write));
        tracing::subscriber::with_default(subscriber, work);
        let lines = LINES.take();
        assert!(lines.iter().all(|line| line.ends_with('\n') && line.lines().count() == 1));
        lines.iter().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }

    #[test]
    fn fields_keep_their_types_and_spans_lend_theirs() {
        let lines = logged(LevelFilter::TRACE, || {
            let _span = tracing::info_span!("rpc", tf_rpc = "PlanResourceChange", attempt = 1).entered();
            tracing::debug!(attempt = 2, ready = true, lag = 0.5, host = %"db\n1", "waits for {}", "it");
        });
        let [line] = lines.as_slice() else { panic!("one line, not {lines:?}") };
        assert_eq!(line["@level"], "debug");
        assert_eq!(line["@message"], "waits for it");
        assert_eq!(line["@module"], "clickpipes.plugin.logging.hclog.tests");
        assert_eq!(line["tf_rpc"], "PlanResourceChange");
        assert_eq!((&line["attempt"], &line["ready"]), (&2.into(), &true.into()));
        assert_eq!(line["lag"].as_f64(), Some(0.5));
        assert_eq!(line["host"], "db\\n1", "a line of the log is one line");
    }

    #[test]
    fn levels_below_and_other_crates_are_left_out() {
        let lines = logged(LevelFilter::INFO, || {
            tracing::debug!("below");
            tracing::error!(target: "aws_smithy_runtime::client", "Authorization: secret");
            tracing::info!("ours");
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["@message"], "ours");
    }

    #[test]
    fn a_line_stays_below_the_limit_of_the_host() {
        let long = "\u{1}ü".repeat(100_000);
        let lines = logged(LevelFilter::TRACE, || {
            tracing::info!(a = %long, b = %long, c = %long, "{long}");
        });
        assert!(lines[0].to_string().len() < 64 << 10);
        assert_eq!(lines[0]["fields_left_out"], true);
        assert!(lines[0]["@message"].as_str().is_some_and(|message| message.ends_with("... (300000 bytes)")));
    }

    #[test]
    fn an_error_is_logged_with_its_causes() {
        let error = std::io::Error::other(crate::plugin::PluginError::ProtocolVersion { offered: "5".to_owned() });
        let lines = logged(LevelFilter::TRACE, || tracing::warn!(error = &error as &dyn Error, "no"));
        assert!(lines[0]["error"].as_str().is_some_and(|text| text.contains("offers 5")));
    }

    #[test]
    fn the_timestamp_has_the_layout_of_hclog() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_micros(1_767_323_045_000_000);
        let line = line(&Level::INFO, CRATE, now, Fields::default());
        assert_eq!(
            line,
            "{\"@level\":\"info\",\"@message\":\"\",\"@module\":\"clickpipes\",\"@timestamp\":\"2026-01-02T03:04:05.000000Z\"}\n"
        );
    }
}
