//! Which region a service's pipes run in, and what follows from it. Pure.

use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, OffsetDateTime, UtcOffset};

use super::table::{self, Cloud, Row};

/// The facts about a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) cloud: Cloud,
    pub(super) region: String,
    pub(super) created: Option<Date>,
    /// Whether it had pipes before 15 June 2026.
    pub(super) had_pipes: Option<bool>,
}

/// The fact that is missing for the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// When it was created.
    Created {
        /// The day that decides.
        from: &'static str,
    },
    /// Whether it had pipes before 15 June 2026.
    HadPipes,
    /// No fact about the service: the table lacks the region that its pipes run in.
    Row {
        /// The region.
        region: &'static str,
    },
}

/// The region that the service's pipes run in.
pub(super) fn resolve(service: &Service) -> Result<Row, Missing> {
    let elsewhere = |row: Option<Row>| {
        let default = if is_european(service.cloud, &service.region) { "eu-central-1" } else { "us-east-2" };
        let region = row.and_then(|row| row.fallback).unwrap_or(default);
        table::find(Cloud::Aws, region).ok_or(Missing::Row { region })
    };
    let Some(row) = table::find(service.cloud, &service.region) else { return elsewhere(None) };
    match (service.cloud, row.from) {
        (Cloud::Gcp, _) => match service.had_pipes {
            None => Err(Missing::HadPipes),
            Some(false) => Ok(row),
            Some(true) => elsewhere(Some(row)),
        },
        (_, None) => Ok(row),
        (_, Some(from)) => match (service.created, day(from)) {
            (Some(created), Some(first)) if created >= first => Ok(row),
            (Some(_), _) => elsewhere(Some(row)),
            (None, _) => Err(Missing::Created { from }),
        },
    }
}

/// How a private database in `source_region` of AWS is reached; `None`: pipes outside AWS cannot use PrivateLink.
pub(super) fn privatelink_mode(pipes: &Row, source_region: &str) -> Option<&'static str> {
    match pipes.cloud {
        Cloud::Aws if pipes.region == source_region => Some("vpc_resource"),
        Cloud::Aws => Some("endpoint_service_cross_region"),
        _ => None,
    }
}

/// A day, from a date or from a point in time (its day in UTC).
pub(super) fn day(text: &str) -> Option<Date> {
    // The date format also accepts the beginning of a longer text.
    const DATE: usize = "2026-01-20".len();
    if text.len() == DATE && text.chars().all(|c| c.is_ascii_digit() || c == '-') {
        return Date::parse(text, &Iso8601::DATE).ok();
    }
    Some(OffsetDateTime::parse(text, &Rfc3339).ok()?.checked_to_offset(UtcOffset::UTC)?.date())
}

/// Whether the region is in Europe, by the naming of its cloud.
fn is_european(cloud: Cloud, region: &str) -> bool {
    const AZURE: [&str; 14] = [
        "austria",
        "belgium",
        "denmark",
        "finland",
        "france",
        "germany",
        "italy",
        "norway",
        "poland",
        "spain",
        "sweden",
        "switzerland",
        "uk",
        "greece",
    ];
    match cloud {
        Cloud::Aws => region.starts_with("eu-"),
        Cloud::Gcp => region.starts_with("europe-"),
        Cloud::Azure => region.contains("europe") || AZURE.iter().any(|country| region.starts_with(country)),
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    fn service(cloud: Cloud, region: &str) -> Service {
        Service { cloud, region: region.to_owned(), created: None, had_pipes: None }
    }

    fn region(service: &Service) -> &'static str {
        resolve(service).unwrap().region
    }

    #[test]
    fn every_row_counts_from_its_day_on() {
        for row in table::rows().filter(|row| row.cloud == Cloud::Aws) {
            let of = service(row.cloud, row.region);
            let Some(from) = row.from else {
                assert_eq!(resolve(&of), Ok(row));
                continue;
            };
            let first = day(from).unwrap();
            assert_eq!(resolve(&of), Err(Missing::Created { from }));
            let on = |created| Service { created: Some(created), ..of.clone() };
            assert_eq!(resolve(&on(first)), Ok(row), "{} on its day", row.region);
            assert_eq!(resolve(&on(first + Duration::days(1))), Ok(row));
            assert_eq!(Some(region(&on(first - Duration::days(1)))), row.fallback, "{} a day early", row.region);
        }
    }

    #[test]
    fn every_row_of_google_cloud_is_for_services_without_older_pipes() {
        for row in table::rows().filter(|row| row.cloud == Cloud::Gcp) {
            let had = |had_pipes| Service { had_pipes, ..service(row.cloud, row.region) };
            assert_eq!(resolve(&had(None)), Err(Missing::HadPipes));
            assert_eq!(resolve(&had(Some(false))), Ok(row));
            assert_eq!(Some(region(&had(Some(true)))), row.fallback, "{}", row.region);
        }
    }

    #[test]
    fn a_region_without_pipes_of_its_own_has_them_on_its_continent() {
        for (cloud, of, pipes) in [
            (Cloud::Aws, "eu-west-3", "eu-central-1"),
            (Cloud::Aws, "me-south-1", "us-east-2"),
            (Cloud::Gcp, "europe-southwest1", "eu-central-1"),
            (Cloud::Gcp, "us-west4", "us-east-2"),
            (Cloud::Azure, "germanywestcentral", "eu-central-1"),
            (Cloud::Azure, "westeurope", "eu-central-1"),
            (Cloud::Azure, "uksouth", "eu-central-1"),
            (Cloud::Azure, "eastus2", "us-east-2"),
        ] {
            assert_eq!(region(&service(cloud, of)), pipes, "{of}");
        }
    }

    #[test]
    fn a_point_in_time_counts_by_its_day_in_utc() {
        let day_of = |text: &str| day(text).map(|day| day.to_string());
        assert_eq!(day_of("2026-01-20").as_deref(), Some("2026-01-20"));
        assert_eq!(day_of("2026-01-19T23:30:00-05:00").as_deref(), Some("2026-01-20"));
        assert_eq!(day_of("2026-01-20T00:15:00.123+01:00").as_deref(), Some("2026-01-19"));
        for wrong in ["", "2026-W03-2", "20 January 2026", "2026-13-01", "2026-01-20 10:00", "9999-12-31T23:59:59-23:59"] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_vpc_resource_is_shared_within_a_region_only() {
        let pipes = |cloud, region| table::find(cloud, region).unwrap();
        let frankfurt = pipes(Cloud::Aws, "eu-central-1");
        assert_eq!(privatelink_mode(&frankfurt, "eu-central-1"), Some("vpc_resource"));
        assert_eq!(privatelink_mode(&frankfurt, "eu-west-1"), Some("endpoint_service_cross_region"));
        assert_eq!(privatelink_mode(&pipes(Cloud::Gcp, "us-east1"), "us-east-1"), None);
    }
}
