//! Functions. They are registered in [`crate::function`].

use std::marker::PhantomData;

use super::Named;
use crate::function::{Function, each_function};
use crate::proto::tfplugin6 as proto;
use crate::server::call_function;
use crate::terraform::Declaration;

macro_rules! handlers {
    ($($one:path),* $(,)?) => { &[$(&Of::<$one>(PhantomData)),*] };
}

/// Every one of them.
pub(crate) static FUNCTIONS: &[&dyn FunctionHandler] = each_function!(handlers);

/// One function's answers to the RPCs.
pub(crate) trait FunctionHandler: Named {
    fn declaration(&self) -> Declaration;
    fn call(&self, arguments: &[proto::DynamicValue]) -> proto::call_function::Response;
}

struct Of<F>(PhantomData<fn() -> F>);

impl<F: Function> Named for Of<F> {
    fn name(&self) -> &'static str {
        F::NAME
    }
}

impl<F: Function> FunctionHandler for Of<F> {
    fn declaration(&self) -> Declaration {
        F::declaration()
    }

    fn call(&self, arguments: &[proto::DynamicValue]) -> proto::call_function::Response {
        call_function::call::<F>(arguments)
    }
}
