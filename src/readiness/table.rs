//! Verdicts on the tables that are to be replicated. Pure.

use std::collections::BTreeSet;

use postgres_protocol::escape::escape_literal;

use super::catalogue::{CATALOGUE, Origin};
use super::check::{Verdict, Verdicts, fail, judge, listed, pass, skip, warn};
use super::facts::{Answer, Facts, TableFacts};
use crate::catalogue::relation::{Kind, Persistence};
use crate::catalogue::source_table::SourceTable;
use crate::postgres::Identifier;
use crate::postgres::version::PUBLISHED_GENERATED_COLUMNS;

/// The verdicts; without any table they are skipped.
pub(super) fn verdicts(facts: &TableFacts, all: &Facts) -> Verdicts {
    if facts.tables.is_empty() {
        let entries = CATALOGUE.iter().filter(|entry| entry.origin == Origin::Tables);
        return entries.map(|entry| (entry.id, skip("No tables are given, and the publication has none."))).collect();
    }
    let tables = &facts.tables[..];
    let there: Vec<&SourceTable> = tables.iter().filter(|table| table.listed.is_some()).collect();
    let mut verdicts = Verdicts::from([
        ("table.exists", exists(tables)),
        ("table.kind", kind(&there)),
        ("table.name_has_no_dot", dots(tables)),
        ("table.replica_identity", identity(&there, all)),
        ("table.identity_on_all_partitions", partitions(&there)),
        ("table.inheritance_children", children(&there, all)),
        ("table.generated_columns", generated(&there, all)),
        ("table.toast_without_full", toast(&there)),
    ]);
    verdicts.extend(rights(&there, facts, all));
    verdicts
}

fn names(tables: &[&SourceTable]) -> String {
    listed(&tables.iter().map(|table| table.name.name()).collect::<Vec<_>>())
}

fn each(tables: &[&SourceTable], statement: impl Fn(&SourceTable) -> String) -> String {
    tables.iter().map(|table| statement(table)).collect::<Vec<_>>().join("\n")
}

fn with<'a>(tables: &[&'a SourceTable], is_bad: impl Fn(&SourceTable) -> bool) -> Vec<&'a SourceTable> {
    tables.iter().copied().filter(|table| is_bad(table)).collect()
}

fn full(table: &SourceTable) -> String {
    format!("ALTER TABLE {} REPLICA IDENTITY FULL;", table.name)
}

fn exists(tables: &[SourceTable]) -> Verdict {
    let missing: Vec<&SourceTable> = tables.iter().filter(|table| table.listed.is_none()).collect();
    judge(missing.is_empty(), "All tables exist.", || {
        fail(
            format!("These tables do not exist: {}.", names(&missing)),
            "Correct the names, which are compared exactly, or create the tables.",
        )
    })
}

/// Whether it is a table that can be replicated under its own name.
fn is_source(table: &SourceTable) -> bool {
    table.listed.as_ref().is_some_and(|listed| {
        matches!(listed.kind, Kind::Table | Kind::PartitionedTable)
            && listed.persistence == Persistence::Permanent
            && listed.partition_root.is_none()
    })
}

fn kind(tables: &[&SourceTable]) -> Verdict {
    let bad = with(tables, |table| !is_source(table));
    judge(bad.is_empty(), "All of them are tables or partitioned tables.", || {
        let shown: Vec<String> = bad.iter().map(|table| format!("{} ({})", table.name.name(), what(table))).collect();
        fail(
            format!("These cannot be replicated under their names: {}.", listed(&shown)),
            "Name tables and partitioned tables; a partition is replicated with its root, an unlogged table after ALTER TABLE ... SET LOGGED.",
        )
    })
}

fn what(table: &SourceTable) -> String {
    let Some(listed) = &table.listed else { return String::new() };
    match (listed.kind, listed.persistence, &listed.partition_root) {
        (_, _, Some(root)) => format!("a partition of {root}"),
        (Kind::View | Kind::MaterializedView, ..) => "a view".to_owned(),
        (Kind::ForeignTable, ..) => "a foreign table".to_owned(),
        (_, Persistence::Unlogged, _) => "an unlogged table".to_owned(),
        _ => "no table".to_owned(),
    }
}

fn dots(tables: &[SourceTable]) -> Verdict {
    let has_dot = |table: &&SourceTable| table.name.schema.as_str().contains('.') || table.name.table.as_str().contains('.');
    let bad: Vec<&SourceTable> = tables.iter().filter(has_dot).collect();
    judge(bad.is_empty(), "No name has a dot.", || {
        let message = format!("ClickPipes cannot replicate tables with a dot in their name or schema: {}.", names(&bad));
        fail(message, "Rename them, or leave them out.")
    })
}

/// A pipe needs a primary key, an index as the replica identity, or a full one; of a partitioned table on the root too.
fn identity(tables: &[&SourceTable], all: &Facts) -> Verdict {
    let lacks = |table: &SourceTable| {
        is_source(table)
            && table.listed.as_ref().is_some_and(|listed| match listed.kind {
                Kind::PartitionedTable => listed.primary_key.is_empty() && !matches!(listed.replica_identity.as_str(), "f" | "i"),
                _ => !listed.is_identified,
            })
    };
    let bad = with(tables, lacks);
    let version = version(all);
    let of_generated = version.is_some_and(|version| version.has(PUBLISHED_GENERATED_COLUMNS))
        && bad.iter().any(|table| !table.generated.is_empty());
    judge(bad.is_empty(), "All tables have a primary key or another usable replica identity.", || {
        let remedy = if of_generated {
            "Give the tables a primary key without generated columns.".to_owned()
        } else {
            format!("-- better: a primary key. A full identity writes every old row to the WAL.\n{}", each(&bad, full))
        };
        fail(format!("These tables have no usable replica identity: {}.", names(&bad)), remedy)
    })
}

fn version(all: &Facts) -> Option<crate::postgres::ServerVersion> {
    match &all.server {
        Answer::Known(server) => Some(server.version),
        _ => None,
    }
}

fn partitions(tables: &[&SourceTable]) -> Verdict {
    let unready = |table: &SourceTable| table.listed.as_ref().and_then(|listed| listed.unready_leaf.clone());
    let bad = with(tables, |table| unready(table).is_some());
    judge(bad.is_empty(), "All partitions have a usable replica identity.", || {
        let shown: Vec<String> =
            bad.iter().map(|table| format!("{} (for one, {})", table.name.name(), unready(table).unwrap_or_default())).collect();
        let leaves = |table: &SourceTable| {
            format!(
                "DO $$ DECLARE leaf regclass; BEGIN\n  FOR leaf IN SELECT t.relid FROM pg_partition_tree({}) t JOIN pg_class c ON c.oid = t.relid\n    \
                 WHERE t.isleaf AND c.relreplident <> 'f'\n      AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND c.relreplident = 'd') LOOP\n    \
                 EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', leaf);\n  END LOOP;\nEND $$;",
                escape_literal(&table.name.to_string())
            )
        };
        let message = format!(
            "Partitions of these tables have no usable replica identity, so UPDATE and DELETE on them fail: {}.",
            listed(&shown)
        );
        fail(message, each(&bad, leaves))
    })
}

fn children(tables: &[&SourceTable], all: &Facts) -> Verdict {
    let given: BTreeSet<_> = tables.iter().map(|table| &table.name).collect();
    let left_out: Vec<_> = tables
        .iter()
        .flat_map(|table| &table.children)
        .filter(|child| !given.contains(child))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    judge(left_out.is_empty(), "No table has children that are left out.", || {
        let names: Vec<String> = left_out.iter().map(|child| child.name()).collect();
        let remedy = match &all.pipe.publication {
            Some(publication) => {
                let add =
                    |child: &&&crate::postgres::QualifiedTable| format!("ALTER PUBLICATION {publication} ADD TABLE {child};");
                left_out.iter().map(|child| add(&child)).collect::<Vec<_>>().join("\n")
            }
            None => "Name the children too.".to_owned(),
        };
        warn(format!("Rows of tables that inherit from these are not replicated with them: {}.", listed(&names)), remedy)
    })
}

fn generated(tables: &[&SourceTable], all: &Facts) -> Verdict {
    let bad = with(tables, |table| !table.generated.is_empty());
    judge(bad.is_empty(), "No table has generated columns.", || {
        let shown: Vec<String> =
            bad.iter().map(|table| format!("{} ({})", table.name.name(), listed(&table.generated))).collect();
        let message = format!("Generated columns are not replicated: {}.", listed(&shown));
        let publishes = version(all).is_some_and(|version| version.has(PUBLISHED_GENERATED_COLUMNS));
        let remedy = if publishes {
            "Compute them in ClickHouse, or publish those that are stored (publish_generated_columns)."
        } else {
            "Compute them in ClickHouse."
        };
        warn(message, remedy)
    })
}

fn toast(tables: &[&SourceTable]) -> Verdict {
    let bad = with(tables, |table| table.toasted && is_source(table));
    judge(bad.is_empty(), "No table has long values that an UPDATE would leave out.", || {
        let message =
            format!("A long value that an UPDATE does not change is not sent, and becomes empty in ClickHouse: {}.", names(&bad));
        warn(
            message,
            format!("-- only where values get longer than about 2 kB: it writes every old row to the WAL.\n{}", each(&bad, full)),
        )
    })
}

/// What the pipe's role may read.
fn rights(tables: &[&SourceTable], facts: &TableFacts, all: &Facts) -> Verdicts {
    const IDS: [&str; 4] = ["schema.usage", "table.select", "table.rls", "default_privileges"];
    let role = match (&all.pipe.role, tables.iter().any(|table| table.usage.is_some())) {
        (Some(role), true) => role,
        (Some(role), false) => {
            let reason = if tables.is_empty() {
                "None of the tables exists.".to_owned()
            } else {
                format!("There is no role {:?}.", role.as_str())
            };
            return IDS.map(|id| (id, skip(reason.clone()))).into();
        }
        (None, _) => return IDS.map(|id| (id, skip("No username is given."))).into(),
    };
    let shown = role.as_str();
    let shut: BTreeSet<&Identifier> =
        tables.iter().filter(|table| table.usage == Some(false)).map(|table| &table.name.schema).collect();
    let usage = judge(shut.is_empty(), format!("Role {shown:?} may use the schemas of the tables."), || {
        let names: Vec<&str> = shut.iter().map(|schema| schema.as_str()).collect();
        let grants =
            shut.iter().map(|schema| format!("GRANT USAGE ON SCHEMA {schema} TO {role};")).collect::<Vec<_>>().join("\n");
        fail(format!("Role {shown:?} may not use these schemas: {}.", listed(&names)), grants)
    });
    let unread = with(tables, |table| table.selectable == Some(false));
    let select = judge(unread.is_empty(), format!("Role {shown:?} may read the tables."), || {
        let grants = each(&unread, |table| format!("GRANT SELECT ON TABLE {} TO {role};", table.name));
        fail(format!("Role {shown:?} may not read these tables: {}.", names(&unread)), grants)
    });
    let secured = with(tables, |table| table.secured);
    let rls = judge(secured.is_empty(), format!("Row level security hides no rows from role {shown:?}."), || {
        let policy = |table: &SourceTable| {
            format!("CREATE POLICY \"clickpipes_read_all\" ON {} FOR SELECT TO {role} USING (true);", table.name)
        };
        warn(
            format!("Row level security may hide rows of these tables from role {shown:?}: {}.", names(&secured)),
            each(&secured, policy),
        )
    });
    let without = &facts.without_defaults;
    let defaults = match without.is_empty() {
        true => pass(format!("Role {shown:?} will be able to read new tables too.")),
        false => {
            let names: Vec<String> =
                without.iter().map(|(schema, owner)| format!("{} of owner {:?}", schema.as_str(), owner.as_str())).collect();
            let grant = |(schema, owner): &(Identifier, Identifier)| {
                format!("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {role};")
            };
            warn(
                format!("Role {shown:?} will not be able to read new tables in: {}.", listed(&names)),
                without.iter().map(grant).collect::<Vec<_>>().join("\n"),
            )
        }
    };
    [usage, select, rls, defaults].into_iter().zip(IDS).map(|(verdict, id)| (id, verdict)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::super::fixture::{fit, name, table};
    use super::*;
    use crate::catalogue::inventory::Listed;

    fn failing(change: &dyn Fn(&mut SourceTable)) -> Vec<(&'static str, bool)> {
        let mut found = table("orders");
        change(&mut found);
        let facts = TableFacts { tables: vec![found], without_defaults: Vec::new() };
        let all = verdicts(&facts, &fit());
        let failing = all.into_iter().filter(|(_, verdict)| verdict.status == Status::Fail);
        failing.map(|(id, verdict)| (id, verdict.is_mild)).collect()
    }

    fn listed_as(change: impl Fn(&mut Listed)) -> Vec<(&'static str, bool)> {
        failing(&|table| change(table.listed.as_mut().unwrap()))
    }

    #[test]
    fn each_fault_of_a_table_is_its_own_check() {
        assert_eq!(failing(&|_| ()), []);
        assert_eq!(failing(&|table| table.listed = None), [("table.exists", false)]);
        assert_eq!(listed_as(|table| table.kind = Kind::View), [("table.kind", false)]);
        assert_eq!(listed_as(|table| table.persistence = Persistence::Unlogged), [("table.kind", false)]);
        assert_eq!(listed_as(|table| table.partition_root = Some("s.r".to_owned())), [("table.kind", false)]);
        assert_eq!(listed_as(|table| table.is_identified = false), [("table.replica_identity", false)]);
        let parts = |table: &mut Listed| {
            table.kind = Kind::PartitionedTable;
            table.unready_leaf = Some("s.leaf".to_owned());
        };
        assert_eq!(listed_as(parts), [("table.identity_on_all_partitions", false)]);
        assert_eq!(failing(&|table| table.usage = Some(false)), [("schema.usage", false)]);
        assert_eq!(failing(&|table| table.selectable = Some(false)), [("table.select", false)]);
        assert_eq!(failing(&|table| table.secured = true), [("table.rls", true)]);
        assert_eq!(failing(&|table| table.toasted = true), [("table.toast_without_full", true)]);
        assert_eq!(failing(&|table| table.generated = vec!["g".to_owned()]), [("table.generated_columns", true)]);
        assert_eq!(failing(&|table| table.children = vec![name("child")]), [("table.inheritance_children", true)]);
        assert_eq!(failing(&|table| table.name = name("a.b")), [("table.name_has_no_dot", false)]);
    }

    #[test]
    fn children_that_are_named_too_are_not_left_out() {
        let parent = SourceTable { children: vec![name("child")], ..table("parent") };
        let facts = TableFacts { tables: vec![parent, table("child")], without_defaults: Vec::new() };
        assert_eq!(verdicts(&facts, &fit())["table.inheritance_children"].status, Status::Pass);
    }

    #[test]
    fn rights_are_judged_only_for_a_role_that_exists() {
        let facts = TableFacts {
            tables: vec![SourceTable { usage: None, selectable: None, ..table("t") }],
            without_defaults: Vec::new(),
        };
        assert_eq!(verdicts(&facts, &fit())["table.select"].status, Status::Skipped);
    }
}
