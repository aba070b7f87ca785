//! Configurations as the unit tests of this resource see them.

use super::desired::Desired;
use super::schema::{AuroraSource, ParameterValues};
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
