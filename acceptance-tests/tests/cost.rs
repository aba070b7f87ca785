//! What a plan without changes costs the database server: one connection, and a number of statements that depends only on the
//! number of resources.

use acceptance_tests::cost::{CountingRig, PlanCost, many, one_publication, one_source};
use anyhow::Result;

/// The set-up of the session, and the facts about the server.
const ONCE: usize = 2;
/// The role, its schemas, the owners of tables in them, and what it holds.
const USER: usize = 4;
/// The publication, its tables, its schemas, its tables without a replica identity.
const PUBLICATION: usize = 4;

#[track_caller]
fn check(cost: &PlanCost, users: usize, publications: usize) {
    assert_eq!(cost.traffic.connections, 1, "{cost:?}");
    assert_eq!(cost.statements, ONCE + users * USER + publications * PUBLICATION, "{cost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_do_not_depend_on_how_many_schemas_and_tables_there_are() -> Result<()> {
    let counting = CountingRig::start().await?;
    for (schemas, tables) in [(1, 1), (10, 1), (10, 30)] {
        counting.make_tables(schemas, tables).await?;
        counting.rig.main(&one_source(schemas, tables))?;
        counting.rig.tf.apply().await?;
        check(&counting.plan().await?, 1, 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_of_a_database_share_one_connection() -> Result<()> {
    let counting = CountingRig::start().await?;
    counting.make_tables(1, 1).await?;
    counting.rig.main(&many(15))?;
    counting.rig.tf.apply().await?;
    check(&counting.plan().await?, 15, 15);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_tables_take_the_statements_of_ten() -> Result<()> {
    let counting = CountingRig::start().await?;
    counting.make_tables(1, 2_000).await?;
    for tables in [10, 2_000] {
        counting.rig.main(&one_publication(tables))?;
        counting.rig.tf.apply().await?;
        check(&counting.plan().await?, 0, 1);
    }
    Ok(())
}
