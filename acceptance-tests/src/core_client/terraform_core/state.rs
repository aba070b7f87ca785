//! Upgrade, refresh and import: objects that already exist.

use terraform_provider_clickpipes::proto::tfplugin6 as pb;

use super::super::failure::{Failure, accepted, unbroken};
use super::super::object::Object;
use super::super::path::Path;
use super::super::rules::identity::identity_changed;
use super::super::rules::stored::{unknown_paths, write_only_paths};
use super::super::rules::{Problem, Violation};
use super::super::value::Value;
use super::identity::identity_message;
use super::{TerraformCore, Version, address};

/// What an import names.
#[derive(Clone, Copy, Debug)]
enum Target<'a> {
    Id(&'a str),
    Identity(&'a Value),
}

/// The Terraform version that passes this identity, or none.
fn version_for(identity: Option<&Value>) -> Version {
    if identity.is_some() { Version::V1_16 } else { Version::V1_11 }
}

impl TerraformCore {
    /// Has a stored state read, as before every refresh.
    ///
    /// # Errors
    /// What the provider refuses, and an answer that cannot be a state.
    pub async fn upgrade(&mut self, type_name: &str, version: i64, json: Vec<u8>) -> Result<Value, Failure> {
        let request = pb::upgrade_resource_state::Request {
            type_name: type_name.to_owned(),
            version,
            raw_state: Some(pb::RawState { json, ..Default::default() }),
        };
        let answer = self.provider.upgrade_resource_state(request).await?.into_inner();
        let address = address(type_name);
        accepted(&address, answer.diagnostics)?;
        let schema = self.resource(type_name)?;
        let when = "after the upgrade of its state";
        let value = self.value(type_name, answer.upgraded_state.as_ref(), when)?;
        let value = value.filter(|value| !value.is_null()).ok_or_else(|| Violation::absent(&address, when))?;
        let problem = |path: Path, words: &str| Violation::upgrade(&address, &Problem { path, words: words.to_owned() });
        let unknown = unknown_paths(&value).into_iter().map(|path| problem(path, "the upgraded state contains unknown values"));
        let write_only = write_only_paths(&schema, &value).into_iter();
        let write_only = write_only.map(|path| problem(path, "a value for a write-only attribute"));
        unbroken(unknown.chain(write_only).collect())?;
        Ok(value)
    }

    /// Refreshes an object; one with an identity as Terraform 1.16 does. `None`: it is gone.
    ///
    /// # Errors
    /// What the provider refuses, and an answer that cannot be a state.
    pub async fn read(&mut self, type_name: &str, object: &Object) -> Result<Option<Object>, Failure> {
        let request = pb::read_resource::Request {
            type_name: type_name.to_owned(),
            current_state: Some(super::message(&object.value)),
            private: object.private.clone(),
            client_capabilities: Some(version_for(object.identity.as_ref()).capabilities(false)),
            current_identity: identity_message(object.identity.as_ref()),
            ..Default::default()
        };
        let answer = self.provider.read_resource(request).await?.into_inner();
        let address = address(type_name);
        accepted(&address, answer.diagnostics)?;
        let schema = self.resource(type_name)?;
        let when = "during refresh";
        if answer.deferred.is_some() {
            return Err(Violation::deferred(&address).into());
        }
        let value = self.value(type_name, answer.new_state.as_ref(), when)?;
        let value = value.ok_or_else(|| Violation::absent(&address, when))?;
        if value.is_null() {
            return Ok(None);
        }
        let mut violations: Vec<Violation> =
            write_only_paths(&schema, &value).iter().map(|path| Violation::write_only_stored(&address, path, when)).collect();
        violations.extend(unknown_paths(&value).iter().map(|path| Violation::unknown_read(&address, path)));
        if !object.private.is_empty() && answer.private.is_empty() {
            violations.push(Violation::private_lost(&address, when));
        }
        unbroken(violations)?;
        let identity = answer.new_identity.as_ref();
        let identity = match (self.early, &object.identity) {
            // The provider cannot look anything up yet and has no result to return.
            (true, None) => self.identity(type_name, identity, when, false)?,
            _ => self.identity_of_object(type_name, identity, when)?,
        };
        let identity_version = self.identity_version(type_name);
        Ok(Some(Object {
            value,
            private: answer.private,
            tainted: object.tainted,
            forced: object.forced,
            identity,
            identity_version,
        }))
    }

    /// Reads an object back from the state file and refreshes it.
    ///
    /// # Errors
    /// As [`TerraformCore::upgrade`] and [`TerraformCore::read`].
    pub async fn refresh(&mut self, type_name: &str, object: &Object) -> Result<Option<Object>, Failure> {
        let version = self.schemas.resource(type_name)?.version;
        let value = self.upgrade(type_name, version, object.json()).await?;
        let mut object = Object { value, ..object.clone() };
        let current = self.identity_version(type_name);
        if object.identity_version > current {
            return Err(Failure::Client("Resource instance managed by newer provider version".to_owned()));
        }
        if object.identity_version < current {
            let stored = object.identity.as_ref().map(super::super::state_json::encode);
            let json = stored.map(|json| json.to_string().into_bytes()).unwrap_or_default();
            object.identity = Some(self.upgrade_identity(type_name, object.identity_version, json).await?);
        }
        self.read(type_name, &object).await
    }

    /// Imports an object by its id, and reads it.
    ///
    /// # Errors
    /// What the provider refuses, and an answer that is not one object of this type.
    pub async fn import(&mut self, type_name: &str, id: &str) -> Result<Object, Failure> {
        self.import_target(type_name, Target::Id(id)).await
    }

    /// Imports an object by its identity, and reads it.
    ///
    /// # Errors
    /// As [`TerraformCore::import`], and an object with another identity.
    pub async fn import_by_identity(&mut self, type_name: &str, identity: &Value) -> Result<Object, Failure> {
        self.import_target(type_name, Target::Identity(identity)).await
    }

    async fn import_target(&mut self, type_name: &str, target: Target<'_>) -> Result<Object, Failure> {
        let (id, by_identity, with) = match target {
            Target::Id(id) => (id, None, format!("ID {id}")),
            Target::Identity(identity) => ("", Some(identity), format!("Identity {identity:?}")),
        };
        let request = pb::import_resource_state::Request {
            type_name: type_name.to_owned(),
            id: id.to_owned(),
            identity: identity_message(by_identity),
            client_capabilities: Some(version_for(by_identity).capabilities(false)),
        };
        let answer = self.provider.import_resource_state(request).await?.into_inner();
        let address = address(type_name);
        accepted(&address, answer.diagnostics)?;
        if answer.deferred.is_some() {
            return Err(Violation::deferred(&address).into());
        }
        let attempt = |words: &str| format!("While attempting to import {address} with {with}, {words}");
        let imported = match answer.imported_resources.as_slice() {
            [one] => one,
            [] => {
                let detail = attempt("the provider returned no instance states.");
                return Err(Violation::new("Import returned no resources", detail).into());
            }
            _ => {
                let detail = attempt("the provider returned multiple resource instance states.");
                return Err(Violation::new("Multiple import states not supported", detail).into());
            }
        };
        if imported.type_name != type_name {
            let detail = attempt(&format!("the provider returned a {:?}.", imported.type_name));
            return Err(Violation::new("Import returned another type", detail).into());
        }
        let value = self.value(type_name, imported.state.as_ref(), "after its import")?.unwrap_or(Value::Null);
        if value.is_null() {
            let detail = attempt("the provider returned an instance with no state.");
            return Err(Violation::new("Import returned null resource", detail).into());
        }
        let schema = self.resource(type_name)?;
        let of_write_only = |path: &Path| {
            let detail = attempt(&format!("the provider returned a value for the write-only attribute \"{address}{path}\"."));
            Violation::new("Import returned a non-null value for a write-only attribute", detail)
        };
        let of_unknown = |path: &Path| {
            let detail = attempt(&format!("the provider returned an unknown value for {address}{path}."));
            Violation::new("Import returned an unknown value", detail)
        };
        let write_only = write_only_paths(&schema, &value);
        let unknown = unknown_paths(&value);
        unbroken(write_only.iter().map(of_write_only).chain(unknown.iter().map(of_unknown)).collect())?;
        let identity = self.identity(type_name, imported.identity.as_ref(), "after its import", false)?;
        if let Some(asked) = by_identity {
            let Some(identity) = &identity else {
                return Err(Violation::new("Plugin error", format!("import of {address} didn't return an identity")).into());
            };
            // The provider may fill in what was omitted.
            let given = asked.null_as_unknown();
            unbroken(identity_changed(&address, "after its import", &given, identity))?;
        }
        let identity_version = self.identity_version(type_name);
        let object = Object { identity, identity_version, ..Object::new(value, imported.private.clone()) };
        self.read(type_name, &object).await?.ok_or_else(|| {
            let detail = attempt("the provider detected that no object exists with the given id.");
            Violation::new("Cannot import non-existent remote object", detail).into()
        })
    }
}
