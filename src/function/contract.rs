//! What a function is to the server layer. Pure: Terraform calls it whenever it evaluates expressions, before anything is
//! configured.

use crate::terraform::{CallFault, Declaration, Value};

/// A function.
pub(crate) trait Function: Send + Sync + 'static {
    /// Its name in HCL, after `provider::clickpipes::`.
    const NAME: &'static str;

    /// Its parameters and its result.
    fn declaration() -> Declaration;

    /// Its result for these arguments: as many as declared, of the declared types, all known.
    ///
    /// # Errors
    /// What is wrong with an argument.
    fn call(arguments: &[Value]) -> Result<Value, CallFault>;
}
