//! Privileges of a role on schemas, and on the tables that their owners create later.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::key::Key;
use super::reach::{Reach, set_role_privilege};
use super::sql::{dependent, dependents, entries, granted, of_extension, own, relations_of, role_dependents, role_key, schema};
use crate::postgres::{Error, Facts, Identifier, Parameter, Reader, Row};

/// Maximum number of unreadable tables to name. If there are more, only their number is kept.
pub(crate) const NAMED_AT_MOST: usize = 20;

/// `$1` and `$2` the role, `$3` schema names, `$4` whether views count, `$5` how many names to give, `$6` the privilege that SET ROLE
/// needs.
const SCHEMAS: &str = concat!(
    "WITH ",
    role_key!(),
    ", ",
    own!(),
    "
SELECT w.name, n.oid IS NOT NULL AS present, pg_catalog.pg_get_userbyid(n.nspowner)::text AS owner,
       COALESCE(pg_catalog.pg_has_role(n.nspowner, 'USAGE')
                OR pg_catalog.has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION'), true) AS inherited,
       COALESCE(pg_catalog.pg_has_role(n.nspowner, $6::text), false) AS settable,
       g.granted OR COALESCE(pg_catalog.has_schema_privilege(key.oid, n.oid, 'USAGE'), false) AS usage,
       g.granted AS usage_granted,
       u.total, u.names, u.lost, u.lost_owners, u.lost_total
  FROM key
 CROSS JOIN pg_catalog.unnest($3::text[]) AS w(name)
  LEFT JOIN LATERAL ",
    schema!("w.name"),
    " n ON true
 CROSS JOIN LATERAL (SELECT ",
    granted!("n.nspacl", "pg_namespace", "n.oid", "n.nspowner", "USAGE"),
    " AS granted OFFSET 0) AS g
 CROSS JOIN LATERAL (
       SELECT pg_catalog.count(*) FILTER (WHERE reached) AS total,
              COALESCE((pg_catalog.array_agg(name ORDER BY name) FILTER (WHERE reached))[1:$5::int4], '{}') AS names,
              COALESCE((pg_catalog.array_agg(name ORDER BY name) FILTER (WHERE NOT reached))[1:$5::int4], '{}') AS lost,
              COALESCE((pg_catalog.array_agg(owner ORDER BY name) FILTER (WHERE NOT reached))[1:$5::int4], '{}') AS lost_owners,
              pg_catalog.count(*) FILTER (WHERE NOT reached) AS lost_total
         FROM (SELECT c.relname::text AS name, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
                      CASE WHEN pg_catalog.pg_has_role(c.relowner, 'USAGE')
                             OR pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION')
                           THEN pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                           ELSE pg_catalog.pg_has_role(c.relowner, $6::text)
                            AND pg_catalog.has_schema_privilege(c.relowner, n.oid, 'USAGE') END AS reached
                 FROM ",
    relations_of!("n.oid"),
    " c
                WHERE (c.relkind IN ('r', 'p') OR ($4::bool AND c.relkind IN ('v', 'm')))
                  AND NOT pg_catalog.has_table_privilege(key.oid, c.oid, 'SELECT')
                  AND NOT ",
    of_extension!(),
    ") AS t
       ) AS u"
);

/// `$1` and `$2` the role, `$3` schema names, `$4` wanted owners, `$5` the privilege that SET ROLE needs. Default privileges are
/// granted by the owner of the tables to come, always.
const OWNERS: &str = concat!(
    "WITH RECURSIVE ",
    role_key!(),
    ", named AS MATERIALIZED (
       SELECT n.oid, n.name FROM pg_catalog.unnest($3::text[]) AS w(name) CROSS JOIN LATERAL ",
    schema!("w.name"),
    " n),
     -- PUBLIC, the role, and those of which it is a member.
     memberships AS (
       SELECT 0::oid AS oid
       UNION
       SELECT oid FROM key
       UNION
       SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = 'pg_database_owner'
       UNION
       SELECT m.roleid
         FROM memberships r
        CROSS JOIN LATERAL (SELECT x.roleid FROM pg_catalog.pg_auth_members x WHERE x.member = r.oid OFFSET 0) m),
     reading_as AS MATERIALIZED (
       SELECT r.oid FROM memberships r, key
        WHERE r.oid IN (0, key.oid) OR key.oid <> 0 AND pg_catalog.pg_has_role(key.oid, r.oid, 'USAGE')),
     owning AS MATERIALIZED (
       SELECT DISTINCT named.oid AS namespace, c.relowner AS owner
         FROM named CROSS JOIN LATERAL ",
    relations_of!("named.oid"),
    " c
        WHERE c.relkind IN ('r', 'p') AND NOT ",
    of_extension!(),
    "),
     -- Default privileges in these schemas; the server unpacks a long list once.
     here AS MATERIALIZED (
       SELECT named.oid AS namespace, d.defaclrole AS owner, d.defaclacl OPERATOR(pg_catalog.||) '{}'::pg_catalog.aclitem[] AS acl
         FROM named
        CROSS JOIN LATERAL ",
    dependents!("pg_namespace", "named.oid"),
    " s
        CROSS JOIN LATERAL ",
    dependent!("pg_default_acl"),
    " d
        WHERE d.defaclobjtype = 'r'),
     granted AS MATERIALIZED (
       SELECT h.namespace, h.owner
         FROM here h, key
        WHERE key.oid <> 0 AND h.acl OPERATOR(pg_catalog.@>) pg_catalog.makeaclitem(key.oid, h.owner, 'SELECT', false)),
     every AS (
       SELECT namespace, owner FROM owning
       UNION
       SELECT named.oid, r.oid
         FROM named
        CROSS JOIN pg_catalog.unnest($4::text[]) AS w(name)
        CROSS JOIN LATERAL (SELECT x.oid FROM pg_catalog.pg_roles x WHERE x.rolname = w.name OFFSET 0) r
       UNION
       SELECT namespace, owner FROM granted)
SELECT named.name AS schema, pg_catalog.pg_get_userbyid(every.owner)::text AS owner,
       EXISTS (SELECT FROM owning o WHERE o.namespace = every.namespace AND o.owner = every.owner) AS owns_tables,
       every.owner = key.oid
         OR EXISTS (SELECT FROM granted g WHERE g.namespace = every.namespace AND g.owner = every.owner)
         OR COALESCE((SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.oid = key.oid), false)
         OR EXISTS (
         SELECT FROM here h CROSS JOIN reading_as r
          WHERE h.namespace = every.namespace AND h.owner = every.owner
            AND h.acl OPERATOR(pg_catalog.@>) pg_catalog.makeaclitem(r.oid, h.owner, 'SELECT', false))
         OR EXISTS (
         SELECT FROM pg_catalog.pg_default_acl d CROSS JOIN reading_as r
          WHERE d.defaclrole = every.owner AND d.defaclnamespace = 0 AND d.defaclobjtype = 'r'
            AND d.defaclacl OPERATOR(pg_catalog.@>) pg_catalog.makeaclitem(r.oid, d.defaclrole, 'SELECT', false)) AS covered,
       EXISTS (SELECT FROM granted g WHERE g.namespace = every.namespace AND g.owner = every.owner) AS granted,
       pg_catalog.pg_has_role(every.owner, 'USAGE') AS inherited,
       pg_catalog.pg_has_role(every.owner, $5::text) AS settable
  FROM key
 CROSS JOIN every
  JOIN named ON named.oid = every.namespace"
);

/// A schema, and the role's access to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Schema {
    pub(crate) exists: bool,
    pub(crate) owner: Option<String>,
    /// How the admin can grant USAGE on it.
    pub(crate) reach: Reach,
    /// Whether the role may use it, through any grant.
    pub(crate) usage: bool,
    /// Whether USAGE is granted to the role itself.
    pub(crate) usage_granted: bool,
    /// How many tables the role may not read, of those on which the admin can grant it.
    pub(crate) unreadable: i64,
    /// Their names, if there are few.
    pub(crate) unreadable_names: Vec<String>,
    /// Tables that the role may not read and whose owners are out of the admin's reach, with the owners; at most
    /// [`NAMED_AT_MOST`].
    #[serde(default)]
    pub(crate) lost: Vec<(String, String)>,
    /// How many such tables there are.
    #[serde(default)]
    pub(crate) lost_total: i64,
    /// Owners of its tables, wanted owners, and those with default privileges for the role.
    pub(crate) owners: BTreeMap<String, Owner>,
}

/// A role that owns tables of a schema or may do so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) owns_tables: bool,
    /// Whether the role can read the owner's future tables, through any default privileges.
    pub(crate) covered: bool,
    /// Whether default privileges in this schema name the role itself.
    pub(crate) granted: bool,
    pub(crate) reach: Reach,
}

impl Schema {
    /// The owners whose default privileges count: the wanted ones, or those found.
    pub(crate) fn effective_owners(&self, wanted: Option<&[Identifier]>) -> BTreeSet<String> {
        match wanted {
            Some(wanted) => wanted.iter().map(|owner| owner.as_str().to_owned()).collect(),
            None => self.owners.iter().filter(|(_, owner)| owner.owns_tables).map(|(name, _)| name.clone()).collect(),
        }
    }
}

/// The schemas with these names, and the access of the role, which may not exist yet.
pub(crate) async fn find_schemas(
    reader: &Reader,
    facts: &Facts,
    role: Key<'_>,
    names: &[&str],
    include_views: bool,
) -> Result<BTreeMap<String, Schema>, Error> {
    let named_at_most = i32::try_from(NAMED_AT_MOST).unwrap_or(i32::MAX);
    let parameters = role.and([
        Parameter::Texts(names.to_vec()),
        Parameter::Bool(include_views),
        Parameter::Int(named_at_most),
        Parameter::Text(set_role_privilege(facts)),
    ]);
    let mut found = BTreeMap::new();
    for row in reader.query(SCHEMAS, &parameters).await? {
        let unreadable = row.i64("total")?;
        let schema = Schema {
            exists: row.bool("present")?,
            owner: row.optional_text("owner")?,
            reach: Reach::decode(&row)?,
            usage: row.bool("usage")?,
            usage_granted: row.bool("usage_granted")?,
            unreadable,
            unreadable_names: if unreadable > i64::from(named_at_most) { Vec::new() } else { row.texts("names")? },
            lost: row.texts("lost")?.into_iter().zip(row.texts("lost_owners")?).collect(),
            lost_total: row.i64("lost_total")?,
            owners: BTreeMap::new(),
        };
        found.insert(row.text("name")?, schema);
    }
    Ok(found)
}

/// Owners of tables in schemas, and the wanted ones: schema, owner, and the access of the role.
pub(crate) async fn find_owners(
    reader: &Reader,
    facts: &Facts,
    role: Key<'_>,
    names: &[&str],
    wanted: Vec<&str>,
) -> Result<Vec<(String, String, Owner)>, Error> {
    let parameters =
        role.and([Parameter::Texts(names.to_vec()), Parameter::Texts(wanted), Parameter::Text(set_role_privilege(facts))]);
    let owner = |row: &Row| {
        let owner = Owner {
            owns_tables: row.bool("owns_tables")?,
            covered: row.bool("covered")?,
            granted: row.bool("granted")?,
            reach: Reach::decode(row)?,
        };
        Ok((row.text("schema")?, row.text("owner")?, owner))
    };
    reader.query(OWNERS, &parameters).await?.iter().map(owner).collect()
}
