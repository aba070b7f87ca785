//! Each fault of an identity, and what the client reports; and resources without an identity, which work too.

use acceptance_tests::core_client::{Failure, Object, TerraformCore, Value};
use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::fault::{Fault, said_of};
use crate::faulty_provider::{THING, core};
use crate::rules::{said_of, subject};

/// An older provider does not know this RPC.
#[tokio::test]
async fn a_resource_without_an_identity_lives_as_before() -> Result<()> {
    let mut core = core(Some(Fault::KnowsNoIdentities)).await?;
    let subject = subject(&core)?;
    let lived = core.live(&subject).await?;
    ensure!(core.schemas().identity(THING).is_none() && lived.last.identity.is_none());
    Ok(())
}

fn stored(core: &TerraformCore, identity_version: i64) -> Result<Object> {
    let value = core.configuration(THING, &json!({ "name": "a", "id": "id-1", "owner": "admin" }))?;
    let identity = Value::Object([("name".to_owned(), Value::text("old")), ("id".to_owned(), Value::Null)].into());
    Ok(Object { identity: Some(identity), identity_version, ..Object::new(value, b"before".to_vec()) })
}

/// Core asks for an upgrade only when the version has changed; the provider marks what it upgraded.
#[tokio::test]
async fn a_stored_identity_is_upgraded_when_its_version_is_lower() -> Result<()> {
    let mut core = core(Some(Fault::ReadsWhatIdentityCame)).await?;
    let applied = subject(&core)?.create;
    core.bring_about(THING, None, &applied).await?;
    for (version, name) in [(0, "upgraded"), (1, "old")] {
        let object = stored(&core, version)?;
        let read = core.refresh(THING, &object).await?.context("it is gone")?;
        let identity = read.identity.context("there is none")?;
        assert_eq!((identity.attribute("name"), read.identity_version), (Value::text(name), 1));
    }
    let newer = stored(&core, 2)?;
    let failure = core.refresh(THING, &newer).await.err().context("a newer one was read")?;
    assert!(matches!(failure, Failure::Client(words) if words.contains("newer provider version")));
    Ok(())
}

async fn said_of_upgrade(fault: Fault) -> Result<String> {
    let mut core = core(Some(fault)).await?;
    let failure = core.upgrade_identity(THING, 0, br#"{"name":"a"}"#.to_vec()).await.err().context("nothing is said")?;
    Ok(failure.to_string())
}

#[tokio::test]
async fn an_upgraded_identity_is_there_and_known() -> Result<()> {
    let said = said_of_upgrade(Fault::UpgradesToNoIdentity).await?;
    ensure!(said.contains("has no identity after its upgrade"), "{said}");
    let said = said_of_upgrade(Fault::UpgradesToUnknownIdentity).await?;
    ensure!(
        said.contains("Invalid resource identity upgrade") && said.contains(".id: the returned state contains unknown"),
        "{said}"
    );
    Ok(())
}

said_of! {
    an_identity_schema_with_a_map: IdentityHasAMap => [
        "invalid schema for managed resource type \"test_thing\", attribute \"name\" is a map, which is not allowed in identity schemas"
    ];
    an_identity_schema_of_nothing: IdentityOfNothing => ["an identity schema for \"test_nothing\" and no managed resource"];
    an_identity_without_a_schema: IdentityWithoutASchema => ["identity type not found for test_thing.this"];

    a_planned_identity_has_another_type: PlansAnIdentityOfAnotherType => ["Plugin error", "during planning", ".name: string is required"];
    an_update_plans_an_unknown_identity: PlansAnUnknownIdentity => [
        "Provider produced invalid identity", "an identity with unknown values for test_thing.this: .id"
    ];
    the_last_plan_has_another_identity: LastPlanHasAnotherIdentity => [
        "Provider produced a different identity", "test_thing.this in the final plan: .name"
    ];

    an_applied_identity_is_missing: AppliesNoIdentity => ["Provider gave no identity", "after apply"];
    an_applied_identity_is_unknown: AppliesAnUnknownIdentity => ["Provider produced invalid identity", ".id"];
    an_applied_identity_is_another: AppliesAnotherIdentity => [
        "Provider produced a different identity", "test_thing.this after apply: .name"
    ];
    an_applied_identity_is_incomplete: AppliesAnIncompleteIdentity => [
        "Provider produced an incomplete identity", "attribute \"name\" is required for an import, and null"
    ];

    a_read_identity_is_missing: ReadsNoIdentity => ["Provider gave no identity", "during refresh"];
    a_read_identity_is_unknown: ReadsAnUnknownIdentity => ["Provider produced invalid identity", ".id"];
    a_read_identity_is_another: ReadsAnotherIdentity => ["Provider produced a different identity", "test_thing in a refresh: .name"];
    a_read_identity_comes_from_the_stored_one_only: ReadsAnotherIdentityWhereNoneWas => [
        "Provider produced a different identity", "in a refresh of a state without one: .name"
    ];

    an_import_by_identity_gives_none: ImportsNoIdentity => ["import of test_thing.this didn't return an identity"];
    an_import_by_identity_gives_an_unknown_one: ImportsAnUnknownIdentity => ["Provider produced invalid identity", ".id"];
    an_import_by_identity_gives_another: ImportsAnotherIdentity => [
        "Provider produced a different identity", "test_thing.this after its import: .name"
    ];
    an_import_by_what_it_needs_finds_nothing: ImportsOnlyByAWholeIdentity => ["Import returned null resource", "with Identity"];
    an_import_by_identity_finds_another_object: ImportsAnotherObjectByIdentity => ["Import by identity finds another object", ".owner"];
}
