//! What a resource may use: the database server and AWS, if their configuration is known, and the signal to stop.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OnceCell, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

use super::environment::PostgresEnvironment;
use super::login_plan::{LoginPlan, MasterUser};
use super::on_unreachable::OnUnreachable;
use super::postgres_settings::WriterEndpoint;
use super::{AwsModel, PostgresModel, ProviderModel, aws_settings, login_plan, login_source, postgres_settings, stop};
use crate::aws::secret::read_login;
use crate::aws::{self, Place, Session, TokenRequest};
use crate::failure::{Failure, Outage, Party};
use crate::postgres::{ClusterSite, LoginSource, OUTAGE_REMEMBERED, Server, Settings};
use crate::rds;
use crate::secret::Secret;
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics, Model};

/// A section of the provider block.
#[derive(Clone, Debug)]
enum Section<T> {
    /// Some value in it is known only at apply.
    Unknown,
    /// All of it is known; an absent section has no values.
    Known(T),
}

impl<T: Model> Section<T> {
    fn of(attribute: &Attr<T>) -> Self {
        match attribute {
            Attr::Unknown => Self::Unknown,
            Attr::Known(model) if model.encode().contains_unknown() => Self::Unknown,
            Attr::Known(model) => Self::Known(model.clone()),
            Attr::Null => Self::Known(T::default()),
        }
    }
}

/// The configured provider. Its clients live as long as the process.
#[derive(Debug)]
pub(crate) struct ProviderContext {
    aws: Section<AwsModel>,
    postgres: Section<PostgresModel>,
    environment: PostgresEnvironment,
    on_unreachable: OnUnreachable,
    aws_session: OnceCell<Session>,
    rds: OnceCell<rds::Readings>,
    /// The servers by the cluster that they belong to; `None`: the one in the provider block.
    servers: Mutex<BTreeMap<Option<String>, Arc<OnceCell<Server>>>>,
    /// Queues for changes of a cluster, a role or a publication.
    turns: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// What creates of this run have created or taken over. A new configuration is a new run.
    taken_up: Mutex<BTreeSet<String>>,
    /// What plans of this run will have set by the time that what refers to them is applied.
    ahead: Mutex<BTreeSet<String>>,
    /// When and how AWS was found unreachable: shortly after that, no other resource waits for it. (The pool remembers this for
    /// the database server.)
    aws_outage: Mutex<Option<(Instant, Diagnostic)>>,
}

/// Nothing is known before the provider is configured.
impl Default for ProviderContext {
    fn default() -> Self {
        Self {
            aws: Section::Unknown,
            postgres: Section::Unknown,
            environment: PostgresEnvironment::default(),
            on_unreachable: OnUnreachable::Fail,
            aws_session: OnceCell::new(),
            rds: OnceCell::new(),
            servers: Mutex::default(),
            turns: Mutex::default(),
            taken_up: Mutex::default(),
            ahead: Mutex::default(),
            aws_outage: Mutex::default(),
        }
    }
}

impl ProviderContext {
    /// The context for a validated provider block.
    pub(crate) fn new(model: &ProviderModel) -> Self {
        Self {
            aws: Section::of(&model.aws),
            postgres: Section::of(&model.postgres),
            environment: PostgresEnvironment::read(),
            on_unreachable: OnUnreachable::of(&model.on_unreachable),
            ..Self::default()
        }
    }
}

/// What the calls of one run share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    provider: Arc<ProviderContext>,
    cancel: CancellationToken,
}

/// A step of a run, with a limit.
#[derive(Debug)]
pub(crate) struct Limited {
    context: Context,
    limit: Duration,
}

impl Limited {
    /// What the step works with.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Does the step. At the limit its context is stopped, and it ends as it does at any stop.
    pub(crate) async fn run<T>(
        &self,
        // Boxed by the caller: a step is large, and would be part of everything that awaits it.
        mut step: Pin<Box<impl Future<Output = T>>>,
    ) -> T {
        tokio::select! {
            biased;
            done = &mut step => return done,
            () = tokio::time::sleep(self.limit) => {}
        }
        self.context.cancel.cancel();
        step.await
    }
}

impl Context {
    /// A separate run that was not asked to stop.
    pub(crate) fn new(provider: ProviderContext) -> Self {
        Self { provider: Arc::new(provider), cancel: CancellationToken::new() }
    }

    /// Cancelled when Terraform asks to stop.
    pub(crate) fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }

    /// The same run, for a step that is stopped after `limit`.
    pub(crate) fn within(&self, limit: Duration) -> Limited {
        Limited { context: Self { provider: Arc::clone(&self.provider), cancel: self.cancel.child_token() }, limit }
    }

    /// The client of the RDS API, for changes and waits.
    pub(crate) async fn rds(&self) -> Result<&rds::Client, Failure> {
        Ok(self.readings().await?.client())
    }

    /// Reads of RDS, with what this run remembers and shares.
    pub(crate) async fn readings(&self) -> Result<&rds::Readings, Failure> {
        let session = self.aws_session().await?;
        if let Some((when, diagnostic)) = &*self.aws_outage()
            && when.elapsed() < OUTAGE_REMEMBERED
        {
            return Err(Failure::Unreachable(Outage { party: Party::Aws, diagnostic: diagnostic.clone() }));
        }
        Ok(self.provider.rds.get_or_init(async || rds::Readings::new(rds::Client::new(session))).await)
    }

    /// The database server of a cluster, or the one in the provider block. No connection is made yet, except to look up a
    /// cluster's endpoint.
    pub(crate) async fn postgres(&self, cluster: Option<&str>) -> Result<Server, Failure> {
        let Section::Known(postgres) = &self.provider.postgres else { return Err(Failure::ConfigurationUnknown) };
        let other = cluster.filter(|cluster| postgres.cluster_identifier.known().is_none_or(|own| own != cluster));
        let environment = &self.provider.environment;
        let (postgres, environment) = match other {
            None => (postgres.clone(), environment.clone()),
            Some(cluster) => (postgres_settings::of_cluster(postgres, cluster), environment.of_another_cluster()),
        };
        let cell = Arc::clone(self.servers().entry(other.map(str::to_owned)).or_default());
        let resolve = || async {
            let cluster = match postgres.cluster_identifier.known() {
                // Remembered before the next resource gets here.
                Some(identifier) => {
                    let missing = |place: &str| {
                        Failure::NoCluster(match other {
                            None => own_cluster_missing(identifier, place),
                            Some(_) => other_cluster_missing(identifier, place),
                        })
                    };
                    let endpoint = self.writer_endpoint(identifier, missing).await;
                    let endpoint = endpoint.inspect_err(|failure| self.remember(failure))?;
                    if other.is_some() && login_plan::is_closed(&postgres, &endpoint.master) {
                        return Err(no_login(identifier).into());
                    }
                    Some(endpoint)
                }
                None => None,
            };
            let (settings, login) =
                postgres_settings::resolve(&postgres, &environment, cluster.as_ref()).map_err(outside_of_resource)?;
            let login = self.login_source(login, &settings, cluster.as_ref()).await?;
            Ok::<_, Failure>(Server::new(settings, login))
        };
        // Boxed: the futures of the SDK are large. What is already known is returned at the first poll, even after a stop.
        tokio::select! {
            biased;
            server = Box::pin(cell.get_or_try_init(resolve)) => server.cloned(),
            () = self.cancel.cancelled() => {
                let cluster = other.map_or_else(|| "the cluster of the provider block".to_owned(), |other| format!("cluster {other}"));
                Err(aws::Error::Cancelled { awaited: format!("AWS to describe {cluster}") }.into())
            }
        }
    }

    /// Waits for the turn to change an object. Two changes at the same time would run in random order, and for a cluster they
    /// would be two outages at once. The turn ends when the returned value is dropped.
    pub(crate) async fn turn(&self, object: &str) -> Result<OwnedMutexGuard<()>, Failure> {
        let turns = Arc::clone(self.turns().entry(object.to_owned()).or_default());
        tokio::select! {
            biased;
            turn = turns.lock_owned() => Ok(turn),
            () = self.cancel.cancelled() => {
                Err(aws::Error::Cancelled { awaited: format!("another change of {object}") }.into())
            }
        }
    }

    /// Remembers what a create of this run created or took over: another address must not destroy it in the same run.
    pub(crate) fn take_up(&self, object: String) {
        self.taken_up().insert(object);
    }

    /// Whether a create of this run created or took over the object.
    pub(crate) fn is_taken_up(&self, object: &str) -> bool {
        self.taken_up().contains(object)
    }

    /// Remembers what a resource of this run is planned to set. Only diagnostics may depend on it: which plans come first is certain
    /// only for what refers to that resource.
    pub(crate) fn plan_ahead(&self, what: String) {
        self.ahead().insert(what);
    }

    /// Whether a resource that was planned earlier in this run sets this.
    pub(crate) fn is_planned_ahead(&self, what: &str) -> bool {
        self.ahead().contains(what)
    }

    /// Address and port of a cluster's writer. `path` is the attribute that names the cluster.
    pub(crate) async fn writer(&self, identifier: &str, path: AttributePath) -> Result<(String, u16), Failure> {
        let not_found = |place: &str| {
            let detail =
                format!("There is no cluster {identifier} in {place}. Correct the identifier, the region or the account.");
            Failure::Missing(Diagnostic::error(format!("Cluster {identifier} not found"), detail).at(path))
        };
        let awaited = format!("AWS to describe cluster {identifier}");
        let endpoint = stop::ends(&self.cancel, &awaited, Box::pin(self.writer_endpoint(identifier, not_found))).await?;
        Ok((endpoint.host, endpoint.port))
    }

    /// The region and the account that calls are made in. Asks STS.
    pub(crate) async fn place(&self) -> Result<Place, Failure> {
        let session = self.aws_session().await?;
        let account = stop::ends(&self.cancel, "AWS to name the account", Box::pin(aws::account::account(session))).await?;
        Ok(Place { region: session.region().to_owned(), account })
    }

    /// Signs a token for a database login.
    pub(crate) async fn sign(&self, request: &TokenRequest) -> Result<Secret, Failure> {
        let session = self.aws_session().await?;
        let awaited = "AWS credentials to sign a token with";
        stop::ends(&self.cancel, awaited, Box::pin(request.sign(session))).await
    }

    /// The password in a secret.
    ///
    /// # Errors
    /// Why it cannot be used, without any of its text.
    pub(crate) async fn secret_password(&self, arn: &str) -> Result<Secret, Failure> {
        let session = self.aws_session().await?;
        let awaited = format!("Secrets Manager to give the secret {arn}");
        let unusable = |error| Failure::from(Diagnostic::from_error("The secret cannot be used", &error));
        let read = async { read_login(session, arn).await.map_err(unusable) };
        stop::ends(&self.cancel, &awaited, Box::pin(read)).await.map(|login| login.password)
    }

    /// The cluster that the provider block names; `None` if it names a server in another way.
    pub(crate) fn own_cluster(&self) -> Result<Option<&str>, Failure> {
        match &self.provider.postgres {
            Section::Unknown => Err(Failure::ConfigurationUnknown),
            Section::Known(postgres) => Ok(postgres.cluster_identifier.known().map(String::as_str)),
        }
    }

    /// Whether a plan continues if AWS or the server is unreachable.
    pub(crate) fn keeps_state(&self) -> bool {
        self.provider.on_unreachable == OnUnreachable::KeepState
    }

    /// Remembers an outage for a while, so that not every resource waits for it again.
    pub(crate) fn remember(&self, failure: &Failure) {
        if let Failure::Unreachable(Outage { party: Party::Aws, diagnostic }) = failure {
            let mut outage = self.aws_outage();
            // An error that repeats the remembered outage does not extend it.
            if outage.as_ref().is_none_or(|(when, _)| when.elapsed() >= OUTAGE_REMEMBERED) {
                *outage = Some((Instant::now(), diagnostic.clone()));
            }
        }
    }

    /// Forgets every outage: a change connects again.
    pub(crate) fn dial_again(&self) {
        *self.aws_outage() = None;
        for server in self.servers().values().filter_map(|cell| cell.get()) {
            server.dial_again();
        }
    }

    /// The same for one server: that another cluster is down stays known.
    pub(crate) fn dial_cluster_again(&self, cluster: Option<&str>) {
        *self.aws_outage() = None;
        let own = self.own_cluster().ok().flatten();
        let server = self.servers().get(&cluster.filter(|cluster| own != Some(cluster)).map(str::to_owned)).cloned();
        if let Some(server) = server.as_ref().and_then(|cell| cell.get()) {
            server.dial_again();
        }
    }

    fn servers(&self) -> MutexGuard<'_, BTreeMap<Option<String>, Arc<OnceCell<Server>>>> {
        self.provider.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turns(&self) -> MutexGuard<'_, BTreeMap<String, Arc<tokio::sync::Mutex<()>>>> {
        self.provider.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn taken_up(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.provider.taken_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ahead(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.provider.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn aws_outage(&self) -> MutexGuard<'_, Option<(Instant, Diagnostic)>> {
        self.provider.aws_outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn aws_session(&self) -> Result<&Session, Failure> {
        let Section::Known(aws) = &self.provider.aws else { return Err(Failure::ConfigurationUnknown) };
        // Boxed: it is large, and everything that calls AWS would contain it.
        let connect = || Box::pin(async { Session::connect(&aws_settings::resolve(aws)).await });
        Ok(self.provider.aws_session.get_or_try_init(connect).await?)
    }

    async fn login_source(
        &self,
        plan: LoginPlan,
        settings: &Settings,
        cluster: Option<&WriterEndpoint>,
    ) -> Result<LoginSource, Failure> {
        match plan {
            LoginPlan::Given(login) => Ok(LoginSource::Given(login)),
            LoginPlan::Secret { arn, user, fallback_user } => {
                Ok(login_source::secret(self.aws_session().await?.clone(), arn, user, fallback_user))
            }
            LoginPlan::Token { user: username } => {
                // RDS does not know the local end of a tunnel.
                let (host, port) = match cluster {
                    Some(cluster) => (cluster.host.clone(), cluster.port),
                    None => (settings.server_name().to_owned(), settings.port),
                };
                Ok(login_source::token(self.aws_session().await?.clone(), TokenRequest { host, port, username }))
            }
        }
    }

    /// True when the provider block or the environment says how to reach a database server.
    pub(crate) fn has_postgres(&self) -> bool {
        match &self.provider.postgres {
            Section::Unknown => true,
            Section::Known(postgres) => {
                postgres.host.known().is_some()
                    || postgres.cluster_identifier.known().is_some()
                    || self.provider.environment.host.is_some()
            }
        }
    }

    async fn writer_endpoint(
        &self,
        identifier: &str,
        not_found: impl FnOnce(&str) -> Failure,
    ) -> Result<WriterEndpoint, Failure> {
        let rds = self.readings().await?.glance();
        let Some(cluster) = rds.find_cluster(identifier).await? else {
            let place = match self.place().await {
                Ok(place) => place.to_string(),
                Err(_) => format!("region {}", rds.region()),
            };
            return Err(not_found(&place));
        };
        match (cluster.endpoint, cluster.port) {
            (Some(host), Some(port)) => {
                let master = MasterUser { username: cluster.master_username, secret_arn: cluster.master_user_secret_arn };
                let site = ClusterSite {
                    resource_id: cluster.resource_id,
                    arn: cluster.arn,
                    iam_authentication: cluster.iam_authentication,
                };
                Ok(WriterEndpoint { host, port, site, master })
            }
            _ => {
                let detail = format!(
                    "The cluster {identifier} has no writer endpoint yet (status {}). Wait until it is available, then plan \
                     again.",
                    cluster.status
                );
                Err(Failure::Missing(Diagnostic::error("Cluster has no endpoint", detail)))
            }
        }
    }
}

/// The provider block names a cluster that was not found.
fn own_cluster_missing(identifier: &str, place: &str) -> Diagnostic {
    let path = AttributePath::of("postgres").attribute("cluster_identifier");
    let detail = format!(
        "{path} of the provider block is {identifier:?}, but there is no such cluster in {place}. If it does not exist yet, create it \
         first. Otherwise correct the identifier, or the region or account of the provider's `aws`."
    );
    Diagnostic::error("Cluster not found", detail)
}

/// Another cluster was not found.
fn other_cluster_missing(identifier: &str, place: &str) -> Diagnostic {
    let detail = format!(
        "There is no cluster {identifier} in {place}. Create it first, or correct the identifier, or the region or account of the \
         provider's `aws`."
    );
    Diagnostic::error("Cluster not found", detail).at(AttributePath::of("cluster_identifier"))
}

/// Nothing is known that would log in to another cluster.
fn no_login(identifier: &str) -> Diagnostic {
    let detail = format!(
        "RDS manages no secret for the master user of cluster {identifier}. To a cluster that is not the provider's own, the provider logs          in with that secret or with an IAM token. Let RDS manage the password (manage_master_user_password of aws_rds_cluster), or set          postgres.iam_auth and postgres.username in the provider block, or use a provider block for this cluster."
    );
    Diagnostic::error("No way to log in to the cluster", detail).at(AttributePath::of("cluster_identifier"))
}

/// Terraform resolves the path of a message in the current resource, but these attributes are in the provider block. So their
/// text names the attribute instead.
fn outside_of_resource(faults: Diagnostics) -> Diagnostics {
    faults.into_iter().map(|fault| Diagnostic { path: None, ..fault }).collect()
}
