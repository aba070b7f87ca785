//! ClickHouse's list of addresses: `{"aws":[{"region":..., "clickpipes_egress_ips":[...]}, ...], "gcp":[...]}`. Pure.

use std::net::Ipv4Addr;

use serde::Deserialize;

use super::table::{Cloud, Row};

#[derive(Deserialize)]
struct Document {
    aws: Option<Vec<Region>>,
    gcp: Option<Vec<Region>>,
}

#[derive(Deserialize)]
struct Region {
    region: String,
    /// The `egress_ips` beside it belong to something else.
    clickpipes_egress_ips: Option<Vec<String>>,
}

/// How much of an invalid address is shown.
const LONGEST_SHOWN: usize = 60;

/// Why a document does not replace the built-in table.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it is not the expected JSON document: {0}")]
    Json(#[from] serde_json::Error),
    #[error("it has no clickpipes_egress_ips for {0}")]
    NoRegion(String),
    #[error("it has {found} addresses for {region}, but {known} are known")]
    Fewer { region: String, found: usize, known: usize },
    #[error("{0:?} is not a public IPv4 address")]
    NoAddress(String),
}

/// The addresses of a region. A list with fewer addresses than are known is not trusted: an address that is missing in an
/// allow-list breaks the pipe.
pub(super) fn addresses(document: &[u8], row: &Row) -> Result<Vec<String>, Unusable> {
    let Document { aws, gcp } = serde_json::from_slice(document)?;
    let regions = if row.cloud == Cloud::Gcp { gcp } else { aws };
    let region = regions.into_iter().flatten().find(|region| region.region == row.region);
    let mut ips = region.and_then(|region| region.clickpipes_egress_ips).unwrap_or_default();
    if ips.is_empty() {
        return Err(Unusable::NoRegion(row.region.to_owned()));
    }
    if let Some(stranger) = ips.iter().find(|ip| !ip.parse().is_ok_and(is_public)) {
        return Err(Unusable::NoAddress(stranger.chars().take(LONGEST_SHOWN).collect()));
    }
    // In the order of the table, new ones after it: the order in the list has no meaning.
    let known = row.ips();
    let place = |ip: &String| known.iter().position(|one| one == ip).unwrap_or(known.len());
    ips.sort_by(|one, other| (place(one), one).cmp(&(place(other), other)));
    ips.dedup();
    if ips.len() < known.len() {
        return Err(Unusable::Fewer { region: row.region.to_owned(), found: ips.len(), known: known.len() });
    }
    Ok(ips)
}

/// Whether pipes may connect from it: the address goes into an allow-list.
fn is_public(ip: Ipv4Addr) -> bool {
    let [first, second, third, _] = ip.octets();
    let shared = first == 100 && (64..128).contains(&second);
    let reserved = first == 0 || first >= 240 || (first == 198 && (18..20).contains(&second));
    let special = first == 192 && ((second, third) == (0, 0) || (second, third) == (88, 99));
    !(special
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || shared
        || reserved)
}

#[cfg(test)]
mod tests {
    use super::super::table::find;
    use super::*;

    fn read(document: &str) -> Result<Vec<String>, String> {
        addresses(document.as_bytes(), &find(Cloud::Aws, "eu-west-1").unwrap()).map_err(|error| error.to_string())
    }

    fn of(ips: &[&str]) -> String {
        let region = serde_json::json!({ "region": "eu-west-1", "clickpipes_egress_ips": ips, "egress_ips": ["8.8.8.8"] });
        let other = serde_json::json!({ "region": "us-east-1", "clickpipes_egress_ips": null });
        serde_json::json!({ "aws": [other, region], "gcp": null, "azure": [{ "what": 1 }] }).to_string()
    }

    #[test]
    fn as_many_addresses_as_are_known_are_believed() {
        let six = ["54.228.1.92", "54.72.101.254", "54.228.16.208", "54.76.200.104", "52.211.2.177", "54.77.10.134"];
        assert_eq!(read(&of(&six)).unwrap(), six);
        let mut seven = [&six[..], &["52.1.2.3"]].concat();
        assert_eq!(read(&of(&seven)).unwrap(), seven);
        seven.reverse();
        assert_eq!(read(&of(&seven)).unwrap(), [&six[..], &["52.1.2.3"]].concat(), "the order has no meaning");
        let twice = [&six[..5], &six[..1]].concat();
        assert!(read(&of(&twice)).unwrap_err().contains("5 addresses for eu-west-1, but 6 are known"));
    }

    #[test]
    fn what_does_not_belong_on_an_allow_list_is_refused() {
        for stranger in
            ["0.0.0.0", "10.0.0.1", "192.168.1.1", "127.0.0.1", "100.64.0.1", "255.255.255.255", "0.0.0.0/0", "::1", ""]
        {
            let ips =
                ["54.228.1.92", "54.72.101.254", "54.228.16.208", "54.76.200.104", "52.211.2.177", "54.77.10.134", stranger];
            assert!(read(&of(&ips)).unwrap_err().contains("not a public IPv4 address"), "{stranger}");
        }
    }

    #[test]
    fn what_is_no_such_document_is_refused() {
        for document in ["", "[]", "{}", r#"{"aws":5}"#, r#"{"aws":[{"region":"eu-west-1"}]}"#, "<html>"] {
            assert!(read(document).is_err(), "{document}");
        }
    }
}
