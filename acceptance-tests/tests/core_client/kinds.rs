//! Each fault of a data source, a function, an ephemeral resource, a list or an action, and what the client reports.

use acceptance_tests::core_client::{Failure, FunctionFault, Kind, TerraformCore, Value, message};
use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::fault::{Fault, said_of};
use crate::faulty_provider::{THING, core};
use crate::inhabitants::{SHOUT, WORD};

fn config(core: &TerraformCore, kind: Kind, word: &str) -> Result<Value, Failure> {
    let type_name = if kind == Kind::List { THING } else { WORD };
    core.schemas().configuration_of(kind, type_name, &json!({ "word": word }))
}

/// Uses each of them as core does.
async fn use_all(core: &mut TerraformCore) -> Result<(), Failure> {
    let data = config(core, Kind::DataSource, "abc")?;
    let read = core.read_data_source(WORD, &data).await?;
    assert_eq!(read.attribute("length"), Value::Number(3.into()));

    let arguments = core.arguments(SHOUT, &[json!("a"), json!([1, null, { "x": true }]), json!(null)])?;
    assert_eq!(core.call_function(SHOUT, &arguments).await?, Ok(Value::text("A!!!")));
    let arguments = core.arguments(SHOUT, &[json!("")])?;
    let fault = FunctionFault { text: "there is nothing to shout".to_owned(), argument: Some(0) };
    assert_eq!(core.call_function(SHOUT, &arguments).await?, Err(fault));

    let ephemeral = config(core, Kind::Ephemeral, "abc")?;
    let mut opened = core.open_ephemeral(WORD, &ephemeral).await?;
    core.renew_ephemeral(WORD, &mut opened).await?;
    assert_eq!((opened.renew_at, opened.private.as_deref()), (None, Some(&b"renewed"[..])));
    core.close_ephemeral(WORD, opened).await?;

    let list = config(core, Kind::List, "abc")?;
    let found = core.list(THING, &list, true, 100).await?;
    assert_eq!((found.len(), found[1].display_name.as_str()), (2, "b"));
    assert_eq!(core.list(THING, &list, false, 1).await?.len(), 1);

    let action = config(core, Kind::Action, "abc")?;
    core.plan_action(WORD, &action).await?;
    assert_eq!(core.invoke_action(WORD, &action).await?, ["half-way"]);
    Ok(())
}

#[tokio::test]
async fn healthy_ones_are_used_without_a_word() -> Result<()> {
    Ok(use_all(&mut core(None).await?).await?)
}

/// For each of them, a bad configuration is refused with its path, and an unknown one is valid.
#[tokio::test]
async fn each_kind_refuses_and_waits() -> Result<()> {
    let mut core = core(None).await?;
    for kind in Kind::ALL {
        let type_name = if kind == Kind::List { THING } else { WORD };
        let bad = config(&core, kind, "")?;
        let refused = core.validate_of(kind, type_name, message(&bad)).await.err().context("it was valid")?;
        let Failure::Refused(diagnostics) = refused else { anyhow::bail!("{refused}") };
        ensure!(diagnostics[0].attribute.is_some(), "{diagnostics:?}");
        let unknown = bad.with("word", Value::unknown());
        core.validate_of(kind, type_name, message(&unknown)).await?;
    }
    Ok(())
}

/// The client only asks for what core asks for.
#[tokio::test]
async fn nothing_is_done_with_what_is_not_known() -> Result<()> {
    let mut core = core(None).await?;
    let unknown = |config: Value| config.with("word", Value::unknown());
    let (data, list) = (unknown(config(&core, Kind::DataSource, "")?), unknown(config(&core, Kind::List, "")?));
    let done = [
        core.read_data_source(WORD, &data).await.err(),
        core.open_ephemeral(WORD, &data).await.err(),
        core.list(THING, &list, false, 1).await.err(),
        core.invoke_action(WORD, &list).await.err(),
        core.call_function(SHOUT, &[Value::unknown()]).await.err(),
        core.call_function(SHOUT, &[Value::Null]).await.err(),
        core.call_function(SHOUT, &[]).await.err(),
    ];
    assert!(done.iter().all(|failure| matches!(failure, Some(Failure::Client(_)))), "{done:?}");
    Ok(())
}

/// If the provider's own configuration is partly unknown, an ephemeral value may be unknown too.
#[tokio::test]
async fn an_early_opening_may_stay_unknown() -> Result<()> {
    let mut core = core(Some(Fault::OpensUnknown)).await?;
    let ephemeral = config(&core, Kind::Ephemeral, "abc")?;
    ensure!(core.open_ephemeral(WORD, &ephemeral).await.is_err());
    core.configure_with(&Value::unknown()).await?;
    ensure!(!core.open_ephemeral(WORD, &ephemeral).await?.result.is_wholly_known());
    Ok(())
}

#[tokio::test]
async fn an_action_that_fails_is_no_broken_rule() -> Result<()> {
    let mut core = core(None).await?;
    let fail = config(&core, Kind::Action, "fail")?;
    let failure = core.invoke_action(WORD, &fail).await.err().context("it worked")?;
    assert_eq!(failure.errors(), ["It failed: "]);
    Ok(())
}

/// What the client reports for a provider with this fault.
async fn said_of(fault: Fault) -> Result<String> {
    let failure = match core(Some(fault)).await {
        Err(error) => return Ok(error.to_string()),
        Ok(mut core) => use_all(&mut core).await.err(),
    };
    ensure!(!matches!(failure, Some(Failure::Status(_) | Failure::Refused(_) | Failure::Client(_))), "{fault:?}: {failure:?}");
    Ok(failure.map(|failure| failure.to_string()).unwrap_or_default())
}

said_of! {
    state_stores_are_not_known: OffersStateStores => ["does not know state store \"test_store\": teach it"];
    provider_meta_is_not_known: OffersProviderMeta => ["does not know provider_meta: teach it"];

    a_data_source_with_a_secret: DataSourceHasASecret => [
        "invalid schema for data resource type \"test_word\": secret_wo: only managed resources have write-only attributes"
    ];
    a_data_source_gives_null: DataIsNull => ["Provider produced null object", "a null value for data.test_word.this"];
    a_data_source_gives_something_unknown: DataIsUnknown => [
        "Provider produced invalid object", "a value for data.test_word.this that is not wholly known: .length"
    ];
    a_data_source_gives_another_type: DataIsOfAnotherType => ["Plugin error", ".length: number is required"];
    a_data_source_changes_the_configuration: DataIsOfAnotherConfiguration => [
        "Provider reads another data source than is configured", "data.test_word.this.word: planned value cty.StringVal(\"other\")"
    ];
    a_data_source_defers: DataDefers => ["Provider deferred changes when Terraform did not allow deferrals", "data.test_word.this"];

    an_ephemeral_resource_gives_null: OpensNull => [
        "Provider produced invalid ephemeral resource instance", "planned for absence but config wants existence"
    ];
    an_ephemeral_resource_gives_something_unknown: OpensUnknown => [
        "Provider produced invalid ephemeral resource instance", "ephemeral.test_word.this.length is unknown"
    ];
    an_ephemeral_resource_changes_the_configuration: OpensAnotherConfiguration => [
        "The provider for test_word produced an inconsistent result: .word: planned value cty.StringVal(\"other\")"
    ];
    an_ephemeral_resource_defers: OpenDefers => ["Provider deferred changes when Terraform did not allow deferrals"];
    an_ephemeral_resource_is_renewed_at_no_time: OpensToBeRenewedAtNoTime => ["wants to be renewed at 0 s and 0 ns"];

    a_list_without_identities: ListsNoIdentity => ["missing identity data in ListResource event for test_thing"];
    a_list_with_an_unknown_identity: ListsAnUnknownIdentity => [
        "Provider produced invalid identity", "an identity with unknown values for list.test_thing.this: .id"
    ];
    a_list_with_an_incomplete_identity: ListsAnIncompleteIdentity => ["Provider produced an incomplete identity", "\"name\""];
    a_list_without_objects: ListsNoObject => ["Provider produced invalid list", "without its state, which was asked for"];
    a_list_with_objects_that_nobody_wants: ListsAnUnaskedObject => ["with its state, which was not asked for"];
    a_list_with_an_unknown_object: ListsAnUnknownObject => ["with an unknown value at .id"];
    a_list_with_a_secret: ListsASecret => ["with a value of the write-only attribute .password_wo"];
    a_list_without_names: ListsWithoutAName => ["without a display name"];
    a_list_of_too_many: ListsTooMany => ["listed more for list.test_thing.this than the 1 that were asked for"];
    a_list_with_one_twice: ListsTheSameTwice => ["listed two objects for list.test_thing.this with the identity"];
    a_list_of_what_has_no_identity: ListHasNoIdentity => ["Identity schema not found for resource type test_thing"];

    an_action_that_computes: ActionComputes => [
        "invalid schema for action type \"test_word\": length: a configuration from which nothing comes back has no computed attributes"
    ];
    an_action_that_never_ends: ActionNeverEnds => [
        "Provider return invalid response", "did not include the event that completes the action"
    ];
    an_action_that_ends_twice: ActionEndsTwice => ["an event follows the one that completes the action"];
    an_action_that_goes_on_after_its_end: ActionGoesOnAfterItsEnd => ["an event follows the one that completes the action"];
    an_action_that_says_nothing: ActionSaysNothing => ["a progress message is empty"];
    an_action_with_an_empty_event: ActionSendsAnEmptyEvent => ["unexpected event type in InvokeAction response"];
    an_action_defers: ActionDefers => ["Invalid deferral", "deferrals are not enabled for this client"];

    a_function_with_a_bad_name: FunctionIsMisnamed => ["provider declares function with invalid name \"1shout\""];
    a_function_without_a_type: FunctionHasNoType => [
        "invalid declaration for function \"shout\": invalid return type constraint"
    ];
    a_function_that_only_one_rpc_knows: FunctionsDiffer => ["GetFunctions has other functions than GetProviderSchema: [] and [shout]"];
    a_function_gives_nothing: FunctionGivesNothing => ["Error in function call", "provider returned no result and no errors"];
    a_function_gives_something_unknown: FunctionGivesUnknown => ["the result is unknown, and all arguments are known"];
    a_function_gives_another_type: FunctionGivesAnotherType => ["Error in function call", "string is required"];
    a_function_gives_a_result_beside_an_error: FunctionGivesBoth => ["there is a result beside the error, which core drops"];
    a_function_blames_an_argument_that_there_is_not: FunctionBlamesNobody => ["the error is about argument 7, and there are 1"];
    a_function_fails_without_a_word: FunctionFailsWithoutAWord => ["the error has no text"];
    a_function_changes_its_mind: FunctionChangesItsMind => ["function returned an inconsistent result"];
}
