//! Which file imports from which: names resolved to the files that define them, and the cycles among files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::reader::{File, Path, Use};
use super::sources::Source;

/// The crate's modules, each with the contents of its file.
#[derive(Debug, Default)]
pub(super) struct Crate {
    modules: BTreeMap<Path, Module>,
}

#[derive(Debug)]
struct Module {
    path: String,
    file: File,
}

/// What one file imports from others: the names, by file.
pub(super) type Imports = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

impl Crate {
    /// Follows the `mod` declarations from the root on, so that test files stay out.
    pub(super) fn read(sources: &[Source]) -> Self {
        let mut found = Self::default();
        let mut ahead = vec![Path::new()];
        while let Some(module) = ahead.pop() {
            let place = module.join("/");
            let names = match module.is_empty() {
                true => vec!["src/lib.rs".to_owned()],
                false => vec![format!("src/{place}.rs"), format!("src/{place}/mod.rs")],
            };
            let source = sources.iter().find(|source| names.contains(&source.path));
            let source = source.unwrap_or_else(|| panic!("no file of the module {place}"));
            let file = File::read(&source.text, &module);
            ahead.extend(file.children.iter().map(|child| module.iter().chain([child]).cloned().collect()));
            found.modules.insert(module, Module { path: source.path.clone(), file });
        }
        found
    }

    /// The imports of every file. A re-exported name counts as an import from the file that defines it, and only for files that
    /// use it.
    pub(super) fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for Module { path, file } in self.modules.values() {
            let mut take = |from: &Path, named: &Path| {
                for (definer, name) in self.resolve(from, named, &mut Vec::new()) {
                    if definer != *path {
                        imports.entry(path.clone()).or_default().entry(definer).or_default().insert(name);
                    }
                }
            };
            for declared in file.uses.iter().filter(|declared| !declared.is_public || file.words.contains(&declared.name)) {
                take(&declared.module, &declared.target);
            }
            for (module, named) in file.paths.iter().filter(|(_, named)| named.len() > 1) {
                take(module, named);
            }
        }
        imports
    }

    /// The files that define what a path names, seen from a module. A path to a module itself imports nothing yet: what is used
    /// through it is named elsewhere. `open` are the declarations in progress: an imported name may equal the name of its module.
    fn resolve<'a>(&'a self, from: &[String], named: &[String], open: &mut Vec<&'a Use>) -> Vec<(String, String)> {
        match named.iter().position(|step| !matches!(step.as_str(), "crate" | "self" | "super")) {
            Some(0) => self.brought_in(from, named, open),
            Some(length) => {
                let (steps, named) = named.split_at(length);
                let ups = steps.iter().filter(|step| *step == "super").count();
                let base = if steps[0] == "crate" { &[] } else { &from[..from.len().saturating_sub(ups)] };
                self.descend(base, named, open)
            }
            None => Vec::new(),
        }
    }

    /// What `named` is inside a module: something of a child, something imported, or else something that the file defines.
    fn descend<'a>(&'a self, module: &[String], named: &[String], open: &mut Vec<&'a Use>) -> Vec<(String, String)> {
        let Some(name) = named.first() else { return Vec::new() };
        let found = self.brought_in(module, named, open);
        let is_child = self.modules.get(module).is_some_and(|module| module.file.children.contains(name));
        if found.is_empty() && !is_child { self.defined_in(module, name) } else { found }
    }

    fn brought_in<'a>(&'a self, module: &[String], named: &[String], open: &mut Vec<&'a Use>) -> Vec<(String, String)> {
        let Some(Module { file, .. }) = self.modules.get(module) else { return Vec::new() };
        let (name, rest) = named.split_first().expect("a path has a name");
        let mut found = Vec::new();
        if file.children.contains(name) {
            let child: Path = module.iter().chain([name]).cloned().collect();
            found.extend(self.descend(&child, rest, open));
        }
        for declared in file.uses.iter().filter(|declared| declared.name == *name && declared.module == module) {
            // A module and a function may share a name; a path that goes on goes through the module.
            let is_module = !rest.is_empty() && !found.is_empty();
            if !is_module && !open.contains(&declared) {
                let target: Path = declared.target.iter().chain(rest).cloned().collect();
                open.push(declared);
                found.extend(self.resolve(module, &target, open));
                open.pop();
            }
        }
        found
    }

    /// The file of a module; for an inline module, the file of the module around it.
    fn defined_in(&self, module: &[String], name: &str) -> Vec<(String, String)> {
        let around = (0..=module.len()).rev().find_map(|length| self.modules.get(&module[..length]));
        around.map(|module| (module.path.clone(), name.to_owned())).into_iter().collect()
    }
}

/// The shortest way from a file back to itself, as `a.rs -> b.rs (names) -> a.rs (names)`.
pub(super) fn shortest_circle(imports: &Imports) -> Option<String> {
    let circles = imports.keys().filter_map(|start| way_back(imports, start));
    let shortest = circles.min_by_key(Vec::len)?;
    let steps = shortest.windows(2).map(|step| {
        let names: Vec<&str> = imports[step[0]][step[1]].iter().map(String::as_str).collect();
        format!(" -> {} ({})", step[1], names.join(", "))
    });
    Some(format!("{}{}", shortest[0], steps.collect::<String>()))
}

fn way_back<'a>(imports: &'a Imports, start: &'a str) -> Option<Vec<&'a str>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut ahead = VecDeque::from([start]);
    while let Some(file) = ahead.pop_front() {
        for next in imports.get(file).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut way = vec![start, file];
                let mut last = file;
                while last != start {
                    last = came_from[last];
                    way.push(last);
                }
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(next.as_str()) {
                came_from.insert(next, file);
                ahead.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(files: &[(&str, &str)]) -> Imports {
        let source = |(path, text): &(&str, &str)| Source { path: format!("src/{path}"), text: (*text).to_owned() };
        Crate::read(&files.iter().map(source).collect::<Vec<_>>()).imports()
    }

    fn taken<'a>(imports: &'a Imports, from: &str) -> Vec<(&'a str, Vec<&'a str>)> {
        let of = imports.get(from).into_iter().flatten();
        of.map(|(path, names)| (path.as_str(), names.iter().map(String::as_str).collect())).collect()
    }

    #[test]
    fn a_face_is_no_import() {
        let found = imports(&[
            ("lib.rs", "mod room; mod other;"),
            ("room/mod.rs", "mod a; mod b; pub(crate) use a::{A, word}; pub use b::B;"),
            ("room/a.rs", "use super::B; pub struct A; macro_rules! word { () => {} } pub(crate) use word;"),
            ("room/b.rs", "pub struct B;"),
            ("other.rs", "use crate::room::{self, A, word}; fn x() { room::B::new() }"),
        ]);
        assert_eq!(taken(&found, "src/other.rs"), [("src/room/a.rs", vec!["A", "word"]), ("src/room/b.rs", vec!["B"])]);
        assert_eq!(taken(&found, "src/room/a.rs"), [("src/room/b.rs", vec!["B"])]);
        assert!(taken(&found, "src/room/mod.rs").is_empty() && shortest_circle(&found).is_none());
    }

    #[test]
    fn a_module_file_that_defines_what_its_children_import_and_uses_them_is_a_circle() {
        let found = imports(&[
            ("lib.rs", "mod room;"),
            ("room/mod.rs", "mod a; pub use a::A; pub struct Room(A);"),
            ("room/a.rs", "pub struct A; fn x(_: &super::Room) {}"),
        ]);
        let circle = "src/room/a.rs -> src/room/mod.rs (Room) -> src/room/a.rs (A)";
        assert_eq!(shortest_circle(&found).as_deref(), Some(circle));
    }

    #[test]
    fn the_shortest_circle_is_told() {
        let found = imports(&[
            ("lib.rs", "mod a; mod b; mod c; mod d; mod e;"),
            ("a.rs", "use crate::b::{B, Further};"),
            ("b.rs", "use crate::c::C;"),
            ("c.rs", "use crate::{a::A, d};  fn x() { d::run() }"),
            ("d.rs", "use super::e::E;"),
            ("e.rs", "fn x() { self::super::d::run() }"),
        ]);
        assert_eq!(shortest_circle(&found).as_deref(), Some("src/d.rs -> src/e.rs (E) -> src/d.rs (run)"));
    }

    #[test]
    fn tests_import_nothing() {
        let found = imports(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "pub struct A; #[cfg(test)] mod tests { use crate::b::B; } #[cfg(test)] use crate::b::B;"),
            ("b.rs", "use crate::a::A; #[cfg(test)] mod tests;"),
        ]);
        assert!(taken(&found, "src/a.rs").is_empty());
        assert_eq!(taken(&found, "src/b.rs"), [("src/a.rs", vec!["A"])]);
    }
}
