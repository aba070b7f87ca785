//! `InvokeAction`: runs the action, reports its progress, and finally its outcome.

use super::configured;
use super::events::{self, Events, Sender};
use crate::action::{Action, Progress};
use crate::printable::printable_line;
use crate::proto::tfplugin6 as proto;
use crate::proto::tfplugin6::invoke_action::{Event, event};
use crate::provider::Context;
use crate::terraform::Diagnostics;
use crate::wire::encode_diagnostics;

pub(super) fn invoke<A: Action>(context: Context, request: proto::invoke_action::Request) -> Events<Event> {
    events::stream(
        |events| async move { run::<A>(&context, &request, events).await },
        |outcome| Some(completed(encode_diagnostics(outcome.unwrap_or_else(|faults| faults)))),
    )
}

/// The answer for an unknown action.
pub(super) fn failed(diagnostics: Vec<proto::Diagnostic>) -> Events<Event> {
    Box::pin(tokio_stream::once(Ok(completed(diagnostics))))
}

async fn run<A: Action>(
    context: &Context,
    request: &proto::invoke_action::Request,
    events: Sender<Event>,
) -> Result<Diagnostics, Diagnostics> {
    let config = configured::decode_valid::<A>(request.config.as_ref())?;
    context.dial_again();
    let progress = Progress::new(move |message: String| {
        let message = printable_line(&message);
        events.send(Event { r#type: Some(event::Type::Progress(event::Progress { message })) });
    });
    let done = A::invoke(context, &config.model, &progress).await;
    context.dial_again();
    done.map_err(|failure| failure.into_diagnostics())
}

fn completed(diagnostics: Vec<proto::Diagnostic>) -> Event {
    Event { r#type: Some(event::Type::Completed(event::Completed { diagnostics })) }
}
