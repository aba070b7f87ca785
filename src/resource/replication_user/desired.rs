//! What a configuration asks for, or the arguments of a state say, in types that cannot be wrong. Pure.

use std::collections::BTreeSet;

use crate::catalogue::validity::ValidUntil;
use crate::names::{self, import_id};
use crate::postgres::{Identifier, QualifiedTable};
use crate::resource::replication_user::schema::ReplicationUserModel;
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// How a role logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Authentication {
    /// With its password.
    Password,
    /// With IAM tokens.
    Iam,
}

impl Authentication {
    /// As configurations and states write it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Iam => "iam",
        }
    }

    fn decode(value: &Attr<String>) -> Result<Option<Self>, Diagnostics> {
        match value {
            Attr::Unknown => Ok(None),
            // So it was before there was the attribute.
            Attr::Null => Ok(Some(Self::Password)),
            Attr::Known(word) => match [Self::Password, Self::Iam].into_iter().find(|one| one.word() == word) {
                Some(one) => Ok(Some(one)),
                None => {
                    Err(Diagnostic::invalid("authentication", format!("{word:?} is neither \"password\" nor \"iam\"")).into())
                }
            },
        }
    }
}

/// The wanted role and its privileges.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Desired {
    pub(crate) name: Identifier,
    pub(crate) database: Identifier,
    /// `None`: the one in the provider block.
    pub(crate) cluster: Option<String>,
    pub(crate) authentication: Authentication,
    pub(crate) schemas: Vec<Identifier>,
    pub(crate) tables: Vec<QualifiedTable>,
    /// `None`: the owners found.
    pub(crate) table_owners: Option<Vec<Identifier>>,
    pub(crate) include_views: bool,
    /// `None`: the current value is kept.
    pub(crate) connection_limit: Option<i64>,
    /// `None`: the current value is kept.
    pub(crate) valid_until: Option<ValidUntil>,
    pub(crate) password_version: Option<i64>,
    /// Whether a password is given, or will be.
    pub(crate) has_password: bool,
    /// Whether an existing role is taken over; `None` while unknown.
    pub(crate) adopt: Option<bool>,
}

impl Desired {
    /// Its import id.
    pub(crate) fn id(&self) -> String {
        import_id(self.cluster.as_ref(), self.database.as_str(), self.name.as_str())
    }

    /// Decodes a configuration or state. `None` when an input that statements depend on is not known yet.
    ///
    /// # Errors
    /// Every fault, each with its attribute.
    pub(crate) fn decode(model: &ReplicationUserModel) -> Result<Option<Self>, Diagnostics> {
        let mut faults = Diagnostics::new();
        let name = faults.absorb(names::name(&model.name, "name")).flatten();
        let database = faults.absorb(names::name(&model.database, "database")).flatten();
        let cluster = faults.absorb(names::cluster(&model.cluster_identifier)).flatten();
        let authentication = faults.absorb(Authentication::decode(&model.authentication)).flatten();
        let schemas = faults.absorb(names::names(&model.schemas, "schemas", "schema name", Identifier::new)).flatten();
        let tables = faults.absorb(names::names(&model.tables, "tables", "table name", str::parse::<QualifiedTable>)).flatten();
        let table_owners =
            faults.absorb(names::names(&model.table_owners, "table_owners", "role name", Identifier::new)).flatten();
        if let Some(name) = name.as_ref().filter(|name| name.as_str().starts_with("pg_")) {
            let detail =
                format!("The name {name} begins with pg_, which PostgreSQL reserves for its own roles. Choose another name.");
            faults.push(Diagnostic::error("Reserved role name", detail).at(AttributePath::of("name")));
        }
        if let Some(limit) = model.connection_limit.known().filter(|limit| i32::try_from(**limit).is_err() || **limit < -1) {
            let detail =
                format!("Attribute connection_limit: {limit} is out of range. Use -1 (no limit), 0 or a positive number.");
            faults.push(Diagnostic::error("Invalid connection limit", detail).at(AttributePath::of("connection_limit")));
        }
        let valid_until = match model.valid_until.known().map(|text| text.parse::<ValidUntil>()) {
            None => None,
            Some(Ok(valid_until)) => Some(valid_until),
            Some(Err(fault)) => {
                let detail = format!("Attribute valid_until: {fault}, and it is not \"infinity\".");
                faults.push(Diagnostic::error("Invalid time", detail).at(AttributePath::of("valid_until")));
                None
            }
        };
        faults.into_result()?;
        let unknown = model.include_views.is_unknown()
            || model.password_wo_version.is_unknown()
            || model.table_owners.is_unknown()
            || model.connection_limit.is_unknown()
            || model.valid_until.is_unknown();
        let (Some(name), Some(database), Some(cluster)) = (name, database, cluster) else { return Ok(None) };
        let (Some(schemas), Some(tables), false) = (schemas, tables, unknown) else { return Ok(None) };
        let Some(authentication) = authentication else { return Ok(None) };
        Ok(Some(Self {
            name,
            database,
            cluster,
            authentication,
            schemas,
            tables,
            table_owners: table_owners.filter(|_| !model.table_owners.is_null()),
            include_views: model.include_views == Attr::Known(true),
            connection_limit: model.connection_limit.known().copied(),
            valid_until,
            password_version: model.password_wo_version.known().copied(),
            has_password: authentication == Authentication::Password && !model.password_wo.is_null(),
            adopt: (!model.adopt_existing.is_unknown()).then_some(model.adopt_existing == Attr::Known(true)),
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

/// Rules for the password of a configuration, which no state contains.
pub(crate) fn validate(config: &ReplicationUserModel) -> Diagnostics {
    let mut faults = reserved(config);
    if config.authentication.known().is_some_and(|word| word == Authentication::Iam.word()) {
        faults.extend(password_beside_iam(config));
        return faults;
    }
    if config.password_wo.is_null() && config.password_wo_version.known().is_some() {
        let detail = "password_wo_version is set without a password. Set the password in password_wo.";
        faults.push(Diagnostic::error("Password missing", detail).at(AttributePath::of("password_wo")));
    }
    // A password that is not known yet may still be null.
    if config.password_wo.known().is_some() && config.password_wo_version.is_null() {
        let detail = "password_wo is set without password_wo_version, so a later change of the password would not be detected. Set \
                      password_wo_version = 1, and change it with the password.";
        faults.push(Diagnostic::error("Password version missing", detail).at(AttributePath::of("password_wo_version")));
    }
    if config.password_wo.known().is_some_and(|password| password.is_empty()) {
        let detail = "Attribute password_wo is empty. PostgreSQL does not allow logins with an empty password. Set a password.";
        faults.push(Diagnostic::error("Empty password", detail).at(AttributePath::of("password_wo")));
    }
    faults
}

/// A password that nobody could log in with.
fn password_beside_iam(config: &ReplicationUserModel) -> Diagnostics {
    let given = [
        ("password_wo", config.password_wo.known().is_some()),
        ("password_wo_version", config.password_wo_version.known().is_some()),
    ];
    let refuse = |name| {
        let detail = format!(
            "Attribute {name}: with authentication = \"iam\" the role logs in with tokens only, and has no password. Remove it, or set \
             authentication = \"password\"."
        );
        Diagnostic::error("Password beside IAM authentication", detail).at(AttributePath::of(name))
    };
    given.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| refuse(name)).collect()
}

/// Words that stand for other roles where a role is named.
const RESERVED_ROLES: [&str; 6] = ["public", "none", "current_role", "current_user", "session_user", "user"];

/// Names that mean something else to the server, or belong to it.
fn reserved(config: &ReplicationUserModel) -> Diagnostics {
    let mut faults = Diagnostics::new();
    if let Some(name) = config.name.known().filter(|name| RESERVED_ROLES.contains(&name.as_str())) {
        let detail = format!("In PostgreSQL, the name {name:?} stands for another role, or for none. Choose another name.");
        faults.push(Diagnostic::error("Reserved role name", detail).at(AttributePath::of("name")));
    }
    let is_system = |schema: &str| schema == "information_schema" || schema.starts_with("pg_");
    let mut refuse = |path: AttributePath, schema: &str| {
        let detail = format!(
            "Attribute {path}: the schema {schema:?} belongs to PostgreSQL. Its tables cannot be replicated, and every role reads those \
             that it may. Remove it."
        );
        faults.push(Diagnostic::error("System schema", detail).at(path));
    };
    for (index, schema) in config.schemas.known().into_iter().flatten().enumerate().filter(|(_, schema)| is_system(schema)) {
        refuse(AttributePath::of("schemas").index(index), schema);
    }
    for (index, table) in config.tables.known().into_iter().flatten().enumerate() {
        if let Some((schema, _)) = table.split_once('.').filter(|(schema, _)| is_system(schema)) {
            refuse(AttributePath::of("tables").index(index), schema);
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn config() -> ReplicationUserModel {
        ReplicationUserModel { name: "u".into(), database: "app".into(), ..ReplicationUserModel::default() }
    }

    /// Everything wrong with a configuration.
    fn faults(config: &ReplicationUserModel) -> Diagnostics {
        let mut faults = validate(config);
        faults.absorb(Desired::decode(config));
        faults
    }

    fn list(names: &[&str]) -> Attr<Vec<String>> {
        names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>().into()
    }

    #[test]
    fn every_fault_is_reported_with_its_attribute() {
        let faults = faults(&ReplicationUserModel {
            name: "pg_x".into(),
            database: "".into(),
            schemas: list(&["a", ""]),
            tables: list(&["a.b", "c", "a.b.c"]),
            connection_limit: (-2).into(),
            valid_until: "2027-02-29".into(),
            password_wo_version: 1.into(),
            ..ReplicationUserModel::default()
        });
        let paths: BTreeSet<String> = faults.iter().filter_map(|fault| fault.path.as_ref()).map(ToString::to_string).collect();
        let expected =
            ["connection_limit", "database", "name", "password_wo", "schemas[1]", "tables[1]", "tables[2]", "valid_until"];
        assert_eq!(paths, expected.map(str::to_owned).into());
    }

    #[test]
    fn a_role_that_logs_in_with_tokens_has_no_password() {
        let iam = ReplicationUserModel { authentication: "iam".into(), ..config() };
        assert!(faults(&iam).is_empty());
        let with = ReplicationUserModel { password_wo: Secret::new("x").into(), password_wo_version: 1.into(), ..iam.clone() };
        let paths =
            |model| faults(model).iter().filter_map(|fault| fault.path.as_ref().map(ToString::to_string)).collect::<Vec<_>>();
        assert_eq!(paths(&with), ["password_wo", "password_wo_version"]);
        // Later it may be null.
        let later = ReplicationUserModel { password_wo: Attr::Unknown, ..iam };
        assert!(faults(&later).is_empty() && !Desired::decode(&later).unwrap().unwrap().has_password);
        assert_eq!(paths(&ReplicationUserModel { authentication: "IAM".into(), ..config() }), ["authentication"]);
        let unknown = ReplicationUserModel { authentication: Attr::Unknown, ..config() };
        assert_eq!((faults(&unknown).is_empty(), Desired::decode(&unknown)), (true, Ok(None)));
    }

    #[test]
    fn names_that_mean_something_else_and_system_schemas_are_refused() {
        for name in ["public", "none", "current_user", "session_user", "user", "pg_x"] {
            let faults = faults(&ReplicationUserModel { name: name.into(), ..config() });
            assert!(faults.iter().any(|fault| fault.summary == "Reserved role name"), "{name}");
        }
        assert!(faults(&ReplicationUserModel { name: "Public".into(), ..config() }).is_empty());
        let model = ReplicationUserModel {
            schemas: list(&["s", "pg_catalog"]),
            tables: list(&["information_schema.tables", "s.pg_class", "pg_catalog.pg_class"]),
            ..config()
        };
        let paths: Vec<_> = faults(&model).iter().filter_map(|fault| fault.path.as_ref()).map(ToString::to_string).collect();
        assert_eq!(paths, ["schemas[1]", "tables[0]", "tables[2]"]);
    }

    #[test]
    fn a_password_needs_a_version_by_which_a_change_is_seen() {
        let of = |password| validate(&ReplicationUserModel { password_wo: password, ..config() });
        assert!(of(Secret::new("x").into()).iter().any(|fault| fault.summary == "Password version missing"));
        assert!(of(Attr::Unknown).is_empty() && of(Attr::Null).is_empty());
    }

    #[test]
    fn an_unknown_input_is_no_fault_but_nothing_can_be_said_yet() {
        for model in [
            ReplicationUserModel { schemas: Attr::Unknown, ..config() },
            ReplicationUserModel { name: Attr::Unknown, ..config() },
            ReplicationUserModel { table_owners: Attr::Unknown, ..config() },
            ReplicationUserModel { valid_until: Attr::Unknown, ..config() },
        ] {
            assert!(faults(&model).is_empty());
            assert_eq!(Desired::decode(&model), Ok(None));
        }
    }

    #[test]
    fn an_unknown_password_does_not_hide_the_statements() {
        let model = ReplicationUserModel { password_wo: Attr::Unknown, password_wo_version: 1.into(), ..config() };
        assert!(faults(&model).is_empty());
        assert!(Desired::decode(&model).unwrap().is_some());
        let empty = ReplicationUserModel { password_wo: Secret::new("").into(), ..config() };
        assert!(faults(&empty).has_errors());
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
