//! Every function returns what its fixture says. Terraform calls functions of a provider that is not configured.

use acceptance_tests::core_client::{Failure, Function, TerraformCore, Value, message, state_json};
use anyhow::{Context as _, Result, ensure};
use terraform_provider_clickpipes::proto::tfplugin6::{self as pb, DynamicValue, FunctionError};

use crate::Outcome;
use crate::fixture;
use crate::places::{another, some};
use crate::world::{end, loaded};

#[tokio::test]
async fn every_function_gives_what_it_should_and_refuses_the_rest() -> Outcome {
    let (client, mut core) = loaded().await?;
    for (name, calls) in fixture::of_functions(core.schemas())? {
        let returns = core.schemas().function(&name)?.returns.clone();
        for call in &calls.works {
            let of = || format!("{name}({})", serde_json::Value::from(call.arguments.clone()));
            let arguments = core.arguments(&name, &call.arguments)?;
            let expected = state_json::decode(&call.result, &returns, state_json::Missing::IsRefused).map_err(anyhow::Error::msg);
            let expected = expected.with_context(of)?;
            let given = core.call_function(&name, &arguments).await.with_context(of)?;
            ensure!(given == Ok(expected), "{}: {given:#?}", of());
        }
        for call in &calls.refused {
            let of = || format!("{name}({})", serde_json::Value::from(call.arguments.clone()));
            let arguments = core.arguments(&name, &call.arguments)?;
            let fault = core.call_function(&name, &arguments).await.with_context(of)?.err().with_context(of)?;
            ensure!(fault.argument == call.argument && fault.text.contains(&call.error), "{}: {fault:?}", of());
        }
    }
    end(client).await
}

/// Some call of a function, which need not make sense.
fn a_call(function: &Function) -> Vec<DynamicValue> {
    function.parameters.iter().map(|parameter| message(&some(&parameter.value_type))).collect()
}

async fn error_of(core: &TerraformCore, name: &str, arguments: Vec<DynamicValue>) -> Result<FunctionError> {
    let request = pb::call_function::Request { name: name.to_owned(), arguments };
    let answer = core.provider().call_function(request).await.map_err(Failure::from)?.into_inner();
    let error = answer.error.with_context(|| format!("{name}: it was called: {:?}", answer.result))?;
    ensure!(answer.result.is_none() && !error.text.contains("panicked"), "{name}: {error:?}");
    Ok(error)
}

/// Core converts each argument first; no other argument may end the process.
#[tokio::test]
async fn an_argument_that_cannot_be_read_is_an_error_about_it() -> Outcome {
    let (client, core) = loaded().await?;
    for (name, function) in &core.schemas().functions {
        for (index, parameter) in function.parameters.iter().enumerate() {
            let hostile = [vec![0xc1], vec![0xdd, 0xff, 0xff, 0xff, 0xff], vec![0x91; 1 << 20], vec![0x81; 1 << 20]];
            let hostile = hostile.map(|msgpack| DynamicValue { msgpack, json: Vec::new() });
            let mut broken = vec![message(&another(&parameter.value_type))];
            broken.extend(hostile);
            if !parameter.allow_null {
                broken.extend([message(&Value::Null), DynamicValue::default()]);
            }
            for value in broken {
                let start = value.msgpack[..value.msgpack.len().min(16)].to_vec();
                let mut arguments = a_call(function);
                arguments[index] = value;
                let error =
                    error_of(&core, name, arguments).await.with_context(|| format!("{start:02x?} as {}", parameter.name))?;
                let about = error.function_argument.and_then(|index| usize::try_from(index).ok());
                ensure!(about == Some(index), "{name}, {} as {start:02x?}: {error:?}", parameter.name);
            }
        }
        let fewer = function.parameters.len().checked_sub(1).map(|length| a_call(function)[..length].to_vec());
        let more = function.variadic.is_none().then(|| [a_call(function), vec![message(&Value::Null)]].concat());
        for arguments in fewer.into_iter().chain(more) {
            error_of(&core, name, arguments).await.context("another number of arguments")?;
        }
    }
    end(client).await
}

#[tokio::test]
async fn an_unknown_function_is_an_error_of_the_call() -> Outcome {
    let (client, core) = loaded().await?;
    if !core.schemas().functions.is_empty() {
        let error = error_of(&core, "no_such_function", Vec::new()).await?;
        ensure!(error.text.contains("no_such_function") && error.function_argument.is_none(), "{error:?}");
    }
    end(client).await
}
