//! The regions with their own ClickPipes, and their addresses, as in ClickHouse's documentation on [`AS_OF`]. Pure.

/// The table, one region per line.
const TABLE: &str = include_str!("static-ips.csv");

/// When the table was last compared with the documentation, as year, month and day.
pub(super) const AS_OF: &str = "2026-09-15";

/// The cloud of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cloud {
    Aws,
    Gcp,
    Azure,
}

impl Cloud {
    pub(super) const NAMES: [&'static str; 3] = ["aws", "gcp", "azure"];

    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "aws" => Some(Self::Aws),
            "gcp" => Some(Self::Gcp),
            "azure" => Some(Self::Azure),
            _ => None,
        }
    }

    /// The name of the cloud, and one of its regions as an example.
    pub(super) fn example(self) -> (&'static str, &'static str) {
        match self {
            Self::Aws => ("AWS", "eu-west-1"),
            Self::Gcp => ("Google Cloud", "europe-west2"),
            Self::Azure => ("Azure", "westeurope"),
        }
    }

    /// Whether the cloud writes its regions this way: a mistyped region would be taken for one without its own pipes.
    pub(super) fn names_regions_so(self, region: &str) -> bool {
        let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
        let is_number = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_digit());
        let is_numbered =
            |word: &str| word.find(|c: char| c.is_ascii_digit()).is_some_and(|at| is_word(&word[..at]) && is_number(&word[at..]));
        let parts: Vec<&str> = region.split('-').collect();
        match (self, parts.as_slice()) {
            (Self::Aws, [area, between @ .., number]) => {
                area.len() == 2
                    && is_word(area)
                    && !between.is_empty()
                    && between.iter().all(|word| is_word(word))
                    && is_number(number)
            }
            (Self::Gcp, [area, place]) => is_word(area) && is_numbered(place),
            (Self::Azure, [name]) => is_word(name) || is_numbered(name),
            _ => false,
        }
    }
}

/// A region with its own ClickPipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) cloud: Cloud,
    pub(super) region: &'static str,
    /// Services created on this day or later have their pipes there, as year, month and day. On Google Cloud the dates decide
    /// nothing.
    pub(super) from: Option<&'static str>,
    /// Where pipes run otherwise.
    pub(super) fallback: Option<&'static str>,
    ips: &'static str,
}

impl Row {
    /// The addresses that pipes of this region connect from.
    pub(super) fn ips(&self) -> Vec<String> {
        self.ips.split(' ').map(str::to_owned).collect()
    }

    fn read(line: &'static str) -> Option<Self> {
        let mut cells = line.split(',');
        let cloud = Cloud::named(cells.next()?)?;
        let (region, _place, from, fallback, ips) = (cells.next()?, cells.next()?, cells.next()?, cells.next()?, cells.next()?);
        let given = |cell: &'static str| Some(cell).filter(|cell| !cell.is_empty());
        Some(Self { cloud, region, from: given(from), fallback: given(fallback), ips })
    }
}

/// Every row.
pub(super) fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().skip(1).filter_map(Row::read)
}

/// The row of a region.
pub(super) fn find(cloud: Cloud, region: &str) -> Option<Row> {
    rows().find(|row| row.cloud == cloud && row.region == region)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_cloud_writes_its_regions_in_its_own_way() {
        assert!(rows().all(|row| row.cloud.names_regions_so(row.region)));
        assert!(rows().filter_map(|row| row.fallback).all(|region| Cloud::Aws.names_regions_so(region)));
        for region in ["us-gov-west-1", "ap-southeast-3", "me-south-1"] {
            assert!(Cloud::Aws.names_regions_so(region), "{region}");
        }
        for region in ["germanywestcentral", "eastus2"] {
            assert!(Cloud::Azure.names_regions_so(region), "{region}");
        }
        for region in ["", "eu", "eu-west", "eu-west-1a", "europe-west2", "EU-west-1", "eu--1", "eu-west-1 "] {
            assert!(!Cloud::Aws.names_regions_so(region), "{region}");
        }
        assert!(!Cloud::Gcp.names_regions_so("eu-west-1") && !Cloud::Azure.names_regions_so("eu-central-1"));
    }

    #[test]
    fn every_line_is_a_row_with_its_addresses() {
        assert_eq!(rows().count(), TABLE.lines().count() - 1);
        let of = |cloud| rows().filter(|row| row.cloud == cloud).count();
        assert_eq!((of(Cloud::Aws), of(Cloud::Gcp)), (20, 11));
        for row in rows() {
            let ips = row.ips();
            assert!(ips.len() >= 5, "{} has {} addresses", row.region, ips.len());
            assert_eq!(ips.iter().collect::<BTreeSet<_>>().len(), ips.len(), "{} has an address twice", row.region);
            for ip in ips {
                assert!(ip.parse::<std::net::Ipv4Addr>().is_ok(), "{}: {ip}", row.region);
            }
            let fallback = row.fallback.map(|fallback| find(Cloud::Aws, fallback).is_some());
            assert_ne!(fallback, Some(false), "{} falls back to a region that is none", row.region);
            assert_eq!(row.from.is_some(), row.fallback.is_some(), "{}", row.region);
        }
    }
}
