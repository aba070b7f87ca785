//! The address of a list. An attacker who changes the list could open the database's firewall. Pure.

use http::Uri;

const NOT_HTTPS: &str =
    "it must begin with https://: an attacker who changes the answer in transit could open the database to others";

/// The address of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) uri: Uri,
    /// On this machine: called directly and without TLS.
    pub(super) is_local: bool,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// Why it is not valid.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let uri: Uri = text.parse().map_err(|_| "it is not an address of the form https://host/path")?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(NOT_HTTPS) };
        if authority.as_str().contains('@') {
            return Err("it has a user before the host, which is not sent; remove it");
        }
        if authority.host().is_empty() {
            return Err("it has no host");
        }
        let is_local = scheme == "http" && ["127.0.0.1", "[::1]", "localhost"].contains(&authority.host());
        if is_local || scheme == "https" { Ok(Self { uri, is_local }) } else { Err(NOT_HTTPS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_trusted() {
        let is_local = |text: &str| Address::read(text).map(|address| address.is_local);
        assert_eq!(is_local("https://api.clickhouse.cloud/static-ips.json"), Ok(false));
        assert_eq!(is_local("https://127.0.0.1:8443/"), Ok(false));
        for local in ["http://127.0.0.1:8080/static-ips.json", "http://localhost/x", "http://[::1]:80/"] {
            assert_eq!(is_local(local), Ok(true), "{local}");
        }
        for text in [
            "http://api.clickhouse.cloud/static-ips.json",
            "http://127.0.0.1:1@evil.example/",
            "http://127.0.0.1@evil.example/",
            "https://user:password@api.clickhouse.cloud/",
            "http://127.0.0.1.example/",
            "http://localhost.example/",
            "file:///etc/passwd",
            "/static-ips.json",
            "https://",
            "https://exa mple/",
            "https://host/\nError: boo",
            "",
        ] {
            assert!(Address::read(text).is_err(), "{text}");
        }
    }
}
