//! States and private data that were edited, or that belong to another resource.

use anyhow::Result;
use serde_json::{Value, json};

use crate::world::{PUBLICATION, USER, World, inventory, with_oids};

/// The oids that the application has.
const THEIRS: [u64; 2] = [54_321, 54_322];

/// An edit of a state: its attributes and its private data.
type Edit = fn(&mut Value, &mut Value, u64);

/// The oid within private data: the user's, or the publication's.
fn stored(private: &mut Value) -> &mut Value {
    let observed = &mut private["observed"];
    if observed["role"].is_object() { &mut observed["role"]["oid"] } else { &mut observed["oid"] }
}

const EDITS: [(&str, Edit); 8] = [
    ("the oid of the state", |state, _, theirs| state["oid"] = json!(theirs)),
    ("the oid of the private data", |_, private, theirs| *stored(private) = json!(theirs)),
    ("both oids", |state, private, theirs| {
        state["oid"] = json!(theirs);
        *stored(private) = json!(theirs);
    }),
    ("the name", |state, _, _| state["name"] = json!("application")),
    ("name and id", |state, private, _| {
        (state["name"], state["id"]) = (json!("application"), json!("app/application"));
        private["observed"]["role"]["name"] = json!("application");
    }),
    ("no oid and no private data, another name", |state, private, _| {
        (state["name"], state["oid"], *private) = (json!("application"), Value::Null, Value::Null);
    }),
    ("no private data, the other's oid", |state, private, theirs| (state["oid"], *private) = (json!(theirs), Value::Null)),
    ("another site", |state, private, theirs| {
        state["oid"] = json!(theirs);
        *stored(private) = json!(theirs);
        private["observed"]["site"]["system"] = json!(1);
    }),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_state_makes_nobody_elses_object_ours() -> Result<()> {
    let (world, cluster) = World::applied().await?;
    with_oids(&cluster, "application", "application", THEIRS).await?;
    let theirs =
        |lines: Vec<String>| -> Vec<String> { lines.into_iter().filter(|line| line.contains(" application ")).collect() };
    let (original, before) = (std::fs::read_to_string(world.tf.folder().join("terraform.tfstate"))?, inventory(&cluster).await?);
    let kept = theirs(before.clone());
    for (what, edit) in EDITS {
        for (address, oid) in [USER, PUBLICATION].into_iter().zip(THEIRS) {
            world.tf.write("terraform.tfstate", &original)?;
            world.tamper(address, |state, private| edit(state, private, oid))?;
            let target = format!("-target={address}");
            for arguments in [
                &["plan", &target][..],
                &["plan", &target, "-refresh=false"],
                &["destroy", "-auto-approve", &target, "-refresh=false"],
                &["apply", "-auto-approve", &target, "-refresh=false"],
            ] {
                let said = world.says(arguments).await?;
                assert!(!said.contains("panicked"), "{what}: {said}");
                assert_eq!(theirs(inventory(&cluster).await?), kept, "{what} of {address}, {arguments:?}: {said}");
            }
        }
    }
    Ok(())
}

/// The private data of one object beside the state of another.
#[tokio::test(flavor = "multi_thread")]
async fn private_data_of_another_object_is_an_error_that_says_so() -> Result<()> {
    let (world, cluster) = World::applied().await?;
    let before = inventory(&cluster).await?;
    for (address, edit) in [USER, PUBLICATION].into_iter().zip([THEIRS[0], THEIRS[1]]) {
        world.tamper(address, |_, private| *stored(private) = json!(edit))?;
    }
    for arguments in [&["plan"][..], &["destroy", "-auto-approve"], &["destroy", "-auto-approve", "-refresh=false"]] {
        let refusal = world.says(arguments).await?;
        assert_eq!(refusal.matches("Error: The stored state cannot be read").count(), 2, "{refusal}");
        assert!(refusal.contains("the private data stored with it is about an object with oid 54321"), "{refusal}");
        assert_eq!(inventory(&cluster).await?, before);
    }
    // Private data of another kind of object counts as absent, and is found again.
    let foreign = json!({"observed": {"cluster": {"identifier": "x"}}, "planned": ["x"], "applied": "x"});
    for address in [USER, PUBLICATION] {
        world.tamper(address, |_, private| *private = foreign.clone())?;
    }
    world.tf.assert_empty_plan().await?;
    Ok(())
}
