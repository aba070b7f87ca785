//! A secret with its versions and their stages.

use super::account::ACCOUNT;
use super::error::ApiError;
use super::secret_text::{SecretText, random_name, random_uuid};

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// A secret with all its versions.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) region: String,
    /// It is scheduled for deletion.
    deleted: bool,
    /// The last one is current, the one before it previous; earlier ones have no stage any more.
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

/// The content of a version.
#[derive(Debug, Clone)]
pub(crate) enum SecretValue {
    /// `SecretString`.
    Text(SecretText),
    /// `SecretBinary`, in Base64.
    Binary(SecretText),
}

impl Secret {
    /// A secret without a version. Six random characters at the end of its ARN distinguish it from an earlier one of the same
    /// name.
    pub(crate) fn new(region: &str, name: &str) -> anyhow::Result<Self> {
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

    /// The version that a call requests.
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
    pub(crate) fn put(&mut self, value: SecretValue, created: f64) -> anyhow::Result<()> {
        self.deleted = false;
        self.versions.push(Version { id: random_uuid()?, created, value });
        Ok(())
    }

    /// Schedules it for deletion; a new version cancels that.
    pub(crate) fn delete(&mut self) {
        self.deleted = true;
    }
}
