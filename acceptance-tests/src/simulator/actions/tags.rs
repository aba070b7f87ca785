//! Tags of clusters, instances and cluster parameter groups, by ARN.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::simulator::error::ApiError;
use crate::simulator::request::Request;
use crate::simulator::shared::Shared;
use crate::simulator::state::State;
use crate::simulator::xml::Xml;

pub(super) fn list(state: &State, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["ResourceName", "Filters"])?;
    let tags = state.tags(request.required("ResourceName")?)?;
    let mut xml = Xml::default();
    write_tags(&mut xml, tags);
    Ok(xml)
}

pub(super) fn add(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["ResourceName", "Tags"])?;
    shared.state().tags_mut(request.required("ResourceName")?)?.extend(tag_list(request));
    Ok(Xml::default())
}

pub(super) fn remove(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["ResourceName", "TagKeys"])?;
    let mut state = shared.state();
    let tags = state.tags_mut(request.required("ResourceName")?)?;
    for key in request.list("TagKeys") {
        if let Some(key) = key.get("") {
            tags.remove(*key);
        }
    }
    Ok(Xml::default())
}

/// The tags in a call.
pub(super) fn tag_list(request: &Request) -> BTreeMap<String, String> {
    let tags = request.list("Tags");
    tags.iter()
        .filter_map(|tag| Some(((*tag.get("Key")?).to_owned(), tag.get("Value").copied().unwrap_or_default().to_owned())))
        .collect()
}

/// Returns tags.
pub(super) fn write_tags(xml: &mut Xml, tags: &BTreeMap<String, String>) {
    xml.list("TagList", "Tag", tags, |xml, (key, value)| {
        xml.text("Key", key).text("Value", value);
    });
}
