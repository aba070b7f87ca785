//! The provider block on real terraform and real Postgres: ways to connect, bad input, unknown values, interruptions, and the
//! handling of secrets. A publication represents every resource.

mod bad_settings;
mod clear_text;
mod connections;
mod defaults;
mod iam_login;
mod interruptions;
mod keep_state;
mod killed;
mod many_clusters;
mod not_there;
mod notices;
mod passwords;
mod pooler;
mod pooling;
mod scripted;
mod scripted_pooler;
mod secret_login;
mod secrets;
mod session_loss;
mod silent_server;
mod tls;
mod together;
mod unfit_server;
mod unknown_settings;

use acceptance_tests::rig::{DATABASE, Rig};
use acceptance_tests::simulator::ClusterSpec;
use acceptance_tests::terraform_cli::Outcome;
use anyhow::{Context as _, Result, ensure};

/// The resource that the tests work with.
const P: &str = "clickpipes_publication.p";
/// `application_name` of the provider's sessions.
const APPLICATION: &str = "terraform-provider-clickpipes";
/// How many publications there are.
const PUBLICATIONS: &str = "SELECT count(*)::text FROM pg_publication";

/// A publication of the table `orders`, with these operations published.
fn publication(publish: &str) -> String {
    publication_in(DATABASE, publish)
}

fn publication_in(database: &str, publish: &str) -> String {
    format!(
        "resource \"clickpipes_publication\" \"p\" {{\n  database = \"{database}\"\n  name = \"p\"\n  \
         tables = [\"public.orders\"]\n  publish = [{publish}]\n}}\n"
    )
}

/// A rig with the table `orders`, and a configuration that publishes it.
async fn rig(spec: ClusterSpec) -> Result<Rig> {
    let rig = Rig::start_with(spec).await?;
    rig.sql("CREATE TABLE orders (id int PRIMARY KEY)").await?;
    rig.main(&publication("\"insert\""))?;
    Ok(rig)
}

/// Runs terraform, which must end with one error that contains all of `parts`.
async fn refused(rig: &Rig, arguments: &[&str], parts: &[&str]) -> Result<String> {
    one_error(rig.tf.run(arguments).await?, parts)
}

fn one_error(outcome: Outcome, parts: &[&str]) -> Result<String> {
    let message = outcome.failed()?.message();
    let errors = message.matches("Error: ").count();
    ensure!(errors == 1, "{errors} errors instead of one:\n{message}");
    for part in parts {
        ensure!(message.contains(part), "{part:?} is missing in:\n{message}");
    }
    Ok(message)
}

const PLAN: &[&str] = &["plan", "-no-color", "-input=false"];
const APPLY: &[&str] = &["apply", "-no-color", "-input=false", "-auto-approve"];

/// The unchanged text of the state file.
fn state_file(rig: &Rig) -> Result<String> {
    std::fs::read_to_string(rig.tf.folder().join("terraform.tfstate")).context("reading the state file")
}

/// Creates, changes and destroys, each as planned and each followed by an empty plan.
async fn live(rig: &Rig) -> Result<()> {
    rig.main(&publication("\"insert\""))?;
    rig.apply_as_reviewed(P).await?;
    rig.main(&publication("\"insert\", \"update\""))?;
    rig.apply_as_reviewed(P).await?;
    rig.tf.destroy().await?;
    ensure!(rig.ask(PUBLICATIONS).await? == "0", "the publication is still there");
    Ok(())
}
