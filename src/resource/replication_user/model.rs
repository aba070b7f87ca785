//! A configuration or state as typed names, with every fault of it at once.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::postgres::{Identifier, QualifiedTable};
use crate::resource::Timeouts;
use crate::resource::replication_user::schema::ReplicationUserModel;
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// What the role shall be and be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Desired {
    pub(crate) name: Identifier,
    pub(crate) database: Identifier,
    pub(crate) schemas: Vec<Identifier>,
    pub(crate) tables: Vec<QualifiedTable>,
    /// `None`: the owners found.
    pub(crate) table_owners: Option<Vec<Identifier>>,
    pub(crate) include_views: bool,
    /// `None`: whatever is there.
    pub(crate) connection_limit: Option<i64>,
    pub(crate) password_version: Option<i64>,
}

impl Desired {
    /// Decodes a configuration or state. `None` when an input that statements depend on is not known yet.
    ///
    /// # Errors
    /// Every fault, each with its attribute.
    pub(crate) fn decode(model: &ReplicationUserModel) -> Result<Option<Self>, Diagnostics> {
        let mut faults = Diagnostics::new();
        let name = faults.absorb(identifier(&model.name, "name")).flatten();
        let database = faults.absorb(identifier(&model.database, "database")).flatten();
        let schemas = faults.absorb(names(&model.schemas, "schemas")).flatten();
        let tables = faults.absorb(names(&model.tables, "tables")).flatten();
        let table_owners = faults.absorb(names(&model.table_owners, "table_owners")).flatten();
        if let Some(name) = name.as_ref().filter(|name| name.as_str().starts_with("pg_")) {
            let detail =
                format!("The name {name} begins with pg_, which PostgreSQL reserves for its own roles. Choose another one.");
            faults.push(Diagnostic::error("Reserved role name", detail).at(AttributePath::of("name")));
        }
        if let Some(limit) = model.connection_limit.known().filter(|limit| i32::try_from(**limit).is_err() || **limit < -1) {
            let detail = format!("Attribute connection_limit: {limit} is out of range. It is -1 (no limit) or a number from 0.");
            faults.push(Diagnostic::error("Invalid connection limit", detail).at(AttributePath::of("connection_limit")));
        }
        faults.into_result()?;
        let unknown = model.include_views.is_unknown()
            || model.password_wo_version.is_unknown()
            || model.table_owners.is_unknown()
            || model.connection_limit.is_unknown();
        let (Some(name), Some(database), Some(schemas), Some(tables), false) = (name, database, schemas, tables, unknown) else {
            return Ok(None);
        };
        Ok(Some(Self {
            name,
            database,
            schemas,
            tables,
            table_owners: table_owners.filter(|_| !model.table_owners.is_null()),
            include_views: model.include_views.known_or(false),
            connection_limit: model.connection_limit.known().copied(),
            password_version: model.password_wo_version.known().copied(),
        }))
    }

    /// Tables that no schema of the list covers.
    pub(crate) fn single_tables(&self) -> impl Iterator<Item = &QualifiedTable> {
        self.tables.iter().filter(|table| !self.schemas.contains(&table.schema))
    }

    /// Schemas of those tables, each once, in the order of the list.
    pub(crate) fn single_table_schemas(&self) -> Vec<&Identifier> {
        let mut seen = BTreeSet::new();
        self.single_tables().map(|table| &table.schema).filter(|schema| seen.insert(*schema)).collect()
    }
}

/// Checks a configuration by itself.
pub(crate) fn validate(config: &ReplicationUserModel) -> Diagnostics {
    let mut faults = Timeouts::validate(&config.timeouts);
    if let Err(invalid) = Desired::decode(config) {
        faults.extend(invalid);
    }
    if config.password_wo.is_null() && config.password_wo_version.known().is_some() {
        let detail = "password_wo_version says which password is meant; give the password itself in password_wo.";
        faults.push(Diagnostic::error("Password missing", detail).at(AttributePath::of("password_wo")));
    }
    if config.password_wo.known().is_some_and(|password| password.is_empty()) {
        let detail = "Attribute password_wo is empty. PostgreSQL lets nobody log in with an empty password.";
        faults.push(Diagnostic::error("Empty password", detail).at(AttributePath::of("password_wo")));
    }
    faults
}

/// One name; `None` while unknown.
fn identifier(value: &Attr<String>, attribute: &str) -> Result<Option<Identifier>, Diagnostics> {
    value.known().map(|text| decode_name(text, &AttributePath::of(attribute))).transpose()
}

/// A list of names without duplicates; `None` while unknown, empty for null.
fn names<T>(value: &Attr<Vec<String>>, attribute: &str) -> Result<Option<Vec<T>>, Diagnostics>
where
    T: FromStr<Err: std::error::Error> + Ord + Clone,
{
    let texts = match value {
        Attr::Unknown => return Ok(None),
        Attr::Null => return Ok(Some(Vec::new())),
        Attr::Known(texts) => texts,
    };
    let mut faults = Diagnostics::new();
    let mut seen = BTreeSet::new();
    let mut decoded = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        if faults.has_enough_errors() {
            break;
        }
        let path = AttributePath::of(attribute).index(index);
        let Some(name) = faults.absorb(decode_name::<T>(text, &path)) else { continue };
        if seen.insert(name.clone()) {
            decoded.push(name);
        } else {
            faults
                .push(Diagnostic::error("Listed twice", format!("Attribute {path}: {text:?} is in the list already.")).at(path));
        }
    }
    faults.into_result().map(|_| Some(decoded))
}

fn decode_name<T: FromStr<Err: std::error::Error>>(text: &str, path: &AttributePath) -> Result<T, Diagnostics> {
    text.parse().map_err(|fault: T::Err| {
        let mut diagnostic = Diagnostic::from_error("Invalid name", &fault);
        diagnostic.detail = format!("Attribute {path}: {}.", diagnostic.detail);
        diagnostic.at(path.clone()).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn config() -> ReplicationUserModel {
        ReplicationUserModel { name: "u".into(), database: "app".into(), ..ReplicationUserModel::default() }
    }

    fn list(names: &[&str]) -> Attr<Vec<String>> {
        names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>().into()
    }

    #[test]
    fn every_fault_is_reported_with_its_attribute() {
        let faults = validate(&ReplicationUserModel {
            name: "pg_x".into(),
            database: "".into(),
            schemas: list(&["a", "a"]),
            tables: list(&["a.b", "c", "a.b.c"]),
            connection_limit: (-2).into(),
            password_wo_version: 1.into(),
            ..ReplicationUserModel::default()
        });
        let paths: BTreeSet<String> = faults.iter().filter_map(|fault| fault.path.as_ref()).map(ToString::to_string).collect();
        let expected = ["connection_limit", "database", "name", "password_wo", "schemas[1]", "tables[1]", "tables[2]"];
        assert_eq!(paths, expected.map(str::to_owned).into());
    }

    #[test]
    fn an_unknown_input_is_no_fault_but_nothing_can_be_said_yet() {
        for model in [
            ReplicationUserModel { schemas: Attr::Unknown, ..config() },
            ReplicationUserModel { name: Attr::Unknown, ..config() },
            ReplicationUserModel { table_owners: Attr::Unknown, ..config() },
        ] {
            assert!(validate(&model).is_empty());
            assert_eq!(Desired::decode(&model), Ok(None));
        }
    }

    #[test]
    fn an_unknown_password_does_not_hide_the_statements() {
        let model = ReplicationUserModel { password_wo: Attr::Unknown, password_wo_version: 1.into(), ..config() };
        assert!(validate(&model).is_empty());
        assert!(Desired::decode(&model).unwrap().is_some());
        let empty = ReplicationUserModel { password_wo: Secret::new("").into(), ..config() };
        assert!(validate(&empty).has_errors());
    }

    #[test]
    fn a_version_that_is_not_known_yet_may_still_be_null_and_misses_no_password() {
        let of = |version| validate(&ReplicationUserModel { password_wo_version: version, ..config() });
        assert!(of(Attr::Unknown).is_empty());
        assert!(of(1.into()).iter().any(|fault| fault.summary == "Password missing"));
    }

    #[test]
    fn a_table_of_a_listed_schema_needs_nothing_of_its_own() {
        let model = ReplicationUserModel { schemas: list(&["s"]), tables: list(&["s.a", "t.b", "t.c"]), ..config() };
        let desired = Desired::decode(&model).unwrap().unwrap();
        assert_eq!(desired.single_tables().map(QualifiedTable::name).collect::<Vec<_>>(), ["t.b", "t.c"]);
        assert_eq!(desired.single_table_schemas().len(), 1);
    }
}
