//! Each fault, and core's message for it.

use acceptance_tests::core_client::rules::action::Action;
use acceptance_tests::core_client::{Failure, Subject, TerraformCore, Value};
use anyhow::{Result, ensure};
use serde_json::json;

use crate::fault::{Fault, said_of};
use crate::faulty_provider::{THING, core};

/// A life that touches every rule.
pub fn subject(core: &TerraformCore) -> Result<Subject> {
    let config = |name: &str, size: Option<i64>, key: Option<&str>| {
        core.configuration(
            THING,
            &json!({
                "name": name, "size": size, "key": key, "password_wo": "hunter2", "members": [{ "name": "a" }],
                "options": { "o": { "filter": "f" } }, "tables": ["t"], "tags": { "k": "v" }, "publish": ["insert"],
            }),
        )
    };
    Ok(Subject {
        type_name: THING.to_owned(),
        create: config("a", None, Some("k"))?,
        update: config("a", Some(5), Some("l"))?,
        replace: Some(config("b", Some(5), None)?),
        import_id: "a".to_owned(),
        not_imported: Default::default(),
    })
}

#[tokio::test]
async fn a_healthy_provider_breaks_no_rule() -> Result<()> {
    let mut core = core(None).await?;
    let subject = subject(&core)?;
    let lived = core.live(&subject).await?;
    core.find_gone(THING, &lived.last).await?;
    assert_eq!(lived.done, [Action::Create, Action::Update, Action::Replace, Action::Delete]);
    // Of the last object: after a replacement, it has another name.
    assert_eq!(lived.last.identity.map(|identity| identity.attribute("name")), Some(Value::text("b")));
    Ok(())
}

/// What the client reports for a provider with this fault.
pub async fn said_of(fault: Fault) -> Result<String> {
    let mut core = match core(Some(fault)).await {
        Ok(core) => core,
        Err(error) => return Ok(error.to_string()),
    };
    let subject = subject(&core)?;
    let failure = match core.live(&subject).await {
        Ok(lived) => core.find_gone(THING, &lived.last).await.err(),
        Err(failure) => Some(failure),
    };
    ensure!(!matches!(failure, Some(Failure::Status(_) | Failure::Refused(_))), "{fault:?}: {failure:?}");
    Ok(failure.map(|failure| failure.to_string()).unwrap_or_default())
}

said_of! {
    a_schema_with_two_types: SchemaTypedTwice => [
        "provider has invalid schema for managed resource type \"test_thing\"", "Type and NestedType cannot both be set"
    ];
    no_provider_schema: SchemaMissing => ["missing provider schema"];
    a_diagnostic_without_severity: SeverityMissing => ["Diagnostic without a severity", "Nobody sees this"];

    another_value_is_planned: PlansAnotherValue => [
        "Provider produced invalid plan",
        "test_thing.this.name: planned value cty.StringVal(\"other\") does not match config value cty.StringVal(\"a\")"
    ];
    another_value_is_planned_than_there_was: PlansAnotherValueThanBefore => [
        "Provider produced invalid plan",
        ".name: planned value cty.StringVal(\"other\") does not match config value cty.StringVal(\"b\") nor prior value cty.StringVal(\"a\")"
    ];
    a_value_is_planned_that_is_not_configured: PlansWhatIsNotConfigured => [
        "Provider produced invalid plan", ".size: planned value cty.NumberIntVal(7) for a non-computed attribute"
    ];
    another_secret_is_planned: PlansAnotherSecret => [
        "Provider produced invalid plan", ".key: sensitive planned value does not match config value"
    ];
    another_secret_is_planned_than_there_was: PlansAnotherSecretThanBefore => [
        "Provider produced invalid plan", ".key: sensitive planned value does not match config value nor prior value"
    ];
    a_secret_is_planned_that_is_not_configured: PlansASecretThatIsNotConfigured => [
        "Provider produced invalid plan", ".key: sensitive planned value for a non-computed attribute"
    ];
    no_members_are_planned: PlansNoMembers => [".members: planned for absence but config wants existence"];
    members_are_planned_under_other_keys: PlansOtherKeys => [
        ".options: map key \"renamed\" from plan is not present in config", ".options: map key \"o\" from config is not present in plan"
    ];
    fewer_members_are_planned: PlansFewerMembers => [
        ".members: count in plan (cty.NumberIntVal(0)) disagrees with count in config (cty.NumberIntVal(1))"
    ];
    configured_members_are_planned_unknown: PlansUnknownMembers => [".members: planned unknown for configured value"];
    a_write_only_value_is_planned: PlansWriteOnly => [
        "Provider produced invalid plan",
        "returned a value for the write-only attribute \"test_thing.this.password_wo\" during planning"
    ];
    nothing_is_planned: PlansAbsence => ["Provider produced invalid plan", "planned for absence but config wants existence"];
    an_attribute_is_missing: PlansWithoutAnAttribute => ["an object with 11 attributes is required (10 given)"];
    an_extension_that_nobody_knows: PlansAnOddExtension => [".id: unsupported extension type 7"];
    a_destroy_keeps_something: PlansToKeepTheDestroyed => ["Provider produced invalid plan", "planned a non-null destroy value for test_thing.this"];
    the_plan_after_an_apply_is_not_empty: PlansAgain => ["After the apply, the plan is not empty", ".owner"];
    a_replacement_for_no_attribute: ReplacesForNothing => [
        "has indicated \"requires replacement\" on test_thing.this for a non-existent attribute path .nothing"
    ];
    a_deferral: Defers => ["Provider deferred changes when Terraform did not allow deferrals"];
    a_deferral_in_the_apply_walk: DefersInApply => ["Provider deferred changes when Terraform did not allow deferrals"];
    a_plan_by_legacy_rules: PlansByLegacyRules => ["Provider claims the legacy type system"];
    private_data_lost_in_a_plan: PlanLosesPrivate => ["Provider lost private data", "during planning"];
    the_last_plan_differs: LastPlanDiffers => [
        "Provider produced inconsistent final plan", ".owner: was cty.StringVal(\"admin\"), but now cty.StringVal(\"another\")"
    ];
    the_last_plan_differs_where_the_first_ones_private_data_are_at_hand: LastPlanDiffersFromPrivate => [
        "Provider produced inconsistent final plan", ".owner: was cty.StringVal(\"admin\"), but now cty.StringVal(\"another\")"
    ];
    the_last_plan_replaces: LastPlanReplaces => [
        "Provider produced inconsistent final plan", "changed the planned action from Update to DeleteThenCreate"
    ];

    another_value_is_applied: AppliesAnotherValue => [
        "Provider produced inconsistent result after apply", ".size: was null, but now cty.NumberIntVal(42)"
    ];
    another_secret_is_applied: AppliesAnotherSecret => [
        "Provider produced inconsistent result after apply", ".key: inconsistent values for sensitive attribute"
    ];
    null_is_applied: AppliesNull => [".tables: was cty.ListVal([]cty.Value{cty.StringVal(\"t\")}), but now null"];
    fewer_elements_are_applied: AppliesFewerTables => [".tables: element 0 has vanished"];
    more_elements_are_applied: AppliesMoreTables => [".tables: new element 1 has appeared"];
    another_key_is_applied: AppliesAnotherTag => [".tags: element \"k\" has vanished", ".tags: new element \"other\" has appeared"];
    another_nested_value_is_applied: AppliesAnotherMember => [
        ".members[0].name: was cty.StringVal(\"a\"), but now cty.StringVal(\"b\")"
    ];
    a_set_grows: AppliesMorePublished => [".publish: length changed from 1 to 2"];
    a_set_changes: AppliesOthersPublished => [
        ".publish: planned set element cty.StringVal(\"insert\") does not correlate with any element in actual"
    ];
    a_promise_is_broken: BreaksAPromise => ["final value cty.StringVal(\"1\") does not conform to planning placeholder"];
    a_value_stays_unknown: LeavesUnknown => [
        "Provider returned invalid result object after apply", "still indicated an unknown value for test_thing.this.id"
    ];
    a_write_only_value_is_applied: AppliesWriteOnly => [
        "Provider produced invalid object",
        "returned a value for the write-only attribute \"test_thing.this.password_wo\" after apply"
    ];
    nothing_is_applied: AppliesNothing => [
        "Root object was present, but now absent", "After applying a Create plan, the provider returned a null object"
    ];
    an_apply_by_legacy_rules: AppliesByLegacyRules => ["Provider claims the legacy type system"];
    an_apply_without_a_state: AppliesWithoutState => ["Provider gave no state", "after apply"];
    private_data_lost_in_an_apply: ApplyLosesPrivate => ["Provider lost private data", "after apply"];
    the_destroyed_stays: KeepsTheDestroyed => ["returned a non-null object", "Destroying should always produce a null value"];

    a_read_is_unknown: ReadsUnknown => [
        "Provider produced invalid object", "during refresh: .id: the returned state contains unknown values"
    ];
    a_read_has_a_write_only_value: ReadsWriteOnly => [
        "Provider produced invalid object", "write-only attribute \"test_thing.this.password_wo\" during refresh"
    ];
    a_read_without_a_state: ReadsWithoutState => ["Provider gave no state", "during refresh"];
    a_read_finds_another_value: ReadsAnotherValue => ["Provider reads another object than it applied", ".size: was null"];
    private_data_lost_in_a_read: ReadLosesPrivate => ["Provider lost private data", "during refresh"];
    a_read_loses_the_object: ReadLosesTheObject => ["Provider lost an object"];
    a_read_finds_the_destroyed: ReadsTheDestroyed => ["Provider finds what is gone"];
    a_read_defers: ReadDefers => ["Provider deferred changes when Terraform did not allow deferrals"];

    an_upgrade_changes_a_value: UpgradesToAnotherValue => ["Provider reads another state than was stored", ".size: was null"];
    an_upgrade_is_unknown: UpgradesToUnknown => ["Invalid resource state upgrade", ".id: the upgraded state contains unknown values"];
    an_upgrade_has_a_write_only_value: UpgradesToWriteOnly => ["Invalid resource state upgrade", ".password_wo"];
    an_upgrade_without_a_state: UpgradesWithoutState => ["Provider gave no state", "after the upgrade of its state"];

    an_import_finds_nothing: ImportsNothing => ["Import returned no resources"];
    an_import_finds_two: ImportsTwo => ["Multiple import states not supported"];
    an_import_is_null: ImportsNull => ["Import returned null resource"];
    an_import_has_another_type: ImportsAnotherType => ["Import returned another type", "test_other"];
    an_import_has_a_write_only_value: ImportsWriteOnly => ["Import returned a non-null value for a write-only attribute", ".password_wo"];
    an_import_is_unknown: ImportsUnknown => ["Import returned an unknown value", ".id"];
    an_import_finds_another_value: ImportsAnotherValue => ["Import finds another object", ".owner"];
    an_import_defers: ImportDefers => ["Provider deferred changes when Terraform did not allow deferrals"];
}
