//! Which tables of a scope would refuse the application's UPDATE and DELETE, and why. Pure.

use std::collections::BTreeMap;

use super::desired::Scope;
use super::filter;
use super::restriction::{Restriction, Restrictions};
use crate::catalogue::publisher::{Objection, Share};
use crate::catalogue::replica_identity::Suspect;
use crate::postgres::{QualifiedTable, ServerVersion};
use crate::printable::printable_line;

/// What is published, or is to be.
pub(super) struct Shape<'a> {
    pub(super) scope: &'a Scope,
    pub(super) restrictions: &'a Restrictions,
    /// The columns that filters use, where the server has said so.
    pub(super) used: &'a BTreeMap<QualifiedTable, Vec<String>>,
    pub(super) via_root: bool,
    /// Whether stored generated columns are published.
    pub(super) generated: bool,
}

/// The exposed ones of these tables, as `schema.table`, each with the reason.
pub(super) fn exposed(shape: &Shape<'_>, suspects: &[Suspect], version: ServerVersion) -> BTreeMap<String, Objection> {
    objections(shape, suspects, version).map(|(table, objection)| (printable_line(&table.name()), objection)).collect()
}

/// The same tables by their names.
pub(super) fn objections<'a>(
    shape: &Shape<'_>,
    suspects: &'a [Suspect],
    version: ServerVersion,
) -> impl Iterator<Item = (&'a QualifiedTable, Objection)> {
    suspects.iter().filter_map(move |suspect| {
        let objection = suspect.objection(&shape.share(suspect), version)?;
        Some((&suspect.table, objection))
    })
}

impl Shape<'_> {
    /// What is published of a table: as its topmost published root says if it is published through that, otherwise as it says itself.
    /// Names of columns are the same in both.
    fn share(&self, suspect: &Suspect) -> Share {
        let itself = &suspect.table;
        let root = suspect.above.iter().rev().find(|table| self.publishes(table)).filter(|_| self.via_root);
        let of = root.unwrap_or(itself);
        let Some(Restriction { columns, filter }) = self.restrictions.get(of) else {
            return Share { generated: self.generated, ..Share::default() };
        };
        let used = |text: &String| {
            let named = || filter::columns(text, &suspect.columns);
            self.used.get(of).cloned().unwrap_or_else(named)
        };
        Share {
            filter: filter.as_ref().map(used).unwrap_or_default(),
            list: (!columns.is_empty()).then(|| columns.iter().map(|column| column.as_str().to_owned()).collect()),
            generated: self.generated,
        }
    }

    fn publishes(&self, table: &QualifiedTable) -> bool {
        match self.scope {
            Scope::AllTables => true,
            Scope::Listed { tables, schemas } => tables.contains(table) || schemas.contains(&table.schema),
        }
    }
}
