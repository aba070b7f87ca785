//! The provider, or the server, is killed after every statement of a create, a change and a destroy: all or nothing exists, and a
//! second apply does the rest. The places are not listed but found: before the first statement that changes something, before the
//! second, ..., before COMMIT, and after it while the provider does not know of it yet.

use std::time::{Duration, Instant};

use acceptance_tests::core_client::DEADLINE;
use acceptance_tests::rig::{APPLICATION, CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::ClusterSpec;
use acceptance_tests::slow_network::{Halt, SlowNetwork};
use anyhow::{Context as _, Result, ensure};

use super::{APPLY, rig};

const DESTROY: &[&str] = &["destroy", "-no-color", "-input=false", "-auto-approve"];

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Killed {
    /// The provider, by SIGKILL; Terraform then reports that it crashed.
    Provider,
    /// The server process of the provider's session: the server ends all its sessions and recovers.
    Server,
}

/// A resource's life: its configuration, and what the catalogue shows of it, at first and after a change.
struct Life {
    address: &'static str,
    /// SQL that gives one text.
    ask: &'static str,
    absent: &'static str,
    /// What a destroy leaves if the create was done and the provider that was killed then does not know it: it was found like that.
    left_as_found: &'static str,
    created: (String, &'static str),
    changed: (String, &'static str),
}

struct Place<'a> {
    rig: &'a Rig,
    network: &'a SlowNetwork,
    life: &'a Life,
    killed: Killed,
}

impl Place<'_> {
    /// Runs a step that is killed at the halt, and then again. Returns whether there was such a place.
    async fn step(&self, command: &[&str], halt: Halt, before: &str, after: &str) -> Result<bool> {
        ensure!(self.rig.ask(self.life.ask).await? == before, "not as the last step left it");
        self.network.halt(halt);
        let session = self.rig.tf.start(command)?;
        let pid = session.pid()?;
        let ended = session.outcome();
        tokio::pin!(ended);
        let first = tokio::select! {
            outcome = &mut ended => outcome?,
            () = self.network.halted() => {
                self.kill(pid).await?;
                ended.await?
            }
        };
        if self.network.go_on() {
            first.succeeded().context("nothing was killed")?;
            return Ok(false);
        }
        let found = self.catalogue().await?;
        ensure!(found == before || found == after, "a part was done: {found}");
        match self.killed {
            Killed::Provider => drop(first.failed()?),
            // The transaction is repeated; or it is unknown whether it was done.
            Killed::Server if first.code == Some(0) => ensure!(found == after, "done, but the catalogue has: {found}"),
            Killed::Server => {
                let message = first.failed()?.message();
                ensure!(message.matches("Error: ").count() == 1, "{message}");
            }
        }
        self.again(command).await?;
        let found = self.rig.ask(self.life.ask).await?;
        ensure!(found == after, "after the second run: {found}");
        if command == APPLY {
            self.rig.tf.assert_empty_plan().await?;
        } else {
            let state = self.rig.tf.run(["state", "list"]).await?.succeeded()?.stdout;
            ensure!(state.is_empty(), "still in the state: {state}");
        }
        Ok(true)
    }

    /// What the catalogue shows, once a server that was killed has recovered.
    async fn catalogue(&self) -> Result<String> {
        let started = Instant::now();
        loop {
            match self.rig.ask(self.life.ask).await {
                Err(_) if started.elapsed() < DEADLINE => tokio::time::sleep(Duration::from_millis(20)).await,
                found => return found,
            }
        }
    }

    async fn kill(&self, terraform: i32) -> Result<()> {
        match self.killed {
            Killed::Provider => acceptance_tests::processes::kill_children(terraform),
            Killed::Server => {
                let pid = format!("SELECT max(pid)::text FROM pg_stat_activity WHERE application_name = '{APPLICATION}'");
                acceptance_tests::processes::kill(self.rig.ask(&pid).await?.parse().context("no session of the provider")?)
            }
        }
    }

    async fn again(&self, command: &[&str]) -> Result<()> {
        let second = self.rig.tf.run(command).await?;
        if second.code == Some(0) {
            return Ok(());
        }
        // A create or a rename was done, as a whole, and Terraform does not know it: of a provider that crashes it keeps neither the
        // state nor the private data, which says on which server an oid means something. The error says how to go on.
        let message = second.failed()?.message();
        ensure!(message.contains("already exists"), "{message}");
        let import = message.split_once("import { to = ").context("no import block")?.1;
        let id = import.split('"').nth(1).context("an import block without an id")?;
        let import = ["import", "-no-color", "-input=false", self.life.address, id];
        self.rig.tf.run(import).await?.succeeded().with_context(|| message.clone())?;
        self.rig.tf.run(command).await?.succeeded()?;
        Ok(())
    }
}

async fn killed_everywhere(killed: Killed, life: Life) -> Result<()> {
    let mut rig = rig(ClusterSpec::new(CLUSTER)).await?;
    rig.sql("CREATE TABLE invoices (id int PRIMARY KEY); CREATE SCHEMA sales; CREATE TABLE sales.t (id int)").await?;
    rig.tf.set_env("TF_VAR_password", "a-password-of-some-length");
    rig.tf.write("variables.tf", "variable \"password\" {\n  type      = string\n  ephemeral = true\n}\n")?;
    let network = SlowNetwork::to(format!("{}:{}", rig.cluster.host, rig.cluster.port).parse()?).await?;
    rig.dial(network.address())?;
    let place = Place { rig: &rig, network: &network, life: &life, killed };
    let (created, changed) = (&life.created, &life.changed);
    let mut places = 0;
    for halt in std::iter::once(Halt::Committed).chain((1..).map(Halt::Before)) {
        let left = if halt == Halt::Committed && killed == Killed::Provider { life.left_as_found } else { life.absent };
        let steps = [
            ("create", &created.0, APPLY, life.absent, created.1),
            ("change", &changed.0, APPLY, created.1, changed.1),
            ("destroy", &changed.0, DESTROY, changed.1, left),
        ];
        let mut met = false;
        for (name, main, command, before, after) in steps {
            rig.main(main)?;
            let context = || format!("{name} of {}, {killed:?} killed at {halt:?}", life.address);
            let one = place.step(command, halt, before, after).await.with_context(context)?;
            places += u32::from(one);
            met |= one;
        }
        if !met {
            break;
        }
        rig.sql("ALTER TABLE orders REPLICA IDENTITY DEFAULT").await?;
    }
    // Three steps, at least killed before their only statement, before COMMIT and after it.
    ensure!(places >= 9, "killed at {places} places only");
    Ok(())
}

fn user() -> Life {
    let main = |version: u32, more: &str| {
        format!(
            "resource \"clickpipes_replication_user\" \"pipe\" {{\n  name = \"pipe\"\n  database = \"{DATABASE}\"\n  adopt_existing = true\n  \
             password_wo = var.password\n  password_wo_version = {version}\n{more}\n}}\n"
        )
    };
    Life {
        address: "clickpipes_replication_user.pipe",
        ask: "SELECT rolconnlimit || ' ' || (SELECT string_agg(c.oid::regclass::text, ' ' ORDER BY c.oid) FROM pg_class c \
              WHERE c.oid IN ('orders'::regclass, 'sales.t'::regclass) AND has_table_privilege(r.oid, c.oid, 'SELECT')) \
              FROM (SELECT) one LEFT JOIN pg_roles r ON rolname = 'pipe'",
        absent: "",
        left_as_found: "",
        created: (main(1, "  schemas = [\"public\"]"), "-1 orders"),
        changed: (main(2, "  schemas = [\"sales\"]\n  connection_limit = 5"), "5 sales.t"),
    }
}

fn publication() -> Life {
    let main = |name: &str, table: &str, publish: &str| {
        format!(
            "resource \"clickpipes_publication\" \"p\" {{\n  database = \"{DATABASE}\"\n  name = \"{name}\"\n  \
             tables = [\"public.{table}\"]\n  publish = [{publish}]\n}}\n"
        )
    };
    Life {
        address: "clickpipes_publication.p",
        ask: "SELECT string_agg(pubname || ' ' || tablename || ' ' || pubdelete, ',') FROM pg_publication JOIN pg_publication_tables USING (pubname)",
        absent: "",
        left_as_found: "",
        created: (main("p", "orders", "\"insert\""), "p orders false"),
        changed: (main("renamed", "invoices", "\"insert\", \"delete\""), "renamed invoices true"),
    }
}

fn replica_identity() -> Life {
    let main = |arguments: &str| {
        format!(
            "resource \"clickpipes_replica_identity\" \"r\" {{\n  database = \"{DATABASE}\"\n  table = \"public.orders\"\n{arguments}\n}}\n"
        )
    };
    Life {
        address: "clickpipes_replica_identity.r",
        ask: "SELECT relreplident::text FROM pg_class WHERE oid = 'orders'::regclass",
        absent: "d",
        left_as_found: "f",
        created: (main("  identity = \"full\""), "f"),
        changed: (main("  identity = \"index\"\n  index = \"orders_pkey\""), "i"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_and_a_replication_user() -> Result<()> {
    killed_everywhere(Killed::Provider, user()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_and_a_publication() -> Result<()> {
    killed_everywhere(Killed::Provider, publication()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_and_a_replica_identity() -> Result<()> {
    killed_everywhere(Killed::Provider, replica_identity()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_and_a_replication_user() -> Result<()> {
    killed_everywhere(Killed::Server, user()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_and_a_publication() -> Result<()> {
    killed_everywhere(Killed::Server, publication()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_and_a_replica_identity() -> Result<()> {
    killed_everywhere(Killed::Server, replica_identity()).await
}
