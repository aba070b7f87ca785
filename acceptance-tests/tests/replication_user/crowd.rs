//! Many users of one schema at once, and changes beside a reader.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::rig::{PASSWORD, Rig};

/// A number from the environment, for more than each run of the suite has time for.
fn chosen(variable: &str, usual: u32) -> u32 {
    std::env::var(variable).ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
}

/// Does something again and again until it is dropped; how often, and every error but "tuple concurrently updated" and deadlocks,
/// which sessions get that alter the same lists of privileges in another order: those are for the other program to retry.
struct Loop {
    ends: Arc<AtomicBool>,
    done: Arc<AtomicU32>,
    task: tokio::task::JoinHandle<Vec<String>>,
}

impl Loop {
    async fn of(client: tokio_postgres::Client, sql: &'static str) -> Self {
        let (ends, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (ending, counting) = (Arc::clone(&ends), Arc::clone(&done));
        let task = tokio::spawn(async move {
            let mut errors = Vec::new();
            while !ending.load(Ordering::Relaxed) {
                match client.batch_execute(sql).await {
                    Ok(()) => _ = counting.fetch_add(1, Ordering::Relaxed),
                    Err(error) => {
                        let text = error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
                        if !text.contains("concurrently") && text != "deadlock detected" {
                            errors.push(text);
                        }
                        // Every further attempt would fail at once.
                        if client.is_closed() {
                            break;
                        }
                    }
                }
            }
            errors
        });
        Self { ends, done, task }
    }

    /// How often it was done, and what went wrong.
    async fn end(self) -> (u32, Vec<String>) {
        self.ends.store(true, Ordering::Relaxed);
        let errors = self.task.await.unwrap();
        (self.done.load(Ordering::Relaxed), errors)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_users_of_one_schema_while_another_program_grants() {
    let (users, rounds) = (chosen("CROWD_USERS", 30), chosen("CROWD_ROUNDS", 1));
    let mut rig = Rig::start().await;
    for command in ["apply", "destroy"] {
        rig.tf.set_env(format!("TF_CLI_ARGS_{command}"), "-parallelism=50");
    }
    rig.main(&format!(
        "resource \"clickpipes_replication_user\" \"crowd\" {{\n  count = {users}\n  name = \"crowd${{count.index}}\"\n  database = \"app\"\n  \
         password_wo = var.password\n  password_wo_version = 1\n  schemas = [\"shop\"]\n}}\n"
    ))
    .unwrap();
    rig.superuser("CREATE ROLE visitor").await;
    let readable = format!(
        "(SELECT count(*) FROM pg_roles r WHERE r.rolname LIKE 'crowd%' AND has_table_privilege(r.oid, 'shop.orders', 'SELECT') \
         AND has_schema_privilege(r.oid, 'shop', 'USAGE') AND pg_has_role(r.oid, 'rds_replication', 'MEMBER')) = {users}"
    );
    for round in 0..rounds {
        for beside in [false, true] {
            let other = if beside {
                let client = rig.cluster.superuser("app").await.unwrap();
                let grants = "GRANT SELECT ON shop.orders TO visitor; REVOKE SELECT ON shop.orders FROM visitor; \
                    GRANT USAGE ON SCHEMA shop TO visitor; REVOKE USAGE ON SCHEMA shop FROM visitor; \
                    ALTER DEFAULT PRIVILEGES FOR ROLE app_owner IN SCHEMA shop GRANT SELECT ON TABLES TO visitor; \
                    ALTER DEFAULT PRIVILEGES FOR ROLE app_owner IN SCHEMA shop REVOKE SELECT ON TABLES FROM visitor";
                Some(Loop::of(client, grants).await)
            } else {
                None
            };
            rig.tf.apply().await.unwrap_or_else(|error| panic!("round {round}, beside {beside}: {error:#}"));
            assert!(rig.holds(&readable).await, "round {round}, beside {beside}");
            rig.tf.assert_empty_plan().await.unwrap();
            rig.tf.destroy().await.unwrap_or_else(|error| panic!("round {round}, beside {beside}: {error:#}"));
            assert!(rig.holds("NOT EXISTS (SELECT FROM pg_roles WHERE rolname LIKE 'crowd%')").await);
            if let Some(other) = other {
                let (done, errors) = other.end().await;
                assert!(done > 0 && errors.is_empty(), "{errors:?}");
            }
        }
    }
}

/// Two owners, a partitioned table, a materialized view and a foreign table; the reader of what stays never fails.
#[tokio::test(flavor = "multi_thread")]
async fn lists_change_in_place_beside_a_reader_of_the_rest() {
    let rig = Rig::start().await;
    rig.superuser(
        "CREATE ROLE second_owner; GRANT second_owner TO clusteradmin; GRANT ALL ON SCHEMA shop TO second_owner; \
         CREATE FOREIGN DATA WRAPPER wrapper; CREATE SERVER elsewhere FOREIGN DATA WRAPPER wrapper; \
         CREATE FOREIGN TABLE shop.away (id int) SERVER elsewhere; ALTER FOREIGN TABLE shop.away OWNER TO app_owner; \
         CREATE SCHEMA other AUTHORIZATION app_owner; \
         SET ROLE app_owner; CREATE MATERIALIZED VIEW shop.summary AS SELECT 1 AS one; CREATE TABLE other.a (id int PRIMARY KEY); \
         CREATE TABLE shop.events (day int PRIMARY KEY) PARTITION BY LIST (day); CREATE TABLE shop.events_1 PARTITION OF shop.events FOR VALUES IN (1); \
         SET ROLE second_owner; CREATE TABLE shop.second (id int PRIMARY KEY)",
    )
    .await;
    let whole = "  schemas = [\"shop\"]\n  tables = [\"other.a\"]";
    rig.configure(whole);
    rig.tf.apply().await.unwrap();
    let all = "(SELECT bool_and(has_table_privilege('pipe', oid, 'SELECT')) FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('r', 'p', 'm', 'f'))";
    assert!(rig.holds(all).await);
    let reader = Loop::of(rig.login("pipe", PASSWORD).await.unwrap(), "SELECT count(*) FROM shop.orders").await;
    let listed = "  tables = [\"shop.orders\", \"shop.second\", \"other.a\"]";
    for (lists, readable, not) in [
        (listed, "shop.second", "shop.events"),
        ("  tables = [\"shop.orders\"]", "shop.orders", "shop.second"),
        (whole, "shop.events", "nowhere"),
        ("  schemas = [\"shop\", \"other\"]", "other.a", "nowhere"),
    ] {
        rig.configure(lists);
        rig.tf.apply().await.unwrap();
        rig.tf.assert_empty_plan().await.unwrap();
        assert!(rig.holds(&format!("has_table_privilege('pipe', '{readable}', 'SELECT')")).await, "{lists}");
        if not != "nowhere" {
            assert!(!rig.holds(&format!("has_table_privilege('pipe', '{not}', 'SELECT')")).await, "{lists}");
        }
    }
    assert!(rig.holds(all).await);
    let (done, errors) = reader.end().await;
    assert!(done > 0 && errors.is_empty(), "{errors:?}");
    for owner in ["app_owner", "second_owner"] {
        rig.superuser(&format!("SET ROLE {owner}; CREATE TABLE shop.later_{owner} (id int)")).await;
    }
    assert!(rig.holds(all).await);
}
