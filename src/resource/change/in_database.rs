//! Resources that live in a database: looked at through one connection, changed in one transaction, all or nothing.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::cluster::{self, is_another};
use super::decide::Decision;
use super::free::until_free;
use super::managed::{Change, Done, Look, Managed, Stopped, Work};
use super::message;
use super::short_waits::ShortWaits;
use super::sighting::Sighting;
use super::terms::Purpose;
use super::trial::{Refused, Trial};
use crate::failure::{Attempt, Failure};
use crate::postgres::retry::{transient, until_done};
use crate::postgres::transaction::Transaction;
use crate::postgres::{Error, Facts, Identifier, Notice, Reader, Server, Statement};
use crate::printable::is_printable_line;
use crate::provider::Context;
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// What such a resource provides in addition.
pub(crate) trait InDatabase: Managed {
    /// Whether dropping the database removes the object. A role belongs to the whole server.
    const GOES_WITH_ITS_DATABASE: bool;

    /// How it waits for locks until the limit of a step; `None`: once, and not as long as that.
    const SHORT_WAITS: Option<ShortWaits> = None;

    /// What a look saw of it, and where.
    fn sighting(observed: &Self::Observed) -> Sighting<'_>;

    /// Its oid, unique for its kind on the server, as the state has it.
    fn oid(state: &Self::Model) -> Option<u32>;

    /// Its name, exactly as in the catalogue.
    fn name(arguments: &Self::Desired) -> Cow<'_, str>;

    /// Where it lives.
    fn database(arguments: &Self::Desired) -> &Identifier;

    /// The cluster that it lives in; `None`: the one in the provider block.
    fn cluster(arguments: &Self::Desired) -> Option<&str>;

    /// The same as an attribute.
    fn cluster_identifier(model: &Self::Model) -> &Attr<String>;

    /// Looks at what exists, even if that is nothing.
    fn observe(
        reader: &Reader,
        facts: &Facts,
        look: &Look<'_, Self>,
    ) -> impl Future<Output = Result<Self::Observed, Error>> + Send;

    /// Whether a look for a change depends on the operations.
    fn looks_closer(_: &[Self::Operation]) -> bool {
        false
    }

    /// The statements that do one operation.
    fn statements(work: &Work<'_, Self>, operation: &Self::Operation, now: &Self::Observed) -> Vec<Statement>;

    /// Makes sure that the operations had their effect: a server may skip a statement without an error. Returns warnings.
    ///
    /// # Errors
    /// What they did not do.
    fn verify(_: &Work<'_, Self>, _: &[Self::Operation], _: &Self::Observed) -> Result<Diagnostics, Diagnostics> {
        Ok(Diagnostics::new())
    }

    /// What the server said while the operations ran.
    fn notice(_: &Work<'_, Self>, _: &[Self::Operation], notice: Notice) -> Option<Diagnostic> {
        message::notice(notice)
    }

    /// Of the operations that are about to run, what may keep the provider's own login out of the server.
    fn trial(_: &Work<'_, Self>, _now: &Self::Observed, _run: &[Self::Operation]) -> Option<Trial<Self::Operation>> {
        None
    }

    /// What is said of a trial that was refused.
    fn refused(_: &Work<'_, Self>, _: &Refused<'_>) -> Diagnostics {
        Diagnostics::new()
    }

    /// Whether it can be seen afterwards that an operation has run.
    fn leaves_a_trace(_: &Self::Operation) -> bool {
        true
    }

    /// An attempt that finally failed, as a failure of the resource.
    fn failure(attempt: Attempt, _: &Facts) -> Failure {
        attempt.into()
    }
}

/// The server of an object, which was last seen where `recalled` says.
///
/// # Errors
/// [`Failure::Missing`] if its cluster was deleted.
pub(crate) async fn server<R: InDatabase>(
    context: &Context,
    arguments: &R::Desired,
    recalled: Option<&R::Observed>,
) -> Result<Server, Failure> {
    cluster::server(context, R::cluster(arguments), recalled.and_then(|recalled| R::sighting(recalled).site)).await
}

/// `cluster_identifier`, if it replaces the object.
pub(crate) fn replacements<R: InDatabase>(
    own_cluster: Option<&str>,
    proposed: &R::Model,
    prior: &R::Model,
    recalled: Option<&R::Observed>,
) -> Vec<AttributePath> {
    let seen = recalled.and_then(|recalled| R::sighting(recalled).site);
    let is_another = is_another(own_cluster, seen, R::cluster_identifier(prior), R::cluster_identifier(proposed));
    is_another.then(|| AttributePath::of("cluster_identifier")).into_iter().collect()
}

/// Looks at what exists.
pub(crate) async fn look<R: InDatabase>(context: &Context, look: &Look<'_, R>) -> Result<Option<R::Observed>, Failure> {
    // An update may name the cluster that the provider block named so far.
    let server = server::<R>(context, look.desired.unwrap_or(look.arguments), look.recalled).await?;
    let database = R::database(look.arguments).as_str();
    let facts = server.facts(database, context.cancel()).await?;
    let looking = || async {
        let reader = server.read(database, context.cancel()).await?;
        R::observe(&reader, &facts, look).await
    };
    let seen = transient(context.cancel(), looking).await?;
    if matches!(look.purpose, Purpose::Read { .. }) {
        // Terraform would print it as it is.
        let renamed = R::sighting(&seen).object.filter(|(_, name)| *name != R::name(look.arguments));
        if let Some((_, name)) = renamed.filter(|(_, name)| !is_printable_line(name)) {
            return Err(message::unprintable::<R>(look.arguments, name).into());
        }
    }
    Ok(Some(seen))
}

/// Changes or destroys the object, and retries transient failures. A COMMIT without an answer is not one: the result is looked up
/// instead. Only a destroy is retried then, because it is done if the object no longer exists.
pub(crate) async fn execute<R: InDatabase>(context: &Context, work: &Work<'_, R>) -> Result<Done<R>, Stopped<R>> {
    let ends = Instant::now() + work.limit;
    let server = match server::<R>(context, work.desired.unwrap_or(work.arguments), work.recalled.as_ref()).await {
        // It was deleted with its cluster.
        Err(Failure::Missing(_)) if work.destroys() => return Ok(Done::nothing()),
        server => server?,
    };
    let database = R::database(work.arguments).as_str();
    let facts = match server.facts(database, context.cancel()).await {
        Err(error) if is_gone::<R>(work, &error) => return Ok(Done::nothing()),
        facts => facts?,
    };
    let object = R::object(work.arguments);
    let turn = turn_of::<R>(&server, work.arguments);
    // A destroy may wait for what another change of the object brings about: it has its turn only while it tries.
    let _turn = if work.destroys() { None } else { Some(context.turn(&turn).await?) };
    let sent = Mutex::new(Vec::new());
    let once = || async {
        let _turn = if work.destroys() { Some(context.turn(&turn).await?) } else { None };
        attempt::<R>(context, &server, &facts, database, work, ends, &sent).await
    };
    let attempt = || async {
        match R::SHORT_WAITS {
            Some(waits) => waits.until_obtained(&object, ends, context.cancel(), once).await,
            None => once().await,
        }
    };
    let done = if work.destroys() {
        until_free(&object, work.patience, context.cancel(), || until_done(context.cancel(), &attempt)).await
    } else {
        match transient(context.cancel(), &attempt).await {
            Err(Attempt::Postgres(error)) if error.is_uncertain() => {
                look_again(context, &server, &facts, work, &sent, error).await.map_err(Attempt::from)
            }
            done => done,
        }
    };
    match done {
        Err(Attempt::Postgres(error)) if is_gone::<R>(work, &error) => Ok(Done::nothing()),
        Ok(done) => {
            let created = done.observed.as_ref().filter(|_| work.creates());
            created.into_iter().for_each(|created| take_up::<R>(context, &server, created));
            Ok(done)
        }
        done => done.map_err(|stopped| R::failure(stopped, &facts).into()),
    }
}

/// The key of the queue for changes to an object, whether or not its cluster is named.
pub(crate) fn turn_of<R: InDatabase>(server: &Server, arguments: &R::Desired) -> String {
    format!("{} {} on {}", R::NOUN, R::name(arguments), server.settings().address())
}

/// Remembers what a create of this run created or took over.
fn take_up<R: InDatabase>(context: &Context, server: &Server, created: &R::Observed) {
    if let Some(key) = key::<R>(server, created) {
        context.take_up(key);
    }
}

/// Whether a create of this run created or took over the object to destroy.
pub(crate) fn is_taken_up<R: InDatabase>(context: &Context, server: &Server, now: &R::Observed) -> bool {
    key::<R>(server, now).is_some_and(|key| context.is_taken_up(&key))
}

fn key<R: InDatabase>(server: &Server, observed: &R::Observed) -> Option<String> {
    R::sighting(observed).object.map(|(oid, _)| format!("{} {oid} on {}", R::TYPE_NAME, server.settings().address()))
}

/// Whether the object to destroy was dropped with its database.
fn is_gone<R: InDatabase>(work: &Work<'_, R>, error: &Error) -> bool {
    R::GOES_WITH_ITS_DATABASE && work.destroys() && error.is_database_missing()
}

async fn attempt<R: InDatabase>(
    context: &Context,
    server: &Server,
    facts: &Facts,
    database: &str,
    work: &Work<'_, R>,
    ends: Instant,
    sent: &Mutex<Vec<R::Operation>>,
) -> Result<Done<R>, Attempt> {
    // A destroy that waited for others has its last attempt after that.
    let left = ends.saturating_duration_since(Instant::now());
    let limit = if work.destroys() { work.limit } else { left };
    if limit.is_zero() {
        let awaited = "another attempt: the server's last answer said that this may succeed a moment later".to_owned();
        return Err(Error::Cancelled { awaited }.into());
    }
    let mut transaction = server.write(database, limit, context.cancel()).await?;
    if let Some(waits) = R::SHORT_WAITS {
        transaction = transaction.with_lock_timeout(waits.longest);
    }
    let reader = transaction.reader();
    let purpose = if work.destroys() { Purpose::Destroy } else { Purpose::Apply };
    let look = |operations| async move { R::observe(reader, facts, &work.look(purpose, operations)).await };
    let planned = work.planned.unwrap_or_default();
    let mut now = transaction.begin(look(planned)).await?;
    if let Some(gone) = work.recognise(&now)? {
        return Ok(Done::left(gone));
    }
    if work.destroys() && !R::exists(&now) {
        return Ok(Done::nothing());
    }
    if work.destroys() && is_taken_up::<R>(context, server, &now) {
        return Ok(Done::left(message::not_destroyed::<R>(work.arguments)));
    }
    let operations = work.operations(&now)?;
    if R::looks_closer(&operations) && operations != planned {
        now = look(&operations).await?;
    }
    let decision = work.decide(&now, &operations)?;
    // A token is not affected by what keeps a password out.
    let trial = R::trial(work, &now, &decision.run).filter(|_| !server.uses_tokens());
    let Some(trial) = trial else { return run(&transaction, facts, work, &now, decision, &[], sent).await };
    let tried = trial.statements(|operation| R::statements(work, operation, &now));
    let say = |refused: &Refused<'_>| R::refused(work, refused);
    tried.hold(server, &transaction, database, context.cancel(), say).await?;
    let rest = async {
        transaction.begin(std::future::ready(Ok::<_, Error>(()))).await?;
        run(&transaction, facts, work, &now, decision, &trial.first, sent).await
    };
    match rest.await {
        Err(failed) => Err(tried.give_up(&transaction, failed, say).await),
        done => done,
    }
}

/// Runs what was decided, except what was done `before`, in the open transaction, and looks at the result.
async fn run<R: InDatabase>(
    transaction: &Transaction,
    facts: &Facts,
    work: &Work<'_, R>,
    now: &R::Observed,
    decision: Decision<R>,
    before: &[R::Operation],
    sent: &Mutex<Vec<R::Operation>>,
) -> Result<Done<R>, Attempt> {
    let reader = transaction.reader();
    let left = decision.run.iter().filter(|operation| !before.contains(operation));
    let statements: Vec<_> = left.flat_map(|operation| R::statements(work, operation, now)).collect();
    let result = async {
        match work.desired {
            None => Ok(None),
            Some(_) => R::observe(reader, facts, &work.look(Purpose::Result, &decision.run)).await.map(Some),
        }
    };
    let observed = transaction.execute(&statements, result).await?;
    let mut warnings = Diagnostics::new();
    if let (Some(desired), Some(found)) = (work.desired, &observed) {
        if !R::exists(found) {
            return Err(message::not_there::<R>(desired).into());
        }
        warnings = R::verify(work, &decision.run, found)?;
    }
    sent.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&decision.run);
    let notices = transaction.commit_and_stay().await?;
    let mut diagnostics = decision.warnings;
    diagnostics.extend(warnings);
    diagnostics.extend(notices.into_iter().filter_map(|notice| R::notice(work, &decision.run, notice)));
    Ok(Done { observed, ran: decision.run, diagnostics })
}

/// After a COMMIT without an answer: if the wanted result exists, the change succeeded; otherwise the error is kept. An operation
/// that leaves no trace cannot be verified, so it stays an error: the next plan does it again.
async fn look_again<R: InDatabase>(
    context: &Context,
    server: &Server,
    facts: &Facts,
    work: &Work<'_, R>,
    sent: &Mutex<Vec<R::Operation>>,
    error: Error,
) -> Result<Done<R>, Error> {
    let ran = sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(desired) = work.desired.filter(|_| ran.iter().all(R::leaves_a_trace)) else { return Err(error) };
    let looking = || async {
        let reader = server.read(R::database(desired).as_str(), context.cancel()).await?;
        R::observe(&reader, facts, &work.look(Purpose::Result, &ran)).await
    };
    let Ok(found) = transient(context.cancel(), looking).await else { return Err(error) };
    let is_as_wanted = R::exists(&found) && matches!(R::diff(&Change::drift(desired, &found)), Ok(Some(left)) if left.is_empty());
    if !is_as_wanted {
        return Err(error);
    }
    Ok(Done { observed: Some(found), ran, diagnostics: Diagnostics::new() })
}
