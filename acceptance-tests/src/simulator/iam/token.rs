//! The check of a token: a request `host:port/?Action=connect&DBUser=...` that is signed in its query (Signature Version 4).

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_lc_rs::{digest, hmac};
use aws_sdk_rds::primitives::{DateTime, DateTimeFormat};

use crate::simulator::iam_logins::IamRefusalReason as Reason;
use crate::simulator::identities::{BadCredentials, Identities};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "rds-db";
const LONGEST: Duration = Duration::from_secs(900);
/// How far a client's clock may be ahead.
const SKEW: Duration = Duration::from_secs(300);

/// What a valid token is for.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) region: String,
    pub(super) now: SystemTime,
}

/// Checks the token with which `user` logs in, and returns the access key that signed it.
pub(super) fn check(token: &str, user: &str, expected: &Expected, identities: &Identities) -> Result<String, Reason> {
    let no_token = |what: &str| Reason::NoToken(what.to_owned());
    let (endpoint, query) = token.split_once("/?").ok_or_else(|| no_token("not of the form host:port/?..."))?;
    let mut fields = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()).into_owned() {
        if fields.insert(name, value).is_some() {
            return Err(no_token("a parameter comes twice"));
        }
    }
    let field = |name: &str| fields.get(name).map(String::as_str).ok_or_else(|| no_token(name));
    for (name, value) in [("Action", "connect"), ("X-Amz-Algorithm", ALGORITHM), ("X-Amz-SignedHeaders", "host")] {
        if field(name)? != value {
            return Err(no_token(name));
        }
    }
    let date = field("X-Amz-Date")?;
    let signed = time(date).ok_or_else(|| no_token("X-Amz-Date"))?;
    let lifetime = field("X-Amz-Expires")?.parse().map(Duration::from_secs).ok().filter(|lifetime| *lifetime <= LONGEST);
    let lifetime = lifetime.ok_or_else(|| no_token("X-Amz-Expires"))?;
    let credential: Vec<&str> = field("X-Amz-Credential")?.split('/').collect();
    let [access_key, day, region, SERVICE, "aws4_request"] = credential[..] else { return Err(no_token("X-Amz-Credential")) };
    if date.get(..8) != Some(day) {
        return Err(no_token("X-Amz-Credential"));
    }

    let session_token = fields.get("X-Amz-Security-Token").map(String::as_str);
    let secret = identities.secret_key(access_key, session_token, expected.now).map_err(|bad| match bad {
        BadCredentials::UnknownKey => Reason::UnknownAccessKey(access_key.to_owned()),
        BadCredentials::WrongSessionToken => Reason::WrongSessionToken,
        BadCredentials::Expired => Reason::CredentialsExpired,
    })?;
    let scope = [day, region, SERVICE, "aws4_request"];
    let text = format!("{ALGORITHM}\n{date}\n{}\n{}", scope.join("/"), sha256(&canonical_request(endpoint, &fields)));
    let signature = from_hex(field("X-Amz-Signature")?).ok_or(Reason::WrongSignature)?;
    let key = signing_key(secret.reveal(), scope);
    hmac::verify(&key, text.as_bytes(), &signature).map_err(|_| Reason::WrongSignature)?;

    // From here on, its contents are signed by the holder of the key.
    if region != expected.region {
        return Err(Reason::OtherRegion(region.to_owned()));
    }
    if endpoint != format!("{}:{}", expected.host, expected.port) {
        return Err(Reason::OtherEndpoint(endpoint.to_owned()));
    }
    let of_user = field("DBUser")?;
    if of_user != user {
        return Err(Reason::OtherUser(of_user.to_owned()));
    }
    if signed > expected.now + SKEW {
        return Err(Reason::NotYetValid);
    }
    if expected.now.duration_since(signed).is_ok_and(|age| age > lifetime) {
        return Err(Reason::Expired);
    }
    Ok(access_key.to_owned())
}

/// `20261125T215809Z` as a time.
fn time(text: &str) -> Option<SystemTime> {
    if text.len() != 16 || !text.is_ascii() {
        return None;
    }
    let (date, time) = (&text[..8], text.get(8..)?);
    let spelt = format!("{}-{}-{}{}:{}:{}", &date[..4], &date[4..6], &date[6..], &time[..3], &time[3..5], &time[5..]);
    SystemTime::try_from(DateTime::from_str(&spelt, DateTimeFormat::DateTime).ok()?).ok()
}

/// The request in the canonical form that both sides sign: the query sorted by name, without the signature.
fn canonical_request(endpoint: &str, fields: &BTreeMap<String, String>) -> String {
    let mut query: Vec<String> = fields
        .iter()
        .filter(|(name, _)| *name != "X-Amz-Signature")
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect();
    query.sort();
    format!("GET\n/\n{}\nhost:{endpoint}\n\nhost\n{}", query.join("&"), sha256(""))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// The signing key that is derived from a secret key for a day, a region and a service.
fn signing_key(secret: &str, scope: [&str; 4]) -> hmac::Key {
    let first = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    scope.iter().fold(first, |key, part| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref()))
}

fn sha256(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signing_key_is_that_of_the_published_example() {
        // From AWS's page on deriving a signing key, for 2012-02-15, us-east-1 and iam; a signature with it represents the key.
        let key = signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ["20120215", "us-east-1", "iam", "aws4_request"]);
        let known = from_hex("f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d").unwrap();
        let same = hmac::Key::new(hmac::HMAC_SHA256, &known);
        assert_eq!(hmac::sign(&key, b"x").as_ref(), hmac::sign(&same, b"x").as_ref());
    }

    #[test]
    fn a_time_is_read_and_nonsense_is_not() {
        assert_eq!(time("19700101T000100Z"), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(60)));
        for nonsense in ["", "19700101T0001000", "1970-01-01T00:01", "19701301T000100Z", "1970010éT00100Z"] {
            assert_eq!(time(nonsense), None, "{nonsense}");
        }
    }
}
