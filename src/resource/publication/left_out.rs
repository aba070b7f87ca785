//! What the scope of a publication leaves out although it looks as if it had it, as far as a plan names it. Pure.

use serde::{Deserialize, Serialize};

use super::listing::{NAMES_SHOWN, few};
use crate::catalogue::unpublished::Unpublished;
use crate::postgres::QualifiedTable;
use crate::printable::printable_line;
use crate::terraform::{AttributePath, Diagnostic, Diagnostics};

/// Tables that are not published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeftOut {
    /// They inherit from a published table.
    children: Few,
    /// They are unlogged tables of a published schema.
    unlogged: Few,
    /// They are foreign tables of a published schema.
    foreign: Few,
}

/// A few names, and how many there are: what is stored must not grow with the number of tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Few {
    names: Vec<String>,
    number: usize,
}

impl Few {
    fn add(&mut self, table: &QualifiedTable) {
        self.number += 1;
        if self.names.len() < NAMES_SHOWN {
            self.names.push(printable_line(&table.name()));
        }
    }

    /// The names; `None`: there are none.
    fn listed(&self) -> Option<String> {
        (self.number > 0).then(|| few(&self.names.iter().collect::<Vec<_>>(), self.number))
    }
}

impl LeftOut {
    /// What was found.
    pub(super) fn of(found: Vec<(QualifiedTable, Unpublished)>) -> Self {
        let mut left_out = Self::default();
        for (table, reason) in found {
            match reason {
                Unpublished::Child => left_out.children.add(&table),
                Unpublished::Unlogged => left_out.unlogged.add(&table),
                Unpublished::Foreign => left_out.foreign.add(&table),
            }
        }
        left_out
    }

    /// What a plan says of it.
    pub(super) fn warnings(&self) -> Diagnostics {
        let mut warnings = Diagnostics::new();
        if let Some(children) = self.children.listed() {
            let detail = format!(
                "These tables inherit from a published table, but are not published themselves, so a pipe gets none of the rows that are \
                 stored in them: {children}. If they belong to the data, list them too: PostgreSQL publishes rows of the table in which \
                 they are stored, and only partitions are published with their root."
            );
            warnings.push(Diagnostic::warning("Inheriting tables are not published", detail).at(AttributePath::of("tables")));
        }
        let unlogged = self.unlogged.listed().map(|names| {
            format!("Unlogged tables write no WAL: {names}. To publish one, run ALTER TABLE ... SET LOGGED, which rewrites it.")
        });
        let foreign = self.foreign.listed().map(|names| {
            format!("The rows of foreign tables are on another server: {names}. To have them, let a pipe read from that server.")
        });
        let reasons: Vec<String> = unlogged.into_iter().chain(foreign).collect();
        if !reasons.is_empty() {
            let detail = format!("PostgreSQL does not publish all tables of the published schemas. {}", reasons.join(" "));
            let path = AttributePath::of("schemas");
            warnings.push(Diagnostic::warning("Tables of published schemas that are not published", detail).at(path));
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_tables_a_few_are_kept_and_all_are_counted() {
        let table = |number: usize| (format!("m.chunk_{number:04}").parse().unwrap(), Unpublished::Child);
        let left_out = LeftOut::of((0..1000).map(table).collect());
        assert_eq!(left_out.children.names.len(), NAMES_SHOWN);
        let warnings: Vec<_> = left_out.warnings().into_iter().collect();
        assert!(warnings.len() == 1 && warnings[0].detail.contains("m.chunk_0019 and 980 more"), "{warnings:?}");
        assert!(LeftOut::default().warnings().is_empty());
    }
}
