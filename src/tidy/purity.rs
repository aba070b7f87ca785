//! Where effects may live. Every file that is not named here is pure: no IO, no clock, no environment, nothing asynchronous.

use super::reader::File;
use super::sources::{Source, provider};

/// Words that no pure file contains.
const EFFECTS: [&str; 7] = ["async ", ".await", "tokio::", "Instant::now", "SystemTime::now", "std::env", "std::fs"];

/// What may have effects.
enum Place {
    /// A file, or a folder with all that is in it.
    At(&'static str),
    /// Files of these names, in the folder of any resource.
    OfResources(&'static [&'static str]),
    /// The file of an inhabitant of any other kind, or the mod.rs of its folder.
    OfOtherKinds(&'static [&'static str]),
}

impl Place {
    fn holds(&self, source: &Source) -> bool {
        match self {
            Self::At(path) if path.ends_with('/') => source.path.starts_with(path),
            Self::At(path) => source.path == *path,
            Self::OfResources(names) => source.resource().is_some() && source.is_named(names),
            Self::OfOtherKinds(rooms) => rooms.iter().any(|room| {
                let of_kind = source.path.strip_prefix("src/").and_then(|path| path.strip_prefix(room)?.strip_prefix('/'));
                of_kind.is_some_and(|path| {
                    path.strip_suffix("/mod.rs").or(path.strip_suffix(".rs")).is_some_and(|name| !name.contains('/'))
                }) && !source.path.ends_with(&format!("{room}/mod.rs"))
                    && !source.is_named(&["contract.rs"])
            }),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::At(path) => (*path).to_owned(),
            Self::OfResources(names) => format!("src/resource/*/{}", names.join(", ")),
            Self::OfOtherKinds(rooms) => format!("src/{}/*", rooms.join(", ")),
        }
    }
}

/// The places, each with what it does there.
const IMPURE: [(Place, &str); 64] = [
    (Place::At("src/main.rs"), "reads the command line and the environment, runs the process"),
    (Place::At("src/plugin/"), "is the process: socket, signals, standard output, gRPC"),
    (Place::At("src/server/mod.rs"), "runs a handler so that a panic becomes an answer"),
    (Place::At("src/server/service.rs"), "answers RPCs"),
    (Place::At("src/server/events.rs"), "sends one answer after the other"),
    (Place::At("src/server/read_data_source.rs"), "awaits a data source"),
    (Place::At("src/server/open_ephemeral_resource.rs"), "awaits an ephemeral resource"),
    (Place::At("src/server/list_resource.rs"), "awaits a list, and the reads of what is in it"),
    (Place::At("src/server/plan_action.rs"), "awaits what an action announces"),
    (Place::At("src/server/invoke_action.rs"), "awaits an action"),
    (Place::At("src/server/plan_resource_change.rs"), "awaits a resource's look-up"),
    (Place::At("src/server/read_resource.rs"), "awaits a resource's read"),
    (Place::At("src/server/apply_resource_change.rs"), "awaits a resource's change"),
    (Place::At("src/provider/context.rs"), "creates clients on demand, remembers when AWS could not be reached"),
    (Place::At("src/provider/environment.rs"), "reads the environment, all of it at once"),
    (Place::At("src/provider/pipe_login.rs"), "fetches what a pipe's role logs in with"),
    (Place::At("src/provider/look.rs"), "asks a database for what is no resource"),
    (Place::At("src/provider/login_source.rs"), "fetches secrets and tokens"),
    (Place::At("src/aws/account.rs"), "calls STS"),
    (Place::At("src/aws/auth_token.rs"), "asks the credential chain"),
    (Place::At("src/aws/roots.rs"), "reads the root certificates of the system"),
    (Place::At("src/aws/secret.rs"), "calls Secrets Manager"),
    (Place::At("src/aws/session.rs"), "reads profiles, assumes roles"),
    (Place::At("src/rds/attachment.rs"), "calls RDS"),
    (Place::At("src/rds/cluster.rs"), "calls RDS"),
    (Place::At("src/rds/gather.rs"), "waits for others who ask, then asks for all of them"),
    (Place::At("src/rds/global.rs"), "calls RDS"),
    (Place::At("src/rds/memory.rs"), "knows how old its contents are"),
    (Place::At("src/rds/once.rs"), "awaits an answer with others"),
    (Place::At("src/rds/parameter_group.rs"), "calls RDS"),
    (Place::At("src/rds/patience.rs"), "waits, by the clock"),
    (Place::At("src/rds/reader.rs"), "asks RDS, or uses what others have read"),
    (Place::At("src/rds/several.rs"), "calls RDS"),
    (Place::At("src/rds/wait.rs"), "checks until RDS is done"),
    (Place::At("src/postgres/client.rs"), "asks a server for its facts"),
    (Place::At("src/postgres/combined.rs"), "prepares a statement, runs it"),
    (Place::At("src/postgres/replication_proof.rs"), "has a role replicate a message"),
    (Place::At("src/postgres/connect.rs"), "opens a session"),
    (Place::At("src/postgres/dial.rs"), "resolves names, connects sockets"),
    (Place::At("src/postgres/guarded.rs"), "reads a socket"),
    (Place::At("src/postgres/login.rs"), "awaits a login"),
    (Place::At("src/postgres/pool.rs"), "holds sessions, lets others wait for them"),
    (Place::At("src/postgres/reader.rs"), "runs queries"),
    (Place::At("src/postgres/retry.rs"), "pauses between attempts"),
    (Place::At("src/postgres/session.rs"), "talks to a server"),
    (Place::At("src/postgres/tls.rs"), "reads a file of root certificates"),
    (Place::At("src/postgres/together.rs"), "waits for more questions, asks them"),
    (Place::At("src/postgres/transaction.rs"), "changes a database"),
    (Place::At("src/catalogue/"), "queries the catalogue"),
    (Place::At("src/cluster/observe.rs"), "asks RDS about a cluster"),
    (Place::At("src/cluster/reboot.rs"), "reboots members, in order"),
    (Place::At("src/resource/change/cluster.rs"), "asks whether a cluster is gone"),
    (Place::At("src/resource/change/engine.rs"), "looks, runs, saves"),
    (Place::At("src/resource/change/free.rs"), "looks again until something is freed"),
    (Place::At("src/resource/change/in_database.rs"), "runs a transaction, and tries again"),
    (Place::At("src/resource/change/short_waits.rs"), "tries again after a pause"),
    (Place::At("src/resource/change/trial.rs"), "commits, logs in, and takes back"),
    (Place::OfResources(&["observe.rs"]), "observes what exists"),
    (Place::OfResources(&["execute.rs", "run.rs"]), "runs the operations"),
    (Place::OfResources(&["mod.rs"]), "forwards the calls of the trait"),
    (Place::At("src/provider/stop.rs"), "ends what a stop interrupts"),
    (Place::OfOtherKinds(&["data_source", "ephemeral", "list", "action"]), "reads, creates, lists, runs"),
    (Place::At("src/data_source/static_ips/fetch.rs"), "fetches a document"),
    (Place::At("src/resource/replication_user/destroy.rs"), "goes through every database"),
];

/// The effects of a file, also those that a nested `use` declaration names.
fn effects(source: &Source) -> Vec<&'static str> {
    let used = File::read(&source.text, &[]).uses.into_iter().map(|one| one.target.join("::"));
    let said: Vec<String> = std::iter::once(source.code()).chain(used).collect();
    EFFECTS.into_iter().filter(|effect| said.iter().any(|said| says(said, effect))).collect()
}

/// Whether a text has the effect, and not only a longer name that begins like it.
fn says(text: &str, effect: &str) -> bool {
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let whole = |rest: &str| !(effect.ends_with(is_name) && rest.starts_with(is_name));
    text.match_indices(effect).any(|(at, _)| whole(&text[at + effect.len()..]))
}

#[test]
fn effects_live_only_where_they_are_declared() {
    let sources = provider();
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| !IMPURE.iter().any(|(place, _)| place.holds(source))) {
        faults.extend(effects(source).into_iter().map(|effect| format!("{}: {effect}", source.path)));
    }
    for (place, does) in &IMPURE {
        let held: Vec<&Source> = sources.iter().filter(|source| place.holds(source)).collect();
        if held.is_empty() {
            faults.push(format!("{} ({does}) is listed, but there is no such file", place.name()));
        } else if held.into_iter().all(|source| effects(source).is_empty()) {
            faults.push(format!("{} ({does}) is listed, but has no effect", place.name()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn an_effect_is_seen_in_code_and_in_nested_declarations() {
    let of = |text: &str| effects(&Source { path: "src/sample.rs".to_owned(), text: text.to_owned() });
    assert!(of("//! async fn\nfn pure() {}\n#[cfg(test)]\nmod tests { use std::fs; }").is_empty());
    assert_eq!(of("async fn x() { y().await }"), ["async ", ".await"]);
    assert!(of("fn pure() { x.awaited.len() }").is_empty());
    assert_eq!(of("use std::{env, io, time::Instant};"), ["std::env"]);
}
