//! The content of an action's answer, and its form in each service.

use serde_json::{Value, json};

use super::error::ApiError;
use super::service::Service;
use super::xml::{Xml, error_response};

/// The content of an action's answer.
#[derive(Debug)]
pub(crate) enum Content {
    Xml(Xml),
    Json(Value),
}

/// HTTP status and body.
pub(crate) fn encode(service: Service, action: &str, request_id: &str, result: Result<Content, ApiError>) -> (u16, String) {
    match result {
        Ok(Content::Xml(xml)) => (200, xml.into_response(namespace(service), action, request_id)),
        Ok(Content::Json(value)) => (200, value.to_string()),
        Err(error) if service == Service::SecretsManager => {
            (error.status, json!({ "__type": error.code, "message": error.message }).to_string())
        }
        Err(error) => (error.status, error_response(&error, namespace(service), request_id)),
    }
}

/// The media type of all answers of a service.
pub(crate) fn media_type(service: Service) -> &'static str {
    match service {
        Service::SecretsManager => "application/x-amz-json-1.1",
        Service::Rds | Service::Sts => "text/xml",
    }
}

fn namespace(service: Service) -> &'static str {
    match service {
        Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        Service::Rds | Service::SecretsManager => "http://rds.amazonaws.com/doc/2014-10-31/",
    }
}
