//! What is known of a source before the verdicts. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::catalogue::activity::Activity;
use crate::catalogue::pipe_role::PipeRole;
use crate::catalogue::publisher::Objection;
use crate::catalogue::slot::AnySlot;
use crate::catalogue::source_table::SourceTable;
use crate::cluster::Observed;
use crate::postgres::{Flavour, Identifier, QualifiedTable, ServerVersion};

/// Facts of one origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer<T> {
    Known(T),
    /// They were not asked for, for this reason.
    Skipped(String),
    /// They could not be found out, for this reason.
    Unknown(String),
}

/// How the pipe logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authentication {
    Password,
    Iam,
}

/// What the pipe is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pipe {
    /// Its role.
    pub(crate) role: Option<Identifier>,
    pub(crate) authentication: Authentication,
    pub(crate) publication: Option<Identifier>,
    /// The slot that it is to create.
    pub(crate) slot: Option<String>,
    /// Tables that are named for it; empty: those of the publication.
    pub(crate) tables: Vec<QualifiedTable>,
    /// The addresses that it connects from, if what may come in is known: rules of the security groups.
    pub(crate) addresses: Vec<Block>,
    pub(crate) rules: Option<Vec<Rule>>,
}

/// A block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) address: IpAddr,
    pub(crate) length: u8,
}

/// What a security group lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) blocks: Vec<Block>,
    pub(crate) ports: std::ops::RangeInclusive<i64>,
    /// Whether it is about TCP, or about everything.
    pub(crate) is_tcp: bool,
}

/// Why no session of the provider can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Barrier {
    /// It is a reader.
    Reader,
    /// A pooler or proxy is in between.
    Pooler,
}

/// The server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerFacts {
    pub(crate) version: ServerVersion,
    /// The database that is looked into.
    pub(crate) database: Identifier,
    pub(crate) activity: Activity,
    /// Values in effect, in base units.
    pub(crate) settings: BTreeMap<String, String>,
    /// The slots of the whole server.
    pub(crate) slots: Vec<AnySlot>,
}

/// The tables that are to be replicated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TableFacts {
    pub(crate) tables: Vec<SourceTable>,
    /// Schema and owner whose new tables the role will not be able to read.
    pub(crate) without_defaults: Vec<(Identifier, Identifier)>,
}

/// The publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicationFacts {
    pub(crate) all_tables: bool,
    pub(crate) owner: Identifier,
    /// The provider's role.
    pub(crate) admin: Identifier,
    /// Whether that may change it.
    pub(crate) owned: bool,
    pub(crate) insert: bool,
    pub(crate) update: bool,
    pub(crate) delete: bool,
    /// `None` before PostgreSQL 13.
    pub(crate) via_root: Option<bool>,
    /// The tables that it publishes, as a subscriber sees them.
    pub(crate) published: Vec<QualifiedTable>,
    /// The tables on which it makes UPDATE and DELETE fail, each with the reason.
    pub(crate) exposed: BTreeMap<QualifiedTable, Objection>,
}

/// How logins as the pipe's role went; an error says why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoginFacts {
    pub(crate) plain: Result<(), String>,
    pub(crate) replication: Result<(), String>,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) pipe: Pipe,
    /// `None`: it is not known what kind of PostgreSQL this is.
    pub(crate) flavour: Option<Flavour>,
    /// Port of the server.
    pub(crate) port: u16,
    pub(crate) cluster: Answer<Observed>,
    /// Why the server could be reached, but not used.
    pub(crate) barrier: Option<Barrier>,
    pub(crate) server: Answer<ServerFacts>,
    pub(crate) role: Answer<Option<PipeRole>>,
    pub(crate) tables: Answer<TableFacts>,
    pub(crate) publication: Answer<Option<PublicationFacts>>,
    pub(crate) login: Answer<LoginFacts>,
}
