//! The parameters in each family of cluster parameter groups, as listed in `catalogue.txt`.
//!
//! A selection of Aurora's parameters, with the fields that DescribeDBClusterParameters returns. Values are in the parameter's
//! base unit, as in Postgres itself.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::error::ApiError;

/// Parameter values by name.
pub type Values = BTreeMap<String, String>;

/// One parameter of a family.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: &'static str,
    /// `static` or `dynamic`.
    pub(crate) apply_type: &'static str,
    /// `boolean`, `integer`, `float`, `string` or `list`.
    pub(crate) data_type: &'static str,
    /// A range `a-b` or a list `a,b,c`; empty: anything.
    pub(crate) allowed_values: &'static str,
    /// The default; `None`: the engine's own, which RDS does not return.
    pub(crate) default: Option<&'static str>,
    /// Where the default comes from: `system` or `engine-default`.
    pub(crate) source: &'static str,
    /// Whether a custom group may set it.
    pub(crate) is_modifiable: bool,
    /// The first and the last major version with this definition.
    majors: (u32, u32),
}

static PARAMETERS: LazyLock<Vec<Parameter>> = LazyLock::new(|| {
    include_str!("catalogue.txt").lines().filter(|line| !line.starts_with('#')).filter_map(Parameter::decode).collect()
});

/// The parameters of a family such as `aurora-postgresql15`, sorted by name.
pub(crate) fn parameters(family: &str) -> impl Iterator<Item = &'static Parameter> {
    let major = family_major(family).unwrap_or(0);
    PARAMETERS.iter().filter(move |parameter| (parameter.majors.0..=parameter.majors.1).contains(&major))
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

/// Whether Postgres itself accepts this parameter's value unchanged. All others are Aurora's own, or the rig needs its own value.
pub(crate) fn reaches_postgres(name: &str) -> bool {
    !matches!(
        name,
        "shared_preload_libraries"
            | "wal_level"
            | "max_connections"
            | "max_worker_processes"
            | "aurora_compute_plan_id"
            | "password_encryption"
            | "huge_pages"
            | "recovery_prefetch"
            | "log_connections"
            | "log_min_duration_statement"
            | "log_statement"
            | "session_replication_role"
            | "synchronized_standby_slots"
    )
}

impl Parameter {
    fn decode(line: &'static str) -> Option<Self> {
        let fields: Vec<&'static str> = line.split('|').map(str::trim).collect();
        let [name, apply_type, data_type, allowed_values, default, source, modifiable, majors] = fields[..] else { return None };
        let (first, last) = majors.split_once('-')?;
        Some(Self {
            name,
            apply_type,
            data_type,
            allowed_values,
            default: (default != "-").then_some(default),
            source,
            is_modifiable: modifiable == "yes",
            majors: (first.parse().ok()?, if last.is_empty() { u32::MAX } else { last.parse().ok()? }),
        })
    }

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
        if matches!(self.data_type, "integer" | "float") {
            // The first sign may be the lower bound's minus.
            let Some((low, high)) =
                allowed.char_indices().skip(1).find(|(_, c)| *c == '-').map(|(at, _)| (&allowed[..at], &allowed[at + 1..]))
            else {
                return false;
            };
            let (Ok(low), Ok(high), Ok(value)) = (low.parse::<f64>(), high.parse::<f64>(), value.parse::<f64>()) else {
                // A formula, which RDS computes for the instance class.
                return value.contains('{');
            };
            let is_whole = value.fract() == 0.0;
            return (low..=high).contains(&value) && (is_whole || self.data_type == "float");
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
        assert!(check("random_page_cost", "1.1") && !check("max_wal_senders", "10.5"));
        assert!(check("max_connections", "LEAST({DBInstanceClassMemory/1},5)"));
    }

    #[test]
    fn a_family_has_what_its_major_version_has() {
        assert!(find("aurora-postgresql12", "logical_decoding_work_mem").is_err());
        assert!(find("aurora-postgresql13", "logical_decoding_work_mem").is_ok());
        assert_eq!(family_major("aurora-mysql8.0"), None);
        let default = |major: u32, name: &str| find(&format!("aurora-postgresql{major}"), name).unwrap().default;
        assert_eq!(
            (default(13, "password_encryption"), default(14, "password_encryption")),
            (Some("md5"), Some("scram-sha-256"))
        );
        assert_eq!((default(16, "rds.force_ssl"), default(17, "rds.force_ssl")), (Some("0"), Some("1")));
        // Parameters of instances from 18 on, and a text instead of a switch.
        for gone in ["log_min_duration_statement", "shared_preload_libraries"] {
            assert!(find("aurora-postgresql17", gone).is_ok() && find("aurora-postgresql18", gone).is_err(), "{gone}");
        }
        let logged = |major: u32| find(&format!("aurora-postgresql{major}"), "log_connections").unwrap();
        assert!(logged(17).check("1").is_ok() && logged(18).check("1").is_err());
        assert!(logged(18).data_type == "string" && logged(18).check("authentication").is_ok());
    }

    #[test]
    fn each_line_of_the_catalogue_is_a_parameter_and_each_family_has_a_name_once() {
        let lines = include_str!("catalogue.txt").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(PARAMETERS.len(), lines);
        for major in 11..=18 {
            let names: Vec<&str> = parameters(&format!("aurora-postgresql{major}")).map(|parameter| parameter.name).collect();
            assert!(names.is_sorted() && names.windows(2).all(|pair| pair[0] != pair[1]), "{major}: {names:?}");
            assert!(names.len() > 50, "{major}: {}", names.len());
        }
    }
}
