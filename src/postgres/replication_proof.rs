//! Proves that a role can replicate a database: it makes a temporary slot, another session sends a message, and the role receives it.

use tokio_util::sync::CancellationToken;

use crate::postgres::connect::connect;
use crate::postgres::error::Error;
use crate::postgres::guarded::Channel;
use crate::postgres::identifier::Identifier;
use crate::postgres::login::LoginSource;
use crate::postgres::pool::Pool;
use crate::postgres::row::Parameter;
use crate::postgres::version::LOGICAL_MESSAGES;

/// `$1` the slot. It is gone once the session ends, however that happens.
const CREATE: &str = "SELECT slot_name::text FROM pg_catalog.pg_create_logical_replication_slot($1::name, 'pgoutput', true)";
/// `$1` the text of the message. What is not on disk yet is not sent, so the commit waits for that.
const SEND: &str = "\
SELECT pg_catalog.set_config('synchronous_commit', 'local', true) AS commits,
       pg_catalog.pg_logical_emit_message(true, 'clickpipes_prove', $1::text)::text AS lsn";
/// `$1` the slot, `$2` the publication as a quoted name, `$3` the text of the message.
const RECEIVE: &str = "\
SELECT pg_catalog.count(*) AS received
  FROM pg_catalog.pg_logical_slot_get_binary_changes($1::name, NULL, NULL,
         VARIADIC ARRAY['proto_version', '1', 'publication_names', $2::text, 'messages', 'true']) c
 WHERE pg_catalog.position(c.data, pg_catalog.convert_to($3::text, 'UTF8')) > 0";
/// The same before there are messages in what a pipe receives: that it can be read is what it proves.
const READ: &str = "\
SELECT 1::int8 AS received
  FROM (SELECT pg_catalog.count(*) AS changes
          FROM pg_catalog.pg_logical_slot_get_binary_changes($1::name, NULL, NULL,
                 VARIADIC ARRAY['proto_version', '1', 'publication_names', $2::text])) c
 WHERE c.changes >= 0 AND $3::text IS NOT NULL";

/// A step of the proof, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The role logs in.
    LogIn,
    /// It opens a connection for replication.
    OpenReplication,
    /// It makes a temporary slot, which waits for the end of all transactions that are open.
    CreateSlot,
    /// The admin sends a message.
    Send,
    /// The role receives it.
    Receive,
}

/// What was proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Whether the message was received; `None`: this version passes no messages on to a pipe.
    pub received: Option<bool>,
}

/// Proves it. `about_to` is told each step before it.
pub(super) async fn prove(
    pool: &Pool,
    login: &LoginSource,
    database: &str,
    publication: &Identifier,
    about_to: &(dyn Fn(Step) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Proof, Error> {
    about_to(Step::LogIn);
    let pipe = connect(&pool.settings, login, database, Channel::Queries, cancel).await?;
    about_to(Step::OpenReplication);
    let walsender = connect(&pool.settings, login, database, Channel::Replication, cancel).await?;
    walsender.run(IDENTIFY_SYSTEM, IDENTIFY_SYSTEM, cancel).await?;
    drop(walsender);
    about_to(Step::CreateSlot);
    let number = pipe.process().unwrap_or_default();
    let slot = format!("clickpipes_prove_{number}");
    pipe.query(CREATE, &[Parameter::Text(&slot)], cancel).await?;
    about_to(Step::Send);
    // Whatever else is sent meanwhile.
    let message = format!("{slot} at {}", pipe.site().and_then(|site| site.system).unwrap_or_default());
    let admin = pool.connect_apart(database, cancel).await?;
    admin.query(SEND, &[Parameter::Text(&message)], cancel).await?;
    about_to(Step::Receive);
    let passes_messages = pipe.facts().is_some_and(|facts| facts.version.has(LOGICAL_MESSAGES));
    let receive = if passes_messages { RECEIVE } else { READ };
    let named = publication.to_string();
    let values = [Parameter::Text(&slot), Parameter::Text(&named), Parameter::Text(&message)];
    let rows = pipe.query(receive, &values, cancel).await?;
    let received = rows.first().map(|row| row.i64("received")).transpose()?.unwrap_or(0) > 0;
    Ok(Proof { received: passes_messages.then_some(received) })
}

/// What every client of replication asks first.
pub(super) const IDENTIFY_SYSTEM: &str = "IDENTIFY_SYSTEM";
