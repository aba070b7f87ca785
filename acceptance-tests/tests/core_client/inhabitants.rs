//! One small inhabitant of each kind in addition to the resource: its schema and its answers, with the faults that they may have.

use acceptance_tests::core_client::{Type, Value, message, msgpack, schema::Schema};
use terraform_provider_clickpipes::proto::tfplugin6::{
    self as pb, Diagnostic, DynamicValue, FunctionError, attribute_path::Step, attribute_path::step::Selector,
    diagnostic::Severity, function::Parameter, function::Return, invoke_action::event, schema::Attribute,
};

use super::fault::Fault;
use super::faulty_provider::THING;

/// The data source, the ephemeral resource and the action. The list is for the resource.
pub const WORD: &str = "test_word";

/// The function.
pub const SHOUT: &str = "shout";

type Events<T> = Vec<Result<T, tonic::Status>>;

/// Adds all of them to what the provider offers.
pub fn offer(fault: Option<Fault>, offered: &mut pb::get_provider_schema::Response) {
    let is = |of: Fault| fault == Some(of);
    let read = word_schema(true, is(Fault::DataSourceHasASecret));
    offered.data_source_schemas = [(WORD.to_owned(), read)].into();
    offered.ephemeral_resource_schemas = [(WORD.to_owned(), word_schema(true, false))].into();
    if !is(Fault::KnowsNoIdentities) && !is(Fault::IdentityWithoutASchema) {
        offered.list_resource_schemas = [(THING.to_owned(), word_schema(false, false))].into();
    }
    let action = word_schema(is(Fault::ActionComputes), false);
    offered.action_schemas = [(WORD.to_owned(), pb::ActionSchema { schema: Some(action) })].into();
    offered.functions = functions(fault);
    if is(Fault::OffersStateStores) {
        offered.state_store_schemas = [("test_store".to_owned(), word_schema(false, false))].into();
    }
    if is(Fault::OffersProviderMeta) {
        offered.provider_meta = Some(word_schema(false, false));
    }
}

/// The functions as GetProviderSchema has them.
pub fn functions(fault: Option<Fault>) -> std::collections::HashMap<String, pb::Function> {
    let parameter = |name: &str, of: &str| Parameter {
        name: name.to_owned(),
        r#type: of.as_bytes().to_vec(),
        description: "Said.".to_owned(),
        ..Default::default()
    };
    let returned = if fault == Some(Fault::FunctionHasNoType) { "" } else { "\"string\"" };
    let name = if fault == Some(Fault::FunctionIsMisnamed) { "1shout" } else { SHOUT };
    let function = pb::Function {
        parameters: vec![parameter("text", "\"string\"")],
        variadic_parameter: Some(Parameter { allow_null_value: true, ..parameter("more", "\"dynamic\"") }),
        r#return: Some(Return { r#type: returned.as_bytes().to_vec() }),
        summary: "Shouts".to_owned(),
        description: "Says it loudly.".to_owned(),
        ..Default::default()
    };
    [(name.to_owned(), function)].into()
}

fn word_schema(computes: bool, has_secret: bool) -> pb::Schema {
    let attribute =
        |name: &str, of: &str| Attribute { name: name.to_owned(), r#type: of.as_bytes().to_vec(), ..Default::default() };
    let mut attributes = vec![Attribute { required: true, ..attribute("word", "\"string\"") }];
    if computes {
        attributes.push(Attribute { computed: true, ..attribute("length", "\"number\"") });
    }
    if has_secret {
        attributes.push(Attribute { optional: true, write_only: true, ..attribute("secret_wo", "\"string\"") });
    }
    pb::Schema { version: 0, block: Some(pb::schema::Block { attributes, ..Default::default() }) }
}

/// What a configuration of an inhabitant says.
fn word(config: Option<&DynamicValue>, computes: bool) -> Value {
    let schema = Schema::decode(&word_schema(computes, false)).unwrap();
    let bytes = config.map(|config| config.msgpack.clone()).unwrap_or_default();
    msgpack::decode(&bytes, &schema.value_type()).unwrap()
}

fn error(summary: &str, attribute: &str) -> Diagnostic {
    let steps = vec![Step { selector: Some(Selector::AttributeName(attribute.to_owned())) }];
    Diagnostic {
        severity: Severity::Error.into(),
        summary: summary.to_owned(),
        attribute: Some(pb::AttributePath { steps }),
        ..Default::default()
    }
}

/// The errors of every kind about a configuration.
pub fn refusals(config: Option<&DynamicValue>, computes: bool) -> Vec<Diagnostic> {
    let empty = word(config, computes).attribute("word") == Value::text("");
    if empty { vec![error("There is no word", "word")] } else { Vec::new() }
}

fn with_length(config: &Value) -> Value {
    let Value::Text(word) = config.attribute("word") else { unreachable!("it is required and known") };
    config.with("length", Value::Number(i64::try_from(word.len()).unwrap().into()))
}

/// The answer of ReadDataSource.
pub fn read(fault: Option<Fault>, request: &pb::read_data_source::Request) -> pb::read_data_source::Response {
    let state = with_length(&word(request.config.as_ref(), true));
    let state = match fault {
        Some(Fault::DataIsNull) => Value::Null,
        Some(Fault::DataIsUnknown) => state.with("length", Value::unknown()),
        Some(Fault::DataIsOfAnotherType) => state.with("length", Value::Bool(true)),
        Some(Fault::DataIsOfAnotherConfiguration) => state.with("word", Value::text("other")),
        _ => state,
    };
    let deferred = (fault == Some(Fault::DataDefers)).then(pb::Deferred::default);
    pb::read_data_source::Response { state: Some(message(&state)), deferred, ..Default::default() }
}

/// The answer of OpenEphemeralResource.
pub fn open(fault: Option<Fault>, request: &pb::open_ephemeral_resource::Request) -> pb::open_ephemeral_resource::Response {
    let result = with_length(&word(request.config.as_ref(), true));
    let result = match fault {
        Some(Fault::OpensNull) => Value::Null,
        Some(Fault::OpensUnknown) => result.with("length", Value::unknown()),
        Some(Fault::OpensAnotherConfiguration) => result.with("word", Value::text("other")),
        _ => result,
    };
    let mut answer = pb::open_ephemeral_resource::Response {
        result: Some(message(&result)),
        private: Some(b"opened".to_vec()),
        deferred: (fault == Some(Fault::OpenDefers)).then(pb::Deferred::default),
        ..Default::default()
    };
    let renew_at = answer.renew_at.get_or_insert_default();
    renew_at.seconds = if fault == Some(Fault::OpensToBeRenewedAtNoTime) { 0 } else { 4_000_000_000 };
    answer
}

/// The answer of RenewEphemeralResource, which gets the private data of the opening.
pub fn renew(request: &pb::renew_ephemeral_resource::Request) -> pb::renew_ephemeral_resource::Response {
    let known = request.private.as_deref() == Some(b"opened");
    let diagnostics = if known { Vec::new() } else { vec![error("Nothing is open", "word")] };
    pb::renew_ephemeral_resource::Response { diagnostics, private: Some(b"renewed".to_vec()), ..Default::default() }
}

/// The answer of CloseEphemeralResource, which also gets the private data of the opening.
pub fn close(request: &pb::close_ephemeral_resource::Request) -> pb::close_ephemeral_resource::Response {
    let known = request.private.as_deref() == Some(b"opened");
    pb::close_ephemeral_resource::Response {
        diagnostics: if known { Vec::new() } else { vec![error("Nothing is open", "word")] },
    }
}

/// The events of ListResource: two things.
pub fn list(fault: Option<Fault>, thing: &Schema, request: &pb::list_resource::Request) -> Events<pb::list_resource::Event> {
    let warning = Diagnostic { severity: Severity::Warning.into(), summary: "One is hidden".to_owned(), ..Default::default() };
    let mut events = vec![pb::list_resource::Event { diagnostic: vec![warning], ..Default::default() }];
    let names = if fault == Some(Fault::ListsTheSameTwice) { ["a", "a"] } else { ["a", "b"] };
    for name in names {
        let identity = Value::Object([("name".to_owned(), Value::text(name)), ("id".to_owned(), Value::Null)].into());
        let identity = match fault {
            Some(Fault::ListsAnUnknownIdentity) => identity.with("id", Value::unknown()),
            Some(Fault::ListsAnIncompleteIdentity) => identity.with("name", Value::Null),
            _ => identity,
        };
        let object = thing.object(|_| None).with("name", Value::text(name)).with("id", Value::text("id-1"));
        let object = match fault {
            Some(Fault::ListsAnUnknownObject) => object.with("id", Value::unknown()),
            Some(Fault::ListsASecret) => object.with("password_wo", Value::text("hunter2")),
            _ => object,
        };
        let whole = match fault {
            Some(Fault::ListsNoObject) => false,
            Some(Fault::ListsAnUnaskedObject) => true,
            _ => request.include_resource_object,
        };
        let identity_data = Some(message(&identity)).filter(|_| fault != Some(Fault::ListsNoIdentity));
        events.push(pb::list_resource::Event {
            identity: Some(pb::ResourceIdentityData { identity_data }),
            display_name: if fault == Some(Fault::ListsWithoutAName) { String::new() } else { name.to_owned() },
            resource_object: whole.then(|| message(&object)),
            ..Default::default()
        });
    }
    // A warning and as many things as requested.
    let limit = usize::try_from(request.limit).unwrap().saturating_add(1);
    if fault != Some(Fault::ListsTooMany) {
        events.truncate(limit);
    }
    events.into_iter().map(Ok).collect()
}

/// The events of InvokeAction.
pub fn invoke(fault: Option<Fault>, request: &pb::invoke_action::Request) -> Events<pb::invoke_action::Event> {
    let event = |of| Ok(pb::invoke_action::Event { r#type: Some(of) });
    let progress = |message: &str| event(event::Type::Progress(event::Progress { message: message.to_owned() }));
    let diagnostics = match word(request.config.as_ref(), false).attribute("word") {
        word if word == Value::text("fail") => vec![error("It failed", "word")],
        _ => Vec::new(),
    };
    let completed = || event(event::Type::Completed(event::Completed { diagnostics: diagnostics.clone() }));
    match fault {
        Some(Fault::ActionNeverEnds) => vec![progress("half-way")],
        Some(Fault::ActionEndsTwice) => vec![progress("half-way"), completed(), completed()],
        Some(Fault::ActionGoesOnAfterItsEnd) => vec![completed(), progress("half-way")],
        Some(Fault::ActionSaysNothing) => vec![progress(""), completed()],
        Some(Fault::ActionSendsAnEmptyEvent) => vec![Ok(pb::invoke_action::Event::default()), completed()],
        _ => vec![progress("half-way"), completed()],
    }
}

/// The answer of CallFunction.
pub fn call(fault: Option<Fault>, again: bool, request: &pb::call_function::Request) -> pb::call_function::Response {
    let of = |index: usize| if index == 0 { Type::Text } else { Type::Dynamic };
    let arguments = request.arguments.iter().enumerate();
    let arguments: Vec<Value> =
        arguments.map(|(index, argument)| msgpack::decode(&argument.msgpack, &of(index)).unwrap()).collect();
    let Value::Text(text) = &arguments[0] else { unreachable!("null is not allowed, and nothing unknown") };
    let fail = |text: &str, argument: i64| pb::call_function::Response {
        error: Some(FunctionError { text: text.to_owned(), function_argument: Some(argument) }),
        result: (fault == Some(Fault::FunctionGivesBoth)).then(|| message(&Value::Null)),
    };
    if text.is_empty() {
        return match fault {
            Some(Fault::FunctionBlamesNobody) => fail("there is nothing to shout", 7),
            Some(Fault::FunctionFailsWithoutAWord) => fail("", 0),
            _ => fail("there is nothing to shout", 0),
        };
    }
    let shouted = Value::text(format!("{}{}", text.to_uppercase(), "!".repeat(arguments.len())));
    let result = match fault {
        Some(Fault::FunctionGivesNothing) => None,
        Some(Fault::FunctionGivesUnknown) => Some(Value::unknown()),
        Some(Fault::FunctionGivesAnotherType) => Some(Value::Bool(true)),
        Some(Fault::FunctionChangesItsMind) if again => Some(Value::text("no")),
        _ => Some(shouted),
    };
    pb::call_function::Response { result: result.as_ref().map(message), error: None }
}
