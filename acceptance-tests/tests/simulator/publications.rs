//! Publications FOR ALL TABLES and FOR TABLES IN SCHEMA, which community Postgres leaves to superusers.

use acceptance_tests::simulator::{ClusterHandle, ClusterSpec};

use crate::{available, refusal, simulator};

const SUPERUSERS: &str = "SELECT count(*) FROM pg_catalog.pg_authid WHERE rolsuper";

async fn superusers(cluster: &ClusterHandle) -> i64 {
    cluster.superuser("postgres").await.unwrap().query_one(SUPERUSERS, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn members_of_rds_superuser_publish_all_tables_and_schemas() {
    let simulator = simulator();
    for version in available(["15.10", "16.6"]).await {
        let cluster = simulator
            .create_cluster(ClusterSpec::new(&format!("orders-{}", &version[..2])).engine_version(version).database("shop"))
            .await
            .unwrap();
        let admin = cluster.admin("shop").await.unwrap();
        admin.batch_execute("CREATE SCHEMA s; CREATE PUBLICATION p FOR ALL TABLES").await.unwrap();
        admin.batch_execute("CREATE PUBLICATION q FOR TABLES IN SCHEMA s").await.unwrap();
        admin.batch_execute("ALTER PUBLICATION q ADD TABLES IN SCHEMA public").await.unwrap();
        admin.batch_execute("ALTER PUBLICATION q DROP TABLES IN SCHEMA s").await.unwrap();
        admin.batch_execute("ALTER PUBLICATION p SET (publish = 'insert')").await.unwrap();
        let owner: String = admin
            .query_one("SELECT pg_get_userbyid(pubowner) FROM pg_publication WHERE pubname = 'p'", &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(owner, "clusteradmin");

        // Even after an error in the middle, in a transaction that is rolled back, and in a subtransaction.
        assert_eq!(refusal(admin.batch_execute("CREATE PUBLICATION p FOR ALL TABLES").await).0, "42710");
        admin.batch_execute("BEGIN; CREATE PUBLICATION r FOR ALL TABLES; ROLLBACK").await.unwrap();
        assert_eq!(superusers(&cluster).await, 1);
        admin
            .batch_execute("DO $$ BEGIN CREATE PUBLICATION p FOR ALL TABLES; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
            .await
            .unwrap();
        assert_eq!(superusers(&cluster).await, 1);
        let own: bool = admin.query_one("SELECT rolsuper FROM pg_roles WHERE rolname = current_user", &[]).await.unwrap().get(0);
        assert!(!own);

        admin.batch_execute("DROP PUBLICATION p; DROP PUBLICATION q").await.unwrap();
    }
}

#[tokio::test]
async fn nobody_else_publishes_all_tables() {
    let simulator = simulator();
    let cluster = simulator.create_cluster(ClusterSpec::new("orders").database("shop")).await.unwrap();
    let admin = cluster.admin("shop").await.unwrap();
    admin
        .batch_execute(
            "CREATE ROLE app LOGIN PASSWORD 'app'; CREATE ROLE second LOGIN PASSWORD 'second'; GRANT rds_superuser TO second;
             GRANT CREATE ON DATABASE shop TO app; CREATE SCHEMA app AUTHORIZATION clusteradmin; GRANT ALL ON SCHEMA app TO app; GRANT USAGE ON SCHEMA app TO second",
        )
        .await
        .unwrap();

    // CREATE on the database without rds_superuser.
    let app = cluster.connect("app", "app", "shop").await.unwrap();
    assert_eq!(
        refusal(app.batch_execute("CREATE PUBLICATION p FOR ALL TABLES").await),
        ("42501".to_owned(), "must be superuser to create FOR ALL TABLES publication".to_owned())
    );
    assert_eq!(refusal(app.batch_execute("CREATE PUBLICATION p FOR TABLES IN SCHEMA app").await).0, "42501");

    // rds_superuser without CREATE on the database.
    let second = cluster.connect("second", "second", "shop").await.unwrap();
    assert_eq!(
        refusal(second.batch_execute("CREATE PUBLICATION p FOR ALL TABLES").await),
        ("42501".to_owned(), "permission denied for database shop".to_owned())
    );

    // Both, and still not more than the owner of a table or of a publication may do.
    admin.batch_execute("GRANT CREATE ON DATABASE shop TO second; CREATE PUBLICATION of_admin").await.unwrap();
    app.batch_execute("CREATE TABLE app.t (id int PRIMARY KEY)").await.unwrap();
    assert_eq!(refusal(second.batch_execute("CREATE PUBLICATION p FOR TABLE app.t").await).1, "must be owner of table t");
    assert_eq!(
        refusal(second.batch_execute("CREATE PUBLICATION p FOR TABLES IN SCHEMA public, TABLE app.t").await).1,
        "must be owner of table t"
    );
    assert_eq!(
        refusal(second.batch_execute("ALTER PUBLICATION of_admin ADD TABLES IN SCHEMA app").await).1,
        "must be owner of publication of_admin"
    );
    assert_eq!(
        refusal(second.batch_execute("ALTER PUBLICATION of_admin DROP TABLES IN SCHEMA app").await).1,
        "must be owner of publication of_admin"
    );
    second.batch_execute("CREATE PUBLICATION p FOR ALL TABLES").await.unwrap();
    assert_eq!(superusers(&cluster).await, 1);
}

#[tokio::test]
async fn two_sessions_publish_all_tables_at_once() {
    let simulator = simulator();
    let cluster = simulator.create_cluster(ClusterSpec::new("orders").database("shop")).await.unwrap();
    cluster.superuser("postgres").await.unwrap().batch_execute("CREATE DATABASE depot OWNER clusteradmin").await.unwrap();
    // In two databases, since roles are shared between them.
    let (mut first, second) = (cluster.admin("shop").await.unwrap(), cluster.admin("depot").await.unwrap());
    let transaction = first.transaction().await.unwrap();
    transaction.batch_execute("CREATE PUBLICATION p FOR ALL TABLES").await.unwrap();
    let waiting = tokio::spawn(async move { second.batch_execute("CREATE PUBLICATION p FOR ALL TABLES").await });
    let superuser = cluster.superuser("postgres").await.unwrap();
    while superuser.query_one("SELECT count(*) FROM pg_locks WHERE NOT granted", &[]).await.unwrap().get::<_, i64>(0) == 0 {
        assert!(!waiting.is_finished());
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    transaction.commit().await.unwrap();
    waiting.await.unwrap().unwrap();

    let sessions = (0..8).map(|number| {
        let cluster = cluster.clone();
        tokio::spawn(async move {
            let database = if number % 2 == 0 { "shop" } else { "depot" };
            cluster.admin(database).await.unwrap().batch_execute(&format!("CREATE PUBLICATION p{number} FOR ALL TABLES")).await
        })
    });
    for session in sessions.collect::<Vec<_>>() {
        session.await.unwrap().unwrap();
    }
    assert_eq!(superusers(&cluster).await, 1);
}
