//! Parts of queries that look things up so that the effort does not grow with what else there is: with other roles, tables, schemas
//! and publications.
//!
//! Each look-up by key is a subquery with `OFFSET 0`, which the planner leaves as it is: left to itself it reads a whole catalogue
//! once instead, as soon as it expects a few keys. A catalogue that has no index for a question is entered through `pg_depend` or
//! `pg_shdepend`, which have one for what depends on something. An access control list has an entry for everyone, so it is not taken
//! apart to find one: the server looks for the entry itself.

/// The oid of the role with a name, NULL if there is none: asked of a function, since a subquery is dearer than its answer. The
/// function cuts a name off that is too long to be one.
macro_rules! role_named {
    ($name:literal) => {
        concat!(
            "CASE WHEN pg_catalog.octet_length(",
            $name,
            ") BETWEEN 1 AND 63 THEN pg_catalog.to_regrole(pg_catalog.quote_ident(",
            $name,
            "))::oid END"
        )
    };
}

/// `key`: the role with the oid `$2`, else the one with the name `$1`, else 0; and the admin as `me`. The name that the server gives
/// for an oid without a role leads to no role, or to one with another oid.
macro_rules! role_key {
    () => {
        concat!(
            "key AS MATERIALIZED (
  SELECT COALESCE(CASE WHEN pg_catalog.to_regrole(pg_catalog.quote_ident(pg_catalog.pg_get_userbyid($2::oid)))::oid = $2::oid
                       THEN $2::oid END, ",
            role_named!("$1::text"),
            ", 0::oid) AS oid,
         pg_catalog.to_regrole(pg_catalog.quote_ident(current_user))::oid AS me)"
        )
    };
}

/// `key`: the publication with the oid `$2`, else the one with the name `$1`, else 0.
macro_rules! publication_key {
    () => {
        "key AS MATERIALIZED (
  SELECT COALESCE((SELECT p.oid FROM pg_catalog.pg_publication p WHERE p.oid = $2::oid),
                  (SELECT p.oid FROM pg_catalog.pg_publication p WHERE p.pubname = $1::text), 0::oid) AS oid)"
    };
}

/// The row of a catalogue with an oid.
macro_rules! by_oid {
    ($catalogue:literal, $oid:literal) => {
        concat!("(SELECT * FROM pg_catalog.", $catalogue, " x WHERE x.oid = ", $oid, " OFFSET 0)")
    };
}

/// The row of a catalogue that a row `s` of `pg_depend` or `pg_shdepend` is about, if it is about one of that catalogue.
macro_rules! dependent {
    ($catalogue:literal) => {
        concat!(
            "(SELECT * FROM pg_catalog.",
            $catalogue,
            " x WHERE x.oid = CASE WHEN s.classid = 'pg_catalog.",
            $catalogue,
            "'::pg_catalog.regclass THEN s.objid END OFFSET 0)"
        )
    };
}

/// What depends on an object of this database, once each: `classid` and `objid`.
macro_rules! dependents {
    ($catalogue:literal, $oid:literal) => {
        concat!(
            "(SELECT DISTINCT x.classid, x.objid FROM pg_catalog.pg_depend x WHERE x.refclassid = 'pg_catalog.",
            $catalogue,
            "'::pg_catalog.regclass AND x.refobjid = ",
            $oid,
            " OFFSET 0)"
        )
    };
}

/// What depends on a role, in all databases.
macro_rules! role_dependents {
    ($oid:literal) => {
        concat!(
            "(SELECT x.dbid, x.classid, x.objid, x.objsubid, x.deptype, x.xmin FROM pg_catalog.pg_shdepend x ",
            "WHERE x.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND x.refobjid = ",
            $oid,
            " OFFSET 0)"
        )
    };
}

/// The schema with a name.
macro_rules! schema {
    ($name:literal) => {
        concat!(
            "(SELECT x.oid, x.nspname::text AS name, x.nspowner, x.nspacl FROM pg_catalog.pg_namespace x WHERE x.nspname = ",
            $name,
            " OFFSET 0)"
        )
    };
}

/// The relation with a name in a schema.
macro_rules! relation {
    ($schema:literal, $name:literal) => {
        concat!("(SELECT * FROM pg_catalog.pg_class x WHERE x.relname = ", $name, " AND x.relnamespace = ", $schema, " OFFSET 0)")
    };
}

/// The tables, views and sequences of a schema: `pg_class` has no index by schema.
macro_rules! relations_of {
    ($schema:literal) => {
        concat!(
            "(SELECT c.* FROM ",
            dependents!("pg_namespace", $schema),
            " s CROSS JOIN LATERAL ",
            dependent!("pg_class"),
            " c WHERE c.relnamespace = ",
            $schema,
            ")"
        )
    };
}

/// Joins what a row `s` of `pg_shdepend` is about: a relation `c` in the schema `cn`, a schema `n`, a database `d`, a routine `r` whose
/// name is `p.identity`, default privileges `f` in the schema `fn`, or another object `k` with privileges, whose name is `p.identity`
/// too. `$parameters`: nothing, or `parameters!`.
macro_rules! about {
    ($parameters:expr) => {
        concat!(
            "LEFT JOIN LATERAL ",
            dependent!("pg_class"),
            " c ON true
  LEFT JOIN LATERAL ",
            by_oid!("pg_namespace", "c.relnamespace"),
            " cn ON true
  LEFT JOIN LATERAL ",
            dependent!("pg_namespace"),
            " n ON true
  LEFT JOIN LATERAL ",
            dependent!("pg_database"),
            " d ON true
  LEFT JOIN LATERAL ",
            dependent!("pg_proc"),
            " r ON true
  LEFT JOIN LATERAL (
       SELECT x.typowner AS owner, x.typacl AS acl, x.typnamespace AS namespace FROM ",
            dependent!("pg_type"),
            " x
       UNION ALL
       SELECT x.lanowner, x.lanacl, NULL FROM ",
            dependent!("pg_language"),
            " x
       UNION ALL
       SELECT x.fdwowner, x.fdwacl, NULL FROM ",
            dependent!("pg_foreign_data_wrapper"),
            " x
       UNION ALL
       SELECT x.srvowner, x.srvacl, NULL FROM ",
            dependent!("pg_foreign_server"),
            " x
       UNION ALL
       SELECT x.spcowner, x.spcacl, NULL FROM ",
            dependent!("pg_tablespace"),
            " x
       UNION ALL
       SELECT x.lomowner, x.lomacl, NULL
         FROM pg_catalog.pg_largeobject_metadata x
        WHERE x.oid = CASE WHEN s.classid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass THEN s.objid END",
            $parameters,
            ") k ON true
  LEFT JOIN LATERAL pg_catalog.pg_identify_object(CASE WHEN r.oid IS NOT NULL OR k.owner IS NOT NULL THEN s.classid END, s.objid, 0) AS p
    ON true
  LEFT JOIN LATERAL ",
            dependent!("pg_default_acl"),
            " f ON true
  LEFT JOIN LATERAL ",
            by_oid!("pg_namespace", "f.defaclnamespace"),
            " fn ON true"
        )
    };
}

/// The part of `about!` for privileges on parameters, which the bootstrap superuser grants in the end. Since PostgreSQL 15.
macro_rules! parameters {
    () => {
        concat!(" UNION ALL SELECT 10::oid, x.paracl, NULL FROM ", dependent!("pg_parameter_acl"), " x")
    };
}

/// Whether a relation `c` belongs to an extension: the number of those does not grow.
macro_rules! of_extension {
    () => {
        "EXISTS (SELECT FROM (SELECT x.deptype FROM pg_catalog.pg_depend x
                              WHERE x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid = c.oid OFFSET 0) x
                  WHERE x.deptype = 'e')"
    };
}

/// The entries of an access control list. The server unpacks a long list again for each of them, unless it is made a plain value.
macro_rules! entries {
    ($acl:literal) => {
        concat!(
            "pg_catalog.aclexplode(CASE WHEN ",
            $acl,
            " IS NOT NULL THEN ",
            $acl,
            " OPERATOR(pg_catalog.||) '{}'::pg_catalog.aclitem[] END)"
        )
    };
}

/// `own`: what the role of `key` owns, or has privileges on, for `granted!`. It is read only if it is asked for.
macro_rules! own {
    () => {
        concat!(
            "own AS MATERIALIZED (SELECT s.dbid, s.classid, s.objid, s.deptype, s.xmin FROM key CROSS JOIN LATERAL ",
            role_dependents!("key.oid"),
            " s WHERE s.deptype IN ('a', 'o'))"
        )
    };
}

/// Whether the role itself was granted a privilege on an object, as its access control list says. Usually its owner granted it, or
/// the admin. Otherwise the list is taken apart, but only if the role is in it, as `own` says. It needs `key` and `own`.
macro_rules! granted {
    ($acl:literal, $catalogue:literal, $oid:literal, $owner:literal, $privilege:literal) => {
        concat!(
            "CASE WHEN key.oid = 0 THEN false
            WHEN ",
            $acl,
            " OPERATOR(pg_catalog.@>) pg_catalog.makeaclitem(key.oid, ",
            $owner,
            ", '",
            $privilege,
            "', false) OR ",
            $acl,
            " OPERATOR(pg_catalog.@>) pg_catalog.makeaclitem(key.oid, key.me, '",
            $privilege,
            "', false) THEN true
            ELSE EXISTS (SELECT FROM (SELECT FROM own o WHERE o.objid = ",
            $oid,
            " AND o.classid = 'pg_catalog.",
            $catalogue,
            "'::pg_catalog.regclass OFFSET 0) o CROSS JOIN LATERAL ",
            entries!($acl),
            " a WHERE a.grantee = key.oid AND a.privilege_type = '",
            $privilege,
            "') END"
        )
    };
}

/// Whether row level security may hide rows of a relation `c` from the role of `key`: it is on, and no policy shows all rows to the
/// role or to everybody. (The owner, and roles that bypass it, are left to whoever asks.)
macro_rules! secured {
    () => {
        "(c.relrowsecurity AND (
           NOT EXISTS (SELECT FROM pg_catalog.pg_policy p
                        WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd IN ('r', '*')
                          AND (0::oid = ANY (p.polroles) OR key.oid <> 0 AND key.oid = ANY (p.polroles))
                          AND pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true')
           OR EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive AND p.polcmd IN ('r', '*'))))"
    };
}

/// The name that differs from `$name` in case only, among those of a catalogue that a condition admits: asked only if nothing has the
/// very name.
macro_rules! near_miss {
    ($catalogue:literal, $column:literal, $name:literal, $condition:literal) => {
        concat!(
            "(SELECT x.",
            $column,
            "::text FROM pg_catalog.",
            $catalogue,
            " x WHERE ",
            $condition,
            " AND pg_catalog.lower(x.",
            $column,
            "::text COLLATE pg_catalog.\"default\") = pg_catalog.lower(",
            $name,
            " COLLATE pg_catalog.\"default\") ORDER BY 1 LIMIT 1)"
        )
    };
}

pub(super) use {
    about, by_oid, dependent, dependents, entries, granted, near_miss, of_extension, own, parameters, publication_key, relation,
    relations_of, role_dependents, role_key, role_named, schema, secured,
};
