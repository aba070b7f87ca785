//! Identities: in the answers of a resource, their upgrade, and how they are passed back.

use terraform_provider_clickpipes::proto::tfplugin6::{self as pb, ResourceIdentityData};

use super::super::failure::{Failure, accepted, unbroken};
use super::super::rules::Violation;
use super::super::rules::identity::{assert_identity_valid, identity_absent, identity_unasked};
use super::super::rules::stored::unknown_paths;
use super::super::value::Value;
use super::{TerraformCore, address, decoded, message};

impl TerraformCore {
    /// The identity in an answer about a resource, checked; `None` if there is none.
    pub(super) fn identity(
        &self,
        type_name: &str,
        answer: Option<&ResourceIdentityData>,
        when: &str,
        may_be_unknown: bool,
    ) -> Result<Option<Value>, Failure> {
        let address = address(type_name);
        let data = answer.and_then(|answer| answer.identity_data.as_ref());
        let Some(schema) = self.schemas.identity(type_name) else {
            return if data.is_some() { Err(identity_unasked(&address, when).into()) } else { Ok(None) };
        };
        let identity = decoded(schema, &address, data, when)?.filter(|identity| !identity.is_null());
        if let Some(identity) = &identity {
            unbroken(assert_identity_valid(schema, &address, identity, may_be_unknown))?;
        }
        Ok(identity)
    }

    /// The same for an object that exists: if its type has an identity, the object has one too.
    pub(super) fn identity_of_object(
        &self,
        type_name: &str,
        answer: Option<&ResourceIdentityData>,
        when: &str,
    ) -> Result<Option<Value>, Failure> {
        let identity = self.identity(type_name, answer, when, false)?;
        if identity.is_none() && self.schemas.identity(type_name).is_some() {
            return Err(identity_absent(&address(type_name), when).into());
        }
        Ok(identity)
    }

    /// The version that an identity is stored with now: zero also for a type without one.
    #[must_use]
    pub fn identity_version(&self, type_name: &str) -> i64 {
        self.schemas.identity(type_name).map_or(0, |schema| schema.version)
    }

    /// Has a stored identity brought to the current version. Core asks for it at a refresh, and only if the stored version is a
    /// lower one; for a state from before identities, the version is zero and the JSON is empty.
    ///
    /// # Errors
    /// What the provider refuses, and an answer that is not an identity.
    pub async fn upgrade_identity(&mut self, type_name: &str, version: i64, json: Vec<u8>) -> Result<Value, Failure> {
        let request = pb::upgrade_resource_identity::Request {
            type_name: type_name.to_owned(),
            version,
            raw_identity: Some(pb::RawState { json, ..Default::default() }),
        };
        let answer = self.provider.upgrade_resource_identity(request).await?.into_inner();
        let (address, when) = (address(type_name), "after its upgrade");
        accepted(&address, answer.diagnostics)?;
        let schema = self.schemas.identity(type_name).ok_or_else(|| identity_unasked(&address, when))?;
        let data = answer.upgraded_identity.as_ref().and_then(|answer| answer.identity_data.as_ref());
        let identity = decoded(schema, &address, data, when)?.filter(|identity| !identity.is_null());
        let identity = identity.ok_or_else(|| identity_absent(&address, when))?;
        let invalid = |words: String| {
            let detail = format!(
                "The provider upgraded the identity for {address} from a previous version, but produced an invalid result: {words}."
            );
            Violation::new("Invalid resource identity upgrade", detail)
        };
        let unknown = unknown_paths(&identity);
        unbroken(unknown.iter().map(|path| invalid(format!("{path}: the returned state contains unknown values"))).collect())?;
        unbroken(assert_identity_valid(schema, &address, &identity, false))?;
        Ok(identity)
    }
}

/// An identity as a message. Core sends none if it has none.
pub(super) fn identity_message(identity: Option<&Value>) -> Option<ResourceIdentityData> {
    identity.map(|identity| ResourceIdentityData { identity_data: Some(message(identity)) })
}
