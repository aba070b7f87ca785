//! Privileges of a role on schemas, and on the tables that their owners create later.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::key::Key;
use super::reach::{Reach, set_role_privilege};
use super::sql::{dependents, entries, granted, near_miss, of_extension, own, role_dependents, role_key, role_named, secured};
use crate::postgres::{Error, Facts, Identifier, Parameter, Reader, Row};

/// Maximum number of unreadable tables to name. If there are more, only their number is kept.
pub(crate) const NAMED_AT_MOST: usize = 20;

/// `$1` and `$2` the role, `$3` schema names, `$4` whether views count, `$5` how many names to give, `$6` the privilege that SET ROLE
/// needs, `$7` wanted owners. A row for each schema and owner of something in it that counts: what depends on the schema is looked at
/// once. Default privileges are granted by the owner of the tables to come, always.
const SCHEMAS: &str = concat!(
    "WITH RECURSIVE ",
    role_key!(),
    ", ",
    own!(),
    ",
     -- PUBLIC, the role, and those of which it is a member.
     memberships AS (
       SELECT 0::oid AS oid
       UNION
       SELECT oid FROM key
       UNION
       SELECT pg_catalog.to_regrole('pg_database_owner')::oid
       UNION
       SELECT m.roleid
         FROM memberships r
        CROSS JOIN LATERAL (SELECT x.roleid FROM pg_catalog.pg_auth_members x WHERE x.member = r.oid OFFSET 0) m),
     reading_as AS MATERIALIZED (
       SELECT r.oid FROM memberships r, key
        WHERE r.oid IN (0, key.oid) OR key.oid <> 0 AND pg_catalog.pg_has_role(key.oid, r.oid, 'USAGE'))
SELECT w.name, n.oid IS NOT NULL AS present, pg_catalog.pg_get_userbyid(n.nspowner)::text AS owner,
       COALESCE(pg_catalog.pg_has_role(n.nspowner, 'USAGE')
                OR pg_catalog.has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION'), true) AS inherited,
       COALESCE(pg_catalog.pg_has_role(n.nspowner, $6::text), false) AS settable,
       COALESCE(n.granted OR pg_catalog.has_schema_privilege(key.oid, n.oid, 'USAGE'), false) AS usage,
       COALESCE(n.granted, false) AS usage_granted,
       pg_catalog.pg_get_userbyid(o.oid)::text AS table_owner, o.owns, o.granted, o.listed,
       o.oid = key.oid OR o.covered
         OR COALESCE((SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.oid = key.oid), false)
         OR EXISTS (
         SELECT FROM pg_catalog.pg_default_acl d CROSS JOIN reading_as r
          WHERE d.defaclrole = o.oid AND d.defaclnamespace = 0 AND d.defaclobjtype = 'r'
            AND d.defaclacl OPERATOR(pg_catalog.@>) pg_catalog.makeaclitem(r.oid, d.defaclrole, 'SELECT', false)) AS covered,
       pg_catalog.pg_has_role(o.oid, 'USAGE') AS owner_inherited,
       pg_catalog.pg_has_role(o.oid, $6::text) AS owner_settable,
       o.total, o.names, o.lost, o.lost_total, o.secured, o.secured_total,
       CASE WHEN n.oid IS NULL THEN ",
    near_miss!("pg_namespace", "nspname", "w.name", "true"),
    " END AS near
  FROM key
 CROSS JOIN pg_catalog.unnest($3::text[]) AS w(name)
  LEFT JOIN LATERAL (
       SELECT n.*, ",
    granted!("n.nspacl", "pg_namespace", "n.oid", "n.nspowner", "USAGE"),
    " AS granted
         FROM (SELECT x.oid, x.nspowner,
                      CASE WHEN x.nspacl IS NOT NULL THEN x.nspacl OPERATOR(pg_catalog.||) '{}'::pg_catalog.aclitem[] END AS nspacl
                 FROM pg_catalog.pg_namespace x WHERE x.nspname = w.name OFFSET 0) n
       OFFSET 0) n ON true
  LEFT JOIN LATERAL (
       SELECT t.oid, pg_catalog.bool_or(t.owns) AS owns, pg_catalog.bool_or(t.granted) AS granted,
              pg_catalog.bool_or(t.owns OR t.granted OR t.wanted) AS listed, pg_catalog.bool_or(t.covered) AS covered,
              pg_catalog.count(*) FILTER (WHERE t.reached) AS total,
              COALESCE((pg_catalog.array_agg(t.name ORDER BY t.name) FILTER (WHERE t.reached))[1:$5::int4], '{}') AS names,
              COALESCE((pg_catalog.array_agg(t.name ORDER BY t.name) FILTER (WHERE NOT t.reached))[1:$5::int4], '{}') AS lost,
              pg_catalog.count(*) FILTER (WHERE NOT t.reached) AS lost_total,
              COALESCE((pg_catalog.array_agg(t.name ORDER BY t.name) FILTER (WHERE t.secured))[1:$5::int4], '{}') AS secured,
              pg_catalog.count(*) FILTER (WHERE t.secured) AS secured_total
         FROM (SELECT COALESCE(c.relowner, d.defaclrole) AS oid, COALESCE(c.owns, false) AS owns, false AS wanted,
                      COALESCE(d.granted, false) AS granted, COALESCE(d.covered, false) AS covered, c.name, c.reached,
                      c.secured
                 FROM ",
    dependents!("pg_namespace", "n.oid"),
    " s
                 LEFT JOIN LATERAL (
                      SELECT c.relowner, c.relname::text AS name, c.relkind IN ('r', 'p') AS owns,
                             CASE WHEN pg_catalog.has_table_privilege(key.oid, c.oid, 'SELECT') THEN NULL
                                  WHEN pg_catalog.pg_has_role(c.relowner, 'USAGE')
                                    OR pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION')
                                  THEN pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                                  ELSE pg_catalog.pg_has_role(c.relowner, $6::text)
                                   AND pg_catalog.has_schema_privilege(c.relowner, n.oid, 'USAGE') END AS reached,
                             c.relowner <> key.oid AND ",
    secured!(),
    " AS secured
                        FROM (SELECT x.oid, x.relname, x.relnamespace, x.relowner, x.relkind, x.relrowsecurity
                                FROM pg_catalog.pg_class x
                               WHERE x.oid = CASE WHEN s.classid = 'pg_catalog.pg_class'::pg_catalog.regclass THEN s.objid END
                              OFFSET 0) c
                       WHERE c.relnamespace = n.oid AND (c.relkind IN ('r', 'p') OR ($4::bool AND c.relkind IN ('v', 'm')))
                         AND NOT ",
    of_extension!(),
    "
                      OFFSET 0) c ON true
                 LEFT JOIN LATERAL (
                      SELECT d.defaclrole, d.granted,
                             d.granted OR EXISTS (
                             SELECT FROM reading_as r
                              WHERE d.acl OPERATOR(pg_catalog.@>) pg_catalog.makeaclitem(r.oid, d.defaclrole, 'SELECT', false)) AS covered
                        FROM (SELECT d.*, key.oid <> 0
                                     AND d.acl OPERATOR(pg_catalog.@>) pg_catalog.makeaclitem(key.oid, d.defaclrole, 'SELECT', false)
                                     AS granted
                                FROM (SELECT x.defaclrole, x.defaclobjtype, x.defaclacl OPERATOR(pg_catalog.||) '{}'::pg_catalog.aclitem[] AS acl
                                        FROM pg_catalog.pg_default_acl x
                                       WHERE x.oid = CASE WHEN s.classid = 'pg_catalog.pg_default_acl'::pg_catalog.regclass
                                                          THEN s.objid END
                                      OFFSET 0) d
                               WHERE d.defaclobjtype = 'r'
                              OFFSET 0) d
                      OFFSET 0) d ON true
               UNION ALL
               SELECT ",
    role_named!("o.name"),
    ", false, true, false, false, NULL, NULL, NULL
                 FROM pg_catalog.unnest($7::text[]) AS o(name)
                WHERE n.oid IS NOT NULL) AS t
        WHERE t.oid IS NOT NULL
        GROUP BY t.oid) AS o ON true"
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
    /// Tables of which row level security may hide rows from the role; at most [`NAMED_AT_MOST`].
    #[serde(default)]
    pub(crate) secured: Vec<String>,
    /// How many such tables there are.
    #[serde(default)]
    pub(crate) secured_total: i64,
    /// If there is no such schema: one whose name differs in case only.
    #[serde(default)]
    pub(crate) near: Option<String>,
    /// Owners of its tables, wanted owners, and those with default privileges for the role.
    pub(crate) owners: BTreeMap<String, Owner>,
}

/// What one role owns in a schema, or may own.
struct Owned {
    name: String,
    /// `None` if only its views, or default privileges for others, were found.
    owner: Option<Owner>,
    /// How many of its tables the role may not read although the admin can grant it, and their names, in order.
    unreadable: (i64, Vec<String>),
    /// The same for those that are out of the admin's reach.
    lost: (i64, Vec<String>),
    /// The same for those of which row level security may hide rows.
    secured: (i64, Vec<String>),
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

impl Owned {
    fn decode(row: &Row, name: String) -> Result<Self, Error> {
        let owner = Owner {
            owns_tables: row.bool("owns")?,
            covered: row.bool("covered")?,
            granted: row.bool("granted")?,
            reach: Reach::decode_of(row, "owner_inherited", "owner_settable")?,
        };
        Ok(Self {
            name,
            owner: row.bool("listed")?.then_some(owner),
            unreadable: (row.i64("total")?, row.texts("names")?),
            lost: (row.i64("lost_total")?, row.texts("lost")?),
            secured: (row.i64("secured_total")?, row.texts("secured")?),
        })
    }
}

impl Schema {
    /// Adds what one role owns in it.
    fn add(&mut self, owned: Owned) {
        let (unreadable, names) = owned.unreadable;
        self.unreadable += unreadable;
        self.unreadable_names.extend(names);
        self.unreadable_names.sort();
        if usize::try_from(self.unreadable).is_ok_and(|unreadable| unreadable > NAMED_AT_MOST) {
            self.unreadable_names.clear();
        }
        let (lost, names) = owned.lost;
        self.lost_total += lost;
        self.lost.extend(names.into_iter().map(|name| (name, owned.name.clone())));
        self.lost.sort();
        self.lost.truncate(NAMED_AT_MOST);
        let (secured, names) = owned.secured;
        self.secured_total += secured;
        self.secured.extend(names);
        self.secured.sort();
        self.secured.truncate(NAMED_AT_MOST);
        if let Some(owner) = owned.owner {
            self.owners.insert(owned.name, owner);
        }
    }

    /// The owners whose default privileges count: the wanted ones, or those found.
    pub(crate) fn effective_owners(&self, wanted: Option<&[Identifier]>) -> BTreeSet<String> {
        match wanted {
            Some(wanted) => wanted.iter().map(|owner| owner.as_str().to_owned()).collect(),
            None => self.owners.iter().filter(|(_, owner)| owner.owns_tables).map(|(name, _)| name.clone()).collect(),
        }
    }
}

/// The schemas with these names, and the access of the role, which may not exist yet. Their owners are those of tables, and the
/// wanted ones.
pub(crate) async fn find_schemas(
    reader: &Reader,
    facts: &Facts,
    role: Key<'_>,
    names: &[&str],
    include_views: bool,
    owners: Vec<&str>,
) -> Result<BTreeMap<String, Schema>, Error> {
    let named_at_most = i32::try_from(NAMED_AT_MOST).unwrap_or(i32::MAX);
    let parameters = role.and([
        Parameter::Texts(names.to_vec()),
        Parameter::Bool(include_views),
        Parameter::Int(named_at_most),
        Parameter::Text(set_role_privilege(facts)),
        Parameter::Texts(owners),
    ]);
    let mut found = BTreeMap::<String, Schema>::new();
    for row in reader.query(SCHEMAS, &parameters).await? {
        let schema = match found.entry(row.text("name")?) {
            Entry::Occupied(seen) => seen.into_mut(),
            Entry::Vacant(new) => new.insert(Schema {
                exists: row.bool("present")?,
                owner: row.optional_text("owner")?,
                reach: Reach::decode(&row)?,
                usage: row.bool("usage")?,
                usage_granted: row.bool("usage_granted")?,
                near: row.optional_text("near")?,
                ..Schema::default()
            }),
        };
        if let Some(owner) = row.optional_text("table_owner")? {
            schema.add(Owned::decode(&row, owner)?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(name: &str, unreadable: &[&str], lost: &[&str]) -> Owned {
        let tables = |names: &[&str]| {
            let few = names.iter().take(NAMED_AT_MOST).map(|name| (*name).to_owned());
            (i64::try_from(names.len()).unwrap(), few.collect())
        };
        Owned { name: name.to_owned(), owner: None, unreadable: tables(unreadable), lost: tables(lost), secured: tables(lost) }
    }

    #[test]
    fn the_tables_of_all_owners_are_those_of_the_schema() {
        let mut schema = Schema::default();
        schema.add(owned("a", &["t3", "t5"], &["t2"]));
        schema.add(owned("b", &["t4"], &["t1", "t6"]));
        assert_eq!((schema.unreadable, schema.lost_total), (3, 3));
        assert_eq!(schema.unreadable_names, ["t3", "t4", "t5"]);
        let lost = [("t1", "b"), ("t2", "a"), ("t6", "b")].map(|(table, owner)| (table.to_owned(), owner.to_owned()));
        assert_eq!(schema.lost, lost);
        assert!(schema.owners.is_empty(), "neither of them is to be listed");
    }

    #[test]
    fn many_unreadable_tables_are_counted_and_the_first_of_many_lost_ones_named() {
        let names: Vec<String> = (10..10 + NAMED_AT_MOST).map(|number| format!("t{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut schema = Schema::default();
        schema.add(owned("a", &names, &names));
        assert_eq!(schema.unreadable_names.len(), NAMED_AT_MOST);
        schema.add(owned("b", &["t0"], &["t0"]));
        assert!(schema.unreadable_names.is_empty());
        assert_eq!(schema.lost.len(), NAMED_AT_MOST);
        assert_eq!(schema.lost.first().map(|(table, owner)| (table.as_str(), owner.as_str())), Some(("t0", "b")));
        schema.add(owned("c", &["t1"], &[]));
        assert!(schema.unreadable_names.is_empty(), "not the names of the last owner only");
        assert_eq!((schema.unreadable, schema.lost_total), (22, 21));
    }
}
