//! What a configuration asks for, typed. Pure.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::schema::PublicationModel;
use crate::postgres::{Identifier, QualifiedTable};
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// What is published.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    /// Every table of the database.
    AllTables,
    /// Listed tables and the tables of listed schemas.
    Listed { tables: BTreeSet<QualifiedTable>, schemas: BTreeSet<Identifier> },
}

/// Which operations are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Publish {
    pub(super) insert: bool,
    pub(super) update: bool,
    pub(super) delete: bool,
    pub(super) truncate: bool,
}

impl Publish {
    pub(super) const ALL: Self = Self { insert: true, update: true, delete: true, truncate: true };

    /// The names of what is published, in the order in which PostgreSQL's manual lists them.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        [("insert", self.insert), ("update", self.update), ("delete", self.delete), ("truncate", self.truncate)]
            .into_iter()
            .filter_map(|(name, published)| published.then_some(name))
    }

    /// The attribute's value.
    pub(super) fn to_set(self) -> BTreeSet<String> {
        self.names().map(str::to_owned).collect()
    }

    /// True when a table without replica identity would lose its UPDATEs or DELETEs.
    pub(super) fn needs_identity(self) -> bool {
        self.update || self.delete
    }

    fn from_set(names: &BTreeSet<String>) -> Result<Self, Diagnostics> {
        if let Some(unknown) = names.iter().find(|name| !["insert", "update", "delete", "truncate"].contains(&name.as_str())) {
            let detail = format!("publish: {unknown:?} is no operation; each must be one of insert, update, delete, truncate.");
            return Err(Diagnostic::error("Unknown operation", detail).at(AttributePath::of("publish")).into());
        }
        let has = |name: &str| names.contains(name);
        Ok(Self { insert: has("insert"), update: has("update"), delete: has("delete"), truncate: has("truncate") })
    }
}

/// A publication as wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Desired {
    pub(super) name: Identifier,
    pub(super) scope: Scope,
    /// `None`: what is there stays; all operations on create.
    pub(super) publish: Option<Publish>,
    /// `None`: what is there stays; what the server offers on create.
    pub(super) via_root: Option<bool>,
}

impl Desired {
    /// Tells configurations apart. Another build may give another number; then a drift is taken for a change.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }

    /// Decodes a model. `Ok(None)`: a value that matters is not known yet.
    ///
    /// # Errors
    /// All faults at once, each with its attribute path.
    pub(super) fn decode(model: &PublicationModel) -> Result<Option<Self>, Diagnostics> {
        let mut faults = Diagnostics::new();
        let name = faults.absorb(identifier(&model.name, &AttributePath::of("name"))).flatten();
        faults.absorb(identifier(&model.database, &AttributePath::of("database")));
        let scope = faults.absorb(scope(model)).flatten();
        let publish = match &model.publish {
            Attr::Known(names) => faults.absorb(Publish::from_set(names)),
            _ => None,
        };
        faults.into_result()?;
        let (Some(name), Some(scope)) = (name, scope) else { return Ok(None) };
        Ok(Some(Self { name, scope, publish, via_root: model.publish_via_partition_root.known().copied() }))
    }
}

fn identifier(attribute: &Attr<String>, path: &AttributePath) -> Result<Option<Identifier>, Diagnostics> {
    let Some(text) = attribute.known() else { return Ok(None) };
    let invalid = |error| Diagnostic::error("Invalid name", format!("Attribute {path}: {error}.")).at(path.clone());
    Identifier::new(text).map(Some).map_err(|error| invalid(error).into())
}

fn scope(model: &PublicationModel) -> Result<Option<Scope>, Diagnostics> {
    let listed = !model.tables.is_null() || !model.schemas.is_null();
    let second = [("tables", &model.tables), ("schemas", &model.schemas)].into_iter().find(|(_, list)| list.known().is_some());
    match (&model.all_tables, second) {
        (Attr::Known(true), Some((other, _))) => {
            let detail = format!("all_tables = true already publishes every table: remove it or {other}.");
            return Err(Diagnostic::error("Two scopes", detail).at(AttributePath::of(other)).into());
        }
        // What is unknown may still turn out to be null.
        (Attr::Known(true), None) if listed => return Ok(None),
        _ => {}
    }
    match model.all_tables {
        Attr::Known(true) => return Ok(Some(Scope::AllTables)),
        Attr::Unknown if !listed => return Ok(None),
        _ if !listed => {
            let detail = "Say what to publish: tables, schemas, or all_tables = true.";
            return Err(Diagnostic::error("No scope", detail).at(AttributePath::of("tables")).into());
        }
        _ => {}
    }
    let mut faults = Diagnostics::new();
    let tables = faults.absorb(members(&model.tables, "tables", "table"));
    let schemas = faults.absorb(members(&model.schemas, "schemas", "schema"));
    faults.into_result()?;
    let (Some(Some(tables)), Some(Some(schemas))) = (tables, schemas) else { return Ok(None) };
    if tables.is_empty() && schemas.is_empty() {
        let detail = "The lists are empty: nothing would be published. Name a table or a schema.";
        return Err(Diagnostic::error("No scope", detail).at(AttributePath::of("tables")).into());
    }
    Ok(Some(Scope::Listed { tables, schemas }))
}

/// The members of a list; null is empty, and unknown is `None`.
fn members<T: std::str::FromStr + Ord>(
    list: &Attr<Vec<String>>,
    attribute: &str,
    what: &str,
) -> Result<Option<BTreeSet<T>>, Diagnostics>
where
    T::Err: std::error::Error,
{
    let names = match list {
        Attr::Null => return Ok(Some(BTreeSet::new())),
        Attr::Unknown => return Ok(None),
        Attr::Known(names) => names,
    };
    let mut faults = Diagnostics::new();
    let mut decoded = BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        match name.parse() {
            Ok(member) => {
                decoded.insert(member);
            }
            Err(error) => {
                let mut diagnostic = Diagnostic::from_error(format!("Invalid {what} name"), &error);
                diagnostic.detail.push('.');
                faults.push(diagnostic.at(AttributePath::of(attribute).index(index)));
                if faults.has_enough_errors() {
                    break;
                }
            }
        }
    }
    faults.into_result().map(|_| Some(decoded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> PublicationModel {
        PublicationModel { name: "p".into(), database: "app".into(), ..PublicationModel::default() }
    }

    #[track_caller]
    fn fault(model: &PublicationModel) -> String {
        let faults = Desired::decode(model).unwrap_err();
        let first = faults.iter().next().unwrap();
        format!("{}: {}", first.path.clone().unwrap_or_default(), first.summary)
    }

    #[test]
    fn exactly_one_scope() {
        assert_eq!(fault(&base()), "tables: No scope");
        assert_eq!(fault(&PublicationModel { tables: Vec::new().into(), ..base() }), "tables: No scope");
        let both = PublicationModel { all_tables: true.into(), schemas: vec!["a".to_owned()].into(), ..base() };
        assert_eq!(fault(&both), "schemas: Two scopes");
    }

    #[test]
    fn a_table_that_cannot_be_written_is_named_with_its_position() {
        let tables = vec!["public.a".to_owned(), "public.b.c".to_owned()];
        assert_eq!(fault(&PublicationModel { tables: tables.into(), ..base() }), "tables[1]: Invalid table name");
    }

    #[test]
    fn unknown_inputs_are_no_fault() {
        assert_eq!(Desired::decode(&PublicationModel { tables: Attr::Unknown, ..base() }), Ok(None));
        assert_eq!(Desired::decode(&PublicationModel { all_tables: Attr::Unknown, ..base() }), Ok(None));
        let either = PublicationModel { all_tables: true.into(), schemas: Attr::Unknown, ..base() };
        assert_eq!(Desired::decode(&either), Ok(None));
    }

    #[test]
    fn an_unknown_operation_is_refused() {
        let publish = BTreeSet::from(["upsert".to_owned()]);
        let model = PublicationModel { all_tables: true.into(), publish: publish.into(), ..base() };
        assert_eq!(fault(&model), "publish: Unknown operation");
    }
}
