//! Engine versions.

use std::sync::Arc;

use super::describe::{filter_values, page};
use crate::simulator::error::ApiError;
use crate::simulator::request::Request;
use crate::simulator::shared::Shared;
use crate::simulator::xml::Xml;

const ENGINE: &str = "aurora-postgresql";

/// Some versions of each major, in order; a version requested by name need not be in the list.
const VERSIONS: [&str; 18] = [
    "11.9", "11.21", "12.9", "12.22", "13.9", "13.18", "14.6", "14.15", "15.2", "15.10", "15.12", "16.1", "16.6", "16.8", "17.4",
    "17.5", "17.6", "18.3",
];

/// The version that a new cluster gets if none is named (assumed), and of its major.
const DEFAULT: &str = "17.5";

pub(super) fn describe_engine_versions(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&[
        "Engine",
        "EngineVersion",
        "DBParameterGroupFamily",
        "DefaultOnly",
        "IncludeAll",
        "ListSupportedCharacterSets",
        "ListSupportedTimezones",
        "Filters",
        "MaxRecords",
        "Marker",
    ])?;
    let asked = request.get("EngineVersion");
    let known = request.get("Engine").is_none_or(|engine| engine == ENGINE);
    let mut versions: Vec<&str> = match asked {
        _ if !known => Vec::new(),
        // A major version stands for all of its minors.
        Some(version) if version.contains('.') => vec![version],
        Some(major) => VERSIONS.into_iter().filter(|version| major_of(version) == major).collect(),
        None => VERSIONS.to_vec(),
    };
    versions.retain(|version| {
        family(version).is_some_and(|family| request.get("DBParameterGroupFamily").is_none_or(|wanted| wanted == family))
    });
    for filter in request.list("Filters") {
        let values = filter_values(&filter);
        let has = |wanted: &str| values.contains(&wanted);
        match filter.get("Name").copied() {
            Some("db-parameter-group-family") => versions.retain(|version| family(version).is_some_and(|family| has(&family))),
            Some("engine") => versions.retain(|_| has(ENGINE)),
            Some("engine-mode") => versions.retain(|_| has("provisioned")),
            Some("engine-version") => versions.retain(|version| has(version)),
            Some("status") => versions.retain(|_| has("available")),
            other => {
                let filter = other.unwrap_or_default();
                return Err(ApiError::not_simulated(&format!("the filter {filter} of DescribeDBEngineVersions")));
            }
        }
    }
    if request.flag("DefaultOnly")? == Some(true) {
        // Of the major that was asked for, otherwise of the engine.
        let default = if asked.is_none() && versions.contains(&DEFAULT) { Some(DEFAULT) } else { versions.last().copied() };
        versions = default.into_iter().collect();
    }
    let (versions, marker) = page(request, &versions, shared.options.page_size)?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.list("DBEngineVersions", "DBEngineVersion", versions, |xml, version| write(xml, version));
    Ok(xml)
}

fn write(xml: &mut Xml, version: &str) {
    xml.text("Engine", ENGINE).text("EngineVersion", version);
    xml.optional("DBParameterGroupFamily", family(version));
    xml.text("MajorEngineVersion", major_of(version));
    xml.text("DBEngineDescription", "Aurora (PostgreSQL)").text("Status", "available");
    xml.text("DBEngineVersionDescription", format!("Aurora PostgreSQL (Compatible with PostgreSQL {version})"));
    xml.text("SupportsReadReplica", false).text("SupportsGlobalDatabases", true).text("SupportsLogExportsToCloudwatchLogs", true);
    xml.text("SupportsParallelQuery", false).text("SupportsLimitlessDatabase", version.ends_with("-limitless"));
    xml.element("ExportableLogTypes", |xml| {
        xml.text("member", "postgresql");
    });
    xml.element("SupportedEngineModes", |xml| {
        xml.text("member", "provisioned");
    });
    let later = VERSIONS.into_iter().filter(|target| numbers(target) > numbers(version));
    xml.list("ValidUpgradeTarget", "UpgradeTarget", later, |xml, target| {
        xml.text("Engine", ENGINE).text("EngineVersion", target).text("Description", "Aurora (PostgreSQL)");
        xml.text("AutoUpgrade", false).text("IsMajorVersionUpgrade", major_of(target) != major_of(version));
    });
}

fn major_of(version: &str) -> &str {
    version.split('.').next().unwrap_or_default()
}

fn numbers(version: &str) -> Vec<u32> {
    version.split(['.', '-']).filter_map(|number| number.parse().ok()).collect()
}

fn family(version: &str) -> Option<String> {
    let family = format!("{ENGINE}{}", major_of(version));
    crate::simulator::catalogue::family_major(&family).map(|_| family)
}
