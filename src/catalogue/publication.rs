//! The publications of a database.

use super::relation::identifier;
use crate::postgres::{Error, Identifier, Parameter, Reader};

/// Sorted as bytes, so that no collation of a database makes a difference.
const NAMES: &str = "\
SELECT p.pubname::text AS name
FROM pg_catalog.pg_publication p
ORDER BY p.pubname::text COLLATE \"C\"
LIMIT $1::int4";

/// The names of the first publications, sorted.
pub(crate) async fn publication_names(reader: &Reader, limit: usize) -> Result<Vec<Identifier>, Error> {
    let limit = Parameter::Int(i32::try_from(limit).unwrap_or(i32::MAX));
    let rows = reader.query(NAMES, &[limit]).await?;
    rows.iter().map(|row| identifier(row.text("name")?)).collect()
}
