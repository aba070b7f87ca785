//! Diagnostics as protobuf.

use super::encode_path;
use crate::printable::{printable, printable_line};
use crate::proto::tfplugin6 as proto;
use crate::terraform::{Diagnostics, Severity};

/// Messages as Terraform expects them.
pub(crate) fn encode_diagnostics(diagnostics: Diagnostics) -> Vec<proto::Diagnostic> {
    use proto::diagnostic::Severity as Wire;
    let encoded = diagnostics.into_iter().map(|diagnostic| proto::Diagnostic {
        severity: match diagnostic.severity {
            Severity::Error => Wire::Error,
            Severity::Warning => Wire::Warning,
        } as i32,
        summary: printable_line(&diagnostic.summary),
        detail: printable(&diagnostic.detail),
        attribute: diagnostic.path.filter(|path| !path.is_root()).map(|path| encode_path(&path)),
    });
    encoded.collect()
}
