//! Everything on this machine: one apply makes an Aurora cluster (simulated, with a real Postgres) a CDC source, a row arrives
//! over a real replication stream, and a destroy leaves everything as it was.

mod account;
mod machine;
mod snapshot;
mod stream;
mod timeline;
mod warning;

use std::process::ExitCode;
use std::time::Instant;

use acceptance_tests::provider_binary;
use acceptance_tests::simulator::{ClusterHandle, ClusterSpec, Options, Simulator};
use acceptance_tests::terraform_cli::{Plan, Terraform};
use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;

use account::Account;
use snapshot::Snapshot;
use timeline::Timeline;

/// The files that `examples/aurora-to-clickpipes` consists of.
const EXAMPLE: [(&str, &str); 2] = [
    ("main.tf", include_str!("../../../../examples/aurora-to-clickpipes/main.tf")),
    ("variables.tf", include_str!("../../../../examples/aurora-to-clickpipes/variables.tf")),
];

/// Addresses of the example's resources, in the order of their creation.
const RESOURCES: [&str; 3] =
    ["clickpipes_aurora_source.orders", "clickpipes_replication_user.clickpipes", "clickpipes_publication.orders"];

/// A modification takes 0.6 s and a reboot 1.2 s: long enough to be seen.
const TIME_SCALE: f64 = 0.04;

/// Runs examples/aurora-to-clickpipes against a simulated Aurora cluster with a real Postgres behind it.
#[derive(Debug, Parser)]
#[command(name = "cargo demo")]
struct Arguments {
    /// Leave everything running before the destroy, and say how to point terraform at it
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // The demonstration is dropped in either case, so nothing is left when it is interrupted.
    let result = tokio::select! {
        result = demonstrate(&arguments) => result,
        interrupted = tokio::signal::ctrl_c() => interrupted.context("waiting for Ctrl-C"),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demo stopped: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn demonstrate(arguments: &Arguments) -> Result<()> {
    step("Looking at this machine");
    let major = machine::check()?;
    println!("terraform and cc are here; Postgres {}", machine::postgres(major));
    step("Building the provider");
    tokio::task::spawn_blocking(|| provider_binary::path().map(drop)).await??;
    let started = Instant::now();

    step("Starting a simulated Aurora cluster with a real Postgres behind it");
    let account = Account::new();
    let simulator = Simulator::start(Options { time_scale: TIME_SCALE, ..Options::default() })?;
    let cluster = create_cluster(&simulator, &account, major).await?;
    let before = Snapshot::take(&simulator, &cluster, account::DATABASE).await?;
    println!("{before}");

    step("terraform plan");
    let terraform = workspace(&simulator, &cluster, &account)?;
    let plan = terraform.plan().await?;
    print_operations(&plan);

    step("terraform apply");
    let timeline = Timeline::start(&simulator, &cluster);
    let applied = terraform.apply_plan(&plan).await;
    timeline.stop().await;
    println!("{}", summary(&applied?.stdout));

    step("Receiving a row as the new user, through the new publication");
    stream::receive_a_row(&cluster, &account).await?;

    step("terraform plan, once more");
    let again = terraform.plan().await?;
    ensure!(again.empty, "the plan is not empty:\n{}", again.outcome.stdout);
    println!("No changes.");

    if arguments.keep {
        return keep(&simulator, &cluster, &terraform, &account).await;
    }

    step("terraform destroy");
    let timeline = Timeline::start(&simulator, &cluster);
    let destroyed = terraform.destroy().await;
    timeline.stop().await;
    let destroyed = destroyed?;
    print!("{}", warning::all(&destroyed.stdout));
    println!("{}", summary(&destroyed.stdout));

    step("Comparing with the beginning");
    let after = Snapshot::take(&simulator, &cluster, account::DATABASE).await?;
    println!("{after}");
    if before != after {
        bail!("something is not as it was before; then:\n{before}");
    }
    println!("Everything is as before. {:.0} s after the build.", started.elapsed().as_secs_f64());
    Ok(())
}

fn step(title: &str) {
    println!("\n==> {title}");
}

async fn create_cluster(simulator: &Simulator, account: &Account, major: u32) -> Result<ClusterHandle> {
    let version = if major == 16 { "16.6" } else { "15.10" };
    let spec = ClusterSpec::new("orders").engine_version(version).database(account::DATABASE).tls();
    let cluster = simulator.create_cluster(spec.admin(account::ADMIN, &account.admin_password)).await?;
    let admin = cluster.admin(account::DATABASE).await?;
    admin.batch_execute(account::TABLES).await.context("making tables")?;
    println!("RDS API at {}; aurora-postgresql {version}, writer {}:{}", simulator.url(), cluster.host, cluster.port);
    println!("tables shop.customers and shop.orders, with rows, owned by the role shop_owner");
    Ok(cluster)
}

fn workspace(simulator: &Simulator, cluster: &ClusterHandle, account: &Account) -> Result<Terraform> {
    let mut terraform = Terraform::new()?;
    for (name, text) in EXAMPLE {
        terraform.write(name, text)?;
    }
    terraform.write("terraform.tfvars", &account.variables())?;
    for (name, value) in account.environment(simulator, cluster)? {
        terraform.set_env(name, value);
    }
    println!("examples/aurora-to-clickpipes in {}", terraform.folder().display());
    Ok(terraform)
}

fn print_operations(plan: &Plan) {
    for address in RESOURCES {
        println!("{address} ({})", plan.actions(address).join(", "));
        if plan.is_unknown(address, "operations") {
            println!("    operations are known after apply");
        }
        for operation in plan.operations(address) {
            println!("    {operation}");
        }
    }
    print!("{}", warning::all(&plan.outcome.stdout));
}

/// The line that says how many resources were added, changed and destroyed.
fn summary(text: &str) -> &str {
    text.lines().rev().find(|line| line.contains(" complete! ")).unwrap_or(text)
}

async fn keep(simulator: &Simulator, cluster: &ClusterHandle, terraform: &Terraform, account: &Account) -> Result<()> {
    step("Left running, until Ctrl-C");
    let script = terraform.folder().join("environment.sh");
    let config = terraform.folder().join("cli.tfrc");
    terraform.write("environment.sh", &account.script(simulator, cluster, &config)?)?;
    println!("RDS API and control endpoint: {} (try {}/_sim/clusters)", simulator.url(), simulator.url());
    println!("cluster orders: {}:{}, database {}, user {}", cluster.host, cluster.port, account::DATABASE, account::ADMIN);
    println!("\nIn another terminal:\n");
    println!("    cd {}", terraform.folder().display());
    println!("    . {}", script.display());
    println!("    terraform plan\n");
    println!("The same variables hold for psql: psql -h {} -p {} {}", cluster.host, cluster.port, account::DATABASE);
    std::future::pending().await
}
