-- What the publications publish, before 15.
SELECT format('ALTER PUBLICATION %I ADD TABLE ONLY %s', pubname, prrelid::regclass)
FROM pg_publication_rel JOIN pg_publication ON pg_publication.oid = prpubid
