//! The master user's password in a secret that RDS manages: created, rotated and removed.

use anyhow::{Context, Result};
use serde_json::json;

use super::account::ACCOUNT;
use super::secret::SecretValue;
use super::secret_text::{SecretText, random_uuid};
use super::shared::Shared;
use super::state::{MasterSecret, State};

/// What ModifyDBCluster changes about it.
#[derive(Debug)]
pub(crate) enum MasterChange {
    /// The secret exists without a value; a new password goes to the server and to the secret.
    Manage,
    /// A new password goes to the server and to the secret.
    Rotate,
    /// This password goes to the server, and the secret is deleted.
    GiveUp(SecretText),
}

/// Creates the secret of a cluster, `creating` and without a value.
pub(crate) fn manage(state: &mut State, identifier: &str, kms_key: Option<&str>) -> Result<()> {
    let region = state.clusters.get(identifier).context("no such cluster")?.region.clone();
    let arn = state.add_secret(&region, &format!("rds!cluster-{}", random_uuid()?))?;
    let key = || format!("arn:aws:kms:{region}:{ACCOUNT}:key/00000000-0000-4000-8000-000000000000");
    let kms_key = kms_key.map_or_else(key, str::to_owned);
    if let Some(cluster) = state.clusters.get_mut(identifier) {
        cluster.master_secret = Some(MasterSecret { arn, status: "creating", kms_key });
    }
    Ok(())
}

/// Puts the server's password into the secret of a cluster, which is then `active`.
pub(crate) fn store(shared: &Shared, state: &mut State, identifier: &str) -> Result<()> {
    let Some(cluster) = state.clusters.get_mut(identifier) else { return Ok(()) };
    let Some(secret) = &mut cluster.master_secret else { return Ok(()) };
    secret.status = "active";
    let text = secret_text(&cluster.master_username, &cluster.master_password);
    let arn = secret.arn.clone();
    state.put_secret_value(&arn, text, shared.time_of_day.seconds())
}

/// Exactly the names and values that RDS writes.
fn secret_text(username: &str, password: &SecretText) -> SecretValue {
    SecretValue::Text(SecretText::new(json!({ "username": username, "password": password.reveal() }).to_string()))
}

/// Sets the server's password.
pub(crate) async fn set_on_server(shared: &Shared, identifier: &str, password: &SecretText) -> Result<()> {
    let postgres = shared.state().clusters.get(identifier).and_then(|cluster| cluster.postgres.clone());
    if let Some(postgres) = postgres {
        postgres.set_admin_password(password.reveal()).await?;
    }
    if let Some(cluster) = shared.state().clusters.get_mut(identifier) {
        cluster.master_password = password.clone();
    }
    Ok(())
}

/// Sets the secret's password, as its current version.
pub(crate) fn set_in_secret(shared: &Shared, identifier: &str, password: &SecretText) -> Result<()> {
    let (arn, username) = {
        let mut state = shared.state();
        let cluster = state.clusters.get_mut(identifier).context("no such cluster")?;
        let secret = cluster.master_secret.as_mut().context("the master user's password is not managed")?;
        secret.status = "active";
        (secret.arn.clone(), cluster.master_username.clone())
    };
    let created = shared.time_of_day.seconds();
    shared.change_secret(&arn, |state| state.put_secret_value(&arn, secret_text(&username, password), created))
}

/// Does what ModifyDBCluster asked for. If the server does not accept it, the secret is `impaired`.
pub(crate) async fn change(shared: &Shared, identifier: &str, change: MasterChange) -> Result<()> {
    let changed = try_change(shared, identifier, change).await;
    if changed.is_err()
        && let Some(cluster) = shared.state().clusters.get_mut(identifier)
        && let Some(secret) = &mut cluster.master_secret
    {
        secret.status = "impaired";
    }
    changed
}

async fn try_change(shared: &Shared, identifier: &str, change: MasterChange) -> Result<()> {
    match change {
        MasterChange::Manage | MasterChange::Rotate => {
            let password = SecretText::random_password()?;
            set_on_server(shared, identifier, &password).await?;
            set_in_secret(shared, identifier, &password)
        }
        MasterChange::GiveUp(password) => {
            set_on_server(shared, identifier, &password).await?;
            let mut state = shared.state();
            let secret = state.clusters.get_mut(identifier).and_then(|cluster| cluster.master_secret.take());
            secret.map(|secret| state.secrets.remove(&secret.arn));
            Ok(())
        }
    }
}
