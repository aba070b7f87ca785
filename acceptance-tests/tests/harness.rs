//! The harness itself: a search that finds nothing proves something only if it can find.

use acceptance_tests::terraform_cli::Terraform;
use anyhow::Context as _;

const SECRET: &str = "correct horse battery staple";

fn keeps(input: &str) -> String {
    format!("resource \"terraform_data\" \"keeper\" {{\n  input = {input}\n}}\n")
}

const VARIABLE: &str = "variable \"password\" {\n  type = string\n  sensitive = true\n}\n";

#[tokio::test]
async fn a_plan_an_apply_and_an_empty_plan() -> anyhow::Result<()> {
    let tf = Terraform::new()?;
    tf.write("main.tf", &keeps("\"first\""))?;
    let plan = tf.plan().await?;
    assert_eq!(plan.actions("terraform_data.keeper"), ["create"]);
    assert!(plan.is_unknown("terraform_data.keeper", "id"));
    tf.apply_plan(&plan).await?;
    tf.assert_empty_plan().await?;

    tf.write("main.tf", &keeps("\"second\""))?;
    let refusal = tf.assert_empty_plan().await.err().context("a change passed for an empty plan")?;
    assert!(refusal.to_string().contains("terraform_data.keeper will be updated"));
    tf.apply().await?;
    assert_eq!(tf.resource("terraform_data.keeper").await?["output"], "second");
    tf.destroy().await?;
    assert!(tf.resource("terraform_data.keeper").await?.is_null());
    Ok(())
}

#[tokio::test]
async fn a_failure_keeps_its_words_together() -> anyhow::Result<()> {
    let tf = Terraform::new()?;
    tf.write("main.tf", "resource \"terraform_data\" \"keeper\" {\n  inputs = 1\n}\n")?;
    let refusal = tf.run(["plan", "-no-color"]).await?.failed()?;
    assert!(refusal.message().contains("An argument named \"inputs\" is not expected here."), "{}", refusal.message());
    assert!(tf.plan().await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_secret_in_a_plan_file_is_found() -> anyhow::Result<()> {
    let tf = Terraform::new()?.with_env("TF_VAR_password", SECRET);
    tf.write("main.tf", &format!("{VARIABLE}{}", keeps("sha256(var.password)")))?;
    tf.assert_no_secret::<&str>(&[SECRET], &[]).err().context("there was nothing to search")?;
    // Terraform itself puts the value of an ordinary variable into the plan, and nowhere else.
    let plan = tf.plan().await?;
    let found = tf.assert_no_secret::<&str>(&[SECRET], &[]).err().context("the variable in the plan was not found")?;
    assert!(found.to_string().contains("tfplan"), "{found}");
    assert!(!found.to_string().contains(SECRET));
    std::fs::remove_file(plan.file)?;
    tf.apply().await?;
    tf.assert_no_secret::<&str>(&[SECRET], &[])?;
    Ok(())
}

#[tokio::test]
async fn a_secret_in_the_state_is_found() -> anyhow::Result<()> {
    let tf = Terraform::new()?.with_env("TF_VAR_password", SECRET);
    tf.write("main.tf", &format!("{VARIABLE}{}", keeps("var.password")))?;
    tf.apply().await?;
    let found = tf.assert_no_secret::<&str>(&[SECRET], &[]).err().context("the state was not searched")?;
    assert!(found.to_string().contains("tfstate"), "{found}");
    Ok(())
}

#[tokio::test]
async fn a_secret_in_a_server_log_is_found() -> anyhow::Result<()> {
    let tf = Terraform::new()?;
    tf.write("main.tf", &keeps("\"first\""))?;
    tf.apply().await?;
    let log = tf.folder().join("postgres.log");
    std::fs::write(&log, format!("LOG: statement: ALTER ROLE x PASSWORD '{SECRET}'\n"))?;
    tf.assert_no_secret::<&str>(&[SECRET], &[])?;
    assert!(tf.assert_no_secret(&[SECRET], &[&log]).is_err());
    Ok(())
}
