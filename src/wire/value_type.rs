//! Types in cty's JSON notation: `"string"`, `["list","string"]`, `["object",{...}]`.

use serde_json::{Value as Json, json};

use crate::terraform::Type;

/// Writes a type.
pub(super) fn type_json(of: &Type) -> Json {
    match of {
        Type::Bool => json!("bool"),
        Type::Number => json!("number"),
        Type::String => json!("string"),
        Type::Dynamic => json!("dynamic"),
        Type::List(element) => json!(["list", type_json(element)]),
        Type::Set(element) => json!(["set", type_json(element)]),
        Type::Map(element) => json!(["map", type_json(element)]),
        Type::Tuple(elements) => json!(["tuple", elements.iter().map(type_json).collect::<Vec<_>>()]),
        Type::Object(attributes) => {
            let attributes = attributes.iter().map(|(name, of)| (name.clone(), type_json(of)));
            json!(["object", Json::Object(attributes.collect())])
        }
    }
}

/// Reads the type that a value carries; `None` for anything that is not a type.
pub(super) fn read_type(notation: &[u8]) -> Option<Type> {
    read(&serde_json::from_slice(notation).ok()?)
}

fn read(json: &Json) -> Option<Type> {
    if let Some(name) = json.as_str() {
        return match name {
            "bool" => Some(Type::Bool),
            "number" => Some(Type::Number),
            "string" => Some(Type::String),
            // Valid only as the type of a null or unknown value inside. If any other value carried its type again, a message
            // could nest as deep as its sender likes.
            "dynamic" => Some(Type::Tuple(Vec::new())),
            _ => None,
        };
    }
    // An object may name attributes that are optional in a conversion; a value has no such attributes.
    let [kind, of] = json.as_array()?.as_slice() else { return None };
    let inner = || read(of).map(Box::new);
    match kind.as_str()? {
        "list" => inner().map(Type::List),
        "set" => inner().map(Type::Set),
        "map" => inner().map(Type::Map),
        "tuple" => of.as_array()?.iter().map(read).collect::<Option<_>>().map(Type::Tuple),
        "object" => {
            of.as_object()?.iter().map(|(name, of)| Some((name.clone(), read(of)?))).collect::<Option<_>>().map(Type::Object)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_ctys_notation_both_ways() {
        let columns = Type::Map(Box::new(Type::Object([("columns".to_owned(), Type::List(Box::new(Type::String)))].into())));
        let text = type_json(&columns).to_string();
        assert_eq!(text, r#"["map",["object",{"columns":["list","string"]}]]"#);
        assert_eq!(read_type(text.as_bytes()), Some(columns));
        let tuple = Type::Tuple(vec![Type::Bool, Type::Set(Box::new(Type::Number))]);
        assert_eq!(read_type(type_json(&tuple).to_string().as_bytes()), Some(tuple));
        assert_eq!(type_json(&Type::Dynamic), "dynamic");
    }

    #[test]
    fn what_is_no_type_is_none() {
        for text in ["", "5", "[]", r#""text""#, r#"["list"]"#, r#"["list","x"]"#, r#"["object",["a"]]"#, r#"["tuple",{}]"#] {
            assert_eq!(read_type(text.as_bytes()), None, "{text}");
        }
    }
}
