//! Facts from a database's catalogue that several kinds of things need: queries with typed rows, and what follows from the rows.
//! Queries are constants; names in them are qualified, values are bound. Messages to practitioners do not belong here.

pub(crate) mod activity;
pub(crate) mod admin;
pub(crate) mod holding;
pub(crate) mod holdings;
pub(crate) mod iam;
pub(crate) mod inventory;
pub(crate) mod key;
pub(crate) mod logical_decoding;
pub(crate) mod pipe_role;
pub(crate) mod publication;
pub(crate) mod publication_right;
pub(crate) mod publisher;
pub(crate) mod reach;
pub(crate) mod relation;
pub(crate) mod replica_identity;
pub(crate) mod role;
pub(crate) mod schema_privilege;
pub(crate) mod setting;
pub(crate) mod slot;
pub(crate) mod source_table;
mod sql;
pub(crate) mod summary;
pub(crate) mod table_identity;
pub(crate) mod table_privilege;
pub(crate) mod unpublished;
pub(crate) mod validity;
