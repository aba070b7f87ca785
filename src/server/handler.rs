//! From a type name to the resource that answers for it. Which there are is said in [`crate::resource`].

use std::marker::PhantomData;

use futures_util::future::{BoxFuture, FutureExt};

use super::{apply_resource_change, import_resource_state, plan_resource_change, read_resource};
use super::{upgrade_resource_state, validate_resource_config};
use crate::proto::tfplugin6 as proto;
use crate::provider::Context;
use crate::resource::{Engine, Resource, each_resource};
use crate::terraform::Schema;

macro_rules! handlers {
    ($($resource:path),+ $(,)?) => { &[$(&Of::<Engine<$resource>>::NEW),+] };
}

static RESOURCES: &[&dyn Handler] = each_resource!(handlers);

/// Every resource.
pub(super) fn all() -> &'static [&'static dyn Handler] {
    RESOURCES
}

/// Every resource's type name.
#[cfg(test)]
pub(crate) fn type_names() -> impl Iterator<Item = &'static str> {
    RESOURCES.iter().map(|handler| handler.type_name())
}

/// The resource with this type name.
pub(super) fn find(type_name: &str) -> Option<&'static dyn Handler> {
    RESOURCES.iter().copied().find(|handler| handler.type_name() == type_name)
}

/// One resource's answers to the RPCs.
pub(super) trait Handler: Send + Sync {
    fn type_name(&self) -> &'static str;
    fn schema(&self) -> Schema;
    fn validate(&self, request: proto::validate_resource_config::Request) -> proto::validate_resource_config::Response;
    fn upgrade(&self, request: proto::upgrade_resource_state::Request) -> proto::upgrade_resource_state::Response;
    fn import(&self, request: proto::import_resource_state::Request) -> proto::import_resource_state::Response;
    fn read<'a>(
        &self,
        context: &'a Context,
        request: proto::read_resource::Request,
    ) -> BoxFuture<'a, proto::read_resource::Response>;
    fn plan<'a>(
        &self,
        context: &'a Context,
        request: proto::plan_resource_change::Request,
    ) -> BoxFuture<'a, proto::plan_resource_change::Response>;
    fn apply<'a>(
        &self,
        context: &'a Context,
        request: proto::apply_resource_change::Request,
    ) -> BoxFuture<'a, proto::apply_resource_change::Response>;
}

struct Of<R>(PhantomData<fn() -> R>);

impl<R: Resource> Of<R> {
    const NEW: Self = Self(PhantomData);
}

impl<R: Resource> Handler for Of<R> {
    fn type_name(&self) -> &'static str {
        R::TYPE_NAME
    }

    fn schema(&self) -> Schema {
        R::schema()
    }

    fn validate(&self, request: proto::validate_resource_config::Request) -> proto::validate_resource_config::Response {
        validate_resource_config::validate::<R>(&request)
    }

    fn upgrade(&self, request: proto::upgrade_resource_state::Request) -> proto::upgrade_resource_state::Response {
        upgrade_resource_state::upgrade::<R>(&request)
    }

    fn import(&self, request: proto::import_resource_state::Request) -> proto::import_resource_state::Response {
        import_resource_state::import::<R>(&request)
    }

    fn read<'a>(
        &self,
        context: &'a Context,
        request: proto::read_resource::Request,
    ) -> BoxFuture<'a, proto::read_resource::Response> {
        read_resource::read::<R>(context, request).boxed()
    }

    fn plan<'a>(
        &self,
        context: &'a Context,
        request: proto::plan_resource_change::Request,
    ) -> BoxFuture<'a, proto::plan_resource_change::Response> {
        plan_resource_change::plan::<R>(context, request).boxed()
    }

    fn apply<'a>(
        &self,
        context: &'a Context,
        request: proto::apply_resource_change::Request,
    ) -> BoxFuture<'a, proto::apply_resource_change::Response> {
        apply_resource_change::apply::<R>(context, request).boxed()
    }
}
