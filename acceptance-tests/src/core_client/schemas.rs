//! Everything that a provider offers, as core reads and checks it when it loads the provider.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use terraform_provider_clickpipes::proto::tfplugin6 as pb;

use super::failure::{Failure, accepted, unbroken};
use super::function::Function;
use super::rules::Violation;
use super::rules::function::assert_function_valid;
use super::rules::identity::assert_identity_schema_valid;
use super::rules::schema::{Role, assert_schema_valid};
use super::schema::{Attribute, Schema, Shape};
use super::value::Value;
use super::value_type::Type;

/// A kind that is configured like a resource but is not a managed resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A data source.
    DataSource,
    /// An ephemeral resource.
    Ephemeral,
    /// A list resource, of `terraform query`.
    List,
    /// An action.
    Action,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::DataSource, Self::Ephemeral, Self::List, Self::Action];

    /// The name of this kind in core's messages about schemas.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::DataSource => "data resource type",
            Self::Ephemeral => "ephemeral resource type",
            Self::List => "list resource type",
            Self::Action => "action type",
        }
    }

    fn role(self) -> Role {
        match self {
            Self::DataSource | Self::Ephemeral => Role::Read,
            Self::List | Self::Action => Role::Arguments,
        }
    }

    /// The name of the only one of a type in messages.
    #[must_use]
    pub fn address(self, type_name: &str) -> String {
        let prefix = match self {
            Self::DataSource => "data",
            Self::Ephemeral => "ephemeral",
            Self::List => "list",
            Self::Action => "action",
        };
        format!("{prefix}.{type_name}.this")
    }
}

/// The schemas of a provider, and the declarations of its functions.
#[derive(Clone, Debug, PartialEq)]
pub struct Schemas {
    /// Of the provider block.
    pub provider: Schema,
    /// Of the managed resources, by type name.
    pub resources: BTreeMap<String, Schema>,
    /// Of their identities: what an import needs is `required`. A resource may have none.
    pub identities: BTreeMap<String, Schema>,
    /// Of the data sources.
    pub data_sources: BTreeMap<String, Schema>,
    /// Of the ephemeral resources.
    pub ephemeral_resources: BTreeMap<String, Schema>,
    /// Of the list resources: the content of their `config` block, which core adds itself.
    pub list_resources: BTreeMap<String, Schema>,
    /// Of the actions: the content of their `config` block, likewise.
    pub actions: BTreeMap<String, Schema>,
    /// The functions, by name.
    pub functions: BTreeMap<String, Function>,
}

impl Schemas {
    /// Reads and checks what GetProviderSchema and GetResourceIdentitySchemas answered.
    ///
    /// # Errors
    /// Faults that core finds at load, and anything that this client does not know.
    pub fn decode(
        answer: &pb::get_provider_schema::Response,
        identities: &pb::get_resource_identity_schemas::Response,
    ) -> Result<Self, Failure> {
        accepted("the provider", answer.diagnostics.clone())?;
        accepted("the provider", identities.diagnostics.clone())?;
        known_kinds(answer)?;
        let missing = || Violation::new("Invalid provider schema", "missing provider schema");
        let provider = answer.provider.as_ref().ok_or_else(missing)?;
        let mut violations = assert_schema_valid("provider configuration", provider, Role::Arguments);
        for (type_name, schema) in &answer.resource_schemas {
            violations.extend(assert_schema_valid(&format!("managed resource type {type_name:?}"), schema, Role::Managed));
        }
        for (kind, name, schema) in of_all_kinds(answer) {
            violations.extend(assert_schema_valid(&format!("{} {name:?}", kind.words()), schema, kind.role()));
        }
        for (name, function) in &answer.functions {
            violations.extend(assert_function_valid(name, function));
        }
        for (type_name, schema) in &identities.identity_schemas {
            violations.extend(assert_identity_schema_valid(type_name, schema));
            if !answer.resource_schemas.contains_key(type_name) {
                let detail = format!("there is an identity schema for {type_name:?} and no managed resource of this type");
                violations.push(Violation::new("Invalid provider schema", detail));
            }
        }
        for type_name in answer.list_resource_schemas.keys() {
            if !answer.resource_schemas.contains_key(type_name) || !identities.identity_schemas.contains_key(type_name) {
                let detail = format!("Identity schema not found for resource type {type_name}; this is a bug in the provider");
                violations.push(Violation::new("Invalid provider schema", detail));
            }
        }
        unbroken(violations)?;
        let mut schemas = Self {
            provider: decode("the provider block", provider)?,
            resources: decode_each(answer.resource_schemas.iter())?,
            identities: identities.identity_schemas.iter().map(identity).collect::<Result<_, Failure>>()?,
            data_sources: BTreeMap::new(),
            ephemeral_resources: BTreeMap::new(),
            list_resources: BTreeMap::new(),
            actions: BTreeMap::new(),
            functions: answer.functions.iter().map(function).collect::<Result<_, Failure>>()?,
        };
        for (kind, name, schema) in of_all_kinds(answer) {
            schemas.of_mut(kind).insert(name.clone(), decode(name, schema)?);
        }
        Ok(schemas)
    }

    /// The schema of a managed resource.
    ///
    /// # Errors
    /// If there is no such resource.
    pub fn resource(&self, type_name: &str) -> Result<&Schema, Failure> {
        self.resources.get(type_name).ok_or_else(|| Failure::Client(format!("the provider has no resource {type_name}")))
    }

    /// The schema of a resource's identity, if it has one.
    #[must_use]
    pub fn identity(&self, type_name: &str) -> Option<&Schema> {
        self.identities.get(type_name)
    }

    /// All schemas of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &BTreeMap<String, Schema> {
        match kind {
            Kind::DataSource => &self.data_sources,
            Kind::Ephemeral => &self.ephemeral_resources,
            Kind::List => &self.list_resources,
            Kind::Action => &self.actions,
        }
    }

    fn of_mut(&mut self, kind: Kind) -> &mut BTreeMap<String, Schema> {
        match kind {
            Kind::DataSource => &mut self.data_sources,
            Kind::Ephemeral => &mut self.ephemeral_resources,
            Kind::List => &mut self.list_resources,
            Kind::Action => &mut self.actions,
        }
    }

    /// The schema of one of a kind.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn schema_of(&self, kind: Kind, type_name: &str) -> Result<&Schema, Failure> {
        let none = || Failure::Client(format!("the provider has no {} {type_name}", kind.words()));
        self.of(kind).get(type_name).ok_or_else(none)
    }

    /// A configuration of one of a kind with these arguments.
    ///
    /// # Errors
    /// If the schema does not have them.
    pub fn configuration_of(&self, kind: Kind, type_name: &str, arguments: &Json) -> Result<Value, Failure> {
        let schema = self.schema_of(kind, type_name)?;
        schema.configuration(arguments).map_err(|error| Failure::Client(format!("{type_name}{error}")))
    }

    /// The declaration of a function.
    ///
    /// # Errors
    /// If there is no such function.
    pub fn function(&self, name: &str) -> Result<&Function, Failure> {
        self.functions.get(name).ok_or_else(|| Failure::Client(format!("the provider has no function {name}")))
    }
}

/// Anything else that a provider may offer is refused, because nothing here would check it.
fn known_kinds(answer: &pb::get_provider_schema::Response) -> Result<(), Failure> {
    let unknown = answer.state_store_schemas.keys().map(|name| format!("state store {name:?}"));
    let unknown: Vec<String> = unknown.chain(answer.provider_meta.iter().map(|_| "provider_meta".to_owned())).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let unknown = unknown.join(", ");
    Err(Failure::Client(format!("the conformance client does not know {unknown}: teach it (core_client/schemas.rs)")))
}

fn of_all_kinds(answer: &pb::get_provider_schema::Response) -> Vec<(Kind, &String, &pb::Schema)> {
    static NONE: std::sync::LazyLock<pb::Schema> = std::sync::LazyLock::new(pb::Schema::default);
    let actions = answer.action_schemas.iter();
    let actions = actions.map(|(name, action)| (Kind::Action, name, action.schema.as_ref().unwrap_or(&NONE)));
    let data_sources = answer.data_source_schemas.iter().map(|(name, schema)| (Kind::DataSource, name, schema));
    let ephemeral = answer.ephemeral_resource_schemas.iter().map(|(name, schema)| (Kind::Ephemeral, name, schema));
    let lists = answer.list_resource_schemas.iter().map(|(name, schema)| (Kind::List, name, schema));
    data_sources.chain(ephemeral).chain(lists).chain(actions).collect()
}

fn decode(name: &str, schema: &pb::Schema) -> Result<Schema, Failure> {
    Schema::decode(schema).map_err(|error| Failure::Client(format!("{name}: {error}")))
}

fn decode_each<'a>(schemas: impl Iterator<Item = (&'a String, &'a pb::Schema)>) -> Result<BTreeMap<String, Schema>, Failure> {
    schemas.map(|(name, schema)| Ok((name.clone(), decode(name, schema)?))).collect()
}

fn identity((type_name, schema): (&String, &pb::ResourceIdentitySchema)) -> Result<(String, Schema), Failure> {
    let attributes = schema.identity_attributes.iter().map(|attribute| {
        Ok(Attribute {
            name: attribute.name.clone(),
            shape: Shape::Plain(
                Type::parse(&attribute.r#type).map_err(|error| Failure::Client(format!("{type_name}: {error}")))?,
            ),
            required: attribute.required_for_import,
            optional: attribute.optional_for_import,
            computed: false,
            sensitive: false,
            write_only: false,
        })
    });
    let attributes = attributes.collect::<Result<_, Failure>>()?;
    Ok((type_name.clone(), Schema { version: schema.version, attributes }))
}

fn function((name, declared): (&String, &pb::Function)) -> Result<(String, Function), Failure> {
    let decoded = Function::decode(declared).map_err(|error| {
        let detail = format!("invalid declaration for function {name:?}: {error}");
        Failure::from(Violation::new("Invalid provider schema", detail))
    })?;
    Ok((name.clone(), decoded))
}
