//! Rotations of the master user's managed password that a test triggers: at once or step by step.

use std::sync::Arc;

use anyhow::{Context, Result};

use super::cluster::ClusterHandle;
use super::master_secret;
use super::secret_text::SecretText;
use super::shared::Shared;

/// A new password of a master user that is being rotated: a test chooses when server and secret receive it.
#[derive(Debug)]
pub struct MasterRotation {
    shared: Arc<Shared>,
    identifier: String,
    password: SecretText,
}

impl MasterRotation {
    /// Gives it to the secret.
    ///
    /// # Errors
    /// When the cluster has no managed secret.
    pub fn set_in_secret(&self) -> Result<()> {
        master_secret::set_in_secret(&self.shared, &self.identifier, &self.password)
    }

    /// Gives it to the server.
    ///
    /// # Errors
    /// When the server is down.
    pub async fn set_on_server(&self) -> Result<()> {
        master_secret::set_on_server(&self.shared, &self.identifier, &self.password).await
    }
}

impl ClusterHandle {
    /// Rotates the managed secret now: server first, then the secret, as RDS's own rotation does.
    ///
    /// # Errors
    /// When the cluster has no managed secret or its server is down.
    pub async fn rotate_master_secret(&self) -> Result<()> {
        let rotation = self.begin_master_rotation()?;
        rotation.set_on_server().await?;
        rotation.set_in_secret()
    }

    /// The same step by step: neither the server nor the secret knows the new password yet.
    ///
    /// # Errors
    /// When the cluster has no managed secret.
    pub fn begin_master_rotation(&self) -> Result<MasterRotation> {
        self.master_secret_arn().context("the master user's password is not managed")?;
        let (shared, identifier) = (Arc::clone(&self.shared), self.spec.identifier.clone());
        Ok(MasterRotation { shared, identifier, password: SecretText::random_password()? })
    }
}
