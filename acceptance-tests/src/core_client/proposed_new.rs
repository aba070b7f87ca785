//! What core proposes to a provider as the new state: the configuration, and from the prior state what the provider computed and the
//! configuration leaves open.

use std::collections::BTreeMap;

use super::schema::{Attribute, Nesting, Schema, Shape};
use super::value::Value;

/// The proposal for a configuration over a prior state; either may be null.
#[must_use]
pub fn proposed_new(schema: &Schema, prior: &Value, config: &Value) -> Value {
    // Without a configuration nothing is to be merged: a destroy proposes null by other means.
    if config.is_null() { prior.clone() } else { object(&schema.attributes, prior, config) }
}

fn object(attributes: &[Attribute], prior: &Value, config: &Value) -> Value {
    if config.is_null() || !config.is_known() {
        return config.clone();
    }
    let proposed = attributes.iter().map(|attribute| {
        let name = attribute.name.as_str();
        (name.to_owned(), attribute_value(attribute, prior.attribute(name), config.attribute(name)))
    });
    Value::Object(proposed.collect())
}

fn attribute_value(attribute: &Attribute, prior: Value, config: Value) -> Value {
    match &attribute.shape {
        _ if attribute.computed && config.is_null() => {
            // Nothing is kept of an optional object that was removed from the configuration.
            if attribute.optional && was_configured(&attribute.shape, &prior) { config } else { prior }
        }
        Shape::Nested(nesting, attributes) if config.is_known() && !config.is_null() => {
            nested(*nesting, attributes, &prior, config)
        }
        _ => config,
    }
}

/// Whether nested objects hold something that only a configuration can have given.
fn was_configured(shape: &Shape, value: &Value) -> bool {
    let Shape::Nested(_, attributes) = shape else { return false };
    let of_one = |object: &Value| {
        attributes.iter().any(|attribute| {
            let value = object.attribute(&attribute.name);
            !value.is_null() && (!attribute.computed || was_configured(&attribute.shape, &value))
        })
    };
    match value {
        Value::Object(_) => of_one(value),
        Value::List(elements) | Value::Set(elements) => elements.iter().any(of_one),
        Value::Map(entries) => entries.values().any(of_one),
        _ => false,
    }
}

fn nested(nesting: Nesting, attributes: &[Attribute], prior: &Value, config: Value) -> Value {
    match (nesting, config, prior) {
        (Nesting::Single, config, prior) => object(attributes, prior, &config),
        (Nesting::List, Value::List(config), Value::List(prior)) => {
            let proposed = config.into_iter().enumerate().map(|(index, config)| match prior.get(index) {
                Some(prior) => object(attributes, prior, &config),
                None => config,
            });
            Value::List(proposed.collect())
        }
        (Nesting::Map, Value::Map(config), Value::Map(prior)) => {
            let proposed = config.into_iter().map(|(key, config)| {
                let value = match prior.get(&key) {
                    Some(prior) => object(attributes, prior, &config),
                    None => config,
                };
                (key, value)
            });
            Value::Map(proposed.collect::<BTreeMap<_, _>>())
        }
        (Nesting::Set, Value::Set(config), Value::Set(prior)) => {
            let mut left: Vec<&Value> = prior.iter().collect();
            let proposed = config.into_iter().map(|config| {
                match left.iter().position(|prior| could_come_from(attributes, prior, &config)) {
                    Some(place) => object(attributes, left.remove(place), &config),
                    None => config,
                }
            });
            Value::set(proposed.collect())
        }
        (_, config, _) => config,
    }
}

/// Whether the element of a set in the prior state is that of the configuration, with what the provider computed filled in.
fn could_come_from(attributes: &[Attribute], prior: &Value, config: &Value) -> bool {
    attributes.iter().all(|attribute| {
        let (prior, config) = (prior.attribute(&attribute.name), config.attribute(&attribute.name));
        prior == config || (attribute.computed && config.is_null())
    })
}

#[cfg(test)]
mod tests {
    use super::super::schema::examples::{computed, nested, object, optional, required};
    use super::super::value_type::Type;
    use super::*;

    fn schema() -> Schema {
        let inner = || vec![required("name"), computed("id")];
        let attributes = vec![
            required("name"),
            optional("size", Type::Text),
            Attribute { computed: true, ..optional("owner", Type::Text) },
            computed("id"),
            nested("one", Nesting::Single, inner()),
            nested("list", Nesting::List, inner()),
            nested("map", Nesting::Map, inner()),
            nested("set", Nesting::Set, inner()),
        ];
        Schema { version: 0, attributes }
    }

    fn inner(name: &str, id: Option<&str>) -> Value {
        object([("name", Value::text(name)), ("id", id.map_or(Value::Null, Value::text))])
    }

    fn whole(id: Option<&str>) -> Value {
        let object = |_: &Attribute| None;
        let value = schema().object(object).with("name", Value::text("a")).with("size", Value::text("big"));
        let value = value.with("id", id.map_or(Value::Null, Value::text)).with("one", inner("x", id));
        value
            .with("list", Value::List(vec![inner("x", id), inner("y", id)]))
            .with("map", Value::Map([("k".to_owned(), inner("x", id))].into()))
            .with("set", Value::set(vec![inner("x", id)]))
    }

    #[test]
    fn what_was_computed_stays_and_what_was_configured_goes_with_the_configuration() {
        let prior = whole(Some("1")).with("owner", Value::text("admin"));
        let config = whole(None).with("size", Value::Null);
        assert_eq!(proposed_new(&schema(), &prior, &config), prior.with("size", Value::Null));
        let config = config.with("owner", Value::text("me"));
        assert_eq!(proposed_new(&schema(), &prior, &config).attribute("owner"), Value::text("me"));
    }

    #[test]
    fn a_create_proposes_the_configuration() {
        assert_eq!(proposed_new(&schema(), &Value::Null, &whole(None)), whole(None));
        assert_eq!(proposed_new(&schema(), &Value::Null, &Value::Null), Value::Null);
    }

    #[test]
    fn elements_are_matched_by_place_key_or_content() {
        let prior = whole(Some("1"));
        let config = whole(None)
            .with("list", Value::List(vec![inner("z", None)]))
            .with("map", Value::Map([("new".to_owned(), inner("x", None))].into()))
            .with("set", Value::set(vec![inner("x", None), inner("y", None)]));
        let proposed = proposed_new(&schema(), &prior, &config);
        assert_eq!(proposed.attribute("list"), Value::List(vec![inner("z", Some("1"))]));
        assert_eq!(proposed.attribute("map"), config.attribute("map"));
        assert_eq!(proposed.attribute("set"), Value::set(vec![inner("x", Some("1")), inner("y", None)]));
    }

    #[test]
    fn what_is_unknown_stays_unknown() {
        let config = whole(None).with("one", Value::unknown()).with("list", Value::List(vec![Value::unknown()]));
        let proposed = proposed_new(&schema(), &whole(Some("1")), &config);
        assert_eq!(proposed.attribute("one"), Value::unknown());
        assert_eq!(proposed.attribute("list"), Value::List(vec![Value::unknown()]));
    }
}
