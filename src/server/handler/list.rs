//! List resources. They are registered in [`crate::list`].

use super::configured::{ConfiguredHandler, Of};
use crate::list::{List, each_list};
use crate::proto::tfplugin6 as proto;
use crate::provider::Context;
use crate::server::{events::Events, list_resource};

macro_rules! handlers {
    ($($one:path),* $(,)?) => { &[$(&Of::<$one>::NEW),*] };
}

/// Every one of them.
pub(crate) static LISTS: &[&dyn ListHandler] = each_list!(handlers);

/// One list resource's answers to the RPCs.
pub(crate) trait ListHandler: ConfiguredHandler {
    fn list(&self, context: Context, request: proto::list_resource::Request) -> Events<proto::list_resource::Event>;
}

impl<L: List> ListHandler for Of<L> {
    fn list(&self, context: Context, request: proto::list_resource::Request) -> Events<proto::list_resource::Event> {
        list_resource::list::<L>(context, request)
    }
}
