//! Operations as SQL text: the one place where statements of this resource are written. Pure.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use super::desired::{Publish, Scope, generated_name};
use super::observed::Observed;
use super::operation::Operation;
use super::restriction::Restriction;
use crate::postgres::{Identifier, QualifiedTable, Statement};

impl Operation {
    /// The statement that does it.
    pub(super) fn statement(&self) -> Statement {
        Statement::new(match self {
            Self::Create { name, scope, restrictions, publish, via_root, generated } => {
                let scope = for_scope(scope, restrictions);
                format!("CREATE PUBLICATION {name}{scope} WITH ({})", parameters(Some(*publish), *via_root, *generated))
            }
            Self::Rename { from, to } => format!("ALTER PUBLICATION {from} RENAME TO {to}"),
            Self::SetParameters { name, publish, via_root, generated } => {
                format!("ALTER PUBLICATION {name} SET ({})", parameters(*publish, *via_root, *generated))
            }
            Self::AddTables { name, tables, restrictions } | Self::PutBack { name, tables, restrictions } => {
                format!("ALTER PUBLICATION {name} ADD TABLE {}", restricted(tables, restrictions))
            }
            Self::AddSchemas { name, schemas } => format!("ALTER PUBLICATION {name} ADD TABLES IN SCHEMA {}", list(schemas)),
            Self::DropTables { name, tables } | Self::TakeOut { name, tables } => {
                format!("ALTER PUBLICATION {name} DROP TABLE {}", only(tables))
            }
            Self::DropSchemas { name, schemas } => format!("ALTER PUBLICATION {name} DROP TABLES IN SCHEMA {}", list(schemas)),
            Self::ChangeOwner { name, owner, .. } => change_owner(name, owner),
            Self::Drop { name } => format!("DROP PUBLICATION {name}"),
        })
    }

    /// The statements that do it, as the publication's owner if the provider's role does not inherit that role's privileges.
    pub(super) fn statements(&self, now: &Observed) -> Vec<Statement> {
        let owner = now.rights.as_ref().filter(|rights| rights.acts_as_owner());
        let owner = owner.and_then(|_| now.publication.as_ref()?.current.owner.as_ref());
        match owner.filter(|_| !self.is_of_a_new_one()) {
            Some(owner) => self.statement().acting_as(owner),
            None => vec![self.statement()],
        }
    }

    /// Whether it is about a publication that the provider's role owns, because the same change creates it.
    pub(super) fn is_of_a_new_one(&self) -> bool {
        matches!(self, Self::Create { .. } | Self::ChangeOwner { is_new: true, .. })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statement().fmt(f)
    }
}

pub(super) fn change_owner(name: &Identifier, owner: &Identifier) -> String {
    format!("ALTER PUBLICATION {name} OWNER TO {owner}")
}

/// What lets a role create publications, and own them.
pub(super) fn grant_create(database: &Identifier, role: &Identifier) -> String {
    format!("GRANT CREATE ON DATABASE {database} TO {role};")
}

fn for_scope(scope: &Scope, restrictions: &[(QualifiedTable, Restriction)]) -> String {
    match scope {
        Scope::AllTables => " FOR ALL TABLES".to_owned(),
        Scope::Listed { tables, schemas } if tables.is_empty() && schemas.is_empty() => String::new(),
        Scope::Listed { tables, schemas } => {
            let mut text = " FOR ".to_owned();
            if !tables.is_empty() {
                // One keyword for all tables: PostgreSQL 13 and 14 know no other form.
                let _ = write!(text, "TABLE {}", restricted(tables, restrictions));
            }
            if !schemas.is_empty() {
                let separator = if tables.is_empty() { "" } else { ", " };
                let _ = write!(text, "{separator}TABLES IN SCHEMA {}", list(schemas));
            }
            text
        }
    }
}

fn parameters(publish: Option<Publish>, via_root: Option<bool>, generated: Option<bool>) -> String {
    let publish = publish.map(|publish| format!("publish = '{}'", publish.names().collect::<Vec<_>>().join(", ")));
    let via_root = via_root.map(|via_root| format!("publish_via_partition_root = {via_root}"));
    let generated = generated.map(|generated| format!("publish_generated_columns = {}", generated_name(generated)));
    publish.into_iter().chain(via_root).chain(generated).collect::<Vec<_>>().join(", ")
}

/// `ONLY` keeps tables that merely inherit from a listed one out: the list says exactly what is published. It does not matter to
/// partitioned tables.
fn only<'a>(tables: impl IntoIterator<Item = &'a QualifiedTable>) -> String {
    list(tables.into_iter().map(|table| format!("ONLY {table}")))
}

/// The same with lists of columns and row filters, which were checked when the configuration was decoded.
fn restricted<'a>(
    tables: impl IntoIterator<Item = &'a QualifiedTable>,
    restrictions: &[(QualifiedTable, Restriction)],
) -> String {
    let restrictions: BTreeMap<_, _> = restrictions.iter().map(|(table, restriction)| (table, restriction)).collect();
    list(tables.into_iter().map(|table| {
        let Some(Restriction { columns, filter }) = restrictions.get(table) else { return format!("ONLY {table}") };
        let columns = if columns.is_empty() { String::new() } else { format!(" ({})", list(columns)) };
        let filter = filter.as_ref().map(|filter| format!(" WHERE ({filter})")).unwrap_or_default();
        format!("ONLY {table}{columns}{filter}")
    }))
}

fn list<T: std::fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Identifier {
        Identifier::new(text).unwrap()
    }

    #[track_caller]
    fn check(operation: &Operation, sql: &str) {
        assert_eq!(operation.statement().display(), sql);
    }

    #[test]
    fn every_name_is_quoted() {
        let tables = ["public.orders", "My Schema.we\"ird-táble"].map(|table| table.parse().unwrap());
        let scope = Scope::Listed { tables: tables.into(), schemas: [name("s'x")].into() };
        let publish = Publish { truncate: false, ..Publish::ALL };
        let filter = Some("note <> ')'".to_owned());
        let restriction = Restriction { columns: [name("note"), name("i\"d")].into(), filter };
        let restrictions = vec![("public.orders".parse().unwrap(), restriction)];
        check(
            &Operation::Create { name: name("p\"; DROP"), scope, restrictions, publish, via_root: Some(true), generated: None },
            "CREATE PUBLICATION \"p\"\"; DROP\" FOR TABLE ONLY \"My Schema\".\"we\"\"ird-táble\", \
             ONLY \"public\".\"orders\" (\"i\"\"d\", \"note\") WHERE (note <> ')'), \
             TABLES IN SCHEMA \"s'x\" WITH (publish = 'insert, update, delete', publish_via_partition_root = true)",
        );
    }

    #[test]
    fn each_operation_is_one_statement() {
        let p = name("p");
        check(
            &Operation::Create {
                name: p.clone(),
                scope: Scope::AllTables,
                restrictions: Vec::new(),
                publish: Publish::ALL,
                via_root: None,
                generated: None,
            },
            "CREATE PUBLICATION \"p\" FOR ALL TABLES WITH (publish = 'insert, update, delete, truncate')",
        );
        check(&Operation::Rename { from: p.clone(), to: name("q") }, "ALTER PUBLICATION \"p\" RENAME TO \"q\"");
        check(
            &Operation::SetParameters { name: p.clone(), publish: None, via_root: Some(false), generated: Some(true) },
            "ALTER PUBLICATION \"p\" SET (publish_via_partition_root = false, publish_generated_columns = stored)",
        );
        let tables = vec!["a.b".parse().unwrap(), "a.c".parse().unwrap()];
        check(
            &Operation::AddTables { name: p.clone(), tables: tables.clone(), restrictions: Vec::new() },
            "ALTER PUBLICATION \"p\" ADD TABLE ONLY \"a\".\"b\", ONLY \"a\".\"c\"",
        );
        check(
            &Operation::DropTables { name: p.clone(), tables },
            "ALTER PUBLICATION \"p\" DROP TABLE ONLY \"a\".\"b\", ONLY \"a\".\"c\"",
        );
        check(
            &Operation::AddSchemas { name: p.clone(), schemas: vec![name("s")] },
            "ALTER PUBLICATION \"p\" ADD TABLES IN SCHEMA \"s\"",
        );
        check(
            &Operation::DropSchemas { name: p.clone(), schemas: vec![name("s")] },
            "ALTER PUBLICATION \"p\" DROP TABLES IN SCHEMA \"s\"",
        );
        check(&Operation::Drop { name: p }, "DROP PUBLICATION \"p\"");
    }
}
