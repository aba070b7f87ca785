-- What a database has and the copy would leave behind, each with its kind.
WITH of_extensions AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
found AS (
    SELECT 'pg_class'::regclass AS classid, oid,
        format('%s %s', CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'type' END, oid::regclass) AS what
    FROM pg_class WHERE relkind IN ('v', 'm', 'f', 'c')
    UNION ALL
    SELECT 'pg_class'::regclass, inhrelid, format('table %s, which inherits', inhrelid::regclass)
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE relkind IN ('r', 'p') AND NOT relispartition
    UNION ALL
    SELECT 'pg_type'::regclass, oid, format('type %s', oid::regtype) FROM pg_type WHERE typtype IN ('e', 'd', 'r')
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, format('function %s', oid::regprocedure) FROM pg_proc WHERE pronamespace <> 'pg_catalog'::regnamespace
    UNION ALL
    SELECT 'pg_trigger'::regclass, oid, format('trigger %I', tgname) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT 'pg_event_trigger'::regclass, oid, format('event trigger %I', evtname) FROM pg_event_trigger WHERE evtname NOT LIKE 'sim\_publication\_%'
    UNION ALL
    SELECT 'pg_policy'::regclass, oid, format('policy %I', polname) FROM pg_policy
    UNION ALL
    SELECT 'pg_rewrite'::regclass, pg_rewrite.oid, format('rule %I', rulename)
    FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class WHERE relkind IN ('r', 'p')
    UNION ALL
    SELECT 'pg_subscription'::regclass, oid, format('subscription %I', subname)
    FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT what FROM found
WHERE oid >= 16384 AND NOT EXISTS (SELECT FROM of_extensions WHERE of_extensions.classid = found.classid AND objid = found.oid)
