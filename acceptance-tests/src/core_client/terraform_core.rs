//! Core itself: it calls a provider, one RPC per step, and judges each answer before the next step.

mod action;
mod apply;
mod data_source;
mod ephemeral;
mod function;
mod identity;
mod list;
mod plan;
mod state;

use serde_json::Value as Json;
use terraform_provider_clickpipes::proto::tfplugin6::{
    self as pb, ClientCapabilities, Diagnostic, DynamicValue, provider_client::ProviderClient,
};
use tonic::Code;
use tonic::transport::Channel;

use super::failure::{Failure, accepted};
use super::msgpack;
use super::rules::Violation;
use super::schema::Schema;
use super::schemas::{Kind, Schemas};
use super::state_json::{self, Missing};
use super::value::Value;
use super::value_type::Type;

pub use ephemeral::Opened;
pub use function::FunctionFault;
pub use list::Found;
pub use plan::Walk;

/// Which Terraform version is played. They differ in the capabilities that they send to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1.11: write-only attributes; claims in the apply walk, and only there, that deferring is allowed.
    V1_11,
    /// 1.16: hands the private data of the first plan back to the second, and knows identities.
    V1_16,
}

impl Version {
    fn capabilities(self, applying: bool) -> ClientCapabilities {
        ClientCapabilities {
            deferral_allowed: applying && self == Self::V1_11,
            write_only_attributes_allowed: true,
            store_planned_private: self == Self::V1_16,
            computed_blocks_allowed: self == Self::V1_16,
        }
    }
}

/// Core, with one provider. Clones ask the same one.
#[derive(Clone)]
pub struct TerraformCore {
    provider: ProviderClient<Channel>,
    schemas: Schemas,
    /// Whether the provider was configured with something unknown: what it cannot look up may then stay unknown.
    early: bool,
    /// What the provider was configured with.
    configured: Option<Value>,
}

impl TerraformCore {
    /// Asks for the schemas and checks them as core does when it loads a provider.
    ///
    /// # Errors
    /// If they cannot be used.
    pub async fn load(mut provider: ProviderClient<Channel>) -> Result<Self, Failure> {
        let answer = provider.get_provider_schema(pb::get_provider_schema::Request {}).await?.into_inner();
        // Older providers do not know the question, and have none.
        let request = pb::get_resource_identity_schemas::Request {};
        let identities = match provider.get_resource_identity_schemas(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) if status.code() == Code::Unimplemented => Default::default(),
            Err(status) => return Err(status.into()),
        };
        let schemas = Schemas::decode(&answer, &identities)?;
        let functions = provider.get_functions(pb::get_functions::Request {}).await;
        function::same_functions(&answer, functions.map(tonic::Response::into_inner))?;
        Ok(Self::with_schemas(provider, schemas))
    }

    /// Takes schemas that another process of the same provider gave, as Terraform does within one run.
    #[must_use]
    pub fn with_schemas(provider: ProviderClient<Channel>, schemas: Schemas) -> Self {
        Self { provider, schemas, early: false, configured: None }
    }

    /// The schemas.
    #[must_use]
    pub fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    /// The connection itself, for what core would never send.
    #[must_use]
    pub fn provider(&self) -> ProviderClient<Channel> {
        self.provider.clone()
    }

    /// The schema of a resource.
    ///
    /// # Errors
    /// If there is no such resource.
    pub fn resource(&self, type_name: &str) -> Result<Schema, Failure> {
        self.schemas.resource(type_name).cloned()
    }

    /// A configuration of a resource with these arguments.
    ///
    /// # Errors
    /// If the schema does not have them.
    pub fn configuration(&self, type_name: &str, arguments: &Json) -> Result<Value, Failure> {
        let schema = self.schemas.resource(type_name)?;
        schema.configuration(arguments).map_err(|error| Failure::Client(format!("{type_name}{error}")))
    }

    /// Validates and configures the provider with these arguments.
    ///
    /// # Errors
    /// What the provider refuses.
    pub async fn configure(&mut self, arguments: &Json) -> Result<(), Failure> {
        let config = self.schemas.provider.configuration(arguments).map_err(Failure::Client)?;
        self.configure_with(&config).await
    }

    /// The same with any value.
    ///
    /// # Errors
    /// What the provider refuses.
    pub async fn configure_with(&mut self, config: &Value) -> Result<(), Failure> {
        self.early = !config.is_wholly_known();
        self.configured = Some(config.clone());
        let config = Some(message(config));
        let request = pb::validate_provider_config::Request { config: config.clone() };
        let answer = self.provider.validate_provider_config(request).await?.into_inner();
        accepted("the provider block", answer.diagnostics)?;
        let request = pb::configure_provider::Request {
            terraform_version: "1.11.4".to_owned(),
            config,
            client_capabilities: Some(Version::V1_11.capabilities(false)),
        };
        let answer = self.provider.configure_provider(request).await?.into_inner();
        accepted("the provider block", answer.diagnostics)?;
        Ok(())
    }

    /// Begins another walk: the apply walk configures the provider again, as the plan walk did.
    ///
    /// # Errors
    /// What the provider refuses.
    pub async fn begin_walk(&mut self) -> Result<(), Failure> {
        match self.configured.clone() {
            Some(config) => self.configure_with(&config).await,
            None => Ok(()),
        }
    }

    /// Validates a configuration. Gives the warnings.
    ///
    /// # Errors
    /// What the provider refuses.
    pub async fn validate(&mut self, type_name: &str, config: &Value) -> Result<Vec<Diagnostic>, Failure> {
        self.validate_as(type_name, message(config), Version::V1_11.capabilities(false)).await
    }

    /// Validates any bytes, as a client with these capabilities.
    ///
    /// # Errors
    /// What the provider refuses.
    pub async fn validate_as(
        &mut self,
        type_name: &str,
        config: DynamicValue,
        capabilities: ClientCapabilities,
    ) -> Result<Vec<Diagnostic>, Failure> {
        let request = pb::validate_resource_config::Request {
            type_name: type_name.to_owned(),
            config: Some(config),
            client_capabilities: Some(capabilities),
        };
        let answer = self.provider.validate_resource_config(request).await?.into_inner();
        accepted(&address(type_name), answer.diagnostics)
    }

    /// Validates a configuration of a data source, an ephemeral resource, a list resource or an action. For a list, core sends
    /// neither the limit nor whether whole objects are wanted. Gives the warnings.
    ///
    /// # Errors
    /// What the provider refuses.
    pub async fn validate_of(&mut self, kind: Kind, type_name: &str, config: DynamicValue) -> Result<Vec<Diagnostic>, Failure> {
        let (type_name, config) = (type_name.to_owned(), Some(config));
        let address = kind.address(&type_name);
        let provider = &mut self.provider;
        let diagnostics = match kind {
            Kind::DataSource => {
                let request = pb::validate_data_resource_config::Request { type_name, config };
                provider.validate_data_resource_config(request).await?.into_inner().diagnostics
            }
            Kind::Ephemeral => {
                let request = pb::validate_ephemeral_resource_config::Request { type_name, config };
                provider.validate_ephemeral_resource_config(request).await?.into_inner().diagnostics
            }
            Kind::List => {
                let request = pb::validate_list_resource_config::Request { type_name, config, ..Default::default() };
                provider.validate_list_resource_config(request).await?.into_inner().diagnostics
            }
            Kind::Action => {
                let request = pb::validate_action_config::Request { type_name, config };
                provider.validate_action_config(request).await?.into_inner().diagnostics
            }
        };
        accepted(&address, diagnostics)
    }

    /// Asks all running calls to stop, as at Ctrl-C.
    ///
    /// # Errors
    /// If the provider does not answer.
    pub async fn stop(&mut self) -> Result<(), Failure> {
        let answer = self.provider.stop_provider(pb::stop_provider::Request {}).await?.into_inner();
        if answer.error.is_empty() { Ok(()) } else { Err(Failure::Status(answer.error)) }
    }

    /// What a message about a resource holds; `None` when there is no message.
    fn value(&self, type_name: &str, message: Option<&DynamicValue>, when: &str) -> Result<Option<Value>, Failure> {
        decoded(self.schemas.resource(type_name)?, &address(type_name), message, when)
    }
}

/// What a message holds about an object of this schema; `None` when there is no message.
fn decoded(schema: &Schema, address: &str, message: Option<&DynamicValue>, when: &str) -> Result<Option<Value>, Failure> {
    decoded_as(&schema.value_type(), message).map_err(|error| Violation::undecodable(address, when, &error).into())
}

/// What a message holds of a value of this type; `None` when there is no message.
fn decoded_as(of: &Type, message: Option<&DynamicValue>) -> Result<Option<Value>, String> {
    match message {
        Some(message) if !message.msgpack.is_empty() => msgpack::decode(&message.msgpack, of).map(Some),
        Some(message) if !message.json.is_empty() => serde_json::from_slice(&message.json)
            .map_err(|error| error.to_string())
            .and_then(|json| state_json::decode(&json, of, Missing::IsRefused))
            .map(Some),
        _ => Ok(None),
    }
}

/// The name of the only object of a type in messages.
fn address(type_name: &str) -> String {
    format!("{type_name}.this")
}

/// A value as a message.
#[must_use]
pub fn message(value: &Value) -> DynamicValue {
    DynamicValue { msgpack: msgpack::encode(value), json: Vec::new() }
}
