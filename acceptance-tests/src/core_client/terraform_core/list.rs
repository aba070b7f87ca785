//! ListResource: what exists, as `terraform query` asks for it.

use terraform_provider_clickpipes::proto::tfplugin6::{self as pb, Diagnostic};

use super::super::failure::{Failure, accepted, unbroken};
use super::super::rules::Violation;
use super::super::rules::identity::{assert_identity_valid, identity_absent};
use super::super::rules::stored::{unknown_paths, write_only_paths};
use super::super::schema::Schema;
use super::super::schemas::{Kind, Schemas};
use super::super::value::Value;
use super::{TerraformCore, decoded, message};

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its identity, for an import.
    pub identity: Value,
    /// Its name for people.
    pub display_name: String,
    /// The whole object, if it was requested.
    pub object: Option<Value>,
    /// Its warnings.
    pub warnings: Vec<Diagnostic>,
}

impl TerraformCore {
    /// Lists what exists, after the configuration was validated again as core does. Core closes the stream when it has as many as
    /// it wants; this client reads to the end, and more than the limit is a violation.
    ///
    /// # Errors
    /// What the provider refuses, and the rules that it breaks.
    pub async fn list(&mut self, type_name: &str, config: &Value, include: bool, limit: i64) -> Result<Vec<Found>, Failure> {
        if !config.is_wholly_known() {
            return Err(Failure::Client("config is not known".to_owned()));
        }
        self.validate_of(Kind::List, type_name, message(config)).await?;
        let request = pb::list_resource::Request {
            type_name: type_name.to_owned(),
            config: Some(message(config)),
            include_resource_object: include,
            limit,
        };
        let mut stream = self.provider.list_resource(request).await?.into_inner();
        let mut found: Vec<Found> = Vec::new();
        while let Some(event) = stream.message().await? {
            let Some(one) = judged(&self.schemas, type_name, event, include)? else { continue };
            let address = Kind::List.address(type_name);
            if i64::try_from(found.len()).is_ok_and(|length| length >= limit) {
                let detail = format!("Provider listed more for {address} than the {limit} that were asked for.");
                return Err(Violation::new(LISTED, detail).into());
            }
            if found.iter().any(|earlier| earlier.identity == one.identity) {
                let detail = format!("Provider listed two objects for {address} with the identity {:?}.", one.identity);
                return Err(Violation::new(LISTED, detail).into());
            }
            found.push(one);
        }
        Ok(found)
    }
}

const LISTED: &str = "Provider produced invalid list";

/// One event; `None` if it only warns.
fn judged(schemas: &Schemas, type_name: &str, event: pb::list_resource::Event, include: bool) -> Result<Option<Found>, Failure> {
    let address = Kind::List.address(type_name);
    let warnings = accepted(&address, event.diagnostic)?;
    let identity = event.identity.and_then(|identity| identity.identity_data);
    if identity.is_none() && !warnings.is_empty() {
        return Ok(None);
    }
    let identity_schema = schemas.identity(type_name).ok_or_else(|| {
        let detail = format!("Identity schema not found for resource type {type_name}; this is a bug in the provider");
        Violation::new("Plugin error", detail)
    })?;
    let Some(identity) = identity else {
        let detail = format!("missing identity data in ListResource event for {type_name}");
        return Err(Violation::new("Plugin error", detail).into());
    };
    let identity = decoded(identity_schema, &address, Some(&identity), "in a list")?.filter(|identity| !identity.is_null());
    let identity = identity.ok_or_else(|| identity_absent(&address, "in a list"))?;
    // Core does not check it, and imports by it later.
    unbroken(assert_identity_valid(identity_schema, &address, &identity, false))?;
    let object = decoded(schemas.resource(type_name)?, &address, event.resource_object.as_ref(), "in a list")?;
    let object = object.filter(|object| !object.is_null());
    unbroken(of_object(schemas.resource(type_name)?, &address, object.as_ref(), include))?;
    if event.display_name.trim().is_empty() {
        return Err(Violation::new(LISTED, format!("Provider listed an object for {address} without a display name.")).into());
    }
    Ok(Some(Found { identity, display_name: event.display_name, object, warnings }))
}

/// What is wrong with the whole object of an event. Core drops one that it did not request, and shows null for one that is
/// missing.
fn of_object(schema: &Schema, address: &str, object: Option<&Value>, include: bool) -> Vec<Violation> {
    let broken = |words: String| Violation::new(LISTED, format!("Provider listed an object for {address} {words}."));
    match object {
        None if include => vec![broken("without its state, which was asked for".to_owned())],
        None => Vec::new(),
        Some(_) if !include => vec![broken("with its state, which was not asked for".to_owned())],
        Some(object) => {
            let unknown = unknown_paths(object).into_iter().map(|path| broken(format!("with an unknown value at {path}")));
            let secrets = write_only_paths(schema, object).into_iter();
            unknown.chain(secrets.map(|path| broken(format!("with a value of the write-only attribute {path}")))).collect()
        }
    }
}
