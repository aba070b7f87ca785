//! Resources. They are registered in [`crate::resource`].

use std::marker::PhantomData;

use futures_util::future::{BoxFuture, FutureExt};

use super::Named;
use crate::proto::tfplugin6 as proto;
use crate::provider::Context;
use crate::resource::{Engine, Resource, each_resource};
use crate::server::{apply_resource_change, import_resource_state, plan_resource_change, read_resource};
use crate::server::{upgrade_resource_identity, upgrade_resource_state, validate_resource_config};
use crate::terraform::{Attribute, Model, Schema};

macro_rules! handlers {
    ($($resource:path),* $(,)?) => { &[$(&Of::<Engine<$resource>>::NEW),*] };
}

/// Every resource.
pub(crate) static RESOURCES: &[&dyn ResourceHandler] = each_resource!(handlers);

/// One resource's answers to the RPCs.
pub(crate) trait ResourceHandler: Named {
    fn schema(&self) -> Schema;
    /// Version of its identity's schema, and the attributes of its identity.
    fn identity_schema(&self) -> (i64, &'static [Attribute]);
    fn upgrade_identity(&self, request: &proto::upgrade_resource_identity::Request)
    -> proto::upgrade_resource_identity::Response;
    fn validate(&self, request: proto::validate_resource_config::Request) -> proto::validate_resource_config::Response;
    fn upgrade(&self, request: proto::upgrade_resource_state::Request) -> proto::upgrade_resource_state::Response;
    fn import(&self, context: &Context, request: proto::import_resource_state::Request)
    -> proto::import_resource_state::Response;
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

impl<R: Resource> Named for Of<R> {
    fn name(&self) -> &'static str {
        R::TYPE_NAME
    }
}

impl<R: Resource> ResourceHandler for Of<R> {
    fn identity_schema(&self) -> (i64, &'static [Attribute]) {
        (R::IDENTITY_VERSION, R::Identity::attributes())
    }

    fn upgrade_identity(
        &self,
        request: &proto::upgrade_resource_identity::Request,
    ) -> proto::upgrade_resource_identity::Response {
        upgrade_resource_identity::upgrade::<R>(request)
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

    fn import(
        &self,
        context: &Context,
        request: proto::import_resource_state::Request,
    ) -> proto::import_resource_state::Response {
        import_resource_state::import::<R>(context, &request)
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
