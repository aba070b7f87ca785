//! What a publication leaves out of a table: columns that its list does not have, rows that its filter does not pass. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::filter;
use super::remembered::Remembered;
use super::schema::{PublicationModel, TableOptions};
use crate::postgres::{Identifier, QualifiedTable};
use crate::printable::printable_line;
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics, keep_order};

/// What is published of a table, if not all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Restriction {
    /// These columns only; empty: all.
    pub(super) columns: BTreeSet<Identifier>,
    /// Rows for which this SQL expression is true only.
    pub(super) filter: Option<String>,
}

impl Restriction {
    fn is_none(&self) -> bool {
        self.columns.is_empty() && self.filter.is_none()
    }
}

/// The restricted tables of a publication.
pub(crate) type Restrictions = BTreeMap<QualifiedTable, Restriction>;

/// Restrictions that exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Restricted {
    /// A filter is the text that was applied, as far as it is that one still.
    pub(super) tables: Restrictions,
    /// The filters as the server writes them.
    pub(super) normalised: BTreeMap<QualifiedTable, String>,
}

impl Restricted {
    /// Whether a wanted restriction of a table is what exists. A filter may be written as it was applied, or as the server does.
    pub(super) fn is(&self, table: &QualifiedTable, wanted: Option<&Restriction>) -> bool {
        let none = Restriction::default();
        let (present, wanted) = (self.tables.get(table).unwrap_or(&none), wanted.unwrap_or(&none));
        let is_same_filter =
            present.filter == wanted.filter || wanted.filter.is_some() && self.normalised.get(table) == wanted.filter.as_ref();
        present.columns == wanted.columns && is_same_filter
    }

    /// What the server has, in the words of what was known `before`. `wanted` is what a change has just brought about, if this looks at
    /// its result.
    pub(super) fn seen(server: Restrictions, before: Option<&Self>, wanted: Option<&Restrictions>) -> Self {
        let none = Self::default();
        let before = before.unwrap_or(&none);
        let mut seen = Self { tables: server, ..Self::default() };
        for (table, restriction) in &mut seen.tables {
            let Some(filter) = restriction.filter.clone() else { continue };
            let known = before.normalised.get(table).zip(before.tables.get(table));
            let wanted = wanted.and_then(|wanted| wanted.get(table));
            let text = match (known, wanted.and_then(|wanted| wanted.filter.clone())) {
                // Not part of the change: what somebody else did meanwhile is left for the next refresh to see.
                (Some((known, _)), Some(text)) if before.is(table, wanted) => {
                    restriction.filter = Some(text);
                    seen.normalised.insert(table.clone(), known.clone());
                    continue;
                }
                (Some((known, applied)), _) if *known == filter => applied.filter.clone(),
                (_, text) => text,
            };
            restriction.filter = text.or_else(|| Some(filter.clone()));
            seen.normalised.insert(table.clone(), filter);
        }
        seen
    }
}

/// What a configuration lists.
#[derive(Clone, Copy)]
pub(super) struct Listed<'a> {
    /// `None`: not known yet.
    pub(super) tables: Option<&'a BTreeSet<QualifiedTable>>,
    /// Whether schemas are published too.
    pub(super) has_schemas: bool,
}

/// The restrictions in a configuration; `None`: not all is known yet.
///
/// # Errors
/// All faults at once, each with its attribute path.
pub(super) fn decode(model: &PublicationModel, listed: Listed<'_>) -> Result<Option<Restrictions>, Diagnostics> {
    let entries = match &model.table_options {
        Attr::Null => return Ok(Some(Restrictions::new())),
        Attr::Unknown => return Ok(None),
        Attr::Known(entries) => entries,
    };
    let mut faults = Diagnostics::new();
    let mut restrictions = Restrictions::new();
    let mut is_known = true;
    for (key, options) in entries {
        let path = AttributePath::of("table_options").key(key);
        match key.parse::<QualifiedTable>() {
            Err(fault) => faults.push(invalid("table name", path, &fault)),
            Ok(table) if listed.tables.is_some_and(|tables| !tables.contains(&table)) => {
                let detail =
                    format!("{} has options, but is not in `tables`. Add it there, or remove its options.", printable_line(key));
                faults.push(Diagnostic::error(format!("Options of a table that is not listed ({key})"), detail).at(path));
            }
            Ok(table) => match faults.absorb(restriction(options, &path, listed)) {
                Some(Some(restriction)) if !restriction.is_none() => {
                    restrictions.insert(table, restriction);
                }
                Some(None) => is_known = false,
                Some(Some(_)) | None => {}
            },
        }
    }
    faults.into_result()?;
    Ok(is_known.then_some(restrictions))
}

fn restriction(options: &TableOptions, path: &AttributePath, listed: Listed<'_>) -> Result<Option<Restriction>, Diagnostics> {
    let mut faults = Diagnostics::new();
    let mut columns = BTreeSet::new();
    for (index, column) in options.columns.known().into_iter().flatten().enumerate() {
        match Identifier::new(column.as_str()) {
            Ok(column) => drop(columns.insert(column)),
            Err(fault) => faults.push(invalid("column name", path.attribute("columns").index(index), &fault)),
        }
    }
    if options.columns.known().is_some_and(Vec::is_empty) {
        let detail =
            "PostgreSQL publishes at least one column of a table. Name columns, or remove the list to publish all of them.";
        faults.push(Diagnostic::error("No columns", detail).at(path.attribute("columns")));
    }
    if !columns.is_empty() && listed.has_schemas {
        let detail = "PostgreSQL has no lists of columns in a publication that publishes schemas. List the tables instead of the schemas, \
                      or remove `columns`.";
        faults.push(Diagnostic::error("A list of columns beside schemas", detail).at(path.attribute("columns")));
    }
    if let Some(fault) = options.r#where.known().and_then(|text| filter::fault(text)) {
        let detail = format!("The row filter {fault}. It must be one SQL expression, such as status <> 'draft'.");
        faults.push(Diagnostic::error("Invalid row filter", detail).at(path.attribute("where")));
    }
    faults.into_result()?;
    if options.columns.is_unknown() || options.r#where.is_unknown() {
        return Ok(None);
    }
    Ok(Some(Restriction { columns, filter: options.r#where.known().cloned() }))
}

fn invalid(what: &str, path: AttributePath, fault: &dyn std::error::Error) -> Diagnostic {
    Diagnostic::error(format!("Invalid {what}"), format!("{path}: {fault}.")).at(path)
}

/// The restrictions in a state. What it only shows, such as a name with a control character, is another one and will be set.
pub(super) fn stored(model: &PublicationModel, remembered: &Remembered) -> Restrictions {
    let entry = |(key, options): (&String, &TableOptions)| {
        let columns = options.columns.known().into_iter().flatten().filter_map(|column| Identifier::new(column.as_str()).ok());
        let restriction = Restriction { columns: columns.collect(), filter: options.r#where.known().cloned() };
        let table = remembered.table(key).ok()?;
        (!restriction.is_none()).then_some((table, restriction))
    };
    model.table_options.known().into_iter().flatten().filter_map(entry).collect()
}

/// The attribute's value: what exists, with names and orders as in `prior`.
pub(super) fn attribute(
    prior: &Attr<BTreeMap<String, TableOptions>>,
    restricted: &Restricted,
) -> Attr<BTreeMap<String, TableOptions>> {
    let written = prior.known();
    // An entry without content says the same as none.
    let empty = |options: &TableOptions| options.columns.is_null() && options.r#where.is_null();
    let kept = written.into_iter().flatten().filter(|(_, options)| empty(options));
    let mut shown: BTreeMap<String, TableOptions> = kept.map(|(key, options)| (key.clone(), options.clone())).collect();
    for (table, restriction) in &restricted.tables {
        let name = table.name();
        let key = if written.is_some_and(|written| written.contains_key(&name)) { name } else { printable_line(&name) };
        let before = written.and_then(|written| written.get(&key));
        let columns = || columns(before.and_then(|before| before.columns.known()), &restriction.columns);
        let before = before.and_then(|before| before.r#where.known());
        let text = |text: &String| if before == Some(text) { text.clone() } else { printable_line(text) };
        let options = TableOptions {
            columns: (!restriction.columns.is_empty()).then(columns).into(),
            r#where: restriction.filter.as_ref().map(text).into(),
        };
        shown.insert(key, options);
    }
    if shown.is_empty() && written.is_none() { Attr::Null } else { shown.into() }
}

fn columns(prior: Option<&Vec<String>>, present: &BTreeSet<Identifier>) -> Vec<String> {
    let none = Vec::new();
    let prior = prior.unwrap_or(&none);
    let shown = |column: &Identifier| {
        let name = column.as_str().to_owned();
        if prior.contains(&name) { name } else { printable_line(&name) }
    };
    keep_order(prior, &present.iter().map(shown).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(text: &str) -> Restrictions {
        let restriction = Restriction { filter: Some(text.to_owned()), ..Restriction::default() };
        [("a.b".parse().unwrap(), restriction)].into()
    }

    #[test]
    fn a_filter_keeps_the_words_in_which_it_was_applied() {
        let table = "a.b".parse().unwrap();
        let is = |seen: &Restricted, text: &str| seen.is(&table, filtered(text).get(&table));
        let imported = Restricted::seen(filtered("(id > 1)"), None, None);
        assert!(is(&imported, "(id > 1)") && !is(&imported, "id>1") && !imported.is(&table, None));

        let applied = Restricted::seen(filtered("(id > 1)"), Some(&imported), Some(&filtered("id>1")));
        assert_eq!(applied.normalised[&table], "(id > 1)");
        let refreshed = Restricted::seen(filtered("(id > 1)"), Some(&Restricted { tables: filtered("id>1"), ..applied }), None);
        assert!(is(&refreshed, "id>1") && is(&refreshed, "(id > 1)"));

        let drifted = Restricted::seen(filtered("(id > 2)"), Some(&refreshed), None);
        assert!(!is(&drifted, "id>1") && is(&drifted, "(id > 2)"));
        // Somebody changed it while something else was applied.
        let raced = Restricted::seen(filtered("(id > 2)"), Some(&refreshed), Some(&filtered("id>1")));
        assert_eq!(raced.normalised[&table], "(id > 1)");
    }
}
