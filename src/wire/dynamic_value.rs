//! A value inside a protobuf message: msgpack, or JSON from some clients. Absent means null.

use super::{json, msgpack};
use crate::proto::tfplugin6 as proto;
use crate::terraform::{Diagnostic, Diagnostics, Type, Value};

/// Decodes what Terraform sent.
///
/// # Errors
/// The bytes are not a value of this type: truncated, hostile, or an attribute too many or too few, named with its path.
pub(crate) fn decode(message: Option<&proto::DynamicValue>, of: &Type) -> Result<Value, Diagnostics> {
    match message {
        Some(message) if !message.msgpack.is_empty() => msgpack::decode(&message.msgpack, of),
        Some(message) if !message.json.is_empty() => json::decode(&message.json, of),
        _ => Ok(Value::Null),
    }
    .map_err(|error| {
        let mut diagnostic = Diagnostic::error("Cannot decode a value sent by Terraform", error.to_string());
        diagnostic.path = Some(error.path).filter(|path| !path.is_root());
        diagnostic.into()
    })
}

/// Encodes what the provider answers, always as msgpack: JSON is not accepted everywhere.
pub(crate) fn encode(value: &Value) -> proto::DynamicValue {
    proto::DynamicValue { msgpack: msgpack::encode(value), json: Vec::new() }
}
