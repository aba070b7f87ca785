//! Parameters and roles of the Postgres behind a cluster.

use acceptance_tests::postgres_server::{PostgresServer, ServerOptions};
use acceptance_tests::simulator::{ClusterHandle, ClusterSpec, Simulator};

use crate::{available, refusal, simulator};

/// One cluster per major version with different rules for roles.
async fn clusters(simulator: &Simulator) -> Vec<ClusterHandle> {
    let mut clusters = Vec::new();
    for version in available(["15.10", "16.6"]).await {
        let identifier = format!("orders-{}", &version[..2]);
        clusters.push(
            simulator.create_cluster(ClusterSpec::new(&identifier).engine_version(version).database("shop")).await.unwrap(),
        );
    }
    clusters
}

#[tokio::test]
async fn logical_replication_is_a_parameter_of_the_postmaster() {
    let simulator = simulator();
    for cluster in clusters(&simulator).await {
        let admin = cluster.admin("shop").await.unwrap();
        let row = admin
            .query_one("SELECT context, setting FROM pg_settings WHERE name = 'rds.logical_replication'", &[])
            .await
            .unwrap();
        assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1)), ("postmaster", "off"));
        assert_eq!(refusal(admin.batch_execute("SET rds.logical_replication = on").await).0, "55P02");

        let server = cluster.server().unwrap();
        let settings = std::fs::read_to_string(server.data().join("rig.conf")).unwrap();
        let changed = settings.replace("rds.logical_replication = 'off'", "rds.logical_replication = 'on'");
        assert_ne!(settings, changed);
        std::fs::write(server.data().join("rig.conf"), changed).unwrap();
        let superuser = cluster.superuser("postgres").await.unwrap();
        superuser.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        let pending = "SELECT pending_restart FROM pg_settings WHERE name = 'rds.logical_replication'";
        while !superuser.query_one(pending, &[]).await.unwrap().get::<_, bool>(0) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert_eq!(cluster.show("rds.logical_replication").await.unwrap(), "off");
    }
}

#[tokio::test]
async fn the_admin_is_no_superuser_and_hands_on_what_rds_lets_it_hand_on() {
    let simulator = simulator();
    for cluster in clusters(&simulator).await {
        let admin = cluster.admin("shop").await.unwrap();
        let own = "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication FROM pg_roles WHERE rolname = current_user";
        let row = admin.query_one(own, &[]).await.unwrap();
        assert_eq!([row.get::<_, bool>(0), row.get(1), row.get(2), row.get(3)], [false, true, true, false]);

        admin.batch_execute("CREATE ROLE pipe LOGIN PASSWORD 'one'; GRANT rds_replication, rds_password TO pipe").await.unwrap();
        // A connection through the endpoint, so that the attribute behind the membership is set by now.
        drop(cluster.connect("pipe", "one", "shop").await.unwrap());
        let seen = admin
            .query_one(
                "SELECT rolreplication, pg_has_role('pipe', 'rds_replication', 'MEMBER') FROM pg_roles WHERE rolname = 'pipe'",
                &[],
            )
            .await
            .unwrap();
        assert_eq!((seen.get::<_, bool>(0), seen.get::<_, bool>(1)), (false, true));
        admin.batch_execute("ALTER ROLE pipe PASSWORD 'two' CONNECTION LIMIT 5").await.unwrap();
        admin.batch_execute("ALTER ROLE pipe RENAME TO renamed; ALTER ROLE renamed PASSWORD 'three'").await.unwrap();
        cluster.connect("renamed", "three", "shop").await.unwrap();
        admin.batch_execute("REVOKE rds_replication FROM renamed; DROP ROLE renamed").await.unwrap();
    }
}

#[tokio::test]
async fn what_only_a_superuser_may_do_the_admin_may_not() {
    let simulator = simulator();
    for cluster in clusters(&simulator).await {
        let admin = cluster.admin("shop").await.unwrap();
        admin.batch_execute("CREATE ROLE pipe LOGIN PASSWORD 'one'; GRANT rds_replication TO pipe").await.unwrap();
        drop(cluster.connect("pipe", "one", "shop").await.unwrap());
        let log = cluster.server_log().unwrap();
        assert!(log.contains("CREATE ROLE pipe") && !log.contains("admin-password"));
        for statement in [
            "ALTER ROLE pipe REPLICATION",
            "ALTER ROLE pipe PASSWORD 'x' REPLICATION",
            "CREATE ROLE other REPLICATION",
            "ALTER ROLE pipe SUPERUSER",
            "ALTER ROLE pipe PASSWORD 'x' SUPERUSER",
            "ALTER ROLE rdsadmin PASSWORD 'x'",
            "ALTER ROLE \"rdsadmin\" PASSWORD 'x'",
            "SELECT rolpassword FROM pg_authid",
            "ALTER SYSTEM SET log_statement = 'none'",
            "ALTER ROLE pipe SET log_statement = 'none'",
        ] {
            let (code, message) = refusal(admin.batch_execute(statement).await);
            assert_eq!(code, "42501", "{statement}: {message}");
        }
        // A role without CREATEROLE gains nothing either.
        let pipe = cluster.connect("pipe", "one", "shop").await.unwrap();
        assert_eq!(
            refusal(pipe.batch_execute(&format!("ALTER ROLE {} PASSWORD 'x'", cluster.spec.admin_username)).await).0,
            "42501"
        );
    }
}

#[tokio::test]
async fn members_of_rds_iam_do_not_get_in_with_a_password() {
    let simulator = simulator();
    let cluster = simulator.create_cluster(ClusterSpec::new("orders")).await.unwrap();
    let admin = cluster.admin("postgres").await.unwrap();
    admin.batch_execute("CREATE ROLE pipe LOGIN PASSWORD 'one'; GRANT rds_iam TO pipe").await.unwrap();
    assert!(cluster.connect("pipe", "one", "postgres").await.is_err());
}

#[tokio::test]
async fn a_plain_server_has_an_admin_who_is_a_superuser_and_no_roles_of_rds() {
    let server = PostgresServer::start(ServerOptions::major(15).setting("wal_level", "logical")).await.unwrap();
    server.create_superuser("admin", "its 'password'").await.unwrap();
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(server.port()).user("admin").password("its 'password'").dbname("postgres");
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let row = client.query_one("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'rds!_%' ESCAPE '!'", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
    client.batch_execute("CREATE PUBLICATION everything FOR ALL TABLES").await.unwrap();
    let texts: Vec<String> = server.statements().unwrap().into_iter().map(|statement| statement.text).collect();
    assert_eq!(texts.last().unwrap(), "CREATE PUBLICATION everything FOR ALL TABLES");
    assert!(!server.log_text().unwrap().contains("its 'password'"));
    config.user("rdsadmin");
    assert!(config.connect(tokio_postgres::NoTls).await.is_err());
}
