//! Configurations as the unit tests of this resource see them.

use super::desired::Desired;
use super::schema::{AuroraSource, ParameterGroupSettings, ParameterValues};
use crate::terraform::Attr;

/// A configuration of the cluster.
pub(super) fn config(reboot: &str, parameters: &[(&str, &str)]) -> AuroraSource {
    let values = parameters.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect();
    AuroraSource {
        cluster_identifier: Attr::from("shop"),
        reboot: Attr::from(reboot),
        force_destroy: Attr::Known(false),
        parameters: if parameters.is_empty() { Attr::Null } else { Attr::Known(ParameterValues(values)) },
        ..AuroraSource::default()
    }
}

/// What a configuration asks for.
pub(super) fn desired(reboot: &str, parameters: &[(&str, &str)]) -> Desired {
    Desired::decode(&config(reboot, parameters)).unwrap().unwrap()
}

/// The same with a mode.
pub(super) fn config_in(mode: &str, reboot: &str, parameters: &[(&str, &str)]) -> AuroraSource {
    let settings = ParameterGroupSettings { mode: Attr::from(mode), ..Default::default() };
    AuroraSource { parameter_group: Attr::Known(settings), ..config(reboot, parameters) }
}

/// What it asks for.
pub(super) fn desired_in(mode: &str, reboot: &str, parameters: &[(&str, &str)]) -> Desired {
    Desired::decode(&config_in(mode, reboot, parameters)).unwrap().unwrap()
}
