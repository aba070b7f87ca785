//! Values as core prints them in its messages to provider developers: `cty.StringVal("a")`.

use super::decimal::Decimal;
use super::value::Value;
use super::value_type::Type;

/// The value in Go's syntax for cty.
#[must_use]
pub fn value(value: &Value, of: &Type) -> String {
    match (value, of) {
        (Value::Null, _) => format!("cty.NullVal({})", type_name(of)),
        (Value::Unknown(refinement), _) => match refinement {
            refinement if *refinement == Default::default() => format!("cty.UnknownVal({})", type_name(of)),
            refinement if refinement.prefix.is_none() && refinement.null == Some(false) => {
                format!("cty.UnknownVal({}).RefineNotNull()", type_name(of))
            }
            refinement => format!("cty.UnknownVal({}).Refine(){refinement:?}.NewValue()", type_name(of)),
        },
        (Value::Bool(true), _) => "cty.True".to_owned(),
        (Value::Bool(false), _) => "cty.False".to_owned(),
        (Value::Number(number), _) => decimal(number),
        (Value::Text(text), _) => format!("cty.StringVal({text:?})"),
        (Value::List(elements), Type::List(element)) => collection("List", elements, element),
        (Value::Set(elements), Type::Set(element)) => collection("Set", elements, element),
        (Value::Map(entries), Type::Map(element)) if entries.is_empty() => format!("cty.MapValEmpty({})", type_name(element)),
        (Value::Map(entries), Type::Map(element)) => {
            let shown = entries.iter().map(|(key, entry)| format!("{key:?}:{}", self::value(entry, element)));
            format!("cty.MapVal(map[string]cty.Value{{{}}})", shown.collect::<Vec<_>>().join(", "))
        }
        (Value::Object(entries), Type::Object(attributes)) => {
            let shown = entries.iter().filter_map(|(name, entry)| {
                let of = attributes.get(name)?;
                Some(format!("{name:?}:{}", self::value(entry, of)))
            });
            format!("cty.ObjectVal(map[string]cty.Value{{{}}})", shown.collect::<Vec<_>>().join(", "))
        }
        (Value::List(elements), Type::Tuple(of)) => {
            let shown: Vec<String> = elements.iter().zip(of).map(|(element, of)| self::value(element, of)).collect();
            format!("cty.TupleVal([]cty.Value{{{}}})", shown.join(", "))
        }
        (Value::Typed(of, inner), Type::Dynamic) => self::value(inner, of),
        // Cannot come from the codec, which follows the type.
        (other, of) => format!("{other:?} as {}", type_name(of)),
    }
}

fn collection(kind: &str, elements: &[Value], of: &Type) -> String {
    if elements.is_empty() {
        return format!("cty.{kind}ValEmpty({})", type_name(of));
    }
    let shown: Vec<String> = elements.iter().map(|element| value(element, of)).collect();
    format!("cty.{kind}Val([]cty.Value{{{}}})", shown.join(", "))
}

fn decimal(number: &Decimal) -> String {
    match (number.as_i64(), number.as_exact_f64()) {
        (Some(_), _) => format!("cty.NumberIntVal({number})"),
        (None, Some(_)) => format!("cty.NumberFloatVal({number})"),
        (None, None) => format!("cty.MustParseNumberVal(\"{number}\")"),
    }
}

fn type_name(of: &Type) -> String {
    match of {
        Type::Bool => "cty.Bool".to_owned(),
        Type::Number => "cty.Number".to_owned(),
        Type::Text => "cty.String".to_owned(),
        Type::List(of) => format!("cty.List({})", type_name(of)),
        Type::Set(of) => format!("cty.Set({})", type_name(of)),
        Type::Map(of) => format!("cty.Map({})", type_name(of)),
        Type::Object(attributes) => {
            let shown: Vec<String> = attributes.iter().map(|(name, of)| format!("{name:?}:{}", type_name(of))).collect();
            format!("cty.Object(map[string]cty.Type{{{}}})", shown.join(", "))
        }
        Type::Tuple(of) => format!("cty.Tuple([]cty.Type{{{}}})", of.iter().map(type_name).collect::<Vec<_>>().join(", ")),
        Type::Dynamic => "cty.DynamicPseudoType".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::Refinement;
    use super::*;

    #[test]
    fn values_are_written_as_in_cores_messages() {
        let strings = Type::List(Box::new(Type::Text));
        assert_eq!(value(&Value::text("a\"b"), &Type::Text), r#"cty.StringVal("a\"b")"#);
        assert_eq!(value(&Value::Number(7.into()), &Type::Number), "cty.NumberIntVal(7)");
        assert_eq!(value(&Value::Number("0.5".parse().unwrap()), &Type::Number), "cty.NumberFloatVal(0.5)");
        assert_eq!(value(&Value::Number("0.1".parse().unwrap()), &Type::Number), r#"cty.MustParseNumberVal("0.1")"#);
        assert_eq!(value(&Value::Null, &strings), "cty.NullVal(cty.List(cty.String))");
        assert_eq!(value(&Value::unknown(), &Type::Bool), "cty.UnknownVal(cty.Bool)");
        assert_eq!(value(&Value::Unknown(Refinement::not_null()), &Type::Bool), "cty.UnknownVal(cty.Bool).RefineNotNull()");
        assert_eq!(value(&Value::List(vec![Value::Null]), &strings), "cty.ListVal([]cty.Value{cty.NullVal(cty.String)})");
        assert_eq!(value(&Value::List(Vec::new()), &strings), "cty.ListValEmpty(cty.String)");
        let map = Value::Map([("k".to_owned(), Value::Bool(true))].into());
        assert_eq!(value(&map, &Type::Map(Box::new(Type::Bool))), r#"cty.MapVal(map[string]cty.Value{"k":cty.True})"#);
    }
}
