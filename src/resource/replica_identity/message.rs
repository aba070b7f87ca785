//! Messages about replica identities, each with the reason and the remedy. Pure.

use super::desired::{Desired, index, word};
use crate::catalogue::publisher::{Objection, Publisher};
use crate::catalogue::relation::{Kind, Persistence};
use crate::catalogue::table_identity::{ReplicaIdentity, Table, Unfit};
use crate::postgres::Identifier;
use crate::printable::printable_line;
use crate::terraform::{AttributePath, Diagnostic};

/// How many names a message lists before it only counts.
const NAMES_SHOWN: usize = 20;

pub(super) fn table_missing(desired: &Desired) -> Diagnostic {
    let detail = format!("There is no table {} in database {}. Create it first.", desired.table, desired.database);
    Diagnostic::error("Table not found", detail).at(AttributePath::of("table"))
}

pub(super) fn no_table(desired: &Desired, found: &Table) -> Diagnostic {
    let kind = match (found.kind, found.persistence) {
        (Kind::View, _) => "a view",
        (Kind::MaterializedView, _) => "a materialized view",
        (Kind::ForeignTable, _) => "a foreign table",
        (Kind::Sequence, _) => "a sequence",
        (_, Persistence::Temporary) => "a temporary table",
        (Kind::Table | Kind::PartitionedTable, _) if found.is_built_in() => "part of the system catalogue",
        _ => "not a table",
    };
    let detail = format!("{} is {kind}. Only tables have a replica identity. Name a table.", desired.table);
    Diagnostic::error("Not a table with a replica identity", detail).at(AttributePath::of("table"))
}

pub(super) fn not_owned(desired: &Desired, found: &Table) -> Diagnostic {
    let (owner, admin) = (quoted(&found.owner), quoted(&found.admin));
    let detail = if found.is_schema_closed {
        let schema = &desired.table.schema;
        format!(
            "The provider works as {admin}, which may act as {owner}, the owner of {}, but neither of them may use schema {schema}. Let the \
             owner of the schema run: GRANT USAGE ON SCHEMA {schema} TO {owner}",
            desired.table
        )
    } else {
        format!(
            "Only the owner of a table can change its replica identity. {} belongs to {owner}, but the provider works as {admin}. Let an \
             administrator who may grant the owner's role run: GRANT {owner} TO {admin}",
            desired.table
        )
    };
    Diagnostic::error("Not the owner of the table", detail).at(AttributePath::of("table"))
}

pub(super) fn index_missing(desired: &Desired, name: &Identifier) -> Diagnostic {
    let detail = format!("Table {} has no index {name}. Create it first.", desired.table);
    Diagnostic::error("Index not found", detail).at(AttributePath::of("index"))
}

pub(super) fn index_unfit(desired: &Desired, name: &Identifier, unfit: &Unfit) -> Diagnostic {
    let reason = match unfit {
        Unfit::NotUnique => "is not unique".to_owned(),
        Unfit::Partial => "is partial: it has a WHERE clause".to_owned(),
        Unfit::Expressions => "has expressions in its key, not only columns".to_owned(),
        Unfit::Deferrable => "belongs to a deferrable constraint".to_owned(),
        Unfit::Invalid => "is invalid: CREATE INDEX CONCURRENTLY did not finish it".to_owned(),
        Unfit::Nullable(columns) => format!("has columns that may be NULL: {}", listed(columns)),
    };
    let detail = format!(
        "Index {name} of {} {reason}. A replica identity needs a valid unique index on columns that are NOT NULL, neither partial nor \
         deferrable. Use another index, or mend this one before you plan again.",
        desired.table
    );
    Diagnostic::error("Index cannot be the replica identity", detail).at(AttributePath::of("index"))
}

pub(super) fn stops_writes(desired: &Desired, to: &ReplicaIdentity, exposed: &[(&Publisher, Objection)]) -> Diagnostic {
    let detail = format!(
        "With {}, the application's own UPDATE and DELETE on {} would fail: {}. First take the table out of the publication, or update \
         and delete out of its `publish`, in an apply of its own; or keep a replica identity that suits the publication.",
        described(to),
        desired.table,
        reasons(exposed),
    );
    Diagnostic::error("A publication would stop the application's writes", detail).at(AttributePath::of("identity"))
}

pub(super) fn restoring_stops_writes(
    arguments: &Desired,
    to: &ReplicaIdentity,
    exposed: &[(&Publisher, Objection)],
) -> Diagnostic {
    let detail = format!(
        "The destroy restores {}, with which the application's own UPDATE and DELETE on {} would fail: {}. Remove the table from the \
         publication, or the publication, first. To replace this resource by one of another table, set create_before_destroy = true in \
         `lifecycle`, so that a publication that refers to it changes in between. To keep the replica identity as it is, use a `removed` \
         block with destroy = false.",
        described(to),
        arguments.table,
        reasons(exposed),
    );
    Diagnostic::error("A publication needs the replica identity", detail).at(AttributePath::of("identity"))
}

pub(super) fn cost_of_full(desired: &Desired, found: &Table) -> Diagnostic {
    let size = match found.bytes {
        0 => "Its size is not known, because it was never analyzed".to_owned(),
        bytes => format!("It has about {}, without TOAST and indexes", size(bytes)),
    };
    let detail = format!(
        "With replica identity FULL, each UPDATE and DELETE on {} writes the whole old row to the WAL, large values included, and every \
         column of it is sent to the subscriber. {size}. Since the statistics of the database began, {} rows were updated and {} deleted. A \
         unique index on NOT NULL columns (identity = \"index\") costs much less.",
        desired.table, found.updated, found.deleted
    );
    Diagnostic::warning("FULL writes whole rows to the WAL", detail).at(AttributePath::of("identity"))
}

pub(super) fn only_the_root(desired: &Desired, found: &Table) -> Diagnostic {
    let partitions = match found.partitions {
        1 => "its 1 partition keeps its own".to_owned(),
        number => format!("its {number} partitions keep their own"),
    };
    let detail = format!(
        "{} is partitioned. PostgreSQL changes the replica identity of the partitioned table only; {partitions}, and a partition that is \
         created later starts with the default. UPDATE and DELETE need that of each partition: give each one its own \
         clickpipes_replica_identity.",
        desired.table
    );
    Diagnostic::warning("Partitions keep their own replica identity", detail).at(AttributePath::of("table"))
}

/// A destroy that changes nothing.
pub(super) fn not_known_before(arguments: &Desired, found: &Table) -> Diagnostic {
    let detail = format!(
        "The replica identity of {} was imported, so what it was before is not known. The destroy changes nothing: the table keeps {}.",
        arguments.table,
        described(&found.identity),
    );
    Diagnostic::warning("The replica identity stays as it is", detail)
}

/// The same, because there is nothing to go back to.
pub(super) fn index_lost(arguments: &Desired, found: &Table, before: &ReplicaIdentity) -> Diagnostic {
    let lost = match index(before) {
        Some(name) => format!("index {name}, which no longer exists or can no longer be a replica identity"),
        None => "an index that did not exist any more".to_owned(),
    };
    let detail = format!(
        "The replica identity of {} was {lost}. The destroy changes nothing: the table keeps {}.",
        arguments.table,
        described(&found.identity),
    );
    Diagnostic::warning("The replica identity stays as it is", detail)
}

fn described(identity: &ReplicaIdentity) -> String {
    match index(identity) {
        Some(name) => format!("replica identity index {name}"),
        None => format!("replica identity {}", word(identity)),
    }
}

/// Why each publication stops writes.
fn reasons(exposed: &[(&Publisher, Objection)]) -> String {
    let reason = |(publisher, objection): &(&Publisher, Objection)| {
        let name = &publisher.name;
        match objection {
            Objection::NoIdentity => format!("publication {name} publishes them, and nothing would identify a row"),
            Objection::Filter(columns) => {
                format!("the row filter of publication {name} uses columns that are not part of it ({})", listed(columns))
            }
            Objection::FullBesideList => format!("publication {name} has a list of columns, which does not go with FULL"),
            Objection::List(columns) => format!("publication {name} does not publish all of its columns ({})", listed(columns)),
            Objection::Generated(columns) => {
                format!("publication {name} does not publish its generated columns ({})", listed(columns))
            }
        }
    };
    exposed.iter().take(NAMES_SHOWN).map(reason).collect::<Vec<_>>().join("; ")
}

fn listed(columns: &[String]) -> String {
    let shown: Vec<String> = columns.iter().take(NAMES_SHOWN).map(|column| quoted(column)).collect();
    shown.join(", ")
}

fn quoted(name: &str) -> String {
    Identifier::new(name).map_or_else(|_| printable_line(name), |name| name.to_string())
}

/// A number of bytes, in the unit that suits it.
fn size(bytes: i64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    let mut kilobytes = bytes / 1024;
    let mut unit = 0;
    while kilobytes >= 10 * 1024 && unit + 1 < units.len() {
        kilobytes /= 1024;
        unit += 1;
    }
    format!("{kilobytes} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_few_digits() {
        for (bytes, text) in
            [(8192, "8 kB"), (20 << 20, "20 MB"), (3 << 30, "3072 MB"), (40 << 40, "40 TB"), (1 << 60, "1048576 TB")]
        {
            assert_eq!(size(bytes), text);
        }
    }
}
