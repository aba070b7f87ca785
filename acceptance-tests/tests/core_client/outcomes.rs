//! What the client stores after an apply that did not succeed, as core does.

use acceptance_tests::core_client::rules::action::Action;
use acceptance_tests::core_client::{Applied, Failure, Object, TerraformCore, Value, Version, Walk};
use anyhow::{Context as _, Result};
use serde_json::json;

use crate::fault::Fault;
use crate::faulty_provider::{THING, core};

async fn create(core: &mut TerraformCore) -> Result<Applied> {
    let config = core.configuration(THING, &json!({ "name": "a" }))?;
    let planned = core.plan(THING, None, &config, Walk::Plan(Version::V1_11)).await?;
    Ok(core.apply(THING, None, &planned, &config).await?)
}

/// The outcome of an update of an existing object.
async fn update(core: &mut TerraformCore) -> Result<(Object, Applied)> {
    let config = core.configuration(THING, &json!({ "name": "a", "size": 5 }))?;
    let value = core.configuration(THING, &json!({ "name": "a", "id": "id-1", "owner": "admin" }))?;
    let object = Object::new(value, b"before".to_vec());
    let planned = core.plan(THING, Some(&object), &config, Walk::Plan(Version::V1_11)).await?;
    Ok((object.clone(), core.apply(THING, Some(&object), &planned, &config).await?))
}

#[tokio::test]
async fn a_create_that_fails_half_way_is_stored_and_replaced_next_time() -> Result<()> {
    let mut core = core(Some(Fault::FailsHalfWay)).await?;
    let applied = create(&mut core).await?;
    assert_eq!(applied.failure.map(|failure| failure.errors()), Some(vec!["Half-way: ".to_owned()]));
    let object = applied.object.context("nothing is stored")?;
    assert!(object.tainted);
    assert_eq!(object.value.attribute("id"), Value::text("id-1"));
    let config = core.configuration(THING, &json!({ "name": "a" }))?;
    let planned = core.plan(THING, Some(&object), &config, Walk::Plan(Version::V1_11)).await?;
    assert_eq!(planned.action, Action::Replace);
    Ok(())
}

#[tokio::test]
async fn an_update_that_fails_half_way_is_stored_and_not_tainted() -> Result<()> {
    let (_, applied) = update(&mut core(Some(Fault::FailsHalfWay)).await?).await?;
    let object = applied.object.context("nothing is stored")?;
    assert_eq!((object.tainted, object.value.attribute("size")), (false, Value::Number(5.into())));
    Ok(())
}

#[tokio::test]
async fn an_error_without_a_state_leaves_everything_as_before() -> Result<()> {
    let mut core = core(Some(Fault::FailsWithoutState)).await?;
    assert_eq!(create(&mut core).await?.object, None);
    let (before, applied) = update(&mut core).await?;
    assert_eq!(applied.object, Some(before));
    assert!(applied.failure.is_some());
    Ok(())
}

#[tokio::test]
async fn what_stays_unknown_is_stored_as_null_and_tainted() -> Result<()> {
    let applied = create(&mut core(Some(Fault::LeavesUnknown)).await?).await?;
    let object = applied.object.context("nothing is stored")?;
    assert_eq!((object.tainted, object.value.attribute("id")), (true, Value::Null));
    Ok(())
}

#[tokio::test]
async fn a_write_only_value_loses_the_state() -> Result<()> {
    let applied = create(&mut core(Some(Fault::AppliesWriteOnly)).await?).await?;
    assert_eq!(applied.object, None);
    Ok(())
}

#[tokio::test]
async fn an_import_of_what_is_not_there_is_said() -> Result<()> {
    let mut core = core(Some(Fault::ImportsWhatIsNotThere)).await?;
    create(&mut core).await?;
    let failure = core.import(THING, "a").await.err().context("it was imported")?;
    assert!(failure.to_string().contains("Cannot import non-existent remote object"), "{failure}");
    Ok(())
}

#[tokio::test]
async fn what_the_provider_refuses_is_not_a_broken_rule() -> Result<()> {
    let mut core = core(Some(Fault::Refuses)).await?;
    let config = core.configuration(THING, &json!({ "name": "a" }))?;
    let failure = core.validate(THING, &config).await.err().context("it was valid")?;
    assert!(matches!(&failure, Failure::Refused(_)), "{failure:?}");
    assert_eq!(failure.errors(), ["No such thing: "]);
    Ok(())
}

#[tokio::test]
async fn a_call_that_fails_is_a_plugin_error() -> Result<()> {
    let failure = create(&mut core(Some(Fault::DropsTheCall)).await?).await.err().context("it was applied")?;
    assert!(failure.to_string().starts_with("Plugin error: Cancelled"), "{failure}");
    Ok(())
}
