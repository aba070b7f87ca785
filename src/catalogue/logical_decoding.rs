//! Whether a server writes what logical decoding needs.

use crate::postgres::{Error, Reader};

/// The parameter of RDS, which other servers do not have, and what it decides.
const SETTINGS: &str = "\
SELECT pg_catalog.current_setting('rds.logical_replication', true) AS of_rds, pg_catalog.current_setting('wal_level') AS wal_level";

/// The settings in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogicalDecoding {
    /// `rds.logical_replication`; `None`: the server does not know it.
    pub(crate) of_rds: Option<String>,
    /// `wal_level`.
    pub(crate) wal_level: String,
}

impl LogicalDecoding {
    /// Whether logical slots can be created.
    pub(crate) fn is_on(&self) -> bool {
        self.wal_level == "logical" && self.of_rds.as_deref().is_none_or(|of_rds| of_rds == "on" || of_rds == "1")
    }
}

/// The settings that are in effect on the server.
pub(crate) async fn logical_decoding(reader: &Reader) -> Result<LogicalDecoding, Error> {
    let rows = reader.query(SETTINGS, &[]).await?;
    let mut found = LogicalDecoding { of_rds: None, wal_level: String::new() };
    if let Some(row) = rows.first() {
        found = LogicalDecoding { of_rds: row.optional_text("of_rds")?, wal_level: row.text("wal_level")? };
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_settings_count_and_a_server_without_the_one_of_rds_needs_the_other() {
        let is_on = |of_rds: Option<&str>, wal_level: &str| {
            LogicalDecoding { of_rds: of_rds.map(str::to_owned), wal_level: wal_level.to_owned() }.is_on()
        };
        assert!(is_on(Some("on"), "logical") && is_on(None, "logical"));
        assert!(!is_on(Some("off"), "logical") && !is_on(Some("on"), "replica") && !is_on(None, "replica"));
    }
}
