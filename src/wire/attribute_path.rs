//! Attribute paths as protobuf. The provider only ever sends them.

use crate::proto::tfplugin6 as proto;
use crate::terraform::{AttributePath, Step};

/// A path as Terraform expects it.
pub(crate) fn encode_path(path: &AttributePath) -> proto::AttributePath {
    use proto::attribute_path::step::Selector;
    let steps = path.steps().iter().map(|step| proto::attribute_path::Step {
        selector: Some(match step {
            Step::Attribute(name) => Selector::AttributeName(name.clone()),
            Step::Key(key) => Selector::ElementKeyString(key.clone()),
            Step::Index(index) => Selector::ElementKeyInt(i64::try_from(*index).unwrap_or(i64::MAX)),
        }),
    });
    proto::AttributePath { steps: steps.collect() }
}
