//! The connection is cut at every stage of a transaction, as by a proxy that disappears: the transaction is repeated as a whole,
//! or ends in one clear error; all or nothing exists, and the next plan is right.

use acceptance_tests::rig::{CLUSTER, DATABASE, Rig};
use acceptance_tests::simulator::ClusterSpec;
use acceptance_tests::slow_network::{Cut, SlowNetwork};
use anyhow::{Context as _, Result, ensure};

use super::{APPLY, publication, rig};

const DESTROY: &[&str] = &["destroy", "-no-color", "-input=false", "-auto-approve"];

/// The whole statement: BEGIN names an isolation level.
const COMMIT: &str = "COMMIT\0";

/// A step of a resource's life.
struct Step {
    /// The configuration.
    main: String,
    /// The terraform command.
    command: &'static [&'static str],
    /// Where its first and its last statement begin.
    first: &'static str,
    last: &'static str,
    /// The query about the resource in the catalogue, and its result before and afterwards.
    ask: &'static str,
    before: &'static str,
    after: &'static str,
    /// Whether the catalogue shows that the transaction was done.
    visible: bool,
}

struct CutRig {
    rig: Rig,
    network: SlowNetwork,
}

impl CutRig {
    async fn start() -> Result<Self> {
        let mut rig = rig(ClusterSpec::new(CLUSTER)).await?;
        rig.sql("CREATE TABLE invoices (id int PRIMARY KEY); CREATE SCHEMA sales; CREATE TABLE sales.t (id int)").await?;
        rig.tf.set_env("TF_VAR_password", "a-password-of-some-length");
        rig.tf.write("variables.tf", "variable \"password\" {\n  type      = string\n  ephemeral = true\n}\n")?;
        let network = SlowNetwork::to(format!("{}:{}", rig.cluster.host, rig.cluster.port).parse()?).await?;
        rig.dial(network.address())?;
        Ok(Self { rig, network })
    }

    /// Cut at the beginning, in the middle and before the end: in the end it is done, once and as a whole.
    async fn is_done_anew(&self, step: &Step) -> Result<()> {
        self.prepare(step).await?;
        self.network.cut([Cut::Answer("BEGIN ISO"), Cut::Before(step.first), Cut::Answer(step.first), Cut::Answer(step.last)]);
        self.rig.tf.run(step.command).await?.succeeded()?;
        self.is_over(step).await?;
        self.next_plan_is_right(step).await
    }

    /// A COMMIT that does not reach the server: nothing was done. It may be retried, or be an error; then the next run does it.
    async fn commit_is_lost(&self, step: &Step) -> Result<()> {
        self.prepare(step).await?;
        self.network.cut([Cut::Before(COMMIT)]);
        let outcome = self.rig.tf.run(step.command).await?;
        if outcome.code != Some(0) {
            let message = outcome.failed()?.message();
            ensure!(message.matches("Error: ").count() == 1 && message.contains("it is unknown whether"), "{message}");
            ensure!(self.rig.ask(step.ask).await? == step.before, "something was done");
            self.rig.tf.run(step.command).await?.succeeded()?;
        }
        self.is_over(step).await?;
        self.next_plan_is_right(step).await
    }

    /// A COMMIT whose answer is lost: everything was done. If the catalogue shows that, it is not an error.
    async fn answer_is_lost(&self, step: &Step) -> Result<()> {
        self.prepare(step).await?;
        self.network.cut([Cut::Answer(COMMIT)]);
        let outcome = self.rig.tf.run(step.command).await?;
        self.is_over(step).await?;
        if step.visible {
            outcome.succeeded()?;
        } else {
            let message = outcome.failed()?.message();
            ensure!(message.matches("Error: ").count() == 1 && message.contains("it is unknown whether"), "{message}");
            self.rig.tf.run(step.command).await?.succeeded()?;
        }
        self.next_plan_is_right(step).await
    }

    async fn prepare(&self, step: &Step) -> Result<()> {
        self.rig.main(&step.main)?;
        let found = self.rig.ask(step.ask).await?;
        ensure!(found == step.before, "before {}: {found}", step.first);
        Ok(())
    }

    async fn is_over(&self, step: &Step) -> Result<()> {
        let to_come = self.network.cuts_to_come();
        ensure!(to_come.is_empty(), "{to_come:?} met nothing");
        let found = self.rig.ask(step.ask).await?;
        ensure!(found == step.after, "after {}: {found}", step.first);
        Ok(())
    }

    async fn next_plan_is_right(&self, step: &Step) -> Result<()> {
        if step.command == DESTROY {
            let state = self.rig.tf.run(["state", "list"]).await?.succeeded()?.stdout;
            ensure!(state.is_empty(), "still in the state: {state}");
            return Ok(());
        }
        self.rig.tf.assert_empty_plan().await
    }
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Anew,
    CommitLost,
    AnswerLost,
}

async fn a_life(steps: impl IntoIterator<Item = Step>) -> Result<()> {
    let (rig, steps) = (CutRig::start().await?, Vec::from_iter(steps));
    for stage in [Stage::Anew, Stage::CommitLost, Stage::AnswerLost] {
        for step in &steps {
            match stage {
                Stage::Anew => rig.is_done_anew(step).await,
                Stage::CommitLost => rig.commit_is_lost(step).await,
                Stage::AnswerLost => rig.answer_is_lost(step).await,
            }
            .with_context(|| format!("{stage:?}: {}", step.first))?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_publication() -> Result<()> {
    const ASK: &str = "SELECT string_agg(tablename || pubinsert || pubdelete, ' ' ORDER BY tablename) FROM pg_publication JOIN pg_publication_tables USING (pubname)";
    let changed = publication("\"insert\", \"delete\"").replace("\"public.orders\"", "\"public.orders\", \"public.invoices\"");
    a_life([
        Step {
            main: publication("\"insert\""),
            command: APPLY,
            first: "CREATE PUBLICATION",
            last: "CREATE PUBLICATION",
            ask: ASK,
            before: "",
            after: "orderstruefalse",
            visible: true,
        },
        Step {
            main: changed.clone(),
            command: APPLY,
            first: "ALTER PUBLICATION \"p\" ADD",
            last: "ALTER PUBLICATION \"p\" SET (",
            ask: ASK,
            before: "orderstruefalse",
            after: "invoicestruetrue orderstruetrue",
            visible: true,
        },
        Step {
            main: changed,
            command: DESTROY,
            first: "DROP PUBLICATION",
            last: "DROP PUBLICATION",
            ask: ASK,
            before: "invoicestruetrue orderstruetrue",
            after: "",
            visible: true,
        },
    ])
    .await
}

fn user(version: u32, schemas: &str) -> String {
    format!(
        "resource \"clickpipes_replication_user\" \"pipe\" {{\n  name = \"pipe\"\n  database = \"{DATABASE}\"\n  \
         password_wo = var.password\n  password_wo_version = {version}\n  schemas = [{schemas}]\n}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_replication_user() -> Result<()> {
    // The tables in the two schemas that it can read.
    const ASK: &str = "SELECT (SELECT string_agg(c.oid::regclass::text, ' ' ORDER BY c.oid) FROM pg_class c WHERE c.oid IN ('orders'::regclass, 'sales.t'::regclass) AND has_table_privilege(r.oid, c.oid, 'SELECT')) FROM (SELECT) one LEFT JOIN pg_roles r ON rolname = 'pipe'";
    let (one, both) = ("\"public\"", "\"public\", \"sales\"");
    let step = |main, command, [first, last]: [&'static str; 2], [before, after]: [&'static str; 2], visible| Step {
        main,
        command,
        first,
        last,
        ask: ASK,
        before,
        after,
        visible,
    };
    a_life([
        step(user(1, one), APPLY, ["CREATE ROLE", "ALTER DEFAULT PRIVILEGES"], ["", "orders"], true),
        step(user(1, both), APPLY, ["GRANT USAGE", "ALTER DEFAULT PRIVILEGES"], ["orders", "orders sales.t"], true),
        // The catalogue does not show whether a new password was set.
        step(user(2, both), APPLY, ["ALTER ROLE", "ALTER ROLE"], ["orders sales.t", "orders sales.t"], false),
        step(user(2, both), DESTROY, ["REVOKE", "DROP ROLE"], ["orders sales.t", ""], true),
    ])
    .await
}
