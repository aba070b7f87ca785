//! The identity of the resource in each answer: its name, and the id that it gets when it is created.

use acceptance_tests::core_client::{Type, Value, message, msgpack};
use terraform_provider_clickpipes::proto::tfplugin6::{
    self as pb, ResourceIdentityData, resource_identity_schema::IdentityAttribute,
};
use tonic::Status;

use super::fault::Fault;
use super::faulty_provider::THING;

/// The answer of GetResourceIdentitySchemas.
pub fn schemas(fault: Option<Fault>) -> Result<pb::get_resource_identity_schemas::Response, Status> {
    let attribute = |name: &str, of: &str| IdentityAttribute { name: name.to_owned(), r#type: of.into(), ..Default::default() };
    let name = if fault == Some(Fault::IdentityHasAMap) { r#"["map","string"]"# } else { "\"string\"" };
    let identity_attributes = vec![
        IdentityAttribute { required_for_import: true, ..attribute("name", name) },
        IdentityAttribute { optional_for_import: true, ..attribute("id", "\"string\"") },
    ];
    let schema = pb::ResourceIdentitySchema { version: 1, identity_attributes };
    let of = match fault {
        Some(Fault::KnowsNoIdentities) => return Err(Status::unimplemented("get_resource_identity_schemas")),
        Some(Fault::IdentityWithoutASchema | Fault::ListHasNoIdentity) => Vec::new(),
        Some(Fault::IdentityOfNothing) => vec![THING, "test_nothing"],
        _ => vec![THING],
    };
    let identity_schemas = of.into_iter().map(|type_name| (type_name.to_owned(), schema.clone())).collect();
    Ok(pb::get_resource_identity_schemas::Response { identity_schemas, ..Default::default() })
}

fn data(identity: &Value) -> Option<ResourceIdentityData> {
    Some(ResourceIdentityData { identity_data: Some(message(identity)) })
}

/// The identity of an object, if one is known.
fn of_object(fault: Option<Fault>, object: &Value) -> Option<Value> {
    if object.is_null() || matches!(fault, Some(Fault::KnowsNoIdentities | Fault::ListHasNoIdentity)) {
        return None;
    }
    Some(Value::Object(["name", "id"].map(|name| (name.to_owned(), object.attribute(name))).into()))
}

/// With the fault that changes it, if that is the current fault.
fn tampered(fault: Option<Fault>, identity: Option<Value>, faults: [Fault; 3]) -> Option<ResourceIdentityData> {
    let [missing, unknown, another] = faults;
    let identity = identity?;
    match fault {
        Some(fault) if fault == missing => None,
        Some(fault) if fault == unknown => data(&identity.with("id", Value::unknown())),
        Some(fault) if fault == another => data(&identity.with("name", Value::text("other"))),
        _ => data(&identity),
    }
}

/// In a plan.
pub fn planned(fault: Option<Fault>, prior: &Value, planned: &Value, is_last: bool) -> Option<ResourceIdentityData> {
    let identity = of_object(fault, planned)?;
    match fault {
        Some(Fault::PlansAnUnknownIdentity) if !prior.is_null() => data(&identity.with("id", Value::unknown())),
        Some(Fault::PlansAnIdentityOfAnotherType) => data(&identity.with("name", Value::Bool(true))),
        Some(Fault::LastPlanHasAnotherIdentity) if is_last => data(&identity.with("name", Value::text("other"))),
        _ => data(&identity),
    }
}

/// After an apply.
pub fn applied(fault: Option<Fault>, made: &Value) -> Option<ResourceIdentityData> {
    let identity = of_object(fault, made);
    if fault == Some(Fault::AppliesAnIncompleteIdentity) {
        return data(&identity?.with("name", Value::Null));
    }
    tampered(fault, identity, [Fault::AppliesNoIdentity, Fault::AppliesAnUnknownIdentity, Fault::AppliesAnotherIdentity])
}

/// After a read.
pub fn read(fault: Option<Fault>, found: &Value, current: Option<ResourceIdentityData>) -> Option<ResourceIdentityData> {
    let identity = of_object(fault, found);
    match (fault, current) {
        (Some(Fault::ReadsWhatIdentityCame), Some(current)) => return Some(current),
        (Some(Fault::ReadsAnotherIdentityWhereNoneWas), None) => return data(&identity?.with("name", Value::text("other"))),
        _ => {}
    }
    tampered(fault, identity, [Fault::ReadsNoIdentity, Fault::ReadsAnUnknownIdentity, Fault::ReadsAnotherIdentity])
}

/// After an import.
pub fn imported(fault: Option<Fault>, found: &Value) -> Option<ResourceIdentityData> {
    let identity = of_object(fault, found);
    tampered(fault, identity, [Fault::ImportsNoIdentity, Fault::ImportsAnUnknownIdentity, Fault::ImportsAnotherIdentity])
}

/// After an upgrade.
pub fn upgraded(fault: Option<Fault>) -> pb::upgrade_resource_identity::Response {
    let id = if fault == Some(Fault::UpgradesToUnknownIdentity) { Value::unknown() } else { Value::Null };
    let identity = Value::Object([("name".to_owned(), Value::text("upgraded")), ("id".to_owned(), id)].into());
    let upgraded_identity = data(&identity).filter(|_| fault != Some(Fault::UpgradesToNoIdentity));
    pb::upgrade_resource_identity::Response { upgraded_identity, ..Default::default() }
}

/// Whether an identity lacks the id, which an import does not need.
pub fn is_half(identity: Option<ResourceIdentityData>) -> bool {
    let of = Type::Object(["name", "id"].map(|name| (name.to_owned(), Type::Text)).into());
    let bytes = identity.and_then(|identity| identity.identity_data).map(|data| data.msgpack);
    bytes.is_some_and(|bytes| msgpack::decode(&bytes, &of).unwrap().attribute("id").is_null())
}
