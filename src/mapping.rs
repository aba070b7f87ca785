//! Which table of ClickHouse a table is replicated into. Pure.

use std::collections::BTreeMap;

use crate::postgres::QualifiedTable;

/// Which table of ClickHouse gets the rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) schema: String,
    pub(crate) table: String,
    pub(crate) target: String,
}

/// The usual mappings of tables, in their order.
///
/// # Errors
/// Two tables that would go to the same one, and its name.
pub(crate) fn mappings<'a>(tables: impl Iterator<Item = &'a QualifiedTable>) -> Result<Vec<Mapping>, [String; 3]> {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mapping = |table: &QualifiedTable| {
        let target = usual_target(table);
        match taken.insert(target.clone(), table.name()) {
            Some(other) => Err([other, table.name(), target]),
            None => Ok(Mapping { schema: table.schema.as_str().to_owned(), table: table.table.as_str().to_owned(), target }),
        }
    };
    tables.map(mapping).collect()
}

/// The table of ClickHouse that a table goes to, unless another one is named.
pub(crate) fn usual_target(table: &QualifiedTable) -> String {
    format!("{}_{}", table.schema.as_str(), table.table.as_str())
}
