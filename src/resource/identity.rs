//! What tells an object of a database from all others, for the resources that live in one. Pure.

use super::names::name;
use crate::failure::Failure;
use crate::postgres::Identifier;
use crate::provider::Context;
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics, model, optional, required};

model! {
    /// Tells an object of a database from all others.
    pub struct DatabaseObject {
        /// Cluster that it lives in: the one that the provider block names, or none.
        cluster_identifier: String => optional(),
        /// Database.
        database: String => required(),
        /// Name of the object, exactly as the catalogue has it.
        name: String => required(),
    }
}

impl DatabaseObject {
    /// The identity of what a state says. Which cluster was named stays as it was: a state does not say it.
    pub(crate) fn of(database: &Attr<String>, name: &Attr<String>, before: Option<&Self>) -> Self {
        let cluster_identifier = before.map(|before| before.cluster_identifier.clone()).unwrap_or_default();
        Self { cluster_identifier, database: database.clone(), name: name.clone() }
    }

    /// The names that an import goes by.
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

/// What is wrong with naming this cluster: only the provider block's own can be named.
pub(crate) fn not_own_cluster(context: &Context, cluster: &str) -> Result<Option<Diagnostic>, Failure> {
    let own = context.own_cluster()?;
    if own == Some(cluster) {
        return Ok(None);
    }
    let path = AttributePath::of("cluster_identifier");
    let own = own.map_or_else(|| "which names no cluster".to_owned(), |own| format!("which names {own:?}"));
    let detail = format!(
        "{path} is {cluster:?}, and only the cluster of the provider block can be named, {own} in postgres.cluster_identifier. Leave it \
         out, or use a provider block for that cluster."
    );
    Ok(Some(Diagnostic::error("Another cluster than the provider's", detail).at(path)))
}

fn missing(attribute: &str) -> Diagnostic {
    let path = AttributePath::of(attribute);
    Diagnostic::error(format!("{attribute} is missing"), format!("The identity has no {path}, which an import needs.")).at(path)
}
