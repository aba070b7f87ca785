//! A running simulator: its start, its end and the library calls on it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use tokio::runtime::Runtime;

use super::actions;
use super::catalogue::Values;
use super::cluster::{self, ClusterHandle};
use super::connection::{Connections, Cut};
use super::faults::{Fault, FaultSpec, Hook, LagSpec};
use super::http;
use super::identities::RoleSpec;
use super::policy::Denial;
use super::secret::SecretValue;
use super::secret_text::SecretText;
use super::shared::Shared;
use super::simulated_clock::SimulatedClock;
use super::spec::{Call, ClusterSpec, Options};
use super::state::UserValue;

/// A running simulator.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Simulator {
    /// Starts the API on 127.0.0.1. No cluster exists yet.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(options: Options) -> Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", options.port))
            .with_context(|| format!("listening on 127.0.0.1:{}", options.port))?;
        listener.set_nonblocking(true).context("preparing the API's socket")?;
        let address = listener.local_addr().context("asking for the API's port")?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("aurora-sim")
            .enable_all()
            .build()
            .context("starting a runtime")?;
        let shared = Shared::new(options, runtime.handle().clone());
        let router = http::router(Arc::clone(&shared));
        runtime.spawn(async move {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    let service = router.into_make_service_with_connect_info::<Cut>();
                    drop(axum::serve(Connections(listener), service).await);
                }
                Err(error) => eprintln!("aurora-sim: the API does not listen: {error}"),
            }
        });
        Ok(Self { shared, address, runtime: Some(runtime) })
    }

    /// The API's address, such as `http://127.0.0.1:4711`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The RDS API as another administrator calls it.
    #[must_use]
    pub fn rds(&self) -> aws_sdk_rds::Client {
        use aws_sdk_rds::config::{BehaviorVersion, Credentials, Region};
        let config = aws_sdk_rds::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(self.url())
            .credentials_provider(Credentials::new("an id", "a secret key", None, None, "test"));
        aws_sdk_rds::Client::from_conf(config.build())
    }

    /// Creates a cluster; all of it is available when this returns.
    ///
    /// # Errors
    /// When the identifier is taken, the parameter group does not fit, or Postgres does not start.
    pub async fn create_cluster(&self, spec: ClusterSpec) -> Result<ClusterHandle> {
        self.shared.runtime.spawn(cluster::create(Arc::clone(&self.shared), spec)).await.context("creating a cluster")?
    }

    /// The cluster of this identifier, no matter who created it.
    #[must_use]
    pub fn cluster(&self, identifier: &str) -> Option<ClusterHandle> {
        ClusterHandle::find(&self.shared, identifier)
    }

    /// Deletes a cluster at once, whatever its status; its parameter groups stay.
    pub fn remove_cluster(&self, identifier: &str) {
        // Dropped outside the lock: it waits for Postgres to end.
        let removed = self.shared.state().remove_cluster(identifier);
        if let Some(postgres) = removed.and_then(|cluster| cluster.postgres) {
            postgres.terminate();
        }
    }

    /// Adds a custom parameter group with these values, as if it had been created before.
    ///
    /// # Errors
    /// When the name or the family is not accepted.
    pub fn create_parameter_group(&self, name: &str, family: &str, values: &[(&str, &str)]) -> Result<()> {
        let mut state = self.shared.state();
        actions::create_group(&mut state, &self.shared.options.region, name, family, "made before", BTreeMap::new())
            .map_err(|error| anyhow!("{}: {}", error.code, error.message))?;
        if let Some(group) = state.groups.get_mut(name) {
            for (parameter, value) in values {
                group.values.insert(
                    (*parameter).to_owned(),
                    UserValue { value: (*value).to_owned(), apply_method: "pending-reboot".to_owned() },
                );
            }
        }
        Ok(())
    }

    /// The user-set values of a custom parameter group; `None` if there is no such group.
    #[must_use]
    pub fn parameter_group(&self, name: &str) -> Option<Values> {
        let state = self.shared.state();
        state.groups.contains_key(name).then(|| state.group_values(name))
    }

    /// The names of the custom parameter groups.
    #[must_use]
    pub fn parameter_groups(&self) -> Vec<String> {
        self.shared.state().groups.keys().cloned().collect()
    }

    /// Makes the next `count` calls of `action` (`*`: any) fail. An SDK makes three attempts by default.
    pub fn inject_fault(&self, action: &str, fault: Fault, count: u32) {
        self.inject(FaultSpec { action: action.to_owned(), fault, count, skip: 0 });
    }

    /// Makes calls fail as described.
    pub fn inject(&self, fault: FaultSpec) {
        self.shared.add_fault(fault);
    }

    /// A handle to inject faults from elsewhere, such as a hook of another call.
    pub fn faults(&self) -> impl Fn(&str, Fault, u32) + Send + Sync + 'static + use<> {
        let shared = Arc::clone(&self.shared);
        move |action, fault, count| shared.add_fault(FaultSpec { action: action.to_owned(), fault, count, skip: 0 })
    }

    /// Removes all faults that have not happened yet, and answers the calls that hang.
    pub fn clear_faults(&self) {
        self.shared.clear_faults();
    }

    /// From now on, calls of `action` that name this cluster, instance or parameter group are denied.
    pub fn deny(&self, action: &str, identifier: &str) {
        self.shared.denials().push(Denial::new(action, Some(identifier)));
    }

    /// From now on, calls of `action` that name no object are denied, as by a policy that allows it on some ARNs only.
    pub fn deny_unnamed(&self, action: &str) {
        self.shared.denials().push(Denial::new(action, None));
    }

    /// From now on, every caller has this IAM policy: JSON with statements that allow actions on ARNs. All other calls are denied,
    /// those of [`Simulator::rds`] too.
    ///
    /// # Errors
    /// If it is not a policy, or has what is not simulated: denials, conditions.
    pub fn allow_only(&self, policy: &str) -> Result<()> {
        *self.shared.allowed() = Some(serde_json::from_str(policy).context("reading the policy")?);
        Ok(())
    }

    /// Ends all denials, and [`Simulator::allow_only`].
    pub fn allow_everything(&self) {
        self.shared.denials().clear();
        *self.shared.allowed() = None;
    }

    /// How many calls hang now.
    #[must_use]
    pub fn hanging(&self) -> usize {
        self.shared.hanging.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// From now on, the next `reads` reads do not see what calls of `action` (`*`: any) change; with `ParameterGroupStatus`, what
    /// members report after a change of parameters.
    pub fn lag(&self, action: &str, reads: u32) {
        self.shared.set_lag(LagSpec { action: action.to_owned(), reads });
    }

    /// Ends all lags: all reads see the current state.
    pub fn clear_lags(&self) {
        self.shared.clear_lags();
    }

    /// Runs `then` once, as soon as the next call of `action` has taken effect and before it is answered.
    pub fn after_call(&self, action: &str, then: impl FnOnce() + Send + 'static) {
        self.shared.add_after_call(Hook { action: action.to_owned(), run: Box::new(then) });
    }

    /// Runs `then` once, as soon as the next call of `action` arrives, before it has any effect or fails.
    pub fn before_call(&self, action: &str, then: impl FnOnce() + Send + 'static) {
        self.shared.add_before_call(Hook { action: action.to_owned(), run: Box::new(then) });
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> SimulatedClock {
        SimulatedClock(Arc::clone(&self.shared.clock))
    }

    /// Moves the time of day at AWS ahead of the machine's: signatures, tokens and temporary credentials become older by it.
    pub fn advance_time_of_day(&self, by: std::time::Duration) {
        self.shared.time_of_day.advance(by);
    }

    /// The calls received so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls().clone()
    }

    /// A handle to read the calls from elsewhere, such as another task.
    pub fn call_log(&self) -> impl Fn() -> Vec<Call> + Send + Sync + 'static + use<> {
        let shared = Arc::clone(&self.shared);
        move || shared.calls().clone()
    }

    /// Forgets the calls received so far.
    pub fn clear_calls(&self) {
        self.shared.calls().clear();
    }

    /// Creates a secret of this text in the region of the options, or adds a version to it: the one before is then `AWSPREVIOUS`,
    /// and a scheduled deletion is cancelled. Returns its ARN. After `lag("PutSecretValue", n)` the next `n` reads see the
    /// earlier state.
    ///
    /// # Errors
    /// If the machine has no random bytes.
    pub fn put_secret(&self, name: &str, value: &str) -> Result<String> {
        self.put_secret_in(&self.shared.options.region, name, value)
    }

    /// The same in another region.
    ///
    /// # Errors
    /// If the machine has no random bytes.
    pub fn put_secret_in(&self, region: &str, name: &str, value: &str) -> Result<String> {
        self.shared.put_secret(region, name, SecretValue::Text(SecretText::new(value)))
    }

    /// The same with bytes, which come as `SecretBinary`.
    ///
    /// # Errors
    /// If the machine has no random bytes.
    pub fn put_binary_secret(&self, name: &str, value: &[u8]) -> Result<String> {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(value);
        self.shared.put_secret(&self.shared.options.region, name, SecretValue::Binary(SecretText::new(text)))
    }

    /// The current text of a secret, by its name or ARN in any region; `None` if it does not exist, is deleted or is binary.
    #[must_use]
    pub fn secret(&self, id: &str) -> Option<String> {
        let state = self.shared.state();
        match &state.secrets.values().find(|secret| secret.is_named(id))?.version(None, None).ok()?.value {
            SecretValue::Text(text) => Some(text.reveal().to_owned()),
            SecretValue::Binary(_) => None,
        }
    }

    /// Schedules a secret for deletion, by its name or ARN: reads are refused with `InvalidRequestException`.
    pub fn delete_secret(&self, id: &str) {
        self.shared.delete_secret(id, false);
    }

    /// Deletes a secret at once: reads are refused with `ResourceNotFoundException`.
    pub fn remove_secret(&self, id: &str) {
        self.shared.delete_secret(id, true);
    }

    /// Creates a role, and returns its ARN. An earlier one of the same name is replaced.
    pub fn create_role(&self, role: RoleSpec) -> String {
        self.shared.state().identities.add_role(role)
    }

    /// Deletes a role. Credentials that it issued stay valid, as on AWS.
    pub fn delete_role(&self, arn: &str) {
        self.shared.state().identities.roles.remove(arn);
    }

    /// Adds a known access key besides the one in the options, so that tokens signed with it are accepted. Calls do not need a
    /// known one.
    pub fn add_access_key(&self, access_key: &str, secret_key: &str) {
        self.shared.state().identities.users.insert(access_key.to_owned(), SecretText::new(secret_key));
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // First no new calls are accepted, then the servers end.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        let clusters = std::mem::take(&mut self.shared.state().clusters);
        std::thread::scope(|scope| {
            for postgres in clusters.into_values().filter_map(|cluster| cluster.postgres) {
                scope.spawn(move || postgres.terminate());
            }
        });
    }
}
