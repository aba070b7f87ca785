//! What each `sslmode` accepts and refuses, over servers with certificates of every kind.

use acceptance_tests::postgres_server::{Authority, PostgresServer, ServerCertificate, ServerOptions, Settings, Validity};
use acceptance_tests::rig::ADMIN_PASSWORD;
use acceptance_tests::terraform_cli::{Outcome, Terraform};
use anyhow::{Context as _, Result, ensure};

use super::{PLAN, one_error, publication};

/// A server that logs how clients connect, and a workspace. The authority's certificate is in the workspace as `authority.pem`.
struct TlsRig {
    server: PostgresServer,
    tf: Terraform,
    authority: Authority,
}

impl TlsRig {
    async fn start() -> Result<Self> {
        let server = PostgresServer::start(ServerOptions::major(15).setting("log_connections", "on").tls()).await?;
        server.create_superuser("clusteradmin", ADMIN_PASSWORD).await?;
        server.superuser("postgres").await?.batch_execute("CREATE DATABASE app OWNER clusteradmin").await?;
        let tf = Terraform::new()?.with_env("PGPASSWORD", ADMIN_PASSWORD).with_env("TF_LOG", "");
        let authority = Authority::new("the right authority")?;
        tf.write("authority.pem", authority.pem())?;
        tf.write("main.tf", &publication("\"insert\""))?;
        Ok(Self { server, tf, authority })
    }

    /// Uses a certificate that the authority signed.
    async fn show(&self, names: &[&str], validity: Validity) -> Result<()> {
        self.server.show_certificate(&self.authority.certify(names, validity)?).await
    }

    /// Plans with these settings; `host` is 127.0.0.1 unless they say otherwise.
    async fn plan(&self, settings: &str) -> Result<Outcome> {
        let host = if settings.contains("host =") { "" } else { "host = \"127.0.0.1\", " };
        let port = self.server.port();
        self.tf.write(
            "provider.tf",
            &format!(
                "provider \"clickpipes\" {{\n  postgres = {{ {host}port = {port}, username = \"clusteradmin\", {settings} }}\n}}\n"
            ),
        )?;
        self.tf.run(PLAN).await
    }

    /// The plan works; returns whether it used TLS.
    async fn accepts(&self, settings: &str) -> Result<bool> {
        let before = self.server.log_text()?.len();
        self.plan(settings).await?.succeeded().with_context(|| settings.to_owned())?;
        let log = self.server.log_text()?.split_off(before);
        let login = log.lines().find(|line| line.contains("connection authorized: user=clusteradmin"));
        Ok(login.context("nobody logged in")?.contains("SSL enabled"))
    }

    /// The plan ends in one error that contains all of `parts`.
    async fn refuses(&self, settings: &str, parts: &[&str]) -> Result<()> {
        one_error(self.plan(settings).await?, parts).map(drop).with_context(|| settings.to_owned())
    }
}

const ROOTS: &str = "sslrootcert = \"authority.pem\"";
/// Every TLS mode, with the name of the mode in its message.
const DEMANDS: [(&str, &str); 5] = [
    ("sslmode = \"disable\"", "disable"),
    ("sslmode = \"require\"", "require"),
    ("sslmode = \"require\", sslrootcert = \"authority.pem\"", "require"),
    ("sslmode = \"verify-ca\", sslrootcert = \"authority.pem\"", "verify-ca"),
    ("sslmode = \"verify-full\", sslrootcert = \"authority.pem\"", "verify-full"),
];
/// The correct names of the server.
const OURS: &[&str] = &["127.0.0.1", "localhost"];

#[tokio::test(flavor = "multi_thread")]
async fn every_mode_over_every_server() -> Result<()> {
    let rig = TlsRig::start().await?;
    let stranger = Authority::new("another authority")?;
    let unknown = ["not signed by a trusted certificate authority", "Set sslrootcert"];
    // The server's certificate, how many of the modes accept it, from the first on, and the message of the others.
    let servers: [(&str, Option<ServerCertificate>, usize, [&str; 2]); 6] = [
        ("good", Some(rig.authority.certify(OURS, Validity::Current)?), 5, ["", ""]),
        (
            "wrong host name",
            Some(rig.authority.certify(&["elsewhere.example.org", "10.1.2.3"], Validity::Current)?),
            4,
            [
                "not valid for \"127.0.0.1\"; it is valid for elsewhere.example.org, 10.1.2.3",
                "Set tls_server_name of the provider's postgres settings",
            ],
        ),
        (
            "expired",
            Some(rig.authority.certify(OURS, Validity::Past)?),
            2,
            ["expired on 2001-01-01T00:00:00Z", "Renew the server's certificate"],
        ),
        (
            "not yet valid",
            Some(rig.authority.certify(OURS, Validity::Future)?),
            2,
            ["not valid before 3000-01-01T00:00:00Z", "Correct this machine's clock"],
        ),
        ("unknown authority", Some(stranger.certify(OURS, Validity::Current)?), 2, unknown),
        ("without TLS", None, 1, ["the server does not support TLS", "or set sslmode = \"disable\""]),
    ];
    for (server, certificate, accepting, parts) in servers {
        match certificate {
            Some(certificate) => rig.server.show_certificate(&certificate).await?,
            None => rig.server.reload(Settings::from([("log_connections", "on"), ("ssl", "off")].map(owned))).await?,
        }
        for (position, (settings, mode)) in DEMANDS.into_iter().enumerate() {
            let place = || format!("{server}: {settings}");
            if position < accepting {
                let over_tls = rig.accepts(settings).await.with_context(place)?;
                ensure!(over_tls == (mode != "disable"), "{}: TLS is {over_tls}", place());
            } else {
                let [what, way_out] = parts;
                let demanded = format!("(sslmode {mode})");
                rig.refuses(settings, &["The database server cannot be used", &demanded, what, way_out])
                    .await
                    .with_context(place)?;
            }
        }
    }
    Ok(())
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_is_that_of_the_host_or_the_one_that_is_given() -> Result<()> {
    let rig = TlsRig::start().await?;
    let verified = format!("sslmode = \"verify-full\", {ROOTS}");
    rig.show(&["db.example.org"], Validity::Current).await?;
    assert!(rig.accepts(&format!("{verified}, tls_server_name = \"db.example.org\"")).await?);
    rig.refuses(&format!("{verified}, tls_server_name = \"www.example.org\""), &["\"www.example.org\"", "db.example.org"])
        .await?;
    rig.refuses(&format!("{verified}, tls_server_name = \"no name\""), &["sslmode verify-full", "tls_server_name"]).await?;

    // An address is not a name, and a name is not an address.
    rig.show(&["localhost"], Validity::Current).await?;
    assert!(rig.accepts(&format!("host = \"localhost\", {verified}")).await?);
    rig.refuses(&verified, &["not valid for \"127.0.0.1\"; it is valid for localhost", "tls_server_name"]).await?;
    rig.show(&["*.example.org"], Validity::Current).await?;
    assert!(rig.accepts(&format!("{verified}, tls_server_name = \"db.example.org\"")).await?);
    rig.refuses(&format!("{verified}, tls_server_name = \"a.db.example.org\""), &["*.example.org"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn authorities_come_as_text_or_file_one_or_several_with_any_mode() -> Result<()> {
    let mut rig = TlsRig::start().await?;
    rig.show(OURS, Validity::Current).await?;
    let other = Authority::new("another authority")?;
    rig.tf.write("other.pem", other.pem())?;
    rig.tf.write("several.pem", &format!("# Ours is the last.\n{}\nnoise\n{}", other.pem(), rig.authority.pem()))?;
    let verified = |roots: &str| format!("sslmode = \"verify-full\", sslrootcert = {roots}");
    for roots in ["\"authority.pem\"", "file(\"authority.pem\")", "\"several.pem\"", "file(\"several.pem\")"] {
        assert!(rig.accepts(&verified(roots)).await?, "{roots}");
    }
    let unknown = ["not signed by a trusted certificate authority"];
    rig.refuses(&verified("file(\"other.pem\")"), &unknown).await?;
    for (roots, what) in [
        ("\"nowhere.pem\"", "cannot use the root certificates in nowhere.pem"),
        ("\"main.tf\"", "cannot use the root certificates in main.tf"),
        ("\"-----BEGIN CERTIFICATE-----\\nno base64\\n-----END CERTIFICATE-----\"", "cannot use the root certificates"),
    ] {
        rig.refuses(&verified(roots), &[what, "sslrootcert is the path of a PEM file or the PEM text itself"]).await?;
    }

    // If roots are set, they are used, even if no mode is set.
    assert!(rig.accepts("sslrootcert = \"authority.pem\"").await?);
    rig.refuses("sslrootcert = \"other.pem\"", &["(sslmode require)", unknown[0]]).await?;
    rig.tf.set_env("PGSSLROOTCERT", "other.pem");
    rig.refuses("database = \"app\"", &["(sslmode require)", unknown[0]]).await?;
    rig.tf.set_env("PGSSLMODE", "disable");
    assert!(!rig.accepts("database = \"app\"").await?);
    rig.tf.set_env("PGSSLROOTCERT", "authority.pem");
    rig.tf.set_env("PGSSLMODE", "verify-full");
    assert!(rig.accepts("database = \"app\"").await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intermediate_authority_is_shown_by_the_server_or_given_among_the_roots() -> Result<()> {
    let rig = TlsRig::start().await?;
    let intermediate = rig.authority.intermediate("in between")?;
    rig.tf.write("intermediate.pem", intermediate.pem())?;
    let leaf = intermediate.certify(OURS, Validity::Current)?;
    let verified = |roots: &str| format!("sslmode = \"verify-full\", sslrootcert = {roots}");
    rig.server.show_certificate(&leaf.clone().through(&intermediate)).await?;
    assert!(rig.accepts(&verified("\"authority.pem\"")).await?);
    rig.server.show_certificate(&leaf).await?;
    rig.refuses(&verified("\"authority.pem\""), &["not signed by a trusted certificate authority"]).await?;
    assert!(rig.accepts(&verified("\"${file(\"authority.pem\")}${file(\"intermediate.pem\")}\"")).await?);
    Ok(())
}
