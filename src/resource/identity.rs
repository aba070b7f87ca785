//! Identity of an object in a database, for the resources that live in one. Pure.

use crate::failure::Failure;
use crate::names::{cluster, name};
use crate::postgres::Identifier;
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics, model, optional, required};

model! {
    /// Identifies an object in a database.
    pub struct DatabaseObject {
        /// Cluster of the object. Default: the server that the provider block connects to.
        cluster_identifier: String => optional(),
        /// Database.
        database: String => required(),
        /// Name of the object, exactly as in the catalogue.
        name: String => required(),
    }
}

impl DatabaseObject {
    /// The names that an import uses: cluster, database, object.
    pub(crate) fn named(&self) -> Result<(Option<String>, Identifier, Identifier), Failure> {
        let mut faults = Diagnostics::new();
        let mut part = |value: &Attr<String>, attribute: &str| {
            if value.is_null() {
                faults.push(missing(attribute));
            }
            faults.absorb(name(value, attribute)).flatten()
        };
        let (database, name) = (part(&self.database, "database"), part(&self.name, "name"));
        let cluster = faults.absorb(cluster(&self.cluster_identifier)).flatten();
        faults.into_result()?;
        match (cluster, database, name) {
            (Some(cluster), Some(database), Some(name)) => Ok((cluster, database, name)),
            _ => Err(Failure::ConfigurationUnknown),
        }
    }
}

fn missing(attribute: &str) -> Diagnostic {
    let path = AttributePath::of(attribute);
    Diagnostic::error(format!("{attribute} is missing"), format!("The identity has no {path}, which an import needs. Set it."))
        .at(path)
}
