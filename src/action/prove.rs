//! `clickpipes_prove`: proves that the pipe's role can replicate, by replicating a message.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Action, Progress};
use crate::catalogue::activity::activity;
use crate::catalogue::key::Key;
use crate::catalogue::publication::find_publication;
use crate::failure::{Failure, describe};
use crate::names;
use crate::postgres::replication_proof::{Proof, Step};
use crate::postgres::{Error, Identifier, LoginSource, Server};
use crate::printable::printable_line;
use crate::provider::{Context, PipeLogin};
use crate::terraform::{AttributePath, Configured, Diagnostic, Diagnostics, decode_duration, model, optional, required};

/// A new slot waits for the transactions that are open.
const LIMIT: Duration = Duration::from_secs(2 * 60);

model! {
    /// Proves that a pipe can replicate: logs in as its role, opens a replication connection, makes a temporary slot for `pgoutput`, and
    /// receives a message that the provider's role sends. That takes everything that a pipe needs of the server at once: the login, TLS,
    /// the right to replicate, `wal_level`, a free slot and a free sender.
    ///
    /// The slot is gone when the proof ends, however it ends.
    pub struct ProveModel {
        /// How the role logs in: `password` or `iam`. Default: `password`.
        authentication: String => optional(),
        /// Cluster of the source. Default: the server that the provider block connects to.
        cluster_identifier: String => optional(),
        /// Database of the source. Default: `postgres.database` of the provider block.
        database: String => optional(),
        /// Name of the environment variable that has the role's password where Terraform runs. Default: none; this,
        /// `password_secret_arn` or `authentication` `iam` is needed.
        password_env: String => optional(),
        /// ARN of the secret that has the role's password. Default: none.
        password_secret_arn: String => optional(),
        /// The publication that the pipe is to read.
        publication_name: String => required(),
        /// Maximum duration, such as `30s` or `5m`. Default: `2m`.
        timeout: String => optional(),
        /// The role of the pipe.
        username: String => required(),
    }
}

/// The action.
pub(crate) struct Prove;

impl Configured for Prove {
    const TYPE_NAME: &'static str = "clickpipes_prove";
    type Model = ProveModel;

    fn validate(config: &ProveModel) -> Diagnostics {
        let mut faults = names::place_faults(&config.cluster_identifier, &config.database);
        faults.absorb(names::name(&config.username, "username"));
        faults.absorb(names::name(&config.publication_name, "publication_name"));
        let login = login(config);
        faults.extend(login.faults());
        let nothing = config.password_env.is_null() && config.password_secret_arn.is_null();
        if nothing && !login.uses_tokens() && !config.authentication.is_unknown() {
            let fault = "password_env or password_secret_arn says what the role logs in with; or set authentication to \"iam\"";
            faults.push(Diagnostic::invalid("username", fault));
        }
        if let Some(Err(fault)) = config.timeout.known().map(|limit| decode_duration(limit)) {
            faults.push(Diagnostic::invalid("timeout", fault));
        }
        faults
    }
}

impl Action for Prove {
    async fn plan(_: &Context, config: &ProveModel) -> Result<Diagnostics, Failure> {
        let role = config.username.known().map(|role| format!(" {}", printable_line(role))).unwrap_or_default();
        let detail =
            "It takes one replication slot and one WAL sender for as long as the proof lasts, and writes one message to the WAL.";
        Ok(Diagnostic::warning(format!("Role{role} logs in and replicates a message"), detail).into())
    }

    async fn invoke(context: &Context, config: &ProveModel, progress: &Progress) -> Result<Diagnostics, Failure> {
        let limit = config.timeout.known().and_then(|limit| decode_duration(limit).ok()).unwrap_or(LIMIT);
        let limited = context.within(limit);
        let steps = Steps { progress, last: Mutex::new("the connection of the provider".to_owned()) };
        let ended = limited.run(Box::pin(prove(limited.context(), config, &steps))).await;
        ended.map_err(|failure| match failure {
            Failure::Cancelled { .. } if !context.cancel().is_cancelled() => steps.timed_out(limit).into(),
            other => other,
        })
    }
}

fn login(config: &ProveModel) -> PipeLogin<'_> {
    PipeLogin {
        authentication: &config.authentication,
        password_env: &config.password_env,
        password_secret_arn: &config.password_secret_arn,
        username: &config.username,
    }
}

/// What is being done.
struct Steps<'a> {
    progress: &'a Progress,
    last: Mutex<String>,
}

impl Steps<'_> {
    fn say(&self, text: String) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&text);
        self.progress.say(text);
    }

    fn begin(&self, step: Step, role: &Identifier) {
        let role = printable_line(role.as_str());
        self.say(match step {
            Step::LogIn => format!("Logging in as {role}"),
            Step::OpenReplication => format!("Opening a replication connection as {role}"),
            Step::CreateSlot => "Making a temporary replication slot, which waits for the transactions that are open".to_owned(),
            Step::Send => "Sending a message".to_owned(),
            Step::Receive => format!("Receiving it as {role}"),
        });
    }

    fn last(&self) -> String {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn timed_out(&self, limit: Duration) -> Diagnostic {
        let detail = format!("The proof took longer than {}. Last step: {}.", humantime::format_duration(limit), self.last());
        Diagnostic::error("Timed out", detail).at(AttributePath::of("timeout"))
    }
}

async fn prove(context: &Context, config: &ProveModel, steps: &Steps<'_>) -> Result<Diagnostics, Failure> {
    let server = context.postgres(config.cluster_identifier.known().map(String::as_str)).await?;
    let database = config.database.known().unwrap_or(&server.settings().database).clone();
    let role = known(names::name(&config.username, "username")?, "username")?;
    let publication = known(names::name(&config.publication_name, "publication_name")?, "publication_name")?;
    let reader = server.read(&database, context.cancel()).await?;
    let (busy, found) = tokio::try_join!(activity(&reader), find_publication(&reader, Key::named(publication.as_str())))?;
    if found.is_none() {
        return Err(no_publication(&publication, &database).into());
    }
    for one in &busy.long {
        let (role, database, since) = (printable_line(&one.role), printable_line(&one.database), &one.since);
        steps.say(format!(
            "A transaction of {role} in {database} (pid {}) has been open since {since}; a new slot waits for it",
            one.pid
        ));
    }
    let Some(login) = context.pipe_login(login(config), &role, &server, None).await? else {
        return Err(Diagnostic::invalid("username", "nothing is given that the role logs in with").into());
    };
    let proof = attempt(&server, &login, &database, (&role, &publication), steps, context).await?;
    Ok(match proof.received {
        Some(true) => {
            steps.say(format!("{} has received the message: a pipe can replicate", printable_line(role.as_str())));
            Diagnostics::new()
        }
        Some(false) => return Err(not_received(&role).into()),
        None => {
            steps.say(format!("{} has read the slot: a pipe can replicate", printable_line(role.as_str())));
            Diagnostics::new()
        }
    })
}

async fn attempt(
    server: &Server,
    login: &LoginSource,
    database: &str,
    (role, publication): (&Identifier, &Identifier),
    steps: &Steps<'_>,
    context: &Context,
) -> Result<Proof, Failure> {
    let about_to = |step| steps.begin(step, role);
    let proof = Box::pin(server.prove(login, database, publication, &about_to, context.cancel())).await;
    proof.map_err(|error| match error {
        cancelled @ Error::Cancelled { .. } => cancelled.into(),
        error => {
            let detail = format!(
                "{}\n\nLast step: {}. clickpipes_readiness says what is missing, and the remedy.",
                describe(&error),
                steps.last()
            );
            let summary = format!("Role {} cannot replicate", printable_line(&format!("{:?}", role.as_str())));
            Diagnostic::error(summary, detail).at(AttributePath::of("username")).into()
        }
    })
}

fn known(name: Option<Identifier>, attribute: &str) -> Result<Identifier, Diagnostic> {
    name.ok_or_else(|| Diagnostic::invalid(attribute, "it is not known"))
}

fn no_publication(publication: &Identifier, database: &str) -> Diagnostic {
    let name = printable_line(&format!("{:?}", publication.as_str()));
    let detail = format!(
        "Database {database:?} has no publication {name}. Create it first, or correct the name, which is compared exactly."
    );
    Diagnostic::error(format!("Publication not found: {name}"), detail).at(AttributePath::of("publication_name"))
}

fn not_received(role: &Identifier) -> Diagnostic {
    let role = printable_line(&format!("{:?}", role.as_str()));
    let detail = "The slot was made and read, but the message that was sent in between is not in what it has. Run the proof again; if that \
                  repeats, report it.";
    Diagnostic::error(format!("Role {role} received no message"), detail).at(AttributePath::of("username"))
}
