//! `terraform init` after `cargo package-provider --install`, as a new user runs it: without any CLI configuration, and beside a
//! provider of another publisher.

use std::fs;
use std::path::{Path, PathBuf};

use acceptance_tests::package::{HOSTS, VERSION};
use acceptance_tests::provider_binary;
use acceptance_tests::terraform_cli::Terraform;
use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

/// Where cargo keeps what it has downloaded, which a new home directory does not change.
fn cargo_home() -> Result<PathBuf> {
    match std::env::var_os("CARGO_HOME") {
        Some(folder) => Ok(folder.into()),
        None => Ok(std::env::home_dir().context("no home directory")?.join(".cargo")),
    }
}

/// What `cargo package-provider --install` does for a user with this home directory.
async fn install(home: &Path) -> Result<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_package-provider"))
        .args(["--install", "--binary"])
        .arg(provider_binary::linked_statically()?)
        .arg("--output")
        .arg(home.join("package"))
        .env("HOME", home)
        .env("CARGO_HOME", cargo_home()?)
        .output()
        .await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Adds hashicorp/aws to what is installed, in place of the registry. False if the machine does not have it.
fn add_aws(home: &Path) -> Result<bool> {
    let Some(mirror) = std::env::var_os("CLICKPIPES_TEST_PROVIDER_MIRROR").map(PathBuf::from) else {
        eprintln!("not run: beside hashicorp/aws: CLICKPIPES_TEST_PROVIDER_MIRROR names no filesystem mirror that has it");
        return Ok(false);
    };
    let host = fs::read_dir(&mirror)?.next().context("the mirror is empty")??.file_name();
    for own in HOSTS {
        link(&mirror.join(&host).join("hashicorp/aws"), &home.join(".terraform.d/plugins").join(own).join("hashicorp/aws"))?;
    }
    Ok(true)
}

/// Links archives, and the folders for one platform: Terraform follows no other links.
fn link(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (source, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if source.is_dir() && !name.to_string_lossy().contains('_') {
            link(&source, &to.join(name))?;
        } else {
            std::os::unix::fs::symlink(&source, to.join(name))?;
        }
    }
    Ok(())
}

fn configuration(with_aws: bool) -> String {
    let aws = if with_aws { "    aws = { source = \"hashicorp/aws\" }\n" } else { "" };
    format!(
        "terraform {{\n  required_providers {{\n{aws}    clickpipes = {{\n      source  = \"clickpipes/clickpipes\"\n      version = \
         \"{VERSION}\"\n    }}\n  }}\n}}\n\ndata \"clickpipes_static_ips\" \"all\" {{\n  cloud_provider = \"aws\"\n  region         = \
         \"us-east-1\"\n}}\n\noutput \"ips\" {{\n  value = data.clickpipes_static_ips.all.ips\n}}\n"
    )
}

#[tokio::test]
async fn init_finds_what_was_installed_and_locks_it() -> Result<()> {
    let home = tempfile::tempdir()?;
    let said = install(home.path()).await?;
    for host in HOSTS {
        let folder = home.path().join(".terraform.d/plugins").join(host).join("clickpipes/clickpipes");
        ensure!(said.contains(&format!("installed {}", folder.display())), "{said}");
    }
    let with_aws = add_aws(home.path())?;

    let tf = Terraform::new()?
        .with_env("HOME", home.path().to_string_lossy())
        .with_env("XDG_DATA_HOME", home.path().join("none").to_string_lossy());
    // As if there were none.
    tf.write("cli.tfrc", "")?;
    tf.write("required_providers.tf", "")?;
    tf.write("main.tf", &configuration(with_aws))?;
    tf.run(["init", "-no-color", "-input=false"]).await?.succeeded()?;
    let lock = fs::read_to_string(tf.folder().join(".terraform.lock.hcl"))?;
    ensure!(lock.contains("/clickpipes/clickpipes\""), "{lock}");
    ensure!(lock.contains("/hashicorp/aws\"") == with_aws, "{lock}");

    tf.apply().await?;
    let ips = tf.run(["output", "-json", "ips"]).await?.succeeded()?.json()?;
    ensure!(ips.as_array().is_some_and(|ips| !ips.is_empty()), "{ips}");
    tf.assert_empty_plan().await?;

    // The lock file fits what is installed for somebody else from the same source.
    fs::remove_dir_all(tf.folder().join(".terraform"))?;
    install(home.path()).await?;
    tf.run(["init", "-no-color", "-input=false", "-lockfile=readonly"]).await?.succeeded()?;
    Ok(())
}
