//! IAM database authentication, with tokens of the AWS SDK: accepted logins, and each reason for a refusal.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use acceptance_tests::core_client::DEADLINE;
use acceptance_tests::simulator::{ClusterHandle, ClusterSpec, IamLogin, IamRefusalReason as Reason, RoleSpec, Simulator};
use aws_sdk_rds::auth_token::{AuthTokenGenerator, Config};
use aws_sdk_rds::config::{Credentials, Region};
use aws_smithy_async::time::StaticTimeSource;
use bytes::BytesMut;
use postgres_protocol::message::frontend;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_postgres::Client;
use tokio_postgres::config::{ChannelBinding, SslMode, SslNegotiation};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{available, refusal, sdk, simulator};

const PASSWORD: &str = "its own password";
/// Pause between two checks for an expected change.
const PAUSE: Duration = Duration::from_millis(5);

/// The parts of a token. By default everything is right.
#[derive(Clone)]
struct Token {
    host: String,
    port: u16,
    user: String,
    region: &'static str,
    credentials: Credentials,
    signed: SystemTime,
    lifetime: u64,
}

impl Token {
    fn of(cluster: &ClusterHandle, user: &str) -> Self {
        let credentials = Credentials::new("testing", "testing", None, None, "test");
        let (host, port) = (cluster.host.clone(), cluster.port);
        Self { host, port, user: user.to_owned(), region: "us-east-1", credentials, signed: SystemTime::now(), lifetime: 900 }
    }

    async fn text(&self) -> String {
        let config = Config::builder()
            .hostname(&self.host)
            .port(self.port.into())
            // The SDK puts it into the query unchanged.
            .username(url::form_urlencoded::byte_serialize(self.user.as_bytes()).collect::<String>())
            .region(Region::new(self.region))
            .expires_in(self.lifetime)
            .credentials(self.credentials.clone());
        let sdk = aws_types::SdkConfig::builder().time_source(StaticTimeSource::new(self.signed)).build();
        AuthTokenGenerator::new(config.build().unwrap()).auth_token(&sdk).await.unwrap().to_string()
    }
}

fn client_config(authority: &Path) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    config
}

fn tls(authority: &Path) -> MakeRustlsConnect {
    MakeRustlsConnect::new(client_config(authority))
}

fn config(cluster: &ClusterHandle, user: &str, password: &str) -> tokio_postgres::Config {
    let mut config = tokio_postgres::Config::new();
    config.host(&cluster.host).port(cluster.port).user(user).password(password).dbname("postgres").ssl_mode(SslMode::Require);
    config
}

async fn connect(cluster: &ClusterHandle, config: &tokio_postgres::Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(tls(cluster.ca_certificate().unwrap())).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn log_in(cluster: &ClusterHandle, user: &str, password: &str) -> Result<Client, tokio_postgres::Error> {
    connect(cluster, &config(cluster, user, password)).await
}

/// Asserts that `user` is refused as by PAM, and returns the reason that only the test sees.
async fn reason(cluster: &ClusterHandle, user: &str, password: &str) -> Reason {
    let before = cluster.iam_refusals().len();
    let refused = refusal(log_in(cluster, user, password).await.map(drop));
    assert_eq!(refused, ("28000".to_owned(), format!("PAM authentication failed for user \"{user}\"")));
    let refusals = cluster.iam_refusals();
    assert_eq!(refusals.len(), before + 1, "{refusals:?}");
    assert_eq!(refusals[before].user, user);
    refusals[before].reason.clone()
}

/// A cluster with the role `pipe`, which also has a password and is a member of rds_iam.
async fn cluster(simulator: &Simulator, version: &str) -> ClusterHandle {
    let spec = ClusterSpec::new(&format!("orders-{}", &version[..2])).engine_version(version).tls().iam_authentication();
    let cluster = simulator.create_cluster(spec).await.unwrap();
    let create = format!("CREATE ROLE pipe LOGIN PASSWORD '{PASSWORD}'");
    cluster.superuser("postgres").await.unwrap().batch_execute(&create).await.unwrap();
    cluster.grant_rds_iam("pipe").await.unwrap();
    cluster
}

/// Logs in to a walsender and sends it one of its own commands; otherwise returns the text of the refusal.
async fn walsender(cluster: &ClusterHandle, user: &str, token: &str) -> Result<(), String> {
    let mut socket = TcpStream::connect((cluster.host.as_str(), cluster.port)).await.unwrap();
    let mut buffer = BytesMut::new();
    frontend::ssl_request(&mut buffer);
    socket.write_all(&buffer.split()).await.unwrap();
    assert_eq!(socket.read_u8().await.unwrap(), b'S');
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client_config(cluster.ca_certificate().unwrap())));
    let mut stream = connector.connect(ServerName::try_from(cluster.host.clone()).unwrap(), socket).await.unwrap();
    frontend::startup_message([("user", user), ("database", "postgres"), ("replication", "database")], &mut buffer).unwrap();
    loop {
        stream.write_all(&buffer.split()).await.unwrap();
        let tag = stream.read_u8().await.unwrap();
        let length = stream.read_u32().await.unwrap();
        let mut body = vec![0; length as usize - 4];
        stream.read_exact(&mut body).await.unwrap();
        match tag {
            b'R' if body == [0, 0, 0, 3] => frontend::password_message(token.as_bytes(), &mut buffer).unwrap(),
            b'E' => return Err(String::from_utf8_lossy(&body).into_owned()),
            b'Z' => frontend::query("IDENTIFY_SYSTEM", &mut buffer).unwrap(),
            b'D' => return Ok(()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn replication_by_token_needs_a_parameter_that_is_in_effect() {
    let simulator = simulator();
    let cluster = cluster(&simulator, "15.10").await;
    let superuser = cluster.superuser("postgres").await.unwrap();
    superuser.batch_execute("GRANT rds_replication TO pipe").await.unwrap();
    let token = Token::of(&cluster, "pipe").text().await;
    let refused = async || {
        let text = walsender(&cluster, "pipe", &token).await.unwrap_err();
        assert!(text.contains("PAM authentication failed"), "{text}");
        assert_eq!(cluster.iam_refusals().last().unwrap().reason, Reason::Replication);
    };
    refused().await;
    let parameter = [("rds.iam_auth_for_replication", "1")];
    simulator.create_parameter_group("own", "aurora-postgresql15", &parameter).unwrap();
    let modify = sdk(&simulator).modify_db_cluster().db_cluster_identifier(&cluster.spec.identifier);
    modify.db_cluster_parameter_group_name("own").send().await.unwrap();
    cluster.wait_until_available().await.unwrap();
    // It is dynamic, but the group is not that member's before its reboot.
    refused().await;
    let writer = format!("{}-1", cluster.spec.identifier);
    sdk(&simulator).reboot_db_instance().db_instance_identifier(writer).send().await.unwrap();
    cluster.wait_until_available().await.unwrap();
    walsender(&cluster, "pipe", &token).await.unwrap();
    log_in(&cluster, "pipe", &token).await.unwrap();
}

async fn current_user(client: &Client) -> String {
    client.query_one("SELECT current_user::text", &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_member_of_rds_iam_gets_in_with_a_token_on_every_major() {
    let simulator = simulator();
    for version in available(["12.22", "13.18", "14.15", "15.10", "16.6", "17.4", "18.1"]).await {
        let cluster = cluster(&simulator, version).await;
        let token = Token::of(&cluster, "pipe").text().await;
        let client = log_in(&cluster, "pipe", &token).await.unwrap();
        assert_eq!(current_user(&client).await, "pipe", "{version}");
        // A token is valid for any number of logins until it expires.
        log_in(&cluster, "pipe", &token).await.unwrap();
        let login = IamLogin { user: "pipe".to_owned(), access_key: "testing".to_owned() };
        assert_eq!(cluster.iam_logins(), [login.clone(), login]);
        assert_eq!(cluster.iam_refusals(), []);
        assert!(!cluster.server_log().unwrap().contains("X-Amz-Signature"));
        // From 17 on a client need not request TLS before it begins.
        let mut direct = config(&cluster, "pipe", &token);
        let direct = connect(&cluster, direct.ssl_negotiation(SslNegotiation::Direct)).await;
        assert_eq!(direct.is_ok(), cluster.server().unwrap().major() >= 17, "{version}: {:?}", direct.err());
    }
}

#[tokio::test]
async fn each_flaw_of_a_token_keeps_it_out_and_is_told_to_the_test_only() {
    let simulator = simulator();
    let cluster = cluster(&simulator, "15.10").await;
    let right = Token::of(&cluster, "pipe");
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let endpoint = format!("localhost:{}", cluster.port);
    let flawed = [
        (
            Token { credentials: Credentials::new("testing", "guessed", None, None, "test"), ..right.clone() },
            Reason::WrongSignature,
        ),
        (
            Token { credentials: Credentials::new("nobody", "testing", None, None, "test"), ..right.clone() },
            Reason::UnknownAccessKey("nobody".to_owned()),
        ),
        (
            Token { credentials: Credentials::new("ASIANOBODY", "testing", Some("t".to_owned()), None, "test"), ..right.clone() },
            Reason::UnknownAccessKey("ASIANOBODY".to_owned()),
        ),
        // The name that the client connected to is not the endpoint's.
        (Token { host: "localhost".to_owned(), ..right.clone() }, Reason::OtherEndpoint(endpoint)),
        (Token { port: 5432, ..right.clone() }, Reason::OtherEndpoint("127.0.0.1:5432".to_owned())),
        (Token { user: "clusteradmin".to_owned(), ..right.clone() }, Reason::OtherUser("clusteradmin".to_owned())),
        (Token { region: "eu-west-1", ..right.clone() }, Reason::OtherRegion("eu-west-1".to_owned())),
        (Token { signed: SystemTime::now() - minutes(16), ..right.clone() }, Reason::Expired),
        (Token { signed: SystemTime::now() - minutes(2), lifetime: 60, ..right.clone() }, Reason::Expired),
        (Token { signed: SystemTime::now() + minutes(6), ..right.clone() }, Reason::NotYetValid),
    ];
    for (token, expected) in flawed {
        assert_eq!(reason(&cluster, "pipe", &token.text().await).await, expected);
    }
    let text = right.text().await;
    for (lacking, part) in [("X-Amz-Date", "X-Amz-Date="), ("DBUser", "DBUser="), ("X-Amz-SignedHeaders", "SignedHeaders=host")] {
        let changed = text.replace(part, "X=");
        let found = reason(&cluster, "pipe", &changed).await;
        // The signature covers the user's name, and is checked first.
        let expected = if lacking == "DBUser" { Reason::WrongSignature } else { Reason::NoToken(lacking.to_owned()) };
        assert_eq!(found, expected, "{lacking}");
    }
    assert_eq!(
        reason(&cluster, "pipe", &text.replace("Expires=900", "Expires=901")).await,
        Reason::NoToken("X-Amz-Expires".to_owned())
    );
    assert_eq!(reason(&cluster, "pipe", &text.replace(&cluster.host, "127.0.0.9")).await, Reason::WrongSignature);
    let said = format!("{:?}", cluster.iam_refusals());
    assert!(!said.contains("Signature=") && !said.contains("guessed"), "{said}");
    log_in(&cluster, "pipe", &text).await.unwrap();
}

#[tokio::test]
async fn a_role_with_an_awkward_name_gets_in_too() {
    let simulator = simulator();
    let cluster = cluster(&simulator, "15.10").await;
    let superuser = cluster.superuser("postgres").await.unwrap();
    let name = "Pipe+&=%/ü of \"us\"";
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    // Membership through another role counts as well.
    let create = format!("CREATE ROLE {quoted} LOGIN; CREATE ROLE connectors NOLOGIN ROLE {quoted}");
    superuser.batch_execute(&create).await.unwrap();
    cluster.grant_rds_iam("connectors").await.unwrap();
    let client = log_in(&cluster, name, &Token::of(&cluster, name).text().await).await.unwrap();
    assert_eq!(current_user(&client).await, name);
    let other = Token::of(&cluster, &name.to_lowercase()).text().await;
    assert_eq!(reason(&cluster, name, &other).await, Reason::OtherUser(name.to_lowercase()));
}

#[tokio::test]
async fn a_token_ends_after_fifteen_minutes() {
    let simulator = simulator();
    let cluster = cluster(&simulator, "15.10").await;
    let token = Token::of(&cluster, "pipe").text().await;
    simulator.advance_time_of_day(Duration::from_secs(14 * 60));
    log_in(&cluster, "pipe", &token).await.unwrap();
    simulator.advance_time_of_day(Duration::from_secs(2 * 60));
    assert_eq!(reason(&cluster, "pipe", &token).await, Reason::Expired);
}

#[tokio::test]
async fn a_password_does_not_let_a_member_in_and_only_a_password_lets_others_in() {
    let simulator = simulator();
    let cluster = cluster(&simulator, "15.10").await;
    assert!(matches!(reason(&cluster, "pipe", PASSWORD).await, Reason::NoToken(_)));
    assert!(!format!("{:?}", cluster.iam_refusals()).contains(PASSWORD));

    let mut with_password = config(&cluster, "clusteradmin", "admin-password");
    // It binds to the certificate that the endpoint sends instead of the server.
    let admin = connect(&cluster, with_password.channel_binding(ChannelBinding::Require)).await.unwrap();
    let encrypted = admin.query_one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[]).await.unwrap();
    assert!(encrypted.get::<_, bool>(0));
    cluster.admin("postgres").await.unwrap();
    let token = Token::of(&cluster, "clusteradmin").text().await;
    assert_eq!(refusal(log_in(&cluster, "clusteradmin", &token).await.map(drop)).0, "28P01");
    assert_eq!(refusal(log_in(&cluster, "no such role", "x").await.map(drop)).0, "28P01");

    // Also the master user, once it is a member.
    cluster.grant_rds_iam("clusteradmin").await.unwrap();
    assert!(matches!(reason(&cluster, "clusteradmin", "admin-password").await, Reason::NoToken(_)));
    log_in(&cluster, "clusteradmin", &token).await.unwrap();
    cluster.revoke_rds_iam("clusteradmin").await.unwrap();
    log_in(&cluster, "clusteradmin", "admin-password").await.unwrap();
}

#[tokio::test]
async fn without_tls_no_token_helps() {
    let simulator = simulator();
    let cluster = cluster(&simulator, "15.10").await;
    let token = Token::of(&cluster, "pipe").text().await;
    let mut plain = config(&cluster, "pipe", &token);
    let refused = refusal(plain.ssl_mode(SslMode::Disable).connect(tokio_postgres::NoTls).await.map(drop));
    assert_eq!(refused.0, "28000");
    assert!(refused.1.starts_with("pg_hba.conf rejects connection") && refused.1.ends_with("no encryption"), "{refused:?}");
    assert_eq!(cluster.iam_refusals()[0].reason, Reason::NotEncrypted);

    // A server without TLS says so, and accepts passwords.
    let bare = simulator.create_cluster(ClusterSpec::new("bare").iam_authentication()).await.unwrap();
    let mut preferring = config(&bare, "clusteradmin", "admin-password");
    drop(preferring.ssl_mode(SslMode::Prefer).connect(tls(cluster.ca_certificate().unwrap())).await.unwrap());
    let error =
        preferring.ssl_mode(SslMode::Require).connect(tls(cluster.ca_certificate().unwrap())).await.map(drop).unwrap_err();
    assert!(error.as_db_error().is_none(), "{error:?}");
}

#[tokio::test]
async fn a_call_turns_tokens_on_and_off() {
    let simulator = simulator();
    let cluster = simulator.create_cluster(ClusterSpec::new("orders").tls()).await.unwrap();
    let superuser = cluster.superuser("postgres").await.unwrap();
    superuser.batch_execute("CREATE ROLE pipe LOGIN; GRANT rds_iam TO pipe").await.unwrap();
    let token = Token::of(&cluster, "pipe").text().await;
    assert_eq!(refusal(log_in(&cluster, "pipe", &token).await.map(drop)).0, "28000");
    for on in [true, false] {
        let modify = sdk(&simulator).modify_db_cluster().db_cluster_identifier("orders").apply_immediately(true);
        modify.enable_iam_database_authentication(on).send().await.unwrap();
        cluster.wait_until_available().await.unwrap();
        assert_eq!(log_in(&cluster, "pipe", &token).await.is_ok(), on);
    }
}

#[tokio::test]
async fn a_token_of_a_role_needs_its_session() {
    let simulator = simulator();
    let cluster = cluster(&simulator, "15.10").await;
    let role = simulator.create_role(RoleSpec::new("connector"));
    let sts = aws_sdk_sts::Config::builder()
        .behavior_version(aws_sdk_sts::config::BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(simulator.url())
        .credentials_provider(Credentials::new("testing", "testing", None, None, "test"));
    let sts = aws_sdk_sts::Client::from_conf(sts.build());
    let given = sts.assume_role().role_arn(&role).role_session_name("pipe").send().await.unwrap();
    let given = given.credentials().unwrap();
    let with = |token: Option<&str>| Token {
        credentials: Credentials::new(given.access_key_id(), given.secret_access_key(), token.map(str::to_owned), None, "test"),
        ..Token::of(&cluster, "pipe")
    };
    let good = with(Some(given.session_token())).text().await;
    log_in(&cluster, "pipe", &good).await.unwrap();
    assert_eq!(cluster.iam_logins()[0].access_key, given.access_key_id());
    assert_eq!(reason(&cluster, "pipe", &with(None).text().await).await, Reason::WrongSessionToken);
    assert_eq!(reason(&cluster, "pipe", &with(Some("another")).text().await).await, Reason::WrongSessionToken);
    simulator.advance_time_of_day(Duration::from_secs(3601));
    assert_eq!(reason(&cluster, "pipe", &good).await, Reason::CredentialsExpired);
}

#[tokio::test]
async fn a_token_is_for_the_endpoint_that_the_api_shows() {
    let simulator = simulator();
    let cluster = cluster(&simulator, "15.10").await;
    let of_address = Token::of(&cluster, "pipe").text().await;
    let name = "orders.cluster-sim.us-east-1.rds.amazonaws.com";
    cluster.show_endpoint(name, 5432);
    let of_name = Token { host: name.to_owned(), port: 5432, ..Token::of(&cluster, "pipe") }.text().await;
    log_in(&cluster, "pipe", &of_name).await.unwrap();
    assert!(matches!(reason(&cluster, "pipe", &of_address).await, Reason::OtherEndpoint(_)));
}

#[tokio::test]
async fn statements_of_token_sessions_are_cancelled() {
    let simulator = simulator();
    let cluster = cluster(&simulator, "15.10").await;
    let token = Token::of(&cluster, "pipe").text().await;
    for (user, password) in [("pipe", token.as_str()), ("clusteradmin", "admin-password")] {
        let client = log_in(&cluster, user, password).await.unwrap();
        let cancel = client.cancel_token();
        let sleeping = tokio::spawn(async move { client.batch_execute("SELECT pg_sleep(600)").await });
        let superuser = cluster.superuser("postgres").await.unwrap();
        let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND wait_event = 'PgSleep'";
        let started = Instant::now();
        while superuser.query_one(sleeps, &[&user]).await.unwrap().get::<_, i64>(0) == 0 {
            assert!(started.elapsed() < DEADLINE, "{user} never came to sleep");
            tokio::time::sleep(PAUSE).await;
        }
        cancel.cancel_query(tls(cluster.ca_certificate().unwrap())).await.unwrap();
        assert_eq!(refusal(sleeping.await.unwrap()).0, "57014", "{user}");
    }
}

#[tokio::test]
async fn the_reader_takes_tokens_for_its_own_endpoint() {
    let simulator = simulator();
    let cluster = cluster(&simulator, "15.10").await;
    let (host, port) = cluster.start_reader().await.unwrap();
    let token = Token { host: host.clone(), port, ..Token::of(&cluster, "pipe") }.text().await;
    let mut reader = tokio_postgres::Config::new();
    reader.host(&host).port(port).user("pipe").password(&token).dbname("postgres").ssl_mode(SslMode::Require);
    // The role has to be replicated first.
    let started = Instant::now();
    let client = loop {
        match connect(&cluster, &reader).await {
            Ok(client) => break client,
            Err(error) => assert_eq!(refusal::<()>(Err(error)).0, "28P01"),
        }
        assert!(started.elapsed() < DEADLINE, "the role never arrived at the reader");
        tokio::time::sleep(PAUSE).await;
    };
    assert!(client.query_one("SELECT pg_is_in_recovery()", &[]).await.unwrap().get::<_, bool>(0));
    assert!(matches!(reason(&cluster, "pipe", &token).await, Reason::OtherEndpoint(_)));
}
