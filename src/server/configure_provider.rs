//! `ValidateProviderConfig` and `ConfigureProvider`. Neither connects: Terraform starts the provider many times only to read its
//! schema.

use crate::proto::tfplugin6 as proto;
use crate::provider::{self, ProviderContext, ProviderModel};
use crate::terraform::{Diagnostics, Model, Trail};
use crate::wire::{dynamic_value, encode_diagnostics};

pub(super) fn validate(request: &proto::validate_provider_config::Request) -> proto::validate_provider_config::Response {
    let diagnostics = match decode(request.config.as_ref()) {
        Ok(model) => provider::validate(&model),
        Err(diagnostics) => diagnostics,
    };
    proto::validate_provider_config::Response { diagnostics: encode_diagnostics(diagnostics) }
}

/// The context that later calls work in, or what is wrong with the configuration.
pub(super) fn configure(request: &proto::configure_provider::Request) -> Result<ProviderContext, Diagnostics> {
    let model = decode(request.config.as_ref())?;
    provider::validate(&model).into_result()?;
    Ok(ProviderContext::new(&model))
}

fn decode(config: Option<&proto::DynamicValue>) -> Result<ProviderModel, Diagnostics> {
    let value = dynamic_value::decode(config, ProviderModel::value_type())?;
    ProviderModel::decode(&value, &Trail::Root)
}
