//! Changes of the account's secrets, which reads may see late.

use super::lag::Object;
use super::secret::SecretValue;
use super::shared::Shared;
use super::state::State;

impl Shared {
    /// Changes the secret of this ARN; reads see it with the lag of `PutSecretValue`.
    pub(crate) fn change_secret<T>(&self, arn: &str, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let before = self.lag_of("PutSecretValue").map(|reads| (reads, state.clone()));
        let result = change(&mut state);
        if let Some((reads, before)) = before {
            self.past().keep(Object::Secret(arn.to_owned()), &before, reads);
        }
        result
    }

    /// Adds a version to a secret, and creates the secret if it does not exist. Returns its ARN.
    pub(crate) fn put_secret(&self, region: &str, name: &str, value: SecretValue) -> anyhow::Result<String> {
        let known = self.state().secret(region, name).map(|secret| secret.arn.clone());
        let arn = match known {
            Some(arn) => arn,
            None => self.state().add_secret(region, name)?,
        };
        let created = self.time_of_day.seconds();
        self.change_secret(&arn, |state| state.put_secret_value(&arn, value, created))?;
        Ok(arn)
    }

    /// Schedules the secret of this name or ARN in any region for deletion, or deletes it at once.
    pub(crate) fn delete_secret(&self, id: &str, for_good: bool) {
        let arn = self.state().secrets.values().find(|secret| secret.is_named(id)).map(|secret| secret.arn.clone());
        let Some(arn) = arn else { return };
        self.change_secret(&arn, |state| {
            if for_good {
                state.secrets.remove(&arn);
            } else if let Some(secret) = state.secrets.get_mut(&arn) {
                secret.delete();
            }
        });
    }
}
