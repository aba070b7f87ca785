//! Runs the planned operations: one transaction, all or nothing.

use std::time::Duration;

use super::catalogue::{self, Observed};
use super::check::{Change, check, destroy_refusal};
use super::diff::{self, remaining};
use super::model::Desired;
use super::plan::{create_defaults, shown};
use super::private::Private;
use super::statement::Operation;
use super::{Publication, state};
use crate::failure::{Attempt, Failure};
use crate::postgres::retry::{transient, until_done};
use crate::postgres::{Error, Notice, Server, ServerVersion};
use crate::provider::Context;
use crate::resource::{ApplyRequest, Existing, Saved, Timeouts};
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

pub(super) async fn apply(
    context: &Context,
    request: &ApplyRequest<'_, Publication>,
    saved: &Saved<Publication>,
) -> Result<Diagnostics, Failure> {
    let server = context.postgres().await?;
    let database = request.planned.database.known_or(String::new());
    let facts = server.facts(&database, context.cancel()).await?;
    let mut planned = request.planned.clone();
    if request.prior.is_none() {
        create_defaults(&mut planned, Some(facts.version));
    }
    let desired = Desired::decode(&planned)?.ok_or(Failure::ConfigurationUnknown)?;
    let current = request.prior.and_then(super::plan::current);
    let operations = match &current {
        Some(current) => diff::update(current, &desired),
        None => diff::create(&desired),
    };
    if let Attr::Known(reviewed) = &request.planned.operations
        && *reviewed != shown(&operations)
    {
        let detail = "What would run now is not what was planned. Nothing was changed; plan again.";
        return Err(Diagnostic::error("The plan is stale", detail).at(AttributePath::of("operations")).into());
    }
    let exposed = request.prior.map(|prior| prior.model.tables_without_replica_identity.known_or(Vec::new()));
    let change =
        Change { model: &planned, desired: &desired, current: current.as_ref(), exposed: exposed.as_deref().unwrap_or_default() };
    let timeout = match request.prior {
        None => Timeouts::create(&planned.timeouts, DEFAULT_TIMEOUT),
        Some(_) => Timeouts::update(&planned.timeouts, DEFAULT_TIMEOUT),
    };
    let run = Run { context, server, database: &database, version: facts.version, timeout };
    let oid = request.prior.and_then(|prior| prior.model.catalogue_oid());
    let attempt = || run.change(&change, oid, operations.clone());
    let (observed, warnings) = match transient(context.cancel(), attempt).await {
        Err(Attempt::Postgres(error)) if error.is_uncertain() => run.look_again(error, &desired).await?,
        done => done?,
    };
    let applied = Desired::decode(request.config)?.map(|configured| configured.fingerprint());
    let private = Private { applied, ..Private::of(facts.version, &observed) };
    saved.save(Existing { model: state::model(&planned, &observed), private });
    Ok(warnings)
}

pub(super) async fn destroy(context: &Context, prior: &Existing<Publication>) -> Result<Diagnostics, Failure> {
    let server = context.postgres().await?;
    let database = prior.model.database.known_or(String::new());
    let version = match server.facts(&database, context.cancel()).await {
        Ok(facts) => facts.version,
        Err(error) if error.is_database_missing() => return Ok(Diagnostics::new()),
        Err(error) => return Err(error.into()),
    };
    let timeout = Timeouts::delete(&prior.model.timeouts, DEFAULT_TIMEOUT);
    let run = Run { context, server, database: &database, version, timeout };
    Ok(until_done(context.cancel(), || run.destroy(prior)).await?)
}

/// One change of one database.
struct Run<'a> {
    context: &'a Context,
    server: &'a Server,
    database: &'a str,
    version: ServerVersion,
    timeout: Duration,
}

impl Run<'_> {
    async fn change(
        &self,
        change: &Change<'_>,
        oid: Option<u32>,
        operations: Vec<Operation>,
    ) -> Result<(Observed, Diagnostics), Attempt> {
        let transaction = self.server.write(self.database, self.timeout, self.context.cancel()).await?;
        let name = change.current.map_or(&change.desired.name, |current| &current.name);
        let lookup = catalogue::look_up(transaction.reader(), self.version, name.as_str(), oid, &change.desired.scope).await?;
        let mut findings = check(change, &lookup);
        findings.refusals.extend(findings.unmet);
        findings.refusals.into_result()?;
        let mut warnings = Diagnostics::new();
        let now = lookup.existing.as_ref().map(|existing| &existing.current).filter(|_| change.current.is_some());
        for operation in operations {
            let planned = operation.statement();
            let (operation, skipped) = remaining(operation, now);
            if !skipped.is_empty() {
                let detail = format!("Already so, therefore not run again: {planned} (for {}).", skipped.join(", "));
                warnings.push(Diagnostic::warning("Planned operation skipped", detail));
            }
            if let Some(operation) = operation {
                transaction.execute(&operation.statement()).await?;
            }
        }
        let found = catalogue::find(transaction.reader(), self.version, change.desired.name.as_str(), None).await?;
        let observed = found.ok_or_else(|| {
            let detail = format!("Publication {} is not there after the change.", change.desired.name);
            Diagnostic::error("Publication not found", detail)
        })?;
        warnings.extend(transaction.commit().await?.into_iter().map(notice));
        Ok((observed, warnings))
    }

    /// After a COMMIT without an answer: what is wanted is there, or the error stands.
    async fn look_again(&self, error: Error, desired: &Desired) -> Result<(Observed, Diagnostics), Error> {
        let look = || async {
            let transaction = self.server.read(self.database, self.context.cancel()).await?;
            catalogue::find(&transaction, self.version, desired.name.as_str(), None).await
        };
        match transient(self.context.cancel(), look).await {
            Ok(Some(observed)) if diff::update(&observed.current, desired).is_empty() => Ok((observed, Diagnostics::new())),
            _ => Err(error),
        }
    }

    async fn destroy(&self, prior: &Existing<Publication>) -> Result<Diagnostics, Attempt> {
        let transaction = self.server.write(self.database, self.timeout, self.context.cancel()).await?;
        let name = prior.model.name.known_or(String::new());
        let Some(observed) = catalogue::find(transaction.reader(), self.version, &name, prior.model.catalogue_oid()).await?
        else {
            return Ok(Diagnostics::new());
        };
        let slots = catalogue::active_slots(transaction.reader()).await?;
        if let Some(refusal) = destroy_refusal(&prior.model, &slots) {
            return Err(refusal.into());
        }
        transaction.execute(&Operation::Drop { name: observed.current.name }.statement()).await?;
        Ok(transaction.commit().await?.into_iter().map(notice).collect())
    }
}

/// What the server remarked, for instance that `wal_level` is not logical yet.
fn notice(notice: Notice) -> Diagnostic {
    let rest = [notice.detail, notice.hint].into_iter().flatten();
    let detail = rest.fold(format!("{}.", notice.message), |text, more| format!("{text} {more}"));
    Diagnostic::warning("The database server remarks", detail)
}
