//! Privileges of a role on schemas, and on the tables that their owners create later.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::reach::{Reach, set_role_privilege};
use crate::postgres::{Error, Facts, Identifier, Parameter, Reader, Row};

/// Maximum number of unreadable tables to name. If there are more, only their number is kept.
pub(crate) const NAMED_AT_MOST: usize = 20;

/// `$1` the role (0 for none), `$2` schema names, `$3` whether views count, `$4` how many names to give, `$5` the privilege that SET
/// ROLE needs.
const SCHEMAS: &str = "\
SELECT s.name, n.oid IS NOT NULL AS present, pg_catalog.pg_get_userbyid(n.nspowner)::text AS owner,
       COALESCE(pg_catalog.pg_has_role(n.nspowner, 'USAGE')
                OR pg_catalog.has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION'), true) AS inherited,
       COALESCE(pg_catalog.pg_has_role(n.nspowner, $5::text), false) AS settable,
       COALESCE(pg_catalog.has_schema_privilege($1::oid, n.oid, 'USAGE'), false) AS usage,
       EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl) a
                WHERE a.grantee = $1::oid AND a.privilege_type = 'USAGE') AS usage_granted,
       u.total, u.names, u.lost, u.lost_owners, u.lost_total
  FROM pg_catalog.unnest($2::text[]) AS s(name)
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = s.name
 CROSS JOIN LATERAL (
       SELECT pg_catalog.count(*) FILTER (WHERE reached) AS total,
              COALESCE((pg_catalog.array_agg(name ORDER BY name) FILTER (WHERE reached))[1:$4::int4], '{}') AS names,
              COALESCE((pg_catalog.array_agg(name ORDER BY name) FILTER (WHERE NOT reached))[1:$4::int4], '{}') AS lost,
              COALESCE((pg_catalog.array_agg(owner ORDER BY name) FILTER (WHERE NOT reached))[1:$4::int4], '{}') AS lost_owners,
              pg_catalog.count(*) FILTER (WHERE NOT reached) AS lost_total
         FROM (SELECT c.relname::text AS name, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
                      CASE WHEN pg_catalog.pg_has_role(c.relowner, 'USAGE')
                             OR pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION')
                           THEN pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                           ELSE pg_catalog.pg_has_role(c.relowner, $5::text)
                            AND pg_catalog.has_schema_privilege(c.relowner, n.oid, 'USAGE') END AS reached
                 FROM pg_catalog.pg_class c
                WHERE c.relnamespace = n.oid
                  AND (c.relkind IN ('r', 'p') OR ($3::bool AND c.relkind IN ('v', 'm')))
                  AND NOT pg_catalog.has_table_privilege($1::oid, c.oid, 'SELECT')
                  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                                   WHERE x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid = c.oid
                                     AND x.deptype = 'e')) AS t
       ) AS u";

/// `$1` the role (0 for none), `$2` schema names, `$3` wanted owners, `$4` the privilege that SET ROLE needs. Tables that belong
/// to an extension do not count: their number does not grow.
const OWNERS: &str = "\
WITH named AS (SELECT n.oid, n.nspname::text AS name FROM pg_catalog.pg_namespace n WHERE n.nspname = ANY ($2::text[])),
     owning AS (
       SELECT DISTINCT named.oid AS namespace, c.relowner AS owner
         FROM named JOIN pg_catalog.pg_class c ON c.relnamespace = named.oid
        WHERE c.relkind IN ('r', 'p')
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                           WHERE x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid = c.oid AND x.deptype = 'e')),
     defaults AS (
       SELECT named.oid AS namespace, d.defaclrole AS owner, d.defaclnamespace <> 0 AS here, a.grantee
         FROM named
         JOIN pg_catalog.pg_default_acl d ON d.defaclnamespace IN (0, named.oid) AND d.defaclobjtype = 'r'
        CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) a
        WHERE a.privilege_type = 'SELECT'
          AND (a.grantee IN (0, $1::oid) OR pg_catalog.pg_has_role($1::oid, a.grantee, 'USAGE'))),
     every AS (
       SELECT namespace, owner FROM owning
       UNION
       SELECT named.oid, r.oid FROM named, pg_catalog.pg_roles r WHERE r.rolname = ANY ($3::text[])
       UNION
       SELECT namespace, owner FROM defaults WHERE here AND grantee = $1::oid)
SELECT named.name AS schema, r.rolname::text AS owner,
       EXISTS (SELECT FROM owning o WHERE o.namespace = every.namespace AND o.owner = every.owner) AS owns_tables,
       r.oid = $1::oid OR EXISTS (
         SELECT FROM defaults d WHERE d.namespace = every.namespace AND d.owner = every.owner) AS covered,
       EXISTS (SELECT FROM defaults d
                WHERE d.namespace = every.namespace AND d.owner = every.owner AND d.here AND d.grantee = $1::oid) AS granted,
       pg_catalog.pg_has_role(r.oid, 'USAGE') AS inherited,
       pg_catalog.pg_has_role(r.oid, $4::text) AS settable
  FROM every
  JOIN named ON named.oid = every.namespace
  JOIN pg_catalog.pg_roles r ON r.oid = every.owner";

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

/// The schemas with these names, and the access of the role (0: a role that does not exist yet).
pub(crate) async fn find_schemas(
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
            reach: Reach::decode(row)?,
        };
        Ok((row.text("schema")?, row.text("owner")?, owner))
    };
    reader.query(OWNERS, &parameters).await?.iter().map(owner).collect()
}
