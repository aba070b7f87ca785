//! Runs one operation.

use super::acting::turns;
use super::observed::Observed;
use super::operation::Operation;
use super::statement;
use crate::postgres::{Error, Transaction};
use crate::secret::Secret;

/// Runs an operation, statement by statement, as an owner if needed.
pub(super) async fn run(
    transaction: &Transaction,
    verifier: Option<&Secret>,
    operation: &Operation,
    now: &Observed,
) -> Result<(), Error> {
    for turn in turns(operation, now) {
        if let Some(owner) = &turn.as_owner {
            transaction.execute(&statement::as_owner(owner)).await?;
        }
        transaction.execute(&statement::statement(&turn.operation, verifier)).await?;
        if turn.as_owner.is_some() {
            transaction.execute(&statement::as_self()).await?;
        }
    }
    Ok(())
}
