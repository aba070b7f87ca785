//! Ephemeral resources. They are registered in [`crate::ephemeral`].

use futures_util::future::{BoxFuture, FutureExt};

use super::configured::{ConfiguredHandler, Of};
use crate::ephemeral::{Ephemeral, each_ephemeral};
use crate::proto::tfplugin6 as proto;
use crate::provider::Context;
use crate::server::open_ephemeral_resource;

macro_rules! handlers {
    ($($one:path),* $(,)?) => { &[$(&Of::<$one>::NEW),*] };
}

/// Every one of them.
pub(crate) static EPHEMERALS: &[&dyn EphemeralHandler] = each_ephemeral!(handlers);

/// One ephemeral resource's answers to the RPCs.
pub(crate) trait EphemeralHandler: ConfiguredHandler {
    fn open<'a>(
        &self,
        context: &'a Context,
        request: proto::open_ephemeral_resource::Request,
    ) -> BoxFuture<'a, proto::open_ephemeral_resource::Response>;
}

impl<E: Ephemeral> EphemeralHandler for Of<E> {
    fn open<'a>(
        &self,
        context: &'a Context,
        request: proto::open_ephemeral_resource::Request,
    ) -> BoxFuture<'a, proto::open_ephemeral_resource::Response> {
        open_ephemeral_resource::open::<E>(context, request).boxed()
    }
}
