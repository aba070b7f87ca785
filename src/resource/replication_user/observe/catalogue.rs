//! What is asked of the catalogue about a role. Names are qualified, values are bound.

/// `$1` the name or NULL, `$2` the oid.
pub(super) const ROLE: &str = "\
SELECT r.oid, r.rolname::text AS name, r.rolcanlogin, r.rolreplication, r.rolconnlimit,
       COALESCE((SELECT pg_catalog.pg_has_role(r.oid, g.oid, 'MEMBER')
                   FROM pg_catalog.pg_roles g WHERE g.rolname = 'rds_replication'), false) AS member,
       pg_catalog.has_database_privilege(r.oid, d.oid, 'CONNECT') AS connect,
       EXISTS (SELECT FROM pg_catalog.aclexplode(d.datacl) a
                WHERE a.grantee = r.oid AND a.privilege_type = 'CONNECT') AS connect_granted
  FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
 WHERE d.datname = pg_catalog.current_database() AND (r.rolname = $1::text OR r.oid = $2::oid)";

/// `$1` the role (0 for none), `$2` schema names, `$3` whether views count, `$4` how many names to give, `$5` the privilege that SET
/// ROLE needs.
pub(super) const SCHEMAS: &str = "\
SELECT s.name, n.oid IS NOT NULL AS present, pg_catalog.pg_get_userbyid(n.nspowner)::text AS owner,
       COALESCE(pg_catalog.pg_has_role(n.nspowner, 'USAGE')
                OR pg_catalog.has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION'), true) AS inherited,
       COALESCE(pg_catalog.pg_has_role(n.nspowner, $5::text), false) AS settable,
       COALESCE(pg_catalog.has_schema_privilege($1::oid, n.oid, 'USAGE'), false) AS usage,
       EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl) a
                WHERE a.grantee = $1::oid AND a.privilege_type = 'USAGE') AS usage_granted,
       u.total, u.names
  FROM pg_catalog.unnest($2::text[]) AS s(name)
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = s.name
 CROSS JOIN LATERAL (
       SELECT pg_catalog.count(*) AS total,
              COALESCE((pg_catalog.array_agg(c.relname::text ORDER BY c.relname))[1:$4::int4], '{}') AS names
         FROM pg_catalog.pg_class c
        WHERE c.relnamespace = n.oid
          AND (c.relkind IN ('r', 'p') OR ($3::bool AND c.relkind IN ('v', 'm')))
          AND NOT pg_catalog.has_table_privilege($1::oid, c.oid, 'SELECT')
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                           WHERE x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid = c.oid AND x.deptype = 'e')
       ) AS u";

/// `$1` the role (0 for none), `$2` schema names, `$3` wanted owners, `$4` the privilege that SET ROLE needs. Tables that belong to
/// an extension do not count: nobody makes more of them.
pub(super) const OWNERS: &str = "\
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

/// `$1` the role (0 for none), `$2` schema names and `$3` table names in pairs, `$4` the privilege that SET ROLE needs.
pub(super) const TABLES: &str = "\
SELECT t.schema, t.name, c.oid IS NOT NULL AS present,
       COALESCE(pg_catalog.has_table_privilege($1::oid, c.oid, 'SELECT'), false) AS readable,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       COALESCE(pg_catalog.pg_has_role(c.relowner, 'USAGE')
                OR pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION'), false) AS inherited,
       COALESCE(pg_catalog.pg_has_role(c.relowner, $4::text), false) AS settable
  FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) AS t(schema, name)
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
  LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";

/// Tables of schemas that the role may not read. `$1` the role (0 for none), `$2` schema names, `$3` whether views count, `$4` the
/// privilege that SET ROLE needs.
pub(super) const UNREADABLE: &str = "\
SELECT n.nspname::text AS schema, c.relname::text AS name, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       pg_catalog.pg_has_role(c.relowner, 'USAGE')
         OR pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION') AS inherited,
       pg_catalog.pg_has_role(c.relowner, $4::text) AS settable
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY ($2::text[])
   AND (c.relkind IN ('r', 'p') OR ($3::bool AND c.relkind IN ('v', 'm')))
   AND NOT pg_catalog.has_table_privilege($1::oid, c.oid, 'SELECT')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                    WHERE x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid = c.oid AND x.deptype = 'e')
 ORDER BY 1, 2";

/// Tables and views of schemas on which the role itself was granted SELECT. `$1` the role, `$2` schema names, `$3` the privilege
/// that SET ROLE needs.
pub(super) const READABLE: &str = "\
SELECT n.nspname::text AS schema, c.relname::text AS name, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS inherited,
       pg_catalog.pg_has_role(c.relowner, $3::text) AS settable
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY ($2::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND EXISTS (SELECT FROM pg_catalog.aclexplode(c.relacl) a WHERE a.grantee = $1::oid AND a.privilege_type = 'SELECT')
 ORDER BY 1, 2";

/// Schemas of which GRANT and REVOKE ON ALL TABLES would fail as a whole, because of something on which the admin has no privilege.
pub(super) const CLOSED: &str = "\
SELECT DISTINCT n.nspname::text AS schema
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
   AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')";

/// Schemas that a role reads by default privileges, or may use while they have no tables, and single tables it may read: what an
/// import finds. `$1` the role.
pub(super) const GRANTED_SCHEMAS: &str = "\
SELECT n.nspname::text AS name
  FROM pg_catalog.pg_namespace n
 WHERE pg_catalog.has_schema_privilege($1::oid, n.oid, 'USAGE')
   AND (EXISTS (SELECT FROM pg_catalog.pg_default_acl d CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) a
                 WHERE d.defaclnamespace = n.oid AND d.defaclobjtype = 'r' AND a.grantee = $1::oid AND a.privilege_type = 'SELECT')
     OR (EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl) a WHERE a.grantee = $1::oid AND a.privilege_type = 'USAGE')
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p'))))
 ORDER BY 1";

/// `$1` the role, `$2` schemas that are covered as a whole.
pub(super) const GRANTED_TABLES: &str = "\
SELECT n.nspname::text AS schema, c.relname::text AS name
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND n.nspname <> ALL ($2::text[])
   AND EXISTS (SELECT FROM pg_catalog.aclexplode(c.relacl) a WHERE a.grantee = $1::oid AND a.privilege_type = 'SELECT')
 ORDER BY 1, 2";
