//! What the provider's role lacks for what a configuration adds: named before anything runs, with who must run what. The statements
//! work before the role exists. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::desired::Desired;
use super::diff::adds_owner;
use super::observed::Observed;
use super::operation::Operation;
use super::statement;
use crate::catalogue::admin::{SUPERUSER_OF_RDS, join};
use crate::catalogue::reach::Reach;
use crate::catalogue::schema_privilege::NAMED_AT_MOST;
use crate::postgres::version::MEMBERSHIP_OPTIONS;
use crate::postgres::{Facts, Flavour, Identifier, QualifiedTable};
use crate::terraform::{Diagnostic, Diagnostics};

/// The implicit role of whoever owns the database.
const DATABASE_OWNER: &str = "pg_database_owner";
/// The superuser of Aurora and RDS, of which nobody can become a member.
const RDS_ADMIN: &str = "rdsadmin";

/// What is lacking.
#[derive(Default)]
pub(super) struct Lacking {
    /// What the role would not have.
    pub(super) unmet: Diagnostics,
    /// What it has through others, such as PUBLIC, only.
    pub(super) warnings: Diagnostics,
}

/// What one owner would have to let the admin grant.
#[derive(Default)]
struct OfOwner<'a> {
    connect: bool,
    usage: BTreeSet<&'a Identifier>,
    select: BTreeSet<&'a QualifiedTable>,
    /// Schemas in which the owner's later tables are to be readable.
    defaults: BTreeSet<&'a Identifier>,
}

/// What the admin lacks to run the operations.
pub(super) fn lacking(
    prior: Option<&Desired>,
    desired: &Desired,
    now: &Observed,
    operations: &[Operation],
    covered: &[&Identifier],
    at_apply: bool,
) -> Lacking {
    let (mut out_of_reach, mut through_others) = (BTreeMap::new(), BTreeMap::new());
    let mut sides = Sides { refused: &mut out_of_reach, tolerated: &mut through_others, now };
    for operation in operations {
        match operation {
            Operation::GrantConnect { .. } if now.database.reach == Reach::None => {
                let role = now.role.as_ref();
                let anyway = role.map_or(now.database.is_open, |role| role.connect);
                if !role.is_some_and(|role| role.connect_granted) {
                    sides.of(&now.database.owner, anyway).connect = true;
                }
            }
            Operation::GrantUsage { schema, .. } => {
                let found = now.schemas.get(schema.as_str()).filter(|found| found.exists && !found.usage_granted);
                if let Some((found, owner)) = found.and_then(|found| Some((found, found.owner.as_ref()?)))
                    && found.reach == Reach::None
                {
                    sides.of(owner, found.usage).usage.insert(schema);
                }
            }
            _ => {}
        }
    }
    tables(prior, desired, now, &mut sides);
    for schema in covered {
        let Some(found) = now.schemas.get(schema.as_str()) else { continue };
        let wanted = found.effective_owners(desired.table_owners.as_deref());
        for (name, owner) in found.owners.iter().filter(|(name, _)| wanted.contains(*name)) {
            let is_added = |prior: &Desired| Identifier::new(name.clone()).is_ok_and(|name| adds_owner(prior, desired, &name));
            let is_asked_for = is_new(prior, schema) || prior.is_some_and(is_added);
            if owner.reach == Reach::None && is_asked_for && !owner.covered {
                sides.of(name, false).defaults.insert(schema);
            }
        }
    }
    let role = own_rights(now, operations, at_apply);
    let unmet = out_of_reach.into_iter().filter_map(|(owner, lacks)| cannot_grant(owner, &lacks, desired, &now.facts, at_apply));
    let warnings =
        through_others.into_iter().filter_map(|(owner, lacks)| only_through_others(owner, &lacks, desired, &now.facts));
    Lacking { unmet: role.into_iter().chain(unmet).collect(), warnings: warnings.collect() }
}

/// The privileges of each owner, by whether the role has them through others.
struct Sides<'m, 'a> {
    refused: &'m mut BTreeMap<&'a str, OfOwner<'a>>,
    tolerated: &'m mut BTreeMap<&'a str, OfOwner<'a>>,
    now: &'a Observed,
}

impl<'a> Sides<'_, 'a> {
    fn of(&mut self, owner: &'a str, anyway: bool) -> &mut OfOwner<'a> {
        let owner = if owner == DATABASE_OWNER { self.now.database.owner.as_str() } else { owner };
        if anyway { self.tolerated.entry(owner).or_default() } else { self.refused.entry(owner).or_default() }
    }
}

/// Tables that a configuration adds, by themselves or with their schema.
fn tables<'a>(prior: Option<&Desired>, desired: &'a Desired, now: &'a Observed, sides: &mut Sides<'_, 'a>) {
    let of_schemas = now.closer.ungranted.iter().filter(|found| found.reach == Reach::None && is_new(prior, &found.table.schema));
    for found in of_schemas {
        sides.of(&found.owner, found.readable).select.insert(&found.table);
    }
    for table in desired.single_tables().filter(|table| prior.is_none_or(|prior| !prior.tables.contains(table))) {
        if let Some(found) = now.tables.get(&table.name()).filter(|found| found.exists && !found.granted)
            && let (Reach::None, Some(owner)) = (found.reach, &found.owner)
        {
            sides.of(owner, found.select).select.insert(table);
        }
    }
}

/// Whether a configuration adds a schema.
pub(super) fn is_new(prior: Option<&Desired>, schema: &Identifier) -> bool {
    prior.is_none_or(|prior| !prior.schemas.contains(schema))
}

/// What the admin lacks to create a role, and to let it replicate.
fn own_rights(now: &Observed, operations: &[Operation], at_apply: bool) -> Option<Diagnostic> {
    let admin = Identifier::new(now.facts.current_user.clone()).ok()?;
    let creates = operations.iter().any(|operation| matches!(operation, Operation::CreateRole { .. }));
    let replicates = operations.iter().any(Operation::allows_replication);
    let no_replication = replicates && now.admin.replication == Reach::None;
    let version = now.facts.version;
    let mut statements = Vec::new();
    if creates && !now.admin.creates_roles {
        statements.push(format!("ALTER ROLE {admin} CREATEROLE;"));
    }
    if no_replication && now.facts.flavour == Flavour::Rds {
        statements.push(format!("GRANT \"rds_replication\" TO {admin} WITH ADMIN OPTION;"));
    }
    let mut remedy = format!("Let an administrator run:\n\n{}", statements.join("\n"));
    if no_replication && now.facts.flavour == Flavour::Plain {
        if version.has(MEMBERSHIP_OPTIONS) {
            let creates = if now.admin.creates_roles { "" } else { " CREATEROLE" };
            remedy = format!(
                "Let a superuser run the following, which takes effect for the role if {admin} has ADMIN OPTION on it:\n\n\
                 ALTER ROLE {admin}{creates} REPLICATION;"
            );
        } else {
            remedy = format!(
                "Before version 16 only a superuser can let a role replicate: let the provider work as one, or a superuser \
                              run:\n\nALTER ROLE {admin} SUPERUSER;"
            );
        }
    } else if statements.is_empty() {
        return None;
    }
    let what = match (creates && !now.admin.creates_roles, no_replication) {
        (true, true) => "create a role, nor let one replicate",
        (true, false) => "create a role",
        _ => "let a role replicate",
    };
    let outcome = outcome(at_apply);
    let needs = if now.facts.flavour == Flavour::Rds {
        format!(" It needs CREATEROLE and ADMIN OPTION on rds_replication, which a member of {SUPERUSER_OF_RDS} has.")
    } else {
        String::new()
    };
    let detail = format!("The provider works as {admin}, which may not {what}.{needs} {outcome} {remedy}");
    Some(Diagnostic::error("Missing privilege", detail))
}

fn outcome(at_apply: bool) -> &'static str {
    if at_apply { "Nothing was changed." } else { "Applying this plan would fail." }
}

impl OfOwner<'_> {
    /// What lets the admin grant it.
    fn statements(&self, desired: &Desired, admin: &Identifier) -> Vec<String> {
        let role = || admin.clone();
        let connect = self.connect.then(|| Operation::GrantConnect { database: desired.database.clone(), role: role() });
        let usage = self.usage.iter().map(|schema| Operation::GrantUsage { schema: (*schema).clone(), role: role() });
        let select = self.select.iter().take(NAMED_AT_MOST);
        let select = select.map(|table| Operation::GrantSelect { table: (*table).clone(), role: role() });
        let grants = connect.into_iter().chain(usage).chain(select);
        let mut statements: Vec<String> = grants.map(|grant| statement::with_grant_option(&grant)).collect();
        if self.select.len() > NAMED_AT_MOST {
            statements.push(format!("-- and {} more tables", self.select.len() - NAMED_AT_MOST));
        }
        statements
    }

    /// The same in words.
    fn words(&self, desired: &Desired) -> String {
        let names = |names: &BTreeSet<&Identifier>| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let connect = self.connect.then(|| format!("CONNECT on database {}", desired.database));
        let usage = (!self.usage.is_empty()).then(|| format!("USAGE on schema {}", names(&self.usage)));
        let shown = self.select.iter().take(NAMED_AT_MOST).map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let more = if self.select.len() > NAMED_AT_MOST { " and others" } else { "" };
        let select = (!self.select.is_empty()).then(|| format!("SELECT on the tables {shown}{more}"));
        let later = || format!("SELECT on the tables that are created later in schema {}", names(&self.defaults));
        let defaults = (!self.defaults.is_empty()).then(later);
        [connect, usage, select, defaults].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

fn cannot_grant(owner: &str, lacks: &OfOwner<'_>, desired: &Desired, facts: &Facts, at_apply: bool) -> Option<Diagnostic> {
    let (admin, name) = (Identifier::new(facts.current_user.clone()).ok()?, Identifier::new(owner).ok()?);
    let statements = lacks.statements(desired, &admin);
    let grants = (!statements.is_empty()).then(|| format!("let {name}, or a superuser, run:\n\n{}", statements.join("\n")));
    let joins = format!("let an administrator make {admin} a member of {name}:\n\n{}", join(&name, &admin, facts.version));
    let ways: Vec<String> = grants.into_iter().chain((owner != RDS_ADMIN).then_some(joins)).collect();
    let ways = match &ways[..] {
        [one] => format!("To go on, {one}"),
        both => format!("Either {}", both.join("\n\nor ")),
    };
    let later = match lacks.defaults.is_empty() {
        true => String::new(),
        false => format!(
            "\n\nOnly {name}, and members, can make the tables readable that {name} creates later. To do without, set table_owners, \
             and leave {name} out of it."
        ),
    };
    let detail = format!(
        "The provider works as {admin}, which cannot grant {}: it may not act for {name}, to whom this belongs, and does not have the \
         privileges WITH GRANT OPTION. {} {ways}{later}",
        lacks.words(desired),
        outcome(at_apply),
    );
    Some(Diagnostic::error(format!("Privileges out of reach ({owner})"), detail))
}

/// What the role has as everybody has it, or as a member of a role.
fn only_through_others(owner: &str, lacks: &OfOwner<'_>, desired: &Desired, facts: &Facts) -> Option<Diagnostic> {
    let (admin, name) = (Identifier::new(facts.current_user.clone()).ok()?, Identifier::new(owner).ok()?);
    let detail = format!(
        "{} has {} only through PUBLIC or a membership: the provider works as {admin}, which cannot grant it, so this is not granted to \
         the role itself. A pipe stops when PUBLIC loses it. To have it granted, let {name}, or a superuser, run the following before \
         the role is created:\n\n{}",
        desired.name,
        lacks.words(desired),
        lacks.statements(desired, &admin).join("\n"),
    );
    Some(Diagnostic::warning(format!("Privileges through PUBLIC only ({owner})"), detail))
}
