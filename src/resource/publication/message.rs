//! Messages about publications, each with the reason and the remedy. Pure.

use std::collections::BTreeMap;

use super::desired::{Desired, Scope};
use super::listing::{NAMES_SHOWN, listed};
use super::schema::Publication;
use crate::catalogue::admin::{inherit, join};
use crate::catalogue::publisher::Objection;
use crate::catalogue::relation::{Kind, Persistence, Relation};
use crate::postgres::version::{Gate, VIA_ROOT};
use crate::postgres::{Identifier, ServerVersion};
use crate::printable::printable_line;
use crate::resource::change;
use crate::terraform::{AttributePath, Diagnostic};

/// Exposed tables, each with the reason.
type Objections = BTreeMap<String, Objection>;

pub(super) fn scope_cannot_be_altered(name: &Identifier) -> Diagnostic {
    let detail = format!(
        "PostgreSQL cannot turn a publication of all tables into one of listed tables, or back. Publication {name} would be \
         dropped and created again in one transaction. A pipe that reads it must then be resynced, which copies all its tables \
         again. To accept this, set allow_scope_replacement = true."
    );
    Diagnostic::error("The scope cannot be altered", detail).at(AttributePath::of("all_tables"))
}

pub(super) fn must_be_resynced(name: &Identifier) -> Diagnostic {
    let detail = format!(
        "Publication {name} is dropped and created again in one transaction. Resync every pipe that reads it afterwards; this \
         copies all its tables again."
    );
    Diagnostic::warning("The pipe must be resynced", detail).at(AttributePath::of("all_tables"))
}

pub(super) fn renamed(from: &Identifier, to: &Identifier) -> Diagnostic {
    let detail = format!(
        "Pipes find a publication by its name. A pipe that uses {from} stops until its publication name is changed to {to}."
    );
    Diagnostic::warning("Pipes find the publication by name", detail).at(AttributePath::of("name"))
}

pub(super) fn too_old(gate: Gate, version: ServerVersion, remedy: &str) -> Diagnostic {
    let detail = format!("{} needs PostgreSQL {}, but this server runs {version}. {remedy}", gate.feature, gate.since);
    Diagnostic::error("Server is too old", detail)
}

pub(super) fn already_exists(desired: &Desired) -> Diagnostic {
    let opening = format!("Database {} already has a publication {}.", desired.database, desired.name);
    change::already_exists::<Publication>(&opening, &desired.id(), "").at(AttributePath::of("name"))
}

pub(super) fn schema_missing(desired: &Desired, schema: &str) -> Diagnostic {
    let detail = format!("There is no schema {schema:?} in database {}. Create it first.", desired.database);
    Diagnostic::error(format!("Schema not found ({schema})"), detail).at(AttributePath::of("schemas"))
}

/// `near`: schema and name of a table whose name differs in case only.
pub(super) fn table_missing(desired: &Desired, name: &str, near: Option<(&Identifier, &str)>) -> Diagnostic {
    let near = near.map(|(schema, near)| format!("{}.{near}", schema.as_str()));
    let near = near.map(|near| format!(" There is {near:?}: names are compared exactly, with upper and lower case."));
    let (database, near) = (&desired.database, near.unwrap_or_default());
    let detail = format!("There is no table {} in database {database}.{near} Create it first.", printable_line(name));
    Diagnostic::error(format!("Table not found ({name})"), detail).at(table_path(desired, name))
}

pub(super) fn not_publishable(desired: &Desired, name: &str, found: &Relation) -> Diagnostic {
    let detail = format!(
        "{} is {}. Only permanent tables and partitioned tables can be published. Remove it from the configuration.",
        printable_line(name),
        kind_name(found)
    );
    Diagnostic::error(format!("Not a table that can be published ({name})"), detail).at(table_path(desired, name))
}

pub(super) fn partitioned(desired: &Desired, name: &str, version: ServerVersion) -> Diagnostic {
    let detail = format!(
        "{} is a partitioned table. Publishing one needs PostgreSQL {}, but this server runs {version}. List its partitions \
         instead.",
        printable_line(name),
        VIA_ROOT.since
    );
    Diagnostic::error(format!("Server is too old ({name})"), detail).at(table_path(desired, name))
}

/// The same where the provider acts for the publication's `owner`, which does not own the table.
pub(super) fn not_owned_by_owner(
    desired: &Desired,
    name: &str,
    found: &Relation,
    owner: &Identifier,
    version: ServerVersion,
) -> Diagnostic {
    let advice = Identifier::new(found.owner.clone()).map(|of_table| join(&of_table, owner, version)).unwrap_or_default();
    let detail = format!(
        "Only the owner of a table can publish it. {} belongs to {:?}, and the provider acts for {owner}, to whom the publication belongs          and who does not have that role's privileges. Let an administrator who may grant them run:\n\n{advice}",
        printable_line(name),
        found.owner,
    );
    Diagnostic::error(format!("Not the owner of a table ({name})"), detail).at(table_path(desired, name))
}

pub(super) fn not_owned(desired: &Desired, name: &str, found: &Relation, version: ServerVersion) -> Diagnostic {
    let names = Identifier::new(found.owner.clone()).ok().zip(Identifier::new(found.admin.clone()).ok());
    let advice = names.map(|(owner, admin)| inherit(&owner, &admin, version, found.inherits, found.member));
    let member = if found.member { ", a member of it that does not inherit its privileges" } else { "" };
    let detail = format!(
        "Only the owner of a table can publish it. {} belongs to {:?}, but the provider works as {:?}{member}. Let an administrator \
         who may grant the owner's role run:\n\n{}",
        printable_line(name),
        found.owner,
        found.admin,
        advice.unwrap_or_default(),
    );
    Diagnostic::error(format!("Not the owner of a table ({name})"), detail).at(table_path(desired, name))
}

/// Published tables on which UPDATE and DELETE fail, each with what is wrong with its replica identity.
pub(super) fn exposed_already(tables: &[&String], objections: &Objections) -> Diagnostic {
    let detail =
        format!("UPDATEs and DELETEs already fail on: {}.{} {IDENTITY_REMEDY}", listed(tables), reasons(tables, objections));
    Diagnostic::warning("Published tables without a replica identity", detail)
}

pub(super) fn newly_exposed(desired: &Desired, tables: &[&String], objections: &Objections) -> Diagnostic {
    let exposure = exposure(desired, tables, objections);
    let detail = format!(
        "{} If a clickpipes_replica_identity of this configuration sets it, refer to that resource, so that it is planned and applied \
         first: tables = [clickpipes_replica_identity.name.table], or depends_on. To accept the failures instead, set \
         allow_tables_without_replica_identity = true.",
        exposure.detail
    );
    Diagnostic { detail, ..exposure }
}

pub(super) fn accepted_exposure(desired: &Desired, tables: &[&String], objections: &Objections) -> Diagnostic {
    change::unmet(exposure(desired, tables, objections), false)
}

/// Tables for which another resource of the same run sets the replica identity.
pub(super) fn identified_first(desired: &Desired, tables: &[&String]) -> Diagnostic {
    let path = tables.first().map_or_else(AttributePath::root, |name| table_path(desired, name));
    let detail = format!(
        "A clickpipes_replica_identity, planned before this publication, gives a replica identity to: {}. The apply checks that they have \
         it before it publishes them.",
        listed(tables)
    );
    Diagnostic::warning("Tables get their replica identity in the same run", detail).at(path)
}

fn exposure(desired: &Desired, tables: &[&String], objections: &Objections) -> Diagnostic {
    let detail = format!(
        "Once published, the application's own UPDATE and DELETE would fail on: {}.{} {IDENTITY_REMEDY}",
        listed(tables),
        reasons(tables, objections)
    );
    let path = tables.first().map_or_else(AttributePath::root, |name| table_path(desired, name));
    Diagnostic::error("Tables without a replica identity", detail).at(path)
}

/// What is wrong with replica identities that exist.
fn reasons(tables: &[&String], objections: &Objections) -> String {
    let columns = |columns: &[String]| {
        let quoted: Vec<String> = columns.iter().map(|column| format!("\"{}\"", printable_line(column))).collect();
        listed(&quoted.iter().collect::<Vec<_>>())
    };
    let reason = |name: &&String| {
        let reason = match objections.get(*name)? {
            Objection::NoIdentity => return None,
            Objection::Filter(used) => format!("the row filter uses columns that are not part of it ({})", columns(used)),
            Objection::FullBesideList => "FULL does not go with a list of columns".to_owned(),
            Objection::List(missing) => format!("the list of columns lacks some of its own ({})", columns(missing)),
            Objection::Generated(generated) => {
                format!("it has generated columns that are not published ({})", columns(generated))
            }
        };
        Some(format!(" The replica identity of {name} does not suit: {reason}."))
    };
    tables.iter().filter_map(reason).take(NAMES_SHOWN).collect()
}

/// A restricted partitioned table of which the partitions are published.
pub(super) fn restricted_root(name: &str) -> Diagnostic {
    let detail = format!(
        "{} is a partitioned table, and its changes are published as those of its partitions, for which PostgreSQL accepts no row filter \
         and no list of columns. Set publish_via_partition_root = true, or give options to its partitions.",
        printable_line(name)
    );
    let path = AttributePath::of("table_options").key(name);
    Diagnostic::error(format!("Options of a partitioned table ({name})"), detail).at(path)
}

pub(super) fn all_later_tables() -> Diagnostic {
    let detail = "all_tables = true also publishes every table created later. UPDATE and DELETE fail at once on a new table \
                  without a primary key, and ClickPipes bills the traffic of all tables. To avoid both, list the tables.";
    Diagnostic::warning("Tables created later are published too", detail).at(AttributePath::of("all_tables"))
}

pub(super) fn later_tables_of_schemas() -> Diagnostic {
    let detail = "Tables created later in a published schema are published too. UPDATE and DELETE fail at once on a new table \
                  without a primary key. To avoid this, list the tables.";
    Diagnostic::warning("Tables created later are published too", detail).at(AttributePath::of("schemas"))
}

/// Why a destroy is refused.
pub(super) fn in_use(database: &Identifier, slots: &[String]) -> Diagnostic {
    let detail = format!(
        "Replication slots of database {} are in use: {}. A pipe that reads this publication would stop at once and need a \
         resync. Remove the pipe first, or set force_destroy = true and apply that before the destroy.",
        database,
        printable_line(&slots.join(", "))
    );
    Diagnostic::error("Publication may be in use", detail).at(AttributePath::of("name"))
}

const IDENTITY_REMEDY: &str = "Give each a primary key (that covers the row filter and lies within the column list, if it has one), set its replica identity (clickpipes_replica_identity, or ALTER TABLE ... \
                               REPLICA IDENTITY FULL or USING INDEX), or remove update and delete from publish. From PostgreSQL 18 on, \
                               the replica identity must not contain a generated column, so REPLICA IDENTITY FULL is not enough for \
                               a table that has one.";

fn kind_name(found: &Relation) -> &'static str {
    match (found.kind, found.persistence) {
        (Kind::View, _) => "a view",
        (Kind::MaterializedView, _) => "a materialized view",
        (Kind::ForeignTable, _) => "a foreign table",
        (Kind::Sequence, _) => "a sequence",
        (_, Persistence::Unlogged) => "an unlogged table",
        (_, Persistence::Temporary) => "a temporary table",
        _ => "not a table",
    }
}

/// The path of a table in the configuration: its position in `tables`, or the attribute that covers it.
fn table_path(desired: &Desired, name: &str) -> AttributePath {
    let position = desired.written.iter().position(|written| written == name);
    match (position, &desired.scope) {
        (Some(index), _) => AttributePath::of("tables").index(index),
        (None, Scope::AllTables) => AttributePath::of("all_tables"),
        (None, Scope::Listed { schemas, .. }) if !schemas.is_empty() => AttributePath::of("schemas"),
        (None, _) => AttributePath::of("tables"),
    }
}

/// A publication without tables: a pipe that reads it receives nothing.
pub(super) fn publishes_nothing(desired: &Desired) -> Diagnostic {
    let detail = format!(
        "The lists of publication {} are empty, so it publishes no table, and a pipe that reads it receives nothing. Add tables \
         or schemas.",
        desired.name
    );
    Diagnostic::warning("Nothing is published", detail).at(AttributePath::of("tables"))
}
