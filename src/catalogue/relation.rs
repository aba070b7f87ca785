//! Tables, views and schemas, found by name.

use super::sql::{near_miss, relation, role_named, schema};
use crate::postgres::{Error, Identifier, Parameter, QualifiedTable, Reader, Row};

/// Relations by name, in pairs of schema `$1` and name `$2`. A name without a relation has a row of nulls. `$3` is a role, or nothing.
const RELATIONS: &str = concat!(
    "SELECT w.schema, w.name, c.relkind::text AS kind, c.relpersistence::text AS persistence,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned, current_user::text AS admin,
       COALESCE(pg_catalog.pg_has_role(o.role, c.relowner, 'USAGE'), false) AS owned_by_other,
       EXISTS (SELECT FROM pg_catalog.pg_auth_members m
                WHERE m.roleid = c.relowner AND m.member = pg_catalog.to_regrole(pg_catalog.quote_ident(current_user))::oid) AS member,
       (SELECT r.rolinherit FROM pg_catalog.pg_roles r
         WHERE r.oid = pg_catalog.to_regrole(pg_catalog.quote_ident(current_user))::oid) AS inherits,
       CASE WHEN c.oid IS NULL THEN ",
    near_miss!("pg_class", "relname", "w.name", "x.relnamespace = n.oid AND x.relkind IN ('r', 'p')"),
    " END AS near
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS w(schema, name)
 CROSS JOIN (SELECT ",
    role_named!("$3::text"),
    " AS role OFFSET 0) o
  LEFT JOIN LATERAL ",
    schema!("w.schema"),
    " n ON true
  LEFT JOIN LATERAL ",
    relation!("n.oid", "w.name"),
    " c ON true
 ORDER BY 1, 2"
);

/// `$1` schema names.
const MISSING_SCHEMAS: &str = "\
SELECT w.name
  FROM pg_catalog.unnest($1::text[]) AS w(name)
 WHERE (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = w.name) IS NULL
 ORDER BY 1";

/// What a relation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Table,
    PartitionedTable,
    View,
    MaterializedView,
    ForeignTable,
    Sequence,
    Other,
}

impl Kind {
    /// From `pg_class.relkind`.
    pub(super) fn decode(letter: &str) -> Self {
        match letter {
            "r" => Self::Table,
            "p" => Self::PartitionedTable,
            "v" => Self::View,
            "m" => Self::MaterializedView,
            "f" => Self::ForeignTable,
            "S" => Self::Sequence,
            _ => Self::Other,
        }
    }
}

/// Whether a relation's content is permanent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    Permanent,
    Unlogged,
    Temporary,
}

impl Persistence {
    /// From `pg_class.relpersistence`.
    pub(super) fn decode(letter: &str) -> Self {
        match letter {
            "u" => Self::Unlogged,
            "t" => Self::Temporary,
            _ => Self::Permanent,
        }
    }
}

/// A relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    pub(crate) kind: Kind,
    pub(crate) persistence: Persistence,
    pub(crate) owner: String,
    /// Whether the provider's role may act as the owner.
    pub(crate) owned: bool,
    /// Whether the other role that was asked about may.
    pub(crate) owned_by_other: bool,
    /// The provider's role.
    pub(crate) admin: String,
    /// Whether that is a member of the owner, though it may not inherit.
    pub(crate) member: bool,
    /// Whether it is a role that inherits.
    pub(crate) inherits: bool,
}

impl Relation {
    /// Whether it can be part of a publication, if the server's version supports its kind there.
    pub(crate) fn can_be_published(&self) -> bool {
        matches!(self.kind, Kind::Table | Kind::PartitionedTable) && self.persistence == Persistence::Permanent
    }
}

/// A name and its relation; `None`: there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) table: QualifiedTable,
    pub(crate) found: Option<Relation>,
    /// If there is none: a table of the schema whose name differs in case only.
    pub(crate) near: Option<String>,
}

/// The relations with these names. `other`: a role of which it counts too whether it may act as the owners.
pub(crate) async fn find_relations<'a>(
    reader: &Reader,
    tables: impl Iterator<Item = &'a QualifiedTable> + Clone,
    other: Option<&Identifier>,
) -> Result<Vec<Named>, Error> {
    let [schemas, names] = pairs(tables);
    let other = Parameter::Text(other.map(Identifier::as_str).unwrap_or_default());
    let rows = reader.query(RELATIONS, &[schemas, names, other]).await?;
    rows.iter().map(named).collect()
}

/// Those of the schemas that do not exist, sorted.
pub(crate) async fn missing_schemas(reader: &Reader, schemas: Vec<&str>) -> Result<Vec<String>, Error> {
    let rows = reader.query(MISSING_SCHEMAS, &[Parameter::Texts(schemas)]).await?;
    rows.iter().map(|row| row.text("name")).collect()
}

/// Tables as two parameters: their schemas and their names.
pub(super) fn pairs<'a>(tables: impl Iterator<Item = &'a QualifiedTable> + Clone) -> [Parameter<'a>; 2] {
    [
        Parameter::Texts(tables.clone().map(|table| table.schema.as_str()).collect()),
        Parameter::Texts(tables.map(|table| table.table.as_str()).collect()),
    ]
}

/// The table in the columns `schema` and `name`.
pub(crate) fn table(row: &Row) -> Result<QualifiedTable, Error> {
    Ok(QualifiedTable { schema: identifier(row.text("schema")?)?, table: identifier(row.text("name")?)? })
}

/// A name of the catalogue.
pub(crate) fn identifier(name: String) -> Result<Identifier, Error> {
    Identifier::new(name).map_err(|error| Error::Decode { column: "name".to_owned(), source: Box::new(error) })
}

fn named(row: &Row) -> Result<Named, Error> {
    let found = match (row.optional_text("kind")?, row.optional_text("owner")?) {
        (Some(kind), Some(owner)) => Some(Relation {
            kind: Kind::decode(&kind),
            persistence: Persistence::decode(&row.text("persistence")?),
            owner,
            owned: row.bool("owned")?,
            owned_by_other: row.bool("owned_by_other")?,
            admin: row.text("admin")?,
            member: row.bool("member")?,
            inherits: row.bool("inherits")?,
        }),
        _ => None,
    };
    Ok(Named { table: table(row)?, found, near: row.optional_text("near")? })
}
