//! `clickpipes_tables`: what a database has to replicate, and why some of it cannot be.

use super::{DataSource, Found};
use crate::catalogue::inventory::{Listed, relations};
use crate::catalogue::relation::{Kind, Persistence, missing_schemas};
use crate::failure::Failure;
use crate::mapping::{Mapping, mappings};
use crate::names;
use crate::postgres::Identifier;
use crate::printable::printable_line;
use crate::provider::{Context, Place};
use crate::terraform::{Attr, AttributePath, Configured, Diagnostic, Diagnostics, computed, model, optional};

model! {
    /// The tables and views of a database, each with what decides whether a publication and a pipe can have it, and ready-made table
    /// mappings of those that can.
    pub struct TablesModel {
        /// Cluster of the database. Default: the server that the provider block connects to.
        cluster_identifier: String => optional(),
        /// Database to look into. Default: `postgres.database` of the provider block.
        database: String => optional(),
        /// Schemas to look into. Default: all but the server's own.
        schemas: Vec<String> => optional(),
        /// `table_mappings` of a ClickPipe for the publishable tables, in the order of `tables`. Null if two tables would get the same
        /// name in ClickHouse; use the function `table_mappings` then.
        table_mappings: Vec<TableMapping> => computed(),
        /// What was found, sorted by schema and name. Temporary tables are left out.
        tables: Vec<TableModel> => computed(),
    }
}

model! {
    /// A mapping of a ClickPipe.
    pub struct TableMapping {
        /// Schema of the table.
        source_schema_name: String => computed(),
        /// The table.
        source_table: String => computed(),
        /// Table in ClickHouse: `<schema>_<table>`.
        target_table: String => computed(),
    }
}

model! {
    /// A table or a view.
    pub struct TableModel {
        /// `table`, `partitioned_table`, `partition`, `view`, `materialized_view`, `foreign_table` or `unlogged_table`.
        kind: String => computed(),
        /// Its name.
        name: String => computed(),
        /// Its owner, whose right is needed to publish it.
        owner: String => computed(),
        /// The partitioned table at the top, as `schema.table`, of which this is a partition; otherwise null.
        partition_root: String => computed(),
        /// The columns of the primary key, in the order of the key; empty if there is none.
        primary_key: Vec<String> => computed(),
        /// Whether a publication and a pipe can have it: a table or a partitioned table, with a usable replica identity, and without
        /// a dot in its name. Who owns it does not count. A partition is published with its root.
        publishable: bool => computed(),
        /// Why it is not publishable; otherwise null.
        reason: String => computed(),
        /// `default` (the primary key), `full`, `nothing` or `index`; null for what has none.
        replica_identity: String => computed(),
        /// Its schema.
        schema: String => computed(),
        /// Its size without TOAST and indexes, in bytes, when VACUUM or ANALYZE last saw it: nothing is opened to measure it. Null for
        /// what has no content of its own.
        size_bytes: i64 => computed(),
    }
}

/// The data source.
pub(crate) struct Tables;

impl Configured for Tables {
    const TYPE_NAME: &'static str = "clickpipes_tables";
    type Model = TablesModel;

    fn validate(config: &TablesModel) -> Diagnostics {
        let mut faults = names::place_faults(&config.cluster_identifier, &config.database);
        faults.absorb(names::names(&config.schemas, "schemas", "schema name", Identifier::new));
        faults
    }
}

impl DataSource for Tables {
    async fn read(context: &Context, config: &TablesModel) -> Result<Found<TablesModel>, Failure> {
        let place = Place { cluster_identifier: &config.cluster_identifier, database: &config.database };
        let schemas: Vec<&str> = config.schemas.known().into_iter().flatten().map(String::as_str).collect();
        let nothing = config.schemas.known().is_some_and(Vec::is_empty);
        let wanted = schemas.clone();
        let ask = |reader| async move {
            let (missing, found) = tokio::try_join!(missing_schemas(&reader, wanted.clone()), relations(&reader, wanted))?;
            Ok((missing, if nothing { Vec::new() } else { found }))
        };
        let ((missing, found), database) = context.look(place, "listing tables", ask).await?;
        let missing = schemas.iter().enumerate().filter(|(_, schema)| missing.iter().any(|missing| missing == *schema));
        let faults: Diagnostics = missing.map(|(index, schema)| no_schema(index, schema, &database)).collect();
        faults.into_result()?;
        let publishable = found.iter().filter(|table| obstacle(table).is_none()).map(|table| &table.name);
        let (table_mappings, warnings) = match mappings(publishable) {
            Ok(mappings) => (mappings.into_iter().map(mapping).collect::<Vec<_>>().into(), Diagnostics::new()),
            Err([one, other, target]) => (Attr::Null, same_target(&database, &one, &other, &target).into()),
        };
        let tables: Vec<TableModel> = found.iter().map(shown).collect();
        Ok(Found { model: TablesModel { tables: tables.into(), table_mappings, ..config.clone() }, warnings })
    }
}

fn kind(table: &Listed) -> &'static str {
    match (table.kind, table.persistence) {
        _ if table.partition_root.is_some() => "partition",
        (Kind::Table, Persistence::Unlogged) => "unlogged_table",
        (Kind::PartitionedTable, _) => "partitioned_table",
        (Kind::View, _) => "view",
        (Kind::MaterializedView, _) => "materialized_view",
        (Kind::ForeignTable, _) => "foreign_table",
        (Kind::Table | Kind::Sequence | Kind::Other, _) => "table",
    }
}

/// Why a publication or a pipe cannot have it.
fn obstacle(table: &Listed) -> Option<String> {
    let (schema, name) = (table.name.schema.as_str(), table.name.table.as_str());
    match kind(table) {
        "partition" => {
            let root = printable_line(table.partition_root.as_deref().unwrap_or_default());
            Some(format!("it is a partition of {root} and is published with it"))
        }
        "table" | "partitioned_table" if schema.contains('.') || name.contains('.') => {
            Some("its name contains a dot, which ClickPipes cannot replicate".to_owned())
        }
        "table" | "partitioned_table" if table.is_identified => None,
        "table" | "partitioned_table" => Some(match &table.unready_leaf {
            Some(leaf) => format!("its partition {} has no usable replica identity", printable_line(leaf)),
            None => "it has no usable replica identity, so publishing it would stop UPDATE and DELETE".to_owned(),
        }),
        "unlogged_table" => Some("an unlogged table writes no WAL".to_owned()),
        _ => Some("only tables can be published".to_owned()),
    }
}

fn shown(table: &Listed) -> TableModel {
    let reason = obstacle(table);
    let has_identity = matches!(table.kind, Kind::Table | Kind::PartitionedTable);
    let identity = match table.replica_identity.as_str() {
        "f" => "full",
        "n" => "nothing",
        "i" => "index",
        _ => "default",
    };
    let line = |text: &str| Attr::Known(printable_line(text));
    TableModel {
        kind: kind(table).into(),
        name: line(table.name.table.as_str()),
        owner: line(&table.owner),
        partition_root: table.partition_root.as_deref().map(printable_line).into(),
        primary_key: table.primary_key.iter().map(|column| printable_line(column)).collect::<Vec<_>>().into(),
        publishable: reason.is_none().into(),
        reason: reason.into(),
        replica_identity: has_identity.then(|| identity.to_owned()).into(),
        schema: line(table.name.schema.as_str()),
        size_bytes: table.bytes.into(),
    }
}

fn mapping(mapping: Mapping) -> TableMapping {
    TableMapping {
        source_schema_name: mapping.schema.into(),
        source_table: mapping.table.into(),
        target_table: mapping.target.into(),
    }
}

fn no_schema(index: usize, schema: &str, database: &str) -> Diagnostic {
    let detail = format!(
        "Database {database:?} has no schema {schema:?}. Correct the name, which is compared exactly; if this apply creates the schema, give \
         the data source a depends_on for it."
    );
    Diagnostic::error(format!("Schema not found: {schema:?} of database {database:?}"), detail)
        .at(AttributePath::of("schemas").index(index))
}

fn same_target(database: &str, one: &str, other: &str, target: &str) -> Diagnostic {
    let detail = format!(
        "{one} and {other} would both go to the table {target:?}, so table_mappings is null. Use the function table_mappings, whose option \
         targets names another table for one of them, or narrow schemas down."
    );
    Diagnostic::warning(format!("Table mappings of database {database:?} are not unique"), detail)
        .at(AttributePath::of("table_mappings"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, kind: Kind) -> Listed {
        Listed {
            name: crate::postgres::QualifiedTable {
                schema: Identifier::new("s").unwrap(),
                table: Identifier::new(name).unwrap(),
            },
            kind,
            persistence: Persistence::Permanent,
            owner: "o".to_owned(),
            bytes: None,
            primary_key: Vec::new(),
            replica_identity: "d".to_owned(),
            partition_root: None,
            is_identified: true,
            unready_leaf: None,
        }
    }

    #[test]
    fn what_cannot_be_published_says_why() {
        let plain = || table("t", Kind::Table);
        for (table, expected, words) in [
            (plain(), "table", None),
            (table("t", Kind::PartitionedTable), "partitioned_table", None),
            (Listed { is_identified: false, ..plain() }, "table", Some("replica identity")),
            (table("a.b", Kind::Table), "table", Some("a dot")),
            (Listed { persistence: Persistence::Unlogged, ..plain() }, "unlogged_table", Some("WAL")),
            (Listed { partition_root: Some("s.r".to_owned()), ..plain() }, "partition", Some("a partition of s.r")),
            (table("t", Kind::View), "view", Some("only tables")),
            (table("t", Kind::MaterializedView), "materialized_view", Some("only tables")),
            (table("t", Kind::ForeignTable), "foreign_table", Some("only tables")),
        ] {
            let shown = shown(&table);
            assert_eq!(shown.kind, expected.into());
            assert_eq!(shown.publishable, words.is_none().into(), "{shown:?}");
            assert!(words.is_none_or(|words| shown.reason.known().unwrap().contains(words)), "{shown:?}");
        }
    }
}
