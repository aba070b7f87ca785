//! `clickpipes_readiness`: whether a pipe will work, before there is one. Collects the facts; the verdicts are in [`crate::readiness`].

mod schema;

use tokio::try_join;

use super::{DataSource, Found};
use crate::catalogue::activity::activity;
use crate::catalogue::key::Key;
use crate::catalogue::pipe_role::{PipeRole, pipe_role};
use crate::catalogue::publication::find_publication;
use crate::catalogue::publication_right::publication_rights;
use crate::catalogue::reach::Reach;
use crate::catalogue::relation::identifier;
use crate::catalogue::setting::settings;
use crate::catalogue::slot::slots;
use crate::catalogue::source_table::{published, source_tables};
use crate::cluster::{Claims, Names, Observed, observe};
use crate::failure::{Failure, describe};
use crate::postgres::{Channel, Error, Facts as AboutServer, Flavour, Identifier, Reader, Server};
use crate::provider::{Context, at_database};
use crate::readiness::{Answer, Barrier, Facts, LoginFacts, Pipe, PublicationFacts, SETTINGS, ServerFacts, TableFacts, checks};
use crate::resource::publication::objections;
use crate::terraform::{Configured, Diagnostic, Diagnostics};
pub(crate) use schema::ReadinessModel;

/// The data source.
pub(crate) struct Readiness;

impl Configured for Readiness {
    const TYPE_NAME: &'static str = "clickpipes_readiness";
    type Model = ReadinessModel;

    fn validate(config: &ReadinessModel) -> Diagnostics {
        schema::pipe(config).err().unwrap_or_default()
    }
}

impl DataSource for Readiness {
    async fn read(context: &Context, config: &ReadinessModel) -> Result<Found<ReadinessModel>, Failure> {
        let pipe = schema::pipe(config)?;
        let (facts, warnings) = context.in_time("checking readiness", |within| collect(within, config, pipe)).await?;
        Ok(Found { model: schema::answered(config, checks(&facts)), warnings })
    }
}

/// What the database server says.
struct InDatabase {
    flavour: Flavour,
    server: ServerFacts,
    role: Option<PipeRole>,
    tables: TableFacts,
    publication: Option<PublicationFacts>,
}

async fn collect(context: Context, config: &ReadinessModel, pipe: Pipe) -> Result<(Facts, Diagnostics), Failure> {
    let cluster = Box::pin(cluster(&context, config)).await?;
    let not_asked = |what: &str| format!("No {what} is given.");
    let mut facts = Facts {
        flavour: None,
        port: 0,
        cluster,
        barrier: None,
        server: Answer::Unknown(String::new()),
        role: Answer::Skipped(not_asked("username")),
        tables: Answer::Skipped("No tables and no publication_name are given.".to_owned()),
        publication: Answer::Skipped(not_asked("publication_name")),
        login: Answer::Skipped(
            "Neither password_env nor password_secret_arn is given, and authentication is not \"iam\".".to_owned(),
        ),
        pipe,
    };
    let mut warnings = Diagnostics::new();
    let reached = Box::pin(database(&context, config, &facts.pipe)).await;
    match reached {
        Ok(Reached::Answered(server, found)) => {
            (facts.flavour, facts.port) = (Some(found.flavour), server.settings().port);
            facts.server = Answer::Known(found.server);
            if facts.pipe.role.is_some() {
                facts.role = Answer::Known(found.role);
            }
            if facts.pipe.publication.is_some() {
                facts.publication = Answer::Known(found.publication);
            }
            if facts.pipe.publication.is_some() || !facts.pipe.tables.is_empty() {
                facts.tables = Answer::Known(found.tables);
            }
            if let Some(login) = Box::pin(logins(&context, config, &facts, &server)).await? {
                facts.login = login;
            }
        }
        Ok(Reached::Barred(barrier, reason)) => {
            facts.barrier = Some(barrier);
            facts.without_database(&reason);
        }
        Err(Failure::Unreachable(outage)) if context.keeps_state() => {
            facts.without_database(&outage.diagnostic.detail);
            let detail = format!(
                "The checks of the database are unknown, because on_unreachable is \"keep_state\".\n\n{}",
                outage.diagnostic.detail
            );
            warnings.push(Diagnostic::warning(outage.diagnostic.summary, detail));
        }
        Err(failure) => return Err(failure),
    }
    Ok((facts, warnings))
}

/// What AWS says. What it refuses is no error: then these checks are unknown.
async fn cluster(context: &Context, config: &ReadinessModel) -> Result<Answer<Observed>, Failure> {
    let named = config.cluster_identifier.known().map(String::as_str);
    let Some(identifier) = named.map_or_else(|| context.own_cluster(), |named| Ok(Some(named)))? else {
        return Ok(Answer::Skipped("No cluster_identifier is given, here or in the provider block.".to_owned()));
    };
    let look = async {
        let reader = context.readings().await?.look(&format!("readiness of {identifier}"));
        Ok::<_, Failure>(observe(&reader, identifier, &Names::default(), &Claims::default()).await?)
    };
    Ok(match look.await {
        Ok(Some(observed)) => Answer::Known(observed),
        Ok(None) => Answer::Unknown(format!("There is no cluster {identifier} in the region and account of the provider block.")),
        Err(cancelled @ (Failure::Cancelled { .. } | Failure::ConfigurationUnknown)) => return Err(cancelled),
        Err(failure) => Answer::Unknown(text(failure)),
    })
}

fn text(failure: Failure) -> String {
    failure.into_diagnostics().into_iter().map(|fault| fault.detail).collect::<Vec<_>>().join(" ")
}

/// What became of the attempt to ask the database.
enum Reached {
    Answered(Server, Box<InDatabase>),
    /// The server answers, but nothing may be asked of it, for this reason.
    Barred(Barrier, String),
}

async fn database(context: &Context, config: &ReadinessModel, pipe: &Pipe) -> Result<Reached, Failure> {
    let server = context.postgres(config.cluster_identifier.known().map(String::as_str)).await?;
    let database = config.database.known().unwrap_or(&server.settings().database).clone();
    let reader = match server.read(&database, context.cancel()).await {
        Ok(reader) => reader,
        Err(error @ Error::Reader { .. }) => return Ok(Reached::Barred(Barrier::Reader, describe(&error))),
        Err(error @ Error::Pooled { .. }) => return Ok(Reached::Barred(Barrier::Pooler, describe(&error))),
        Err(error) => return Err(at_database(error.into())),
    };
    let found = Box::pin(ask(&reader, identifier(database)?, pipe)).await?;
    Ok(Reached::Answered(server, Box::new(found)))
}

/// One round trip, and a second one for the tables of a publication.
async fn ask(reader: &Reader, database: Identifier, pipe: &Pipe) -> Result<InDatabase, Error> {
    let about = reader.facts()?;
    let role = async {
        match &pipe.role {
            Some(role) => pipe_role(reader, role).await,
            None => Ok(None),
        }
    };
    let publication = async {
        match &pipe.publication {
            Some(name) => publication(reader, &about, name).await,
            None => Ok(None),
        }
    };
    let given = source_tables(reader, &pipe.tables, pipe.role.as_ref());
    let (activity, settings, slots, role, publication, given) =
        try_join!(activity(reader), settings(reader, &SETTINGS), slots(reader, None), role, publication, given)?;
    let (tables, without_defaults) = match &publication {
        Some(found) if pipe.tables.is_empty() => source_tables(reader, &found.published, pipe.role.as_ref()).await?,
        _ => given,
    };
    Ok(InDatabase {
        flavour: about.flavour,
        server: ServerFacts { version: about.version, database, activity, settings, slots },
        role,
        tables: TableFacts { tables, without_defaults },
        publication,
    })
}

async fn publication(reader: &Reader, about: &AboutServer, name: &Identifier) -> Result<Option<PublicationFacts>, Error> {
    let (found, rights, published, exposed) = try_join!(
        find_publication(reader, Key::named(name.as_str())),
        publication_rights(reader, about, Key::named(name.as_str()), None),
        published(reader, name),
        objections(reader, about.version, name),
    )?;
    let Some(found) = found else { return Ok(None) };
    Ok(Some(PublicationFacts {
        all_tables: found.all_tables,
        owner: found.owner,
        admin: identifier(about.current_user.clone())?,
        owned: rights.and_then(|rights| rights.reach).is_some_and(|reach| reach != Reach::None),
        insert: found.insert,
        update: found.update,
        delete: found.delete,
        via_root: found.via_root,
        published,
        exposed,
    }))
}

/// Logs in as the pipe's role, if there is something to log in with.
async fn logins(
    context: &Context,
    config: &ReadinessModel,
    facts: &Facts,
    server: &Server,
) -> Result<Option<Answer<LoginFacts>>, Failure> {
    let Some(role) = &facts.pipe.role else { return Ok(None) };
    let endpoint = match &facts.cluster {
        Answer::Known(observed) => observed.cluster.endpoint.clone().zip(observed.cluster.port),
        _ => None,
    };
    let login = match context.pipe_login(schema::login(config), role, server, endpoint).await {
        Ok(None) => return Ok(None),
        Ok(Some(login)) => login,
        Err(cancelled @ Failure::Cancelled { .. }) => return Err(cancelled),
        Err(failure) => return Ok(Some(Answer::Unknown(text(failure)))),
    };
    let database = config.database.known().unwrap_or(&server.settings().database);
    let attempt = async |channel| match server.try_login_as(&login, database, channel, context.cancel()).await {
        Ok(()) => Ok(Ok(())),
        Err(cancelled @ Error::Cancelled { .. }) => Err(Failure::from(cancelled)),
        Err(error) => Ok(Err(describe(&error))),
    };
    let plain = attempt(Channel::Queries).await?;
    let replication = attempt(Channel::Replication).await?;
    Ok(Some(Answer::Known(LoginFacts { plain, replication })))
}

impl Facts {
    /// None of what only the database knows.
    fn without_database(&mut self, reason: &str) {
        self.server = Answer::Unknown(reason.to_owned());
        let unknown = || reason.to_owned();
        if self.pipe.role.is_some() {
            self.role = Answer::Unknown(unknown());
        }
        if self.pipe.publication.is_some() {
            self.publication = Answer::Unknown(unknown());
        }
        if self.pipe.publication.is_some() || !self.pipe.tables.is_empty() {
            self.tables = Answer::Unknown(unknown());
        }
        self.login = Answer::Skipped("The server could not be used.".to_owned());
    }
}
