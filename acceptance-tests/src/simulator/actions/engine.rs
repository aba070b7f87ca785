//! Engine versions.

use std::sync::Arc;

use super::describe::page;
use crate::simulator::error::ApiError;
use crate::simulator::request::Request;
use crate::simulator::shared::Shared;
use crate::simulator::xml::Xml;

const ENGINE: &str = "aurora-postgresql";

/// Some versions of each major; a version requested by name need not be in the list.
const VERSIONS: [&str; 15] = [
    "11.9", "11.21", "12.9", "12.22", "13.9", "13.18", "14.6", "14.15", "15.2", "15.10", "15.12", "16.6", "16.8", "17.4", "17.5",
];

pub(super) fn describe_engine_versions(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&[
        "Engine",
        "EngineVersion",
        "DBParameterGroupFamily",
        "DefaultOnly",
        "IncludeAll",
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
        Some(major) => VERSIONS.into_iter().filter(|version| version.split('.').next() == Some(major)).collect(),
        None => VERSIONS.to_vec(),
    };
    versions.retain(|version| {
        family(version).is_some_and(|family| request.get("DBParameterGroupFamily").is_none_or(|wanted| wanted == family))
    });
    let (versions, marker) = page(request, &versions, shared.options.page_size)?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.list("DBEngineVersions", "DBEngineVersion", versions, |xml, version| {
        xml.text("Engine", ENGINE).text("EngineVersion", version);
        xml.optional("DBParameterGroupFamily", family(version));
        xml.optional("MajorEngineVersion", version.split('.').next());
        xml.text("DBEngineDescription", "Aurora (PostgreSQL)").text("Status", "available");
        xml.element("SupportedEngineModes", |xml| {
            xml.text("member", "provisioned");
        });
    });
    Ok(xml)
}

fn family(version: &str) -> Option<String> {
    let family = format!("{ENGINE}{}", version.split('.').next()?);
    crate::simulator::catalogue::family_major(&family).map(|_| family)
}
