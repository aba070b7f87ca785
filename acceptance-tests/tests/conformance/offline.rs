//! A provider whose own configuration is not known yet: no connection is made, and everything that is known is answered.

use acceptance_tests::core_client::rules::action::Action;
use acceptance_tests::core_client::{
    CoreClient, Object, Refinement, TerraformCore, Value, Version, Walk, message, schema::Schema,
};
use anyhow::{Context as _, ensure};
use terraform_provider_clickpipes::proto::tfplugin6::ClientCapabilities;

use crate::Outcome;
use crate::entry;
use crate::places::{Place, all_unknown, innermost_unknown, refined, some};

/// An object that might be stored after this configuration was applied.
fn stored(schema: &Schema, config: &Value) -> Value {
    schema.object(|attribute| match config.attribute(&attribute.name) {
        _ if attribute.write_only => None,
        Value::Null if attribute.computed => Some(some(&attribute.value_type())),
        value => Some(value),
    })
}

/// A port where a connection would be noticed.
pub struct Nobody {
    listener: std::net::TcpListener,
    port: u16,
}

impl Nobody {
    pub fn listens() -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    /// All settings that lead there.
    pub fn environment(&self) -> [(&'static str, String); 8] {
        [
            ("PGHOST", "127.0.0.1".to_owned()),
            ("PGPORT", self.port.to_string()),
            ("PGUSER", "somebody".to_owned()),
            ("PGPASSWORD", "something".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "an id".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "a secret key".to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port)),
        ]
    }

    pub fn was_dialled(&self) -> anyhow::Result<bool> {
        match self.listener.accept() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[tokio::test]
async fn nothing_is_dialled_and_every_step_but_the_apply_goes_on() -> Outcome {
    let nobody = Nobody::listens()?;
    let client = CoreClient::start_with_env(nobody.environment()).await?;
    let mut core = TerraformCore::load(client.provider.clone()).await?;
    let provider = core.schemas().provider.clone();
    let schemas = core.schemas().clone();
    for unknown in [Value::unknown(), Value::Unknown(Refinement::not_null())] {
        core.configure_with(&provider.object(|_| Some(unknown.clone()))).await?;
        for (type_name, entry) in entry::all(&schemas)? {
            let schema = schemas.resource(&type_name)?;
            let subject = entry.subject(&core, &type_name)?;
            let (first, _) = core.plan_twice(&type_name, None, &subject.create).await.with_context(|| type_name.clone())?;
            ensure!(first.action == Action::Create, "{type_name}: {:?}", first.action);

            // A refresh leaves it unchanged, its private data too; the provider may not change a byte of either.
            let mut object = Object::new(stored(schema, &subject.create), b"null".to_vec());
            object.identity = first.identity.clone().filter(Value::is_wholly_known);
            object.identity_version = core.identity_version(&type_name);
            let read = core.read(&type_name, &object).await?.with_context(|| format!("{type_name} is gone"))?;
            ensure!((&read.value, &read.private) == (&object.value, &object.private), "{type_name}: {read:?}");
            ensure!(object.identity.is_none() || read.identity == object.identity, "{type_name}: {read:?}");
            core.plan_twice(&type_name, Some(&object), &subject.update).await.with_context(|| type_name.clone())?;
            let (_, destroy) = core.plan_twice(&type_name, Some(&object), &Value::Null).await?;
            ensure!(destroy.action == Action::Delete && destroy.private == object.private, "{type_name}: {destroy:?}");

            let applied = core.apply(&type_name, None, &first, &subject.create).await?;
            let failure = applied.failure.context("it was applied")?;
            ensure!(!failure.errors().is_empty() && applied.object.is_none(), "{type_name}: {failure}");
        }
    }
    client.close().await?;
    ensure!(!nobody.was_dialled()?, "somebody was dialled");
    Ok(())
}

/// For any attribute, and any value that it may turn out to have, including null.
#[tokio::test]
async fn one_unknown_setting_is_enough_to_dial_nothing_with_its_section() -> Outcome {
    let nobody = Nobody::listens()?;
    let client = CoreClient::start_with_env(nobody.environment()).await?;
    let mut core = TerraformCore::load(client.provider.clone()).await?;
    let schemas = core.schemas().clone();
    let attributes = &schemas.provider.attributes;
    let mut nested = 0;
    for place in Place::all(attributes) {
        let name = place.name();
        let (section, setting) = name.split_once('.').unwrap_or((&name, ""));
        nested += usize::from(!setting.is_empty());
        for unknown in [vec![Value::unknown()], refined(&place.argument.value_type())].concat() {
            let place_of = || format!("{name}: {unknown:?}");
            let mut config = place.alone(attributes, unknown.clone());
            // A role without its ARN is not a role, whatever else is unknown.
            if setting.starts_with("assume_role.") && setting != "assume_role.role_arn" {
                let aws = config.attribute("aws");
                let role = aws.attribute("assume_role").with("role_arn", Value::text("arn:aws:iam::123456789012:role/deploy"));
                config = config.with("aws", aws.with("assume_role", role));
            }
            core.configure_with(&config).await.with_context(place_of)?;
            for (type_name, entry) in entry::all(&schemas)? {
                if section != if entry.statements { "postgres" } else { "aws" } {
                    continue;
                }
                let create = entry.subject(&core, &type_name)?.create;
                core.plan_twice(&type_name, None, &create).await.with_context(place_of)?;
                ensure!(!nobody.was_dialled()?, "{type_name} with {}: somebody was dialled", place_of());
            }
        }
    }
    ensure!(nested > 0, "the provider block has no sections any more");
    client.close().await?;
    Ok(())
}

/// Arguments that conflict may all be unknown: at most one of them may turn out to be set.
#[tokio::test]
async fn sections_whose_every_setting_is_unknown_are_valid() -> Outcome {
    let nobody = Nobody::listens()?;
    let client = CoreClient::start_with_env(nobody.environment()).await?;
    let mut core = TerraformCore::load(client.provider.clone()).await?;
    let schemas = core.schemas().clone();
    core.configure_with(&innermost_unknown(&schemas.provider.attributes)).await?;
    for (type_name, entry) in entry::all(&schemas)? {
        let create = entry.subject(&core, &type_name)?.create;
        core.plan_twice(&type_name, None, &create).await.with_context(|| type_name.clone())?;
    }
    client.close().await?;
    ensure!(!nobody.was_dialled()?, "somebody was dialled");
    Ok(())
}

#[tokio::test]
async fn a_configuration_of_unknowns_is_valid_and_can_be_planned() -> Outcome {
    let client = CoreClient::start().await?;
    let mut core = TerraformCore::load(client.provider.clone()).await?;
    let provider = all_unknown(&core.schemas().provider.attributes);
    core.configure_with(&provider).await?;
    for (type_name, schema) in core.schemas().resources.clone() {
        for unknown in [Value::unknown(), Value::Unknown(Refinement::not_null())] {
            let config = schema.object(|attribute| attribute.is_argument().then(|| unknown.clone()));
            core.validate(&type_name, &config).await?;
            let (first, _) = core.plan_twice(&type_name, None, &config).await?;
            ensure!(first.action == Action::Create, "{type_name}: {:?}", first.action);
        }
    }
    client.close().await?;
    Ok(())
}

/// An older client would store the value, or take the provider's null for a mistake.
#[tokio::test]
async fn a_client_without_write_only_attributes_is_told_so() -> Outcome {
    let client = CoreClient::start().await?;
    let mut core = TerraformCore::load(client.provider.clone()).await?;
    let mut found = 0;
    for (type_name, schema) in core.schemas().resources.clone() {
        for attribute in schema.attributes.iter().filter(|attribute| attribute.write_only) {
            found += 1;
            let older = || ClientCapabilities::default();
            let config = all_unknown(&schema.attributes);
            for value in [Value::unknown(), some(&attribute.value_type())] {
                let given = config.with(&attribute.name, value);
                let failure = core.validate_as(&type_name, message(&given), older()).await.err().context("it was accepted")?;
                let errors = failure.errors();
                let told = errors.iter().any(|error| error.contains("write-only") && error.contains(&attribute.name));
                ensure!(told, "{type_name}: {failure}");
                core.validate(&type_name, &given).await?;
            }
            let without = schema.attributes.iter().filter(|attribute| attribute.write_only);
            let without = without.fold(config, |config, attribute| config.with(&attribute.name, Value::Null));
            let said = core.validate_as(&type_name, message(&without), older()).await;
            let said = said.err().map(|failure| failure.to_string()).unwrap_or_default();
            ensure!(!said.contains("write-only"), "{type_name} without one: {said}");
        }
    }
    ensure!(found > 0, "no resource has a write-only attribute any more: drop this test");
    client.close().await?;
    Ok(())
}

/// Terraform never resumes what is deferred in an apply, whatever the client claims.
#[tokio::test]
async fn nothing_is_deferred_where_deferring_is_allowed() -> Outcome {
    let client = CoreClient::start().await?;
    let mut core = TerraformCore::load(client.provider.clone()).await?;
    let provider = all_unknown(&core.schemas().provider.attributes);
    core.configure_with(&provider).await?;
    for (type_name, schema) in core.schemas().resources.clone() {
        let config = all_unknown(&schema.attributes);
        // The client's second plan says that deferring is allowed, as Terraform 1.11 does, and refuses it nevertheless.
        let first = core.plan(&type_name, None, &config, Walk::Plan(Version::V1_11)).await?;
        core.plan(&type_name, None, &config, Walk::Apply(Version::V1_11, &first)).await?;
    }
    client.close().await?;
    Ok(())
}
