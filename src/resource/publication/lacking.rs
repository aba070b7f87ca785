//! What the provider's role lacks for the operations of a change: named before anything runs, with who must run what. Pure.

use super::desired::{Desired, Scope};
use super::observed::Observed;
use super::operation::Operation;
use super::statement;
use crate::catalogue::admin::{SUPERUSER_OF_RDS, join};
use crate::catalogue::publication_right::Rights;
use crate::catalogue::reach::Reach;
use crate::postgres::{Identifier, ServerVersion};
use crate::printable::printable_line;
use crate::terraform::{AttributePath, Diagnostic, Diagnostics};

/// Who wants to change what.
struct Lacking<'a> {
    arguments: &'a Desired,
    rights: &'a Rights,
    admin: &'a Identifier,
    version: ServerVersion,
    /// The owner of the publication that is altered or dropped.
    owner: Option<&'a Identifier>,
}

/// What is lacking. `arguments` are those asked for, or those of what is destroyed.
pub(super) fn lacking(arguments: &Desired, now: &Observed, operations: &[Operation]) -> Diagnostics {
    let (Some(rights), Some(admin), Some(version)) = (&now.rights, &now.admin, now.version) else { return Diagnostics::new() };
    let altered = now.publication.as_ref().filter(|_| operations.iter().any(|operation| !operation.is_of_a_new_one()));
    let owner = altered.and_then(|found| found.current.owner.as_ref());
    Lacking { arguments, rights, admin, version, owner }.of(operations)
}

impl Lacking<'_> {
    fn of(&self, operations: &[Operation]) -> Diagnostics {
        let mut lacking = Diagnostics::new();
        if let (Some(owner), Some(Reach::None)) = (self.owner, self.rights.reach) {
            lacking.push(self.another_owner(owner));
        }
        let creates = operations.iter().any(|operation| matches!(operation, Operation::Create { .. }));
        if creates && !self.rights.creates {
            lacking.push(self.no_create());
        }
        let attribute = operations.iter().find_map(wide).filter(|_| !self.rights.publishes_all);
        lacking.extend(attribute.map(|attribute| self.no_superuser(attribute)));
        let owner = operations.iter().find_map(|operation| match operation {
            Operation::ChangeOwner { owner, is_new, .. } => Some((owner, *is_new)),
            _ => None,
        });
        lacking.extend(owner.and_then(|(owner, is_new)| self.successor(owner, is_new)));
        lacking
    }

    fn another_owner(&self, owner: &Identifier) -> Diagnostic {
        let Self { arguments, admin, .. } = self;
        let joins = join(owner, admin, self.version);
        let superuser = match self.rights.is_rds {
            true => String::new(),
            false => format!(
                "\n\nor let a superuser make the provider's role the owner:\n\n{};",
                statement::change_owner(&arguments.name, admin)
            ),
        };
        let detail = format!(
            "Only the owner of a publication can alter or drop it. Publication {} belongs to {owner}, but the provider works as {admin}, \
             which may not act for that role. Let an administrator who may grant it run:\n\n{joins}{superuser}",
            arguments.name
        );
        Diagnostic::error(format!("Not the owner of the publication ({})", shown(owner)), detail).at(AttributePath::of("name"))
    }

    fn no_create(&self) -> Diagnostic {
        let Self { arguments, admin, rights, .. } = self;
        let detail = format!(
            "The provider works as {admin}, which may not create publications in database {}: that needs CREATE on it. Let its owner \
             {:?}, or a superuser, run:\n\n{}",
            arguments.database,
            rights.database_owner,
            statement::grant_create(&arguments.database, admin)
        );
        Diagnostic::error("Missing privilege", detail).at(AttributePath::of("database"))
    }

    fn no_superuser(&self, attribute: &str) -> Diagnostic {
        // Whoever alters it.
        let role = self.owner.filter(|_| self.rights.acts_as_owner()).unwrap_or(self.admin);
        let (needed, remedy) = match self.rights.is_rds {
            true => (
                format!("a member of {SUPERUSER_OF_RDS}"),
                format!("Let an administrator run:\n\nGRANT \"{SUPERUSER_OF_RDS}\" TO {role};"),
            ),
            false => (
                "a superuser".to_owned(),
                format!("Let the provider work as one, or let a superuser run:\n\nALTER ROLE {role} SUPERUSER;"),
            ),
        };
        let detail = format!(
            "Only {needed} can publish all tables or whole schemas, which the provider would do as {role}. To do without, list the tables. \
             {remedy}"
        );
        Diagnostic::error("Missing privilege", detail).at(AttributePath::of(attribute))
    }

    /// Why the publication cannot be given to this role.
    fn successor(&self, owner: &Identifier, is_new: bool) -> Option<Diagnostic> {
        let (arguments, successor) = (self.arguments, &self.rights.successor);
        let giver = self.owner.filter(|_| self.rights.acts_as_owner() && !is_new).unwrap_or(self.admin);
        let is_wide = match &arguments.scope {
            Scope::AllTables => true,
            Scope::Listed { schemas, .. } => !schemas.is_empty(),
        };
        let (summary, detail) = if !successor.exists {
            (
                "Owner not found",
                format!("There is no role {owner}. Create it first, or correct the name, which is compared exactly."),
            )
        } else if !successor.is_reached {
            let joins = join(owner, giver, self.version);
            let detail = format!(
                "{giver} cannot give publication {} to {owner}, because it may not act for that role. Let an administrator who may grant it \
                 run:\n\n{joins}",
                arguments.name
            );
            ("Owner out of reach", detail)
        } else if !successor.creates {
            let detail = format!(
                "The owner of a publication needs CREATE on its database, which {owner} lacks. Let the owner of the database, {:?}, or a \
                 superuser run:\n\n{}",
                self.rights.database_owner,
                statement::grant_create(&arguments.database, owner)
            );
            ("Owner lacks a privilege", detail)
        } else if is_wide && !successor.publishes_all {
            let detail = format!(
                "Only a superuser can own a publication of all tables or whole schemas, and {owner} is none. Let another role own it, or list \
                 the tables."
            );
            ("Owner lacks a privilege", detail)
        } else {
            return None;
        };
        Some(Diagnostic::error(format!("{summary} ({})", shown(owner)), detail).at(AttributePath::of("owner")))
    }
}

/// The argument that publishes all tables or whole schemas, if an operation does.
fn wide(operation: &Operation) -> Option<&'static str> {
    match operation {
        Operation::Create { scope: Scope::AllTables, .. } => Some("all_tables"),
        Operation::Create { scope: Scope::Listed { schemas, .. }, .. } if !schemas.is_empty() => Some("schemas"),
        Operation::AddSchemas { .. } => Some("schemas"),
        _ => None,
    }
}

fn shown(role: &Identifier) -> String {
    printable_line(role.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{current, listed, name, observed, wanted};
    use super::*;
    use crate::catalogue::publication_right::Successor;

    fn rights(reach: Option<Reach>) -> Rights {
        Rights {
            reach,
            is_rds: false,
            database_owner: "boss".to_owned(),
            creates: true,
            publishes_all: true,
            successor: Successor { exists: true, is_reached: true, creates: true, publishes_all: true },
        }
    }

    #[track_caller]
    fn check(rights: Rights, operation: Operation, expected: &[&str]) {
        let mut now = observed(current(&["a.b"]));
        now.publication.as_mut().unwrap().current.owner = Some(name("other"));
        now.admin = Some(name("tf"));
        now.rights = Some(rights);
        let found = lacking(&wanted("p", listed(&["a.b"])), &now, &[operation]);
        let found: Vec<String> = found.iter().map(|finding| format!("{} {}", finding.summary, finding.detail)).collect();
        let says = |(found, expected): (&String, &&str)| expected.split('|').all(|part| found.contains(part));
        assert!(found.len() == expected.len() && found.iter().zip(expected).all(says), "{found:#?}");
    }

    fn create(scope: Scope) -> Operation {
        let publish = super::super::desired::Publish::ALL;
        Operation::Create { name: name("p"), scope, restrictions: Vec::new(), publish, via_root: None, generated: None }
    }

    #[test]
    fn the_owner_counts_for_what_exists_and_create_on_the_database_for_what_is_new() {
        let drop = || Operation::Drop { name: name("p") };
        let own = "Not the owner of the publication (other)|belongs to \"other\"|GRANT \"other\" TO \"tf\";|OWNER TO \"tf\";";
        check(rights(Some(Reach::None)), drop(), &[own]);
        check(rights(Some(Reach::SetRole)), drop(), &[]);
        check(rights(Some(Reach::None)), create(listed(&[])), &[]);
        let no_create = Rights { creates: false, ..rights(None) };
        check(no_create, create(listed(&[])), &["Missing privilege|GRANT CREATE ON DATABASE \"app\" TO \"tf\";"]);
    }

    #[test]
    fn all_tables_and_schemas_need_a_superuser_of_the_kind_that_the_server_has() {
        let narrow = |is_rds| Rights { publishes_all: false, is_rds, ..rights(None) };
        check(narrow(false), create(Scope::AllTables), &["Missing privilege|ALTER ROLE \"tf\" SUPERUSER;"]);
        check(narrow(true), create(Scope::AllTables), &["Missing privilege|GRANT \"rds_superuser\" TO \"tf\";"]);
        check(narrow(true), create(listed(&["a.b"])), &[]);
    }

    #[test]
    fn who_is_to_own_it_must_exist_be_in_reach_and_may_create() {
        let change = || Operation::ChangeOwner { name: name("p"), owner: name("app"), is_new: false };
        let lacks = |successor: fn(&mut Successor), reach| {
            let mut rights = rights(Some(reach));
            successor(&mut rights.successor);
            rights
        };
        check(lacks(|_| {}, Reach::Inherited), change(), &[]);
        check(lacks(|role| role.exists = false, Reach::Inherited), change(), &["Owner not found (app)"]);
        let out_of_reach = "Owner out of reach (app)|GRANT \"app\" TO ";
        check(lacks(|role| role.is_reached = false, Reach::Inherited), change(), &[&format!("{out_of_reach}\"tf\";")]);
        check(lacks(|role| role.is_reached = false, Reach::SetRole), change(), &[&format!("{out_of_reach}\"other\";")]);
        let privilege = "Owner lacks a privilege (app)|GRANT CREATE ON DATABASE \"app\" TO \"app\";";
        check(lacks(|role| role.creates = false, Reach::Inherited), change(), &[privilege]);
    }
}
