-- Constraints, indexes, owners, privileges and replica identities.
WITH schemas AS (
    SELECT oid, nspname FROM pg_namespace WHERE (oid >= 16384 OR nspname = 'public') AND nspname NOT LIKE 'pg\_%'
), relations AS (
    SELECT pg_class.oid::regclass AS name, pg_class.* FROM pg_class JOIN schemas ON schemas.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'S')
        AND pg_class.oid NOT IN (SELECT objid FROM pg_depend WHERE deptype = 'e' AND classid = 'pg_class'::regclass)
), tables AS (
    SELECT * FROM relations WHERE relkind IN ('r', 'p')
), of_identity AS (
    SELECT objid FROM pg_depend WHERE deptype = 'i' AND classid = 'pg_class'::regclass
), statements AS (
    SELECT 1 AS step, format('SELECT setval(%L, %s)', format('%I.%I', schemaname, sequencename), last_value) AS statement
    FROM pg_sequences WHERE last_value IS NOT NULL AND schemaname IN (SELECT nspname FROM schemas)
    UNION ALL
    SELECT CASE contype WHEN 'f' THEN 4 ELSE 2 END, format('ALTER TABLE %s ADD CONSTRAINT %I %s', name, conname, pg_get_constraintdef(pg_constraint.oid))
    FROM pg_constraint JOIN tables ON tables.oid = conrelid WHERE contype IN ('p', 'u', 'c', 'x', 'f') AND coninhcount = 0 AND conparentid = 0
    UNION ALL
    SELECT 3, pg_get_indexdef(indexrelid)
    FROM pg_index JOIN tables ON tables.oid = indrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid AND contype IN ('p', 'u', 'x'))
        AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = indexrelid)
    UNION ALL
    SELECT 5, format('ALTER TABLE %s REPLICA IDENTITY %s', name, CASE relreplident
        WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING'
        ELSE (SELECT format('USING INDEX %I', index.relname) FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid WHERE indrelid = tables.oid AND indisreplident) END)
    FROM tables WHERE relreplident <> 'd'
    UNION ALL
    SELECT 6, format('ALTER %s %s OWNER TO %I', CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, name, pg_get_userbyid(relowner))
    FROM relations WHERE oid NOT IN (SELECT objid FROM of_identity WHERE relkind = 'S')
    UNION ALL
    SELECT 7, format('GRANT %s ON %s %s TO %s%s', privilege_type, CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, name,
        CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM relations, aclexplode(relacl) WHERE grantee <> relowner
    UNION ALL
    SELECT 7, format('GRANT %s (%I) ON TABLE %s TO %s', privilege_type, attname, name,
        CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
    FROM tables JOIN pg_attribute ON attrelid = tables.oid, aclexplode(attacl)
    UNION ALL
    SELECT 8, format('ALTER DEFAULT PRIVILEGES FOR ROLE %I %s GRANT %s ON %s TO %s', pg_get_userbyid(defaclrole),
        CASE WHEN defaclnamespace = 0 THEN '' ELSE format('IN SCHEMA %s', defaclnamespace::regnamespace) END, privilege_type,
        CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END,
        CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
    FROM pg_default_acl, aclexplode(defaclacl) WHERE grantee <> defaclrole
)
SELECT statement FROM statements ORDER BY step
