//! Actions. They are registered in [`crate::action`].

use futures_util::future::{BoxFuture, FutureExt};

use super::configured::{ConfiguredHandler, Of};
use crate::action::{Action, each_action};
use crate::proto::tfplugin6 as proto;
use crate::provider::Context;
use crate::server::{events::Events, invoke_action, plan_action};

macro_rules! handlers {
    ($($one:path),* $(,)?) => { &[$(&Of::<$one>::NEW),*] };
}

/// Every one of them.
pub(crate) static ACTIONS: &[&dyn ActionHandler] = each_action!(handlers);

/// One action's answers to the RPCs.
pub(crate) trait ActionHandler: ConfiguredHandler {
    fn plan<'a>(&self, context: &'a Context, request: proto::plan_action::Request)
    -> BoxFuture<'a, proto::plan_action::Response>;
    fn invoke(&self, context: Context, request: proto::invoke_action::Request) -> Events<proto::invoke_action::Event>;
}

impl<A: Action> ActionHandler for Of<A> {
    fn plan<'a>(
        &self,
        context: &'a Context,
        request: proto::plan_action::Request,
    ) -> BoxFuture<'a, proto::plan_action::Response> {
        plan_action::plan::<A>(context, request).boxed()
    }

    fn invoke(&self, context: Context, request: proto::invoke_action::Request) -> Events<proto::invoke_action::Event> {
        invoke_action::invoke::<A>(context, request)
    }
}
