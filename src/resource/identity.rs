//! Identity of an object in a database, for the resources that live in one. Pure.

use super::names::name;
use crate::failure::Failure;
use crate::postgres::Identifier;
use crate::provider::Context;
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics, model, optional, required};

model! {
    /// Identifies an object in a database.
    pub struct DatabaseObject {
        /// Cluster of the object: the one in the provider block, or none.
        cluster_identifier: String => optional(),
        /// Database.
        database: String => required(),
        /// Name of the object, exactly as in the catalogue.
        name: String => required(),
    }
}

impl DatabaseObject {
    /// The identity of the object in a state. The cluster is kept from `before`, because the state does not contain it.
    pub(crate) fn of(database: &Attr<String>, name: &Attr<String>, before: Option<&Self>) -> Self {
        let cluster_identifier = before.map(|before| before.cluster_identifier.clone()).unwrap_or_default();
        Self { cluster_identifier, database: database.clone(), name: name.clone() }
    }

    /// The names that an import uses.
    pub(crate) fn named(&self, context: &Context) -> Result<(Identifier, Identifier), Failure> {
        let mut faults = Diagnostics::new();
        let mut part = |value: &Attr<String>, attribute: &str| {
            if value.is_null() {
                faults.push(missing(attribute));
            }
            faults.absorb(name(value, attribute)).flatten()
        };
        let (database, name) = (part(&self.database, "database"), part(&self.name, "name"));
        if let Some(cluster) = self.cluster_identifier.known() {
            faults.extend(not_own_cluster(context, cluster)?);
        }
        faults.into_result()?;
        database.zip(name).ok_or(Failure::ConfigurationUnknown)
    }
}

/// The fault if this is not the cluster of the provider block.
pub(crate) fn not_own_cluster(context: &Context, cluster: &str) -> Result<Option<Diagnostic>, Failure> {
    let own = context.own_cluster()?;
    if own == Some(cluster) {
        return Ok(None);
    }
    let path = AttributePath::of("cluster_identifier");
    let own = own.map_or_else(|| "which names no cluster".to_owned(), |own| format!("which names {own:?}"));
    let detail = format!(
        "{path} is {cluster:?}, but it can only name the cluster of the provider block, {own} in postgres.cluster_identifier. \
         Remove it, or use a provider block for that cluster."
    );
    Ok(Some(Diagnostic::error("Not the provider's cluster", detail).at(path)))
}

fn missing(attribute: &str) -> Diagnostic {
    let path = AttributePath::of(attribute);
    Diagnostic::error(format!("{attribute} is missing"), format!("The identity has no {path}, which an import needs. Set it."))
        .at(path)
}
