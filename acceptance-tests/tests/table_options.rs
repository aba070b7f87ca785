//! Row filters and column lists of `clickpipes_publication`, on real terraform and real Postgres.

use std::fmt::Write as _;

use acceptance_tests::postgres_server::is_available;
use acceptance_tests::rig::{CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::ClusterSpec;
use anyhow::{Result, ensure};
use serde_json::json;

const P: &str = "clickpipes_publication.p";

const TABLES: &str = "
    CREATE TABLE orders (id int PRIMARY KEY, status text, \"No\"\"te\" text);
    CREATE TABLE users (id int PRIMARY KEY, email text);
    INSERT INTO orders VALUES (1, 'new'); INSERT INTO users VALUES (1, 'a');";

/// Each listed table with the oid of its entry, its columns and its filter.
const ENTRIES: &str = "
    SELECT string_agg(concat_ws(' ', r.prrelid::regclass, r.prattrs, pg_get_expr(r.prqual, r.prrelid)), '; ' ORDER BY r.prrelid)
    FROM pg_publication_rel r";

fn publication(arguments: &str) -> String {
    format!("resource \"clickpipes_publication\" \"p\" {{\n  database = \"{DATABASE}\"\n  name = \"p\"\n{arguments}\n}}\n")
}

fn both(arguments: &str) -> String {
    publication(&format!("  tables = [\"public.orders\", \"public.users\"]\n{arguments}"))
}

async fn rig() -> Result<Rig> {
    let rig = Rig::start().await?;
    rig.sql(TABLES).await?;
    Ok(rig)
}

async fn entry_of(rig: &Rig, table: &str) -> Result<String> {
    rig.ask(&format!("SELECT oid::text FROM pg_publication_rel WHERE prrelid = '{table}'::regclass")).await
}

async fn refusal(rig: &Rig, configuration: &str) -> Result<String> {
    rig.main(configuration)?;
    Ok(rig.tf.run(["plan", "-no-color"]).await?.failed()?.message().split_whitespace().collect::<Vec<_>>().join(" "))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_and_a_list_live_from_create_over_drift_to_their_end() -> Result<()> {
    let rig = rig().await?;
    rig.main(&both(
        "  table_options = {\n    \"public.orders\" = { columns = [\"status\", \"id\", \"No\\\"te\"], where = \"id>0 and id <> 7\" }\n  }",
    ))?;
    let created = rig.apply_as_reviewed(P).await?;
    assert_eq!(rig.ask(ENTRIES).await?, "orders 1 2 3 ((id > 0) AND (id <> 7)); users");
    assert_eq!(created["table_options"]["public.orders"]["columns"], json!(["status", "id", "No\"te"]));
    assert_eq!(created["tables_without_replica_identity"], json!([]));
    rig.sql("UPDATE orders SET status = 'paid'; DELETE FROM users").await?;

    // Neither another order nor the server's own words are a change of the publication.
    rig.main(&both(
        "  table_options = {\n    \"public.orders\" = { columns = [\"No\\\"te\", \"id\", \"status\"], where = \"id>0 and id <> 7\" }\n  }",
    ))?;
    rig.tf.assert_empty_plan().await?;
    rig.main(&both(
        "  table_options = {\n    \"public.orders\" = { columns = [\"id\", \"status\", \"No\\\"te\"], where = \"((id > 0) AND (id <> 7))\" }\n  }",
    ))?;
    let entries = [entry_of(&rig, "orders").await?, entry_of(&rig, "users").await?];
    let before = rig.changes()?.len();
    rig.apply_as_reviewed(P).await?;
    assert_eq!(rig.changes()?.len(), before, "no statement");
    rig.tf.assert_empty_plan().await?;

    // What somebody else does is drift: of a table with options, and of one without.
    for _ in 0..2 {
        rig.sql("ALTER PUBLICATION p SET TABLE orders (id), users WHERE (id > 100)").await?;
        assert_eq!(
            rig.tf.plan().await?.operations(P),
            [
                "ALTER PUBLICATION \"p\" DROP TABLE ONLY \"public\".\"orders\", ONLY \"public\".\"users\"",
                "ALTER PUBLICATION \"p\" ADD TABLE ONLY \"public\".\"orders\" (\"No\"\"te\", \"id\", \"status\") \
                 WHERE (((id > 0) AND (id <> 7))), ONLY \"public\".\"users\"",
            ]
        );
        rig.apply_as_reviewed(P).await?;
        assert_eq!(rig.ask(ENTRIES).await?, "orders 1 2 3 ((id > 0) AND (id <> 7)); users");
        rig.tf.assert_empty_plan().await?;
    }
    assert_ne!(entry_of(&rig, "orders").await?, entries[0]);

    // The other table never leaves.
    let users = entry_of(&rig, "users").await?;
    rig.main(&both("  table_options = {\n    \"public.orders\" = { where = \"id > 1\" }\n  }"))?;
    let altered = rig.apply_as_reviewed(P).await?;
    assert_eq!(altered["oid"], created["oid"]);
    assert_eq!(rig.ask(ENTRIES).await?, "orders (id > 1); users");
    assert_eq!(entry_of(&rig, "users").await?, users);
    rig.main(&both(""))?;
    rig.apply_as_reviewed(P).await?;
    assert_eq!(rig.ask(ENTRIES).await?, "orders; users");
    rig.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_by_hand_is_imported_and_never_breaks_writes_unseen() -> Result<()> {
    let rig = rig().await?;
    rig.sql("CREATE PUBLICATION p FOR TABLE orders WHERE (status<>'draft'), users (email) WITH (publish = 'insert', publish_via_partition_root = true)")
        .await?;
    let import = format!("import {{\n  to = {P}\n  id = \"app/p\"\n}}\n");
    rig.main(&import)?;
    rig.tf.plan_with(&["-generate-config-out=generated.tf"]).await?;
    rig.apply_as_reviewed(P).await?;
    rig.tf.assert_empty_plan().await?;
    let imported = rig.tf.resource(P).await?;
    assert_eq!(imported["table_options"]["public.users"]["columns"], json!(["email"]));
    assert_eq!(imported["table_options"]["public.orders"]["where"], json!("(status <> 'draft'::text)"));
    rig.tf.remove("generated.tf")?;

    // Without options the configuration asks for whole tables; with them, updates would fail.
    let options = "  table_options = {\n    \"public.orders\" = { where = \"status<>'draft'\" }\n    \"public.users\" = { columns = [\"email\"] }\n  }\n";
    let message = refusal(&rig, &both(&format!("{options}  publish = [\"insert\", \"update\", \"delete\"]"))).await?;
    for part in [
        "public.orders, public.users",
        "The replica identity of public.orders does not suit: the row filter uses columns that are not part of it (\"status\")",
        "The replica identity of public.users does not suit: the list of columns lacks some of its own (\"id\")",
    ] {
        ensure!(message.contains(part), "{part} in {message}");
    }
    // A text that differs from the server's right after an import is one change in place, and then none.
    rig.main(&both(&format!("{options}  publish = [\"insert\"]")))?;
    assert_eq!(rig.tf.plan().await?.operations(P).len(), 2);
    rig.apply_as_reviewed(P).await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(rig.ask(ENTRIES).await?, "orders (status <> 'draft'::text); users 2");

    rig.main(&both(&format!("{options}  publish = [\"insert\", \"update\"]\n  allow_tables_without_replica_identity = true")))?;
    let exposed = rig.apply_as_reviewed(P).await?;
    assert_eq!(exposed["tables_without_replica_identity"], json!(["public.orders", "public.users"]));
    ensure!(rig.sql("UPDATE orders SET status = 'paid'").await.is_err(), "PostgreSQL agrees");
    ensure!(rig.sql("UPDATE users SET email = 'b'").await.is_err(), "PostgreSQL agrees");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_postgres_would_refuse_is_refused_at_plan() -> Result<()> {
    let rig = rig().await?;
    rig.sql("CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE SCHEMA s").await?;
    let with = |scope: &str, key: &str, options: &str| {
        publication(&format!("  {scope}\n  table_options = {{ \"{key}\" = {{ {options} }} }}"))
    };
    let orders = "tables = [\"public.orders\"]";
    for (configuration, expected) in [
        (with(orders, "public.users", "where = \"true\""), "is not in `tables`"),
        (with("all_tables = true", "public.users", "where = \"true\""), "is not in `tables`"),
        (with(orders, "orders", "where = \"true\""), "does not name a schema"),
        (with(orders, "public.orders", "where = \"true); DROP TABLE users; --\""), "The row filter contains a semicolon"),
        (
            with(orders, "public.orders", "where = \"true) WITH (publish = 'insert'\""),
            "closes a parenthesis that it does not open",
        ),
        (with(orders, "public.orders", "columns = []"), "at least one column"),
        (
            with(&format!("{orders}\n  schemas = [\"s\"]"), "public.orders", "columns = [\"id\"]"),
            "no lists of columns in a publication that publishes schemas",
        ),
        (
            with("tables = [\"public.parts\"]\n  publish_via_partition_root = false", "public.parts", "where = \"id > 1\""),
            "Set publish_via_partition_root = true",
        ),
    ] {
        let message = refusal(&rig, &configuration).await?;
        ensure!(message.contains(expected), "{expected} in {message}");
    }
    // A filter beside schemas is accepted, and schemas take the place of a list in one apply.
    rig.main(&with(orders, "public.orders", "columns = [\"id\"]"))?;
    rig.apply_as_reviewed(P).await?;
    let superuser = rig.cluster.superuser(DATABASE).await?;
    superuser.batch_execute("ALTER PUBLICATION p OWNER TO clusteradmin").await?;
    rig.main(&with(&format!("{orders}\n  schemas = [\"s\"]"), "public.orders", "where = \"id > 1\""))?;
    rig.apply_as_reviewed(P).await?;
    rig.main(&with(orders, "public.orders", "columns = [\"id\"]"))?;
    rig.apply_as_reviewed(P).await?;
    rig.tf.assert_empty_plan().await?;

    if is_available(14).await? {
        let old = Rig::start_with(ClusterSpec::new(CLUSTER).engine_version("14.15")).await?;
        old.sql(TABLES).await?;
        let message = refusal(&old, &with(orders, "public.orders", "columns = [\"id\"]")).await?;
        ensure!(message.contains("needs PostgreSQL 15, but this server runs 14."), "{message}");
    }
    Ok(())
}

/// What `table_options` says of a table, and PostgreSQL's words for it.
const SHAPES: [(&str, &str, &str); 6] = [
    ("whole", "", "{t}"),
    ("by_id", "where = \"id > 0 AND id::numeric < 1000\"", "{t} WHERE (id > 0 AND id::numeric < 1000)"),
    ("by_code", "where = \"\\\"code\\\" <> 7\"", "{t} WHERE (code <> 7)"),
    ("only_id", "columns = [\"id\"]", "{t} (id)"),
    ("included", "columns = [\"code\"]", "{t} (code)"),
    ("both", "columns = [\"id\", \"code\"], where = \"id > 0\"", "{t} (id, code) WHERE (id > 0)"),
];
const IDENTITIES: [(&str, &str); 4] =
    [("default", "DEFAULT"), ("full", "FULL"), ("nothing", "NOTHING"), ("code", "USING INDEX {t}_code")];

/// One plan asks for every shape with every replica identity, of tables and of leaves of a published root. The server is asked the same
/// with an UPDATE and a DELETE.
#[tokio::test(flavor = "multi_thread")]
async fn exactly_what_makes_the_server_refuse_writes_is_refused_at_plan() -> Result<()> {
    for version in ["15.10", "18.1"] {
        let major: u32 = version.split('.').next().unwrap_or_default().parse()?;
        if is_available(major).await? {
            agrees(version).await?;
        }
    }
    Ok(())
}

async fn agrees(version: &str) -> Result<()> {
    let rig = Rig::start_with(ClusterSpec::new(CLUSTER).engine_version(version)).await?;
    let admin = rig.admin().await?;
    let (mut configuration, mut cases) = (String::new(), Vec::new());
    for (shape, options, clause) in SHAPES {
        for (word, identity) in IDENTITIES {
            for is_leaf in [false, true] {
                let name = format!("{shape}_{word}_{}", if is_leaf { "leaf" } else { "table" });
                let columns = "(id int NOT NULL, note text, code int NOT NULL)";
                let create = if is_leaf {
                    // The columns of a leaf may have other numbers.
                    format!(
                        "CREATE TABLE {name}_root {columns} PARTITION BY LIST (note);
                         CREATE TABLE {name} (gone int, code int NOT NULL, note text, id int NOT NULL); ALTER TABLE {name} DROP gone;
                         ALTER TABLE {name}_root ATTACH PARTITION {name} FOR VALUES IN ('a')"
                    )
                } else {
                    format!("CREATE TABLE {name} {columns}")
                };
                admin
                    .batch_execute(&format!(
                        "{create}; ALTER TABLE {name} ADD PRIMARY KEY (id); CREATE UNIQUE INDEX {name}_code ON {name} (code) INCLUDE (id);
                         ALTER TABLE {name} REPLICA IDENTITY {}",
                        identity.replace("{t}", &name)
                    ))
                    .await?;
                let listed = if is_leaf { format!("{name}_root") } else { name.clone() };
                let options = options.replace("{t}", &listed);
                write!(
                    configuration,
                    "resource \"clickpipes_publication\" \"{name}\" {{\n  database = \"{DATABASE}\"\n  name = \"{name}\"\n  \
                     tables = [\"public.{listed}\"]\n  table_options = {{ \"public.{listed}\" = {{ {options} }} }}\n}}\n"
                )?;
                admin
                    .batch_execute(&format!(
                        "BEGIN; CREATE PUBLICATION x FOR TABLE {} WITH (publish_via_partition_root = true); SAVEPOINT s",
                        clause.replace("{t}", &listed)
                    ))
                    .await?;
                let update = admin.batch_execute(&format!("UPDATE {name} SET note = 'a'")).await.is_err();
                admin.batch_execute("ROLLBACK TO s").await?;
                let delete = admin.batch_execute(&format!("DELETE FROM {name}")).await.is_err();
                admin.batch_execute("ROLLBACK").await?;
                cases.push((name, update || delete));
            }
        }
    }
    let message = refusal(&rig, &configuration).await?;
    ensure!(cases.iter().any(|(_, fails)| *fails) && cases.iter().any(|(_, fails)| !*fails), "{cases:?}");
    for (name, fails) in cases {
        assert_eq!(message.contains(&format!("would fail on: public.{name}.")), fails, "{version}, {name}: {message}");
    }
    Ok(())
}
