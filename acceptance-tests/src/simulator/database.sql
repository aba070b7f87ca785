-- What each database of a simulated cluster holds beyond plain Postgres. It goes to template1 before any other database is made.

CREATE FUNCTION pg_catalog.aurora_version() RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_setting('aurora_sim.version') $$;

-- RDS shows members of rds_replication without the attribute that they have here.
DO $$
BEGIN
    EXECUTE 'CREATE OR REPLACE VIEW pg_catalog.pg_roles AS '
        || replace(pg_get_viewdef('pg_catalog.pg_roles'), 'pg_authid.rolreplication', '(pg_authid.rolreplication AND pg_authid.rolsuper) AS rolreplication');
    EXECUTE 'CREATE OR REPLACE VIEW pg_catalog.pg_user AS '
        || regexp_replace(pg_get_viewdef('pg_catalog.pg_user'), '(pg_shadow\.)?userepl', '(userepl AND usesuper) AS userepl');
END
$$;

-- On Aurora members of rds_superuser create publications FOR ALL TABLES and FOR TABLES IN SCHEMA, which community Postgres leaves
-- to superusers. While such a statement runs, the role that runs it is made a superuser; what a superuser would be spared is
-- checked before (CREATE on the database) and after (ownership). An error anywhere rolls both changes back with the statement.
CREATE FUNCTION pg_catalog.sim_publication_start() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    actor name := coalesce(nullif(current_setting('role'), 'none'), session_user);
BEGIN
    IF current_query() !~* '\mfor\s+all\s+tables\M|\mtables\s+in\s+schema\M' THEN
        RETURN;
    END IF;
    -- Dropping from a publication needs no superuser, only its owner.
    IF tg_tag = 'ALTER PUBLICATION' AND (current_query() !~* '\m(add|set)\M' OR current_query() ~* '\mdrop\M') THEN
        RETURN;
    END IF;
    IF (SELECT rolsuper FROM pg_authid WHERE rolname = actor)
        OR NOT pg_has_role(actor, 'rds_superuser', 'MEMBER')
        OR NOT has_database_privilege(actor, current_database(), 'CREATE')
    THEN
        RETURN;
    END IF;
    -- Two sessions that change the same role at once would end with "tuple concurrently updated". Advisory locks hold within one
    -- database only, roles are shared: this mode excludes itself and nothing else that sessions do with roles.
    LOCK TABLE pg_catalog.pg_authid IN SHARE UPDATE EXCLUSIVE MODE;
    EXECUTE format('ALTER ROLE %I SUPERUSER', actor);
END
$$;

CREATE FUNCTION pg_catalog.sim_publication_end() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    actor name := coalesce(nullif(current_setting('role'), 'none'), session_user);
    touched oid[];
    refused text;
BEGIN
    -- 10 is the superuser that initdb made; nobody else is one between statements.
    IF NOT (SELECT rolsuper AND oid <> 10 FROM pg_authid WHERE rolname = actor) THEN
        RETURN;
    END IF;
    EXECUTE format('ALTER ROLE %I NOSUPERUSER', actor);
    SELECT array_agg(objid) INTO touched FROM pg_event_trigger_ddl_commands() WHERE classid = 'pg_publication'::regclass;
    touched := touched || ARRAY(
        SELECT prpubid FROM pg_publication_rel
        WHERE oid IN (SELECT objid FROM pg_event_trigger_ddl_commands() WHERE classid = 'pg_publication_rel'::regclass));
    IF current_setting('server_version_num')::int >= 150000 THEN
        touched := touched || ARRAY(
            SELECT pnpubid FROM pg_publication_namespace
            WHERE oid IN (SELECT objid FROM pg_event_trigger_ddl_commands() WHERE classid = 'pg_publication_namespace'::regclass));
    END IF;
    SELECT pubname INTO refused FROM pg_publication WHERE oid = ANY (touched) AND NOT pg_has_role(actor, pubowner, 'USAGE');
    IF FOUND THEN
        RAISE EXCEPTION 'must be owner of publication %', refused USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT relname INTO refused FROM pg_publication_rel JOIN pg_class ON pg_class.oid = prrelid
    WHERE prpubid = ANY (touched) AND NOT pg_has_role(actor, relowner, 'USAGE');
    IF FOUND THEN
        RAISE EXCEPTION 'must be owner of table %', refused USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;

CREATE EVENT TRIGGER sim_publication_start ON ddl_command_start WHEN TAG IN ('CREATE PUBLICATION', 'ALTER PUBLICATION')
    EXECUTE FUNCTION pg_catalog.sim_publication_start();
CREATE EVENT TRIGGER sim_publication_end ON ddl_command_end WHEN TAG IN ('CREATE PUBLICATION', 'ALTER PUBLICATION')
    EXECUTE FUNCTION pg_catalog.sim_publication_end();
