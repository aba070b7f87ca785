//! STS.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_rds::primitives::{DateTime, DateTimeFormat};

use crate::simulator::account::ACCOUNT;
use crate::simulator::error::ApiError;
use crate::simulator::identities::Session;
use crate::simulator::request::Request;
use crate::simulator::shared::Shared;
use crate::simulator::xml::Xml;

/// Minimum lifetime of credentials in seconds.
const SHORTEST: u64 = 900;
/// Default.
const USUAL: u64 = 3600;
/// Maximum.
const LONGEST: u64 = 43200;
/// Maximum when a role's credentials request those of another role.
const LONGEST_CHAINED: u64 = 3600;

pub(super) fn caller_identity(shared: &Shared, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&[])?;
    let access_key = request.access_key.as_deref().ok_or_else(ApiError::not_signed)?;
    let (arn, id) = shared.state().identities.caller(access_key);
    let mut xml = Xml::default();
    xml.text("Arn", arn).text("UserId", id).text("Account", ACCOUNT);
    Ok(xml)
}

pub(super) fn assume_role(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["RoleArn", "RoleSessionName", "DurationSeconds", "ExternalId"])?;
    let access_key = request.access_key.as_deref().ok_or_else(ApiError::not_signed)?;
    let (arn, name) = (request.required("RoleArn")?, request.required("RoleSessionName")?);
    if !is_session_name(name) {
        return Err(ApiError::validation(format!("{name} is no value for RoleSessionName.")));
    }
    let mut state = shared.state();
    let identities = &mut state.identities;
    let role = identities.roles.get(arn);
    if !role.is_some_and(|role| identities.is_trusted(role, access_key, request.get("ExternalId"))) {
        let caller = identities.caller(access_key).0;
        return Err(ApiError::may_not_assume(&caller, arn));
    }
    let longest = if identities.sessions.contains_key(access_key) { LONGEST_CHAINED } else { LONGEST };
    let seconds = request.get("DurationSeconds").map_or(Ok(USUAL), str::parse);
    let seconds = seconds.ok().filter(|seconds| (SHORTEST..=longest).contains(seconds)).ok_or_else(|| {
        ApiError::validation(format!("DurationSeconds must be between {SHORTEST} and {longest} for this caller."))
    })?;
    let expires = shared.time_of_day.now() + Duration::from_secs(seconds);
    let session = Session::new(arn, name, expires).map_err(ApiError::of_the_machine)?;
    // Whole seconds, as AWS shows them.
    let shown = DateTime::from_secs(DateTime::from(expires).secs()).fmt(DateTimeFormat::DateTime);
    let shown = shown.map_err(|error| ApiError::of_the_machine(error.into()))?;
    let mut xml = Xml::default();
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", &session.access_key).text("SecretAccessKey", session.secret_key.reveal());
        xml.text("SessionToken", session.session_token.reveal()).text("Expiration", shown);
    });
    xml.element("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", &session.id).text("Arn", &session.arn);
    });
    identities.sessions.insert(session.access_key.clone(), session);
    Ok(xml)
}

fn is_session_name(name: &str) -> bool {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character);
    (2..=64).contains(&name.len()) && name.chars().all(allowed)
}
