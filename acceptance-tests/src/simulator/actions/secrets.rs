//! Secrets Manager.

use serde_json::json;

use crate::simulator::content::Content;
use crate::simulator::error::ApiError;
use crate::simulator::request::Request;
use crate::simulator::secret::SecretValue;
use crate::simulator::state::State;

pub(super) fn get_value(state: &State, request: &Request) -> Result<Content, ApiError> {
    request.accept_only(&["SecretId", "VersionId", "VersionStage"])?;
    let id = request.get("SecretId").ok_or_else(|| ApiError::invalid_secret_parameter("SecretId is missing."))?;
    let secret = state.secret(&request.region, id).ok_or_else(|| ApiError::secret_not_found("."))?;
    let version = secret.version(request.get("VersionId"), request.get("VersionStage"))?;
    let mut answer = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.id,
        "VersionStages": secret.stages(version),
        "CreatedDate": version.created,
    });
    let (field, text) = match &version.value {
        SecretValue::Text(text) => ("SecretString", text),
        SecretValue::Binary(text) => ("SecretBinary", text),
    };
    answer[field] = json!(text.reveal());
    Ok(Content::Json(answer))
}
