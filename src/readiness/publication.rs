//! Verdicts on the publication. Pure.

use std::collections::BTreeSet;

use super::catalogue::{CATALOGUE, Origin};
use super::check::{Verdict, Verdicts, fail, judge, listed, pass, skip, warn};
use super::facts::{Answer, Facts, PublicationFacts};
use crate::catalogue::publisher::Objection;
use crate::catalogue::relation::Kind;
use crate::postgres::{Identifier, QualifiedTable};

/// The verdicts; without a publication there is one, and the rest is skipped.
pub(super) fn verdicts(found: Option<&PublicationFacts>, facts: &Facts) -> Verdicts {
    let Some(name) = &facts.pipe.publication else { return Verdicts::new() };
    let Some(publication) = found else {
        let reason = format!("There is no publication {:?}.", name.as_str());
        let rest = CATALOGUE.iter().filter(|entry| entry.origin == Origin::Publication);
        let rest = rest.map(|entry| (entry.id, skip(reason.clone())));
        return rest.chain([("publication.exists", missing(name, facts))]).collect();
    };
    let exposed = |is_it: fn(&Objection) -> bool| -> Vec<&QualifiedTable> {
        publication.exposed.iter().filter(|(_, objection)| is_it(objection)).map(|(table, _)| table).collect()
    };
    let unidentified = exposed(|objection| matches!(objection, Objection::NoIdentity | Objection::Generated(_)));
    let listless = exposed(|objection| matches!(objection, Objection::List(_) | Objection::FullBesideList));
    let filtered = exposed(|objection| matches!(objection, Objection::Filter(_)));
    let again = |tables: &[&QualifiedTable]| {
        let again = |table: &&QualifiedTable| {
            format!("BEGIN;\nALTER PUBLICATION {name} DROP TABLE {table};\nALTER PUBLICATION {name} ADD TABLE {table};\nCOMMIT;")
        };
        tables.iter().map(again).collect::<Vec<_>>().join("\n")
    };
    let full = |tables: &[&QualifiedTable]| {
        tables.iter().map(|table| format!("ALTER TABLE {table} REPLICA IDENTITY FULL;")).collect::<Vec<_>>().join("\n")
    };
    let breaks = "so PostgreSQL refuses the application's UPDATE and DELETE";
    Verdicts::from([
        ("publication.exists", pass(format!("Publication {:?} exists.", name.as_str()))),
        ("publication.owner", owner(name, publication)),
        ("publication.not_empty", not_empty(name, publication, facts)),
        ("publication.covers_tables", covers(name, publication, facts)),
        ("publication.operations", operations(name, publication)),
        ("publication.viaroot", via_root(name, publication, facts)),
        (
            "publication.breaks_writes",
            judge(unidentified.is_empty(), "It breaks no writes of the application.", || {
                let message =
                    format!("Tables that it covers have no usable replica identity, {breaks}: {}.", names(&unidentified));
                fail(
                    message,
                    format!(
                        "-- better: a primary key. A full identity writes every old row to the WAL.\n{}",
                        full(&unidentified)
                    ),
                )
            }),
        ),
        (
            "publication.columns_cover_key",
            judge(listless.is_empty(), "No column list leaves out a part of a replica identity.", || {
                let message = format!("Column lists leave out a part of the replica identity, {breaks}: {}.", names(&listless));
                fail(message, format!("-- publishes all columns and rows of them\n{}", again(&listless)))
            }),
        ),
        (
            "publication.filter_covered_by_identity",
            judge(filtered.is_empty(), "No row filter uses columns outside of a replica identity.", || {
                let message =
                    format!("Row filters use columns that are not part of the replica identity, {breaks}: {}.", names(&filtered));
                fail(
                    message,
                    format!(
                        "-- or take the row filter away. A full identity writes every old row to the WAL.\n{}",
                        full(&filtered)
                    ),
                )
            }),
        ),
    ])
}

fn names(tables: &[&QualifiedTable]) -> String {
    listed(&tables.iter().map(|table| table.name()).collect::<Vec<_>>())
}

fn sql_list<'a>(tables: impl Iterator<Item = &'a QualifiedTable>) -> String {
    tables.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn missing(name: &Identifier, facts: &Facts) -> Verdict {
    let options = match &facts.server {
        Answer::Known(server) if server.version.major() < 13 => "",
        _ => " WITH (publish_via_partition_root = true)",
    };
    let remedy = if facts.pipe.tables.is_empty() {
        format!("resource \"clickpipes_publication\" \"pipe\" {{\n  name = {:?}\n  # ...\n}}", name.as_str())
    } else {
        format!("CREATE PUBLICATION {name} FOR TABLE {}{options};", sql_list(facts.pipe.tables.iter()))
    };
    fail(format!("There is no publication {:?}.", name.as_str()), remedy)
}

fn owner(name: &Identifier, publication: &PublicationFacts) -> Verdict {
    let owner = &publication.owner;
    judge(publication.owned, format!("The provider may change it for its owner {:?}.", owner.as_str()), || {
        warn(
            format!("It belongs to {:?}, for which the provider's role may not change it.", owner.as_str()),
            format!("-- as a role that may give it away:\nALTER PUBLICATION {name} OWNER TO {};", publication.admin),
        )
    })
}

fn not_empty(name: &Identifier, publication: &PublicationFacts, facts: &Facts) -> Verdict {
    let number = publication.published.len();
    judge(number > 0, format!("It publishes {number} tables."), || {
        let remedy = match facts.pipe.tables.is_empty() {
            true => "Add tables to it.".to_owned(),
            false => add(name, facts.pipe.tables.iter()),
        };
        fail("It publishes no table.", remedy)
    })
}

fn add<'a>(name: &Identifier, tables: impl Iterator<Item = &'a QualifiedTable>) -> String {
    format!("ALTER PUBLICATION {name} ADD TABLE {};", sql_list(tables))
}

fn covers(name: &Identifier, publication: &PublicationFacts, facts: &Facts) -> Verdict {
    if facts.pipe.tables.is_empty() {
        return skip("No tables are given, so those of the publication are replicated.");
    }
    let published: BTreeSet<&QualifiedTable> = publication.published.iter().collect();
    let left_out: Vec<&QualifiedTable> =
        facts.pipe.tables.iter().filter(|table| !publication.all_tables && !published.contains(table)).collect();
    judge(left_out.is_empty(), "It publishes all the tables that are given.", || {
        fail(format!("It does not publish these tables: {}.", names(&left_out)), add(name, left_out.iter().copied()))
    })
}

fn operations(name: &Identifier, publication: &PublicationFacts) -> Verdict {
    let operations = [("insert", publication.insert), ("update", publication.update), ("delete", publication.delete)];
    let missing: Vec<&str> = operations.iter().filter(|(_, is)| !is).map(|(operation, _)| *operation).collect();
    judge(missing.is_empty(), "It publishes inserts, updates and deletes.", || {
        warn(
            format!("It does not publish these operations, which ClickHouse will not see: {}.", listed(&missing)),
            format!("ALTER PUBLICATION {name} SET (publish = 'insert, update, delete, truncate');"),
        )
    })
}

/// Without it, the rows of a partitioned table come under the names of the partitions.
fn via_root(name: &Identifier, publication: &PublicationFacts, facts: &Facts) -> Verdict {
    let partitioned: Vec<&QualifiedTable> = match &facts.tables {
        Answer::Known(found) => found
            .tables
            .iter()
            .filter(|table| {
                let is_part = |root: &Option<String>| root.is_some();
                table
                    .listed
                    .as_ref()
                    .is_some_and(|listed| listed.kind == Kind::PartitionedTable || is_part(&listed.partition_root))
            })
            .map(|table| &table.name)
            .collect(),
        _ => Vec::new(),
    };
    match (publication.via_root, partitioned.is_empty()) {
        (_, true) => pass("None of its tables is partitioned."),
        (Some(true), false) => pass("Rows of partitions come under the name of the root."),
        (None, false) => fail(
            format!(
                "Before PostgreSQL 13, rows of partitioned tables come under the names of the partitions: {}.",
                names(&partitioned)
            ),
            "Leave the partitioned tables out, or upgrade.",
        ),
        (Some(false), false) => fail(
            format!("Rows of partitioned tables come under the names of the partitions: {}.", names(&partitioned)),
            format!("ALTER PUBLICATION {name} SET (publish_via_partition_root = true);"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::super::facts::TableFacts;
    use super::super::fixture::{fit, name, publication, table};
    use super::*;

    fn failing(change: &dyn Fn(&mut PublicationFacts), facts: &Facts) -> Vec<(&'static str, bool)> {
        let mut found = publication();
        change(&mut found);
        let all = verdicts(Some(&found), facts);
        let failing = all.into_iter().filter(|(_, verdict)| verdict.status == Status::Fail);
        failing.map(|(id, verdict)| (id, verdict.is_mild)).collect()
    }

    #[test]
    fn each_fault_of_a_publication_is_its_own_check() {
        let exposed =
            |objection: Objection| failing(&|found| drop(found.exposed.insert(name("orders"), objection.clone())), &fit());
        assert_eq!(failing(&|_| (), &fit()), []);
        assert_eq!(failing(&|found| found.owned = false, &fit()), [("publication.owner", true)]);
        assert_eq!(failing(&|found| found.delete = false, &fit()), [("publication.operations", true)]);
        assert_eq!(exposed(Objection::NoIdentity), [("publication.breaks_writes", false)]);
        assert_eq!(exposed(Objection::FullBesideList), [("publication.columns_cover_key", false)]);
        assert_eq!(exposed(Objection::Filter(vec!["a".to_owned()])), [("publication.filter_covered_by_identity", false)]);
        let mut facts = fit();
        facts.pipe.tables = vec![name("orders"), name("items")];
        assert_eq!(failing(&|_| (), &facts), [("publication.covers_tables", false)]);
        assert_eq!(failing(&|found| found.all_tables = true, &facts), []);
    }

    #[test]
    fn partitions_need_the_root() {
        let mut parts = table("orders");
        parts.listed.as_mut().unwrap().kind = Kind::PartitionedTable;
        let facts = Facts { tables: Answer::Known(TableFacts { tables: vec![parts], without_defaults: Vec::new() }), ..fit() };
        assert_eq!(failing(&|found| found.via_root = Some(false), &facts), [("publication.viaroot", false)]);
        assert_eq!(failing(&|found| found.via_root = Some(true), &facts), []);
    }

    #[test]
    fn a_publication_that_is_missing_is_one_failure() {
        let all = verdicts(None, &fit());
        assert_eq!(all.iter().filter(|(_, verdict)| verdict.status == Status::Fail).count(), 1);
        assert_eq!(all.len(), 9);
    }
}
