//! The answers that the kinds with a configuration of their own have in common.

use std::marker::PhantomData;

use super::Named;
use crate::proto::tfplugin6 as proto;
use crate::server::configured;
use crate::terraform::{Configured, Diagnostics, Model, Schema};

/// Answers of a data source, an ephemeral resource, a list resource or an action.
pub(crate) trait ConfiguredHandler: Named {
    fn schema(&self) -> Schema;
    fn validate(&self, config: Option<&proto::DynamicValue>) -> Diagnostics;
}

pub(super) struct Of<C>(PhantomData<fn() -> C>);

impl<C> Of<C> {
    pub(super) const NEW: Self = Self(PhantomData);
}

impl<C: Configured> Named for Of<C> {
    fn name(&self) -> &'static str {
        C::TYPE_NAME
    }
}

impl<C: Configured> ConfiguredHandler for Of<C> {
    fn schema(&self) -> Schema {
        C::Model::schema()
    }

    fn validate(&self, config: Option<&proto::DynamicValue>) -> Diagnostics {
        configured::validate::<C>(config)
    }
}
