//! What Terraform expects of every resource and of the provider's own configuration, by walking the schema.

use acceptance_tests::core_client::CoreClient;
use anyhow::{Context as _, ensure};
use terraform_provider_clickpipes::proto::tfplugin6::{
    self as pb, ClientCapabilities, Diagnostic, DynamicValue, Schema,
    diagnostic::Severity,
    schema::{Attribute, object::NestingMode},
};

type Outcome = anyhow::Result<()>;

const NIL: [u8; 1] = [0xc0];

/// An extension value of type 0, as go-cty writes it.
const UNKNOWN: [u8; 3] = [0xd4, 0, 0];

/// Not null, and nothing else known: what a string template or a computed attribute of another resource sends.
const REFINED_UNKNOWN: [u8; 5] = [0xc7, 3, 12, 0x81, 0x01];

async fn schemas(core: &mut CoreClient) -> anyhow::Result<pb::get_provider_schema::Response> {
    let schemas = core.provider.get_provider_schema(pb::get_provider_schema::Request {}).await?.into_inner();
    ensure!(!schemas.resource_schemas.is_empty(), "there is nothing to walk");
    Ok(schemas)
}

fn attributes(schema: &Schema) -> &[Attribute] {
    schema.block.as_ref().map(|block| block.attributes.as_slice()).unwrap_or_default()
}

/// The names of a schema's attributes, in order.
fn names(schema: &Schema) -> Vec<&str> {
    attributes(schema).iter().map(|attribute| attribute.name.as_str()).collect()
}

/// A msgpack object.
fn object<'a>(fields: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> DynamicValue {
    let fields: Vec<_> = fields.into_iter().collect();
    let mut msgpack = vec![0xde];
    msgpack.extend((fields.len() as u16).to_be_bytes());
    for (name, value) in fields {
        msgpack.extend([0xd9, name.len() as u8]);
        msgpack.extend(name.as_bytes());
        msgpack.extend(value);
    }
    DynamicValue { msgpack, json: Vec::new() }
}

fn refined() -> Vec<u8> {
    [&REFINED_UNKNOWN[..], &[0xc2]].concat()
}

fn errors(diagnostics: &[Diagnostic]) -> Vec<String> {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity() == Severity::Error);
    errors.map(|error| format!("{}: {}", error.summary, error.detail)).collect()
}

fn capabilities() -> Option<ClientCapabilities> {
    Some(ClientCapabilities { write_only_attributes_allowed: true, ..Default::default() })
}

async fn validate(core: &mut CoreClient, type_name: &str, config: DynamicValue) -> anyhow::Result<Vec<String>> {
    let request = pb::validate_resource_config::Request {
        type_name: type_name.to_owned(),
        config: Some(config),
        client_capabilities: capabilities(),
    };
    Ok(errors(&core.provider.validate_resource_config(request).await?.into_inner().diagnostics))
}

// === Schema ===

fn check_attribute(path: &str, attribute: &Attribute, in_set: bool) -> Outcome {
    let path = format!("{path}.{}", attribute.name);
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    ensure!(!attribute.name.is_empty() && attribute.name.chars().all(allowed), "{path} has a name that Terraform refuses");
    ensure!(attribute.required || attribute.optional || attribute.computed, "{path} is neither given nor computed");
    ensure!(!attribute.required || !(attribute.optional || attribute.computed), "{path} is required and more");
    ensure!(!attribute.write_only || !(attribute.computed || in_set), "{path} cannot be write-only");
    ensure!(!attribute.description.trim().is_empty(), "{path} has no description");
    ensure!(attribute.r#type.is_empty() == attribute.nested_type.is_some(), "{path} has two types, or none");
    if let Some(nested) = &attribute.nested_type {
        ensure!(nested.nesting() != NestingMode::Invalid, "{path} has no nesting");
        let in_set = in_set || nested.nesting() == NestingMode::Set;
        nested.attributes.iter().try_for_each(|inner| check_attribute(&path, inner, in_set))?;
    } else {
        serde_json::from_slice::<serde_json::Value>(&attribute.r#type).with_context(|| format!("the type of {path}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn every_attribute_keeps_the_rules_that_terraform_checks_at_load() -> Outcome {
    let mut core = CoreClient::start().await?;
    let schemas = schemas(&mut core).await?;
    assert_eq!(errors(&schemas.diagnostics), [""; 0]);
    let provider = ("provider".to_owned(), schemas.provider.context("no provider schema")?);
    for (name, schema) in schemas.resource_schemas.into_iter().chain([provider]) {
        attributes(&schema).iter().try_for_each(|attribute| check_attribute(&name, attribute, false))?;
    }
    core.close().await?;
    Ok(())
}

#[tokio::test]
async fn two_processes_have_the_same_schema() -> Outcome {
    let (mut one, mut other) = (CoreClient::start().await?, CoreClient::start().await?);
    assert_eq!(schemas(&mut one).await?, schemas(&mut other).await?);
    one.close().await?;
    other.close().await?;
    Ok(())
}

// === Values ===

#[tokio::test]
async fn a_configuration_of_unknowns_is_valid_and_can_be_planned() -> Outcome {
    let mut core = CoreClient::start().await?;
    let schemas = schemas(&mut core).await?;
    for unknown in [UNKNOWN.to_vec(), refined()] {
        let provider = schemas.provider.as_ref().context("no provider schema")?;
        let config = object(names(provider).into_iter().map(|name| (name, unknown.as_slice())));
        let request = pb::validate_provider_config::Request { config: Some(config.clone()) };
        let answer = core.provider.validate_provider_config(request).await?.into_inner();
        assert_eq!(errors(&answer.diagnostics), [""; 0]);
        let request = pb::configure_provider::Request {
            terraform_version: "1.11.4".to_owned(),
            config: Some(config),
            client_capabilities: capabilities(),
        };
        let answer = core.provider.configure_provider(request).await?.into_inner();
        assert_eq!(errors(&answer.diagnostics), [""; 0]);

        for (type_name, schema) in &schemas.resource_schemas {
            let given = attributes(schema).iter().map(|attribute| {
                let value = if attribute.required || attribute.optional { unknown.as_slice() } else { &NIL };
                (attribute.name.as_str(), value)
            });
            let config = object(given);
            assert_eq!(validate(&mut core, type_name, config.clone()).await?, [""; 0], "{type_name}");
            let request = pb::plan_resource_change::Request {
                type_name: type_name.clone(),
                prior_state: Some(DynamicValue { msgpack: NIL.to_vec(), json: Vec::new() }),
                proposed_new_state: Some(config.clone()),
                config: Some(config),
                client_capabilities: capabilities(),
                ..Default::default()
            };
            let answer = core.provider.plan_resource_change(request).await?.into_inner();
            assert_eq!(errors(&answer.diagnostics), [""; 0], "{type_name}");
            assert!(answer.planned_state.is_some_and(|state| state.msgpack != NIL), "{type_name} plans nothing");
            assert!(!answer.legacy_type_system && answer.deferred.is_none(), "{type_name}");
        }
    }
    core.close().await?;
    Ok(())
}

#[tokio::test]
async fn a_missing_and_an_extra_attribute_are_named() -> Outcome {
    let mut core = CoreClient::start().await?;
    let schemas = schemas(&mut core).await?;
    for (type_name, schema) in &schemas.resource_schemas {
        let names = names(schema);
        let (last, others) = names.split_last().context("no attributes")?;
        let missing = validate(&mut core, type_name, object(others.iter().map(|name| (*name, &NIL[..])))).await?;
        assert!(missing.iter().any(|error| error.contains(last)), "{type_name}: {missing:?}");
        let extra = names.iter().chain(&["no_such_attribute"]).map(|name| (*name, &NIL[..]));
        let extra = validate(&mut core, type_name, object(extra)).await?;
        assert!(extra.iter().any(|error| error.contains("no_such_attribute")), "{type_name}: {extra:?}");
    }
    core.close().await?;
    Ok(())
}

#[tokio::test]
async fn a_truncated_or_hostile_value_is_an_error_and_the_provider_lives_on() -> Outcome {
    let mut core = CoreClient::start().await?;
    let schemas = schemas(&mut core).await?;
    for (type_name, schema) in &schemas.resource_schemas {
        let whole = object(names(schema).into_iter().map(|name| (name, &UNKNOWN[..]))).msgpack;
        let truncated = (1..whole.len()).map(|length| whole[..length].to_vec());
        let hostile = [
            // Longer than any message: a buffer of the announced size would end the process.
            vec![0xdd, 0xff, 0xff, 0xff, 0xff],
            vec![0xdf, 0xff, 0xff, 0xff, 0xff],
            vec![0xc6, 0xff, 0xff, 0xff, 0xff],
            vec![0xdb, 0xff, 0xff, 0xff, 0xff, b'x'],
            // Deeper than any stack, as an array and as a map with maps for keys.
            vec![0x91; 1 << 20],
            vec![0x81; 1 << 20],
            // No UTF-8, a code that msgpack does not use, more than one value.
            vec![0x81, 0xa1, 0xff, 0xc0],
            vec![0xc1],
            [whole.as_slice(), &NIL].concat(),
        ];
        for msgpack in truncated.chain(hostile) {
            let start = msgpack[..msgpack.len().min(32)].to_vec();
            let config = DynamicValue { msgpack, json: Vec::new() };
            let errors = validate(&mut core, type_name, config).await.with_context(|| format!("after {start:02x?}..."))?;
            assert!(!errors.is_empty(), "{start:02x?}... passed");
            assert!(!errors.iter().any(|error| error.contains("panicked")), "{start:02x?}...: {errors:?}");
        }
    }
    core.close().await?;
    Ok(())
}

#[tokio::test]
async fn a_state_of_an_older_shape_is_filled_with_nulls_and_a_hostile_one_is_an_error() -> Outcome {
    let mut core = CoreClient::start().await?;
    let schemas = schemas(&mut core).await?;
    for (type_name, schema) in &schemas.resource_schemas {
        for (json, accepted) in [
            ("{}".to_owned(), true),
            ("{".to_owned(), false),
            ("[]".to_owned(), false),
            (String::new(), false),
            ("[".repeat(1 << 20), false),
        ] {
            let start = json[..json.len().min(8)].to_owned();
            let request = pb::upgrade_resource_state::Request {
                type_name: type_name.clone(),
                version: schema.version,
                raw_state: Some(pb::RawState { json: json.into_bytes(), ..Default::default() }),
            };
            let answer = core.provider.upgrade_resource_state(request).await?.into_inner();
            let errors = errors(&answer.diagnostics);
            assert_eq!(errors.is_empty(), accepted, "{type_name} {start:?}: {errors:?}");
            assert!(!errors.iter().any(|error| error.contains("panicked")), "{type_name} {start:?}: {errors:?}");
            assert_eq!(answer.upgraded_state.is_some(), accepted, "{type_name} {start:?}");
        }
    }
    core.close().await?;
    Ok(())
}

#[tokio::test]
async fn an_unknown_resource_type_is_a_diagnostic() -> Outcome {
    let mut core = CoreClient::start().await?;
    let errors = validate(&mut core, "clickpipes_no_such_thing", object([])).await?;
    assert!(errors.iter().any(|error| error.contains("clickpipes_no_such_thing")), "{errors:?}");
    core.close().await?;
    Ok(())
}
