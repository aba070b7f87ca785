//! The planned state: what is known, what is not, and what the practitioner is told. Pure.

use super::diff::{Difference, diff};
use super::model::Desired;
use super::observe::Observed;
use super::outputs::{SOURCE_TYPE, ready};
use super::request::{Operation, lines};
use super::schema::AuroraSource;
use super::{Lookup, Private, Source, notice};
use crate::resource::{Existing, Plan, PlanRequest};
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics, Severity};

pub(super) fn plan(request: &PlanRequest<'_, Source>, lookup: Option<&Lookup>) -> Plan<Source> {
    match request.prior {
        None => plan_create(request, lookup),
        Some(prior) => plan_update(request, prior),
    }
}

fn plan_create(request: &PlanRequest<'_, Source>, lookup: Option<&Lookup>) -> Plan<Source> {
    let mut model = request.proposed.clone();
    model.id = model.cluster_identifier.clone();
    model.source_type = Attr::from(SOURCE_TYPE);
    model.drift = Attr::Known(Vec::new());
    model.operations = Attr::Unknown;
    let mut diagnostics = Diagnostics::new();
    let mut planned = None;
    match (lookup, Desired::decode(request.proposed)) {
        (Some(Lookup::Found(observed)), Some(desired)) => match diff(observed, &desired, None) {
            Ok(difference) => {
                diagnostics.extend(difference.warnings);
                diagnostics.extend(notice::of_waiting(observed, desired.reboot));
                planned = Some(difference.operations);
            }
            Err(refusals) => diagnostics.extend(refusals),
        },
        (Some(Lookup::Absent), _) => diagnostics.push(absent(request.proposed)),
        _ => {}
    }
    if let Some(first) = request.first_plan {
        planned.clone_from(&first.planned);
    }
    if let Some(operations) = &planned {
        model.operations = Attr::Known(lines(operations));
    }
    Plan { model, private: Private { planned, ..Private::default() }, requires_replace: Vec::new(), diagnostics }
}

fn absent(model: &AuroraSource) -> Diagnostic {
    let identifier = model.cluster_identifier.known_or(String::new());
    Diagnostic::warning(
        "Cluster not found",
        format!(
            "There is no cluster {identifier} in this region and account now. If this apply creates it, all is well; otherwise the apply \
             fails before it changes anything."
        ),
    )
    .at(AttributePath::of("cluster_identifier"))
}

fn plan_update(request: &PlanRequest<'_, Source>, prior: &Existing<Source>) -> Plan<Source> {
    let mut model = request.proposed.clone();
    let mut private = Private { planned: None, ..prior.private.clone() };
    let mut diagnostics = Diagnostics::new();
    match (&prior.private.observed, Desired::decode(request.proposed)) {
        (Some(observed), Some(desired)) => {
            let before = Desired::decode(&prior.model);
            match diff(observed, &desired, before.as_ref()) {
                Ok(difference) if difference.operations.is_empty() => {
                    keep(&mut model, &prior.model);
                    diagnostics.extend(notice::of_waiting(observed, desired.reboot));
                    if request.changed {
                        model.ready = Attr::Known(ready(observed, &desired));
                        model.operations = Attr::Known(Vec::new());
                        model.drift = Attr::Known(Vec::new());
                        private.planned = Some(Vec::new());
                    }
                }
                Ok(difference) => {
                    change(&mut model, &prior.model, observed, &difference);
                    diagnostics.extend(difference.warnings);
                    diagnostics.extend(
                        notice::of_waiting(observed, desired.reboot)
                            .filter(|_| !difference.operations.iter().any(Operation::needs_reboot)),
                    );
                    private.planned = Some(difference.operations);
                }
                // `terraform destroy` plans an update first: what is refused must not keep it from destroying.
                Err(refusals) if !request.changed => {
                    keep(&mut model, &prior.model);
                    diagnostics.extend(refusals.into_iter().map(|refusal| Diagnostic { severity: Severity::Warning, ..refusal }));
                }
                Err(refusals) => diagnostics.extend(refusals),
            }
        }
        _ if request.changed => model.operations = Attr::Unknown,
        _ => keep(&mut model, &prior.model),
    }
    Plan { model, private, requires_replace: Vec::new(), diagnostics }
}

/// What no operation touches stays as it is.
fn keep(model: &mut AuroraSource, prior: &AuroraSource) {
    model.members.clone_from(&prior.members);
    model.parameter_group_name.clone_from(&prior.parameter_group_name);
    model.previous_parameter_group_name.clone_from(&prior.previous_parameter_group_name);
    model.ready.clone_from(&prior.ready);
    model.reboot_required.clone_from(&prior.reboot_required);
    model.writer_instance_id.clone_from(&prior.writer_instance_id);
}

fn change(model: &mut AuroraSource, prior: &AuroraSource, observed: &Observed, difference: &Difference) {
    keep(model, prior);
    model.operations = Attr::Known(lines(&difference.operations));
    model.drift = Attr::Known(Vec::new());
    let operations = &difference.operations;
    if operations.iter().any(|operation| matches!(operation, Operation::AttachGroup { .. })) {
        model.parameter_group_name = Attr::Unknown;
        model.previous_parameter_group_name = Attr::Unknown;
    }
    // The owner's tags hold the previous group.
    if operations.iter().any(|operation| matches!(operation, Operation::TagGroup { name, .. } if *name == observed.attached.name))
    {
        model.previous_parameter_group_name = Attr::Unknown;
    }
    if operations.iter().any(Operation::is_reboot) {
        model.writer_instance_id = Attr::Unknown;
    }
    model.members = Attr::Unknown;
    model.ready = Attr::Unknown;
    model.reboot_required = Attr::Unknown;
}

#[cfg(test)]
mod tests;
