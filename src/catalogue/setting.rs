//! The settings that a server runs with.

use std::collections::BTreeMap;

use crate::postgres::{Error, Parameter, Reader};

/// `$1` names. Values are in the setting's base unit.
const SETTINGS: &str = "\
SELECT s.name, s.setting
  FROM pg_catalog.pg_settings s
 WHERE s.name = ANY ($1::text[])
 ORDER BY 1";

/// The values in effect of those settings that the server knows, each in its base unit.
pub(crate) async fn settings(reader: &Reader, names: &[&str]) -> Result<BTreeMap<String, String>, Error> {
    let rows = reader.query(SETTINGS, &[Parameter::Texts(names.to_vec())]).await?;
    rows.iter().map(|row| Ok((row.text("name")?, row.text("setting")?))).collect()
}
