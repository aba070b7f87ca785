//! A real PgBouncer in front of a server: that of the machine, or Debian's package, which is taken apart and not installed.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::core_client::DEADLINE;
use crate::postgres_server::identity::{Identity, run};
use crate::postgres_server::{cache_folder, free_port, quoted};

const PROGRAM: &str = "pgbouncer";

/// The program, and where its libraries are if they do not belong to the machine.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    libraries: Option<PathBuf>,
    /// Major and minor version.
    pub version: (u32, u32),
}

impl Program {
    /// That of the machine or of an earlier download, else that of Debian's package. If there is none, standard error says
    /// `not run: PgBouncer: <reason>`, which bypasses the test harness.
    #[must_use]
    pub fn locate() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
        let folder = cache_folder().join(PROGRAM);
        let mut found = folders.filter_map(|folder| Self::probe(folder.join(PROGRAM), None));
        let of_machine = found.next().or_else(|| Self::taken_apart(&folder));
        of_machine.or_else(|| match fetch(&folder) {
            Ok(()) => Self::taken_apart(&folder),
            Err(reason) => {
                use std::io::Write as _;
                let _ = writeln!(std::io::stderr(), "not run: PgBouncer: it is not on this machine: {reason:#}");
                None
            }
        })
    }

    fn taken_apart(folder: &Path) -> Option<Self> {
        Self::probe(folder.join("usr/sbin").join(PROGRAM), Some(folder.join("libraries")))
    }

    fn probe(path: PathBuf, libraries: Option<PathBuf>) -> Option<Self> {
        let mut program = Self { path, libraries, version: (0, 0) };
        if !program.path.exists() {
            return None;
        }
        let said = run(program.command(Identity::current().ok()?).arg("--version")).ok()?;
        let mut numbers = said.lines().next()?.rsplit(' ').next()?.split('.').map(|number| number.parse().ok());
        program.version = (numbers.next()??, numbers.next()??);
        Some(program)
    }

    fn command(&self, identity: Identity) -> Command {
        let mut command = identity.command(&self.path);
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }
}

/// Takes Debian's package and what it needs beyond this machine's packages apart into a folder.
fn fetch(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(cache_folder())?;
    let work = tempfile::tempdir_in(cache_folder()).context("creating a folder for packages")?;
    let (archives, parts) = (work.path().join("archives"), work.path().join("parts"));
    std::fs::create_dir_all(archives.join("partial"))?;
    let to = format!("Dir::Cache::archives={}", archives.display());
    let download = || {
        let mut apt = Command::new("apt-get");
        run(apt.args(["install", "--download-only", "--no-install-recommends", "-y", "-q", "-o", &to, PROGRAM]))
    };
    if download().is_err() {
        run(Command::new("apt-get").args(["update", "-q"]))?;
        download()?;
    }
    for entry in std::fs::read_dir(&archives)?.flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg").arg("-x").arg(entry.path()).arg(&parts))?;
        }
    }
    // The name of the folder depends on the architecture.
    let libraries = std::fs::read_dir(parts.join("usr/lib")).into_iter().flatten().flatten().map(|entry| entry.path());
    let libraries = libraries.filter(|path| path.to_string_lossy().ends_with("-linux-gnu")).max();
    std::fs::create_dir_all(parts.join("libraries"))?;
    for library in libraries.iter().flat_map(std::fs::read_dir).flatten().flatten() {
        std::fs::rename(library.path(), parts.join("libraries").join(library.file_name()))?;
    }
    std::fs::rename(&parts, folder).with_context(|| format!("moving it to {}", folder.display()))
}

/// A running PgBouncer. It ends when this value is dropped or this process dies.
#[derive(Debug)]
pub struct PgBouncer {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    folder: PathBuf,
}

impl PgBouncer {
    /// Pools one connection to a database of a server, for every client that asks for it, without a password. `settings` are lines
    /// of its section `[pgbouncer]`.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(program: &Program, port: u16, database: &str, (user, password): (&str, &str), settings: &str) -> Result<Self> {
        let identity = Identity::current()?;
        let folder = identity.temporary_folder()?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let file = folder.join("pgbouncer.ini");
        let text = format!(
            "[databases]\n{database} = host=127.0.0.1 port={port} dbname={database} user={user} password={}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\nunix_socket_dir =\nauth_type = any\ndefault_pool_size = 1\n\
             logfile = {}\n{settings}\n",
            quoted(password, '\''),
            address.port(),
            folder.join("log").display(),
        );
        identity.write(&file, &text, 0o600)?;
        // The shell ends it as soon as nobody holds the other end of its standard input.
        let mut command = identity.command(Path::new("/bin/sh"));
        if let Some(libraries) = &program.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command.args(["-c", "\"$0\" -q \"$1\" & cat; kill $!"]).arg(&program.path).arg(&file);
        let child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("starting a shell")?;
        let pooler = Self { address, child, folder };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            let log = std::fs::read_to_string(pooler.folder.join("log")).unwrap_or_default();
            ensure!(started.elapsed() < DEADLINE, "PgBouncer does not listen: {log}");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(pooler)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
