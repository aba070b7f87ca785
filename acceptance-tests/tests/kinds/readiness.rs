//! `clickpipes_readiness`: each check fails for its reason, and passes once what it advises has been run.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use acceptance_tests::core_client::{CoreClient, Kind, TerraformCore, state_json};
use acceptance_tests::rig::{ADMIN, ADMIN_PASSWORD, CLUSTER, DATABASE, Rig};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};

const TYPE: &str = "clickpipes_readiness";
/// The password of the pipe's role, and the variable that has it.
const PASSWORD: &str = "Correct-horse-1";
const VARIABLE: &str = "PIPE_PASSWORD";
/// Longer than any server takes.
const PATIENCE: Duration = Duration::from_secs(90);

/// A source that is fit.
const SOURCE: &str = "
CREATE ROLE pipe LOGIN PASSWORD 'Correct-horse-1';
GRANT rds_replication TO pipe;
CREATE SCHEMA s;
CREATE TABLE s.orders (id int PRIMARY KEY, amount int);
CREATE TABLE s.parts (day int PRIMARY KEY) PARTITION BY LIST (day);
CREATE TABLE s.parts_1 PARTITION OF s.parts FOR VALUES IN (1);
GRANT USAGE ON SCHEMA s TO pipe;
GRANT SELECT ON ALL TABLES IN SCHEMA s TO pipe;
ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO pipe;
CREATE TABLE busy (id int);
CREATE PUBLICATION p FOR TABLE s.orders, s.parts WITH (publish_via_partition_root = true);
";

/// A check, what breaks it, and what is to be put back in place after its remedy has been run.
type Breakage = (&'static str, &'static str, &'static str);

/// Slots, which no transaction may hold up.
const SLOTS: [Breakage; 2] = [
    ("slot.name_free", "SELECT pg_create_logical_replication_slot('pipe_slot', 'pgoutput')", ""),
    ("slot.inactive_peerflow", "SELECT pg_create_logical_replication_slot('peerflow_slot_x', 'pgoutput')", ""),
];

/// The rest.
const BREAKAGES: [Breakage; 22] = [
    ("role.login", "ALTER ROLE pipe NOLOGIN", ""),
    ("role.not_expired", "ALTER ROLE pipe VALID UNTIL '2000-01-01'", ""),
    ("role.connlimit", "ALTER ROLE pipe CONNECTION LIMIT 1", ""),
    ("role.member(rds_replication)", "REVOKE rds_replication FROM pipe", ""),
    ("role.member(rds_iam)", "GRANT rds_iam TO pipe", ""),
    ("role.not_superuser", "ALTER ROLE pipe SUPERUSER", ""),
    ("db.connect", "REVOKE CONNECT ON DATABASE app FROM PUBLIC", ""),
    ("schema.usage", "REVOKE USAGE ON SCHEMA s FROM pipe", ""),
    ("table.select", "REVOKE SELECT ON s.orders FROM pipe", ""),
    ("table.rls", "ALTER TABLE s.orders ENABLE ROW LEVEL SECURITY", ""),
    ("default_privileges", "ALTER DEFAULT PRIVILEGES FOR ROLE clusteradmin IN SCHEMA s REVOKE SELECT ON TABLES FROM pipe", ""),
    ("publication.exists", "DROP PUBLICATION p", "ALTER PUBLICATION p OWNER TO clusteradmin"),
    ("publication.owner", "CREATE ROLE other; ALTER PUBLICATION p OWNER TO other", ""),
    ("publication.covers_tables", "ALTER PUBLICATION p DROP TABLE s.orders", ""),
    ("publication.not_empty", "ALTER PUBLICATION p DROP TABLE s.orders, s.parts", ""),
    ("publication.operations", "ALTER PUBLICATION p SET (publish = 'insert')", ""),
    ("publication.viaroot", "ALTER PUBLICATION p SET (publish_via_partition_root = false)", ""),
    (
        "publication.columns_cover_key",
        "ALTER PUBLICATION p DROP TABLE s.orders; ALTER PUBLICATION p ADD TABLE s.orders (amount)",
        "",
    ),
    (
        "publication.filter_covered_by_identity",
        "ALTER PUBLICATION p DROP TABLE s.orders; ALTER PUBLICATION p ADD TABLE s.orders WHERE (amount > 0)",
        "",
    ),
    ("publication.breaks_writes", "ALTER TABLE s.orders REPLICA IDENTITY NOTHING", ""),
    ("table.replica_identity", "ALTER TABLE s.orders REPLICA IDENTITY DEFAULT, DROP CONSTRAINT orders_pkey", ""),
    ("table.identity_on_all_partitions", "ALTER TABLE s.parts_1 REPLICA IDENTITY NOTHING", ""),
];

/// The provider, and a cluster to ask about.
struct World {
    rig: Rig,
    client: CoreClient,
    core: TerraformCore,
}

impl World {
    async fn start(rig: Rig) -> Result<Self> {
        let client = CoreClient::start_with_env([(VARIABLE, PASSWORD)]).await?;
        let mut core = TerraformCore::load(client.provider.clone()).await?;
        let (host, port) = (rig.cluster.host.clone(), rig.cluster.port);
        core.configure(&configuration(&rig, json!({ "host": host, "port": port }))).await?;
        Ok(Self { rig, client, core })
    }

    /// The checks by their names, and whether the source is ready.
    async fn checks(&mut self, arguments: &Json) -> Result<(BTreeMap<String, Json>, bool)> {
        let config = self.core.schemas().configuration_of(Kind::DataSource, TYPE, arguments)?;
        let found = state_json::encode(&self.core.read_data_source(TYPE, &config).await?);
        let checks = found["checks"].as_array().context("no checks")?;
        let named = |check: &Json| Some((check["id"].as_str()?.to_owned(), check.clone()));
        Ok((checks.iter().filter_map(named).collect(), found["ready"] == true))
    }

    /// The names of the checks that neither pass nor are skipped.
    async fn failing(&mut self, arguments: &Json) -> Result<Vec<String>> {
        let (checks, _) = self.checks(arguments).await?;
        let fails = |check: &Json| !matches!(check["status"].as_str(), Some("pass" | "skipped"));
        Ok(checks.into_iter().filter(|(_, check)| fails(check)).map(|(id, _)| id).collect())
    }

    /// A check fails once something is broken, and passes once its remedy has been run.
    async fn break_and_mend(&mut self, (id, breaks, afterwards): Breakage, arguments: &Json) -> Result<()> {
        self.superuser(breaks).await?;
        let (checks, ready) = self.checks(arguments).await?;
        let check = &checks[id];
        ensure!(check["status"] == "fail", "{id} after {breaks}: {check:#}");
        ensure!(ready != (check["severity"] == "error"), "{id}: ready is {ready}, {check:#}");
        let remedy = check["remedy"].as_str().with_context(|| format!("{id} has no remedy"))?;
        self.superuser(remedy).await?;
        self.superuser(afterwards).await?;
        let (checks, _) = self.checks(arguments).await?;
        ensure!(checks[id]["status"] == "pass", "{id} after {remedy}: {:#}", checks[id]);
        Ok(())
    }

    async fn superuser(&self, sql: &str) -> Result<()> {
        self.rig.cluster.superuser(DATABASE).await?.batch_execute(sql).await.with_context(|| format!("running {sql}"))
    }
}

fn configuration(rig: &Rig, postgres: Json) -> Json {
    let url = rig.simulator.url();
    let mut login = json!({ "username": ADMIN, "password": ADMIN_PASSWORD, "database": DATABASE, "sslmode": "disable", "cluster_identifier": CLUSTER });
    for (name, value) in postgres.as_object().into_iter().flatten() {
        login[name] = value.clone();
    }
    json!({
        "aws": {
            "region": "us-east-1", "access_key": "testing", "secret_key": "testing",
            "endpoints": { "rds": url, "sts": url, "secretsmanager": url },
        },
        "postgres": login,
        "on_unreachable": "keep_state",
    })
}

fn whole() -> Json {
    json!({
        "username": "pipe", "publication_name": "p", "tables": ["s.orders", "s.parts"], "replication_slot_name": "pipe_slot",
        "password_env": VARIABLE,
    })
}

async fn fit() -> Result<World> {
    let parameters = [
        ("rds.logical_replication", "1"),
        ("wal_sender_timeout", "0"),
        ("max_prepared_transactions", "5"),
        ("max_wal_senders", "10"),
    ];
    let world = World::start(Rig::start_with_parameters(&parameters).await?).await?;
    world.rig.sql(SOURCE).await?;
    Ok(world)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_fails_passes_once_its_remedy_has_been_run() -> Result<()> {
    let mut world = fit().await?;
    let whole = whole();
    let (checks, ready) = world.checks(&whole).await?;
    assert_eq!((world.failing(&whole).await?, ready), (Vec::new(), true), "{checks:#?}");
    for id in ["auth.login_as_pipe_user", "auth.replication_login", "cluster.available", "param.group.in_sync", "table.select"] {
        assert_eq!(checks[id]["status"], "pass", "{}", checks[id]);
    }
    for breakage in SLOTS {
        world.break_and_mend(breakage, &whole).await?;
    }
    // A transaction that is open from now on, for later.
    let holder = world.rig.admin().await?;
    holder.batch_execute("BEGIN; INSERT INTO busy VALUES (1)").await?;
    for breakage in BREAKAGES {
        world.break_and_mend(breakage, &whole).await?;
    }
    let failing = world.failing(&whole).await?;
    ensure!(failing.iter().all(|id| id == "long_transactions"), "{failing:?}");

    world.superuser("BEGIN; INSERT INTO s.orders VALUES (2, 2); PREPARE TRANSACTION 'it''s waiting'").await?;
    let started = Instant::now();
    let checks = loop {
        let (checks, _) = world.checks(&whole).await?;
        if checks["long_transactions"]["status"] == "fail" {
            break checks;
        }
        ensure!(started.elapsed() < PATIENCE, "{:#}", checks["long_transactions"]);
        // By the server's clock: there is no event to wait for.
        world.rig.ask("SELECT pg_sleep(1)::text").await?;
    };
    for id in ["long_transactions", "tx.prepared"] {
        ensure!(checks[id]["status"] == "fail", "{:#}", checks[id]);
        world.superuser(checks[id]["remedy"].as_str().unwrap_or_default()).await?;
    }
    assert_eq!(world.failing(&whole).await?, [""; 0]);
    world.client.close().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_statement_for_a_remedy_is_found_too() -> Result<()> {
    let mut world = fit().await?;
    let whole = whole();
    world
        .rig
        .sql(
            "CREATE TABLE s.\"a.b\" (id int PRIMARY KEY);
             CREATE TABLE s.keyless (day int) PARTITION BY LIST (day);
             CREATE UNLOGGED TABLE s.fast (id int PRIMARY KEY);
             CREATE TABLE s.computed (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (2 * id) STORED);
             CREATE TABLE s.notes (id int PRIMARY KEY, note text);
             CREATE TABLE s.archive (PRIMARY KEY (id)) INHERITS (s.orders)",
        )
        .await?;
    let with = |tables: Json| {
        let mut arguments = whole.clone();
        arguments["tables"] = tables;
        arguments
    };
    for (tables, expected) in [
        (json!(["s.Orders"]), "table.exists"),
        (json!(["s.fast"]), "table.kind"),
        (json!(["s.parts_1"]), "table.kind"),
        (json!(["s.keyless"]), "table.replica_identity"),
        (json!(["s.computed"]), "table.generated_columns"),
        (json!(["s.notes"]), "table.toast_without_full"),
        (json!(["s.orders"]), "table.inheritance_children"),
    ] {
        let (checks, _) = world.checks(&with(tables.clone())).await?;
        ensure!(
            checks[expected]["status"] == "fail" && checks[expected]["remedy"].is_string(),
            "{tables}: {:#}",
            checks[expected]
        );
    }
    // A name with a dot cannot be written, but the publication has it.
    world.rig.sql("ALTER PUBLICATION p ADD TABLE s.\"a.b\"").await?;
    let mut of_publication = whole.clone();
    of_publication.as_object_mut().context("no object")?.remove("tables");
    assert_eq!(world.failing(&of_publication).await?, ["table.inheritance_children", "table.name_has_no_dot"]);

    // Who is missing is one failure, and what depends on it is skipped.
    let nobody = json!({ "username": "nobody", "publication_name": "nothing" });
    assert_eq!(world.failing(&nobody).await?, ["publication.exists", "role.exists"]);
    assert_eq!(world.failing(&json!({})).await?, [""; 0]);

    // A login that is refused says why.
    world.superuser("ALTER ROLE pipe PASSWORD 'another'").await?;
    assert_eq!(world.failing(&whole).await?, ["auth.login_as_pipe_user", "auth.replication_login", "table.inheritance_children"]);
    world.superuser("ALTER ROLE pipe PASSWORD 'Correct-horse-1'; REVOKE rds_replication FROM pipe").await?;
    let (checks, _) = world.checks(&whole).await?;
    assert_eq!(checks["auth.login_as_pipe_user"]["status"], "pass");
    let refused = checks["auth.replication_login"]["message"].as_str().unwrap_or_default();
    ensure!(refused.contains("walsender"), "{refused}");
    let mut unset = whole.clone();
    unset["password_env"] = json!("PIPE_PASSWORD_THAT_NOBODY_SET");
    let (checks, ready) = world.checks(&unset).await?;
    assert_eq!((&checks["auth.login_as_pipe_user"]["status"], ready), (&json!("unknown"), false));
    world.client.close().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_unknown_and_the_rest_is_answered() -> Result<()> {
    let mut world = fit().await?;
    // The network of the pipe.
    let rule = |cidr: &str| json!({ "cidr_blocks": [cidr], "from_port": 0, "to_port": 65535, "protocol": "tcp" });
    for (cidr, expected) in [("203.0.113.0/24", "pass"), ("198.51.100.0/24", "fail")] {
        let arguments = json!({ "egress_ips": ["203.0.113.7"], "security_group_ingress": [rule(cidr)] });
        assert_eq!(world.checks(&arguments).await?.0["net.sg_allows"]["status"], expected);
    }
    // A reader.
    let (host, port) = world.rig.cluster.start_reader().await?;
    world.core.configure(&configuration(&world.rig, json!({ "host": host, "port": port }))).await?;
    let (checks, ready) = world.checks(&whole()).await?;
    assert_eq!((&checks["server.is_writer"]["status"], ready), (&json!("fail"), false));
    assert_eq!(
        (&checks["param.wal_level"]["status"], &checks["cluster.available"]["status"]),
        (&json!("unknown"), &json!("pass"))
    );
    // Nobody listens there.
    let closed = acceptance_tests::slow_network::ClosedPort::hold()?;
    world.core.configure(&configuration(&world.rig, json!({ "host": "127.0.0.1", "port": closed.number }))).await?;
    let (checks, ready) = world.checks(&whole()).await?;
    assert_eq!((&checks["role.exists"]["status"], ready), (&json!("unknown"), false));
    assert_eq!(checks["cluster.available"]["status"], "pass");
    world.client.close().await?;
    Ok(())
}

const QUESTION: &str = r#"
data "clickpipes_readiness" "r" {
  database           = "app"
  cluster_identifier = "orders"
  DEPENDS
}

output "checks" {
  value = { for check in data.clickpipes_readiness.r.checks : check.id => check }
}

check "ready" {
  assert {
    condition     = data.clickpipes_readiness.r.ready
    error_message = "The source is not ready."
  }
}
"#;

/// What the output says after an apply.
async fn applied(rig: &Rig) -> Result<Json> {
    rig.tf.apply().await?;
    let all: Json = serde_json::from_str(&rig.tf.run(["output", "-json"]).await?.succeeded()?.stdout)?;
    Ok(all["checks"]["value"].clone())
}

/// With real terraform: the advice for a cluster is pasted into its resource, and what is to be run for it is run.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_advised_for_a_cluster_makes_it_ready() -> Result<()> {
    let rig = Rig::start().await?;
    rig.provider(&format!(r#"cluster_identifier = "{CLUSTER}", username = "{ADMIN}", sslmode = "disable""#))?;
    rig.main(&QUESTION.replace("DEPENDS", ""))?;
    let warning = rig.tf.warning("Check block assertion failed").await?;
    ensure!(warning.contains("The source is not ready."), "{warning}");
    let checks = applied(&rig).await?;
    for id in ["param.rds.logical_replication", "param.wal_level"] {
        assert_eq!(checks[id]["status"], "fail", "{}", checks[id]);
    }
    let remedy = checks["param.wal_level"]["remedy"].as_str().context("no remedy")?.to_owned();
    let source = |remedy: &str| {
        let question = QUESTION.replace("DEPENDS", "depends_on = [clickpipes_aurora_source.orders]");
        format!(
            "resource \"clickpipes_aurora_source\" \"orders\" {{\n  cluster_identifier = \"{CLUSTER}\"\n{remedy}\n}}\n{question}"
        )
    };
    // Without leave to reboot, it waits for somebody who does.
    rig.main(&source(&remedy.replace("writer", "never")))?;
    let checks = applied(&rig).await?;
    let waits = &checks["param.group.in_sync"];
    assert_eq!(waits["status"], "fail", "{waits}");
    let command = waits["remedy"].as_str().context("no remedy")?;
    let member = command.split_whitespace().next_back().context("no member")?;
    ensure!(command.contains("aws rds reboot-db-instance --db-instance-identifier"), "{command}");
    reboot(&rig, member).await?;
    let checks = applied(&rig).await?;
    for id in ["param.group.in_sync", "param.rds.logical_replication", "param.wal_level", "param.wal_sender_timeout"] {
        assert_eq!(checks[id]["status"], "pass", "{}", checks[id]);
    }
    let outcome = rig.tf.plan().await?.outcome;
    ensure!(!outcome.message().contains("Check block assertion failed"), "{}", outcome.message());

    // The advice as it stands reboots by itself.
    rig.main(&source("parameters = { \"rds.logical_replication\" = \"0\" }\nreboot = \"writer\""))?;
    assert_eq!(applied(&rig).await?["param.wal_level"]["status"], "fail");
    rig.main(&source(&remedy))?;
    let checks = applied(&rig).await?;
    ensure!(checks.as_object().context("no checks")?.values().all(|check| check["status"] != "fail"), "{checks:#}");
    Ok(())
}

/// What the command of the AWS CLI does.
async fn reboot(rig: &Rig, member: &str) -> Result<()> {
    use aws_sdk_rds::config::{BehaviorVersion, Credentials, Region};
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(rig.simulator.url())
        .credentials_provider(Credentials::new("testing", "testing", None, None, "test"))
        .build();
    aws_sdk_rds::Client::from_conf(config).reboot_db_instance().db_instance_identifier(member).send().await?;
    rig.cluster.wait_until_available().await
}
