//! Who calls: users with access keys, roles, and the temporary credentials of roles.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::account::ACCOUNT;
use super::error::ApiError;
use super::secret_text::{SecretText, random_name};
use super::service::Service;

/// The prefix of access keys of temporary credentials.
const TEMPORARY: &str = "ASIA";

/// A role, and who may assume it. Everything but the name has a default.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleSpec {
    /// Its name.
    pub name: String,
    /// The external id that callers must name; none: any or none is accepted.
    #[serde(default)]
    pub external_id: Option<String>,
    /// Access keys of users and ARNs of roles that it trusts; none: every caller.
    #[serde(default)]
    pub trusted: Option<Vec<String>>,
}

impl RoleSpec {
    /// A role that trusts every caller.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), external_id: None, trusted: None }
    }

    /// Requires this external id from callers.
    #[must_use]
    pub fn external_id(mut self, id: &str) -> Self {
        self.external_id = Some(id.to_owned());
        self
    }

    /// Trusts users with these access keys and sessions of roles with these ARNs, and no others.
    #[must_use]
    pub fn trusts(mut self, callers: &[&str]) -> Self {
        self.trusted = Some(callers.iter().map(|caller| (*caller).to_owned()).collect());
        self
    }
}

/// Temporary credentials.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) access_key: String,
    pub(crate) secret_key: SecretText,
    pub(crate) session_token: SecretText,
    pub(crate) expires: SystemTime,
    pub(crate) role_arn: String,
    /// The ARN of the holder.
    pub(crate) arn: String,
    /// The id of the holder.
    pub(crate) id: String,
}

impl Session {
    /// New credentials of a role.
    pub(crate) fn new(role_arn: &str, name: &str, expires: SystemTime) -> anyhow::Result<Self> {
        let role = role_arn.rsplit('/').next().unwrap_or_default();
        let upper = |length| random_name(length).map(|text| text.to_uppercase());
        Ok(Self {
            access_key: format!("{TEMPORARY}{}", upper(16)?),
            secret_key: SecretText::random_key(40)?,
            // With the Base64 symbols, which have to be escaped in a query.
            session_token: SecretText::new(format!("{}/+{}==", random_name(60)?, random_name(120)?)),
            expires,
            role_arn: role_arn.to_owned(),
            arn: format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"),
            id: format!("AROA{}:{name}", upper(16)?),
        })
    }
}

/// Why credentials are not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadCredentials {
    UnknownKey,
    WrongSessionToken,
    Expired,
}

/// Everything that the account knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identities {
    /// Secret keys of users, by their access keys.
    pub(crate) users: BTreeMap<String, SecretText>,
    /// By their ARNs.
    pub(crate) roles: BTreeMap<String, RoleSpec>,
    /// By their access keys.
    pub(crate) sessions: BTreeMap<String, Session>,
}

impl Identities {
    /// The secret key of an access key.
    pub(crate) fn secret_key(
        &self,
        access_key: &str,
        session_token: Option<&str>,
        now: SystemTime,
    ) -> Result<&SecretText, BadCredentials> {
        if !access_key.starts_with(TEMPORARY) {
            return self.users.get(access_key).ok_or(BadCredentials::UnknownKey);
        }
        let session = self.sessions.get(access_key).ok_or(BadCredentials::UnknownKey)?;
        if session_token != Some(session.session_token.reveal()) {
            return Err(BadCredentials::WrongSessionToken);
        }
        if session.expires <= now { Err(BadCredentials::Expired) } else { Ok(&session.secret_key) }
    }

    /// Refuses calls with temporary credentials that are invalid or expired. Other access keys pass, known or not.
    pub(crate) fn admit(
        &self,
        service: Service,
        access_key: Option<&str>,
        session_token: Option<&SecretText>,
        now: SystemTime,
    ) -> Result<(), ApiError> {
        let Some(access_key) = access_key.filter(|key| key.starts_with(TEMPORARY)) else { return Ok(()) };
        match self.secret_key(access_key, session_token.map(SecretText::reveal), now) {
            Ok(_) => Ok(()),
            Err(BadCredentials::Expired) => Err(ApiError::expired_credentials(service)),
            Err(BadCredentials::UnknownKey | BadCredentials::WrongSessionToken) => Err(ApiError::unknown_credentials(service)),
        }
    }

    /// Adds a role, or replaces it. Returns its ARN.
    pub(crate) fn add_role(&mut self, role: RoleSpec) -> String {
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/{}", role.name);
        self.roles.insert(arn.clone(), role);
        arn
    }

    /// ARN and id of the caller with this access key.
    pub(crate) fn caller(&self, access_key: &str) -> (String, String) {
        match self.sessions.get(access_key) {
            Some(session) => (session.arn.clone(), session.id.clone()),
            None => (format!("arn:aws:iam::{ACCOUNT}:user/simulated"), access_key.to_owned()),
        }
    }

    /// Whether this caller may assume the role.
    pub(crate) fn is_trusted(&self, role: &RoleSpec, access_key: &str, external_id: Option<&str>) -> bool {
        let caller = self.sessions.get(access_key).map_or(access_key, |session| session.role_arn.as_str());
        let knows_id = role.external_id.as_deref().is_none_or(|id| external_id == Some(id));
        knows_id && role.trusted.as_ref().is_none_or(|trusted| trusted.iter().any(|one| one == caller))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn temporary_credentials_need_their_token_and_end() {
        let now = SystemTime::now();
        let session = Session::new("arn:aws:iam::1:role/r", "s", now + Duration::from_secs(10)).unwrap();
        let (key, token) = (session.access_key.clone(), session.session_token.clone());
        let mut identities = Identities::default();
        identities.sessions.insert(key.clone(), session);
        let check = |token, now| identities.secret_key(&key, token, now).map(drop);
        assert_eq!(check(Some(token.reveal()), now), Ok(()));
        assert_eq!(check(None, now), Err(BadCredentials::WrongSessionToken));
        assert_eq!(check(Some("other"), now), Err(BadCredentials::WrongSessionToken));
        assert_eq!(check(Some(token.reveal()), now + Duration::from_secs(10)), Err(BadCredentials::Expired));
        assert_eq!(identities.secret_key("ASIAOTHER", Some(token.reveal()), now), Err(BadCredentials::UnknownKey));
        assert_eq!(identities.caller(&key).0, "arn:aws:sts::123456789012:assumed-role/r/s");
    }
}
