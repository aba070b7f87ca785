//! Changes of the parameters of a group, in calls of as many as RDS takes. Pure.

use std::collections::BTreeMap;

use super::super::operation::Operation;
use crate::cluster::Group;
use crate::rds::parameter_group::PARAMETERS_PER_CALL;
use crate::rds::{ApplyMethod, ApplyType};

/// Sets these values in the group. Another one of its family says how they are written.
pub(super) fn modifications(catalogue: &Group, group: &str, values: BTreeMap<String, String>) -> Vec<Operation> {
    let notation = |name: &str, value: &str| catalogue.notation(name, value);
    let parameters: Vec<(String, String, ApplyMethod)> =
        values.into_iter().map(|(name, value)| (name.clone(), notation(&name, &value), method(catalogue, &name))).collect();
    let chunks = parameters.chunks(PARAMETERS_PER_CALL);
    chunks.map(|chunk| Operation::ModifyGroup { name: group.to_owned(), parameters: chunk.to_vec() }).collect()
}

/// How a parameter is written.
pub(super) fn method(catalogue: &Group, parameter: &str) -> ApplyMethod {
    catalogue.settings.get(parameter).map_or(ApplyType::Static, |setting| setting.apply_type).into()
}

/// Resets these parameters of the group.
pub(super) fn resets(group: &str, parameters: &[(String, ApplyMethod)]) -> Vec<Operation> {
    let chunks = parameters.chunks(PARAMETERS_PER_CALL);
    chunks.map(|chunk| Operation::ResetGroup { name: group.to_owned(), parameters: chunk.to_vec() }).collect()
}

/// A copy of a pair.
pub(super) fn owned<K: Clone, V: Clone>((key, value): (&K, &V)) -> (K, V) {
    (key.clone(), value.clone())
}
