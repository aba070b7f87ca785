//! The architecture's invariants as tests: what lives where, and what is deliberately absent.

mod imports;
mod kinds;
mod purity;
mod reader;
mod sources;

use crate::server::handler::RESOURCES;
use imports::{Crate, shortest_circle};
use sources::{Source, provider, root, sources};

/// Longest file that still has one subject.
const LONGEST_FILE: usize = 600;

/// The rooms of the provider from the ground up. None imports from a room above it, and none from another room on its floor.
const FLOORS: [&[&str]; 13] = [
    &["src/secret.rs", "src/printable.rs", "src/proto.rs"],
    &["src/terraform/", "src/postgres/", "src/aws/"],
    &["src/rds/", "src/catalogue/"],
    &["src/cluster/"],
    &["src/readiness/"],
    &["src/failure/", "src/wire/", "src/names.rs", "src/mapping.rs"],
    &["src/provider/", "src/resource/titled.rs"],
    &["src/resource/contract.rs", "src/resource/timeouts.rs", "src/function/", "src/ephemeral/", "src/action/"],
    &["src/resource/change/", "src/resource/identity.rs"],
    &["src/resource/"],
    &["src/list/", "src/data_source/"],
    &["src/server/"],
    &["src/plugin/", "src/lib.rs", "src/main.rs"],
];

/// The folders of the registered resources.
fn resources() -> impl Iterator<Item = &'static str> {
    RESOURCES.iter().map(|resource| resource.name().trim_start_matches("clickpipes_"))
}

fn is_resource(folder: &str) -> bool {
    resources().any(|name| name == folder)
}

/// Checks every source of the provider that `concerns` picks; none may contain one of `words`.
#[track_caller]
fn absent(words: &[&str], concerns: impl Fn(&Source) -> bool) {
    let mut faults = Vec::new();
    for source in provider().iter().filter(|source| concerns(source)) {
        let code = source.code();
        faults.extend(words.iter().filter(|word| code.contains(**word)).map(|word| format!("{}: {word}", source.path)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// `postgres/several.rs` puts a column in the place of each parameter.
#[test]
fn in_queries_of_the_catalogue_each_parameter_has_a_cast_and_stands_where_a_column_may() {
    let mut faults = Vec::new();
    for source in provider().iter().filter(|source| source.is_below(&["src/catalogue/"])) {
        let code = source.code();
        let parameters = code.split('$').skip(1).filter(|after| after.starts_with(|letter: char| letter.is_ascii_digit()));
        for after in parameters {
            let rest = after.trim_start_matches(|letter: char| letter.is_ascii_digit());
            if !rest.starts_with("::") {
                faults.push(format!("{}: ${}", source.path, after.lines().next().unwrap_or_default()));
            }
        }
        let words = ["LIMIT $", "OFFSET $", "FETCH FIRST $", " AS each", " each ", " AS q,", " AS q\n"];
        faults.extend(words.iter().filter(|word| code.contains(**word)).map(|word| format!("{}: {word}", source.path)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn wire_types_stop_at_the_border() {
    absent(&["crate::proto", "tfplugin6"], |source| {
        !source.is_below(&["src/wire/", "src/server/", "src/plugin/", "src/proto.rs", "src/main.rs"])
    });
}

#[test]
fn postgres_and_aws_know_nothing_of_terraform_and_keep_their_drivers_to_themselves() {
    absent(&["crate::terraform"], |source| {
        source.is_below(&["src/postgres/", "src/rds/", "src/aws/", "src/catalogue/", "src/cluster/"])
    });
    absent(&["tokio_postgres"], |source| !source.is_below(&["src/postgres/"]));
    absent(&["aws_sdk_", "aws_config"], |source| !source.is_below(&["src/rds/", "src/aws/"]));
    absent(&["crate::aws", "crate::rds"], |source| source.is_below(&["src/postgres/"]));
}

#[test]
fn every_resource_is_registered_and_has_a_folder() {
    for name in resources() {
        assert!(root().join(format!("src/resource/{name}/mod.rs")).is_file(), "{name} has no folder");
    }
    for source in provider().iter().filter(|source| source.code().contains("impl Managed for")) {
        let folder = source.resource().unwrap_or_default();
        assert!(is_resource(folder), "{} is not registered", source.path);
    }
}

#[test]
fn no_resource_imports_another() {
    let resource_of = |path: &str| Source { path: path.to_owned(), text: String::new() }.resource().map(str::to_owned);
    let mut faults = Vec::new();
    for (importer, imported) in &Crate::read(&sources("src")).imports() {
        // Code that several resources share is in a folder below src/resource/ too, and knows none of them.
        let Some(folder) = resource_of(importer) else { continue };
        let others = imported.keys().filter(|path| resource_of(path).is_some_and(|other| other != folder && is_resource(&other)));
        faults.extend(others.map(|path| format!("{importer} imports {path}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn statements_are_written_in_one_place_a_resource() {
    absent(&["Statement::new("], |source| !source.is_named(&["statement.rs"]));
}

#[test]
fn secrets_are_exposed_only_where_they_leave_the_process() {
    let allowed = [
        "src/terraform/attribute.rs",
        "src/postgres/connect.rs",
        "src/postgres/statement.rs",
        "src/postgres/scram.rs",
        "src/aws/secret.rs",
        "src/aws/session.rs",
    ];
    absent(&[".expose()"], |source| !source.is_below(&allowed));
}

#[test]
fn every_module_says_what_lives_there_and_stays_small() {
    for source in sources("src").into_iter().chain(sources("acceptance-tests")) {
        assert!(source.is_test() || source.text.starts_with("//!"), "{} does not open with //!", source.path);
        let lines = source.text.lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", source.path);
        assert!(
            !source.is_named(&["utils.rs", "util.rs", "common.rs", "types.rs", "helpers.rs", "misc.rs"]),
            "{} has a name that says nothing",
            source.path
        );
    }
}

#[test]
fn no_room_imports_one_that_stands_above_it() {
    // The narrowest room counts: a folder may have its own room inside a larger one.
    let room = |path: &str| {
        let rooms = FLOORS.iter().enumerate().flat_map(|(floor, rooms)| rooms.iter().map(move |room| (floor, *room)));
        rooms.filter(|(_, room)| path.starts_with(room)).max_by_key(|(_, room)| room.len())
    };
    let mut faults = Vec::new();
    for (importer, imported) in &Crate::read(&sources("src")).imports() {
        let Some((floor, from)) = room(importer) else {
            faults.push(format!("{importer} is in no room"));
            continue;
        };
        // The names of resources are in the mod.rs of the folder, which only re-exports them.
        let above = imported.keys().filter(|path| room(path).is_some_and(|(above, to)| to != from && above >= floor));
        faults.extend(above.map(|path| format!("{importer} imports {path}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_file_imports_in_a_circle() {
    if let Some(circle) = shortest_circle(&Crate::read(&sources("src")).imports()) {
        panic!("{circle}");
    }
}
