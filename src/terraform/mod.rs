//! Terraform's own vocabulary, without protobuf, sockets or databases: values that may be unknown, schemas declared once,
//! attribute paths and diagnostics.

mod attribute;
mod attribute_path;
mod configured;
mod diagnostic;
mod duration;
mod function;
mod hcl;
mod model;
mod number;
mod order;
mod place;
mod same_time;
mod schema;
mod trail;
mod value;

pub use attribute::{Attr, AttributeValue};
pub use attribute_path::{AttributePath, Step};
pub(crate) use configured::Configured;
pub(crate) use diagnostic::chain;
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use duration::decode_duration;
pub use function::{CallFault, Declaration, Parameter};
pub use hcl::hcl_string;
pub use model::Model;
pub(crate) use model::model;
pub(crate) use model::{description, field_name};
pub use number::Number;
pub use order::{keep_order, same_members};
pub(crate) use place::{Place, places};
pub use same_time::same_time;
pub use schema::{Attribute, Kind, Nesting, Schema, Type, computed, optional, optional_computed, required};
pub use trail::Trail;
pub use value::Value;
