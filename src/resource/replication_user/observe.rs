//! Reads a role, and what it may read, from the catalogue.

mod catalogue;
pub(crate) mod holdings;

use std::collections::{BTreeMap, BTreeSet};

use tokio::try_join;

use self::catalogue::{CLOSED, GRANTED_SCHEMAS, GRANTED_TABLES, OWNERS, READABLE, ROLE, SCHEMAS, TABLES, UNREADABLE};
use crate::failure::Failure;
use crate::postgres::retry::transient;
use crate::postgres::{Error, Facts, Flavour, Identifier, Parameter, QualifiedTable, Reader, Row, version};
use crate::provider::Context;
use crate::resource::Existing;
use crate::resource::replication_user::model::Desired;
use crate::resource::replication_user::observed::{NAMED_AT_MOST, Observed, OwnedTable, Owner, Reach, Role, Schema, Table};
use crate::resource::replication_user::plan::Lookup;
use crate::resource::replication_user::{ReplicationUser, state};

/// By which the role is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key<'a> {
    /// The catalogue's identifier, which survives a rename.
    Oid(u32),
    /// The name.
    Name(&'a str),
}

/// What is to be looked at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope<'a> {
    schemas: BTreeSet<&'a str>,
    tables: BTreeSet<&'a QualifiedTable>,
    owners: BTreeSet<&'a str>,
    include_views: bool,
}

impl<'a> Scope<'a> {
    /// Whatever these are about.
    pub(crate) fn of(all: impl IntoIterator<Item = &'a Desired>) -> Self {
        let mut scope = Self::default();
        for desired in all {
            let schemas = desired.schemas.iter().chain(desired.single_table_schemas());
            scope.schemas.extend(schemas.map(Identifier::as_str));
            scope.tables.extend(&desired.tables);
            scope.owners.extend(desired.table_owners.iter().flatten().map(Identifier::as_str));
            scope.include_views |= desired.include_views;
        }
        scope
    }
}

/// Reads the role with this key, and how it stands to what is in the scope.
pub(crate) async fn observe(reader: &Reader, facts: &Facts, key: Key<'_>, scope: &Scope<'_>) -> Result<Observed, Error> {
    let role = find_role(reader, facts, key).await?;
    observe_role(reader, facts, role, scope).await
}

/// How a role, or one that is yet to be made, stands to what is in the scope. The queries are awaited together, so that they cost one
/// round trip.
async fn observe_role(reader: &Reader, facts: &Facts, role: Option<Role>, scope: &Scope<'_>) -> Result<Observed, Error> {
    let oid = role.as_ref().map_or(0, |role| role.oid);
    let names: Vec<&str> = scope.schemas.iter().copied().collect();
    let owners = scope.owners.iter().copied().collect();
    let (mut schemas, owners, tables) = try_join!(
        schemas(reader, facts, oid, &names, scope.include_views),
        owners_by_schema(reader, facts, oid, &names, owners),
        tables(reader, facts, oid, &scope.tables),
    )?;
    for (schema, owner, found) in owners {
        if let Some(schema) = schemas.get_mut(&schema) {
            schema.owners.insert(owner, found);
        }
    }
    Ok(Observed { facts: facts.clone(), role, schemas, tables })
}

/// The role with this key.
pub(crate) async fn find_role(reader: &Reader, facts: &Facts, key: Key<'_>) -> Result<Option<Role>, Error> {
    let (name, oid) = match key {
        Key::Oid(oid) => ("", oid),
        Key::Name(name) => (name, 0),
    };
    let rows = reader.query(ROLE, &[name.into(), Parameter::Oid(oid)]).await?;
    let role = |row: &Row| {
        Ok(Role {
            oid: row.oid("oid")?,
            name: row.text("name")?,
            login: row.bool("rolcanlogin")?,
            replication: match facts.flavour {
                Flavour::Rds => row.bool("member")?,
                Flavour::Plain => row.bool("rolreplication")?,
            },
            connection_limit: row.i32("rolconnlimit")?.into(),
            connect: row.bool("connect")?,
            connect_granted: row.bool("connect_granted")?,
        })
    };
    rows.first().map(role).transpose()
}

async fn schemas(
    reader: &Reader,
    facts: &Facts,
    role: u32,
    names: &[&str],
    include_views: bool,
) -> Result<BTreeMap<String, Schema>, Error> {
    let named_at_most = i32::try_from(NAMED_AT_MOST).unwrap_or(i32::MAX);
    let parameters = [
        Parameter::Oid(role),
        Parameter::Texts(names.to_vec()),
        Parameter::Bool(include_views),
        Parameter::Int(named_at_most),
        Parameter::Text(set_role_privilege(facts)),
    ];
    let mut found = BTreeMap::new();
    for row in reader.query(SCHEMAS, &parameters).await? {
        let unreadable = row.i64("total")?;
        let schema = Schema {
            exists: row.bool("present")?,
            owner: row.optional_text("owner")?,
            reach: reach(&row)?,
            usage: row.bool("usage")?,
            usage_granted: row.bool("usage_granted")?,
            unreadable,
            unreadable_names: if unreadable > i64::from(named_at_most) { Vec::new() } else { row.texts("names")? },
            owners: BTreeMap::new(),
        };
        found.insert(row.text("name")?, schema);
    }
    Ok(found)
}

/// Schema, owner, and how the two stand to the role.
async fn owners_by_schema(
    reader: &Reader,
    facts: &Facts,
    role: u32,
    names: &[&str],
    wanted: Vec<&str>,
) -> Result<Vec<(String, String, Owner)>, Error> {
    let parameters = [
        Parameter::Oid(role),
        Parameter::Texts(names.to_vec()),
        Parameter::Texts(wanted),
        Parameter::Text(set_role_privilege(facts)),
    ];
    let owner = |row: &Row| {
        let owner = Owner {
            owns_tables: row.bool("owns_tables")?,
            covered: row.bool("covered")?,
            granted: row.bool("granted")?,
            reach: reach(row)?,
        };
        Ok((row.text("schema")?, row.text("owner")?, owner))
    };
    reader.query(OWNERS, &parameters).await?.iter().map(owner).collect()
}

async fn tables(
    reader: &Reader,
    facts: &Facts,
    role: u32,
    tables: &BTreeSet<&QualifiedTable>,
) -> Result<BTreeMap<String, Table>, Error> {
    let mut found = BTreeMap::new();
    if tables.is_empty() {
        return Ok(found);
    }
    let parameters = [
        Parameter::Oid(role),
        Parameter::Texts(tables.iter().map(|table| table.schema.as_str()).collect()),
        Parameter::Texts(tables.iter().map(|table| table.table.as_str()).collect()),
        Parameter::Text(set_role_privilege(facts)),
    ];
    for row in reader.query(TABLES, &parameters).await? {
        let table = Table {
            exists: row.bool("present")?,
            select: row.bool("readable")?,
            owner: row.optional_text("owner")?,
            reach: reach(&row)?,
        };
        found.insert(format!("{}.{}", row.text("schema")?, row.text("name")?), table);
    }
    Ok(found)
}

/// The tables of schemas that the role (0: a role yet to be made) may not read.
pub(crate) async fn unreadable(
    reader: &Reader,
    facts: &Facts,
    role: u32,
    schemas: &[&Identifier],
    include_views: bool,
) -> Result<Vec<OwnedTable>, Error> {
    let parameters = [
        Parameter::Oid(role),
        Parameter::Texts(schemas.iter().map(|schema| schema.as_str()).collect()),
        Parameter::Bool(include_views),
        Parameter::Text(set_role_privilege(facts)),
    ];
    owned_tables(&reader.query(UNREADABLE, &parameters).await?)
}

/// The tables of schemas on which the role itself was granted SELECT.
pub(crate) async fn readable(
    reader: &Reader,
    facts: &Facts,
    role: u32,
    schemas: &[&Identifier],
) -> Result<Vec<OwnedTable>, Error> {
    let parameters = [
        Parameter::Oid(role),
        Parameter::Texts(schemas.iter().map(|schema| schema.as_str()).collect()),
        Parameter::Text(set_role_privilege(facts)),
    ];
    owned_tables(&reader.query(READABLE, &parameters).await?)
}

fn owned_tables(rows: &[Row]) -> Result<Vec<OwnedTable>, Error> {
    let mut tables = Vec::new();
    for row in rows {
        let (Ok(schema), Ok(table)) = (Identifier::new(row.text("schema")?), Identifier::new(row.text("name")?)) else {
            continue;
        };
        tables.push(OwnedTable { table: QualifiedTable { schema, table }, owner: row.text("owner")?, reach: reach(row)? });
    }
    Ok(tables)
}

/// Those of the schemas in which GRANT and REVOKE ON ALL TABLES would fail as a whole.
pub(crate) async fn closed_schemas(reader: &Reader, schemas: &[&Identifier]) -> Result<BTreeSet<String>, Error> {
    let names = schemas.iter().map(|schema| schema.as_str()).collect();
    let rows = reader.query(CLOSED, &[Parameter::Texts(names)]).await?;
    rows.iter().map(|row| row.text("schema")).collect()
}

/// What a role that is imported may read: whole schemas, and single tables elsewhere.
pub(crate) async fn granted(reader: &Reader, role: u32) -> Result<(Vec<String>, Vec<String>), Error> {
    let schemas: Vec<String> = reader
        .query(GRANTED_SCHEMAS, &[Parameter::Oid(role)])
        .await?
        .iter()
        .map(|row| row.text("name"))
        .collect::<Result<_, _>>()?;
    let covered = Parameter::Texts(schemas.iter().map(String::as_str).collect());
    let mut tables = Vec::new();
    for row in reader.query(GRANTED_TABLES, &[Parameter::Oid(role), covered]).await? {
        let (schema, name) = (row.text("schema")?, row.text("name")?);
        // A name with a dot cannot be written in a configuration.
        if !schema.contains('.') && !name.contains('.') {
            tables.push(format!("{schema}.{name}"));
        }
    }
    Ok((schemas, tables))
}

fn reach(row: &Row) -> Result<Reach, Error> {
    Ok(if row.bool("inherited")? {
        Reach::Inherited
    } else if row.bool("settable")? {
        Reach::SetRole
    } else {
        Reach::None
    })
}

/// What `pg_has_role` calls the right to SET ROLE.
pub(crate) fn set_role_privilege(facts: &Facts) -> &'static str {
    if facts.version.has(version::MEMBERSHIP_OPTIONS) { "SET" } else { "MEMBER" }
}

/// Looks at what is new in a configuration: on create all of it, on update added schemas and tables.
pub(crate) async fn look_up(context: &Context, before: Option<&Desired>, desired: &Desired) -> Result<Option<Lookup>, Failure> {
    let mut new = desired.clone();
    if let Some(before) = before {
        new.schemas.retain(|schema| !before.schemas.contains(schema));
        new.tables.retain(|table| !before.tables.contains(table));
        if new.schemas.is_empty() && new.tables.is_empty() {
            return Ok(None);
        }
    }
    let server = context.postgres().await?;
    let database = desired.database.as_str();
    let facts = server.facts(database, context.cancel()).await?;
    let looking = || async {
        let reader = server.read(database, context.cancel()).await?;
        let key = Key::Name(before.unwrap_or(desired).name.as_str());
        let observed = observe(&reader, &facts, key, &Scope::of([&new])).await?;
        let role = observed.role.as_ref().map_or(0, |role| role.oid);
        let schemas: Vec<&Identifier> = new.schemas.iter().collect();
        let unreadable = unreadable(&reader, &facts, role, &schemas, new.include_views).await?;
        let existing = observed.role.clone().filter(|_| before.is_none());
        Ok::<_, Error>(Lookup { facts: facts.clone(), existing, observed, unreadable })
    };
    Ok(Some(transient(context.cancel(), looking).await?))
}

/// Reads a role that is in the state, or is being imported.
pub(crate) async fn read(
    context: &Context,
    prior: Existing<ReplicationUser>,
) -> Result<Option<Existing<ReplicationUser>>, Failure> {
    let Some(known) = Desired::decode(&prior.model)? else { return Ok(None) };
    let server = context.postgres().await?;
    let database = known.database.as_str();
    let facts = server.facts(database, context.cancel()).await?;
    let oid = prior.model.oid.known().and_then(|oid| u32::try_from(*oid).ok());
    let reading = || async {
        let reader = server.read(database, context.cancel()).await?;
        let by_oid = match oid {
            Some(oid) => find_role(&reader, &facts, Key::Oid(oid)).await?,
            None => None,
        };
        let role = match by_oid {
            Some(role) => Some(role),
            None => find_role(&reader, &facts, Key::Name(known.name.as_str())).await?,
        };
        let Some(role) = role else { return Ok(None) };
        let mut model = prior.model.clone();
        if oid.is_none() {
            let (schemas, tables) = granted(&reader, role.oid).await?;
            model.schemas = Some(schemas).filter(|schemas| !schemas.is_empty()).into();
            model.tables = Some(tables).filter(|tables| !tables.is_empty()).into();
        }
        let Ok(Some(desired)) = Desired::decode(&model) else { return Ok(None) };
        let observed = observe_role(&reader, &facts, Some(role), &Scope::of([&desired])).await?;
        Ok::<_, Error>(Some(state::existing(&model, &desired, observed)))
    };
    Ok(transient(context.cancel(), reading).await?)
}
