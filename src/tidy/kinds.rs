//! Everything that is registered, of any kind, has its page, its example, its rules and its test; and everything that is written
//! is registered.

use std::collections::BTreeSet;
use std::fs;

use super::sources::{provider, root};
use crate::server::handler::{ACTIONS, DATA_SOURCES, EPHEMERALS, FUNCTIONS, LISTS, Named, RESOURCES};

/// A kind of the protocol.
pub(super) struct Kind {
    /// Its folder in `src/`, and that of its rules in `acceptance-tests/fixtures/`.
    room: &'static str,
    /// Its folder in `docs/` and in `examples/`, as the Registry calls it.
    public: &'static str,
    /// The example's file.
    example: &'static str,
    /// The trait that its inhabitants implement.
    contract: &'static str,
    /// What is registered.
    names: Vec<&'static str>,
}

fn names<H: Named + ?Sized>(all: &'static [&'static H]) -> Vec<&'static str> {
    all.iter().map(|one| one.name()).collect()
}

/// Every kind but state stores, which are not offered.
fn kinds() -> [Kind; 6] {
    let kind = |room, public, example, contract, names| Kind { room, public, example, contract, names };
    [
        kind("resource", "resources", "resource.tf", "Managed", names(RESOURCES)),
        kind("data_source", "data-sources", "data-source.tf", "DataSource", names(DATA_SOURCES)),
        kind("function", "functions", "function.tf", "Function", names(FUNCTIONS)),
        kind("ephemeral", "ephemeral-resources", "ephemeral-resource.tf", "Ephemeral", names(EPHEMERALS)),
        kind("list", "list-resources", "list-resource.tfquery.hcl", "List", names(LISTS)),
        kind("action", "actions", "action.tf", "Action", names(ACTIONS)),
    ]
}

fn short(name: &str) -> &str {
    name.trim_start_matches("clickpipes_")
}

/// What every inhabitant of a kind has outside of `src/`: its page, the handwritten part of the page, its example, its rules.
fn belongings(kind: &Kind, name: &str) -> Vec<String> {
    let Kind { room, public, example, .. } = kind;
    let rules = if *room == "resource" { "life" } else { room };
    vec![
        format!("docs/{public}/{}.md", short(name)),
        format!("docs/templates/{public}/{}.md", short(name)),
        format!("examples/{public}/{name}/{example}"),
        format!("acceptance-tests/fixtures/{rules}/{name}.json"),
    ]
}

/// Where an inhabitant may be.
fn homes(kind: &Kind, name: &str) -> [String; 2] {
    [format!("src/{}/{}.rs", kind.room, short(name)), format!("src/{}/{}/mod.rs", kind.room, short(name))]
}

#[test]
fn every_inhabitant_has_its_page_its_example_and_its_rules() {
    let mut missing = Vec::new();
    for kind in kinds() {
        for name in &kind.names {
            missing.extend(belongings(&kind, name).into_iter().filter(|path| !root().join(path).is_file()));
        }
    }
    assert!(missing.is_empty(), "missing (cargo docs writes the pages in docs/):\n{}", missing.join("\n"));
}

#[test]
fn nothing_is_left_of_an_inhabitant_that_is_gone() {
    let mut strangers = Vec::new();
    for kind in kinds() {
        let expected: BTreeSet<String> = kind.names.iter().flat_map(|name| belongings(&kind, name)).collect();
        // An example has its own folder, which may hold more than one file.
        let examples = kind.names.iter().map(|name| format!("examples/{}/{name}", kind.public));
        let expected: BTreeSet<String> = expected.into_iter().chain(examples).collect();
        let rules = if kind.room == "resource" { "life" } else { kind.room };
        for folder in [
            format!("docs/{}", kind.public),
            format!("docs/templates/{}", kind.public),
            format!("examples/{}", kind.public),
            format!("acceptance-tests/fixtures/{rules}"),
        ] {
            let Ok(files) = fs::read_dir(root().join(&folder)) else { continue };
            let paths = files.map(|file| format!("{folder}/{}", file.unwrap().file_name().to_string_lossy()));
            strangers.extend(paths.filter(|path| !expected.contains(path)));
        }
    }
    assert!(strangers.is_empty(), "belongs to nothing registered:\n{}", strangers.join("\n"));
}

#[test]
fn what_implements_a_contract_is_registered() {
    let mut faults = Vec::new();
    for kind in kinds() {
        let inhabited: BTreeSet<String> = kind.names.iter().flat_map(|name| homes(&kind, name)).collect();
        let opening = format!("impl {} for ", kind.contract);
        for source in provider() {
            let written = source.text.lines().filter_map(|line| line.strip_prefix(&opening)?.strip_suffix(" {"));
            let strangers = written.filter(|_| !inhabited.contains(&source.path));
            faults.extend(strangers.map(|name| format!("{}: {name} is not registered in src/{}/mod.rs", source.path, kind.room)));
        }
        let homeless = kind.names.iter().filter(|name| !homes(&kind, name).into_iter().any(|home| root().join(home).is_file()));
        faults.extend(homeless.map(|name| format!("{name} is in none of {}", homes(&kind, name).join(", "))));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// For the other kinds, the rules are the test that each inhabitant must have.
#[test]
fn every_resource_has_an_acceptance_test() {
    for name in names(RESOURCES) {
        let tests = root().join("acceptance-tests/tests");
        let of_its_own = [format!("{}.rs", short(name)), short(name).to_owned()];
        assert!(of_its_own.iter().any(|path| tests.join(path).exists()), "{name} has none of {of_its_own:?}");
    }
}
