//! Identities on the wire.

use crate::proto::tfplugin6 as proto;
use crate::resource::Resource;
use crate::terraform::{Diagnostic, Diagnostics, Model, Trail, Value};
use crate::wire::dynamic_value;

/// The identity in a message; `None` if there is none, as from a Terraform that knows no identities.
///
/// # Errors
/// It is not an identity of this resource.
pub(super) fn decode<I: Model>(message: Option<&proto::ResourceIdentityData>) -> Result<Option<I>, Diagnostics> {
    let value = dynamic_value::decode(message.and_then(|message| message.identity_data.as_ref()), I::value_type())?;
    if value.is_null() {
        return Ok(None);
    }
    I::decode(&value, &Trail::Root).map(Some)
}

/// The identity as a message.
pub(super) fn encode<I: Model>(identity: &I) -> proto::ResourceIdentityData {
    proto::ResourceIdentityData { identity_data: Some(dynamic_value::encode(&Model::encode(identity))) }
}

/// The identity of a planned state. While a part of it is unknown, an existing object keeps its prior identity, and a new object
/// has none yet: OpenTofu fails if a planned identity contains unknowns.
pub(super) fn planned<R: Resource>(
    model: &R::Model,
    prior: Option<&R::Identity>,
    exists: bool,
) -> Option<proto::ResourceIdentityData> {
    let planned = R::identity(model, prior);
    let is_known = !Model::encode(&planned).contains_unknown();
    if is_known { Some(encode(&planned)) } else { prior.filter(|_| exists).map(encode) }
}

/// Checks that an import found the named object.
///
/// # Errors
/// The object differs from the given identity.
pub(super) fn check_found<I: Model>(given: &I, found: &I) -> Result<(), Diagnostics> {
    let (given, found) = (Model::encode(given), Model::encode(found));
    let text = |value: &Value| if let Value::String(text) = value { format!("{text:?}") } else { value.kind().to_owned() };
    let differs = |name: &str| !given.get(name).is_null() && given.get(name) != found.get(name);
    let faults = I::attributes().iter().filter(|attribute| differs(&attribute.name)).map(|attribute| {
        let detail = format!(
            "The identity to import has {name} = {}, but the object found has {name} = {}. Correct the identity, or the region or \
             account of the provider block.",
            text(given.get(&attribute.name)),
            text(found.get(&attribute.name)),
            name = attribute.name
        );
        Diagnostic::error(format!("{} differs from the identity", attribute.name), detail)
    });
    faults.collect::<Diagnostics>().into_result().map(drop)
}
