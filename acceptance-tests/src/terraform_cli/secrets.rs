//! The search for secrets in everything that a run leaves behind.

use std::{
    fs::{self, File},
    io::Read as _,
    path::Path,
};

use anyhow::{Context as _, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use zip::ZipArchive;

/// Shorter texts appear in base64 by chance.
const SHORTEST: usize = 6;

pub(super) fn assert_absent<P: AsRef<Path>>(folder: &Path, secrets: &[&str], logs: &[P]) -> anyhow::Result<()> {
    let needles = secrets.iter().map(|secret| Needles::new(secret)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut searched = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".tfplan") {
            search_archive(&path, &needles)?;
        } else if name.contains(".tfstate") || name == "trace.log" {
            search_file(&path, &needles)?;
        } else {
            continue;
        }
        searched += 1;
    }
    ensure!(searched > 0, "nothing has been run yet: there is neither state, plan nor log to search");
    logs.iter().try_for_each(|log| search_file(log.as_ref(), &needles))
}

fn search_file(path: &Path, needles: &[Needles]) -> anyhow::Result<()> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    search(&path.display().to_string(), &bytes, needles)
}

/// A plan file contains the plan, the state before it and a copy of the configuration, each compressed.
fn search_archive(path: &Path, needles: &[Needles]) -> anyhow::Result<()> {
    let mut archive = ZipArchive::new(File::open(path)?).with_context(|| format!("{} is no archive", path.display()))?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.name()?.into_owned();
        if name.starts_with("tfconfig/") {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        search(&format!("{} in {}", name, path.display()), &bytes, needles)?;
    }
    Ok(())
}

fn search(place: &str, bytes: &[u8], needles: &[Needles]) -> anyhow::Result<()> {
    for (number, needles) in needles.iter().enumerate() {
        if let Some((offset, form)) = needles.find(bytes) {
            let line = bytes[..offset].iter().filter(|byte| **byte == b'\n').count() + 1;
            bail!("secret number {} stands in {place}, line {line}, {form}", number + 1);
        }
    }
    Ok(())
}

/// The forms in which one secret may be in a file.
struct Needles(Vec<(Vec<u8>, &'static str)>);

impl Needles {
    fn new(secret: &str) -> anyhow::Result<Self> {
        ensure!(secret.len() >= SHORTEST, "a secret of {} bytes turns up by chance: use a longer one", secret.len());
        let mut forms = vec![(secret.as_bytes().to_vec(), "plain")];
        let json = serde_json::to_string(secret)?;
        let json = json.trim_matches('"');
        if json != secret {
            forms.push((json.as_bytes().to_vec(), "escaped as in JSON"));
        }
        // Go escapes more than JSON requires.
        let go = json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
        if go != json {
            forms.push((go.into_bytes(), "escaped as in Go's JSON"));
        }
        // A state file contains a resource's private bytes in base64; the offset of the secret in a group of three is chance.
        for shift in 0..3 {
            let shifted = [vec![0; shift], secret.as_bytes().to_vec()].concat();
            let text = STANDARD_NO_PAD.encode(&shifted);
            let certain = (shift * 8).div_ceil(6)..shifted.len() * 8 / 6;
            forms.push((text[certain].as_bytes().to_vec(), "in base64"));
        }
        Ok(Self(forms))
    }

    fn find(&self, haystack: &[u8]) -> Option<(usize, &'static str)> {
        self.0.iter().find_map(|(needle, form)| position(haystack, needle).map(|offset| (offset, *form)))
    }
}

/// Looks for the first byte before it compares the rest: trace logs are long and tests are not optimised.
fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let (first, _) = needle.split_first()?;
    let mut start = 0;
    while let Some(offset) = haystack[start..].iter().position(|byte| byte == first) {
        start += offset;
        if haystack[start..].starts_with(needle) {
            return Some(start);
        }
        start += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "p<ss\"wörd";

    fn finds(text: &str) -> Option<&'static str> {
        Needles::new(SECRET).expect("long enough").find(text.as_bytes()).map(|(_, form)| form)
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        assert_eq!(finds("ALTER ROLE x PASSWORD 'p<ss\"wörd'"), Some("plain"));
        assert_eq!(finds(r#"{"password": "p<ss\"wörd"}"#), Some("escaped as in JSON"));
        assert_eq!(finds(r#"{"password": "p\u003css\"wörd"}"#), Some("escaped as in Go's JSON"));
        for before in ["", "a", "ab", "abc"] {
            let private = STANDARD_NO_PAD.encode(format!("{before}{SECRET}, and more"));
            assert_eq!(finds(&private), Some("in base64"), "after {before:?}");
        }
        assert_eq!(finds("p<ss"), None);
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(Needles::new("abc").is_err());
    }
}
