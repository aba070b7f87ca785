//! What the Describe actions have in common: filters and pages.

use std::collections::BTreeMap;

use crate::simulator::error::ApiError;
use crate::simulator::request::Request;

/// One page of `items`: those from the marker on, and the next marker if something is left.
pub(super) fn page<'a, T>(request: &Request, items: &'a [T], default_size: usize) -> Result<(&'a [T], Option<String>), ApiError> {
    let size =
        match request.get("MaxRecords") {
            None => default_size,
            Some(text) => text.parse().ok().filter(|size| (20..=100).contains(size)).ok_or_else(|| {
                ApiError::invalid_value(format!("Invalid value {text} for MaxRecords. Must be between 20 and 100"))
            })?,
        };
    let start: usize = match request.get("Marker") {
        None => 0,
        Some(marker) => marker.parse().map_err(|_| ApiError::invalid_value(format!("Invalid marker: {marker}")))?,
    };
    let end = items.len().min(start.saturating_add(size));
    let page = items.get(start..end).ok_or_else(|| ApiError::invalid_value(format!("Invalid marker: {start}")))?;
    Ok((page, (end < items.len()).then(|| end.to_string())))
}

/// The values of one filter.
pub(super) fn filter_values<'a>(filter: &BTreeMap<&str, &'a str>) -> Vec<&'a str> {
    filter.iter().filter(|(key, _)| key.starts_with("Values")).map(|(_, value)| *value).collect()
}
