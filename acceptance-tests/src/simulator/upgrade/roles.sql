-- The roles with their verifiers, settings and memberships. Those of RDS and of Postgres itself are there already.
WITH roles AS (
    SELECT * FROM pg_authid
    WHERE oid >= 16384 AND rolname NOT IN ('rds_superuser', 'rds_replication', 'rds_iam', 'rds_password')
), members AS (
    SELECT g.rolname AS role, m.rolname AS member, by.rolname AS grantor, pam.grantor = 10 AS of_the_system, to_jsonb(pam) AS options
    FROM pg_auth_members AS pam
    JOIN pg_authid AS g ON g.oid = pam.roleid
    JOIN pg_authid AS by ON by.oid = pam.grantor
    JOIN roles AS m ON m.oid = pam.member
), statements AS (
    SELECT 1 AS step, 0 AS nth, format(
        'CREATE ROLE %I %s %s %s %s %s %s %s CONNECTION LIMIT %s%s PASSWORD %s', rolname,
        CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END, CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
        CASE WHEN rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
        CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END, CASE WHEN rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END,
        CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END, rolconnlimit,
        CASE WHEN rolvaliduntil IS NOT NULL THEN format(' VALID UNTIL %L', rolvaliduntil) ELSE '' END, coalesce(quote_literal(rolpassword), 'NULL')) AS statement
    FROM roles
    UNION ALL
    SELECT 2, 0, format('COMMENT ON ROLE %I IS %L', rolname, shobj_description(oid, 'pg_authid'))
    FROM roles WHERE shobj_description(oid, 'pg_authid') IS NOT NULL
    UNION ALL
    SELECT 3, 0, format('ALTER ROLE %I SET %I TO %s', rolname, split_part(setting, '=', 1), CASE WHEN split_part(setting, '=', 1) IN ('search_path', 'session_preload_libraries', 'local_preload_libraries', 'temp_tablespaces')
             THEN substr(setting, strpos(setting, '=') + 1) ELSE quote_literal(substr(setting, strpos(setting, '=') + 1)) END)
    FROM roles JOIN pg_db_role_setting ON setrole = roles.oid AND setdatabase = 0, unnest(setconfig) AS setting
    UNION ALL
    -- A grantor needs its own ADMIN OPTION first. Before 16 nothing depends on who granted.
    SELECT 4, CASE WHEN of_the_system THEN 0 ELSE 1 END, format(
        'GRANT %I TO %I%s%s', role, member,
        CASE WHEN options ? 'set_option' THEN format(' WITH ADMIN %s, INHERIT %s, SET %s', options ->> 'admin_option', options ->> 'inherit_option', options ->> 'set_option')
             WHEN (options ->> 'admin_option')::bool THEN ' WITH ADMIN OPTION' ELSE '' END,
        CASE WHEN options ? 'set_option' AND NOT of_the_system THEN format(' GRANTED BY %I', grantor) ELSE '' END)
    FROM members
)
SELECT statement FROM statements ORDER BY step, nth
