//! `CallFunction`: pure, and called before anything is configured.

use crate::function::Function;
use crate::printable::printable;
use crate::proto::tfplugin6 as proto;
use crate::terraform::{CallFault, Parameter, Value};
use crate::wire::dynamic_value;

pub(super) fn call<F: Function>(arguments: &[proto::DynamicValue]) -> proto::call_function::Response {
    match decode::<F>(arguments).and_then(|arguments| F::call(&arguments)) {
        Ok(result) => proto::call_function::Response { result: Some(dynamic_value::encode(&result)), error: None },
        Err(fault) => failed(fault),
    }
}

/// The answer to a refused call. Clients append a full stop to the text.
pub(super) fn failed(fault: CallFault) -> proto::call_function::Response {
    let function_argument = fault.argument.and_then(|position| i64::try_from(position).ok());
    let text = printable(fault.text.trim_end_matches('.'));
    proto::call_function::Response { result: None, error: Some(proto::FunctionError { text, function_argument }) }
}

fn decode<F: Function>(arguments: &[proto::DynamicValue]) -> Result<Vec<Value>, CallFault> {
    let parameters = F::declaration().parameters;
    if arguments.len() != parameters.len() {
        let text = format!("{} takes {} arguments, but {} were passed.", F::NAME, parameters.len(), arguments.len());
        return Err(CallFault { text, argument: None });
    }
    let decode = |(position, (message, parameter)): (usize, (&proto::DynamicValue, &Parameter))| {
        let wrong = |text: String| CallFault::of_argument(position, text);
        let value = dynamic_value::decode(Some(message), &parameter.of)
            .map_err(|faults| wrong(faults.into_iter().map(|fault| fault.detail).collect::<Vec<_>>().join(" ")))?;
        if value.contains_unknown() {
            return Err(wrong(format!("{} is unknown; only known values may be passed.", parameter.name)));
        }
        if value.is_null() && !parameter.nullable {
            return Err(wrong(format!("{} must not be null.", parameter.name)));
        }
        Ok(value)
    };
    arguments.iter().zip(&parameters).enumerate().map(decode).collect()
}
