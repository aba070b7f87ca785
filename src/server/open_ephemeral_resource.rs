//! `OpenEphemeralResource`, and the calls that follow it: nothing here has to be renewed or closed.

use super::{configured, keep_state, self_check};
use crate::ephemeral::Ephemeral;
use crate::failure::Failure;
use crate::proto::tfplugin6 as proto;
use crate::provider::Context;
use crate::terraform::{Diagnostic, Diagnostics, Model, Value};
use crate::wire::{dynamic_value, encode_diagnostics};

pub(super) async fn open<E: Ephemeral>(
    context: &Context,
    request: proto::open_ephemeral_resource::Request,
) -> proto::open_ephemeral_resource::Response {
    let (result, diagnostics) = match make::<E>(context, &request).await {
        Ok((value, diagnostics)) => (Some(dynamic_value::encode(&value)), diagnostics),
        Err(diagnostics) => (None, diagnostics),
    };
    proto::open_ephemeral_resource::Response { result, diagnostics: encode_diagnostics(diagnostics), ..Default::default() }
}

async fn make<E: Ephemeral>(
    context: &Context,
    request: &proto::open_ephemeral_resource::Request,
) -> Result<(Value, Diagnostics), Diagnostics> {
    let config = configured::decode_valid::<E>(request.config.as_ref())?;
    let mut diagnostics = Diagnostics::new();
    let value = match E::open(context, &config.model).await {
        Ok(model) => Model::encode(&model),
        Err(Failure::ConfigurationUnknown) => {
            diagnostics.push(later::<E>());
            unknown::<E>(&config.value)
        }
        Err(failure) => {
            diagnostics.extend(keep_state::go_on(context, failure)?);
            unknown::<E>(&config.value)
        }
    };
    if cfg!(debug_assertions) {
        diagnostics.extend(self_check::planned(E::Model::attributes(), &Value::Null, &config.value, &value, &[]));
    }
    Ok((value, diagnostics))
}

/// It is created once the provider is configured. Until then its computed values are unknown.
fn later<E: Ephemeral>() -> Diagnostic {
    let detail = format!(
        "The provider block has values that are known only after apply, so {} is created at apply. OpenTofu does not accept unknown \
         values here: with OpenTofu, add a depends_on for the resource that makes the provider's configuration known.",
        E::TYPE_NAME
    );
    Diagnostic::warning(format!("{} is known only after apply", E::TYPE_NAME), detail)
}

fn unknown<E: Ephemeral>(config: &Value) -> Value {
    let attributes = E::Model::attributes().iter().map(|attribute| {
        let value = match config.get(&attribute.name) {
            Value::Null if attribute.flags.computed => Value::Unknown,
            given => given.clone(),
        };
        (attribute.name.clone(), value)
    });
    Value::Map(attributes.collect())
}
