//! Between Terraform's values and the bytes on the wire. Protobuf types end here.

mod attribute_path;
mod diagnostic;
pub(crate) mod dynamic_value;
mod json;
mod msgpack;
mod msgpack_reader;
mod schema;
#[cfg(test)]
pub(crate) mod tests;
mod value_type;

pub(crate) use attribute_path::encode_path;
pub(crate) use diagnostic::encode_diagnostics;
pub(crate) use json::decode_state;
pub(crate) use schema::{encode_function, encode_identity_schema, encode_schema};
