//! `ReadDataSource`: a configuration, with the results added.

use super::{configured, keep_state, self_check};
use crate::data_source::{DataSource, Found};
use crate::failure::Failure;
use crate::proto::tfplugin6 as proto;
use crate::provider::Context;
use crate::terraform::{Diagnostic, Diagnostics, Model, Value};
use crate::wire::{dynamic_value, encode_diagnostics};

pub(super) async fn read<D: DataSource>(
    context: &Context,
    request: proto::read_data_source::Request,
) -> proto::read_data_source::Response {
    let (state, diagnostics) = match find::<D>(context, &request).await {
        Ok((value, warnings)) => (Some(dynamic_value::encode(&value)), warnings),
        Err(diagnostics) => (None, diagnostics),
    };
    proto::read_data_source::Response { state, diagnostics: encode_diagnostics(diagnostics), ..Default::default() }
}

async fn find<D: DataSource>(
    context: &Context,
    request: &proto::read_data_source::Request,
) -> Result<(Value, Diagnostics), Diagnostics> {
    let config = configured::decode_valid::<D>(request.config.as_ref())?;
    let Found { model, mut warnings } = match D::read(context, &config.model).await {
        Ok(found) => found,
        Err(Failure::ConfigurationUnknown) => return Err(not_configured::<D>().into()),
        Err(failure) => Found { warnings: keep_state::go_on(context, failure)?, model: D::unreached(&config.model) },
    };
    let value = Model::encode(&model);
    if cfg!(debug_assertions) {
        let attributes = D::Model::attributes();
        warnings.extend(self_check::stored(attributes, &value, "a read"));
        warnings.extend(self_check::planned(attributes, &Value::Null, &config.value, &value, &[]));
    }
    Ok((value, warnings))
}

/// What a data source finds during a plan is not looked up again at apply, so it cannot be unknown in the plan.
fn not_configured<D: DataSource>() -> Diagnostic {
    let detail = format!(
        "The provider block has values that are known only after apply, but {} is read during the plan. Make them known, or give the data \
         source a depends_on for the resource that makes them known: it is then read at apply.",
        D::TYPE_NAME
    );
    Diagnostic::error("The provider's configuration is not known", detail)
}
