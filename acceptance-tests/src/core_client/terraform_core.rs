//! Core itself: it asks a provider, one RPC a step, and judges each answer before anything goes on.

mod apply;
mod plan;
mod state;

use std::collections::BTreeMap;

use serde_json::Value as Json;
use terraform_provider_clickpipes::proto::tfplugin6::{
    self as pb, ClientCapabilities, Diagnostic, DynamicValue, diagnostic::Severity, provider_client::ProviderClient,
};
use tonic::transport::Channel;

use super::failure::{Failure, errors, unbroken};
use super::msgpack;
use super::rules::{Violation, schema::assert_schema_valid};
use super::schema::Schema;
use super::state_json::{self, Missing};
use super::value::Value;

pub use plan::Walk;

/// Which Terraform is played. They differ in what they tell a provider about themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1.11: write-only attributes; claims in the apply walk, and only there, that deferring is allowed.
    V1_11,
    /// 1.16: hands the private data of the first plan back to the second.
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

/// The schemas of a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Schemas {
    /// Of the provider block.
    pub provider: Schema,
    /// Of the resources, by type name.
    pub resources: BTreeMap<String, Schema>,
}

impl Schemas {
    /// Reads and checks what GetProviderSchema answered.
    ///
    /// # Errors
    /// What core finds at load, and what this client does not know.
    pub fn decode(answer: &pb::get_provider_schema::Response) -> Result<Self, Failure> {
        accepted("the provider", answer.diagnostics.clone())?;
        let missing = || Violation::new("Invalid provider schema", "missing provider schema");
        let provider = answer.provider.as_ref().ok_or_else(missing)?;
        let mut violations = assert_schema_valid("provider configuration", provider);
        for (type_name, schema) in &answer.resource_schemas {
            violations.extend(assert_schema_valid(&format!("managed resource type {type_name:?}"), schema));
        }
        unbroken(violations)?;
        let decode = |name: &str, schema| Schema::decode(schema).map_err(|error| Failure::Client(format!("{name}: {error}")));
        let resources = answer.resource_schemas.iter().map(|(name, schema)| Ok((name.clone(), decode(name, schema)?)));
        Ok(Self { provider: decode("the provider block", provider)?, resources: resources.collect::<Result<_, Failure>>()? })
    }

    /// The schema of a resource.
    ///
    /// # Errors
    /// If there is no such resource.
    pub fn resource(&self, type_name: &str) -> Result<&Schema, Failure> {
        self.resources.get(type_name).ok_or_else(|| Failure::Client(format!("the provider has no resource {type_name}")))
    }
}

/// Core, with one provider. Clones ask the same one.
#[derive(Clone)]
pub struct TerraformCore {
    provider: ProviderClient<Channel>,
    schemas: Schemas,
}

impl TerraformCore {
    /// Asks for the schemas and checks them as core does when it loads a provider.
    ///
    /// # Errors
    /// If they cannot be used.
    pub async fn load(mut provider: ProviderClient<Channel>) -> Result<Self, Failure> {
        let answer = provider.get_provider_schema(pb::get_provider_schema::Request {}).await?.into_inner();
        Ok(Self { provider, schemas: Schemas::decode(&answer)? })
    }

    /// Takes schemas that another process of the same provider gave, as Terraform does within one run.
    #[must_use]
    pub fn with_schemas(provider: ProviderClient<Channel>, schemas: Schemas) -> Self {
        Self { provider, schemas }
    }

    /// The schemas.
    #[must_use]
    pub fn schemas(&self) -> &Schemas {
        &self.schemas
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

    /// Validates a configuration. Gives the warnings.
    ///
    /// # Errors
    /// What the provider refuses.
    pub async fn validate(&mut self, type_name: &str, config: &Value) -> Result<Vec<Diagnostic>, Failure> {
        self.validate_as(type_name, message(config), Version::V1_11.capabilities(false)).await
    }

    /// Validates whatever bytes, as a client with these capabilities.
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

    /// Asks everything that is under way to end, as at Ctrl-C.
    ///
    /// # Errors
    /// If the provider does not answer.
    pub async fn stop(&mut self) -> Result<(), Failure> {
        let answer = self.provider.stop_provider(pb::stop_provider::Request {}).await?.into_inner();
        if answer.error.is_empty() { Ok(()) } else { Err(Failure::Status(answer.error)) }
    }

    /// What a message about a resource holds; `None` when there is no message.
    fn value(&self, type_name: &str, message: Option<&DynamicValue>, when: &str) -> Result<Option<Value>, Failure> {
        let of = self.schemas.resource(type_name)?.value_type();
        let decoded = match message {
            Some(message) if !message.msgpack.is_empty() => msgpack::decode(&message.msgpack, &of),
            Some(message) if !message.json.is_empty() => serde_json::from_slice(&message.json)
                .map_err(|error| error.to_string())
                .and_then(|json| state_json::decode(&json, &of, Missing::IsRefused)),
            _ => return Ok(None),
        };
        decoded.map(Some).map_err(|error| Violation::undecodable(&address(type_name), when, &error).into())
    }
}

/// How messages name the only object that there is of a type.
fn address(type_name: &str) -> String {
    format!("{type_name}.this")
}

/// A value as a message.
#[must_use]
pub fn message(value: &Value) -> DynamicValue {
    DynamicValue { msgpack: msgpack::encode(value), json: Vec::new() }
}

/// The warnings of an answer without errors.
fn accepted(address: &str, diagnostics: Vec<Diagnostic>) -> Result<Vec<Diagnostic>, Failure> {
    let unseen = diagnostics.iter().filter(|diagnostic| diagnostic.severity() == Severity::Invalid);
    unbroken(unseen.map(|diagnostic| Violation::severity(address, &diagnostic.summary)).collect())?;
    if errors(&diagnostics).is_empty() { Ok(diagnostics) } else { Err(Failure::Refused(diagnostics)) }
}
