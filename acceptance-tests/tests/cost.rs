//! What the provider costs a database server that is far away: connections, statements and round trips, which depend only on the
//! number of resources.

use std::time::Duration;

use acceptance_tests::core_client::{CoreClient, Object, TerraformCore, Value, Version, Walk};
use acceptance_tests::cost::{CountingRig, RunCost, many, one_publication, one_source, users_of_databases};
use acceptance_tests::rig::{ADMIN, ADMIN_PASSWORD, DATABASE};
use anyhow::{Context as _, Result};
use serde_json::{Value as Json, json};

/// The set-up of a session.
const ONCE: usize = 1;
/// The role, its schemas with the owners of their tables, and what it holds.
const FIRST_USER: usize = 3;
/// The publication, its tables, its schemas, its tables without a replica identity, what it leaves out.
const FIRST_PUBLICATION: usize = 5;
/// The table, its indexes.
const FIRST_IDENTITY: usize = 2;
/// What is asked again is one statement, and often one for several resources.
const FURTHER: usize = 1;

/// Round trips of a connection besides its queries: its handshake, three for a login with SCRAM, one for the set-up of the session,
/// and its end, which counts as one.
const OPENING: u64 = 6;
/// Round trips of a read, over an open connection.
const READ: u64 = 1;
/// Round trips of a create, a change or a destroy in one database, over an open connection: what is there; the statements and
/// their verification; COMMIT.
const WRITE: u64 = 4;
/// Long compared with the time in which the provider sends what waits for nothing, so that this counts as one round trip also on a
/// busy machine.
const DISTANCE: Duration = Duration::from_millis(100);

const USER_TYPE: &str = "clickpipes_replication_user";
const PUBLICATION_TYPE: &str = "clickpipes_publication";

#[track_caller]
fn check(cost: &RunCost, databases: usize, users: usize, publications: usize) {
    let (connections, resources) = (databases as u64, (users + publications) as u64);
    assert_eq!(cost.traffic.connections, connections, "{cost:?}");
    let of = |number: usize, first: usize| if number == 0 { 0 } else { first + (number - 1) * FURTHER };
    let statements = databases * ONCE + of(users, FIRST_USER) + of(publications, FIRST_PUBLICATION);
    assert!(cost.statements <= statements, "more than {statements}: {cost:?}");
    let round_trips = connections * OPENING + resources * READ;
    assert!(cost.traffic.round_trips <= round_trips, "more than {round_trips}: {cost:?}");
}

/// A plan without changes, over a distance.
async fn plan(counting: &CountingRig) -> Result<RunCost> {
    counting.network.set_round_trip(DISTANCE);
    let cost = counting.plan().await;
    counting.network.set_round_trip(Duration::ZERO);
    cost
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_one_user() -> Result<()> {
    let counting = CountingRig::start().await?;
    counting.make_tables(10, 1).await?;
    counting.rig.main(&users_of_databases(1, 10, &[DATABASE]))?;
    counting.rig.tf.apply().await?;
    check(&plan(&counting).await?, 1, 1, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_schemas_and_tables_does_not_matter() -> Result<()> {
    let counting = CountingRig::start().await?;
    for (schemas, tables) in [(1, 1), (10, 1), (10, 30)] {
        counting.make_tables(schemas, tables).await?;
        counting.rig.main(&one_source(schemas, tables))?;
        counting.rig.tf.apply().await?;
        check(&plan(&counting).await?, 1, 1, 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_of_a_database_share_one_connection() -> Result<()> {
    let counting = CountingRig::start().await?;
    counting.make_tables(1, 1).await?;
    counting.rig.main(&many(15))?;
    counting.rig.tf.apply().await?;
    check(&plan(&counting).await?, 1, 15, 15);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_database_has_a_connection() -> Result<()> {
    let counting = CountingRig::start().await?;
    let databases = [DATABASE, "d1", "d2"];
    for database in &databases[1..] {
        counting.rig.sql(&format!("CREATE DATABASE {database}")).await?;
    }
    for database in databases {
        counting.make_tables_in(database, 1, 1).await?;
    }
    counting.rig.main(&users_of_databases(9, 1, &databases))?;
    counting.rig.tf.apply().await?;
    check(&plan(&counting).await?, databases.len(), 9, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn replica_identities_are_asked_for_together() -> Result<()> {
    let counting = CountingRig::start().await?;
    counting.make_tables(1, 15).await?;
    let identities = "resource \"clickpipes_replica_identity\" \"r\" {\n  count = 15\n  database = \"app\"\n  \
                      table = \"s0.t${count.index}\"\n  identity = \"full\"\n}\n";
    counting.rig.main(identities)?;
    counting.rig.tf.apply().await?;
    let cost = plan(&counting).await?;
    assert_eq!(cost.traffic.connections, 1, "{cost:?}");
    assert!(cost.statements <= ONCE + FIRST_IDENTITY + 14 * FURTHER, "{cost:?}");
    assert!(cost.traffic.round_trips <= OPENING + 15 * READ, "{cost:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_tables_take_the_statements_of_ten() -> Result<()> {
    let counting = CountingRig::start().await?;
    counting.make_tables(1, 2_000).await?;
    for tables in [10, 2_000] {
        counting.rig.main(&one_publication(tables))?;
        counting.rig.tf.apply().await?;
        check(&plan(&counting).await?, 1, 0, 1);
    }
    Ok(())
}

/// A provider that has opened its connections, called as Terraform does, one call after the other.
struct Warm {
    core: TerraformCore,
    counting: CountingRig,
    /// Each step with its round trips, and how many it may take.
    counted: Vec<(&'static str, u64, u64)>,
    client: CoreClient,
}

impl Warm {
    /// One that has created a publication.
    async fn start() -> Result<Self> {
        let counting = CountingRig::start().await?;
        counting.make_tables(11, 1).await?;
        let client = CoreClient::start().await?;
        let mut core = TerraformCore::load(client.provider.clone()).await?;
        let address = counting.network.address();
        let postgres = json!({
            "host": address.ip(), "port": address.port(), "username": ADMIN, "password": ADMIN_PASSWORD, "sslmode": "disable"
        });
        core.configure(&json!({ "postgres": postgres })).await?;
        let mut warm = Self { core, counting, counted: Vec::new(), client };
        warm.warm_up().await?;
        Ok(warm)
    }

    /// Opens the connections of a run, by a create.
    async fn warm_up(&mut self) -> Result<()> {
        let counted = self.counted.len();
        let publication = json!({ "name": format!("first{counted}"), "database": DATABASE, "tables": ["s0.t0"] });
        self.apply("warm up", PUBLICATION_TYPE, None, &publication).await?;
        self.counted.truncate(counted);
        Ok(())
    }

    /// Applies a configuration, or destroys the object if that is null. Only the apply itself is counted.
    async fn apply(&mut self, step: &'static str, of: &str, prior: Option<&Object>, arguments: &Json) -> Result<Option<Object>> {
        let config = if arguments.is_null() { Value::Null } else { self.core.configuration(of, arguments)? };
        let plan = self.core.plan(of, prior, &config, Walk::Plan(Version::V1_16)).await?;
        let plan = self.core.plan(of, prior, &config, Walk::Apply(Version::V1_16, &plan)).await?;
        self.begin();
        let applied = self.core.apply(of, prior, &plan, &config).await?;
        self.end(step, WRITE);
        Ok(applied.succeeded()?)
    }

    fn begin(&self) {
        self.counting.network.set_round_trip(DISTANCE);
        self.counting.network.take_traffic();
    }

    fn end(&mut self, step: &'static str, at_most: u64) {
        self.counted.push((step, self.counting.network.take_traffic().round_trips, at_most));
        self.counting.network.set_round_trip(Duration::ZERO);
    }

    /// Creates, reads, changes and destroys.
    async fn live(mut self, of: &str, create: &Json, change: &Json) -> Result<()> {
        let object = self.apply("create", of, None, create).await?.context("nothing was created")?;
        self.begin();
        let object = self.core.read(of, &object).await?.context("it is gone")?;
        self.end("read", READ);
        let object = self.apply("change", of, Some(&object), change).await?.context("it is gone")?;
        // What a run has created, the same run does not destroy.
        self.core.begin_walk().await?;
        self.warm_up().await?;
        self.apply("destroy", of, Some(&object), &Json::Null).await?;
        self.core.find_gone(of, &object).await?;
        self.client.close().await?;
        let over: Vec<_> = self.counted.iter().filter(|(_, counted, at_most)| counted > at_most).collect();
        assert!(over.is_empty(), "too many round trips (step, counted, at most): {over:?} of {:?}", self.counted);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_of_a_user_fly_together() -> Result<()> {
    let schemas: Vec<String> = (0..11).map(|schema| format!("s{schema}")).collect();
    let user =
        |schemas: &[String]| json!({ "name": "pipe", "database": DATABASE, "password_wo": "a password", "schemas": schemas });
    Warm::start().await?.live(USER_TYPE, &user(&schemas[..10]), &user(&schemas)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_of_a_publication_fly_together() -> Result<()> {
    let tables: Vec<String> = (0..11).map(|schema| format!("s{schema}.t0")).collect();
    let publication = |tables: &[String]| json!({ "name": "pipe", "database": DATABASE, "tables": tables });
    Warm::start().await?.live(PUBLICATION_TYPE, &publication(&tables[..10]), &publication(&tables)).await
}
