//! Answers that no well-behaved API sends: a list that never ends, an answer about another object.

use super::content::Content;
use super::faults::Fault;
use super::request::Request;

/// The parameters that name the object of a Describe call, which are also its elements in the answer.
const IDENTIFIERS: [&str; 3] = ["DBClusterIdentifier", "DBInstanceIdentifier", "DBClusterParameterGroupName"];

/// The identifier in an answer about another object.
pub const ANOTHER: &str = "another";

/// The call as it is performed: the markers of an endless list are no places in the real one.
pub(super) fn request(fault: Fault, request: &Request) -> Request {
    let mut request = request.clone();
    if fault != Fault::NoIsModifiable {
        request.parameters.remove("Marker");
    }
    request
}

/// The distorted answer to the call with this number.
pub(super) fn answer(fault: Fault, request: &Request, number: usize, content: Content) -> Content {
    let Content::Xml(mut xml) = content else { return content };
    match fault {
        Fault::MarkerRepeats => xml.edit(|text| with_marker(text, "again")),
        Fault::MarkerNeverEnds => xml.edit(|text| with_marker(text, &format!("page-{number}"))),
        Fault::AnotherIdentifier => xml.edit(|text| {
            let mut text = text.to_owned();
            for name in IDENTIFIERS {
                if let Some(asked) = request.get(name) {
                    text = text.replace(&format!("<{name}>{asked}</{name}>"), &format!("<{name}>{ANOTHER}</{name}>"));
                }
            }
            text
        }),
        Fault::NoIsModifiable => xml.edit(|text| {
            ["true", "false"]
                .iter()
                .fold(text.to_owned(), |text, is| text.replace(&format!("<IsModifiable>{is}</IsModifiable>"), ""))
        }),
        _ => {}
    }
    Content::Xml(xml)
}

fn with_marker(text: &str, marker: &str) -> String {
    let rest = match (text.find("<Marker>"), text.find("</Marker>")) {
        (Some(from), Some(to)) => format!("{}{}", &text[..from], &text[to + "</Marker>".len()..]),
        _ => text.to_owned(),
    };
    format!("{rest}<Marker>{marker}</Marker>")
}
