//! What listens at the address is not the server, or does not behave like one: the message says what it does, and nothing grows.

use acceptance_tests::rig::CLUSTER;
use acceptance_tests::simulator::ClusterSpec;
use acceptance_tests::slow_network::ClosedPort;
use anyhow::{Result, ensure};
use tokio::net::TcpListener;

use super::scripted::{Script, ScriptedServer, message, request};
use super::{PLAN, refused, rig};

/// An ErrorResponse.
fn error(sqlstate: &str, text: &str) -> Vec<u8> {
    message(b'E', format!("SFATAL\0VFATAL\0C{sqlstate}\0M{text}\0\0").as_bytes())
}

fn of_pgbouncer(text: &str) -> Vec<u8> {
    message(b'E', format!("SFATAL\0C08P01\0M{text}\0\0").as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_says_how_far_the_connection_came_and_never_guesses() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let silent = "The database server does not answer";
    let session = "accepted the connection but did not answer the start of the session or the login within 1s";
    let tls = "accepted the connection but did not answer the start of TLS within 1s";
    let pooler = "Connected to a pooler instead of the database server";
    let first = "accepted the login but did not answer the first query within 1s";
    let welcome = [request(0, &[]), message(b'K', &[0; 8]), message(b'Z', b"I")].concat();
    let cases: [(Script, &str, [&str; 2]); 14] = [
        (Script::Silence, "disable", [silent, session]),
        (Script::Silence, "require", [silent, tls]),
        (Script::SilentTls, "require", [silent, tls]),
        (Script::Answer(welcome), "disable", [silent, first]),
        (
            Script::Answer(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
            "disable",
            ["not of the PostgreSQL protocol", "another program"],
        ),
        (
            Script::Answer(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
            "require",
            ["not of the PostgreSQL protocol", "another program"],
        ),
        (Script::Answer(b"N".to_vec()), "require", ["does not support TLS", "ssl = on"]),
        (
            Script::Answer(error("53400", "could not fork new process for connection")),
            "require",
            ["answers the request for TLS with an error", "The server's log has the reason"],
        ),
        // PgBouncer 1.18 and 1.25, byte for byte.
        (Script::Answer(of_pgbouncer("unsupported startup parameter: options")), "disable", [pooler, "PgBouncer"]),
        (
            Script::Answer(of_pgbouncer("unsupported startup parameter in options: default_transaction_read_only")),
            "disable",
            [pooler, "PgBouncer"],
        ),
        (
            Script::Answer(error("53300", "too many connections for role \"clusteradmin\"")),
            "disable",
            ["refuses the login", "Lower max_connections"],
        ),
        (
            Script::Answer(error("XX000", "something that nobody expects")),
            "disable",
            ["refuses the login", "something that nobody expects"],
        ),
        (
            Script::Answer(error("0A000", "Feature not supported: RDS Proxy currently doesn't support command-line options.")),
            "disable",
            [pooler, "RDS Proxy"],
        ),
        (
            Script::Answer(error("57P03", "the database system is starting up")),
            "disable",
            ["does not accept logins yet", "Wait until"],
        ),
    ];
    for (script, sslmode, parts) in cases {
        let server = ScriptedServer::start(script).await?;
        rig.provider(&format!("{}, connect_timeout = 1", server.settings(sslmode)))?;
        let said = refused(&rig, PLAN, &parts).await?;
        ensure!(said.contains(&server.address.port().to_string()), "no address in {said}");
        ensure!(!said.contains("security groups"), "a guess in {said}");
    }
    let closed = ClosedPort::hold()?;
    rig.provider(&format!(r#"host = "127.0.0.1", port = {}, username = "clusteradmin""#, closed.number))?;
    let said = refused(&rig, PLAN, &["Cannot reach the database server", "refused the connection"]).await?;
    ensure!(!said.contains("security groups"), "a guess in {said}");
    rig.provider(r#"host = "nowhere.invalid", username = "clusteradmin""#)?;
    let said = refused(&rig, PLAN, &["Cannot reach the database server", "\"nowhere.invalid\" does not resolve"]).await?;
    ensure!(!said.contains("security groups"), "a guess in {said}");

    let tunnel = TcpListener::bind(("127.0.0.1", 0)).await?;
    rig.provider(&format!(r#"host = "127.0.0.1", port = {}, username = "clusteradmin""#, tunnel.local_addr()?.port()))?;
    let accepting = tokio::spawn(async move { while tunnel.accept().await.is_ok() {} });
    let said = refused(&rig, PLAN, &["accepted the connection and closed it", "tunnel or proxy"]).await?;
    ensure!(!said.contains("refused the connection") && !said.contains("security groups"), "a lie in {said}");
    accepting.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_end_is_ended() -> Result<()> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let columns = message(b'T', b"\0\x01settled\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0");
    let rows = [columns, message(b'D', b"\0\x01\0\0\0\x01t").repeat(1000)].concat();
    let notices = message(b'N', b"SLOG\0VLOG\0C00000\0Mstatement: ALTER ROLE x PASSWORD 'the-verifier'\0\0").repeat(500);
    let wide = message(b'N', &[b"SWARNING\0VWARNING\0C01000\0M".to_vec(), vec![b'x'; 16 << 20], b"\0\0".to_vec()].concat());
    let long = [vec![b'D'], 0x7fff_ffff_u32.to_be_bytes().to_vec(), vec![0; 1 << 16]].concat();
    let endless = "its answer has no end";
    for (answer, part) in [(rows, endless), (notices, endless), (wide, endless), (long, "a message of 2147483647 bytes")] {
        let server = ScriptedServer::start(Script::Endless(answer)).await?;
        rig.provider(&format!("{}, connect_timeout = 300", server.settings("disable")))?;
        refused(&rig, PLAN, &["The database server cannot be used", "the session with 127.0.0.1:", part]).await?;
    }
    rig.tf.assert_no_secret::<&str>(&["the-verifier"], &[])
}
