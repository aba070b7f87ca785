//! `ListResource`: the existing objects of a resource, one event per object.

use futures_util::stream::{self, StreamExt};

use super::events::{self, Events, Sender};
use super::{configured, identity, plan_pipeline, stored};
use crate::list::{List, Listed};
use crate::printable::printable_line;
use crate::proto::tfplugin6 as proto;
use crate::provider::Context;
use crate::resource::{Existing, Resource};
use crate::terraform::{AttributePath, Diagnostic, Diagnostics, Model};
use crate::wire::{dynamic_value, encode_diagnostics};

/// How many objects are read at a time.
const TOGETHER: usize = 10;

type Event = proto::list_resource::Event;

pub(super) fn list<L: List>(context: Context, request: proto::list_resource::Request) -> Events<Event> {
    events::stream(
        |events| async move { find::<L>(&context, &request, &events).await },
        |outcome| {
            let diagnostic = encode_diagnostics(outcome.unwrap_or_else(|faults| faults));
            (!diagnostic.is_empty()).then(|| Event { diagnostic, ..Default::default() })
        },
    )
}

/// The answer for an unknown type.
pub(super) fn failed(diagnostic: Vec<proto::Diagnostic>) -> Events<Event> {
    Box::pin(tokio_stream::once(Ok(Event { diagnostic, ..Default::default() })))
}

async fn find<L: List>(
    context: &Context,
    request: &proto::list_resource::Request,
    events: &Sender<Event>,
) -> Result<Diagnostics, Diagnostics> {
    let config = configured::decode_valid::<L>(request.config.as_ref())?;
    let limit = usize::try_from(request.limit).map_err(|_| negative(request.limit))?;
    let listed = L::list(context, &config.model, limit).await.map_err(|failure| failure.into_diagnostics())?;
    let objects = listed.into_iter().take(limit).map(|listed| event::<L>(context, listed, request.include_resource_object));
    let mut objects = stream::iter(objects).buffered(TOGETHER);
    while let Some(object) = objects.next().await {
        // An object that disappeared meanwhile is left out.
        if let Some(event) = object? {
            events.send(event);
        }
    }
    Ok(Diagnostics::new())
}

async fn event<L: List>(context: &Context, listed: Listed<L::Resource>, whole: bool) -> Result<Option<Event>, Diagnostics> {
    let Listed { display_name, named } = listed;
    let identity = L::Resource::identity(&named, None);
    let display_name = printable_line(&display_name);
    let mut event = Event { identity: Some(identity::encode(&identity)), display_name, ..Default::default() };
    if whole {
        let attributes = <L::Resource as Resource>::Model::attributes();
        let Existing { model, private } = L::Resource::named(named);
        let value = plan_pipeline::fill_defaults(attributes, Model::encode(&model));
        let Some(prior) = stored::prior::<L::Resource>(&value, &private)? else { return Ok(None) };
        let read =
            L::Resource::read(context, &prior, &private).await.map_err(|failed| failed.into_failure().into_diagnostics())?;
        let Some(existing) = read.existing else { return Ok(None) };
        let identity = L::Resource::identity(&existing.model, Some(&identity));
        let (value, _) = plan_pipeline::seal(attributes, Model::encode(&existing.model));
        event.identity = Some(identity::encode(&identity));
        event.resource_object = Some(dynamic_value::encode(&value));
    }
    Ok(Some(event))
}

fn negative(limit: i64) -> Diagnostic {
    Diagnostic::error("Invalid limit", format!("The limit is {limit}; it is the largest number of objects to list."))
        .at(AttributePath::of("limit"))
}
