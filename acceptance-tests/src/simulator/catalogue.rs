//! The parameters that each family of cluster parameter groups has.
//!
//! A selection of Aurora's, with the fields that DescribeDBClusterParameters shows. Values are in the parameter's base unit, as in
//! Postgres itself.

use std::collections::BTreeMap;

use super::error::ApiError;

/// Parameter values by name.
pub type Values = BTreeMap<String, String>;

/// One parameter of a family.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// `static` or `dynamic`.
    pub apply_type: &'static str,
    /// `boolean`, `integer`, `string` or `list`.
    pub data_type: &'static str,
    /// A range `a-b` or a list `a,b,c`; empty: anything.
    pub allowed_values: &'static str,
    /// The default; `None`: the engine's own, which RDS does not show.
    pub default: Option<&'static str>,
    /// Where the default comes from: `system` or `engine-default`.
    pub source: &'static str,
    /// Whether a custom group may set it.
    pub is_modifiable: bool,
    /// The first major version that has it.
    since: u32,
}

const STATIC: &str = "static";
const DYNAMIC: &str = "dynamic";
const SYSTEM: &str = "system";
const ENGINE: &str = "engine-default";

const fn parameter(
    name: &'static str,
    apply_type: &'static str,
    data_type: &'static str,
    allowed_values: &'static str,
    default: Option<&'static str>,
    source: &'static str,
) -> Parameter {
    Parameter { name, apply_type, data_type, allowed_values, default, source, is_modifiable: true, since: 0 }
}

const fn fixed(name: &'static str, data_type: &'static str, default: &'static str) -> Parameter {
    Parameter {
        name,
        apply_type: STATIC,
        data_type,
        allowed_values: "",
        default: Some(default),
        source: SYSTEM,
        is_modifiable: false,
        since: 0,
    }
}

/// Sorted by name, as RDS lists them.
const PARAMETERS: [Parameter; 27] = [
    parameter("aurora.enhanced_logical_replication", STATIC, "boolean", "0,1", Some("0"), ENGINE),
    fixed("aurora_compute_plan_id", "boolean", "1"),
    parameter("autovacuum_naptime", DYNAMIC, "integer", "1-2147483", Some("5"), SYSTEM),
    parameter("hot_standby_feedback", DYNAMIC, "boolean", "0,1", Some("1"), SYSTEM),
    parameter("idle_in_transaction_session_timeout", DYNAMIC, "integer", "0-2147483647", Some("86400000"), SYSTEM),
    Parameter { since: 14, ..parameter("idle_session_timeout", DYNAMIC, "integer", "0-2147483647", None, ENGINE) },
    parameter("log_min_duration_statement", DYNAMIC, "integer", "-1-2147483647", None, ENGINE),
    Parameter { since: 13, ..parameter("logical_decoding_work_mem", DYNAMIC, "integer", "64-2147483647", None, ENGINE) },
    parameter("max_connections", STATIC, "integer", "6-262143", Some("LEAST({DBInstanceClassMemory/9531392},5000)"), SYSTEM),
    parameter("max_logical_replication_workers", STATIC, "integer", "0-262143", None, ENGINE),
    parameter("max_replication_slots", STATIC, "integer", "5-8388607", Some("20"), SYSTEM),
    Parameter { since: 13, ..parameter("max_slot_wal_keep_size", DYNAMIC, "integer", "-1-2147483647", None, ENGINE) },
    parameter("max_wal_senders", STATIC, "integer", "5-8388607", Some("10"), SYSTEM),
    parameter("max_worker_processes", STATIC, "integer", "0-262143", Some("GREATEST(${DBInstanceVCPU*2},8)"), SYSTEM),
    parameter("password_encryption", DYNAMIC, "string", "md5,scram-sha-256", None, ENGINE),
    parameter("rds.accepted_password_auth_method", DYNAMIC, "string", "scram,md5+scram", Some("md5+scram"), SYSTEM),
    fixed("rds.extensions", "string", "pg_stat_statements,pgcrypto,postgres_fdw"),
    parameter("rds.force_ssl", DYNAMIC, "boolean", "0,1", Some("0"), SYSTEM),
    parameter("rds.iam_auth_for_replication", DYNAMIC, "boolean", "0,1", Some("0"), SYSTEM),
    parameter("rds.log_retention_period", DYNAMIC, "integer", "1440-10080", Some("4320"), SYSTEM),
    parameter("rds.logical_replication", STATIC, "boolean", "0,1", Some("0"), SYSTEM),
    parameter("rds.logical_wal_cache", STATIC, "integer", "-1-131072", None, ENGINE),
    parameter("rds.restrict_password_commands", STATIC, "boolean", "0,1", None, ENGINE),
    parameter(
        "shared_preload_libraries",
        STATIC,
        "list",
        "auto_explain,pg_cron,pg_stat_statements,pgaudit",
        Some("pg_stat_statements"),
        SYSTEM,
    ),
    parameter("statement_timeout", DYNAMIC, "integer", "0-2147483647", None, ENGINE),
    fixed("wal_level", "string", "replica"),
    parameter("wal_sender_timeout", DYNAMIC, "integer", "0-3600000", None, ENGINE),
];

/// The parameters of a family such as `aurora-postgresql15`, sorted by name.
pub(crate) fn parameters(family: &str) -> impl Iterator<Item = &'static Parameter> {
    let major = family_major(family).unwrap_or(0);
    PARAMETERS.iter().filter(move |parameter| parameter.since <= major)
}

/// The major version of a family; `None` if there is no such family.
pub(crate) fn family_major(family: &str) -> Option<u32> {
    let major = family.strip_prefix("aurora-postgresql")?.parse().ok()?;
    (11..=18).contains(&major).then_some(major)
}

/// The parameter of this name in a family.
pub(crate) fn find(family: &str, name: &str) -> Result<&'static Parameter, ApiError> {
    parameters(family)
        .find(|parameter| parameter.name == name)
        .ok_or_else(|| ApiError::invalid_value(format!("Could not find parameter with name: {name}")))
}

/// Whether Postgres itself takes this parameter's value as it is. The rest is either Aurora's own, or the rig needs its own value.
pub(crate) fn reaches_postgres(name: &str) -> bool {
    !matches!(
        name,
        "shared_preload_libraries"
            | "wal_level"
            | "max_connections"
            | "max_worker_processes"
            | "aurora_compute_plan_id"
            | "password_encryption"
    )
}

impl Parameter {
    /// Refuses a value that the parameter does not allow.
    pub(crate) fn check(&self, value: &str) -> Result<(), ApiError> {
        if !self.is_modifiable {
            return Err(ApiError::invalid_value(format!("The parameter {} cannot be modified.", self.name)));
        }
        if self.allows(value) {
            return Ok(());
        }
        Err(ApiError::invalid_value(format!(
            "Invalid parameter value: {value} for: {} allowed values are: {}",
            self.name, self.allowed_values
        )))
    }

    fn allows(&self, value: &str) -> bool {
        let allowed = self.allowed_values;
        if allowed.is_empty() {
            return true;
        }
        if self.data_type == "integer" {
            // The first sign may be the lower bound's minus.
            let Some((low, high)) =
                allowed.char_indices().skip(1).find(|(_, c)| *c == '-').map(|(at, _)| (&allowed[..at], &allowed[at + 1..]))
            else {
                return false;
            };
            let (Ok(low), Ok(high), Ok(value)) = (low.parse::<i64>(), high.parse::<i64>(), value.parse::<i64>()) else {
                return value.contains('{');
            };
            return (low..=high).contains(&value);
        }
        let single = |value: &str| allowed.split(',').any(|allowed| allowed == value);
        if self.data_type == "list" { value.split(',').all(single) } else { single(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str) -> bool {
        find("aurora-postgresql15", name).is_ok_and(|parameter| parameter.check(value).is_ok())
    }

    #[test]
    fn values_are_held_to_ranges_and_lists() {
        assert!(check("wal_sender_timeout", "0"));
        assert!(!check("wal_sender_timeout", "3600001"));
        assert!(!check("wal_sender_timeout", "1min"));
        assert!(check("max_slot_wal_keep_size", "-1"));
        assert!(check("rds.logical_replication", "1"));
        assert!(!check("rds.logical_replication", "on"));
        assert!(check("shared_preload_libraries", "pg_cron,pgaudit"));
        assert!(!check("wal_level", "logical"));
        assert!(check("max_connections", "LEAST({DBInstanceClassMemory/1},5)"));
    }

    #[test]
    fn a_family_has_what_its_major_version_has() {
        assert!(find("aurora-postgresql12", "logical_decoding_work_mem").is_err());
        assert!(find("aurora-postgresql13", "logical_decoding_work_mem").is_ok());
        assert_eq!(family_major("aurora-mysql8.0"), None);
    }

    #[test]
    fn parameters_are_sorted_by_name() {
        assert!(PARAMETERS.is_sorted_by_key(|parameter| parameter.name));
    }
}
