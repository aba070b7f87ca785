//! What depends on a role and prevents it from being dropped: in one database, and in the whole server.

use std::collections::BTreeMap;

use tokio::try_join;

use super::holding::{DefaultsOf, Holding, Object, ObjectKind};
use super::key::Key;
use super::reach::set_role_privilege;
use super::sql::{
    about, by_oid, dependent, dependents, entries, parameters, relations_of, role_dependents, role_key, role_named,
};
use crate::postgres::version::{MEMBERSHIP_OPTIONS, PARAMETER_PRIVILEGES};
use crate::postgres::{Error, Facts, Identifier, Parameter, QualifiedTable, Reader, Row};

/// Replication connections of the role `$1`, `$2`.
const WALSENDERS: &str = concat!(
    "WITH ",
    role_key!(),
    "
SELECT w.pid, w.application_name FROM key JOIN pg_catalog.pg_stat_replication w ON w.usesysid = key.oid ORDER BY 1"
);

/// What the admin has to drop the role `$1`, `$2`. `$3`: whether that needs ADMIN OPTION on it.
const MAY_DROP: &str = concat!(
    "WITH ",
    role_key!(),
    "
SELECT me.rolsuper OR NOT r.rolsuper AS outranks, me.rolsuper OR me.rolcreaterole AS createrole,
       NOT $3::bool OR pg_catalog.pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION') AS admin
  FROM key
  JOIN pg_catalog.pg_roles me ON me.oid = key.me
  JOIN pg_catalog.pg_roles r ON r.oid = key.oid"
);

/// Everything in this database, and every shared object, that depends on the role `$1`, `$2`, and who granted it. `$3`: the privilege
/// that SET ROLE needs, `$4`: whether shared objects count. `$parameters` reads `pg_parameter_acl`, where there is one.
macro_rules! dependencies {
    ($parameters:expr) => {
        concat!(
    "WITH ",
    role_key!(),
    "
SELECT s.deptype::text AS deptype, s.classid::pg_catalog.regclass::text AS class,
       pg_catalog.pg_describe_object(s.classid, s.objid, s.objsubid) AS description,
       COALESCE(cn.nspname, pn.nspname)::text AS relation_schema, COALESCE(c.relname, pc.relname)::text AS relation, c.relkind::text AS relkind,
       n.nspname::text AS schema, d.datname::text AS database,
       CASE WHEN r.oid IS NOT NULL THEN p.identity END AS routine, CASE WHEN k.owner IS NOT NULL THEN p.identity END AS other,
       pol.polname::text AS policy,
       ARRAY(SELECT pg_catalog.pg_get_userbyid(x)::text FROM pg_catalog.unnest(pol.polroles) x WHERE x <> key.oid ORDER BY 1) AS others,
       (SELECT m.srvname::text FROM pg_catalog.pg_user_mappings m
         WHERE m.umid = CASE WHEN s.classid = 'pg_catalog.pg_user_mapping'::pg_catalog.regclass THEN s.objid END) AS mapped_on,
       CASE WHEN s.deptype = 'o'
            THEN ARRAY(SELECT DISTINCT CASE WHEN a.grantee <> 0 THEN pg_catalog.pg_get_userbyid(a.grantee)::text ELSE '' END
                         FROM ",
            entries!("f.defaclacl"),
            " AS a WHERE a.grantee <> key.oid) END AS grantees,
       pg_catalog.pg_get_userbyid(f.defaclrole)::text AS defaults_of, fn.nspname::text AS defaults_in,
       f.defaclobjtype::text AS defaults_for,
       pg_catalog.pg_get_userbyid(g.grantor)::text AS grantor,
       COALESCE(x.as_owner OR g.grantor = key.me AND NOT x.stuck, true)
         AND COALESCE(pg_catalog.has_schema_privilege(COALESCE(c.relnamespace, r.pronamespace, k.namespace), 'USAGE'), true) AS inherited,
       COALESCE(pg_catalog.pg_has_role(g.grantor, $3::text) AND NOT x.stuck AND g.columns IS NULL, false)
         AND COALESCE(pg_catalog.has_schema_privilege(g.grantor, COALESCE(c.relnamespace, r.pronamespace, k.namespace), 'USAGE'), true)
         AS settable,
       COALESCE(x.stuck, false) AS stuck,
       COALESCE(pg_catalog.has_schema_privilege(g.grantor, COALESCE(c.relnamespace, r.pronamespace, k.namespace), 'USAGE'), true)
         AS may_look,
       COALESCE(g.columns, '{}') AS columns, COALESCE(g.onward, false) AS onward, g.grantee, pg_catalog.pg_get_userbyid(o.owner)::text AS owner
  FROM key
 CROSS JOIN LATERAL (
       SELECT DISTINCT ON (s.dbid, s.classid, s.objid, s.deptype) s.*
         FROM ",
    role_dependents!("key.oid"),
    " s
        WHERE s.dbid = 0 AND $4::bool
           OR s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
        ORDER BY s.dbid, s.classid, s.objid, s.deptype, s.objsubid) AS s
",
    about!($parameters),
    "
  LEFT JOIN LATERAL ",
            dependent!("pg_policy"),
            " pol ON true
  LEFT JOIN LATERAL ",
            by_oid!("pg_class", "pol.polrelid"),
            " pc ON true
  LEFT JOIN LATERAL ",
            by_oid!("pg_namespace", "pc.relnamespace"),
            " pn ON true
 CROSS JOIN LATERAL (SELECT COALESCE(c.relowner, n.nspowner, d.datdba, r.proowner, f.defaclrole, k.owner, pc.relowner) AS owner) AS o
  LEFT JOIN LATERAL (
       SELECT a.grantor, NULL::text[] AS columns, a.grantor = key.oid AS onward,
              CASE WHEN a.grantor = key.oid THEN pg_catalog.pg_get_userbyid(NULLIF(a.grantee, 0))::text END AS grantee
         FROM ",
    entries!("COALESCE(c.relacl, n.nspacl, d.datacl, r.proacl, f.defaclacl, k.acl)"),
    " AS a
        WHERE key.oid IN (a.grantee, a.grantor)
       UNION
       -- Whoever owns the table revokes privileges on its columns with those on the table.
       SELECT a.grantor, pg_catalog.array_agg(DISTINCT t.attname::text) FILTER (WHERE a.grantor <> o.owner), a.grantor = key.oid,
              CASE WHEN a.grantor = key.oid THEN pg_catalog.pg_get_userbyid(NULLIF(a.grantee, 0))::text END
         FROM pg_catalog.pg_attribute t CROSS JOIN LATERAL ",
    entries!("t.attacl"),
    " AS a
        WHERE t.attrelid = c.oid AND key.oid IN (a.grantee, a.grantor)
        GROUP BY 1, 3, 4) AS g ON s.deptype = 'a'
 -- A role with the privileges of the owner revokes as the owner, even what it granted itself.
 CROSS JOIN LATERAL (SELECT g.grantor = o.owner AND pg_catalog.pg_has_role(o.owner, 'USAGE') AS as_owner,
                            g.grantor <> o.owner AND pg_catalog.pg_has_role(g.grantor, o.owner, 'USAGE') AS stuck) AS x
 ORDER BY s.classid = 'pg_catalog.pg_default_acl'::pg_catalog.regclass DESC, s.dbid = 0, class, description"
        )
    };
}

const DEPENDENCIES: &str = dependencies!("");
/// The same from 15 on.
const DEPENDENCIES_AND_PARAMETERS: &str = dependencies!(parameters!());

/// How many tables and views each of the schemas has in which the role `$1`, `$2` holds privileges on one.
const TABLES_OF_SCHEMA: &str = concat!(
    "WITH ",
    role_key!(),
    "
SELECT n.nspname::text AS schema, pg_catalog.count(*) AS total
  FROM (SELECT DISTINCT c.relnamespace AS oid
          FROM key
         CROSS JOIN LATERAL ",
    role_dependents!("key.oid"),
    " s
         CROSS JOIN LATERAL ",
    dependent!("pg_class"),
    " c
         WHERE s.deptype = 'a'
           AND s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())) AS held
 CROSS JOIN LATERAL ",
    by_oid!("pg_namespace", "held.oid"),
    " n
 CROSS JOIN LATERAL ",
    relations_of!("held.oid"),
    " c
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
 GROUP BY 1"
);

/// A holding in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) holding: Holding,
    /// As whom it is revoked, once for each role that granted it: by SET ROLE, or with the privileges that the admin has
    /// (`None`). REVOKE takes back only what the acting role granted.
    pub(crate) acting: Vec<Option<Identifier>>,
}

/// What must be removed before the role can be dropped, but is not removed by a destroy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The role owns an object.
    Owns { object: String, database: String },
    /// It has default privileges for what it creates, for these (`None`: PUBLIC), or lacks some that are built in.
    OwnsDefaults { holding: Holding, grantees: Vec<Option<Identifier>>, database: String },
    /// It has a user mapping on a foreign server.
    Maps { server: Identifier, database: String },
    /// A policy of a table applies to it, and to `others`.
    InPolicy { policy: Identifier, table: QualifiedTable, owner: String, others: Vec<Identifier>, database: String },
    /// It has something in a database into which the admin cannot look: so many privileges, and so many objects of its own.
    Shut { database: Identifier, held: i64, owned: i64, cause: ShutBy },
    /// It holds privileges on a kind of object for which they are not revoked here.
    HoldsPrivileges { object: String, database: String },
    /// Something else refers to it, such as a policy.
    IsReferredTo { object: String, database: String },
    /// Another role granted it something that the admin cannot revoke: on these columns, or on the whole object.
    GrantedBy { grantor: String, holding: Holding, columns: Vec<Identifier>, database: String },
    /// The same, but the grantor has the owner's privileges meanwhile, with which REVOKE overlooks its own grants.
    Stuck { grantor: String, owner: String, holding: Holding, database: String },
    /// The same, but the grantor may not look into the schema any more: the owner revokes what the grantor has, with what follows.
    ShutOut { grantor: String, owner: String, holding: Holding, database: String },
    /// It granted something to another role (`None`: to PUBLIC): on these columns, or on the whole object.
    GrantedOn { grantee: Option<Identifier>, holding: Holding, columns: Vec<Identifier>, database: String },
    /// The admin may not drop it.
    MayNotDrop(MissingRight),
    /// It has an open replication connection.
    Replicates { pid: i32, application: String },
}

/// Why a database cannot be looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ShutBy {
    /// It accepts no connections.
    NoConnections,
    /// The admin may not connect to it.
    NoConnect,
    /// The server refuses the login, with this error.
    Refused(String),
}

/// What the admin lacks to drop a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingRight {
    /// The role is a superuser, and the admin is not.
    Superuser,
    /// CREATEROLE.
    CreateRole,
    /// ADMIN OPTION on the role.
    AdminOption,
}

/// What depends on a role in one database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Holdings {
    pub(crate) held: Vec<Held>,
    /// How many tables and views each schema has in which privileges are held.
    pub(crate) tables_of_schema: BTreeMap<Identifier, i64>,
    pub(crate) obstacles: Vec<Obstacle>,
}

impl Holdings {
    fn hold(&mut self, holding: Holding, acting: Option<Identifier>) {
        match self.held.iter_mut().find(|held| held.holding == holding) {
            Some(held) => held.acting.push(acting),
            None => self.held.push(Held { holding, acting: vec![acting] }),
        }
    }

    /// The privileges that are held; those on all tables of a schema count as one.
    pub(crate) fn by_schema(&self) -> Vec<Held> {
        let holdings = self;
        let mut whole: BTreeMap<&Identifier, i64> = BTreeMap::new();
        for held in holdings.held.iter().filter(|held| held.acting == [None]) {
            if let Holding::Privileges(Object::Table(table)) = &held.holding {
                *whole.entry(&table.schema).or_default() += 1;
            }
        }
        whole.retain(|schema, count| *count > 1 && holdings.tables_of_schema.get(schema).is_some_and(|all| all == count));
        let mut summed: Vec<Held> = Vec::new();
        for held in &holdings.held {
            let held = match &held.holding {
                Holding::Privileges(Object::Table(table)) if held.acting == [None] && whole.contains_key(&table.schema) => {
                    Held { holding: Holding::Privileges(Object::AllTables(table.schema.clone())), acting: vec![None] }
                }
                _ => held.clone(),
            };
            if !summed.contains(&held) {
                summed.push(held);
            }
        }
        // As a review lists them.
        summed.sort_by(|one, other| one.holding.cmp(&other.holding));
        summed
    }
}

/// The live replication connections of a role.
pub(crate) async fn walsenders(reader: &Reader, role: Key<'_>) -> Result<Vec<Obstacle>, Error> {
    let rows = reader.query(WALSENDERS, &role.values()).await?;
    let walsender = |row: &Row| {
        let application = row.optional_text("application_name")?.unwrap_or_default();
        Ok(Obstacle::Replicates { pid: row.i32("pid")?, application })
    };
    rows.iter().map(walsender).collect()
}

/// What the admin lacks to drop a role.
pub(crate) async fn missing_right(reader: &Reader, facts: &Facts, role: Key<'_>) -> Result<Option<MissingRight>, Error> {
    let needs_admin_option = facts.version.has(MEMBERSHIP_OPTIONS);
    let rows = reader.query(MAY_DROP, &role.and([Parameter::Bool(needs_admin_option)])).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(match (row.bool("outranks")?, row.bool("createrole")?, row.bool("admin")?) {
        (false, ..) => Some(MissingRight::Superuser),
        (_, false, _) => Some(MissingRight::CreateRole),
        (_, _, false) => Some(MissingRight::AdminOption),
        (true, true, true) => None,
    })
}

/// Everything in this database, and in the whole server, that depends on a role.
pub(crate) async fn holdings(
    reader: &Reader,
    facts: &Facts,
    role: Key<'_>,
    database: &str,
    with_shared: bool,
) -> Result<Holdings, Error> {
    let parameters = role.and([Parameter::Text(set_role_privilege(facts)), Parameter::Bool(with_shared)]);
    let query = if facts.version.has(PARAMETER_PRIVILEGES) { DEPENDENCIES_AND_PARAMETERS } else { DEPENDENCIES };
    let (rows, tables_of_schema) = try_join!(reader.query(query, &parameters), tables_of_schema(reader, role))?;
    let mut holdings = Holdings { tables_of_schema, ..Holdings::default() };
    for row in rows {
        let (object, database) =
            (row.optional_text("description")?.unwrap_or_else(|| "an object".to_owned()), database.to_owned());
        match row.text("deptype")?.as_str() {
            "o" => holdings.obstacles.push(owned(&row, object, database)?),
            "a" => match holding(&row)? {
                Some(holding) if row.bool("onward")? => {
                    let columns = row.texts("columns")?.into_iter().filter_map(|name| Identifier::new(name).ok()).collect();
                    let grantee = name(&row, "grantee")?;
                    holdings.obstacles.push(Obstacle::GrantedOn { grantee, holding, columns, database });
                }
                Some(holding) => match acting(&row)? {
                    Acting::As(role) => holdings.hold(holding, role),
                    Acting::OutOfReach(grantor) => {
                        let columns = row.texts("columns")?.into_iter().filter_map(|name| Identifier::new(name).ok());
                        let owner = || row.text("owner");
                        holdings.obstacles.push(match (row.bool("stuck")?, row.bool("may_look")?) {
                            (true, _) => Obstacle::Stuck { grantor, owner: owner()?, holding, database },
                            (_, false) => Obstacle::ShutOut { grantor, owner: owner()?, holding, database },
                            (false, true) => Obstacle::GrantedBy { grantor, holding, columns: columns.collect(), database },
                        });
                    }
                },
                None => holdings.obstacles.push(Obstacle::HoldsPrivileges { object, database }),
            },
            _ => holdings.obstacles.push(referred_to(&row, object, database)?),
        }
    }
    Ok(holdings)
}

/// What the role owns.
fn owned(row: &Row, object: String, database: String) -> Result<Obstacle, Error> {
    if let Some(server) = name(row, "mapped_on")? {
        return Ok(Obstacle::Maps { server, database });
    }
    let grantees: Vec<Option<Identifier>> = row.texts("grantees")?.into_iter().map(|name| Identifier::new(name).ok()).collect();
    Ok(match other_holding(row)? {
        Some(holding @ Holding::Defaults { .. }) => Obstacle::OwnsDefaults { holding, grantees, database },
        _ => Obstacle::Owns { object, database },
    })
}

/// What refers to the role.
fn referred_to(row: &Row, object: String, database: String) -> Result<Obstacle, Error> {
    let table = name(row, "relation_schema")?.zip(name(row, "relation")?);
    let Some((policy, (schema, table))) = name(row, "policy")?.zip(table) else {
        return Ok(Obstacle::IsReferredTo { object, database });
    };
    let others = row.texts("others")?.into_iter().filter_map(|name| Identifier::new(name).ok()).collect();
    let table = QualifiedTable { schema, table };
    Ok(Obstacle::InPolicy { policy, table, owner: row.text("owner")?, others, database })
}

async fn tables_of_schema(reader: &Reader, role: Key<'_>) -> Result<BTreeMap<Identifier, i64>, Error> {
    let mut counts = BTreeMap::new();
    for row in reader.query(TABLES_OF_SCHEMA, &role.values()).await? {
        if let Ok(schema) = Identifier::new(row.text("schema")?) {
            counts.insert(schema, row.i64("total")?);
        }
    }
    Ok(counts)
}

pub(super) fn name(row: &Row, column: &str) -> Result<Option<Identifier>, Error> {
    Ok(row.optional_text(column)?.and_then(|name| Identifier::new(name).ok()))
}

fn holding(row: &Row) -> Result<Option<Holding>, Error> {
    if let (Some(schema), Some(table)) = (name(row, "relation_schema")?, name(row, "relation")?) {
        let relation = QualifiedTable { schema, table };
        let sequence = row.optional_text("relkind")?.as_deref() == Some("S");
        let object = if sequence { Object::Sequence(relation) } else { Object::Table(relation) };
        return Ok(Some(Holding::Privileges(object)));
    }
    other_holding(row)
}

/// A holding that is not on a table, a view or a sequence.
pub(super) fn other_holding(row: &Row) -> Result<Option<Holding>, Error> {
    if let Some(owner) = name(row, "defaults_of")? {
        let objects = row.optional_text("defaults_for")?.as_deref().and_then(DefaultsOf::decode);
        let schema = name(row, "defaults_in")?;
        return Ok(objects.map(|objects| Holding::Defaults { owner, schema, objects }));
    }
    let schema = name(row, "schema")?.map(Object::Schema);
    let database = name(row, "database")?.map(Object::Database);
    let routine = row.optional_text("routine")?.map(Object::Routine);
    let kind = row.optional_text("class")?.as_deref().and_then(ObjectKind::decode);
    let other = kind.zip(row.optional_text("other")?).map(|(kind, identity)| Object::Other { kind, identity });
    Ok(schema.or(database).or(routine).or(other).map(Holding::Privileges))
}

/// How the admin can revoke what a role granted.
enum Acting {
    As(Option<Identifier>),
    OutOfReach(String),
}

fn acting(row: &Row) -> Result<Acting, Error> {
    let Some(grantor) = row.optional_text("grantor")? else { return Ok(Acting::As(None)) };
    Ok(if row.bool("inherited")? {
        Acting::As(None)
    } else if row.bool("settable")? {
        Acting::As(Identifier::new(grantor).ok())
    } else {
        Acting::OutOfReach(grantor)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Held {
        Held { holding: Holding::Privileges(Object::Table(text.parse().unwrap())), acting: vec![None] }
    }

    #[test]
    fn a_schema_of_which_every_table_is_readable_is_one_statement() {
        let schema = Identifier::new("s").unwrap();
        let held = vec![table("s.a"), table("s.b"), table("t.c")];
        let all = Holdings { held, tables_of_schema: [(schema.clone(), 2)].into(), obstacles: Vec::new() };
        let whole = Held { holding: Holding::Privileges(Object::AllTables(schema.clone())), acting: vec![None] };
        assert_eq!(all.by_schema(), [whole, table("t.c")]);
        let some = Holdings { tables_of_schema: [(schema, 3)].into(), ..all };
        assert_eq!(some.by_schema(), some.held);
    }
}
