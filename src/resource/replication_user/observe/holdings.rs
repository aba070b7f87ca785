//! What keeps a role from being dropped, in one database after the other.

use std::collections::BTreeMap;

use crate::postgres::{Error, Facts, Identifier, Parameter, QualifiedTable, Reader, Row};
use crate::resource::replication_user::observe::set_role_privilege;
use crate::resource::replication_user::removal::{DefaultsOf, Held, Holdings, Object, Removal};

/// Databases in which something depends on the role `$1`, other than this one.
const DATABASES: &str = "\
SELECT DISTINCT d.datname::text AS name
  FROM pg_catalog.pg_shdepend s
  JOIN pg_catalog.pg_database d ON d.oid = s.dbid
 WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND s.refobjid = $1::oid
   AND d.datname <> pg_catalog.current_database()
 ORDER BY 1";

/// Replication connections of the role `$1`.
const WALSENDERS: &str = "\
SELECT pid, application_name FROM pg_catalog.pg_stat_replication WHERE usesysid = $1::oid ORDER BY 1";

/// Everything in this database, and everything shared, that depends on the role `$1`. `$2` the privilege that SET ROLE needs,
/// `$3` whether what is shared counts.
const DEPENDENCIES: &str = "\
SELECT s.deptype::text AS deptype, s.classid::pg_catalog.regclass::text AS class,
       pg_catalog.pg_describe_object(s.classid, s.objid, s.objsubid) AS description,
       cn.nspname::text AS relation_schema, c.relname::text AS relation, c.relkind::text AS relkind,
       n.nspname::text AS schema, d.datname::text AS database,
       p.identity AS routine,
       pg_catalog.pg_get_userbyid(f.defaclrole)::text AS defaults_of, fn.nspname::text AS defaults_in,
       f.defaclobjtype::text AS defaults_for,
       pg_catalog.pg_get_userbyid(o.owner)::text AS owner,
       COALESCE(pg_catalog.pg_has_role(o.owner, 'USAGE'), true) AS inherited,
       COALESCE(pg_catalog.pg_has_role(o.owner, $2::text), false) AS settable
  FROM (SELECT DISTINCT ON (dbid, classid, objid, deptype) * FROM pg_catalog.pg_shdepend
         WHERE refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND refobjid = $1::oid
           AND (dbid = 0 AND $3::bool
                OR dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
         ORDER BY dbid, classid, objid, deptype, objsubid) AS s
  LEFT JOIN pg_catalog.pg_class c ON s.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = s.objid
  LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_namespace n ON s.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND n.oid = s.objid
  LEFT JOIN pg_catalog.pg_database d ON s.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND d.oid = s.objid
  LEFT JOIN pg_catalog.pg_proc r ON s.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND r.oid = s.objid
  LEFT JOIN LATERAL pg_catalog.pg_identify_object(s.classid, s.objid, 0) AS p ON r.oid IS NOT NULL
  LEFT JOIN pg_catalog.pg_default_acl f ON s.classid = 'pg_catalog.pg_default_acl'::pg_catalog.regclass AND f.oid = s.objid
  LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = f.defaclnamespace
 CROSS JOIN LATERAL (SELECT COALESCE(c.relowner, n.nspowner, d.datdba, r.proowner, f.defaclrole) AS owner) AS o
 ORDER BY s.classid = 'pg_catalog.pg_default_acl'::pg_catalog.regclass DESC, s.dbid = 0, class, description";

/// How many tables and views each of the schemas `$1` has.
const TABLES_OF_SCHEMA: &str = "\
SELECT n.nspname::text AS schema, pg_catalog.count(*) AS total
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
 GROUP BY 1";

/// The other databases in which something depends on a role.
pub(crate) async fn databases(reader: &Reader, role: u32) -> Result<Vec<String>, Error> {
    let rows = reader.query(DATABASES, &[Parameter::Oid(role)]).await?;
    rows.iter().map(|row| row.text("name")).collect()
}

/// The live replication connections of a role, described.
pub(crate) async fn walsenders(reader: &Reader, role: u32) -> Result<Vec<String>, Error> {
    let rows = reader.query(WALSENDERS, &[Parameter::Oid(role)]).await?;
    let describe = |row: &Row| {
        let application = row.optional_text("application_name")?.unwrap_or_default();
        Ok(format!("a replication connection is open (pid {}, application {application:?})", row.i32("pid")?))
    };
    rows.iter().map(describe).collect()
}

/// What this database, and the server as a whole, holds of a role.
pub(crate) async fn holdings(
    reader: &Reader,
    facts: &Facts,
    role: u32,
    database: &str,
    with_shared: bool,
) -> Result<Holdings, Error> {
    let parameters = [Parameter::Oid(role), Parameter::Text(set_role_privilege(facts)), Parameter::Bool(with_shared)];
    let mut holdings = Holdings::default();
    for row in reader.query(DEPENDENCIES, &parameters).await? {
        let description = row.optional_text("description")?.unwrap_or_else(|| "an object".to_owned());
        match row.text("deptype")?.as_str() {
            "o" => holdings.in_the_way.push(format!("it owns {description} (database {database:?})")),
            "a" => match removal(&row)? {
                Some(removal) => holdings.held.push(Held { removal, as_owner: as_owner(&row)? }),
                None => holdings.in_the_way.push(format!("it holds privileges on {description} (database {database:?})")),
            },
            _ => holdings.in_the_way.push(format!("{description} depends on it (database {database:?})")),
        }
    }
    holdings.tables_of_schema = tables_of_schema(reader, &holdings.held).await?;
    Ok(holdings)
}

async fn tables_of_schema(reader: &Reader, held: &[Held]) -> Result<BTreeMap<Identifier, i64>, Error> {
    let schemas = held.iter().filter_map(|held| match &held.removal {
        Removal::Privileges(Object::Table(table)) => Some(table.schema.as_str()),
        _ => None,
    });
    let mut counts = BTreeMap::new();
    for row in reader.query(TABLES_OF_SCHEMA, &[Parameter::Texts(schemas.collect())]).await? {
        if let Ok(schema) = Identifier::new(row.text("schema")?) {
            counts.insert(schema, row.i64("total")?);
        }
    }
    Ok(counts)
}

fn removal(row: &Row) -> Result<Option<Removal>, Error> {
    let name = |column: &str| Ok::<_, Error>(row.optional_text(column)?.and_then(|name| Identifier::new(name).ok()));
    if let (Some(schema), Some(table)) = (name("relation_schema")?, name("relation")?) {
        let relation = QualifiedTable { schema, table };
        let sequence = row.text("relkind")? == "S";
        let object = if sequence { Object::Sequence(relation) } else { Object::Table(relation) };
        return Ok(Some(Removal::Privileges(object)));
    }
    if let Some(owner) = name("defaults_of")? {
        let objects = row.optional_text("defaults_for")?.as_deref().and_then(DefaultsOf::decode);
        let schema = name("defaults_in")?;
        return Ok(objects.map(|objects| Removal::Defaults { owner, schema, objects }));
    }
    let schema = name("schema")?.map(Object::Schema);
    let database = name("database")?.map(Object::Database);
    let routine = row.optional_text("routine")?.map(Object::Routine);
    Ok(schema.or(database).or(routine).map(Removal::Privileges))
}

fn as_owner(row: &Row) -> Result<Option<Identifier>, Error> {
    if row.bool("inherited")? || !row.bool("settable")? {
        return Ok(None);
    }
    Ok(row.optional_text("owner")?.and_then(|owner| Identifier::new(owner).ok()))
}
