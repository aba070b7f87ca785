//! A rename, and the password that goes with the name if it is stored as md5.

use crate::rig::{PASSWORD, Rig, USER};

const MD5: &str = "SET password_encryption = 'md5'; ALTER ROLE pipe PASSWORD 'by-hand'";

#[tokio::test]
async fn a_rename_sets_the_given_password_again() {
    let rig = Rig::start().await;
    rig.configure("  schemas = [\"shop\"]");
    rig.tf.apply().await.unwrap();
    rig.superuser(MD5).await;
    assert!(rig.holds("SELECT rolpassword LIKE 'md5%' FROM pg_authid WHERE rolname = 'pipe'").await);
    rig.configure_as("renamed", 1, "  schemas = [\"shop\"]");
    let plan = rig.tf.plan().await.unwrap();
    let operations = ["ALTER ROLE \"pipe\" RENAME TO \"renamed\"", "ALTER ROLE \"renamed\" PASSWORD '<redacted>'"];
    assert_eq!(plan.operations(USER), operations);
    let mark = rig.mark();
    let said = rig.tf.apply_plan(&plan).await.unwrap().message();
    assert!(!said.contains("was cleared"), "{said}");
    assert_eq!(rig.changes_since(mark), operations);
    rig.login("renamed", PASSWORD).await.unwrap();
    rig.tf.assert_empty_plan().await.unwrap();
}

/// A role whose password the configuration does not know.
#[tokio::test]
async fn a_rename_that_clears_the_password_says_so() {
    let rig = Rig::start().await;
    rig.admin("CREATE ROLE pipe LOGIN; GRANT rds_replication TO pipe").await;
    rig.superuser(MD5).await;
    let configure = |name: &str| {
        let text =
            format!("resource \"clickpipes_replication_user\" \"pipe\" {{\n  name = \"{name}\"\n  database = \"app\"\n}}\n");
        rig.main(&text).unwrap();
    };
    configure("pipe");
    rig.tf.import(USER, "app/pipe").await.unwrap();
    for (name, cleared) in [("renamed", true), ("again", false)] {
        configure(name);
        let plan = rig.tf.plan().await.unwrap();
        let said = plan.outcome.message();
        assert!(said.contains("stored as md5") && said.contains("set password_wo"), "{said}");
        let said = rig.tf.apply_plan(&plan).await.unwrap().message();
        assert_eq!(said.contains("The password was cleared"), cleared, "{said}");
        rig.tf.assert_empty_plan().await.unwrap();
    }
    assert!(rig.holds("SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'again'").await);
}

#[tokio::test]
async fn a_saved_plan_after_a_rename_by_hand_says_to_plan_again() {
    let rig = Rig::start().await;
    rig.configure("  schemas = [\"shop\"]");
    rig.tf.apply().await.unwrap();
    rig.configure_as("pipe", 2, "  schemas = [\"shop\"]");
    let plan = rig.tf.plan().await.unwrap();
    rig.superuser("ALTER ROLE pipe RENAME TO elsewhere").await;
    let mark = rig.mark();
    let refusal =
        rig.tf.run(["apply".as_ref(), "-no-color".as_ref(), plan.file.as_os_str()]).await.unwrap().failed().unwrap().message();
    assert!(refusal.contains("\"elsewhere\" now. Nothing was changed. Plan again"), "{refusal}");
    assert_eq!(rig.changes_since(mark), Vec::<String>::new());
    rig.tf.apply().await.unwrap();
    rig.login("pipe", PASSWORD).await.unwrap();
}
