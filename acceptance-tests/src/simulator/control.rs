//! The part of the control endpoint for secrets and logins.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::cluster::ClusterHandle;
use super::identities::RoleSpec;
use super::secret::SecretValue;
use super::secret_text::SecretText;
use super::shared::Shared;

/// All routes.
pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sim/secrets", post(put_secret).delete(delete_secret))
        .route("/_sim/roles", post(create_role))
        .route("/_sim/time_of_day/advance", post(advance_time_of_day))
        .route("/_sim/clusters/{identifier}/rotation", post(rotate))
        .route("/_sim/clusters/{identifier}/logins", get(logins))
}

/// No Debug: it contains the value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PutSecret {
    name: String,
    value: String,
    region: Option<String>,
}

async fn put_secret(State(shared): State<Arc<Shared>>, Json(put): Json<PutSecret>) -> Response {
    let region = put.region.as_ref().unwrap_or(&shared.options.region);
    answer(shared.put_secret(region, &put.name, SecretValue::Text(SecretText::new(put.value))).map(|arn| json!({ "arn": arn })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeleteSecret {
    id: String,
    #[serde(default)]
    for_good: bool,
}

async fn delete_secret(State(shared): State<Arc<Shared>>, Json(delete): Json<DeleteSecret>) -> StatusCode {
    shared.delete_secret(&delete.id, delete.for_good);
    StatusCode::NO_CONTENT
}

async fn create_role(State(shared): State<Arc<Shared>>, Json(role): Json<RoleSpec>) -> Json<Value> {
    Json(json!({ "arn": shared.state().identities.add_role(role) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u64,
}

async fn advance_time_of_day(State(shared): State<Arc<Shared>>, Json(advance): Json<Advance>) -> StatusCode {
    shared.time_of_day.advance(Duration::from_secs(advance.seconds));
    StatusCode::NO_CONTENT
}

async fn rotate(State(shared): State<Arc<Shared>>, Path(identifier): Path<String>) -> Response {
    let Some(handle) = ClusterHandle::find(&shared, &identifier) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    answer(handle.rotate_master_secret().await.map(|()| json!({ "arn": handle.master_secret_arn() })))
}

async fn logins(State(shared): State<Arc<Shared>>, Path(identifier): Path<String>) -> Response {
    match ClusterHandle::find(&shared, &identifier) {
        Some(handle) => Json(json!({ "accepted": handle.iam_logins(), "refused": handle.iam_refusals() })).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(result: anyhow::Result<Value>) -> Response {
    match result {
        Ok(value) => Json(value).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error:#}\n")).into_response(),
    }
}
