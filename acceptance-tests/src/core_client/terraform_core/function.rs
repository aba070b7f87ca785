//! CallFunction: core checks the arguments itself and requires the same answer for the same arguments.

use terraform_provider_clickpipes::proto::tfplugin6 as pb;
use tonic::{Code, Status};

use super::super::failure::Failure;
use super::super::rules::Violation;
use super::super::state_json::{self, Missing};
use super::super::value::Value;
use super::{TerraformCore, decoded_as, message};

/// The error of a function, which is not a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionFault {
    /// What is wrong.
    pub text: String,
    /// Which argument it is about, from zero.
    pub argument: Option<usize>,
}

impl TerraformCore {
    /// The arguments of a call, converted to the types of the parameters.
    ///
    /// # Errors
    /// If there are too few, too many, or one does not fit.
    pub fn arguments(&self, name: &str, arguments: &[serde_json::Value]) -> Result<Vec<Value>, Failure> {
        let function = self.schemas.function(name)?;
        let each = arguments.iter().enumerate().map(|(index, json)| {
            let parameter = function.parameter(index).ok_or_else(|| Failure::Client(format!("too many arguments for {name}")))?;
            let value = state_json::decode(json, &parameter.value_type, Missing::IsNull);
            value.map_err(|error| Failure::Client(format!("{name}, argument {index}: {error}")))
        });
        each.collect()
    }

    /// Calls a function. An error about its arguments is an answer too.
    ///
    /// # Errors
    /// The rules that the provider breaks, and what core would not call.
    pub async fn call_function(&mut self, name: &str, arguments: &[Value]) -> Result<Result<Value, FunctionFault>, Failure> {
        let function = self.schemas.function(name)?;
        if arguments.len() < function.parameters.len() {
            return Err(Failure::Client(format!("not enough arguments for function {name:?}")));
        }
        for (index, argument) in arguments.iter().enumerate() {
            let too_many = || Failure::Client(format!("too many arguments for function {name:?}"));
            let parameter = function.parameter(index).ok_or_else(too_many)?;
            if argument.is_null() && !parameter.allow_null {
                return Err(Failure::Client(format!("argument {:?} cannot be null", parameter.name)));
            }
            if !argument.is_wholly_known() && !parameter.allow_unknown {
                return Err(Failure::Client(format!(
                    "argument {:?} is not known: core does not call, and the result is unknown",
                    parameter.name
                )));
            }
        }
        let first = self.call_once(name, arguments).await?;
        let again = self.call_once(name, arguments).await?;
        if first != again {
            let detail = format!("{name}: function returned an inconsistent result, was: {first:?}, now: {again:?}");
            return Err(Violation::new("Error in function call", detail).into());
        }
        Ok(first)
    }

    async fn call_once(&mut self, name: &str, arguments: &[Value]) -> Result<Result<Value, FunctionFault>, Failure> {
        let request = pb::call_function::Request { name: name.to_owned(), arguments: arguments.iter().map(message).collect() };
        let answer = self.provider.call_function(request).await?.into_inner();
        let broken = |words: String| Failure::from(Violation::new("Error in function call", format!("{name}: {words}")));
        if let Some(error) = answer.error {
            if answer.result.is_some() {
                return Err(broken("there is a result beside the error, which core drops".to_owned()));
            }
            if error.text.trim().is_empty() {
                return Err(broken("the error has no text".to_owned()));
            }
            let argument = error.function_argument.map(|index| {
                usize::try_from(index)
                    .ok()
                    .filter(|index| *index < arguments.len())
                    .ok_or_else(|| broken(format!("the error is about argument {index}, and there are {}", arguments.len())))
            });
            return Ok(Err(FunctionFault { text: error.text, argument: argument.transpose()? }));
        }
        let returns = &self.schemas.function(name)?.returns;
        let result = decoded_as(returns, answer.result.as_ref()).map_err(&broken)?;
        let result = result.ok_or_else(|| broken("provider returned no result and no errors".to_owned()))?;
        if !result.is_wholly_known() && arguments.iter().all(Value::is_wholly_known) {
            return Err(broken("the result is unknown, and all arguments are known".to_owned()));
        }
        Ok(Ok(result))
    }
}

/// Core takes the functions from GetProviderSchema. Other clients call GetFunctions, which must return the same.
pub(super) fn same_functions(
    schema: &pb::get_provider_schema::Response,
    answer: Result<pb::get_functions::Response, Status>,
) -> Result<(), Failure> {
    let functions = match answer {
        Ok(answer) => answer.functions,
        Err(status) if status.code() == Code::Unimplemented => Default::default(),
        Err(status) => return Err(status.into()),
    };
    if functions == schema.functions {
        return Ok(());
    }
    let names = |functions: &std::collections::HashMap<String, pb::Function>| {
        let mut names: Vec<String> = functions.keys().cloned().collect();
        names.sort();
        names.join(", ")
    };
    let detail = format!(
        "GetFunctions has other functions than GetProviderSchema: [{}] and [{}]. They differ in their names or in what is declared.",
        names(&functions),
        names(&schema.functions)
    );
    Err(Violation::new("Invalid provider schema", detail).into())
}
