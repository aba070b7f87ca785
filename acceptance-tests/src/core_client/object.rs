//! What core keeps of a resource between steps: the object in the state, and a plan for it.

use terraform_provider_clickpipes::proto::tfplugin6::Diagnostic;

use super::failure::Failure;
use super::rules::action::Action;
use super::value::Value;

/// An object in the state.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its attributes.
    pub value: Value,
    /// The provider's private data.
    pub private: Vec<u8>,
    /// Its create failed half-way: the next apply replaces it.
    pub tainted: bool,
    /// The practitioner asks for a replacement, by -replace or replace_triggered_by.
    pub forced: bool,
    /// Its identity: `None` if its type has none, and in a state of a Terraform without identities.
    pub identity: Option<Value>,
    /// The version of the identity's schema when it was stored; zero if there was none.
    pub identity_version: i64,
}

impl Object {
    /// An object as a Terraform without identities stores it.
    #[must_use]
    pub fn new(value: Value, private: Vec<u8>) -> Self {
        Self { value, private, tainted: false, forced: false, identity: None, identity_version: 0 }
    }

    /// The same object in the state of a Terraform without identities.
    #[must_use]
    pub fn without_identity(&self) -> Self {
        Self { identity: None, identity_version: 0, ..self.clone() }
    }

    /// The state file's JSON of the attributes.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        super::state_json::encode(&self.value).to_string().into_bytes()
    }
}

/// A plan for an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The planned action.
    pub action: Action,
    /// The object as it will be.
    pub state: Value,
    /// What travels to the apply.
    pub private: Vec<u8>,
    /// The planned identity; before a create, parts may be unknown. A provider may omit it.
    pub identity: Option<Value>,
    /// Warnings for the practitioner.
    pub warnings: Vec<Diagnostic>,
}

/// How an apply ended. Whatever it says, the object is what core stores.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The object in the state from now on; `None` when there is none.
    pub object: Option<Object>,
    /// Why the apply counts as failed.
    pub failure: Option<Failure>,
    /// Warnings for the practitioner.
    pub warnings: Vec<Diagnostic>,
}

impl Applied {
    /// The object of an apply that succeeded.
    ///
    /// # Errors
    /// The failure of an apply that did not succeed.
    pub fn succeeded(self) -> Result<Option<Object>, Failure> {
        match self.failure {
            None => Ok(self.object),
            Some(failure) => Err(failure),
        }
    }
}
