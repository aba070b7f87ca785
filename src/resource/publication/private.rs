//! What is stored beside the state: what the state cannot say. Pure.

use serde::{Deserialize, Serialize};

use super::catalogue::Observed;
use super::diff::Current;
use super::model::{Publish, Scope};
use super::schema::PublicationModel;
use crate::postgres::{Identifier, QualifiedTable, ServerVersion};

/// Stored beside the state: what the state cannot say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Private {
    /// The server's version when last seen.
    pub(super) version: Option<ServerVersion>,
    /// Fingerprint of the configuration last applied. What differs although it is the same drifted.
    #[serde(default)]
    pub(super) applied: Option<u64>,
    /// Published tables (schema, name) whose names have a dot, so that `schema.table` does not say where to cut.
    #[serde(default)]
    pub(super) dotted: Vec<(String, String)>,
}

impl Private {
    pub(super) fn of(version: ServerVersion, observed: &Observed) -> Self {
        let Scope::Listed { tables, .. } = &observed.current.scope else {
            return Self { version: Some(version), ..Self::default() };
        };
        let dotted = tables.iter().filter(|table| table.schema.as_str().contains('.') || table.table.as_str().contains('.'));
        let dotted = dotted.map(|table| (table.schema.as_str().to_owned(), table.table.as_str().to_owned()));
        Self { version: Some(version), applied: None, dotted: dotted.collect() }
    }

    /// The publication that a state describes; `None` for a state that names none, which Read never writes.
    pub(super) fn current(&self, model: &PublicationModel) -> Option<Current> {
        let tables = model.tables.known_or(Vec::new());
        let schemas = model.schemas.known_or(Vec::new());
        let scope = if model.all_tables.known_or(false) {
            Scope::AllTables
        } else {
            Scope::Listed {
                tables: tables.iter().filter_map(|name| self.table(name)).collect(),
                schemas: schemas.iter().filter_map(|name| Identifier::new(name).ok()).collect(),
            }
        };
        let publish = model.publish.known_or(Publish::ALL.to_set());
        let has = |name: &str| publish.contains(name);
        Some(Current {
            name: Identifier::new(model.name.known()?).ok()?,
            scope,
            publish: Publish { insert: has("insert"), update: has("update"), delete: has("delete"), truncate: has("truncate") },
            via_root: model.publish_via_partition_root.known().copied(),
        })
    }

    fn table(&self, name: &str) -> Option<QualifiedTable> {
        let dotted = self.dotted.iter().find(|(schema, table)| format!("{schema}.{table}") == name);
        match dotted {
            Some((schema, table)) => {
                Some(QualifiedTable { schema: Identifier::new(schema).ok()?, table: Identifier::new(table).ok()? })
            }
            None => name.parse().ok(),
        }
    }
}
