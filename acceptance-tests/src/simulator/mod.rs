//! A simulator of Amazon Aurora PostgreSQL: the RDS API over HTTP on 127.0.0.1, with a real Postgres behind each cluster, and what belongs
//! to its credentials of Secrets Manager, STS and IAM.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use acceptance_tests::simulator::{ClusterSpec, Fault, Options, RoleSpec, Simulator};
//!
//! let simulator = Simulator::start(Options::default())?;
//! // A writer and a reader of Aurora PostgreSQL 15.10. Setters change the version, members, admin, database, group and TLS.
//! let cluster = simulator.create_cluster(ClusterSpec::new("orders").admin("clusteradmin", "its password").database("shop")).await?;
//!
//! // Point an AWS SDK at the API, and Postgres clients at the cluster's endpoint.
//! println!("{} {}:{}", simulator.url(), cluster.host, cluster.port);
//! let admin = cluster.admin("shop").await?; // the master user: no superuser
//! admin.batch_execute("CREATE TABLE t (id int PRIMARY KEY)").await?;
//! let rig = cluster.superuser("shop").await?; // through the unix socket, for what only the rig may do
//! rig.batch_execute("CREATE ROLE app_owner LOGIN").await?;
//!
//! assert_eq!(cluster.show("rds.logical_replication").await?, "off");
//! simulator.inject_fault("RebootDBInstance", Fault::Throttling, 2);
//! // ... run terraform ...
//! cluster.wait_until_available().await?;
//! for call in simulator.calls().iter().filter(|call| call.is_mutating()) {
//!     println!("{} {:?} {:?}", call.action, call.parameters, call.error);
//! }
//! for logged in cluster.statements()? {
//!     println!("{}@{}: {}", logged.user, logged.database, logged.text);
//! }
//! let arn = simulator.put_secret("app/admin", "its password")?; // Secrets Manager and STS answer at the same URL
//! let role = simulator.create_role(RoleSpec::new("connector").external_id("x1"));
//! cluster.grant_rds_iam("app_owner").await?; // with ClusterSpec::iam_authentication and tls: logs in with a token
//! println!("{:?}", cluster.iam_refusals());
//! let (host, port) = cluster.start_reader().await?; // a real streaming replica
//! # let _ = (host, port, arn, role);
//! # Ok(())
//! # }
//! ```
//!
//! A simulator has a runtime of its own: tests may block (wait for terraform), use any runtime, and share one simulator.
//! Dropping it, or the end of the process however it comes, ends all its servers and removes their folders.
//!
//! # Control endpoint
//! What the library calls do is also there over HTTP, for other processes: `POST /_sim/clusters` with a [`ClusterSpec`] as JSON
//! (`{"identifier": "orders"}` is enough), `GET /_sim/clusters`, `GET` and `DELETE /_sim/clusters/<id>`,
//! `GET /_sim/clusters/<id>/settings/<name>` (what SHOW answers), `POST /_sim/clusters/<id>/reader`,
//! `POST /_sim/clusters/<id>/failover` (`{"target": "orders-2"}`: now, whatever is under way), `POST` (a [`FaultSpec`]) and
//! `DELETE /_sim/faults`, `POST` (a [`LagSpec`]) and `DELETE /_sim/lags`, `GET` and `DELETE /_sim/calls`, `GET /_sim/clock`,
//! `POST /_sim/clock` (`{"scale": 0.1}`, or `{"scale": null}` to stop it), `POST /_sim/clock/advance` (`{"seconds": 15}`),
//! `POST /_sim/time_of_day/advance` (`{"seconds": 900}`), `POST /_sim/secrets` (`{"name": "n", "value": "v"}`) and `DELETE` (`{"id": "n"}`,
//! with `"for_good": true` to take it away at once), `POST /_sim/roles` (a [`RoleSpec`]), `POST /_sim/clusters/<id>/rotation` (of the
//! managed master secret) and `GET /_sim/clusters/<id>/logins` (those with tokens, accepted and refused).
//!
//! What is emulated, how, and what is not: `docs/development/simulator.md`.

mod actions;
mod catalogue;
mod clock;
mod cluster;
mod cluster_postgres;
mod connection;
mod control;
mod error;
mod faults;
mod http;
mod iam;
mod identities;
mod lag;
mod lifecycle;
mod master_secret;
mod module;
mod proxy;
mod request;
mod secret_text;
mod secrets;
mod service;
mod shared;
mod spec;
mod state;
mod time_of_day;
mod xml;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use tokio::runtime::Runtime;

pub use catalogue::Values;
pub use cluster::{ClusterHandle, MemberStatus};
pub use faults::{Fault, FaultSpec, LagSpec};
pub use iam::{IamLogin, IamRefusal, IamRefusalReason};
pub use identities::RoleSpec;
pub use master_secret::MasterRotation;
pub use spec::{Call, ClusterSpec, GlobalMembership, Options};

use shared::Shared;

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
                    let service = router.into_make_service_with_connect_info::<connection::Cut>();
                    drop(axum::serve(connection::Connections(listener), service).await);
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

    /// Creates a cluster, all of it available when this returns.
    ///
    /// # Errors
    /// When the identifier is taken, the parameter group does not fit, or Postgres does not start.
    pub async fn create_cluster(&self, spec: ClusterSpec) -> Result<ClusterHandle> {
        self.shared.runtime.spawn(cluster::create(Arc::clone(&self.shared), spec)).await.context("creating a cluster")?
    }

    /// The cluster of this identifier, whoever created it.
    #[must_use]
    pub fn cluster(&self, identifier: &str) -> Option<ClusterHandle> {
        ClusterHandle::find(&self.shared, identifier)
    }

    /// Adds a custom parameter group with these values, as if someone had made it before.
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
                    state::UserValue { value: (*value).to_owned(), apply_method: "pending-reboot".to_owned() },
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

    /// Has the next `count` calls of `action` (`*`: any) fail. An SDK tries a call three times by default.
    pub fn inject_fault(&self, action: &str, fault: Fault, count: u32) {
        self.inject(FaultSpec { action: action.to_owned(), fault, count, skip: 0 });
    }

    /// Has calls fail as described.
    pub fn inject(&self, fault: FaultSpec) {
        self.shared.add_fault(fault);
    }

    /// Forgets all faults that have not come yet, and answers the calls that hang.
    pub fn clear_faults(&self) {
        self.shared.clear_faults();
    }

    /// Has what calls of `action` (`*`: any) change look as before to the next `reads` calls that read it, from now on.
    pub fn lag(&self, action: &str, reads: u32) {
        self.shared.set_lag(LagSpec { action: action.to_owned(), reads });
    }

    /// Ends all lags: everything is seen as it is.
    pub fn clear_lags(&self) {
        self.shared.clear_lags();
    }

    /// Runs `then` once, as soon as the next call of `action` has its effect and before it is answered.
    pub fn after_call(&self, action: &str, then: impl FnOnce() + Send + 'static) {
        self.shared.add_after_call(faults::AfterCall { action: action.to_owned(), run: Box::new(then) });
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> SimulatedClock {
        SimulatedClock(Arc::clone(&self.shared.clock))
    }

    /// Moves the time of day at AWS ahead of the machine's: signatures, tokens and temporary credentials grow older by it.
    pub fn advance_time_of_day(&self, by: std::time::Duration) {
        self.shared.time_of_day.advance(by);
    }

    /// The calls received so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls().clone()
    }

    /// A way to read the calls from elsewhere, such as another task.
    pub fn call_log(&self) -> impl Fn() -> Vec<Call> + Send + Sync + 'static + use<> {
        let shared = Arc::clone(&self.shared);
        move || shared.calls().clone()
    }

    /// Forgets the calls received so far.
    pub fn clear_calls(&self) {
        self.shared.calls().clear();
    }
}

/// The clock of a simulator: at first it runs at the scale of the options.
#[derive(Debug, Clone)]
pub struct SimulatedClock(Arc<clock::Clock>);

impl SimulatedClock {
    /// Simulated seconds since the simulator's start.
    #[must_use]
    pub fn now(&self) -> f64 {
        self.0.now()
    }

    /// Stops: from now on only [`SimulatedClock::advance`] moves it.
    pub fn stop(&self) {
        self.0.set_scale(None);
    }

    /// Runs (again) with this many real seconds per simulated second.
    pub fn run(&self, scale: f64) {
        self.0.set_scale(Some(scale));
    }

    /// Moves on by so many simulated seconds, and returns when everything that was due by then has happened.
    pub async fn advance(&self, seconds: f64) {
        self.0.advance(seconds).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // First nothing new may come, then the servers end.
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
