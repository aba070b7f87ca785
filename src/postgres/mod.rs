//! PostgreSQL as the resources see it: names, statements, and a server that reads and writes databases.
//!
//! Pure: `facts`, `guard`, `identifier`, `inquiry`, `notice`, `origin`, `phase`, `scram`, `settings`, `several`, `site`, `statement`,
//! `tls_fault`, `version`, `writer`. IO: `client`, `combined`, `connect`, `dial`, `guarded`, `login`, `session`, `tls`, `together`.
//! Nothing here knows of Terraform, and no type of the driver leaves this module.

pub mod client;
mod combined;
mod connect;
mod dial;
pub mod error;
mod facts;
mod guard;
mod guarded;
pub mod identifier;
mod inquiry;
mod lock_holder;
pub mod login;
mod notice;
mod origin;
mod phase;
mod pool;
mod prepared;
mod reader;
pub mod replication_proof;
pub mod retry;
pub mod row;
pub mod scram;
mod session;
pub mod settings;
mod several;
mod site;
pub mod startup;
mod startup_message;
mod statement;
mod tls;
mod tls_fault;
mod together;
pub mod transaction;
pub mod version;
mod writer;

pub use client::Server;
pub use error::{Cause, Error};
pub use facts::{Facts, Flavour};
pub use guard::Breach;
pub use guarded::Channel;
pub use identifier::{Identifier, QualifiedTable, import_id, parse_import_id, parse_table_import_id};
pub use login::{FetchLogin, Login, LoginSource, LoginUnavailable};
pub use notice::Notice;
pub use origin::Origin;
pub use phase::Phase;
pub use pool::OUTAGE_REMEMBERED;
pub use reader::Reader;
pub use row::{Parameter, Row};
pub use settings::{RootCertificates, Settings, SslMode};
pub use site::{ClusterSite, Moved, Site};
pub use statement::Statement;
pub use tls_fault::TlsFault;
pub use version::ServerVersion;
