//! What practitioners are told about `parameter_group.next_family`. Pure.

use crate::cluster::{DESCRIPTION, Group, OWNER_TAG, Observed};
use crate::terraform::{AttributePath, Diagnostic};

/// A value that the family does not allow, or of a parameter that it does not have.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct LeftBehind {
    pub(in super::super) parameter: String,
    pub(in super::super) value: String,
    /// AWS's notation for what is allowed; `None`: the family does not have the parameter, or not for clusters.
    pub(in super::super) allowed: Option<String>,
    /// Whether the configuration asks for it.
    pub(in super::super) configured: bool,
}

fn path() -> AttributePath {
    AttributePath::of("parameter_group").attribute("next_family")
}

/// The cluster is at or beyond that major version.
pub(in super::super) fn not_a_later_family(found: &Observed, next: &str) -> Diagnostic {
    let detail = format!(
        "Cluster {} has the family {}, and {next} is not one of a later major version. Set `parameter_group.next_family` to the family that \
         the next upgrade leads to, or remove it.",
        found.id(),
        found.family
    );
    Diagnostic::error("Next family is not a later one", detail).at(path())
}

/// AWS does not know the family.
pub(in super::super) fn unknown_family(found: &Observed, next: &str) -> Diagnostic {
    let detail = format!(
        "AWS knows no parameter group family {next} in region {}. Correct `parameter_group.next_family`. This lists the families: aws rds \
         describe-db-engine-versions --engine aurora-postgresql --query \"DBEngineVersions[].DBParameterGroupFamily\"",
        found.region
    );
    Diagnostic::error("Next family does not exist", detail).at(path())
}

/// Another group has the name of the one for the next major version.
pub(in super::super) fn next_name_is_taken(found: &Observed, group: &Group) -> Diagnostic {
    let why = match group.tags.get(OWNER_TAG) {
        _ if group.description != DESCRIPTION => format!("its description is {:?}", group.description),
        Some(cluster) if cluster != found.id() => format!("its tag {OWNER_TAG} is {cluster:?}"),
        Some(_) => format!("it has the family {}", group.family),
        None => format!("it has no tag {OWNER_TAG}"),
    };
    let detail = format!(
        "The parameter group for the next major version of cluster {} is to have the name {}, but a group of that name already exists and \
         was not created for it: {why}. Delete that group if it is unused, or remove `parameter_group.next_family` and name that group in \
         the upgrade.",
        found.id(),
        group.name
    );
    Diagnostic::error("Parameter group name is taken", detail).at(path())
}

/// What the next major version cannot take over.
pub(in super::super) fn left_behind(found: &Observed, next: &Group, left: &[LeftBehind]) -> Diagnostic {
    let family = &next.family;
    let line = |left: &LeftBehind| {
        let LeftBehind { parameter, value, allowed, configured } = left;
        let why = match allowed {
            Some(allowed) => format!("{family} allows {allowed}"),
            None => format!("{family} has no such DB cluster parameter"),
        };
        let remedy = if *configured { "; remove it from `parameters` or change it there with the upgrade" } else { "" };
        format!("{parameter} = {value}: {why}{remedy}")
    };
    let lines: Vec<String> = left.iter().map(line).collect();
    let detail = format!(
        "Parameter group {} for the next major version of cluster {} does not have these values:\n  {}\nAfter the upgrade the defaults of the \
         new version apply, or the parameter group of each instance. Set there what you still need.",
        next.name,
        found.id(),
        lines.join("\n  ")
    );
    Diagnostic::warning("Values stay behind in a major upgrade", detail).at(path())
}
