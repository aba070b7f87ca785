//! What the provider asks about one user and one publication costs the same, however many others there are: roles that hold the
//! same privileges, publications, and tables and schemas outside its scope. What a statement looks at is read from the plans of the
//! server. Statements that are no queries (GRANT, DROP ROLE) have no plan: what the server does for them is its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use acceptance_tests::plan_rows::{Looked, log_plans_of, looked_at};
use acceptance_tests::rig::{ADMIN, APPLICATION, DATABASE, Rig};
use anyhow::{Result, ensure};

/// How many others there are at first, and later.
const OTHERS: [usize; 2] = [10, 1_000];
/// Where in a statement that asks several questions one of them begins.
const QUESTION: &str = "ARRAY(SELECT q FROM (";
/// By how many rows each run of a statement may look at more in one table among many others, for each question
/// in it: the server may take another way to a row when there are more.
const MORE_ROWS: f64 = 10.0;
/// The same for pages of tables and indexes. An index that is read as a whole shows in pages, not in rows.
const MORE_PAGES: f64 = 20.0;
/// How many pages a list of privileges with an entry for each of the others takes: the server reads them when it looks into it,
/// which it does for every question about a privilege.
const PAGES_OF_A_LIST: f64 = 6.0;
/// How often a statement looks into such a list: for each question about a privilege on a schema, or about default privileges in
/// it; an import and a destroy look into all in which the user stands.
const LISTS_OF_A_READ: f64 = 6.0;
const LISTS_OF_THE_USER: f64 = 11.0;
/// How many lists of privileges with an entry for each of the others a read may expand.
const EXPANDED_BY_READ: usize = 0;
/// The same for the destroy of a user, once for each object on which it has privileges: only the list says who granted them. The
/// database, two schemas with three tables each, and the default privileges of both.
const EXPANDED_BY_DESTROY: usize = 11;

/// Users of one schema and of single tables, publications of tables and of a schema. There are two of each: what is asked for the first
/// is asked again as another statement, always in the same
/// order.
const SOURCES: &str = r#"
variable "password" {
  type      = string
  ephemeral = true
}
resource "clickpipes_replication_user" "schema" {
  count = 2
  name                = "of_schema${count.index}"
  database            = "app"
  password_wo         = var.password
  password_wo_version = 1
  schemas             = ["s0"]
}
resource "clickpipes_replication_user" "tables" {
  count = 2
  name                = "of_tables${count.index}"
  database            = "app"
  password_wo         = var.password
  password_wo_version = 1
  tables              = ["s0.t0", "s1.t0"]
  depends_on          = [clickpipes_replication_user.schema]
}
resource "clickpipes_publication" "tables" {
  count = 2
  name     = "of_tables${count.index}"
  database = "app"
  tables   = ["s0.t0", "s0.t1"]
}
resource "clickpipes_publication" "schema" {
  count = 2
  name     = "of_schema${count.index}"
  database = "app"
  schemas  = ["s1"]

  depends_on = [clickpipes_publication.tables]
}
"#;

/// Replica identities, for a plan without changes. A change looks for publications of all tables, to which no index leads.
const IDENTITIES: &str = r#"
resource "clickpipes_replica_identity" "each" {
  count = 2
  database = "app"
  table    = "s${count.index}.t2"
  identity = "full"
}
"#;

/// What each statement looked at, in one step among few others and among many.
struct Step {
    name: &'static str,
    /// How many lists of privileges a statement may expand.
    expanded: usize,
    /// How many lists with an entry for each of the others each statement looks into.
    lists: f64,
    few: BTreeMap<String, Looked>,
    many: BTreeMap<String, Looked>,
}

async fn rig() -> Result<Rig> {
    let mut rig = Rig::start_logical().await?;
    rig.tf.set_env("TF_VAR_password", "a-password-of-some-length");
    // Otherwise it would depend on the clock which resources are asked for together.
    for command in ["plan", "apply", "destroy"] {
        rig.tf.set_env(format!("TF_CLI_ARGS_{command}"), "-parallelism=1");
    }
    log_plans_of(&rig.cluster.superuser(DATABASE).await?, ADMIN).await?;
    let mut sql = "CREATE SCHEMA others;".to_owned();
    for schema in ["s0", "s1"] {
        let _ = write!(sql, "CREATE SCHEMA {schema};");
        for table in 0..3 {
            let _ = write!(sql, "CREATE TABLE {schema}.t{table} (id int PRIMARY KEY);");
        }
    }
    rig.sql(&sql).await?;
    rig.main(SOURCES)?;
    Ok(rig)
}

/// Others that hold what our users hold, with a table and a publication each, and fresh statistics of all that.
async fn add_others(rig: &Rig, numbers: Range<usize>) -> Result<()> {
    let admin = rig.admin().await?;
    let mut sql = String::new();
    for number in numbers.clone() {
        let _ = write!(
            sql,
            "CREATE ROLE other{number} LOGIN; CREATE SCHEMA other{number}; CREATE TABLE others.t{number} (id int PRIMARY KEY); \
             CREATE PUBLICATION other{number} FOR TABLE others.t{number}, s0.t0;"
        );
    }
    admin.batch_execute(&sql).await?;
    let roles: Vec<String> = numbers.map(|number| format!("other{number}")).collect();
    let roles = roles.join(", ");
    admin
        .batch_execute(&format!(
            "GRANT rds_replication TO {roles}; GRANT CONNECT ON DATABASE {DATABASE} TO {roles}; GRANT USAGE ON SCHEMA s0, s1 TO {roles};
             GRANT SELECT ON ALL TABLES IN SCHEMA s0, s1 TO {roles};
             ALTER DEFAULT PRIVILEGES IN SCHEMA s0 GRANT SELECT ON TABLES TO {roles};
             ALTER DEFAULT PRIVILEGES IN SCHEMA s1 GRANT SELECT ON TABLES TO {roles};"
        ))
        .await?;
    settle(rig).await
}

/// The planner decides by the statistics of the catalogue.
async fn settle(rig: &Rig) -> Result<()> {
    Ok(rig.cluster.superuser(DATABASE).await?.batch_execute("VACUUM ANALYZE").await?)
}

/// What the provider's statements look at during some work.
async fn during(rig: &Rig, work: impl Future<Output = Result<()>>) -> Result<BTreeMap<String, Looked>> {
    let before = rig.cluster.server_log()?.len();
    work.await?;
    looked_at(&rig.cluster.server_log()?[before..], APPLICATION)
}

/// Fails if a statement looks at more among many others, and says which and at what.
fn expect_no_growth(steps: &[Step]) -> Result<()> {
    let mut growing = String::new();
    for Step { name, expanded, lists, few, many } in steps {
        ensure!(!few.is_empty(), "{name}: the server logged no plan");
        for (statement, looked) in many {
            let before = few.get(statement).cloned().unwrap_or_default();
            let questions = statement.matches(QUESTION).count().max(1) as f64;
            let (runs, mut more) = (looked.runs as f64, String::new());
            if looked.pages > before.pages + runs * (questions * MORE_PAGES + lists * PAGES_OF_A_LIST) {
                let _ = writeln!(more, "    pages: {}, then {}", before.pages, looked.pages);
            }
            for (place, rows) in &looked.rows {
                let before = before.rows.get(place).copied().unwrap_or_default();
                let others = if place == "aclexplode" { expanded * OTHERS[1] } else { 0 };
                if *rows > before + runs * (questions * MORE_ROWS + others as f64) {
                    let _ = writeln!(more, "    rows of {place}: {before}, then {rows}");
                }
            }
            if !more.is_empty() {
                let _ = writeln!(growing, "{name}, {} runs of\n{statement}\n{more}", looked.runs);
            }
        }
    }
    ensure!(growing.is_empty(), "with {} others instead of {}, these look at more:\n\n{growing}", OTHERS[1], OTHERS[0]);
    Ok(())
}

async fn create(rig: &Rig) -> Result<()> {
    rig.main(SOURCES)?;
    rig.tf.apply().await.map(drop)
}

async fn plan(rig: &Rig) -> Result<()> {
    rig.tf.assert_empty_plan().await
}

/// One schema and one table more.
async fn change(rig: &Rig) -> Result<()> {
    rig.main(&SOURCES.replace(r#"["s0"]"#, r#"["s0", "s1"]"#).replace(r#""s0.t1"]"#, r#""s0.t1", "s0.t2"]"#))?;
    rig.tf.apply().await.map(drop)
}

async fn import(rig: &Rig) -> Result<()> {
    for (address, id) in
        [("clickpipes_replication_user.schema[0]", "of_schema0"), ("clickpipes_publication.tables[0]", "of_tables0")]
    {
        rig.tf.run(["state", "rm", address]).await?.succeeded()?;
        rig.tf.import(address, &format!("{DATABASE}/{id}")).await?;
    }
    Ok(())
}

async fn destroy(rig: &Rig) -> Result<()> {
    rig.tf.destroy().await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statements_of_a_plan_look_at_the_same_rows() -> Result<()> {
    let rig = rig().await?;
    rig.tf.write("identities.tf", IDENTITIES)?;
    let mut plans = Vec::new();
    for range in [0..OTHERS[0], OTHERS[0]..OTHERS[1]] {
        add_others(&rig, range).await?;
        // Ours are the last in each list of privileges.
        create(&rig).await?;
        settle(&rig).await?;
        plans.push(during(&rig, plan(&rig)).await?);
        destroy(&rig).await?;
    }
    let [few, many] = <[_; 2]>::try_from(plans).expect("two plans");
    expect_no_growth(&[Step { name: "a plan without changes", expanded: EXPANDED_BY_READ, lists: LISTS_OF_A_READ, few, many }])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statements_of_applies_look_at_the_same_rows() -> Result<()> {
    let rig = rig().await?;
    let mut steps: Vec<Step> = Vec::new();
    for range in [0..OTHERS[0], OTHERS[0]..OTHERS[1]] {
        add_others(&rig, range.clone()).await?;
        let created = during(&rig, create(&rig)).await?;
        settle(&rig).await?;
        let changed = during(&rig, change(&rig)).await?;
        settle(&rig).await?;
        let imported = during(&rig, import(&rig)).await?;
        settle(&rig).await?;
        let destroyed = during(&rig, destroy(&rig)).await?;
        let all = [
            ("create", EXPANDED_BY_READ, LISTS_OF_A_READ, created),
            ("change", EXPANDED_BY_READ, LISTS_OF_A_READ, changed),
            ("import", EXPANDED_BY_READ, LISTS_OF_THE_USER, imported),
            ("destroy", EXPANDED_BY_DESTROY, LISTS_OF_THE_USER, destroyed),
        ];
        if range.start == 0 {
            steps.extend(all.map(|(name, expanded, lists, few)| Step { name, expanded, lists, few, many: BTreeMap::new() }));
        } else {
            steps.iter_mut().zip(all).for_each(|(step, (_, _, _, many))| step.many = many);
        }
    }
    expect_no_growth(&steps)
}
