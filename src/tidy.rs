//! The architecture's invariants as tests: what lives where, and what is deliberately absent.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest file that still has one subject.
const LONGEST_FILE: usize = 600;

struct Source {
    /// Path below the repository's root, with forward slashes.
    path: String,
    text: String,
}

impl Source {
    /// The code: without comments, and without the tests at the end of the file.
    fn code(&self) -> String {
        let code = self.text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    }

    fn is_below(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }

    fn is_named(&self, names: &[&str]) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        names.contains(&name)
    }

    /// `plan/tests.rs` and the like.
    fn is_test(&self) -> bool {
        self.is_named(&["tests.rs", "tidy.rs", "fuzz.rs"]) || self.path.contains("/tests/")
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                found.push(Source { text: fs::read_to_string(&path).unwrap(), path: relative });
            }
        }
    }
    assert!(!found.is_empty(), "no sources below {folder}");
    found
}

/// Checks every source of the provider that `concerns` picks; none may contain one of `words`.
#[track_caller]
fn absent(words: &[&str], concerns: impl Fn(&Source) -> bool) {
    let mut faults = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_test() && concerns(source)) {
        let code = source.code();
        faults.extend(words.iter().filter(|word| code.contains(**word)).map(|word| format!("{}: {word}", source.path)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn decisions_are_pure() {
    let pure_folders = ["src/terraform/", "src/wire/", "src/server/self_check/"];
    let pure_files = [
        "schema.rs",
        "model.rs",
        "plan.rs",
        "diff.rs",
        "check.rs",
        "state.rs",
        "statement.rs",
        "request.rs",
        "refuse.rs",
        "undo.rs",
        "notice.rs",
        "outputs.rs",
        "needed.rs",
        "removal.rs",
        "operation.rs",
        "observed.rs",
        "message.rs",
        "plan_pipeline.rs",
        "postgres_settings.rs",
        "login_plan.rs",
        "outage.rs",
        "aws_settings.rs",
        "identifier.rs",
        "version.rs",
    ];
    let effects = ["async ", ".await", "tokio::", "Instant::now", "SystemTime", "std::env", "std::fs"];
    absent(&effects, |source| source.is_below(&pure_folders) || source.is_named(&pure_files));
}

#[test]
fn wire_types_stop_at_the_border() {
    absent(&["crate::proto", "tfplugin6"], |source| {
        !source.is_below(&["src/wire/", "src/server/", "src/plugin/", "src/proto.rs", "src/main.rs"])
    });
}

#[test]
fn postgres_and_aws_know_nothing_of_terraform_and_keep_their_drivers_to_themselves() {
    let above = ["crate::terraform", "crate::wire", "crate::resource", "crate::provider", "crate::server"];
    absent(&above, |source| source.is_below(&["src/postgres/", "src/rds/", "src/aws/"]));
    absent(&["tokio_postgres"], |source| !source.is_below(&["src/postgres/"]));
    absent(&["aws_sdk_", "aws_config"], |source| !source.is_below(&["src/rds/", "src/aws/"]));
    absent(&["crate::aws", "crate::rds"], |source| source.is_below(&["src/postgres/"]));
}

#[test]
fn no_resource_imports_another() {
    for resource in ["publication", "replication_user", "aurora_source"] {
        let others = ["publication", "replication_user", "aurora_source"].into_iter().filter(|other| *other != resource);
        let imports: Vec<String> = others.map(|other| format!("resource::{other}")).collect();
        let imports: Vec<&str> = imports.iter().map(String::as_str).collect();
        absent(&imports, |source| source.is_below(&[&format!("src/resource/{resource}/")]));
    }
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
fn every_resource_has_its_page_its_example_and_its_acceptance_test() {
    for handler in crate::server::handler::type_names() {
        let name = handler.trim_start_matches("clickpipes_");
        let page = root().join(format!("docs/resources/{name}.md"));
        let example = root().join(format!("examples/resources/{handler}/resource.tf"));
        let test = root().join(format!("acceptance-tests/tests/{name}.rs"));
        let folder = root().join(format!("acceptance-tests/tests/{name}"));
        assert!(page.is_file(), "{} is missing", page.display());
        assert!(example.is_file(), "{} is missing", example.display());
        assert!(test.is_file() || folder.is_dir(), "{} is missing", test.display());
    }
}
