//! Every value that can come over the wire, at every place of every schema: a valid value is read correctly, an invalid one is an
//! error that names its place.

use acceptance_tests::core_client::{
    CoreClient, Failure, Step, TerraformCore, Type, Value, Version, Walk, errors, message, msgpack, schema::Schema,
};
use anyhow::{Context as _, Result, ensure};
use terraform_provider_clickpipes::proto::tfplugin6::{ClientCapabilities, DynamicValue};

use crate::Outcome;
use crate::entry;
use crate::places::{Place, all_unknown, another, refined, some};

/// Where raw bytes go into an encoded value.
const MARK: &str = "<here>";

struct Walker {
    core: TerraformCore,
    client: CoreClient,
}

impl Walker {
    /// A provider that may not connect, because the address is not known.
    async fn start() -> Result<Self> {
        let client = CoreClient::start().await?;
        let mut core = TerraformCore::load(client.provider.clone()).await?;
        let unknown = all_unknown(&core.schemas().provider.attributes);
        core.configure_with(&unknown).await?;
        Ok(Self { core, client })
    }

    fn resources(&self) -> Vec<(String, Schema)> {
        self.core.schemas().resources.iter().map(|(type_name, schema)| (type_name.clone(), schema.clone())).collect()
    }

    /// The errors about a configuration.
    async fn validate(&mut self, type_name: &str, config: DynamicValue) -> Result<Vec<String>> {
        match self.core.validate_as(type_name, config, capabilities()).await {
            Ok(_) => Ok(Vec::new()),
            Err(Failure::Refused(diagnostics)) => {
                let errors = errors(&diagnostics);
                ensure!(!errors.iter().any(|error| error.contains("Bug in the provider")), "{errors:?}");
                Ok(errors)
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// The errors that say that a value could not be read.
    async fn unread(&mut self, type_name: &str, config: DynamicValue) -> Result<Vec<String>> {
        let mut errors = self.validate(type_name, config).await?;
        errors.retain(|error| error.contains("Cannot decode a value sent by Terraform"));
        Ok(errors)
    }

    async fn end(self) -> Outcome {
        let exit = self.client.close().await?;
        ensure!(exit.status.success() && !exit.stderr.contains("panicked"), "{exit:?}");
        Ok(())
    }
}

fn capabilities() -> ClientCapabilities {
    ClientCapabilities { write_only_attributes_allowed: true, ..Default::default() }
}

fn raw(msgpack: Vec<u8>) -> DynamicValue {
    DynamicValue { msgpack, json: Vec::new() }
}

/// The value with these bytes instead of the mark.
fn marked(value: &Value, bytes: &[u8]) -> Result<DynamicValue> {
    let (encoded, mark) = (msgpack::encode(value), msgpack::encode(&Value::text(MARK)));
    let at = encoded.windows(mark.len()).position(|window| window == mark).context("there is no mark")?;
    Ok(raw([&encoded[..at], bytes, &encoded[at + mark.len()..]].concat()))
}

#[tokio::test]
async fn each_argument_may_be_unknown_refined_known_or_null() -> Outcome {
    let mut walker = Walker::start().await?;
    for (type_name, schema) in walker.resources() {
        for place in Place::all(&schema.attributes) {
            let of = place.argument.value_type();
            let unknown = refined(&of).into_iter().chain([Value::unknown()]);
            for (value, is_known) in unknown.map(|value| (value, false)).chain([(some(&of), true), (Value::Null, true)]) {
                let place_of = || format!("{type_name}.{} as {value:?}", place.name());
                let config = place.with(&schema.attributes, value.clone());
                let errors = walker.validate(&type_name, message(&config)).await.with_context(place_of)?;
                let unread = errors.iter().any(|error| error.contains("Cannot decode"));
                ensure!(!unread && (is_known || errors.is_empty()), "{}: {errors:?}", place_of());
                if !errors.is_empty() {
                    continue;
                }
                for version in [Version::V1_11, Version::V1_16] {
                    let planned = walker.core.plan(&type_name, None, &config, Walk::Plan(version)).await;
                    match planned {
                        Ok(_) => {}
                        // A value that makes no sense may be refused, but with the provider's own message.
                        Err(Failure::Refused(_)) if is_known => {}
                        Err(failure) => return Err(failure).with_context(place_of),
                    }
                }
            }
        }
    }
    walker.end().await
}

#[tokio::test]
async fn a_value_of_another_type_is_refused_with_its_path() -> Outcome {
    let mut walker = Walker::start().await?;
    for (type_name, schema) in walker.resources() {
        for place in Place::all(&schema.attributes) {
            let config = place.with(&schema.attributes, another(&place.argument.value_type()));
            let errors = walker.unread(&type_name, message(&config)).await?;
            ensure!(errors.iter().any(|error| error.contains(&place.name())), "{type_name}.{}: {errors:?}", place.name());
        }
    }
    walker.end().await
}

#[tokio::test]
async fn every_form_of_a_number_is_read() -> Outcome {
    let mut walker = Walker::start().await?;
    let text = |text: &str| msgpack::encode(&Value::text(text));
    // Forms of 5 that cty might send, which are whole numbers too.
    let whole = [
        vec![5],
        vec![0xcc, 5],
        vec![0xcd, 0, 5],
        vec![0xce, 0, 0, 0, 5],
        vec![0xcf, 0, 0, 0, 0, 0, 0, 0, 5],
        vec![0xd0, 5],
        vec![0xd1, 0, 5],
        vec![0xd2, 0, 0, 0, 5],
        vec![0xd3, 0, 0, 0, 0, 0, 0, 0, 5],
        [&[0xcb][..], &5_f64.to_be_bytes()].concat(),
        [&[0xca][..], &5_f32.to_be_bytes()].concat(),
        text("5"),
    ];
    // Values that no attribute here accepts, but every codec has to read.
    let odd = [
        [&[0xcb][..], &0.5_f64.to_be_bytes()].concat(),
        text("0.1"),
        text("18446744073709551615"),
        vec![0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        text("123456789012345678901234567890"),
        text("-1.5e-7"),
    ];
    let mut numbers = 0;
    for (type_name, schema) in walker.resources() {
        for place in Place::all(&schema.attributes).iter().filter(|place| place.argument.value_type() == Type::Number) {
            numbers += 1;
            let config = place.with(&schema.attributes, Value::text(MARK));
            for bytes in &whole {
                let errors = walker.validate(&type_name, marked(&config, bytes)?).await?;
                ensure!(errors.is_empty(), "{type_name}.{} as {bytes:02x?}: {errors:?}", place.name());
            }
            for bytes in &odd {
                let errors = walker.validate(&type_name, marked(&config, bytes)?).await?;
                let unread = errors.iter().any(|error| error.contains("Cannot decode") || !error.contains(&place.name()));
                ensure!(!unread, "{type_name}.{} as {bytes:02x?}: {errors:?}", place.name());
            }
            let errors = walker.unread(&type_name, marked(&config, &text("five"))?).await?;
            ensure!(errors.iter().any(|error| error.contains(&place.name())), "{errors:?}");
        }
    }
    ensure!(numbers > 0, "no resource has a number");
    walker.end().await
}

#[tokio::test]
async fn every_extension_is_an_unknown_value() -> Outcome {
    let mut walker = Walker::start().await?;
    for (type_name, schema) in walker.resources() {
        let mut seen: Vec<Type> = Vec::new();
        for place in Place::all(&schema.attributes) {
            let of = place.argument.value_type();
            if seen.contains(&of) {
                continue;
            }
            seen.push(of);
            let config = place.with(&schema.attributes, Value::text(MARK));
            let short = (0..=u8::MAX).map(|code| vec![0xd4, code, 0]);
            // Every length that an extension can be written with, and a map of refinements with an unknown key.
            let long = [
                vec![0xc7, 0, 0],
                vec![0xd5, 7, 1, 2],
                [&[0xd8, 12][..], &[0xc0; 16]].concat(),
                [&[0xc8, 0, 3, 12][..], &[1, 2, 3]].concat(),
                [&[0xc9, 0, 0, 0, 1, 12][..], &[0x80]].concat(),
                vec![0xc7, 5, 12, 0x82, 1, 0xc2, 99, 0xc0],
            ];
            for bytes in short.chain(long) {
                let errors = walker.validate(&type_name, marked(&config, &bytes)?).await?;
                ensure!(errors.is_empty(), "{type_name}.{} as {bytes:02x?}: {errors:?}", place.name());
            }
        }
    }
    walker.end().await
}

#[tokio::test]
async fn a_missing_and_an_extra_attribute_are_named_wherever_they_are() -> Outcome {
    let mut walker = Walker::start().await?;
    for (type_name, schema) in walker.resources() {
        let mut objects = vec![(String::new(), all_unknown(&schema.attributes))];
        for place in Place::all(&schema.attributes) {
            if let [outer @ .., Step::Attribute(_)] = place.path().0.as_slice()
                && !outer.is_empty()
            {
                let name = place.name();
                objects.push((name, place.with(&schema.attributes, Value::unknown())));
            }
        }
        for (inner, whole) in objects {
            // The innermost object, by the first part of its name: its attributes are the last ones of the path.
            let (prefix, last) = match inner.rsplit_once('.') {
                Some((prefix, last)) => (format!("{prefix}."), last.to_owned()),
                None => (String::new(), schema.attributes.last().context("no attributes")?.name.clone()),
            };
            let lost = format!("{prefix}{last}");
            let errors = walker.unread(&type_name, message(&without(&whole, &lost))).await?;
            ensure!(errors.iter().any(|error| error.contains(&lost)), "{type_name} without {lost}: {errors:?}");
            let extra = format!("{prefix}no_such_attribute");
            let errors = walker.unread(&type_name, message(&with_extra(&whole, &extra))).await?;
            ensure!(errors.iter().any(|error| error.contains(&extra)), "{type_name} with {extra}: {errors:?}");
        }
    }
    walker.end().await
}

/// Goes down a path such as `outer.list[0].inner` and changes the object that holds its last part.
fn change(value: &Value, path: &str, change_object: &dyn Fn(&mut std::collections::BTreeMap<String, Value>, &str)) -> Value {
    let mut changed = value.clone();
    match (&mut changed, path.split_once('.')) {
        (Value::Object(entries), None) => change_object(entries, path),
        (Value::Object(entries), Some((step, rest))) => {
            let name = step.split('[').next().unwrap_or(step);
            if let Some(inner) = entries.get_mut(name) {
                *inner = match &*inner {
                    Value::List(elements) => Value::List(elements.iter().map(|one| change(one, rest, change_object)).collect()),
                    Value::Map(members) => {
                        let members = members.iter().map(|(key, one)| (key.clone(), change(one, rest, change_object)));
                        Value::Map(members.collect())
                    }
                    object => change(object, rest, change_object),
                };
            }
        }
        _ => {}
    }
    changed
}

fn without(value: &Value, path: &str) -> Value {
    change(value, path, &|entries, name| drop(entries.remove(name)))
}

fn with_extra(value: &Value, path: &str) -> Value {
    change(value, path, &|entries, name| drop(entries.insert(name.to_owned(), Value::Null)))
}

#[tokio::test]
async fn a_truncated_or_hostile_value_is_an_error_and_the_provider_lives_on() -> Outcome {
    let mut walker = Walker::start().await?;
    for (type_name, schema) in walker.resources() {
        let whole = msgpack::encode(&all_unknown(&schema.attributes));
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
            // Not UTF-8, a code that msgpack does not use, more than one value, an empty object.
            vec![0x81, 0xa1, 0xff, 0xc0],
            vec![0xc1],
            [whole.as_slice(), &[0xc0]].concat(),
            vec![0x80],
        ];
        for msgpack in truncated.chain(hostile) {
            let start = msgpack[..msgpack.len().min(32)].to_vec();
            let errors = walker.unread(&type_name, raw(msgpack)).await.with_context(|| format!("{start:02x?}..."))?;
            ensure!(!errors.is_empty(), "{type_name}: {start:02x?}... passed");
        }
    }
    walker.end().await
}

/// Some clients send JSON.
#[tokio::test]
async fn json_is_read_like_msgpack() -> Outcome {
    let mut walker = Walker::start().await?;
    let schemas = walker.core.schemas().clone();
    for (type_name, entry) in entry::all(&schemas)? {
        let config = entry.subject(&walker.core, &type_name)?.create;
        let json = |value: &Value| DynamicValue {
            json: acceptance_tests::core_client::state_json::encode(value).to_string().into_bytes(),
            msgpack: Vec::new(),
        };
        ensure!(walker.validate(&type_name, json(&config)).await?.is_empty());
        let extra = with_extra(&config, "no_such_attribute");
        let errors = walker.unread(&type_name, json(&extra)).await?;
        ensure!(errors.iter().any(|error| error.contains("no_such_attribute")), "{type_name}: {errors:?}");
    }
    walker.end().await
}
