//! A zip archive whose bytes depend on its contents only.

use std::io::{Cursor, Write as _};

use anyhow::Result;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// One file of an archive.
pub(super) struct Member {
    name: String,
    mode: u32,
    bytes: Vec<u8>,
}

impl Member {
    /// A program, which everybody may run.
    pub(super) fn program(name: String, bytes: Vec<u8>) -> Self {
        Self { name, mode: 0o755, bytes }
    }

    pub(super) fn text(name: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), mode: 0o644, bytes }
    }
}

/// The archive, in the order given. Every member has the earliest time that the format knows.
pub(super) fn zip(members: &[Member]) -> Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for Member { name, mode, bytes } in members {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(*mode);
        archive.start_file(name.as_str(), options)?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use zip::ZipArchive;

    use super::*;

    #[test]
    fn members_keep_order_mode_and_content_and_have_no_time() -> Result<()> {
        let members = [Member::program("b_v1".to_owned(), b"program".to_vec()), Member::text("a.txt", b"text".to_vec())];
        let bytes = zip(&members)?;
        assert_eq!(bytes, zip(&members)?);
        let mut archive = ZipArchive::new(Cursor::new(bytes))?;
        for (index, member) in members.iter().enumerate() {
            let mut file = archive.by_index(index)?;
            assert_eq!(file.name()?, member.name);
            assert_eq!(file.unix_mode().map(|mode| mode & 0o777), Some(member.mode));
            assert_eq!(file.last_modified(), Some(DateTime::DEFAULT));
            let mut content = Vec::new();
            file.read_to_end(&mut content)?;
            assert_eq!(content, member.bytes);
        }
        Ok(())
    }
}
