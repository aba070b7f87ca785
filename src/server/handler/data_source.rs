//! Data sources. They are registered in [`crate::data_source`].

use futures_util::future::{BoxFuture, FutureExt};

use super::configured::{ConfiguredHandler, Of};
use crate::data_source::{DataSource, each_data_source};
use crate::proto::tfplugin6 as proto;
use crate::provider::Context;
use crate::server::read_data_source;

macro_rules! handlers {
    ($($one:path),* $(,)?) => { &[$(&Of::<$one>::NEW),*] };
}

/// Every one of them.
pub(crate) static DATA_SOURCES: &[&dyn DataSourceHandler] = each_data_source!(handlers);

/// One data source's answers to the RPCs.
pub(crate) trait DataSourceHandler: ConfiguredHandler {
    fn read<'a>(
        &self,
        context: &'a Context,
        request: proto::read_data_source::Request,
    ) -> BoxFuture<'a, proto::read_data_source::Response>;
}

impl<D: DataSource> DataSourceHandler for Of<D> {
    fn read<'a>(
        &self,
        context: &'a Context,
        request: proto::read_data_source::Request,
    ) -> BoxFuture<'a, proto::read_data_source::Response> {
        read_data_source::read::<D>(context, request).boxed()
    }
}
