-- What the publications publish, from 15 on: tables with their columns and filters, and schemas.
SELECT format('ALTER PUBLICATION %I ADD TABLE ONLY %s%s%s', pubname, prrelid::regclass,
    (SELECT ' (' || string_agg(quote_ident(attname), ', ' ORDER BY attnum) || ')'
     FROM pg_attribute WHERE attrelid = prrelid AND attnum = ANY (prattrs::int2[])),
    ' WHERE (' || pg_get_expr(prqual, prrelid) || ')')
FROM pg_publication_rel JOIN pg_publication ON pg_publication.oid = prpubid
UNION ALL
SELECT format('ALTER PUBLICATION %I ADD TABLES IN SCHEMA %s', pubname, pnnspid::regnamespace)
FROM pg_publication_namespace JOIN pg_publication ON pg_publication.oid = pnpubid
