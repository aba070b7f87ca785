//! The RPCs over a resource that does what its configuration says, including misbehaviour.

use tonic::Request;

use super::*;
use crate::failure::Failure;
use crate::proto::tfplugin6::provider_server::Provider;
use crate::resource::{
    ApplyRequestOf, Existing, Failed, Plan, PlanRequestOf, PriorOf, Refreshed, Resource, Said, Saved, Subject,
};
use crate::terraform::{Attr, AttributePath, Diagnostics, Model, Trail, Value, computed, model, optional, required};
use crate::wire::dynamic_value;

model! {
    /// Sample.
    struct Script {
        /// What happens: see [`Scripted`].
        fate: String => required(),
        /// A secret.
        password_wo: String => optional().write_only(),
        /// Known once it exists.
        id: String => computed().keep_prior(),
    }
}

model! {
    /// Sample.
    struct ScriptIdentity {
        /// What happens.
        fate: String => required(),
        /// Known once it exists.
        id: String => optional(),
    }
}

#[derive(Clone, Debug)]
struct Scripted;

impl Scripted {
    fn error(summary: &str) -> Failure {
        Diagnostic::error(summary, "As scripted.").into()
    }

    async fn meet(context: &Context, fate: &Attr<String>) -> Result<(), Failure> {
        match fate.known().map(String::as_str) {
            Some("panic") => panic!("as scripted"),
            Some("missing") => Err(Failure::Missing(Diagnostic::error("No such cluster", "Create it."))),
            Some("wait") => {
                context.cancel().cancelled().await;
                Err(Self::error("Stopped"))
            }
            _ => Ok(()),
        }
    }
}

fn failed(failure: Failure) -> Failed {
    Failed::about(&Subject::new("scripted"), failure)
}

impl Resource for Scripted {
    const TYPE_NAME: &'static str = "clickpipes_scripted";
    type Model = Script;
    type Desired = ();
    type Identity = ScriptIdentity;
    type Private = u32;
    type Lookup = ();

    fn decode(_: &Script) -> Result<Option<()>, Diagnostics> {
        Ok(Some(()))
    }

    fn decode_state(_: &Script, _: &u32) -> Result<(), Diagnostics> {
        Ok(())
    }

    fn validate(_: &Script) -> Diagnostics {
        Diagnostics::new()
    }

    async fn look_up(context: &Context, request: &PlanRequestOf<'_, Self>) -> Result<Option<()>, Failed> {
        Self::meet(context, &request.proposed.fate).await.map(Some).map_err(failed)
    }

    fn replacements(_: &Context, _: &Self::Model, _: &PriorOf<Self>, _: &Self::Private) -> Vec<AttributePath> {
        Vec::new()
    }

    fn plan(request: &PlanRequestOf<'_, Self>, lookup: Option<&()>) -> Plan<Script, u32> {
        let private = lookup.map_or(0, |()| 1);
        Plan { model: request.proposed.clone(), private, diagnostics: Said::default() }
    }

    async fn plan_destroy(_: &Context, _: &PriorOf<Self>, _: &u32) -> Result<Said, Failed> {
        Ok(Said::default())
    }

    async fn read(context: &Context, prior: &PriorOf<Self>, private: &u32) -> Result<Refreshed<Self>, Failed> {
        Self::meet(context, &prior.model.fate).await.map_err(failed)?;
        let existing = Some(Existing { model: prior.model.clone(), private: *private });
        Ok(Refreshed { existing, said: Said::default() })
    }

    /// The object is saved before the scripted failure. If the resource shall `forget`, its id is never found.
    async fn apply(context: &Context, request: &ApplyRequestOf<'_, Self>, saved: &Saved<Self>) -> Result<Said, Failed> {
        assert_eq!(request.config.password_wo, "hunter2".into(), "the configuration has what the plan must not");
        let forgotten = request.planned.fate == "forget".into();
        let id = if forgotten { Attr::Unknown } else { "made".into() };
        saved.save(Existing { model: Script { id, ..request.config.clone() }, private: 7 });
        Self::meet(context, &request.planned.fate).await.map_err(failed)?;
        Ok(Said::default())
    }

    async fn destroy(context: &Context, prior: &PriorOf<Self>, _: &u32, _: &Saved<Self>) -> Result<Said, Failed> {
        Self::meet(context, &prior.model.fate).await.map_err(failed)?;
        Ok(Said::default())
    }

    fn is_import(private: &u32) -> bool {
        *private == 3
    }

    fn identity(model: &Script, _: Option<&ScriptIdentity>) -> ScriptIdentity {
        ScriptIdentity { fate: model.fate.clone(), id: model.id.clone() }
    }

    fn import(_: &str) -> Result<Existing<Self>, Diagnostics> {
        Err(Diagnostic::error("No import", "As scripted.").into())
    }

    fn import_by(_: &Context, identity: &ScriptIdentity) -> Result<Existing<Self>, Failure> {
        Ok(Self::named(Script { fate: identity.fate.clone(), ..Script::default() }))
    }

    fn named(model: Script) -> Existing<Self> {
        Existing { model, private: 3 }
    }
}

fn identity_of(fate: &str, id: Attr<String>) -> Option<proto::ResourceIdentityData> {
    Some(identity::encode(&ScriptIdentity { fate: fate.into(), id }))
}

fn config(fate: &str) -> Script {
    Script { fate: fate.into(), password_wo: "hunter2".into(), id: Attr::Null }
}

fn state(fate: &str) -> Script {
    Script { password_wo: Attr::Null, id: "made".into(), ..config(fate) }
}

fn encode(model: &Script) -> Option<proto::DynamicValue> {
    Some(dynamic_value::encode(&Model::encode(model)))
}

fn decode(value: Option<proto::DynamicValue>) -> Option<Script> {
    let value = stored::decode_value::<Scripted>(value.as_ref()).unwrap();
    (value != Value::Null).then(|| Model::decode(&value, &Trail::Root).unwrap())
}

fn summaries(diagnostics: &[proto::Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|diagnostic| diagnostic.summary.as_str()).collect()
}

fn create_plan(fate: &str) -> proto::plan_resource_change::Request {
    proto::plan_resource_change::Request {
        config: encode(&config(fate)),
        proposed_new_state: encode(&config(fate)),
        ..Default::default()
    }
}

fn create(fate: &str) -> proto::apply_resource_change::Request {
    proto::apply_resource_change::Request {
        config: encode(&config(fate)),
        planned_state: encode(&Script { id: Attr::Unknown, ..state(fate) }),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_plan_holds_no_write_only_value_and_leaves_open_what_apply_finds_out() {
    let answer = plan_resource_change::plan::<Scripted>(&Context::default(), create_plan("live")).await;
    assert!(answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
    assert_eq!(decode(answer.planned_state), Some(Script { id: Attr::Unknown, ..state("live") }));
    assert_eq!(answer.planned_private, b"1");
}

#[tokio::test]
async fn what_is_missing_is_a_warning_while_it_may_still_come_and_an_error_later() {
    let answer = plan_resource_change::plan::<Scripted>(&Context::default(), create_plan("missing")).await;
    assert_eq!(summaries(&answer.diagnostics), ["No such cluster: scripted"]);
    assert_eq!(answer.diagnostics[0].severity(), proto::diagnostic::Severity::Warning);
    assert!(decode(answer.planned_state).is_some());

    let update = proto::plan_resource_change::Request {
        prior_state: encode(&state("live")),
        proposed_new_state: encode(&state("missing")),
        ..create_plan("missing")
    };
    let answer = plan_resource_change::plan::<Scripted>(&Context::default(), update).await;
    assert_eq!(answer.diagnostics[0].severity(), proto::diagnostic::Severity::Error);

    let read = proto::read_resource::Request { current_state: encode(&state("missing")), ..Default::default() };
    let answer = read_resource::read::<Scripted>(&Context::default(), read).await;
    assert_eq!(answer.diagnostics[0].severity(), proto::diagnostic::Severity::Warning);
    assert_eq!(decode(answer.new_state), None, "drift");
}

#[test]
fn a_stored_secret_does_not_survive_the_upgrade_of_its_state() {
    let json = br#"{"fate":"live","password_wo":"hunter2","id":"made"}"#.to_vec();
    let raw_state = Some(proto::RawState { json, ..Default::default() });
    let request = proto::upgrade_resource_state::Request { raw_state, ..Default::default() };
    let answer = upgrade_resource_state::upgrade::<Scripted>(&request);
    assert!(answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
    assert_eq!(decode(answer.upgraded_state), Some(state("live")));
}

#[tokio::test]
async fn an_apply_returns_what_was_saved_without_the_secret() {
    let answer = apply_resource_change::apply::<Scripted>(&Context::default(), create("live")).await;
    assert!(answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
    assert_eq!((decode(answer.new_state), answer.private), (Some(state("live")), b"7".to_vec()));
}

#[tokio::test]
async fn a_plan_whose_operations_cannot_be_read_is_not_applied() {
    let foreign = proto::apply_resource_change::Request { planned_private: b"{".to_vec(), ..create("live") };
    let answer = apply_resource_change::apply::<Scripted>(&Context::default(), foreign).await;
    assert_eq!(summaries(&answer.diagnostics), ["The plan was made by another provider version"]);
    assert_eq!(decode(answer.new_state), None);
}

#[tokio::test]
async fn a_value_left_unknown_by_apply_is_an_error() {
    let answer = apply_resource_change::apply::<Scripted>(&Context::default(), create("forget")).await;
    assert_eq!(summaries(&answer.diagnostics), ["Value missing after apply"]);
    assert_eq!(decode(answer.new_state), Some(Script { id: Attr::Null, ..state("forget") }));
}

#[tokio::test]
async fn a_panic_in_apply_keeps_what_exists() {
    let answer = apply_resource_change::apply::<Scripted>(&Context::default(), create("panic")).await;
    assert_eq!(summaries(&answer.diagnostics), ["Bug in the provider"]);
    assert!(answer.diagnostics[0].detail.contains("as scripted"));
    assert_eq!(decode(answer.new_state), Some(state("panic")));

    let destroy = proto::apply_resource_change::Request { prior_state: encode(&state("panic")), ..Default::default() };
    let answer = apply_resource_change::apply::<Scripted>(&Context::default(), destroy).await;
    assert_eq!(summaries(&answer.diagnostics), ["Bug in the provider"]);
    assert_eq!(decode(answer.new_state), Some(state("panic")));
}

#[tokio::test]
async fn a_panic_in_read_keeps_the_prior_state() {
    let request =
        proto::read_resource::Request { current_state: encode(&state("panic")), private: b"7".to_vec(), ..Default::default() };
    let unread = read_resource::unread(&request);
    let context = Context::default();
    let answer = guarded(read_resource::read::<Scripted>(&context, request), unread).await.unwrap().into_inner();
    assert_eq!(summaries(&answer.diagnostics), ["Bug in the provider"]);
    assert_eq!((decode(answer.new_state), answer.private), (Some(state("panic")), b"7".to_vec()));
}

#[tokio::test]
async fn a_stop_lets_a_running_apply_answer_with_what_exists() {
    let service = ProviderService::new();
    let context = service.context();
    let apply = apply_resource_change::apply::<Scripted>(&context, create("wait"));
    let stop = service.stop_provider(Request::new(proto::stop_provider::Request::default()));
    let (answer, _) = tokio::join!(apply, stop);
    assert_eq!(summaries(&answer.diagnostics), ["Stopped: scripted"]);
    assert_eq!(decode(answer.new_state), Some(state("wait")));
}

#[tokio::test]
async fn a_stop_ends_one_run_and_not_the_next_of_the_same_process() {
    let service = ProviderService::new();
    let configure = || service.configure_provider(Request::new(proto::configure_provider::Request::default()));
    configure().await.unwrap();
    let running = service.context();
    service.stop_provider(Request::new(proto::stop_provider::Request::default())).await.unwrap();
    assert!(running.cancel().is_cancelled());
    configure().await.unwrap();
    assert!(!service.context().cancel().is_cancelled());
    assert!(running.cancel().is_cancelled());
}

#[tokio::test]
async fn an_object_has_an_identity_that_is_known_as_soon_as_it_exists() {
    let context = Context::default();
    let created = plan_resource_change::plan::<Scripted>(&context, create_plan("live")).await;
    assert_eq!(created.planned_identity, None, "a part of it is known only after apply");
    let applied = apply_resource_change::apply::<Scripted>(&context, create("live")).await;
    assert_eq!(applied.new_identity, identity_of("live", "made".into()));

    // Renamed: to a name that is known, and to one that is not known yet.
    let update = |fate: Attr<String>| proto::plan_resource_change::Request {
        prior_state: encode(&state("live")),
        proposed_new_state: encode(&Script { fate: fate.clone(), ..state("live") }),
        config: encode(&Script { fate, ..config("live") }),
        prior_identity: identity_of("live", "made".into()),
        ..Default::default()
    };
    let renamed = plan_resource_change::plan::<Scripted>(&context, update("later".into())).await;
    assert_eq!(renamed.planned_identity, identity_of("later", "made".into()));
    let unknown = plan_resource_change::plan::<Scripted>(&context, update(Attr::Unknown)).await;
    assert_eq!(unknown.planned_identity, identity_of("live", "made".into()));
}

#[tokio::test]
async fn what_cannot_be_done_leaves_the_identity_as_it_was() {
    let context = Context::default();
    let before = identity_of("missing", "made".into());
    let prior_state = encode(&state("panic"));
    let read = proto::read_resource::Request {
        current_state: prior_state.clone(),
        current_identity: before.clone(),
        ..Default::default()
    };
    let unread = read_resource::unread(&read);
    let answer = guarded(read_resource::read::<Scripted>(&context, read), unread).await.unwrap().into_inner();
    assert_eq!(answer.new_identity, before);

    let destroy = proto::plan_resource_change::Request { prior_state, prior_identity: before.clone(), ..Default::default() };
    let answer = plan_resource_change::plan::<Scripted>(&context, destroy).await;
    assert_eq!(answer.planned_identity, before);

    let broken =
        proto::ResourceIdentityData { identity_data: Some(proto::DynamicValue { msgpack: vec![0xc1], json: Vec::new() }) };
    let read = proto::read_resource::Request {
        current_state: encode(&state("live")),
        current_identity: Some(broken.clone()),
        ..Default::default()
    };
    let answer = read_resource::read::<Scripted>(&context, read).await;
    assert_eq!(summaries(&answer.diagnostics), ["Cannot decode a value sent by Terraform"]);
    assert_eq!((decode(answer.new_state), answer.new_identity), (Some(state("live")), Some(broken)));
}

#[tokio::test]
async fn an_import_by_identity_must_find_what_it_names() {
    let context = Context::default();
    for (id, expected) in [("made", &[][..]), ("another", &["id differs from the identity"])] {
        let identity = identity_of("live", id.into());
        let request = proto::import_resource_state::Request { identity: identity.clone(), ..Default::default() };
        let mut answer = import_resource_state::import::<Scripted>(&context, &request);
        let imported = answer.imported_resources.pop().unwrap();
        assert_eq!(imported.identity, identity);
        let read = proto::read_resource::Request {
            current_state: encode(&state("live")),
            current_identity: imported.identity,
            private: imported.private,
            ..Default::default()
        };
        let answer = read_resource::read::<Scripted>(&context, read).await;
        assert_eq!(summaries(&answer.diagnostics), expected);
    }
}

#[test]
fn a_stored_identity_is_read_and_a_newer_one_refused() {
    let request = |version, json: &str| proto::upgrade_resource_identity::Request {
        version,
        raw_identity: Some(proto::RawState { json: json.as_bytes().to_vec(), ..Default::default() }),
        ..Default::default()
    };
    let answer = upgrade_resource_identity::upgrade::<Scripted>(&request(0, r#"{"fate":"live"}"#));
    assert_eq!((answer.diagnostics.len(), answer.upgraded_identity), (0, identity_of("live", Attr::Null)));
    for (request, summary) in [
        (request(1, "{}"), "Identity of a newer provider"),
        (request(0, r#"{"fate":5}"#), "The stored identity cannot be read"),
        (request(0, "{"), "The stored identity cannot be read"),
    ] {
        let answer = upgrade_resource_identity::upgrade::<Scripted>(&request);
        assert_eq!((summaries(&answer.diagnostics), answer.upgraded_identity), (vec![summary], None));
    }
}
