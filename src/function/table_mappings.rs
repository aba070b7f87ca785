//! `table_mappings`: from the tables of a publication to the `table_mappings` of a ClickPipe.

use std::collections::{BTreeMap, BTreeSet};

use super::Function;
use crate::mapping::usual_target;
use crate::postgres::QualifiedTable;
use crate::terraform::{AttributeValue, CallFault, Declaration, Diagnostics, Parameter, Trail, Type, Value, chain, hcl_string};

const TABLES: usize = 0;
const OPTIONS: usize = 1;
/// The only key of the options.
const TARGETS: &str = "targets";

/// The function.
pub(crate) struct TableMappings;

impl Function for TableMappings {
    const NAME: &'static str = "table_mappings";

    fn declaration() -> Declaration {
        let mapping = ["source_schema_name", "source_table", "target_table"].map(|name| (name.to_owned(), Type::String));
        Declaration {
            summary: "Builds the table mappings of a ClickPipe from the tables of a publication",
            description: "Takes tables as `schema.table`, as in a `clickpipes_publication`, and returns for each one an object with \
                          `source_schema_name`, `source_table` and `target_table`, as `clickhouse_clickpipe` expects them in `table_mappings`, \
                          in the same order. The target is named `<schema>_<table>`, unless `options` sets another name. Two tables with \
                          the same target are an error.",
            parameters: vec![
                Parameter {
                    name: "tables",
                    description: "Tables to replicate, each as `schema.table`.",
                    of: Type::List(Box::new(Type::String)),
                    nullable: false,
                },
                Parameter {
                    name: "options",
                    description: "An object with `targets`, a map from `schema.table` to the name of its table in ClickHouse, for those \
                                  that need another name. With `null` or `{}` all tables get their default name.",
                    of: Type::Dynamic,
                    nullable: true,
                },
            ],
            returns: Type::List(Box::new(Type::Object(mapping.into()))),
        }
    }

    fn call(arguments: &[Value]) -> Result<Value, CallFault> {
        let (tables, options) = (arguments.get(TABLES).unwrap_or(&Value::Null), arguments.get(OPTIONS).unwrap_or(&Value::Null));
        let tables = tables_of(tables)?;
        let targets = targets_of(options)?;
        let listed: BTreeSet<&str> = tables.iter().map(|(written, _)| written.as_str()).collect();
        if let Some(stranger) = targets.keys().find(|name| !listed.contains(name.as_str())) {
            let text = format!("targets has {stranger:?}, which is not one of the tables. Correct its name, or list the table.");
            return Err(CallFault::of_argument(OPTIONS, text));
        }
        let mut taken: BTreeMap<String, &str> = BTreeMap::new();
        let mut mappings = Vec::with_capacity(tables.len());
        for (written, table) in &tables {
            let (schema, name) = (table.schema.as_str(), table.table.as_str());
            let target = targets.get(written).cloned().unwrap_or_else(|| usual_target(table));
            if let Some(other) = taken.insert(target.clone(), written) {
                return Err(collision(other, written, &target));
            }
            let entry = [("source_schema_name", schema), ("source_table", name), ("target_table", target.as_str())];
            mappings.push(Value::Map(entry.map(|(name, text)| (name.to_owned(), Value::from(text))).into()));
        }
        Ok(Value::List(mappings))
    }
}

/// The tables, each with its name as written.
fn tables_of(argument: &Value) -> Result<Vec<(String, QualifiedTable)>, CallFault> {
    let names = decode::<Vec<String>>(argument, TABLES, "tables")?;
    let parse = |(index, name): (usize, String)| match name.parse() {
        Ok(table) => Ok((name, table)),
        Err(error) => Err(CallFault::of_argument(TABLES, format!("tables[{index}]: {}.", chain(&error)))),
    };
    names.into_iter().enumerate().map(parse).collect()
}

fn targets_of(options: &Value) -> Result<BTreeMap<String, String>, CallFault> {
    let wrong = |text: String| CallFault::of_argument(OPTIONS, text);
    let entries = match options {
        Value::Null => return Ok(BTreeMap::new()),
        Value::Map(entries) => entries,
        other => return Err(wrong(format!("options must be an object with {TARGETS}, or null; it is {}.", other.kind()))),
    };
    if let Some(unknown) = entries.keys().find(|key| *key != TARGETS) {
        return Err(wrong(format!("options has {unknown:?}, which is not an option. The only option is {TARGETS}.")));
    }
    let targets = match options.get(TARGETS) {
        Value::Null => return Ok(BTreeMap::new()),
        targets => decode::<BTreeMap<String, String>>(targets, OPTIONS, TARGETS)?,
    };
    match targets.iter().find(|(_, target)| target.is_empty()) {
        Some((name, _)) => Err(wrong(format!("{TARGETS}[{name:?}] is empty; a table in ClickHouse needs a name."))),
        None => Ok(targets),
    }
}

fn decode<T: AttributeValue>(argument: &Value, position: usize, name: &str) -> Result<T, CallFault> {
    let first = |faults: Diagnostics| {
        let text = faults.into_iter().next().map(|fault| fault.detail).unwrap_or_default();
        CallFault::of_argument(position, text.strip_prefix("Attribute ").unwrap_or(&text))
    };
    T::decode(argument, &Trail::Root.attribute(name)).map_err(first)
}

fn collision(one: &str, other: &str, target: &str) -> CallFault {
    if one == other {
        return CallFault::of_argument(TABLES, format!("{one} is listed twice. Remove one of the two."));
    }
    let text = format!(
        "{one} and {other} would both go to the table {target:?}. Choose another target for one of them: options = {{ {TARGETS} = {{ {} = \
         \"...\" }} }}",
        hcl_string(other)
    );
    CallFault::of_argument(TABLES, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Value {
        Value::List(names.iter().map(|name| Value::from(*name)).collect())
    }

    fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::Map(entries.map(|(name, value)| (name.to_owned(), value)).into())
    }

    fn mapped(tables: &[&str], options: Value) -> Vec<String> {
        let Value::List(mappings) = TableMappings::call(&[list(tables), options]).unwrap() else { panic!("no list") };
        let text = |mapping: &Value, name: &str| match mapping.get(name) {
            Value::String(text) => text.clone(),
            other => panic!("{name} is {other:?}"),
        };
        let show = |mapping: &Value| {
            let [schema, table, target] = ["source_schema_name", "source_table", "target_table"].map(|name| text(mapping, name));
            format!("{schema} {table} {target}")
        };
        mappings.iter().map(show).collect()
    }

    fn fault(tables: Value, options: Value) -> (Option<usize>, String) {
        let CallFault { text, argument } = TableMappings::call(&[tables, options]).unwrap_err();
        (argument, text)
    }

    #[test]
    fn targets_are_made_or_named_in_the_order_of_the_tables() {
        let expected = ["sales Orders sales_Orders", "billing a b c"];
        let targets = object([("billing.a b", Value::from("c"))]);
        let options = object([("targets", targets)]);
        assert_eq!(mapped(&["sales.Orders", "billing.a b"], options), expected);
        for nothing in [Value::Null, object([]), object([("targets", Value::Null)]), object([("targets", object([]))])] {
            assert_eq!(mapped(&["a.b"], nothing), ["a b a_b"]);
        }
        assert!(mapped(&[], Value::Null).is_empty());
    }

    #[test]
    fn each_fault_names_its_argument() {
        for (tables, options, argument, words) in [
            (list(&["orders"]), Value::Null, TABLES, "tables[0]: \"orders\" does not name a schema"),
            (list(&["a.b", "a."]), Value::Null, TABLES, "tables[1]: \"a.\" is not a valid"),
            (list(&["a.b.c"]), Value::Null, TABLES, "more than one dot"),
            (list(&["a.b", "a.b"]), Value::Null, TABLES, "a.b is listed twice"),
            (list(&["a_b.c", "a.b_c"]), Value::Null, TABLES, "a_b.c and a.b_c would both go to the table \"a_b_c\""),
            (Value::List(vec![Value::Null]), Value::Null, TABLES, "tables[0] must not be null"),
            (list(&["a.b"]), Value::from("x"), OPTIONS, "options must be an object with targets, or null; it is a string"),
            (list(&["a.b"]), object([("target", Value::Null)]), OPTIONS, "options has \"target\", which is not an option"),
            (list(&["a.b"]), object([("targets", list(&[]))]), OPTIONS, "targets: a map is needed"),
            (list(&["a.b"]), object([("targets", object([("a.b", Value::from(true))]))]), OPTIONS, "targets[\"a.b\"]: a string"),
            (list(&["a.b"]), object([("targets", object([("a.c", Value::from("x"))]))]), OPTIONS, "not one of the tables"),
            (list(&["a.b"]), object([("targets", object([("a.b", Value::from(""))]))]), OPTIONS, "is empty"),
        ] {
            let (at, text) = fault(tables, options);
            assert!(text.contains(words), "{text}");
            assert_eq!(at, Some(argument), "{text}");
        }
    }

    #[test]
    fn two_named_targets_may_not_be_the_same() {
        let targets = object([("a.b", Value::from("x")), ("a.c", Value::from("x"))]);
        let (argument, text) = fault(list(&["a.b", "a.c"]), object([("targets", targets)]));
        assert_eq!(argument, Some(TABLES));
        assert!(text.contains("both go to the table \"x\""), "{text}");
    }
}
