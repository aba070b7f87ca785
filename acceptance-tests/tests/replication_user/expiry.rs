//! `valid_until`, and roles that nobody can log in as: a password that has expired, and a connection limit of 0.

use serde_json::json;

use crate::rig::{PASSWORD, Rig, USER};

const SCHEMA: &str = "  schemas = [\"shop\"]";

impl Rig {
    fn configure_until(&self, valid_until: &str) {
        self.configure(&format!("{SCHEMA}\n  valid_until = {valid_until}"));
    }

    /// Plans, applies what is planned, and returns the statements.
    async fn changes(&self) -> Vec<String> {
        let plan = self.tf.plan().await.unwrap();
        let planned: Vec<String> = plan.operations(USER).into_iter().map(str::to_owned).collect();
        let mark = self.mark();
        self.tf.apply_plan(&plan).await.unwrap();
        assert_eq!(self.changes_since(mark), planned);
        self.tf.assert_empty_plan().await.unwrap();
        planned
    }

    async fn valid_until(&self) -> serde_json::Value {
        self.tf.resource(USER).await.unwrap()["valid_until"].clone()
    }

    /// Times from now by the server's clock, as the server writes them: in a time zone that is not UTC.
    async fn days_from_now(&self, days: i32) -> String {
        let text =
            format!("SELECT to_char(timezone('Asia/Kathmandu', now() + '{days} days'), 'YYYY-MM-DD\"T\"HH24:MI:SS\"+05:45\"')");
        self.ask(&text).await.unwrap()
    }
}

#[tokio::test]
async fn an_expiry_is_set_changed_kept_and_mended() {
    let rig = Rig::start().await;
    let time = "\"2100-01-31T01:00:00.25+01:00\"";
    rig.configure_until(time);
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(
        plan.operations(USER)[0],
        "CREATE ROLE \"pipe\" LOGIN VALID UNTIL '2100-01-31T00:00:00.25Z' PASSWORD '<redacted>'"
    );
    assert!(!plan.outcome.message().contains("expire"), "{}", plan.outcome.message());
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
    assert!(rig.holds("SELECT rolvaliduntil = '2100-01-31 00:00:00.25+00' FROM pg_roles WHERE rolname = 'pipe'").await);
    assert_eq!(rig.valid_until().await, json!("2100-01-31T01:00:00.25+01:00"));
    rig.login("pipe", PASSWORD).await.unwrap();

    // The same time in another zone, also beside a change; and no longer set.
    rig.configure_until("\"2100-01-30T19:30:00.250-04:30\"");
    rig.tf.assert_empty_plan().await.unwrap();
    rig.configure(&format!("{SCHEMA}\n  valid_until = \"2100-01-31T00:00:00.25Z\"\n  connection_limit = 3"));
    assert_eq!(rig.changes().await, ["ALTER ROLE \"pipe\" CONNECTION LIMIT 3"]);
    rig.configure(SCHEMA);
    rig.tf.assert_empty_plan().await.unwrap();

    // Drift: a value that differs is mended, one that means the same is none, and without the argument what is there is kept.
    rig.configure_until("\"infinity\"");
    assert_eq!(rig.changes().await, ["ALTER ROLE \"pipe\" VALID UNTIL 'infinity'"]);
    for (by_hand, shown) in [("2100-01-31 00:00+00", json!("2100-01-31T00:00:00Z")), ("20000-01-01", json!("infinity"))] {
        rig.configure_until("\"infinity\"");
        rig.admin(&format!("ALTER ROLE pipe VALID UNTIL '{by_hand}'")).await;
        if shown == "infinity" {
            rig.tf.assert_empty_plan().await.unwrap();
        } else {
            assert_eq!(rig.changes().await, ["ALTER ROLE \"pipe\" VALID UNTIL 'infinity'"]);
            rig.admin(&format!("ALTER ROLE pipe VALID UNTIL '{by_hand}'")).await;
        }
        rig.configure(SCHEMA);
        rig.tf.refresh_only().await.unwrap();
        rig.tf.assert_empty_plan().await.unwrap();
        assert_eq!(rig.valid_until().await, shown);
    }

    rig.configure_until("\"2100-02-30T00:00:00Z\"");
    let refused = rig.tf.run(["validate", "-no-color"]).await.unwrap().failed().unwrap().message();
    assert!(refused.contains("valid_until") && refused.contains("RFC 3339"), "{refused}");
}

#[tokio::test]
async fn a_role_that_nobody_can_log_in_as_is_named_at_every_plan() {
    let rig = Rig::start().await;
    rig.admin("CREATE ROLE pipe LOGIN PASSWORD 'old' VALID UNTIL '2020-01-01 00:00:00+00'").await;
    rig.configure(&format!("{SCHEMA}\n  adopt_existing = true"));
    let (expired, statement) = ("Password has expired", "ALTER ROLE \"pipe\" VALID UNTIL 'infinity';");
    let said = rig.tf.warning(expired).await.unwrap();
    assert!(said.contains("2020-01-01T00:00:00Z") && said.contains(statement), "{said}");
    let applied = rig.tf.apply().await.unwrap().message();
    assert!(applied.contains(expired), "{applied}");
    assert_eq!(rig.valid_until().await, json!("2020-01-01T00:00:00Z"));
    assert!(rig.login("pipe", PASSWORD).await.is_err());
    assert_eq!(rig.tf.warning(expired).await.unwrap(), said, "the same situation gives the same words");
    rig.tf.assert_empty_plan().await.unwrap();
    // What the warning says works.
    rig.admin(statement).await;
    rig.login("pipe", PASSWORD).await.unwrap();
    assert!(rig.tf.warning(expired).await.is_err());

    // A time that is configured, before it is set and from then on.
    for (days, warning) in [(-1, Some(expired)), (13, Some("Password expires soon")), (15, None)] {
        rig.configure_until(&format!("\"{}\"", rig.days_from_now(days).await));
        for _ in 0..2 {
            let plan = rig.tf.plan().await.unwrap();
            let said = plan.outcome.message();
            assert_eq!(said.contains("Password "), warning.is_some(), "{days} days: {said}");
            assert!(warning.is_none_or(|warning| said.contains(&format!("{warning}: role \"pipe\""))), "{days} days: {said}");
            rig.tf.apply_plan(&plan).await.unwrap();
        }
        assert_eq!(rig.login("pipe", PASSWORD).await.is_err(), days < 0, "{days} days");
    }

    rig.configure(&format!("{SCHEMA}\n  connection_limit = 0"));
    let (no_connections, statement) = ("Role may not connect", "ALTER ROLE \"pipe\" CONNECTION LIMIT -1;");
    for _ in 0..2 {
        let said = rig.tf.warning(no_connections).await.unwrap();
        assert!(said.contains(statement), "{said}");
        rig.tf.apply().await.unwrap();
    }
    assert!(rig.login("pipe", PASSWORD).await.is_err());
    // It is kept, and still named.
    rig.configure(SCHEMA);
    rig.tf.warning(no_connections).await.unwrap();
    rig.admin(statement).await;
    rig.login("pipe", PASSWORD).await.unwrap();
    assert!(rig.tf.warning(no_connections).await.is_err());
}

#[tokio::test]
async fn an_expiry_is_imported_and_generated() {
    let rig = Rig::start().await;
    rig.admin("CREATE ROLE pipe LOGIN VALID UNTIL '2100-01-31 05:45:00+05:45'; GRANT rds_replication TO pipe").await;
    rig.admin("GRANT CONNECT ON DATABASE app TO pipe").await;
    rig.main(&format!("import {{\n  to = {USER}\n  id = \"app/pipe\"\n}}\n")).unwrap();
    rig.tf.plan_with(&["-generate-config-out=generated.tf"]).await.unwrap();
    let generated = std::fs::read_to_string(rig.tf.folder().join("generated.tf")).unwrap();
    assert!(generated.contains("\"2100-01-31T00:00:00Z\""), "{generated}");
    let plan = rig.tf.plan().await.unwrap();
    assert_eq!(plan.actions(USER), ["no-op"], "{}", plan.outcome.stdout);
    rig.tf.apply_plan(&plan).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}
