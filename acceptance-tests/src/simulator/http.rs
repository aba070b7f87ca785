//! The simulator over HTTP: the API at `/`, the control endpoint below `/_sim`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::cluster::{self, ClusterHandle};
use super::shared::Shared;
use super::spec::{Call, ClusterSpec, FaultSpec};

/// All routes.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", post(api))
        .route("/_sim/calls", get(calls).delete(forget_calls))
        .route("/_sim/faults", post(add_fault).delete(forget_faults))
        .route("/_sim/clusters", get(clusters).post(create_cluster))
        .route("/_sim/clusters/{identifier}", get(describe_cluster).delete(delete_cluster))
        .route("/_sim/clusters/{identifier}/settings/{name}", get(show_setting))
        .route("/_sim/clusters/{identifier}/reader", post(start_reader))
        .with_state(shared)
}

async fn api(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let (status, text) = shared.answer(&body);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "text/xml")], text).into_response()
}

async fn calls(State(shared): State<Arc<Shared>>) -> Json<Vec<Call>> {
    Json(shared.calls().clone())
}

async fn forget_calls(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.calls().clear();
    StatusCode::NO_CONTENT
}

async fn add_fault(State(shared): State<Arc<Shared>>, Json(fault): Json<FaultSpec>) -> StatusCode {
    shared.faults().push(fault);
    StatusCode::NO_CONTENT
}

async fn forget_faults(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.faults().clear();
    StatusCode::NO_CONTENT
}

async fn create_cluster(State(shared): State<Arc<Shared>>, Json(spec): Json<ClusterSpec>) -> Response {
    answer(cluster::create(shared, spec).await.map(|handle| describe(&handle)))
}

async fn clusters(State(shared): State<Arc<Shared>>) -> Json<Vec<Value>> {
    let identifiers: Vec<String> = shared.state().clusters.keys().cloned().collect();
    Json(
        identifiers
            .iter()
            .filter_map(|identifier| ClusterHandle::find(&shared, identifier))
            .map(|handle| describe(&handle))
            .collect(),
    )
}

async fn describe_cluster(State(shared): State<Arc<Shared>>, Path(identifier): Path<String>) -> Response {
    match ClusterHandle::find(&shared, &identifier) {
        Some(handle) => Json(describe(&handle)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn delete_cluster(State(shared): State<Arc<Shared>>, Path(identifier): Path<String>) -> StatusCode {
    // Dropped outside the lock: it waits for Postgres to end.
    let removed = shared.state().clusters.remove(&identifier);
    match removed {
        Some(cluster) => {
            if let Some(postgres) = cluster.postgres {
                drop(tokio::task::spawn_blocking(move || postgres.terminate()).await);
            }
            StatusCode::NO_CONTENT
        }
        None => StatusCode::NOT_FOUND,
    }
}

async fn show_setting(State(shared): State<Arc<Shared>>, Path((identifier, name)): Path<(String, String)>) -> Response {
    let Some(handle) = ClusterHandle::find(&shared, &identifier) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    answer(handle.show(&name).await.map(|value| json!({ "name": name, "value": value })))
}

async fn start_reader(State(shared): State<Arc<Shared>>, Path(identifier): Path<String>) -> Response {
    let Some(handle) = ClusterHandle::find(&shared, &identifier) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    answer(handle.start_reader().await.map(|(host, port)| json!({ "host": host, "port": port })))
}

fn answer(result: anyhow::Result<Value>) -> Response {
    match result {
        Ok(value) => Json(value).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error:#}\n")).into_response(),
    }
}

fn describe(handle: &ClusterHandle) -> Value {
    let superuser = handle.server().ok().map(|server| {
        json!({ "socket_dir": server.socket_dir(), "port": server.port(), "user": crate::postgres_server::SUPERUSER, "version": server.version(), "log": server.log_path() })
    });
    json!({
        "identifier": handle.spec.identifier, "arn": handle.arn, "status": handle.status(), "engine_version": handle.spec.engine_version,
        "host": handle.host, "port": handle.port, "parameter_group": handle.parameter_group(), "members": handle.members(),
        "ca_certificate": handle.ca_certificate(), "superuser": superuser,
    })
}
