//! Inquiries that arrive together, answered together. Terraform refreshes ten resources at a time, and of resources of one kind the
//! provider asks the same questions with other values. Who asks does not know of it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::runtime::Handle;

use crate::postgres::combined::Answers;
use crate::postgres::error::{Cause, Error};
use crate::postgres::inquiry::{Inquiry, When, alike, questions};
use crate::postgres::pool::{Known, Lease};
use crate::postgres::session::Session;
use crate::postgres::several::Question;
use crate::postgres::version::ServerVersion;

/// How long questions that arrive while others are under way wait for more at most. Nothing waits while the session is idle.
const PATIENCE: Duration = Duration::from_millis(3);

/// Sends an inquiry: at once if nothing is under way, otherwise a moment later with what else has arrived.
pub(super) async fn ask(lease: &Arc<Lease>, session: &Session, inquiry: Inquiry) {
    match session.together().enter(inquiry) {
        When::Now(inquiries) => answer(lease, session, inquiries).await,
        When::InAMoment => {
            let lease = Arc::clone(lease);
            tokio::spawn(async move {
                tokio::time::sleep(PATIENCE).await;
                answer_waiting(&lease).await;
            });
        }
        When::WithOthers => {}
    }
}

/// Answers what waits.
async fn answer_waiting(lease: &Arc<Lease>) {
    let Ok(session) = lease.session() else { return };
    let inquiries = session.together().take();
    answer(lease, session, inquiries).await;
}

/// Answers inquiries. What has arrived meanwhile is then answered too, also if this is given up.
async fn answer(lease: &Arc<Lease>, session: &Session, inquiries: Vec<Inquiry>) {
    if inquiries.is_empty() {
        return;
    }
    let _under_way = UnderWay { lease, session };
    join_all(alike(inquiries).into_iter().map(|inquiries| answer_alike(lease, session, inquiries))).await;
}

/// Answers inquiries with the same questions.
async fn answer_alike(lease: &Lease, session: &Session, inquiries: Vec<Inquiry>) {
    let questions = inquiries.first().map(|inquiry| questions(inquiry)).unwrap_or_default();
    // Without any value there is nothing that tells inquiries apart.
    let possible =
        questions.iter().any(|question| question.values > 0) && session.facts().is_some_and(|facts| fits(facts.version));
    let known = if possible { lease.pool().known(&questions) } else { Known::Apart };
    let together = known == Known::Again || known != Known::Apart && inquiries.len() > 1;
    let rest = if together { answer_together(lease, session, &questions, inquiries).await } else { inquiries };
    // Each question by itself.
    let apart = join_all(rest.into_iter().flatten().map(async |asked| {
        let answer = session.answer(&asked).await;
        if let Ok(rows) = &answer {
            lease.pool().names().learn(asked.sql, rows);
        }
        (asked.answer)(answer);
    }));
    match known {
        // For the next time, which takes no round trip now.
        Known::Once => drop(join(apart, session.prepare(&questions, lease.pool().names())).await),
        _ => drop(apart.await),
    }
}

/// Answers inquiries by one statement. Returns those that are to be answered apart, so that an error reaches only those whom it concerns.
async fn answer_together(lease: &Lease, session: &Session, questions: &[Question], inquiries: Vec<Inquiry>) -> Vec<Inquiry> {
    let error = match session.answer_together(&inquiries, questions, lease.pool().names()).await {
        Ok(Answers { rows, is_large }) => {
            if is_large {
                lease.pool().keep_apart(questions);
            }
            inquiries.into_iter().flatten().zip(rows).for_each(|(asked, rows)| (asked.answer)(Ok(rows)));
            return Vec::new();
        }
        Err(error) => error,
    };
    tracing::debug!(%error, "a statement for several resources failed");
    match (error.cause(), error) {
        // Each question would wait for the lock once more.
        (Some(Cause::LockNotAvailable), Error::Statement { statement, source }) => {
            let same = || Error::Statement { statement: statement.clone(), source: source.clone() };
            inquiries.into_iter().flatten().for_each(|asked| (asked.answer)(Err(same())));
            Vec::new()
        }
        (_, error) if session.is_closed() => {
            let mut error = Some(error);
            inquiries.into_iter().flatten().for_each(|asked| (asked.answer)(Err(error.take().unwrap_or_else(|| session.lost()))));
            Vec::new()
        }
        // It took too long.
        (Some(Cause::QueryCanceled), _) => {
            lease.pool().keep_apart(questions);
            inquiries
        }
        _ => inquiries,
    }
}

/// Whether a server runs a statement for several resources correctly. Up to 14.1 a plan could remember rows beyond a change of the values
/// on which they depend.
fn fits(version: ServerVersion) -> bool {
    version.major() != 14 || version.minor() > 1
}

/// Something that was sent. Once it is answered, or given up, the next is sent.
struct UnderWay<'a> {
    lease: &'a Arc<Lease>,
    session: &'a Session,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.session.together().leave()
            && let Ok(runtime) = Handle::try_current()
        {
            let lease = Arc::clone(self.lease);
            runtime.spawn(async move { answer_waiting(&lease).await });
        }
    }
}
