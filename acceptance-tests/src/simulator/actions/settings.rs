//! Settings of clusters and instances that are stored and returned unchanged.

use std::collections::BTreeMap;

use crate::simulator::request::Request;
use crate::simulator::xml::Xml;

/// A setting: the name of the parameter that sets it, of the field that returns it, and its default value. No value: not
/// returned.
type Setting = (&'static str, &'static str, Option<&'static str>);

/// Settings of a cluster.
pub(super) const CLUSTER: [Setting; 14] = [
    ("BackupRetentionPeriod", "BackupRetentionPeriod", Some("1")),
    ("CopyTagsToSnapshot", "CopyTagsToSnapshot", Some("false")),
    ("DatabaseInsightsMode", "DatabaseInsightsMode", Some("standard")),
    ("DBSubnetGroupName", "DBSubnetGroup", Some("default")),
    ("DeletionProtection", "DeletionProtection", Some("false")),
    ("EnableHttpEndpoint", "HttpEndpointEnabled", Some("false")),
    ("EnablePerformanceInsights", "PerformanceInsightsEnabled", Some("false")),
    ("EngineLifecycleSupport", "EngineLifecycleSupport", Some("open-source-rds-extended-support")),
    ("KmsKeyId", "KmsKeyId", None),
    ("NetworkType", "NetworkType", Some("IPV4")),
    ("PreferredBackupWindow", "PreferredBackupWindow", Some("03:00-03:30")),
    ("PreferredMaintenanceWindow", "PreferredMaintenanceWindow", Some("sun:05:00-sun:05:30")),
    ("StorageEncrypted", "StorageEncrypted", Some("false")),
    ("StorageType", "StorageType", None),
];

/// Settings of an instance.
pub(super) const INSTANCE: [Setting; 14] = [
    ("AutoMinorVersionUpgrade", "AutoMinorVersionUpgrade", Some("true")),
    ("AvailabilityZone", "AvailabilityZone", Some("us-east-1a")),
    ("CACertificateIdentifier", "CACertificateIdentifier", Some("rds-ca-rsa2048-g1")),
    ("CopyTagsToSnapshot", "CopyTagsToSnapshot", Some("false")),
    ("DBInstanceClass", "DBInstanceClass", Some("db.r6g.large")),
    ("DeletionProtection", "DeletionProtection", Some("false")),
    ("EnablePerformanceInsights", "PerformanceInsightsEnabled", Some("false")),
    ("MonitoringInterval", "MonitoringInterval", Some("0")),
    ("NetworkType", "NetworkType", Some("IPV4")),
    ("PreferredBackupWindow", "PreferredBackupWindow", Some("03:00-03:30")),
    ("PreferredMaintenanceWindow", "PreferredMaintenanceWindow", Some("sun:05:00-sun:05:30")),
    ("PromotionTier", "PromotionTier", Some("1")),
    ("PubliclyAccessible", "PubliclyAccessible", Some("false")),
    ("StorageType", "StorageType", Some("aurora")),
];

/// The names of the parameters.
pub(super) fn parameters(settings: &[Setting]) -> impl Iterator<Item = &'static str> {
    settings.iter().map(|(parameter, ..)| *parameter)
}

/// Stores the settings in the request.
pub(super) fn take(settings: &[Setting], request: &Request, into: &mut BTreeMap<String, String>) {
    for (parameter, ..) in settings {
        if let Some(value) = request.get(parameter) {
            into.insert((*parameter).to_owned(), value.to_owned());
        }
    }
}

/// Returns the settings.
pub(super) fn write(xml: &mut Xml, settings: &[Setting], set: &BTreeMap<String, String>) {
    for (parameter, field, default) in settings {
        xml.optional(field, set.get(*parameter).map(String::as_str).or(*default));
    }
}
