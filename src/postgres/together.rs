//! Inquiries that arrive together, answered together. Terraform refreshes ten resources at a time, and of resources of one kind the
//! provider asks the same questions with other values. Who asks does not know of it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::runtime::Handle;

use crate::postgres::inquiry::{Inquiry, Turn, alike, questions};
use crate::postgres::pool::Lease;
use crate::postgres::session::Session;

/// How long questions that arrive while others are under way wait for more at most. Nothing waits while the session is idle.
const PATIENCE: Duration = Duration::from_millis(3);

/// Sends an inquiry: at once if nothing is under way, otherwise a moment later with what else has arrived.
pub(super) async fn ask(lease: &Arc<Lease>, session: &Session, inquiry: Inquiry) {
    match session.together().enter(inquiry) {
        Turn::Now(inquiries) => answer(lease, session, inquiries).await,
        Turn::InAMoment => {
            let lease = Arc::clone(lease);
            tokio::spawn(async move {
                tokio::time::sleep(PATIENCE).await;
                answer_waiting(&lease).await;
            });
        }
        Turn::WithOthers => {}
    }
}

/// Answers what waits.
async fn answer_waiting(lease: &Arc<Lease>) {
    let Ok(session) = lease.session() else { return };
    let inquiries = session.together().take();
    answer(lease, session, inquiries).await;
}

/// Answers inquiries, even if whoever asked gave up. What has arrived meanwhile is then answered too.
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
    let recurs = lease.pool().is_known(&questions) || inquiries.len() > 1;
    let answers = session.answers(&inquiries, &questions, recurs).await;
    for (asked, answer) in inquiries.into_iter().flatten().zip(answers) {
        (asked.answer)(answer);
    }
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
