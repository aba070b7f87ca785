//! Which platform a package is for, in the words of rustc and in those of Terraform.

use anyhow::{Context as _, Result, bail};

/// A platform that the provider is published for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// As rustc names it: `x86_64-unknown-linux-gnu`.
    pub target: String,
    /// As Terraform names it: `linux_amd64`.
    pub label: String,
}

impl Platform {
    /// Reads rustc's name.
    ///
    /// # Errors
    /// If the provider is not published for it.
    pub fn of(target: &str) -> Result<Self> {
        let system = match target {
            target if target.contains("-linux-gnu") || target.contains("-linux-musl") => "linux",
            target if target.ends_with("-apple-darwin") => "darwin",
            _ => bail!("the provider is published for Linux and macOS, not for {target}"),
        };
        let processor = match target.split_once('-').context("no platform")?.0 {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => bail!("the provider is published for x86_64 and aarch64, not for {other}"),
        };
        Ok(Self { target: target.to_owned(), label: format!("{system}_{processor}") })
    }

    /// The one that rustc builds for by default, from the output of `rustc -vV`.
    ///
    /// # Errors
    /// As [`Platform::of`].
    pub fn of_host(rustc: &str) -> Result<Self> {
        let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not say its platform")?;
        Self::of(host)
    }

    /// Whether a binary can contain the C library, instead of loading that of the system.
    #[must_use]
    pub fn links_c_library(&self) -> bool {
        self.label.starts_with("linux_")
    }

    /// Whether this one does. An ELF file that loads libraries names the program that does so.
    pub(super) fn is_static(&self, program: &[u8]) -> bool {
        self.links_c_library() && !program.windows(8).take(64 << 10).any(|bytes| bytes == b"/ld-linu" || bytes == b"/ld-musl")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_have_the_names_that_terraform_looks_for() -> Result<()> {
        for (target, label) in [
            ("x86_64-unknown-linux-gnu", "linux_amd64"),
            ("aarch64-unknown-linux-gnu", "linux_arm64"),
            ("x86_64-unknown-linux-musl", "linux_amd64"),
            ("x86_64-apple-darwin", "darwin_amd64"),
            ("aarch64-apple-darwin", "darwin_arm64"),
        ] {
            assert_eq!(Platform::of_host(&format!("release: 1.94.1\nhost: {target}\n"))?.label, label);
        }
        for target in ["x86_64-pc-windows-msvc", "riscv64gc-unknown-linux-gnu", "x86_64-unknown-freebsd"] {
            assert!(Platform::of(target).is_err(), "{target}");
        }
        Ok(())
    }

    #[test]
    fn a_program_that_names_a_loader_is_not_static() -> Result<()> {
        let linux = Platform::of("x86_64-unknown-linux-gnu")?;
        assert!(!linux.is_static(b"\x7fELF....../lib64/ld-linux-x86-64.so.2\0"));
        assert!(linux.is_static(b"\x7fELF.............."));
        assert!(!Platform::of("aarch64-apple-darwin")?.is_static(b"..............."));
        Ok(())
    }
}
