//! What distinguishes a table from all others. Pure.

use crate::failure::Failure;
use crate::names;
use crate::postgres::{Identifier, QualifiedTable};
use crate::terraform::{AttributePath, Diagnostic, Diagnostics, model, optional, required};

model! {
    /// Identifies a table.
    pub struct TableOfDatabase {
        /// Cluster of the table. Default: the server that the provider block connects to.
        cluster_identifier: String => optional(),
        /// Database.
        database: String => required(),
        /// The table, as `schema.table`, with names exactly as in the catalogue.
        table: String => required(),
    }
}

impl TableOfDatabase {
    /// The names that an import uses: cluster, database, table.
    pub(super) fn named(&self) -> Result<(Option<String>, Identifier, QualifiedTable), Failure> {
        let mut faults = Diagnostics::new();
        for (value, attribute) in [(&self.database, "database"), (&self.table, "table")] {
            if value.is_null() {
                faults.push(missing(attribute));
            }
        }
        let database = faults.absorb(names::name(&self.database, "database")).flatten();
        let table = faults.absorb(names::table(&self.table, "table")).flatten();
        let cluster = faults.absorb(names::cluster(&self.cluster_identifier)).flatten();
        faults.into_result()?;
        match (cluster, database, table) {
            (Some(cluster), Some(database), Some(table)) => Ok((cluster, database, table)),
            _ => Err(Failure::ConfigurationUnknown),
        }
    }
}

fn missing(attribute: &str) -> Diagnostic {
    let path = AttributePath::of(attribute);
    Diagnostic::error(format!("{attribute} is missing"), format!("The identity has no {path}, which an import needs. Set it."))
        .at(path)
}
