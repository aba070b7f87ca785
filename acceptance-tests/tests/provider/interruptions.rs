//! Ctrl-C, a server that disappears, a lock that cannot be obtained: all or nothing, and the state is right.

use std::net::SocketAddr;
use std::time::Instant;

use acceptance_tests::core_client::DEADLINE;
use acceptance_tests::rig::{CLUSTER, Rig};
use acceptance_tests::simulator::{ClusterSpec, Fault};
use acceptance_tests::slow_network::SlowNetwork;
use acceptance_tests::terraform_cli::Session;
use anyhow::{Result, bail};
use serde_json::Value;
use tokio_postgres::Client;

use super::{APPLICATION, APPLY, P, PLAN, PUBLICATIONS, one_error, publication, rig};

/// A session that locks the table.
pub(crate) async fn hold(rig: &Rig) -> Result<Client> {
    let holder = rig.admin().await?;
    holder.batch_execute("SET application_name = 'nightly-report'; BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").await?;
    Ok(holder)
}

/// Waits until a session of the provider other than `but` waits for a lock. Returns that session's process id.
pub(crate) async fn until_it_waits(rig: &Rig, but: i32) -> Result<i32> {
    let superuser = rig.cluster.superuser("app").await?;
    let started = Instant::now();
    while started.elapsed() < DEADLINE {
        let waiting = "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock' AND pid <> $2";
        if let Some(row) = superuser.query_opt(waiting, &[&APPLICATION, &but]).await? {
            return Ok(row.get(0));
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    bail!("the apply never came to wait for the lock")
}

/// Starts an apply, and waits until it waits for the lock. Also returns the process id of its session.
pub(crate) async fn waiting_apply(rig: &Rig) -> Result<(Session, i32)> {
    let session = rig.tf.start(APPLY)?;
    let pid = until_it_waits(rig, 0).await?;
    Ok((session, pid))
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_a_waiting_apply_and_changes_nothing() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let holder = hold(&rig).await?;
    let (session, _) = waiting_apply(&rig).await?;
    session.interrupt()?;
    let outcome = session.outcome().await?;
    let message = outcome.failed()?.message();
    assert!(message.contains("Error: Cancelled") && message.contains("rolled back"), "{message}");
    assert_eq!((rig.tf.resource(P).await?, rig.ask(PUBLICATIONS).await?), (Value::Null, "0".to_owned()));
    holder.batch_execute("ROLLBACK").await?;
    let created = rig.apply_as_reviewed(P).await?;

    // The same for a change: the state keeps the existing object.
    holder.batch_execute("CREATE TABLE invoices (id int PRIMARY KEY)").await?;
    holder.batch_execute("BEGIN; LOCK TABLE invoices IN ACCESS EXCLUSIVE MODE").await?;
    rig.main(&publication("\"insert\"").replace("\"public.orders\"", "\"public.orders\", \"public.invoices\""))?;
    let (session, _) = waiting_apply(&rig).await?;
    session.interrupt()?;
    let message = session.outcome().await?.failed()?.message();
    assert!(message.contains("Error: Cancelled"), "{message}");
    assert_eq!(rig.tf.resource(P).await?, created);
    holder.batch_execute("ROLLBACK").await?;
    rig.apply_as_reviewed(P).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_search_for_a_cluster_that_aws_does_not_answer() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    rig.provider(&format!(r#"cluster_identifier = "{CLUSTER}", username = "clusteradmin", sslmode = "disable""#))?;
    rig.simulator.inject_fault("DescribeDBClusters", Fault::Hang, 1000);
    let session = rig.tf.start(PLAN)?;
    rig.tf.until_logged("GRPCProvider.v6: PlanResourceChange").await?;
    session.interrupt()?;
    let outcome = session.outcome().await?;
    one_error(outcome, &["Error: Cancelled", "cancelled while waiting for AWS to describe the cluster"])?;
    rig.simulator.clear_faults();
    rig.apply_as_reviewed(P).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_server_ends_is_taken_up_again() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let holder = hold(&rig).await?;
    let (session, pid) = waiting_apply(&rig).await?;
    rig.ask(&format!("SELECT pg_terminate_backend({pid})::text")).await?;
    until_it_waits(&rig, pid).await?;
    holder.batch_execute("ROLLBACK").await?;
    session.outcome().await?.succeeded()?;
    assert_eq!(rig.ask(PUBLICATIONS).await?, "1");
    rig.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_is_a_clear_error() -> Result<()> {
    let (rig, endpoint, _) = behind_an_endpoint(4).await?;
    let _holder = hold(&rig).await?;
    let (session, _) = waiting_apply(&rig).await?;
    rig.cluster.server()?.stop().await?;
    // The server of another test must not get its port. Bound, and not listened on, it refuses connections; connections that have
    // just ended hinder only who does not ask to use it again.
    let port = tokio::net::TcpSocket::new_v4()?;
    port.set_reuseaddr(true)?;
    port.bind(([127, 0, 0, 1], rig.cluster.server()?.port()).into())?;
    port.set_reuseaddr(false)?;
    let own = endpoint.address().port().to_string();
    one_error(session.outcome().await?, &["Cannot reach the database server", &own, "that the server runs"])?;
    assert_eq!(rig.tf.resource(P).await?, Value::Null);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_the_lock_is_named() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let holder = hold(&rig).await?;
    let pid: i32 = holder.query_one("SELECT pg_backend_pid()", &[]).await?.get(0);
    let held = format!("held by pid {pid}, user \"clusteradmin\", application \"nightly-report\"");
    let parts = ["Timed out waiting for a lock", "CREATE PUBLICATION", &held, "then apply again"];
    one_error(rig.tf.run(APPLY).await?, &parts)?;
    assert_eq!(rig.tf.resource(P).await?, Value::Null);
    Ok(())
}

/// The writer fails and another member takes over while the apply waits. However long that takes here, new connections wait for
/// it: how often a refused connection is retried is tested elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_failover_is_outlived() -> Result<()> {
    let (rig, endpoint, _) = behind_an_endpoint(120).await?;
    let _holder = hold(&rig).await?;
    let (session, _) = waiting_apply(&rig).await?;
    let _ = endpoint.take_traffic();
    endpoint.hold(true);
    rig.cluster.move_writer(&format!("{CLUSTER}-2"));
    rig.cluster.wait_until_available().await?;
    assert_eq!(endpoint.take_traffic().connections, 0);
    endpoint.hold(false);
    session.outcome().await?.succeeded()?;
    assert!(endpoint.take_traffic().connections > 0, "the apply went on in its old session");
    assert!(rig.cluster.members().iter().any(|member| member.writer && member.identifier == format!("{CLUSTER}-2")));
    assert_eq!(rig.ask(PUBLICATIONS).await?, "1");
    rig.tf.assert_empty_plan().await?;
    rig.tf.destroy().await?;
    assert_eq!(rig.ask(PUBLICATIONS).await?, "0");
    Ok(())
}

/// After a failover the endpoint's name resolves to the former writer, which is now a reader, until the name is updated.
#[tokio::test(flavor = "multi_thread")]
async fn a_failover_is_outlived_while_the_endpoint_leads_to_the_former_writer() -> Result<()> {
    let (rig, endpoint, writer) = behind_an_endpoint(120).await?;
    let session = failed_over(&rig, &endpoint).await?;
    until_dialled_twice(&endpoint).await?;
    endpoint.lead_to(writer);
    session.outcome().await?.succeeded()?;
    assert_eq!(rig.ask(PUBLICATIONS).await?, "1");
    rig.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_is_outlived_while_nobody_answers() -> Result<()> {
    let (rig, endpoint, _) = behind_an_endpoint(4).await?;
    let holder = hold(&rig).await?;
    let (session, pid) = waiting_apply(&rig).await?;
    endpoint.hold(true);
    rig.ask(&format!("SELECT pg_terminate_backend({pid})::text")).await?;
    holder.batch_execute("ROLLBACK").await?;
    // The first attempt waits in vain for an answer until `connect_timeout`.
    rig.tf.until_logged("waiting for the endpoint to resolve to a writer").await?;
    endpoint.hold(false);
    session.outcome().await?.succeeded()?;
    assert_eq!(rig.ask(PUBLICATIONS).await?, "1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_wait_for_the_new_writer() -> Result<()> {
    let (rig, endpoint, writer) = behind_an_endpoint(120).await?;
    let session = failed_over(&rig, &endpoint).await?;
    until_dialled_twice(&endpoint).await?;
    session.interrupt()?;
    let message = session.outcome().await?.failed()?.message();
    assert!(message.contains("Error: Cancelled") && message.contains("rolled back"), "{message}");
    assert_eq!((rig.tf.resource(P).await?, rig.ask(PUBLICATIONS).await?), (Value::Null, "0".to_owned()));
    endpoint.lead_to(writer);
    rig.apply_as_reviewed(P).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_goes_on_leading_to_the_former_writer_is_a_clear_error() -> Result<()> {
    let (rig, endpoint, writer) = behind_an_endpoint(5).await?;
    let session = failed_over(&rig, &endpoint).await?;
    let own = endpoint.address().port().to_string();
    one_error(session.outcome().await?, &["Connected to a reader instead of the writer", &own, "writer endpoint"])?;
    assert_eq!((rig.tf.resource(P).await?, rig.ask(PUBLICATIONS).await?), (Value::Null, "0".to_owned()));
    endpoint.lead_to(writer);
    rig.apply_as_reviewed(P).await?;
    Ok(())
}

/// A rig whose provider connects to an endpoint that can be moved, with `connect_timeout` in seconds; the endpoint; and the
/// writer's address.
async fn behind_an_endpoint(connect_timeout: u32) -> Result<(Rig, SlowNetwork, SocketAddr)> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let writer = format!("{}:{}", rig.cluster.host, rig.cluster.port).parse()?;
    let endpoint = SlowNetwork::to(writer).await?;
    let (ip, port) = (endpoint.address().ip(), endpoint.address().port());
    rig.provider(&format!(
        r#"host = "{ip}", port = {port}, username = "clusteradmin", sslmode = "disable", connect_timeout = {connect_timeout}"#
    ))?;
    Ok((rig, endpoint, writer))
}

/// An apply whose session was ended, and whose endpoint has resolved to a reader since then.
async fn failed_over(rig: &Rig, endpoint: &SlowNetwork) -> Result<Session> {
    // The apply waits for a lock for at most 15 s, and a reader takes time to start.
    let (host, port) = rig.cluster.start_reader().await?;
    let holder = hold(rig).await?;
    let (session, pid) = waiting_apply(rig).await?;
    endpoint.lead_to(format!("{host}:{port}").parse()?);
    let _ = endpoint.take_traffic();
    rig.ask(&format!("SELECT pg_terminate_backend({pid})::text")).await?;
    holder.batch_execute("ROLLBACK").await?;
    Ok(session)
}

async fn until_dialled_twice(endpoint: &SlowNetwork) -> Result<()> {
    let (started, mut connections) = (Instant::now(), 0);
    while started.elapsed() < DEADLINE {
        connections += endpoint.take_traffic().connections;
        if connections >= 2 {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    bail!("the provider does not dial again: {connections} connections")
}
