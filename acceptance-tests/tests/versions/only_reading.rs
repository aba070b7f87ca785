//! Plans with a login that may only read: the one of docs/guides/least-privilege.md. What it could not do at an apply is at most a
//! warning.

use anyhow::{Context as _, Result, ensure};

use crate::cell::{ADMIN, Cell, Flavour, PUBLICATION, USER};

const GUIDE: &str = include_str!("../../../docs/guides/least-privilege.md");
const PLANNER: &str = "terraform_plan";
const PASSWORD: &str = "of-the-planner-only";

/// What is new beside the finished source, on tables whose owner is out of the planner's reach.
const MORE: &str = r#"
resource "clickpipes_replication_user" "second" {
  name                = "second"
  database            = "app"
  schemas             = ["shop"]
  tables              = ["billing.accounts"]
  valid_until         = "2001-01-01T00:00:00Z"
  password_wo         = var.password
  password_wo_version = 1
}
resource "clickpipes_publication" "second" {
  name     = "second"
  database = "app"
  tables   = ["billing.accounts"]
}
"#;

/// What is looked up at a plan.
const LOOK_UPS: &str = r#"
data "clickpipes_tables" "shop" {
  database = "app"
  schemas  = ["shop"]
}
data "clickpipes_replication_slots" "app" {
  database = "app"
}
data "clickpipes_publications" "app" {
  database = "app"
}
data "clickpipes_readiness" "app" {
  database         = "app"
  username         = "pipe"
  publication_name = "p"
}
output "failing" {
  value = [for check in data.clickpipes_readiness.app.checks : check.id if check.status == "fail" && check.severity == "error"]
}
output "publishable" {
  value = [for table in data.clickpipes_tables.shop.tables : table.name if table.publishable]
}
output "slots" {
  value = length(data.clickpipes_replication_slots.app.slots)
}
"#;

/// The statements of the guide, for this login and database.
fn login_by_the_guide() -> Result<String> {
    let (_, after) = GUIDE.split_once("```sql\n").context("the guide has no SQL")?;
    let (sql, _) = after.split_once("```").context("the guide's SQL does not end")?;
    let (role, database) = (sql.matches(PLANNER).count(), sql.matches("mydb").count());
    ensure!(role == 2 && database == 1, "the guide's SQL has another login or database: {sql}");
    Ok(sql.replace("mydb", "app").replace("a-long-password", PASSWORD))
}

/// Plans everything that there is, more, less and nothing at all as the planner. `finished` is the applied configuration.
pub async fn plans(cell: &mut Cell, finished: &str) -> Result<()> {
    // What everybody may do by default is no part of the login.
    cell.sql("REVOKE CONNECT, TEMPORARY ON DATABASE app FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC").await?;
    let superuser = cell.server()?.superuser("app").await?;
    superuser.batch_execute(&login_by_the_guide()?).await?;
    let as_admin = std::fs::read_to_string(cell.tf.folder().join("provider.tf"))?;
    cell.tf.write("provider.tf", &as_admin.replace(ADMIN, PLANNER))?;
    cell.tf.set_env("PGPASSWORD", PASSWORD);
    let before = cell.changes()?.len();
    cell.tf.assert_empty_plan().await?;

    // A changed scope, lost privileges, and what is new.
    cell.sql("SET ROLE app_owner; REVOKE SELECT ON shop.customers FROM pipe").await?;
    let changed = finished.replace("tables   = [\"shop.orders\"]", "tables   = [\"shop.orders\", \"shop.customers\"]");
    cell.main(&format!("{changed}{MORE}"))?;
    let plan = cell.tf.plan().await?;
    assert_eq!(plan.operations(PUBLICATION), ["ALTER PUBLICATION \"p\" ADD TABLE ONLY \"shop\".\"customers\""]);
    assert_eq!(plan.operations("clickpipes_publication.second").len(), 1);
    assert!(plan.operations("clickpipes_replication_user.second")[0].contains("VALID UNTIL '2001-01-01T00:00:00Z'"));
    let said = plan.outcome.message();
    for part in
        ["Privileges that cannot be restored (app_owner): role \"pipe\"", "Password has expired: role \"second\"", PLANNER]
    {
        ensure!(said.contains(part), "{part:?} is missing in {said}");
    }

    cell.main(&format!("{finished}{LOOK_UPS}"))?;
    let plan = cell.tf.plan().await?;
    let looked_up = &plan.json["planned_values"]["outputs"];
    assert_eq!(looked_up["publishable"]["value"], serde_json::json!(["customers", "events", "orders"]), "{looked_up}");
    assert_eq!(looked_up["slots"]["value"], 1, "{looked_up}");
    // Everything that decides is seen by this login.
    let failing: &[&str] = if cell.flavour == Flavour::Plain { &["server.is_aurora"] } else { &[] };
    assert_eq!(looked_up["failing"]["value"], serde_json::json!(failing), "{looked_up}");

    cell.main(finished)?;
    let plan = cell.tf.plan_with(&["-destroy"]).await?;
    assert_eq!((plan.actions(USER), plan.actions(PUBLICATION)), (vec!["delete"], vec!["delete"]));
    assert!(plan.outcome.message().contains("it has an open replication connection"), "{}", plan.outcome.message());

    cell.main(
        "import {\n  to = clickpipes_replication_user.u2\n  id = \"app/pipe\"\n}\nresource \"clickpipes_replication_user\" \"u2\" {\n  \
         name = \"pipe\"\n  database = \"app\"\n  schemas = [\"shop\"]\n}\n\
         import {\n  to = clickpipes_publication.p2\n  id = \"app/p\"\n}\nresource \"clickpipes_publication\" \"p2\" {\n  \
         name = \"p\"\n  database = \"app\"\n  tables = [\"shop.orders\"]\n}\n",
    )?;
    let plan = cell.tf.plan().await?;
    for address in ["clickpipes_replication_user.u2", "clickpipes_publication.p2"] {
        assert_eq!(plan.actions(address), ["no-op"], "{address}: {}", plan.outcome.stdout);
    }
    assert_eq!(cell.changes()?.len(), before, "a plan alters nothing");
    let log = cell.server()?.log_path();
    cell.tf.assert_no_secret(&[PASSWORD], &[log])
}
