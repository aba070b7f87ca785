//! From the provider block, the environment and, where one is named, the cluster to connection settings. Pure.

use std::time::Duration;

use super::PostgresModel;
use super::environment::PostgresEnvironment;
use super::login_plan::{self, LoginPlan, MasterUser};
use crate::postgres::settings::{InvalidSslMode, is_rds_host};
use crate::postgres::{ClusterSite, RootCertificates, Settings, SslMode};
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// Seconds.
const MAX_CONNECT_TIMEOUT: u16 = 3600;

/// The writer endpoint of the cluster in the provider block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WriterEndpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Which cluster it is.
    pub(crate) site: ClusterSite,
    pub(crate) master: MasterUser,
}

/// Checks what can be checked without the environment; unknown values pass.
pub(crate) fn validate(model: &PostgresModel) -> Diagnostics {
    let mut faults = Faults::default();
    faults.in_range(&model.port, "port", 1, i64::from(u16::MAX));
    faults.in_range(&model.connect_timeout, "connect_timeout", 1, i64::from(MAX_CONNECT_TIMEOUT));
    faults.in_range(&model.max_connections, "max_connections", 1, 1000);
    faults.sslmode(model);
    faults.0.extend(login_plan::validate(model));
    faults.0
}

/// The same for another cluster, which has its own address, user and password. With IAM the user is set here.
pub(crate) fn of_cluster(model: &PostgresModel, cluster_identifier: &str) -> PostgresModel {
    let with_token = model.iam_auth.known() == Some(&true);
    PostgresModel {
        cluster_identifier: cluster_identifier.into(),
        host: Attr::Null,
        port: Attr::Null,
        tls_server_name: Attr::Null,
        username: if with_token { model.username.clone() } else { Attr::Null },
        password: Attr::Null,
        password_secret_arn: Attr::Null,
        ..model.clone()
    }
}

/// Connection settings, and what to log in with.
///
/// # Errors
/// No host or no user is given anywhere, or an environment variable cannot be read.
pub(crate) fn resolve(
    model: &PostgresModel,
    environment: &PostgresEnvironment,
    cluster: Option<&WriterEndpoint>,
) -> Result<(Settings, LoginPlan), Diagnostics> {
    let mut faults = Faults(validate(model));
    // With a cluster, PGHOST would silently point elsewhere; only an explicit host overrides the endpoint.
    let fallback_host = cluster.map(|cluster| cluster.host.clone()).or_else(|| environment.host.clone());
    let host = model.host.known().cloned().or(fallback_host);
    let login = login_plan::resolve(model, environment, cluster.map(|cluster| &cluster.master));
    let missing = [
        (
            host.is_none(),
            "postgres.host (or postgres.cluster_identifier for an Aurora cluster) or the environment variable PGHOST",
        ),
        (login.is_none(), "postgres.username or the environment variable PGUSER"),
    ];
    faults.missing(missing.into_iter().filter(|(missing, _)| *missing).map(|(_, what)| what).collect());
    let port = match (model.port.known(), cluster) {
        (Some(port), _) => u16::try_from(*port).ok(),
        (None, Some(cluster)) => Some(cluster.port),
        (None, None) => faults.number(environment.port.as_deref(), "PGPORT", u16::MAX),
    };
    let timeout = model.connect_timeout.known().and_then(|seconds| u16::try_from(*seconds).ok());
    let timeout =
        timeout.or_else(|| faults.number(environment.connect_timeout.as_deref(), "PGCONNECT_TIMEOUT", MAX_CONNECT_TIMEOUT));
    let sslmode = faults.sslmode(model);
    let of_environment = faults.sslmode_of(environment.sslmode.as_ref().filter(|_| model.sslmode.known().is_none()));
    let (Some(host), Some(login), false) = (host, login, faults.0.has_errors()) else { return Err(faults.0) };
    let mut settings = Settings::new(host);
    settings.port = port.unwrap_or(Settings::DEFAULT_PORT);
    settings.connect_timeout = timeout.map_or(Settings::DEFAULT_CONNECT_TIMEOUT, |seconds| Duration::from_secs(seconds.into()));
    if let Some(cluster) = cluster {
        settings.sslmode = SslMode::VerifyFull;
        settings.tls_server_name = Some(cluster.host.clone());
        settings.cluster = Some(cluster.site.clone());
    }
    if let Some(name) = model.tls_server_name.known() {
        settings.tls_server_name = Some(name.clone());
        if is_rds_host(name) {
            settings.sslmode = SslMode::VerifyFull;
        }
    }
    let by_default = settings.sslmode;
    settings.sslmode = match (sslmode, of_environment) {
        (Some(sslmode), _) => sslmode,
        // What RDS is verified by must not depend on a variable that was set for another server.
        (None, Some(lower)) if by_default == SslMode::VerifyFull && lower < by_default => {
            tracing::info!(sslmode = %by_default, "PGSSLMODE is {lower}, which is less than a server of Amazon RDS needs; ignored");
            by_default
        }
        (None, Some(sslmode)) => sslmode,
        (None, None) => by_default,
    };
    if let Some(roots) = model.sslrootcert.known().or(environment.sslrootcert.as_ref()) {
        settings.root_certificates = RootCertificates::from_argument(roots);
    }
    if let Some(database) = model.database.known().or(environment.database.as_ref()) {
        settings.database.clone_from(database);
    }
    if let Some(connections) = model.max_connections.known() {
        settings.max_connections = usize::try_from(*connections).unwrap_or(Settings::DEFAULT_MAX_CONNECTIONS);
    }
    if matches!(login, LoginPlan::Token { .. }) && settings.sslmode == SslMode::Disable {
        return Err(login_plan::token_without_tls().into());
    }
    Ok((settings, login))
}

#[derive(Default)]
struct Faults(Diagnostics);

impl Faults {
    fn path(name: &str) -> AttributePath {
        AttributePath::of("postgres").attribute(name)
    }

    fn missing(&mut self, what: Vec<&str>) {
        if !what.is_empty() {
            let detail = format!("The settings do not say how to reach the database server. Set {}.", what.join("; and "));
            self.0.push(Diagnostic::error("Provider configuration is incomplete", detail).at(AttributePath::of("postgres")));
        }
    }

    fn in_range(&mut self, value: &Attr<i64>, name: &str, least: i64, most: i64) {
        if let Some(value) = value.known()
            && !(least..=most).contains(value)
        {
            let path = Self::path(name);
            let detail = format!("{path} is {value}; it must be between {least} and {most}.");
            self.0.push(Diagnostic::error("Number out of range", detail).at(path));
        }
    }

    fn number(&mut self, text: Option<&str>, variable: &str, most: u16) -> Option<u16> {
        let text = text?;
        let number = text.parse().ok().filter(|number| (1..=most).contains(number));
        if number.is_none() {
            let detail =
                format!("The environment variable {variable} is {text:?}; it must be a whole number between 1 and {most}.");
            self.0.push(Diagnostic::error("Environment variable cannot be read", detail));
        }
        number
    }

    fn sslmode(&mut self, model: &PostgresModel) -> Option<SslMode> {
        let path = Self::path("sslmode");
        let invalid = |error: InvalidSslMode| Diagnostic::error("Invalid sslmode", format!("{path}: {error}.")).at(path.clone());
        let decoded = model.sslmode.known()?.parse().map_err(invalid);
        self.0.absorb(decoded.map_err(Into::into))
    }

    /// The mode in the environment.
    fn sslmode_of(&mut self, variable: Option<&String>) -> Option<SslMode> {
        let invalid = |error: InvalidSslMode| {
            let detail = format!(
                "The environment variable PGSSLMODE: {error}. sslmode of the provider's postgres settings comes before it."
            );
            Diagnostic::error("Environment variable cannot be read", detail)
        };
        self.0.absorb(variable?.parse().map_err(invalid).map_err(Into::into))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::Login;
    use crate::secret::Secret;

    fn site() -> ClusterSite {
        let arn = "arn:aws:rds:eu-west-1:123456789012:cluster:c".to_owned();
        ClusterSite { resource_id: "cluster-A".to_owned(), arn, iam_authentication: false }
    }

    fn environment() -> PostgresEnvironment {
        PostgresEnvironment {
            host: Some("env-host".to_owned()),
            user: Some("env-user".to_owned()),
            password: Some(Secret::new("p")),
            port: Some("6432".to_owned()),
            ..PostgresEnvironment::default()
        }
    }

    #[test]
    fn the_environment_fills_what_the_block_leaves_open() {
        let model = PostgresModel { username: "admin".into(), sslmode: "disable".into(), ..PostgresModel::default() };
        let (settings, login) = resolve(&model, &environment(), None).unwrap();
        assert_eq!((settings.host.as_str(), settings.port, settings.sslmode), ("env-host", 6432, SslMode::Disable));
        let given = Login { user: "admin".to_owned(), password: Some(Secret::new("p")) };
        assert_eq!(login, LoginPlan::Given(given));
    }

    #[test]
    fn a_cluster_gives_endpoint_and_tls_name_and_a_host_only_says_where_to_dial() {
        let host = "c.cluster-x.eu-west-1.rds.amazonaws.com".to_owned();
        let cluster = WriterEndpoint { host, port: 5433, site: site(), master: MasterUser::default() };
        let (direct, _) = resolve(&PostgresModel::default(), &environment(), Some(&cluster)).unwrap();
        assert_eq!((direct.host.as_str(), direct.port, direct.sslmode), (cluster.host.as_str(), 5433, SslMode::VerifyFull));
        let model = PostgresModel { host: "localhost".into(), port: 15432.into(), ..PostgresModel::default() };
        let (tunnel, _) = resolve(&model, &environment(), Some(&cluster)).unwrap();
        assert_eq!((tunnel.host.as_str(), tunnel.port, tunnel.server_name()), ("localhost", 15432, cluster.host.as_str()));
    }

    #[test]
    fn the_name_of_an_rds_endpoint_is_verified_through_a_tunnel_too() {
        let name = "c.cluster-x.eu-west-1.rds.amazonaws.com";
        let model = PostgresModel { host: "localhost".into(), tls_server_name: name.into(), ..PostgresModel::default() };
        let (settings, _) = resolve(&model, &environment(), None).unwrap();
        assert_eq!((settings.sslmode, settings.server_name()), (SslMode::VerifyFull, name));
        let named = PostgresModel { sslmode: "require".into(), ..model };
        assert_eq!(resolve(&named, &environment(), None).unwrap().0.sslmode, SslMode::Require);
    }

    #[test]
    fn the_environment_raises_the_tls_mode_of_rds_and_never_lowers_it() {
        let host = "c.cluster-x.eu-west-1.rds.amazonaws.com";
        let cluster = WriterEndpoint { host: host.to_owned(), port: 5432, site: site(), master: MasterUser::default() };
        let block = |sslmode: Attr<String>, host: &str| PostgresModel { sslmode, host: host.into(), ..PostgresModel::default() };
        let mode = |model: &PostgresModel, variable: &str, cluster| {
            let environment = PostgresEnvironment { sslmode: Some(variable.to_owned()), ..environment() };
            resolve(model, &environment, cluster).unwrap().0.sslmode
        };
        for lower in ["disable", "require", "verify-ca", "verify-full"] {
            assert_eq!(mode(&PostgresModel::default(), lower, Some(&cluster)), SslMode::VerifyFull);
            assert_eq!(mode(&block(Attr::Null, host), lower, None), SslMode::VerifyFull);
            let tunnel = PostgresModel { tls_server_name: host.into(), ..block(Attr::Null, "localhost") };
            assert_eq!(mode(&tunnel, lower, None), SslMode::VerifyFull);
            assert_eq!(mode(&block(Attr::Null, "db.internal"), lower, None).as_str(), lower);
        }
        assert_eq!(mode(&block("require".into(), host), "verify-full", None), SslMode::Require, "the block has the last word");
    }

    #[test]
    fn every_fault_names_the_attribute_and_the_variable() {
        let model = PostgresModel { port: 70000.into(), sslmode: "prefer".into(), ..PostgresModel::default() };
        let faults = resolve(&model, &PostgresEnvironment::default(), None).unwrap_err();
        let paths: Vec<String> = faults.iter().filter_map(|fault| fault.path.as_ref().map(ToString::to_string)).collect();
        assert_eq!(paths, ["postgres.port", "postgres.sslmode", "postgres"]);
        let missing = &faults.iter().last().unwrap().detail;
        for name in ["postgres.host", "PGHOST", "postgres.username", "PGUSER"] {
            assert!(missing.contains(name), "{name} in {missing}");
        }
        let environment = PostgresEnvironment { port: Some("0".to_owned()), ..environment() };
        let faults = resolve(&PostgresModel::default(), &environment, None).unwrap_err();
        assert!(faults.iter().all(|fault| fault.detail.contains("PGPORT")), "{faults:?}");
    }

    #[test]
    fn another_cluster_shares_no_address_and_no_password() {
        let own = PostgresModel {
            cluster_identifier: "orders".into(),
            host: "127.0.0.1".into(),
            port: 15432.into(),
            tls_server_name: "db.internal".into(),
            username: "admin".into(),
            password: crate::secret::Secret::new("hunter2").into(),
            database: "app".into(),
            ..PostgresModel::default()
        };
        let other = of_cluster(&own, "billing");
        let kept = PostgresModel { cluster_identifier: "billing".into(), database: "app".into(), ..PostgresModel::default() };
        assert_eq!(other, kept);
        let token = of_cluster(&PostgresModel { iam_auth: true.into(), password: Attr::Null, ..own }, "billing");
        assert_eq!(token, PostgresModel { iam_auth: true.into(), username: "admin".into(), ..kept });
    }
}
