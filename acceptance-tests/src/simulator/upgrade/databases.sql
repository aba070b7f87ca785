-- The databases with their owners, privileges and settings.
WITH databases AS (
    SELECT * FROM pg_database WHERE datallowconn AND datname NOT IN ('template0', 'template1')
), statements AS (
    SELECT 1 AS step, format('CREATE DATABASE %I', datname) AS statement FROM databases WHERE datname <> 'postgres'
    UNION ALL
    SELECT 2, format('ALTER DATABASE %I OWNER TO %I', datname, pg_get_userbyid(datdba)) FROM databases
    UNION ALL
    SELECT 3, format('REVOKE ALL ON DATABASE %I FROM PUBLIC', datname) FROM databases WHERE datacl IS NOT NULL
    UNION ALL
    SELECT 4, format('GRANT %s ON DATABASE %I TO %s%s', privilege_type, datname,
        CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM databases, aclexplode(datacl)
    UNION ALL
    SELECT 5, format('ALTER %s SET %I TO %s',
        CASE WHEN setrole = 0 THEN format('DATABASE %I', datname) ELSE format('ROLE %I IN DATABASE %I', pg_get_userbyid(setrole), datname) END,
        split_part(setting, '=', 1), CASE WHEN split_part(setting, '=', 1) IN ('search_path', 'session_preload_libraries', 'local_preload_libraries', 'temp_tablespaces')
             THEN substr(setting, strpos(setting, '=') + 1) ELSE quote_literal(substr(setting, strpos(setting, '=') + 1)) END)
    FROM databases JOIN pg_db_role_setting ON setdatabase = databases.oid, unnest(setconfig) AS setting
)
SELECT statement FROM statements ORDER BY step
