//! What a file declares and what it names: its modules, its `use` declarations, the paths in its code. Test code does not count.

use std::collections::BTreeSet;
use std::iter::Peekable;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// `a::b::c`, as it is written.
pub(super) type Path = Vec<String>;

/// A name imported by a `use` declaration.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Use {
    /// The module that contains the declaration.
    pub(super) module: Path,
    /// What is imported; ends with `*` for everything.
    pub(super) target: Path,
    /// Its name from then on.
    pub(super) name: String,
    /// Whether it is re-exported.
    pub(super) is_public: bool,
}

/// A file as its tokens describe it.
#[derive(Debug, Default)]
pub(super) struct File {
    /// Modules with files of their own.
    pub(super) children: BTreeSet<String>,
    pub(super) uses: Vec<Use>,
    /// Paths outside of `use` declarations, each with the module that contains it.
    pub(super) paths: Vec<(Path, Path)>,
    /// All words outside of `use` declarations.
    pub(super) words: BTreeSet<String>,
}

impl File {
    /// Reads the file of a module.
    pub(super) fn read(text: &str, module: &[String]) -> Self {
        let mut file = Self::default();
        file.walk(text.parse().expect("the file compiles"), module);
        file
    }

    fn walk(&mut self, tokens: TokenStream, module: &[String]) {
        let mut tokens = tokens.into_iter().peekable();
        let mut is_public = false;
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let Some(TokenTree::Group(attribute)) = tokens.next_if(is_bracketed) else { continue };
                    if attribute.stream().to_string().replace(' ', "") == "cfg(test)" {
                        skip_item(&mut tokens);
                    }
                    self.walk(attribute.stream(), module);
                }
                TokenTree::Ident(word) if word == "pub" => {
                    tokens
                        .next_if(|token| matches!(token, TokenTree::Group(scope) if scope.delimiter() == Delimiter::Parenthesis));
                    is_public = true;
                    continue;
                }
                // `impl Trait + use<>` is no declaration.
                TokenTree::Ident(word) if word == "use" && !tokens.peek().is_some_and(|token| is_punct(token, '<')) => {
                    let declared = tokens.by_ref().take_while(|token| !is_punct(token, ';')).collect::<TokenStream>();
                    self.declare(declared, Vec::new(), module, is_public);
                }
                TokenTree::Ident(word) if word == "mod" => self.enter(&mut tokens, module),
                TokenTree::Ident(word) => {
                    let path = rest_of_path(word.to_string(), &mut tokens);
                    self.words.extend(path.iter().cloned());
                    self.paths.push((module.to_vec(), path));
                }
                // `::std` and `<T as Trait>::name` begin outside of the crate, or with a type.
                TokenTree::Punct(_) if begins_separator(&token) => {
                    tokens.next();
                    if tokens.next_if(|token| matches!(token, TokenTree::Ident(_))).is_some() {
                        rest_of_path(String::new(), &mut tokens);
                    }
                }
                TokenTree::Group(group) => self.walk(group.stream(), module),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            is_public = false;
        }
    }

    /// `mod name;` or `mod name { ... }`.
    fn enter(&mut self, tokens: &mut Peekable<IntoIter>, module: &[String]) {
        let Some(TokenTree::Ident(name)) = tokens.next_if(|token| matches!(token, TokenTree::Ident(_))) else { return };
        match tokens.next_if(|token| matches!(token, TokenTree::Group(_))) {
            Some(TokenTree::Group(inside)) => {
                self.walk(inside.stream(), &module.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>());
            }
            _ => {
                self.children.insert(name.to_string());
            }
        }
    }

    /// The tokens between `use` and the semicolon, with `before` in front.
    fn declare(&mut self, tree: TokenStream, before: Path, module: &[String], is_public: bool) {
        let mut target = before.clone();
        let mut name = None;
        let mut tokens = tree.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(word) if word == "as" => name = tokens.next().map(|alias| alias.to_string()),
                TokenTree::Ident(word) => target.push(word.to_string()),
                TokenTree::Punct(punct) if punct.as_char() == '*' => target.push("*".to_owned()),
                TokenTree::Punct(punct) if punct.as_char() == ',' => {
                    self.bring_in(std::mem::replace(&mut target, before.clone()), name.take(), module, is_public);
                }
                TokenTree::Group(group) => {
                    self.declare(group.stream(), std::mem::replace(&mut target, before.clone()), module, is_public);
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
        if target.len() > before.len() {
            self.bring_in(target, name, module, is_public);
        }
    }

    fn bring_in(&mut self, mut target: Path, name: Option<String>, module: &[String], is_public: bool) {
        if target.len() > 1 && target.last().is_some_and(|last| last == "self") {
            target.pop();
        }
        let Some(last) = target.last() else { return };
        let name = name.unwrap_or_else(|| last.clone());
        self.uses.push(Use { module: module.to_vec(), target, name, is_public });
    }
}

fn is_punct(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn is_bracketed(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
}

/// `::`
fn begins_separator(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':' && punct.spacing() == Spacing::Joint)
}

/// To the semicolon or the closing brace.
fn skip_item(tokens: &mut Peekable<IntoIter>) {
    for token in tokens.by_ref() {
        if is_punct(&token, ';') || matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace) {
            return;
        }
    }
}

/// `first::second::third`, as far as it is one path of names.
fn rest_of_path(first: String, tokens: &mut Peekable<IntoIter>) -> Path {
    let mut path = vec![first];
    while tokens.next_if(begins_separator).is_some() {
        tokens.next();
        match tokens.next_if(|token| matches!(token, TokenTree::Ident(_))) {
            Some(name) => path.push(name.to_string()),
            None => break,
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> File {
        File::read(text, &["home".to_owned()])
    }

    fn path(text: &str) -> Path {
        text.split("::").map(str::to_owned).collect()
    }

    #[test]
    fn reads_what_is_declared_and_named() {
        let file = read(
            "use crate::a::{self, b::C as D, e::*}; pub(crate) use f::G; mod child; \
             fn x() -> impl Y + use<> { super::h::I::<J>::new(k::l!()) }",
        );
        let uses: Vec<_> = file.uses.iter().map(|one| (one.target.join("::"), one.name.as_str(), one.is_public)).collect();
        assert_eq!(
            uses,
            [
                ("crate::a".to_owned(), "a", false),
                ("crate::a::b::C".to_owned(), "D", false),
                ("crate::a::e::*".to_owned(), "*", false),
                ("f::G".to_owned(), "G", true)
            ]
        );
        assert_eq!(file.children.iter().collect::<Vec<_>>(), ["child"]);
        let named = |wanted: &str| file.paths.iter().any(|(_, named)| *named == path(wanted));
        assert!(named("super::h::I") && named("k::l") && named("J") && !named("new"));
    }

    #[test]
    fn tests_comments_and_texts_name_nothing() {
        let file = read(
            "/// [`crate::a`]\n#[cfg(test)] use crate::b; #[cfg(test)] mod tests { use crate::c; } \
             const X: &str = \"crate::d\"; // crate::e",
        );
        assert!(file.uses.is_empty() && file.children.is_empty());
        assert!(!file.paths.iter().any(|(_, path)| path[0] == "crate"));
    }

    #[test]
    fn attributes_and_macros_name_what_stands_in_them() {
        let file = read(
            "#[error(\"{}\", crate::a::B)] struct S; macro_rules! m { () => { $crate::c::D } } mod inner { fn x(_: super::E) {} }",
        );
        let named = |module: &str, wanted: &str| file.paths.contains(&(path(module), path(wanted)));
        assert!(named("home", "crate::a::B") && named("home", "crate::c::D") && named("home::inner", "super::E"));
    }
}
