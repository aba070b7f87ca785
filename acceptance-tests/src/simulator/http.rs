//! The simulator over HTTP: the API at `/`, the control endpoint below `/_sim`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::cluster::{self, ClusterHandle};
use super::connection::Cut;
use super::control;
use super::faults::{FaultSpec, LagSpec};
use super::service::Signature;
use super::shared::Shared;
use super::spec::{Call, ClusterSpec};

/// All routes.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", post(api))
        .route("/_sim/calls", get(calls).delete(forget_calls))
        .route("/_sim/faults", post(add_fault).delete(forget_faults))
        .route("/_sim/lags", post(set_lag).delete(forget_lags))
        .route("/_sim/clock", get(clock).post(set_clock))
        .route("/_sim/clock/advance", post(advance_clock))
        .route("/_sim/clusters", get(clusters).post(create_cluster))
        .route("/_sim/clusters/{identifier}", get(describe_cluster).delete(delete_cluster))
        .route("/_sim/clusters/{identifier}/settings/{name}", get(show_setting))
        .route("/_sim/clusters/{identifier}/failover", post(fail_over))
        .route("/_sim/clusters/{identifier}/reader", post(start_reader))
        .merge(control::router())
        .with_state(shared)
}

async fn api(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Cut>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match Answer::to(&shared, &body, &Signature::of(&headers)).await {
        Answer::Sent(status, content_type, text) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, [(header::CONTENT_TYPE, content_type)], text).into_response()
        }
        Answer::Reset => {
            connection.cut();
            StatusCode::NO_CONTENT.into_response()
        }
    }
}

async fn fail_over(
    State(shared): State<Arc<Shared>>,
    Path(identifier): Path<String>,
    Json(failover): Json<FailOver>,
) -> StatusCode {
    match ClusterHandle::find(&shared, &identifier) {
        Some(handle) => {
            handle.move_writer(&failover.target);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::NOT_FOUND,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FailOver {
    target: String,
}

async fn clock(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({ "now": shared.clock.now(), "scale": shared.clock.scale() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scale {
    scale: Option<f64>,
}

async fn set_clock(State(shared): State<Arc<Shared>>, Json(scale): Json<Scale>) -> StatusCode {
    if scale.scale.is_some_and(|scale| !(scale >= 0.0 && scale.is_finite())) {
        return StatusCode::BAD_REQUEST;
    }
    shared.clock.set_scale(scale.scale);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: f64,
}

async fn advance_clock(State(shared): State<Arc<Shared>>, Json(advance): Json<Advance>) -> StatusCode {
    shared.clock.advance(advance.seconds).await;
    StatusCode::NO_CONTENT
}

async fn calls(State(shared): State<Arc<Shared>>) -> Json<Vec<Call>> {
    Json(shared.calls().clone())
}

async fn forget_calls(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.calls().clear();
    StatusCode::NO_CONTENT
}

async fn add_fault(State(shared): State<Arc<Shared>>, Json(fault): Json<FaultSpec>) -> StatusCode {
    shared.add_fault(fault);
    StatusCode::NO_CONTENT
}

async fn forget_faults(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.clear_faults();
    StatusCode::NO_CONTENT
}

async fn set_lag(State(shared): State<Arc<Shared>>, Json(lag): Json<LagSpec>) -> StatusCode {
    shared.set_lag(lag);
    StatusCode::NO_CONTENT
}

async fn forget_lags(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.clear_lags();
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
    let removed = shared.state().remove_cluster(&identifier);
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
