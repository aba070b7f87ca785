//! `clickpipes_static_ips`: the addresses that the pipes of a ClickHouse service connect from.
//!
//! Where the pipes of a service run, and so which addresses they have, depends on the region of the service and on when it was
//! created. The table is built in, with its date. A list from ClickHouse may bring newer addresses; the rule does not change.

mod address;
mod answer;
mod document;
mod fetch;
mod table;

use super::{DataSource, Found};
use crate::failure::Failure;
use crate::provider::Context;
use crate::terraform::{Attr, AttributePath, Configured, Diagnostic, Diagnostics, computed, model, optional, required};
use address::Address;
use answer::{Missing, Service, privatelink_mode, resolve};
use table::{AS_OF, Cloud, Row};

model! {
    /// The static addresses that ClickPipes of a ClickHouse Cloud service connect from, for the allow-list of the source. All of
    /// them are needed, because traffic moves between them.
    ///
    /// The pipes of a service run in the service's region if that region has ClickPipes and the service is new enough. Otherwise
    /// they run in `eu-central-1` or `us-east-2` of AWS. The addresses are built into this provider, as published in ClickHouse's
    /// documentation on the day `as_of`. No call is made unless `url` is set.
    pub struct StaticIpsModel {
        /// Cloud of the ClickHouse service: `aws`, `gcp` or `azure`.
        cloud_provider: String => required(),
        /// Region of the ClickHouse service, such as `eu-west-1`.
        region: String => required(),
        /// When the service was created, as a date (`2026-01-20`) or an RFC 3339 timestamp. Needed in AWS regions where only
        /// services created on a certain day or later have their own pipes; the error says so. Default: none.
        service_created_at: String => optional(),
        /// Whether the service had ClickPipes before 15 June 2026. Since that day, pipes of services in Google Cloud regions run
        /// there. Needed in those regions. Default: none.
        had_clickpipes_before_june_2026: bool => optional(),
        /// AWS region of the database, for `privatelink_mode`. Default: `region` of a service on AWS, otherwise none.
        source_region: String => optional(),
        /// Address of ClickHouse's own list (`https://api.clickhouse.cloud/static-ips.json`), whose addresses are then used. If
        /// it cannot be read, or has fewer addresses than are built in, the built-in addresses are used, with a warning. Default:
        /// no call is made.
        url: String => optional(),
        /// Region that the pipes run in.
        clickpipes_region: String => computed(),
        /// The addresses that the pipes connect from.
        ips: Vec<String> => computed(),
        /// The same addresses as CIDR blocks, one address each.
        cidr_blocks: Vec<String> => computed(),
        /// How pipes reach a private database in `source_region`: `vpc_resource` within a region, `endpoint_service_cross_region`
        /// from another one. Null if pipes run outside AWS, or if the region of the database is not known.
        privatelink_mode: String => computed(),
        /// The day of the built-in table, such as `2026-09-15`. Null if the addresses come from `url`.
        as_of: String => computed(),
    }
}

/// The data source.
pub(crate) struct StaticIps;

impl Configured for StaticIps {
    const TYPE_NAME: &'static str = "clickpipes_static_ips";
    type Model = StaticIpsModel;

    fn validate(config: &StaticIpsModel) -> Diagnostics {
        let mut faults = Diagnostics::new();
        match service(config) {
            Err(fault) => faults.push(fault),
            Ok(Some(service)) => faults.extend(resolve(&service).err().map(|missing| undecided(missing, &service.region))),
            Ok(None) => {}
        }
        if let Some(fault) = config.url.known().and_then(|url| Address::read(url).err()) {
            faults.push(Diagnostic::invalid("url", fault));
        }
        faults
    }
}

impl DataSource for StaticIps {
    async fn read(context: &Context, config: &StaticIpsModel) -> Result<Found<StaticIpsModel>, Failure> {
        let service = service(config)?.ok_or_else(|| Diagnostic::invalid("region", "it is not known"))?;
        let row = resolve(&service).map_err(|missing| undecided(missing, &service.region))?;
        let mut warnings = Diagnostics::new();
        let newer = match config.url.known() {
            None => None,
            Some(url) => match listed(context, url, &row).await {
                Ok(ips) => Some(ips),
                Err(reason) => {
                    warnings.push(not_refreshed(url, &row, &reason));
                    None
                }
            },
        };
        Ok(Found { model: answered(config, &service, &row, newer), warnings })
    }
}

async fn listed(context: &Context, url: &str, row: &Row) -> Result<Vec<String>, String> {
    let address = Address::read(url)?;
    let document = fetch::fetch(&address, context.cancel()).await.map_err(|error| error.to_string())?;
    document::addresses(&document, row).map_err(|error| error.to_string())
}

fn answered(config: &StaticIpsModel, service: &Service, row: &Row, newer: Option<Vec<String>>) -> StaticIpsModel {
    let as_of = if newer.is_none() { Attr::from(AS_OF) } else { Attr::Null };
    let ips = newer.unwrap_or_else(|| row.ips());
    let of_service = Some(&service.region).filter(|_| service.cloud == Cloud::Aws);
    let source_region = config.source_region.known().or(of_service);
    StaticIpsModel {
        clickpipes_region: row.region.into(),
        cidr_blocks: ips.iter().map(|ip| format!("{ip}/32")).collect::<Vec<_>>().into(),
        ips: ips.into(),
        privatelink_mode: source_region.and_then(|region| privatelink_mode(row, region)).map(str::to_owned).into(),
        as_of,
        ..config.clone()
    }
}

/// The configured facts about the service; `None` while a value that may decide is unknown.
fn service(config: &StaticIpsModel) -> Result<Option<Service>, Diagnostic> {
    let cloud = match config.cloud_provider.known() {
        Some(name) => match Cloud::named(name) {
            Some(cloud) => Some(cloud),
            None => {
                return Err(Diagnostic::invalid("cloud_provider", format!("{name:?} is not one of {}", Cloud::NAMES.join(", "))));
            }
        },
        None => None,
    };
    if let (Some(cloud), Some(region)) = (cloud, config.region.known())
        && !cloud.names_regions_so(region)
    {
        return Err(no_region("region", cloud, region));
    }
    if let Some(region) = config.source_region.known().filter(|region| !Cloud::Aws.names_regions_so(region)) {
        return Err(no_region("source_region", Cloud::Aws, region));
    }
    let created = match config.service_created_at.known() {
        Some(text) => match answer::day(text) {
            Some(day) => Some(day),
            None => {
                let reason = format!("{text:?} is neither a date (2026-01-20) nor a point in time (2026-01-20T10:00:00Z)");
                return Err(Diagnostic::invalid("service_created_at", &reason));
            }
        },
        None => None,
    };
    let unknown = config.service_created_at.is_unknown() || config.had_clickpipes_before_june_2026.is_unknown();
    let (Some(cloud), Some(region), false) = (cloud, config.region.known(), unknown) else { return Ok(None) };
    let had_pipes = config.had_clickpipes_before_june_2026.known().copied();
    Ok(Some(Service { cloud, region: region.clone(), created, had_pipes }))
}

fn no_region(attribute: &str, cloud: Cloud, region: &str) -> Diagnostic {
    let (name, example) = cloud.example();
    Diagnostic::invalid(attribute, format!("{region:?} is not a region of {name}; its regions look like {example}"))
}

fn undecided(missing: Missing, region: &str) -> Diagnostic {
    match missing {
        Missing::Created { from } => Diagnostic::invalid(
            "service_created_at",
            format!(
                "it is needed for {region}: only services created on {from} or later have their pipes there. Use `created_at` of the \
                 service"
            ),
        ),
        Missing::HadPipes => Diagnostic::invalid(
            "had_clickpipes_before_june_2026",
            format!(
                "it is needed for {region} of Google Cloud: services that had pipes before 15 June 2026 keep their AWS addresses"
            ),
        ),
        Missing::Row { region } => Diagnostic::invalid(
            "region",
            format!("the table of this provider lacks {region}, where its pipes run. This is a bug; please report it"),
        ),
    }
}

fn not_refreshed(url: &str, row: &Row, reason: &str) -> Diagnostic {
    let detail = format!(
        "The addresses of {} are the built-in ones of {AS_OF}, not those at {url:?}: {reason}. Remove url to use the \
         built-in addresses without this warning.",
        row.region
    );
    Diagnostic::warning(format!("Static addresses of {} not refreshed", row.region), detail).at(AttributePath::of("url"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(cloud: &str, region: &str) -> StaticIpsModel {
        StaticIpsModel { cloud_provider: cloud.into(), region: region.into(), ..StaticIpsModel::default() }
    }

    #[track_caller]
    fn check(config: &StaticIpsModel, expected: &[&str]) {
        let faults = StaticIps::validate(config);
        let paths: Vec<String> = faults.iter().filter_map(|fault| fault.path.as_ref().map(ToString::to_string)).collect();
        assert_eq!(paths, expected, "{faults:?}");
    }

    #[test]
    fn an_input_that_decides_is_asked_for_at_its_path() {
        check(&config("aws", "eu-central-1"), &[]);
        check(&config("aws", "eu-west-3"), &[]);
        check(&config("aws", "eu-west-1"), &["service_created_at"]);
        check(&config("gcp", "us-east1"), &["had_clickpipes_before_june_2026"]);
        check(&StaticIpsModel { service_created_at: Attr::Unknown, ..config("aws", "eu-west-1") }, &[]);
        check(
            &StaticIpsModel { service_created_at: "yesterday".into(), ..config("aws", "eu-central-1") },
            &["service_created_at"],
        );
        check(&config("oracle", "x"), &["cloud_provider"]);
        check(&config("aws", "Ireland"), &["region"]);
        check(&config("aws", "europe-west2"), &["region"]);
        check(&config("aws", "eu-west-1a"), &["region"]);
        check(&config("gcp", "eu-central-1"), &["region"]);
        check(&config("azure", "West Europe"), &["region"]);
        for source_region in ["Frankfurt", "", "eu-central-1a"] {
            check(&StaticIpsModel { source_region: source_region.into(), ..config("aws", "eu-central-1") }, &["source_region"]);
        }
        for url in ["http://api.clickhouse.cloud/static-ips.json", "https://"] {
            check(&StaticIpsModel { url: url.into(), ..config("aws", "eu-central-1") }, &["url"]);
        }
    }

    #[test]
    fn a_service_outside_aws_does_not_say_where_the_database_is() {
        let mode = |source_region: Attr<String>| {
            let config = StaticIpsModel { source_region, ..config("azure", "westeurope") };
            let service = service(&config).unwrap().unwrap();
            answered(&config, &service, &resolve(&service).unwrap(), None).privatelink_mode
        };
        assert_eq!(mode(Attr::Null), Attr::Null);
        assert_eq!(mode("eu-central-1".into()), "vpc_resource".into());
    }

    #[test]
    fn the_answer_keeps_the_configuration_and_has_each_address_as_a_block() {
        let config = StaticIpsModel { service_created_at: "2025-12-01".into(), ..config("aws", "eu-west-1") };
        let service = service(&config).unwrap().unwrap();
        let answer = answered(&config, &service, &resolve(&service).unwrap(), None);
        assert_eq!(answer.region, config.region);
        assert_eq!(answer.clickpipes_region, "eu-central-1".into());
        assert_eq!(answer.privatelink_mode, "endpoint_service_cross_region".into());
        assert_eq!(answer.as_of, AS_OF.into());
        let (Attr::Known(ips), Attr::Known(blocks)) = (&answer.ips, &answer.cidr_blocks) else { panic!("{answer:?}") };
        assert_eq!(blocks[0], format!("{}/32", ips[0]));
        assert_eq!((ips.len(), blocks.len()), (6, 6));
    }
}
