//! What distinguishes a table from all others. Pure.

use crate::failure::Failure;
use crate::postgres::{Identifier, QualifiedTable};
use crate::resource::names;
use crate::terraform::{AttributePath, Diagnostic, Diagnostics, model, required};

model! {
    /// Identifies a table.
    pub struct TableOfDatabase {
        /// Database.
        database: String => required(),
        /// The table, as `schema.table`, with names exactly as in the catalogue.
        table: String => required(),
    }
}

impl TableOfDatabase {
    /// The names that an import uses.
    pub(super) fn named(&self) -> Result<(Identifier, QualifiedTable), Failure> {
        let mut faults = Diagnostics::new();
        for (value, attribute) in [(&self.database, "database"), (&self.table, "table")] {
            if value.is_null() {
                faults.push(missing(attribute));
            }
        }
        let database = faults.absorb(names::name(&self.database, "database")).flatten();
        let table = faults.absorb(names::table(&self.table, "table")).flatten();
        faults.into_result()?;
        database.zip(table).ok_or(Failure::ConfigurationUnknown)
    }
}

fn missing(attribute: &str) -> Diagnostic {
    let path = AttributePath::of(attribute);
    Diagnostic::error(format!("{attribute} is missing"), format!("The identity has no {path}, which an import needs. Set it."))
        .at(path)
}
