//! What Terraform keeps for a resource between calls: the state, and the private data beside it.

use crate::proto::tfplugin6 as proto;
use crate::resource::{Existing, Resource};
use crate::terraform::{AttributePath, Diagnostics, Model, Type, Value};
use crate::wire::dynamic_value;

/// The type of a resource's state.
pub(super) fn state_type<R: Resource>() -> Type {
    R::schema().value_type()
}

/// Decodes an object of this resource.
///
/// # Errors
/// The message is no such object.
pub(super) fn decode_value<R: Resource>(message: Option<&proto::DynamicValue>) -> Result<Value, Diagnostics> {
    dynamic_value::decode(message, &state_type::<R>())
}

/// The typed form of an object that is not null.
///
/// # Errors
/// A value has another type than its attribute.
pub(super) fn model<R: Resource>(value: &Value) -> Result<R::Model, Diagnostics> {
    R::Model::decode(value, &AttributePath::root())
}

/// The typed form of a stored object with its private data; `None` for null.
///
/// # Errors
/// A value has another type than its attribute.
pub(super) fn existing<R: Resource>(value: &Value, private: &[u8]) -> Result<Option<Existing<R>>, Diagnostics> {
    match value {
        Value::Null => Ok(None),
        value => Ok(Some(Existing { model: model::<R>(value)?, private: decode_private::<R>(private) })),
    }
}

/// Private data. What another version wrote and this one cannot read counts as absent: it only ever holds what Read finds again.
pub(super) fn decode_private<R: Resource>(private: &[u8]) -> R::Private {
    if private.is_empty() {
        return R::Private::default();
    }
    serde_json::from_slice(private).unwrap_or_else(|error| {
        tracing::warn!(resource = R::TYPE_NAME, %error, "private data cannot be read and is ignored");
        R::Private::default()
    })
}

/// Private data for Terraform to keep.
pub(super) fn encode_private<R: Resource>(private: &R::Private) -> Vec<u8> {
    serde_json::to_vec(private).unwrap_or_else(|error| {
        tracing::error!(resource = R::TYPE_NAME, %error, "private data cannot be encoded");
        Vec::new()
    })
}
