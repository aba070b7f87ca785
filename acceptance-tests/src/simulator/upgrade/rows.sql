-- The tables that hold rows themselves, and the columns that are not computed from others.
SELECT pg_class.oid::regclass::text, string_agg(quote_ident(attname), ', ' ORDER BY attnum)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
WHERE relkind = 'r' AND pg_class.oid >= 16384 AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
    AND pg_class.oid NOT IN (SELECT objid FROM pg_depend WHERE deptype = 'e' AND classid = 'pg_class'::regclass)
GROUP BY pg_class.oid
