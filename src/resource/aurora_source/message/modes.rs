//! What practitioners are told about the modes in which a parameter group is managed. Pure.

use super::super::desired::Mode;
use crate::cluster::Observed;
use crate::terraform::{AttributePath, Diagnostic};

fn mode_path() -> AttributePath {
    AttributePath::of("parameter_group").attribute("mode")
}

/// AWS's own group cannot be modified.
pub(in super::super) fn default_in_place(found: &Observed) -> Diagnostic {
    let detail = format!(
        "Cluster {} has the parameter group {}, which belongs to AWS and cannot be modified. Create a parameter group of the family {} \
         and attach it to the cluster first, or use `parameter_group.mode` = \"dedicated\", which does both.",
        found.id(),
        found.attached.name,
        found.family
    );
    Diagnostic::error("AWS's default parameter group cannot be modified", detail).at(mode_path())
}

/// A change in place would change other clusters.
pub(in super::super) fn attached_elsewhere(found: &Observed, others: &[String], destroys: bool) -> Diagnostic {
    let remedy = match destroys {
        false => "Attach a group of its own to this cluster, or use `parameter_group.mode` = \"dedicated\", which does that.",
        true => {
            "Attach other groups to those clusters first. To leave the values as they are, set `parameter_group.mode` = \
                 \"external\" and apply that before the destroy."
        }
    };
    let detail = format!(
        "Parameter group {} of cluster {} is also attached to: {}. A change would apply to these clusters too. {remedy}",
        found.attached.name,
        found.id(),
        others.join(", ")
    );
    Diagnostic::error("Other clusters use the parameter group", detail).at(mode_path())
}

/// It cannot be told whether a change in place would change other clusters.
pub(in super::super) fn others_unknown(found: &Observed) -> Diagnostic {
    let detail = format!(
        "Parameter group {} of cluster {} may be attached to other clusters too, to which a change would apply, and AWS does not let the \
         provider list them. Allow rds:DescribeDBClusters on all clusters, or use `parameter_group.mode` = \"dedicated\".",
        found.attached.name,
        found.id()
    );
    Diagnostic::error("Cannot tell which clusters use the parameter group", detail).at(mode_path())
}

/// A value that is too long to be kept.
pub(in super::super) fn too_long_to_remember(found: &Observed, parameter: &str) -> Diagnostic {
    let detail = format!(
        "The present value of {parameter} in parameter group {} is too long for the tag that keeps it for a destroy. Set the parameter to \
         null here and set it in the group yourself, or use `parameter_group.mode` = \"dedicated\".",
        found.attached.name
    );
    Diagnostic::error(format!("Value cannot be kept ({parameter})"), detail).at(AttributePath::of("parameters").key(parameter))
}

/// Tags that a change which stopped half-way may have left, or somebody else.
pub(in super::super) fn tags_name_others(found: &Observed, parameters: &[&String], mode: Mode, destroys: bool) -> Diagnostic {
    let names: Vec<&str> = parameters.iter().map(|name| name.as_str()).collect();
    let way = match (mode, destroys) {
        (Mode::External, _) => {
            "set `parameter_group.mode` to \"in_place\" with them in `parameters`, apply, and destroy this source"
        }
        (_, true) => "name them in `parameters`, apply, remove them again, and apply before this destroy",
        (_, false) => "name them in `parameters`, apply, and remove them again",
    };
    let detail = format!(
        "Tags of parameter group {} (clickpipes:previous-value:...) say that this provider changed parameters that the configuration does \
         not name: {}. Tags alone are not enough to change them back. If an apply that was killed changed them, {way}, which restores \
         what the tags say; otherwise remove the tags.",
        found.attached.name,
        names.join(", ")
    );
    Diagnostic::warning("Tags name other parameters", detail)
}

/// What one mode did, the other could not undo.
pub(in super::super) fn change_of_mode(id: &str, before: Mode, after: Mode) -> Diagnostic {
    let detail = format!(
        "Cluster {id} is managed with `parameter_group.mode` = \"{}\", and \"{}\" could not undo what that did. Set the mode to \
         \"external\" and apply: nothing changes in AWS. Then set it to \"{}\".",
        before.word(),
        after.word(),
        after.word()
    );
    Diagnostic::error("The mode cannot be changed directly", detail).at(mode_path())
}

/// What stays when a source lets go.
pub(in super::super) fn lets_go(found: &Observed, before: Mode) -> Diagnostic {
    let group = &found.attached.name;
    let stays = match before {
        Mode::Dedicated if found.attached_is_ours() => format!(
            "Parameter group {group}, which was created for it, stays attached and keeps its values and tags. A destroy no longer attaches \
             {} again, and does not delete the group.",
            found.previous_name()
        ),
        Mode::InPlace if !found.remembered.values.is_empty() => {
            let names: Vec<&str> = found.remembered.values.keys().map(String::as_str).collect();
            format!(
                "Parameter group {group} keeps the values that were set in place, and the tags that say what was before: {}. A destroy no \
                 longer restores them.",
                names.join(", ")
            )
        }
        _ => format!("Parameter group {group} was not changed, and stays as it is."),
    };
    let detached: Vec<&str> = found.left_over(&[]).map(|group| group.name.as_str()).collect();
    let beside = match detached.is_empty() {
        true => String::new(),
        false => format!(" These groups, which were created for it and are not attached, stay too: {}.", detached.join(", ")),
    };
    let iam = match found.remembered.iam_enabled {
        true => " IAM database authentication, which was turned on, stays on.",
        false => "",
    };
    let detail = format!(
        "With mode \"external\" the provider changes no parameter of cluster {} any more. {stays}{beside}{iam}",
        found.id()
    );
    Diagnostic::warning("The parameter group is let go", detail)
}

/// What a change of mode began before it stopped half-way is taken back.
pub(in super::super) fn gives_up(found: &Observed, begun: Mode) -> Diagnostic {
    let detail = format!(
        "A change of cluster {} from mode \"external\" to \"{}\" stopped half-way, and the configuration says \"external\" again: what it \
         has done is undone.",
        found.id(),
        begun.word()
    );
    Diagnostic::warning("A change of mode is undone", detail).at(mode_path())
}

/// What something else has to set. `iam` is what IAM database authentication should be, if it is not.
pub(in super::super) fn missing_values(found: &Observed, missing: &[String], iam: Option<bool>) -> Diagnostic {
    let mut lacks = String::new();
    if !missing.is_empty() {
        lacks = format!(
            "Parameter group {} of cluster {} does not have these values: {}.",
            found.attached.name,
            found.id(),
            missing.join(", ")
        );
    }
    if let Some(on) = iam {
        let (is, not) = if on { ("on", "off") } else { ("off", "on") };
        let gap = if lacks.is_empty() { "" } else { " " };
        lacks.push_str(&format!("{gap}IAM database authentication of cluster {} is {not}, not {is}.", found.id()));
    }
    let detail = format!(
        "{lacks} With `parameter_group.mode` = \"external\" something else has to set this. If another resource of the same run does, \
         let this one depend on it. Otherwise the apply fails before it changes anything."
    );
    Diagnostic::error("Values are missing", detail).at(mode_path())
}

/// A destroy that finds nothing to undo.
pub(in super::super) fn nothing_undone(found: &Observed, mode: Mode) -> Diagnostic {
    let done = match mode {
        Mode::Dedicated => format!("No parameter group was created for cluster {}, so there is nothing to undo.", found.id()),
        Mode::InPlace => format!("No parameter of cluster {} was changed, so there is nothing to undo.", found.id()),
        Mode::External => format!("Something else manages the parameters of cluster {}.", found.id()),
    };
    Diagnostic::warning("Destroying changes nothing", format!("{done} Its parameters stay as they are."))
}
