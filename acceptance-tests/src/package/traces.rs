//! What of the machine a binary tells: paths of the clone, of cargo's folder and of the compiler.

use anyhow::{Result, ensure};

/// Checks that none of these paths is in the binary.
///
/// # Errors
/// If one is; the message shows where.
pub(super) fn absent(program: &[u8], paths: &[String]) -> Result<()> {
    for path in paths {
        let found = program.windows(path.len()).position(|bytes| bytes == path.as_bytes());
        let around = found.map(|at| String::from_utf8_lossy(&program[at..program.len().min(at + path.len() + 60)]).into_owned());
        ensure!(around.is_none(), "the binary contains a path of this machine: {}", around.unwrap_or_default());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_machine_is_found() {
        let paths = ["/home/me/clone".to_owned(), "/home/me/.cargo".to_owned()];
        assert!(absent(b"\x7fELF /clone/src/main.rs", &paths).is_ok());
        let found = absent(b"\x7fELF /home/me/.cargo/registry", &paths).map_err(|error| error.to_string());
        assert_eq!(found.err().as_deref(), Some("the binary contains a path of this machine: /home/me/.cargo/registry"));
    }
}
