//! Runs what was planned, in one transaction: all of it or nothing.

pub(crate) mod destroy;

use std::time::Duration;

use crate::failure::{Attempt, Failure};
use crate::postgres::retry::transient;
use crate::postgres::{self, Cause, Facts, Identifier, Notice, Reader, Server, Transaction, scram};
use crate::provider::Context;
use crate::resource::replication_user::model::Desired;
use crate::resource::replication_user::needed::{Step, Tables, runs, steps};
use crate::resource::replication_user::observe::{self, Key, Scope};
use crate::resource::replication_user::observed::{Observed, OwnedTable};
use crate::resource::replication_user::operation::Operation;
use crate::resource::replication_user::{ReplicationUser, diff, message, state, statement};
use crate::resource::{ApplyRequest, Existing, Saved, Timeouts};
use crate::secret::Secret;
use crate::terraform::{Diagnostic, Diagnostics};

pub(crate) const TIMEOUT: Duration = Duration::from_secs(600);
/// The server's word that it granted nothing; what is still missing is found out and said in full.
const PRIVILEGE_NOT_GRANTED: &str = "01007";

/// What an attempt that failed for good is to the practitioner.
pub(crate) fn failure(attempt: Attempt, facts: &Facts) -> Failure {
    match attempt {
        Attempt::Postgres(error) if error.cause() == Some(Cause::InsufficientPrivilege) => {
            message::insufficient_privilege(&error, &facts.current_user).into()
        }
        other => other.into(),
    }
}

/// What an attempt works from.
struct Work<'a> {
    server: &'a Server,
    context: &'a Context,
    facts: &'a Facts,
    timeout: Duration,
    prior: Option<&'a Existing<ReplicationUser>>,
    before: Option<Desired>,
    desired: Desired,
    planned: Option<&'a [Operation]>,
    adopt: bool,
    verifier: Option<Secret>,
}

/// Creates or updates a role.
pub(crate) async fn apply(
    context: &Context,
    request: &ApplyRequest<'_, ReplicationUser>,
    saved: &Saved<ReplicationUser>,
) -> Result<Diagnostics, Failure> {
    let Some(desired) = Desired::decode(request.config)? else { return Err(Failure::ConfigurationUnknown) };
    let before = match request.prior {
        Some(prior) => Desired::decode(&prior.model)?,
        None => None,
    };
    let server = context.postgres().await?;
    let facts = server.facts(desired.database.as_str(), context.cancel()).await?;
    let limit = if request.prior.is_some() { Timeouts::update } else { Timeouts::create };
    let work = Work {
        server,
        context,
        facts: &facts,
        timeout: limit(&request.config.timeouts, TIMEOUT),
        prior: request.prior,
        before,
        desired,
        planned: request.planned_private.operations.as_deref(),
        adopt: request.config.adopt_existing.known_or(false),
        verifier: request.config.password_wo.known().map(scram::verifier),
    };
    let done = match transient(context.cancel(), || attempt(&work)).await {
        Err(Attempt::Postgres(error)) if error.is_uncertain() => look_again(&work, error).await.map_err(Attempt::from),
        done => done,
    };
    let Done { observed, notices, mut diagnostics } = done.map_err(|stopped| failure(stopped, &facts))?;
    diagnostics.extend(notices.iter().filter_map(remark));
    saved.save(state::existing(request.planned, &work.desired, observed));
    Ok(diagnostics)
}

/// What an attempt leaves.
struct Done {
    observed: Observed,
    notices: Vec<Notice>,
    diagnostics: Diagnostics,
}

/// After a COMMIT without an answer: what is wanted is there, or the error stands. Whether a new password of an existing role was set
/// cannot be seen, so that stays an error: the next plan sets it again.
async fn look_again(work: &Work<'_>, error: postgres::Error) -> Result<Done, postgres::Error> {
    let Work { server, context, facts, desired, .. } = work;
    let invisible = |operation: &Operation| matches!(operation, Operation::SetPassword { .. } | Operation::AdoptRole { .. });
    if work.planned.into_iter().flatten().any(invisible) {
        return Err(error);
    }
    let scope = Scope::of(work.before.iter().chain([desired]));
    let look = || async {
        let transaction = server.read(desired.database.as_str(), context.cancel()).await?;
        observe::observe(&transaction, facts, Key::Name(desired.name.as_str()), &scope).await
    };
    match transient(context.cancel(), look).await {
        Ok(observed) if observed.role.is_some() && diff::drift(desired, &observed).is_empty() => {
            Ok(Done { observed, notices: Vec::new(), diagnostics: Diagnostics::new() })
        }
        _ => Err(error),
    }
}

async fn attempt(work: &Work<'_>) -> Result<Done, Attempt> {
    let Work { desired, facts, .. } = work;
    let transaction = work.server.write(desired.database.as_str(), work.timeout, work.context.cancel()).await?;
    let scope = Scope::of(work.before.iter().chain([desired]));
    let key = match work.prior.and_then(|prior| prior.model.oid.known()) {
        Some(oid) => Key::Oid(u32::try_from(*oid).unwrap_or_default()),
        None => Key::Name(desired.name.as_str()),
    };
    let observed = observe::observe(transaction.reader(), facts, key, &scope).await?;
    let operations = operations(work, &observed);
    let role = observed.role.as_ref().map_or(0, |role| role.oid);
    if matches!(operations.first(), Some(Operation::AdoptRole { .. })) {
        let elsewhere = observe::holdings::databases(transaction.reader(), role).await?;
        if !elsewhere.is_empty() {
            return Err(Diagnostics::from(message::used_elsewhere(desired, &elsewhere)).into());
        }
    }
    let steps = steps(&operations, &observed);
    let whole = whole_schemas(&steps);
    let tables = tables(transaction.reader(), work, role, &steps).await?;
    refuse(work, &operations, &observed, &tables.unreadable)?;
    let mut diagnostics = Diagnostics::new();
    for step in &steps {
        match step {
            Step::Skip(operation) => diagnostics.push(message::skipped(operation)),
            Step::Run(operation) => {
                for run in runs(operation, &observed, &tables) {
                    let sql = statement::statement(&run.operation, work.verifier.as_ref());
                    execute(&transaction, run.as_owner.as_ref(), &sql).await?;
                }
            }
        }
    }
    let after = observe::observe(transaction.reader(), facts, Key::Name(desired.name.as_str()), &scope).await?;
    let role = after.role.as_ref().map_or(0, |role| role.oid);
    let unreadable = observe::unreadable(transaction.reader(), facts, role, &whole, desired.include_views).await?;
    verify(desired, &operations, &after, &unreadable)?;
    let notices = transaction.commit().await?;
    Ok(Done { observed: after, notices, diagnostics })
}

/// Runs a statement, as an owner where that is needed.
pub(crate) async fn execute(
    transaction: &Transaction,
    as_owner: Option<&Identifier>,
    sql: &postgres::Statement,
) -> Result<(), postgres::Error> {
    if let Some(owner) = as_owner {
        transaction.execute(&statement::as_owner(owner)).await?;
    }
    transaction.execute(sql).await?;
    if as_owner.is_some() {
        transaction.execute(&statement::as_self()).await?;
    }
    Ok(())
}

/// The planned operations; decided now where the plan could not know them.
fn operations(work: &Work<'_>, observed: &Observed) -> Vec<Operation> {
    if let Some(planned) = work.planned {
        return planned.to_vec();
    }
    match &work.before {
        Some(before) => diff::update(before, &work.desired, Some(observed)),
        None => {
            let adopted = observed.role.as_ref().filter(|_| work.adopt);
            diff::create(&work.desired, work.facts.flavour, adopted)
        }
    }
}

/// What has to be known of tables before operations on whole schemas run.
async fn tables(transaction: &Reader, work: &Work<'_>, role: u32, steps: &[Step]) -> Result<Tables, postgres::Error> {
    let granted = whole_schemas(steps);
    let revoked: Vec<&Identifier> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Run(Operation::RevokeSelectOnAll { schema, .. }) => Some(schema),
            _ => None,
        })
        .collect();
    let both = [granted.clone(), revoked].concat();
    if both.is_empty() {
        return Ok(Tables::default());
    }
    let closed = observe::closed_schemas(transaction, &both).await?;
    // Only where a statement for the whole schema would fail are its tables dealt with one by one.
    let one_by_one: Vec<&Identifier> = both.into_iter().filter(|schema| closed.contains(schema.as_str())).collect();
    Ok(Tables {
        unreadable: observe::unreadable(transaction, work.facts, role, &granted, work.desired.include_views).await?,
        readable: observe::readable(transaction, work.facts, role, &one_by_one).await?,
        closed,
    })
}

/// The schemas of which every table is about to be granted.
fn whole_schemas(steps: &[Step]) -> Vec<&Identifier> {
    let whole = steps.iter().filter_map(|step| match step {
        Step::Run(Operation::GrantSelectOnAll { schema, .. }) => Some(schema),
        _ => None,
    });
    whole.collect()
}

/// Ends an apply that cannot succeed before it changes anything.
fn refuse(work: &Work<'_>, operations: &[Operation], observed: &Observed, unreadable: &[OwnedTable]) -> Result<(), Diagnostics> {
    let Work { desired, before, .. } = work;
    let mut refusals = Diagnostics::new();
    match (operations.first(), &observed.role) {
        (Some(Operation::CreateRole { .. }), Some(existing)) => {
            refusals.push(message::already_exists(desired, existing, true));
        }
        (Some(Operation::CreateRole { .. }), None) => {}
        (_, None) => refusals.push(message::role_gone(&desired.name)),
        _ => {}
    }
    refusals.extend(message::missing(before.as_ref(), desired, observed, true));
    let granted: Vec<&Identifier> = desired
        .schemas
        .iter()
        .filter(|schema| {
            operations
                .iter()
                .any(|operation| matches!(operation, Operation::GrantDefaults { schema: granted, .. } if granted == *schema))
        })
        .collect();
    refusals.extend(message::out_of_reach(&granted, desired, observed, unreadable, true));
    refusals.into_result().map(|_| ())
}

/// The server skips what the admin may not grant without an error: whatever was granted is looked for.
fn verify(desired: &Desired, operations: &[Operation], after: &Observed, unreadable: &[OwnedTable]) -> Result<(), Diagnostics> {
    let mut faults = Diagnostics::new();
    let mut fault = |what: String, operation: &Operation| {
        faults.push(message::not_granted(&what, &statement::display(operation)));
    };
    let role = &desired.name;
    for table in unreadable {
        let grant = Operation::GrantSelect { table: table.table.clone(), role: role.clone() };
        fault(format!("{role} still cannot read {}, which belongs to {:?}", table.table, table.owner), &grant);
    }
    for operation in operations {
        match operation {
            Operation::GrantConnect { database, .. } if !after.role.as_ref().is_some_and(|role| role.connect) => {
                fault(format!("{role} still cannot connect to database {database}"), operation);
            }
            Operation::GrantUsage { schema, .. }
                if after.schemas.get(schema.as_str()).is_some_and(|found| found.exists && !found.usage) =>
            {
                fault(format!("{role} still cannot use schema {schema}"), operation);
            }
            Operation::GrantSelect { table, .. }
                if after.tables.get(&table.name()).is_some_and(|found| found.exists && !found.select) =>
            {
                fault(format!("{role} still cannot read {table}"), operation);
            }
            _ => {}
        }
    }
    faults.into_result().map(|_| ())
}

/// A warning of the server, for the practitioner.
pub(crate) fn remark(notice: &Notice) -> Option<Diagnostic> {
    let relevant = notice.sqlstate.as_str().starts_with("01") && notice.sqlstate.as_str() != PRIVILEGE_NOT_GRANTED;
    relevant.then(|| {
        let hint = notice.hint.as_deref().map(|hint| format!("\nHint: {hint}")).unwrap_or_default();
        Diagnostic::warning("The database server remarks", format!("{}{hint}", notice.message))
    })
}
