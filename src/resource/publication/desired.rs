//! What a configuration asks for, or the arguments of a state say, in types that cannot be wrong. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::remembered::Remembered;
use super::restriction::{self, Listed, Restrictions};
use super::schema::PublicationModel;
use crate::names::{self, import_id};
use crate::postgres::{Identifier, QualifiedTable};
use crate::resource::change::fingerprint;
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// What is published.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// Every table of the database.
    AllTables,
    /// Listed tables and the tables of listed schemas.
    Listed { tables: BTreeSet<QualifiedTable>, schemas: BTreeSet<Identifier> },
}

/// Which operations are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Publish {
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

    /// True when UPDATE or DELETE would fail on a table without a replica identity.
    pub(super) fn needs_identity(self) -> bool {
        self.update || self.delete
    }

    fn from_set(names: &BTreeSet<String>) -> Result<Self, Diagnostics> {
        if let Some(unknown) = names.iter().find(|name| !["insert", "update", "delete", "truncate"].contains(&name.as_str())) {
            let detail = format!("publish: {unknown:?} is not an operation. Use insert, update, delete or truncate.");
            return Err(Diagnostic::error("Unknown operation", detail).at(AttributePath::of("publish")).into());
        }
        let has = |name: &str| names.contains(name);
        Ok(Self { insert: has("insert"), update: has("update"), delete: has("delete"), truncate: has("truncate") })
    }
}

/// A publication as a configuration wants it, or as the arguments of a state say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Desired {
    pub(super) name: Identifier,
    pub(super) database: Identifier,
    /// `None`: the one in the provider block.
    pub(super) cluster: Option<String>,
    pub(super) scope: Scope,
    /// Row filters and column lists of listed tables.
    pub(super) restrictions: Restrictions,
    /// `None`: the current value is kept; all operations on create.
    pub(super) publish: Option<Publish>,
    /// `None`: the current value is kept; what the server offers on create.
    pub(super) via_root: Option<bool>,
    /// Whether generated columns that are stored are published. `None`: the current value is kept; they are not on create.
    pub(super) generated: Option<bool>,
    /// `None`: the current owner is kept; the provider's role on create.
    pub(super) owner: Option<Identifier>,
    /// The listed tables as in the configuration, for the paths of messages; empty for a state, because no message points into
    /// it.
    pub(super) written: Vec<String>,
    /// Consent that is known only at apply does not block a plan: it counts as given.
    pub(super) allow_tables_without_replica_identity: bool,
    pub(super) allow_scope_replacement: bool,
    pub(super) force_destroy: bool,
}

impl Desired {
    /// Whether no table would be published.
    pub(super) fn publishes_nothing(&self) -> bool {
        matches!(&self.scope, Scope::Listed { tables, schemas } if tables.is_empty() && schemas.is_empty())
    }

    /// Its import id.
    pub(super) fn id(&self) -> String {
        import_id(self.cluster.as_ref(), self.database.as_str(), self.name.as_str())
    }

    /// The same with the values of a state where this one keeps them.
    pub(super) fn completed(&self, of_state: &Self) -> Self {
        let (publish, via_root) = (self.publish.or(of_state.publish), self.via_root.or(of_state.via_root));
        let generated = self.generated.or(of_state.generated);
        Self { publish, via_root, generated, owner: self.owner.clone().or_else(|| of_state.owner.clone()), ..self.clone() }
    }

    /// What operations depend on.
    pub(super) fn fingerprint(&self) -> u64 {
        fingerprint(&(&self.name, &self.scope, &self.restrictions, self.publish, self.via_root, self.generated, &self.owner))
    }

    /// Decodes a configuration. `Ok(None)`: a value that matters is not known yet.
    ///
    /// # Errors
    /// All faults at once, each with its attribute path.
    pub(super) fn decode(model: &PublicationModel) -> Result<Option<Self>, Diagnostics> {
        let mut faults = Diagnostics::new();
        let scope = scope(model);
        let none = BTreeSet::new();
        let listed = match &scope {
            Ok(Some(Scope::Listed { tables, schemas })) => Listed { tables: Some(tables), has_schemas: !schemas.is_empty() },
            Ok(Some(Scope::AllTables)) => Listed { tables: Some(&none), has_schemas: false },
            _ => Listed { tables: None, has_schemas: false },
        };
        let restrictions = faults.absorb(restriction::decode(model, listed)).flatten();
        let desired = faults.absorb(Self::with(model, scope, generated(&model.publish_generated_columns))).flatten();
        faults.into_result()?;
        let written = model.tables.known().cloned().unwrap_or_default();
        Ok(desired.zip(restrictions).map(|(desired, restrictions)| Self { written, restrictions, ..desired }))
    }

    /// Decodes a state. That of an import has no scope yet; in others a name may have dots.
    ///
    /// # Errors
    /// All faults at once, each with its attribute path.
    pub(super) fn decode_state(model: &PublicationModel, remembered: Option<&Remembered>) -> Result<Option<Self>, Diagnostics> {
        let none = Remembered::default();
        let remembered = remembered.unwrap_or(&none);
        // No word makes a state unreadable.
        let generated = generated(&model.publish_generated_columns).unwrap_or_default();
        let desired = Self::with(model, stored_scope(model, remembered).map(Some), Ok(generated))?;
        Ok(desired.map(|desired| Self { restrictions: restriction::stored(model, remembered), ..desired }))
    }

    fn with(
        model: &PublicationModel,
        scope: Result<Option<Scope>, Diagnostics>,
        generated: Result<Option<bool>, Diagnostics>,
    ) -> Result<Option<Self>, Diagnostics> {
        let mut faults = Diagnostics::new();
        let name = faults.absorb(names::name(&model.name, "name")).flatten();
        let database = faults.absorb(names::name(&model.database, "database")).flatten();
        let cluster = faults.absorb(names::cluster(&model.cluster_identifier)).flatten();
        let owner = faults.absorb(names::name(&model.owner, "owner")).flatten();
        let scope = faults.absorb(scope).flatten();
        let generated = faults.absorb(generated).flatten();
        let publish = match &model.publish {
            Attr::Known(names) => faults.absorb(Publish::from_set(names)),
            _ => None,
        };
        faults.into_result()?;
        let of_words = [&model.publish_generated_columns, &model.owner].into_iter().any(Attr::is_unknown);
        let unknown = of_words || model.publish.is_unknown() || model.publish_via_partition_root.is_unknown();
        let (Some(name), Some(database), Some(cluster)) = (name, database, cluster) else { return Ok(None) };
        let (Some(scope), false) = (scope, unknown) else { return Ok(None) };
        let consent = |given: &Attr<bool>| matches!(given, Attr::Known(true) | Attr::Unknown);
        Ok(Some(Self {
            name,
            database,
            cluster,
            scope,
            restrictions: Restrictions::new(),
            publish,
            via_root: model.publish_via_partition_root.known().copied(),
            generated,
            owner,
            written: Vec::new(),
            allow_tables_without_replica_identity: consent(&model.allow_tables_without_replica_identity),
            allow_scope_replacement: consent(&model.allow_scope_replacement),
            force_destroy: model.force_destroy == Attr::Known(true),
        }))
    }
}

/// The value for which stored generated columns are published, and the other one.
pub(super) fn generated_name(are_published: bool) -> &'static str {
    if are_published { "stored" } else { "none" }
}

fn generated(value: &Attr<String>) -> Result<Option<bool>, Diagnostics> {
    match value.known().map(String::as_str) {
        None => Ok(None),
        Some("none") => Ok(Some(false)),
        Some("stored") => Ok(Some(true)),
        Some(other) => {
            let detail = format!("publish_generated_columns: {other:?} is neither \"none\" nor \"stored\".");
            Err(Diagnostic::error("Invalid value", detail).at(AttributePath::of("publish_generated_columns")).into())
        }
    }
}

/// The scope in a state. Null lists are empty.
fn stored_scope(model: &PublicationModel, remembered: &Remembered) -> Result<Scope, Diagnostics> {
    if model.all_tables == Attr::Known(true) {
        return Ok(Scope::AllTables);
    }
    let tables = names::names(&model.tables, "tables", "table name", |name| remembered.table(name))?;
    let schemas = names::names(&model.schemas, "schemas", "schema name", |name| remembered.schema(name))?;
    let (tables, schemas) = (tables.into_iter().flatten().collect(), schemas.into_iter().flatten().collect());
    Ok(Scope::Listed { tables, schemas })
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
            let detail = "Say what to publish: tables, schemas, or all_tables = true. (tables = [] publishes nothing.)";
            return Err(Diagnostic::error("No scope", detail).at(AttributePath::of("tables")).into());
        }
        _ => {}
    }
    let mut faults = Diagnostics::new();
    let tables = faults.absorb(names::names(&model.tables, "tables", "table name", str::parse::<QualifiedTable>));
    let schemas = faults.absorb(names::names(&model.schemas, "schemas", "schema name", Identifier::new));
    faults.into_result()?;
    let (Some(Some(tables)), Some(Some(schemas))) = (tables, schemas) else { return Ok(None) };
    Ok(Some(Scope::Listed { tables: tables.into_iter().collect(), schemas: schemas.into_iter().collect() }))
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
        let nothing = PublicationModel { tables: Vec::new().into(), ..base() };
        assert!(Desired::decode(&nothing).unwrap().is_some(), "an empty list says that nothing is published");
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
