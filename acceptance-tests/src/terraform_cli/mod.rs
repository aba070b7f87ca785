//! Runs the real Terraform (or OpenTofu) against the provider built from this source, in a folder of its own.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use acceptance_tests::terraform_cli::Terraform;
//!
//! let tf = Terraform::new()?.with_env("PGPASSWORD", "admin's");
//! tf.write("main.tf", r#"resource "clickpipes_publication" "orders" { name = "orders" }"#)?;
//!
//! let plan = tf.plan().await?;
//! assert_eq!(plan.actions("clickpipes_publication.orders"), ["create"]);
//! println!("{:?}", plan.operations("clickpipes_publication.orders"));
//! tf.apply_plan(&plan).await?;
//! tf.assert_empty_plan().await?;
//!
//! let refusal = tf.run(["destroy", "-auto-approve"]).await?.failed()?;
//! assert!(refusal.message().contains("an active slot exists"));
//! tf.assert_no_secret(&["admin's"], &["/path/to/the/server.log"])?;
//! # Ok(())
//! # }
//! ```
//!
//! The provider is found through `dev_overrides`, so nothing is downloaded and there is no `init` (except for other providers,
//! see [`Terraform::init_from`]). Configurations name it by source `clickpipes/clickpipes`, and `required_providers` is written
//! for them. The caller's own Terraform, AWS and Postgres environment is not used. `TF_LOG=TRACE` is always on, into a file.

mod executable;
mod outcome;
mod plan;
mod secrets;
mod session;
mod version;

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::core_client::DEADLINE;
use crate::provider_binary;

pub use executable::find as executable;
pub use outcome::Outcome;
pub use plan::Plan;
pub use session::Session;
pub use version::{Feature, Version};

/// Maps the name in a configuration to the provider. Written into every workspace.
const REQUIRED_PROVIDERS: &str = r#"terraform {
  required_providers {
    clickpipes = {
      source = "clickpipes/clickpipes"
    }
  }
}
"#;

/// Variables of the caller's environment that must not reach terraform: they would change the test.
const FOREIGN: [&str; 4] = ["TF_", "AWS_", "PG", "CHECKPOINT_"];

/// A workspace: a folder with a configuration and its state, and the environment to run terraform in.
pub struct Terraform {
    folder: TempDir,
    executable: PathBuf,
    environment: BTreeMap<String, String>,
    plans: AtomicUsize,
}

impl Terraform {
    /// An empty workspace.
    ///
    /// # Errors
    /// If there is no terraform on this machine, or the provider does not build.
    pub fn new() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("clickpipes-terraform-").tempdir()?;
        let workspace = Self { executable: executable()?, environment: BTreeMap::new(), plans: AtomicUsize::new(0), folder };
        workspace.use_provider(provider_binary::path()?)?;
        workspace.write("required_providers.tf", REQUIRED_PROVIDERS)?;
        Ok(workspace)
    }

    /// Runs another build of the provider from now on.
    ///
    /// # Errors
    /// If Terraform's configuration cannot be written.
    pub fn use_provider(&self, binary: &Path) -> anyhow::Result<()> {
        let folder = binary.parent().context("the provider's binary is in no folder")?;
        let overrides = serde_json::to_string(folder)?;
        self.write_cli_configuration(&format!(
            "dev_overrides {{\n    \"clickpipes/clickpipes\" = {overrides}\n  }}\n  direct {{}}"
        ))
    }

    /// Lets configurations use other providers too, from this folder as a filesystem mirror, and installs those in the
    /// configuration. Ours then comes from its own mirror: `init` looks for overridden providers as well. Nothing is downloaded.
    ///
    /// # Errors
    /// If the mirror does not have the providers in the configuration.
    pub async fn init_from(&self, mirror: &Path) -> anyhow::Result<Outcome> {
        let version = self.run(["version", "-json"]).await?.succeeded()?.json()?;
        let platform = version["platform"].as_str().context("terraform does not say for which platform it is")?;
        let ours = self.folder().join("mirror");
        // A mirror's first level is the host of sources without one.
        let host = fs::read_dir(mirror)?.next().context("the mirror is empty")??.file_name();
        let package = format!("clickpipes/clickpipes/{}/{platform}", env!("CARGO_PKG_VERSION"));
        let package = ours.join(host).join(package);
        fs::create_dir_all(&package)?;
        let provider = provider_binary::path()?;
        std::os::unix::fs::symlink(provider, package.join(provider.file_name().context("the provider's binary has no name")?))?;
        let mirrors = [(ours.as_path(), "include"), (mirror, "exclude")].map(|(path, kind)| {
            Ok(format!(
                "filesystem_mirror {{\n    path = {}\n    {kind} = [\"clickpipes/*\"]\n  }}",
                serde_json::to_string(path)?
            ))
        });
        let mirrors = mirrors.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
        self.write_cli_configuration(&mirrors.join("\n  "))?;
        self.run(["init", "-no-color", "-input=false"]).await?.succeeded()
    }

    fn write_cli_configuration(&self, installation: &str) -> anyhow::Result<()> {
        self.write("cli.tfrc", &format!("disable_checkpoint = true\nprovider_installation {{\n  {installation}\n}}\n"))
    }

    /// Sets an environment variable for every run from now on.
    #[must_use]
    pub fn with_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set_env(name, value);
        self
    }

    /// Sets an environment variable for every run from now on.
    pub fn set_env(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.environment.insert(name.into(), value.into());
    }

    /// Removes a variable that [`Terraform::set_env`] set.
    pub fn unset_env(&mut self, name: &str) {
        self.environment.remove(name);
    }

    /// The folder of the configuration and the state.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The trace log of all runs so far, including the provider's lines.
    pub fn log_path(&self) -> PathBuf {
        self.folder().join("trace.log")
    }

    /// Waits until the trace log contains this.
    ///
    /// # Errors
    /// If it does not appear in time.
    pub async fn until_logged(&self, text: &str) -> anyhow::Result<()> {
        let started = Instant::now();
        while !fs::read_to_string(self.log_path()).is_ok_and(|log| log.contains(text)) {
            anyhow::ensure!(started.elapsed() < DEADLINE, "never logged: {text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Writes a file of the configuration, replacing an older one; its folder is created.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.folder().join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Removes a file of the configuration.
    ///
    /// # Errors
    /// If it does not exist.
    pub fn remove(&self, name: &str) -> anyhow::Result<()> {
        let path = self.folder().join(name);
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))
    }

    /// Runs terraform with `arguments` to its end, successful or not.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> anyhow::Result<Outcome> {
        self.start(arguments)?.outcome().await
    }

    /// Starts terraform with `arguments`, to be interrupted or watched while it runs.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> anyhow::Result<Session> {
        let mut command = self.command();
        command.args(arguments);
        Session::start(command)
    }

    /// The version of Terraform.
    ///
    /// # Errors
    /// If it does not report one.
    pub async fn version(&self) -> anyhow::Result<Version> {
        let json = self.run(["version", "-json"]).await?.succeeded()?.json()?;
        Version::read(&json, &self.run(["version"]).await?.succeeded()?.stdout)
    }

    /// `terraform validate`.
    ///
    /// # Errors
    /// If the configuration is not valid.
    pub async fn validate(&self) -> anyhow::Result<Outcome> {
        self.run(["validate", "-no-color"]).await?.succeeded()
    }

    /// Plans into a file, for inspection and apply.
    ///
    /// # Errors
    /// If the plan fails.
    pub async fn plan(&self) -> anyhow::Result<Plan> {
        self.plan_with(&[]).await
    }

    /// Like [`Terraform::plan`], with more arguments, such as `-refresh-only` or `-destroy`.
    ///
    /// # Errors
    /// If the plan fails.
    pub async fn plan_with(&self, arguments: &[&str]) -> anyhow::Result<Plan> {
        let (file, outcome) = self.run_plan(arguments).await?;
        let shown = self.run(["show".as_ref(), "-json".as_ref(), file.as_os_str()]).await?.succeeded()?;
        let empty = outcome.code == Some(0);
        Ok(Plan { json: shown.json()?, file, outcome, empty })
    }

    /// Exit code 0: nothing to do; 2: something is.
    async fn run_plan(&self, arguments: &[&str]) -> anyhow::Result<(PathBuf, Outcome)> {
        let number = self.plans.fetch_add(1, Ordering::Relaxed);
        let file = self.folder().join(format!("{number}.tfplan"));
        let out = format!("-out={}", file.display());
        let mut words = vec!["plan", "-no-color", "-input=false", "-detailed-exitcode", out.as_str()];
        words.extend_from_slice(arguments);
        let outcome = self.run(words).await?;
        if matches!(outcome.code, Some(0 | 2)) { Ok((file, outcome)) } else { Err(outcome.unexpected()) }
    }

    /// `terraform apply`, with a new plan.
    ///
    /// # Errors
    /// If it fails.
    pub async fn apply(&self) -> anyhow::Result<Outcome> {
        self.run(["apply", "-no-color", "-input=false", "-auto-approve"]).await?.succeeded()
    }

    /// Applies a saved plan.
    ///
    /// # Errors
    /// If it fails.
    pub async fn apply_plan(&self, plan: &Plan) -> anyhow::Result<Outcome> {
        self.run(["apply".as_ref(), "-no-color".as_ref(), "-input=false".as_ref(), plan.file.as_os_str()]).await?.succeeded()
    }

    /// Destroys everything in the state.
    ///
    /// # Errors
    /// If it fails.
    pub async fn destroy(&self) -> anyhow::Result<Outcome> {
        self.run(["destroy", "-no-color", "-input=false", "-auto-approve"]).await?.succeeded()
    }

    /// Imports the object `id` as `address`.
    ///
    /// # Errors
    /// If it fails.
    pub async fn import(&self, address: &str, id: &str) -> anyhow::Result<Outcome> {
        self.run(["import", "-no-color", "-input=false", address, id]).await?.succeeded()
    }

    /// Updates the state from what the provider reads, and changes nothing else.
    ///
    /// # Errors
    /// If it fails.
    pub async fn refresh_only(&self) -> anyhow::Result<Outcome> {
        self.run(["apply", "-no-color", "-input=false", "-auto-approve", "-refresh-only"]).await?.succeeded()
    }

    /// Plans, and returns the detail of the warning with this summary as the provider wrote it.
    ///
    /// # Errors
    /// If the plan fails, or has no such warning.
    pub async fn warning(&self, summary: &str) -> anyhow::Result<String> {
        let plan = self.run(["plan", "-json"]).await?.succeeded()?;
        let events = plan.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        // What follows the title is the object.
        let says = |event: &Value| {
            let said = event["diagnostic"]["summary"].as_str().and_then(|said| said.strip_prefix(summary));
            said.is_some_and(|object| object.is_empty() || object.starts_with(": "))
        };
        let mut warnings = events.filter(says);
        let detail = warnings.find_map(|event| event["diagnostic"]["detail"].as_str().map(str::to_owned));
        detail.with_context(|| format!("no warning {summary:?} in {}", plan.stdout))
    }

    /// What a create would run now that finds its object, or a part of it: the plan has no known list, because the same run might
    /// destroy that first, and a warning has it.
    ///
    /// # Errors
    /// If the plan fails, or has no such warning.
    pub async fn would_run(&self) -> anyhow::Result<Vec<String>> {
        let warning = self.warning("The operations depend on what this run destroys").await?;
        let lines = warning.split_once("this would run:\n").context("no list")?.1;
        Ok(lines.lines().map(|line| line.trim().to_owned()).collect())
    }

    /// The state in the form of `terraform show -json`.
    ///
    /// # Errors
    /// If there is none that can be read.
    pub async fn state(&self) -> anyhow::Result<Value> {
        self.run(["show", "-json"]).await?.succeeded()?.json()
    }

    /// The attributes of one resource of the root module, or null if it is not in the state.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub async fn resource(&self, address: &str) -> anyhow::Result<Value> {
        let state = self.state().await?;
        let resources = state["values"]["root_module"]["resources"].as_array();
        let found = resources.into_iter().flatten().find(|resource| resource["address"] == address);
        Ok(found.map(|resource| resource["values"].clone()).unwrap_or_default())
    }

    /// `terraform state show` of one resource.
    ///
    /// # Errors
    /// If it is not in the state.
    pub async fn state_show(&self, address: &str) -> anyhow::Result<String> {
        Ok(self.run(["state", "show", "-no-color", address]).await?.succeeded()?.stdout)
    }

    /// Plans, and expects nothing to do.
    ///
    /// # Errors
    /// If the plan fails or is not empty; the message contains the plan.
    pub async fn assert_empty_plan(&self) -> anyhow::Result<()> {
        // Into a file, which the search for secrets finds later.
        let (_, outcome) = self.run_plan(&[]).await?;
        anyhow::ensure!(outcome.code == Some(0), "the plan is not empty:\n{}", outcome.stdout);
        Ok(())
    }

    /// None of `secrets` is in a state file, a saved plan (its archive is unpacked), the trace log or any of `logs`, whether
    /// plain, escaped as in JSON or in base64. The configuration that the test wrote is not searched, nor its copy inside a plan.
    ///
    /// # Errors
    /// If one is found; the message says where, and does not repeat it. Also if there is nothing to search or a secret is too
    /// short to rule out chance.
    pub fn assert_no_secret<P: AsRef<Path>>(&self, secrets: &[&str], logs: &[P]) -> anyhow::Result<()> {
        secrets::assert_absent(self.folder(), secrets, logs)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| FOREIGN.iter().any(|prefix| name.starts_with(prefix))) {
                command.env_remove(name);
            }
        }
        let none = self.folder().join("none");
        command
            .current_dir(self.folder())
            .env("TF_CLI_CONFIG_FILE", self.folder().join("cli.tfrc"))
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_LOG", "TRACE")
            .env("TF_LOG_PATH", self.log_path())
            .env("AWS_CONFIG_FILE", &none)
            .env("AWS_SHARED_CREDENTIALS_FILE", &none)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(&self.environment)
            .stdin(Stdio::null());
        command
    }
}
