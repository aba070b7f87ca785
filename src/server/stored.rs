//! What Terraform keeps for a resource between calls: the state, and the private data next to it.

use crate::proto::tfplugin6 as proto;
use crate::resource::{Prior, PriorOf, Resource};
use crate::terraform::{Diagnostic, Diagnostics, Model, Trail, Value};
use crate::wire::dynamic_value;

/// Decodes an object of this resource.
///
/// # Errors
/// The message is not such an object.
pub(super) fn decode_value<R: Resource>(message: Option<&proto::DynamicValue>) -> Result<Value, Diagnostics> {
    dynamic_value::decode(message, R::Model::value_type())
}

/// The typed form of an object that is not null.
///
/// # Errors
/// A value has another type than its attribute.
pub(super) fn model<R: Resource>(value: &Value) -> Result<R::Model, Diagnostics> {
    R::Model::decode(value, &Trail::Root)
}

/// The decoded form of a state; `None` for null.
///
/// # Errors
/// It holds something that this provider never writes.
pub(super) fn prior<R: Resource>(value: &Value, private: &R::Private) -> Result<Option<PriorOf<R>>, Diagnostics> {
    if value.is_null() {
        return Ok(None);
    }
    let model = model::<R>(value)?;
    let arguments = R::decode_state(&model, private)?;
    Ok(Some(Prior { model, arguments }))
}

/// Stored private data. If another version wrote it and this one cannot read it, it counts as absent: next to a state it only
/// holds what Read finds again.
pub(super) fn decode_private<R: Resource>(private: &[u8]) -> R::Private {
    read_private::<R>(private).unwrap_or_else(|error| {
        tracing::warn!(resource = R::TYPE_NAME, %error, "private data cannot be read and is ignored");
        R::Private::default()
    })
}

/// The private data of a plan that is to be applied.
///
/// # Errors
/// It cannot be read, so the reviewed operations are unknown.
pub(super) fn decode_planned_private<R: Resource>(private: &[u8]) -> Result<R::Private, Diagnostics> {
    read_private::<R>(private).map_err(|error| {
        let detail = format!("The operations of the plan cannot be read ({error}). Nothing was changed. Plan again.");
        Diagnostic::error("The plan was made by another provider version", detail).into()
    })
}

fn read_private<R: Resource>(private: &[u8]) -> Result<R::Private, serde_json::Error> {
    if private.is_empty() { Ok(R::Private::default()) } else { serde_json::from_slice(private) }
}

/// Private data for Terraform to keep.
pub(super) fn encode_private<R: Resource>(private: &R::Private) -> Vec<u8> {
    serde_json::to_vec(private).unwrap_or_else(|error| {
        tracing::error!(resource = R::TYPE_NAME, %error, "private data cannot be encoded");
        Vec::new()
    })
}
