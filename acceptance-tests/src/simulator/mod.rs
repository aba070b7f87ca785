//! A simulator of Amazon Aurora PostgreSQL: the RDS API over HTTP on 127.0.0.1, with a real Postgres behind each cluster, and the
//! parts of Secrets Manager, STS and IAM that concern its credentials.
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
//! A simulator has its own runtime: tests may block (wait for terraform), use any runtime, and share one simulator. Dropping it,
//! or the end of the process in any way, ends all its servers and removes their folders.
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

mod account;
mod actions;
mod answer;
mod catalogue;
mod clock;
mod cluster;
mod cluster_postgres;
mod connection;
mod content;
mod control;
mod distort;
mod endpoint;
mod error;
mod faults;
mod http;
mod iam;
mod iam_logins;
mod identities;
mod lag;
mod lifecycle;
mod lock;
mod master_rotation;
mod master_secret;
mod module;
mod new_cluster;
mod policy;
mod policy_document;
mod proxy;
mod request;
mod secret;
mod secret_text;
mod secrets;
mod service;
mod shared;
mod simulated_clock;
mod simulation;
mod spec;
mod state;
mod time_of_day;
mod upgrade;
mod xml;

pub use catalogue::Values;
pub use cluster::{ClusterHandle, MemberStatus};
pub use faults::{Fault, FaultSpec, LagSpec};
pub use iam_logins::{IamLogin, IamRefusal, IamRefusalReason};
pub use identities::RoleSpec;
pub use master_rotation::MasterRotation;
pub use simulated_clock::SimulatedClock;
pub use simulation::Simulator;
pub use spec::{Call, ClusterSpec, GlobalMembership, Options};
