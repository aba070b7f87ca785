-- The publications without what they publish.
WITH publications AS (
    SELECT pg_publication.*, to_jsonb(pg_publication) AS fields FROM pg_publication
), statements AS (
    SELECT 1 AS step, format('CREATE PUBLICATION %I%s WITH (publish = %L%s)', pubname, CASE WHEN puballtables THEN ' FOR ALL TABLES' ELSE '' END,
        concat_ws(', ', CASE WHEN pubinsert THEN 'insert' END, CASE WHEN pubupdate THEN 'update' END, CASE WHEN pubdelete THEN 'delete' END, CASE WHEN pubtruncate THEN 'truncate' END),
        CASE WHEN (fields ->> 'pubviaroot')::bool THEN ', publish_via_partition_root = true' ELSE '' END) AS statement
    FROM publications
    UNION ALL
    SELECT 2, format('ALTER PUBLICATION %I OWNER TO %I', pubname, pg_get_userbyid(pubowner)) FROM publications
    UNION ALL
    SELECT 3, format('COMMENT ON PUBLICATION %I IS %L', pubname, obj_description(oid, 'pg_publication'))
    FROM publications WHERE obj_description(oid, 'pg_publication') IS NOT NULL
)
SELECT statement FROM statements ORDER BY step
