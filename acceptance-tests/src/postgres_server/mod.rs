//! Real Postgres servers for tests and the demo: found on the machine or downloaded, each with its own folder, port and log.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use acceptance_tests::postgres_server::{PostgresServer, ServerOptions};
//!
//! let server = PostgresServer::start(ServerOptions::major(15).setting("wal_level", "logical")).await?;
//! server.create_superuser("admin", "its password").await?; // plain Postgres: an admin who is a superuser
//! let client = server.superuser("postgres").await?; // through the unix socket, as `rdsadmin`
//! client.batch_execute("CREATE TABLE t (id int PRIMARY KEY)").await?;
//! println!("127.0.0.1:{} logs to {}", server.port(), server.log_path().display());
//! for logged in server.statements()? {
//!     println!("{}@{}: {}", logged.user, logged.database, logged.text);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Every server logs every statement (`log_statement = all`), except those of [`SUPERUSER`], which belongs to the rig. Host
//! connections need a password (SCRAM); the superuser can log in through the unix socket only.
//!
//! Nothing survives: a guard process (see [`guard`]) stops the server and removes its folder when this process ends, however it ends.

mod binaries;
mod configuration;
mod freeze;
pub mod guard;
pub(crate) mod identity;
mod log;
mod not_run;
mod process;
mod standby;
mod template;
mod tls;

pub use binaries::{Binaries, cache_folder};
pub use configuration::Settings;
pub use freeze::Frozen;
pub use log::LoggedStatement;
pub use not_run::is_available;
pub use process::{PostgresServer, ServerOptions};
pub(crate) use process::{free_port, quoted};
pub use tls::{Authority, ServerCertificate, Validity};
pub(crate) use tls::{CERTIFICATE_FILE, KEY_FILE};

/// The superuser that initdb creates, named as on RDS. It is the rig's own and never appears in [`PostgresServer::statements`].
pub const SUPERUSER: &str = "rdsadmin";
