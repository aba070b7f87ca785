//! What core holds of a resource between its steps: the object in the state, and a plan for it.

use terraform_provider_clickpipes::proto::tfplugin6::Diagnostic;

use super::failure::Failure;
use super::rules::action::Action;
use super::value::Value;

/// An object in the state.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its attributes.
    pub value: Value,
    /// What the provider stored beside it.
    pub private: Vec<u8>,
    /// Its create failed half-way: the next apply replaces it.
    pub tainted: bool,
    /// The practitioner asks for another one, by -replace or replace_triggered_by.
    pub forced: bool,
    /// What tells it from all others: `None` where its type has no identity, and in a state of a Terraform that knows none.
    pub identity: Option<Value>,
    /// The version of the identity's schema when it was stored; zero where there was none.
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
    /// What is going to be done.
    pub action: Action,
    /// The object as it will be.
    pub state: Value,
    /// What travels to the apply.
    pub private: Vec<u8>,
    /// The identity as it will be; of what does not exist yet, parts may be unknown. A provider may leave it out.
    pub identity: Option<Value>,
    /// What the practitioner is told beside.
    pub warnings: Vec<Diagnostic>,
}

/// How an apply ended. Whatever it says, the object is what core stores.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The object in the state from now on; `None` when there is none.
    pub object: Option<Object>,
    /// Why the apply counts as failed.
    pub failure: Option<Failure>,
    /// What the practitioner is told beside.
    pub warnings: Vec<Diagnostic>,
}

impl Applied {
    /// The object of an apply that succeeded.
    ///
    /// # Errors
    /// The failure of one that did not.
    pub fn succeeded(self) -> Result<Option<Object>, Failure> {
        match self.failure {
            None => Ok(self.object),
            Some(failure) => Err(failure),
        }
    }
}
