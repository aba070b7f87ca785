//! What the RPCs of data sources, ephemeral resources, list resources and actions have in common.

use crate::proto::tfplugin6 as proto;
use crate::terraform::{Configured, Diagnostics, Model, Trail, Value};
use crate::wire::dynamic_value;

/// A configuration as it was sent, and its typed form.
pub(super) struct Decoded<M> {
    pub(super) value: Value,
    pub(super) model: M,
}

/// Decodes a configuration.
///
/// # Errors
/// The message is not a configuration of this schema; each fault has its path.
pub(super) fn decode<C: Configured>(config: Option<&proto::DynamicValue>) -> Result<Decoded<C::Model>, Diagnostics> {
    let value = dynamic_value::decode(config, C::Model::value_type())?;
    let model = C::Model::decode(&value, &Trail::Root)?;
    Ok(Decoded { value, model })
}

/// Decodes a configuration that is about to be used: it has been validated, but possibly by another client.
///
/// # Errors
/// As [`decode`], and the faults in the configuration.
pub(super) fn decode_valid<C: Configured>(config: Option<&proto::DynamicValue>) -> Result<Decoded<C::Model>, Diagnostics> {
    let decoded = decode::<C>(config)?;
    C::validate(&decoded.model).into_result()?;
    Ok(decoded)
}

/// Validates a configuration, possibly with unknown values.
pub(super) fn validate<C: Configured>(config: Option<&proto::DynamicValue>) -> Diagnostics {
    match decode::<C>(config) {
        Ok(Decoded { model, .. }) => C::validate(&model),
        Err(diagnostics) => diagnostics,
    }
}
