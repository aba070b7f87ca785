//! The secrets of the account, and the library calls that make, change and delete them.

use super::Simulator;
use super::error::ApiError;
use super::lag::Object;
use super::secret_text::{SecretText, random_name, random_uuid};
use super::shared::Shared;
use super::state::{ACCOUNT, State};

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// A secret with all its versions.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) arn: String,
    region: String,
    /// It is scheduled for deletion.
    deleted: bool,
    /// The last one is current, the one before it previous; earlier ones have no stage left.
    versions: Vec<Version>,
}

/// A version of a secret.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) id: String,
    /// Seconds since 1970.
    pub(crate) created: f64,
    pub(crate) value: SecretValue,
}

/// What a version holds.
#[derive(Debug, Clone)]
pub(crate) enum SecretValue {
    /// `SecretString`.
    Text(SecretText),
    /// `SecretBinary`, in Base64.
    Binary(SecretText),
}

impl Secret {
    /// A secret without a version. Six random characters at the end of its ARN tell it from an earlier one of the same name.
    fn new(region: &str, name: &str) -> anyhow::Result<Self> {
        let arn = format!("arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:{name}-{}", random_name(6)?);
        Ok(Self { name: name.to_owned(), arn, region: region.to_owned(), deleted: false, versions: Vec::new() })
    }

    /// Whether `id` is its name, its ARN, or its ARN without the six characters.
    pub(crate) fn is_named(&self, id: &str) -> bool {
        let partial = self.arn.len().checked_sub(7).and_then(|end| self.arn.get(..end));
        id == self.name || id == self.arn || Some(id) == partial
    }

    /// The stages of a version.
    pub(crate) fn stages(&self, version: &Version) -> Vec<&'static str> {
        let place = self.versions.iter().rev().position(|other| other.id == version.id);
        match place {
            Some(0) => vec![CURRENT],
            Some(1) => vec![PREVIOUS],
            _ => Vec::new(),
        }
    }

    /// The version that a call asks for.
    pub(crate) fn version(&self, id: Option<&str>, stage: Option<&str>) -> Result<&Version, ApiError> {
        if self.deleted {
            return Err(ApiError::secret_deleted());
        }
        let by_stage = |stage: &str| self.versions.iter().find(|version| self.stages(version).contains(&stage));
        match (id, stage) {
            (None, stage) => {
                let stage = stage.unwrap_or(CURRENT);
                by_stage(stage).ok_or_else(|| ApiError::secret_not_found(&format!(" value for staging label: {stage}")))
            }
            (Some(id), stage) => {
                let found = self.versions.iter().find(|version| version.id == id);
                let found = found.ok_or_else(|| ApiError::secret_not_found(&format!(" value for VersionId: {id}")))?;
                match stage {
                    Some(stage) if !self.stages(found).contains(&stage) => Err(ApiError::secret_stage_of_other_version()),
                    _ => Ok(found),
                }
            }
        }
    }

    /// Adds a version, which becomes the current one.
    fn put(&mut self, value: SecretValue, created: f64) -> anyhow::Result<()> {
        self.deleted = false;
        self.versions.push(Version { id: random_uuid()?, created, value });
        Ok(())
    }
}

impl State {
    /// The secret of this name or ARN in a region.
    pub(crate) fn secret(&self, region: &str, id: &str) -> Option<&Secret> {
        self.secrets.values().find(|secret| secret.region == region && secret.is_named(id))
    }

    /// Makes a secret without a version, and gives back its ARN.
    pub(crate) fn add_secret(&mut self, region: &str, name: &str) -> anyhow::Result<String> {
        let secret = Secret::new(region, name)?;
        let arn = secret.arn.clone();
        self.secrets.insert(arn.clone(), secret);
        Ok(arn)
    }

    /// Adds a version to the secret of this ARN, which becomes the current one.
    pub(crate) fn put_secret_value(&mut self, arn: &str, value: SecretValue, created: f64) -> anyhow::Result<()> {
        self.secrets.get_mut(arn).map_or(Ok(()), |secret| secret.put(value, created))
    }
}

impl Shared {
    /// Changes the secret of this ARN, which reads see as late as the lag of `PutSecretValue` says.
    pub(crate) fn change_secret<T>(&self, arn: &str, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let before = self.lag_of("PutSecretValue").map(|reads| (reads, state.clone()));
        let result = change(&mut state);
        if let Some((reads, before)) = before {
            self.past().keep(Object::Secret(arn.to_owned()), &before, reads);
        }
        result
    }

    /// Gives a secret a new version, and makes it first if it is not there. Returns its ARN.
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

    /// Schedules the secret of this name or ARN in any region for deletion, or takes it away for good.
    pub(crate) fn delete_secret(&self, id: &str, for_good: bool) {
        let arn = self.state().secrets.values().find(|secret| secret.is_named(id)).map(|secret| secret.arn.clone());
        let Some(arn) = arn else { return };
        self.change_secret(&arn, |state| {
            if for_good {
                state.secrets.remove(&arn);
            } else if let Some(secret) = state.secrets.get_mut(&arn) {
                secret.deleted = true;
            }
        });
    }
}

impl Simulator {
    /// Makes a secret of this text in the region of the options, or gives it a new version: the one before is `AWSPREVIOUS` then, and a
    /// scheduled deletion is taken back. Returns its ARN. `lag("PutSecretValue", n)` lets the next `n` reads see it as before.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn put_secret(&self, name: &str, value: &str) -> anyhow::Result<String> {
        self.put_secret_in(&self.shared.options.region, name, value)
    }

    /// The same in another region.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn put_secret_in(&self, region: &str, name: &str, value: &str) -> anyhow::Result<String> {
        self.shared.put_secret(region, name, SecretValue::Text(SecretText::new(value)))
    }

    /// The same with bytes, which come as `SecretBinary`.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn put_binary_secret(&self, name: &str, value: &[u8]) -> anyhow::Result<String> {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(value);
        self.shared.put_secret(&self.shared.options.region, name, SecretValue::Binary(SecretText::new(text)))
    }

    /// The current text of a secret, by its name or ARN in any region; `None` if it is not there, deleted or binary.
    #[must_use]
    pub fn secret(&self, id: &str) -> Option<String> {
        let state = self.shared.state();
        match &state.secrets.values().find(|secret| secret.is_named(id))?.version(None, None).ok()?.value {
            SecretValue::Text(text) => Some(text.reveal().to_owned()),
            SecretValue::Binary(_) => None,
        }
    }

    /// Schedules a secret for deletion, by its name or ARN: reads are refused with `InvalidRequestException`.
    pub fn delete_secret(&self, id: &str) {
        self.shared.delete_secret(id, false);
    }

    /// Takes a secret away for good: reads are refused with `ResourceNotFoundException`.
    pub fn remove_secret(&self, id: &str) {
        self.shared.delete_secret(id, true);
    }
}
