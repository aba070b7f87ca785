-- The roles of RDS, made once per cluster by the superuser. A group role gives nothing by itself: see database.sql and
-- sim_sync_replication below.
CREATE ROLE rds_superuser NOLOGIN;
CREATE ROLE rds_replication NOLOGIN;
CREATE ROLE rds_iam NOLOGIN;
CREATE ROLE rds_password NOLOGIN;
-- With ADMIN OPTION: from 16 on an admin who only has CREATEROLE could not grant them on.
GRANT rds_replication, rds_password TO rds_superuser WITH ADMIN OPTION;
GRANT pg_monitor, pg_signal_backend TO rds_superuser WITH ADMIN OPTION;

-- Community Postgres asks for the REPLICATION attribute where RDS asks for membership in rds_replication: brings the attribute of
-- all login roles in step with their membership.
CREATE FUNCTION pg_catalog.sim_sync_replication() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    role record;
BEGIN
    FOR role IN
        SELECT rolname, member
        FROM (SELECT rolname, rolreplication, pg_has_role(oid, 'rds_replication', 'MEMBER') AS member
              FROM pg_authid WHERE rolcanlogin AND NOT rolsuper) AS login
        WHERE rolreplication <> member
    LOOP
        EXECUTE format('ALTER ROLE %I %s', role.rolname, CASE WHEN role.member THEN 'REPLICATION' ELSE 'NOREPLICATION' END);
    END LOOP;
END
$$;
