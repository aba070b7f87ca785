//! Reads a publication, and what affects a change or a destroy of it.

use std::collections::BTreeSet;

use tokio::try_join;

use super::desired::{Desired, Publish, Scope};
use super::observed::{Current, Found, Met, Observed};
use super::schema::Publication;
use crate::catalogue::key::Key;
use crate::catalogue::publication::{find_publication, published_schemas, published_tables};
use crate::catalogue::relation::{find_relations, missing_schemas};
use crate::catalogue::replica_identity::{Covered, published_without_identity, without_identity};
use crate::catalogue::slot::logical_slots;
use crate::postgres::version::VIA_ROOT;
use crate::postgres::{Error, Facts, Identifier, QualifiedTable, Reader, ServerVersion};
use crate::printable::printable_line;
use crate::resource::change::{Look, Purpose, oid_here};

/// Looks at a publication as far as the purpose needs it.
pub(super) async fn observe(reader: &Reader, facts: &Facts, look: &Look<'_, Publication>) -> Result<Observed, Error> {
    let version = facts.version;
    let recalled = look.recalled.and_then(|recalled| recalled.publication.as_ref());
    let seen = Observed { version: Some(version), site: reader.site(), ..Observed::default() };
    if let (Purpose::PlanDestroy, Some(found)) = (look.purpose, recalled) {
        // What the destroy drops is what the refresh before it found.
        return Ok(Observed { publication: Some(found.clone()), slots: logical_slots(reader).await?, ..seen });
    }
    let key = match (look.purpose, look.desired) {
        (Purpose::Result, Some(desired)) => Key::named(desired.name.as_str()),
        _ => ours(reader, look),
    };
    let slots = async {
        match look.purpose {
            Purpose::PlanDestroy | Purpose::Destroy => logical_slots(reader).await,
            _ => Ok(Vec::new()),
        }
    };
    let met = async {
        match (look.purpose, look.desired) {
            (Purpose::Plan { .. } | Purpose::Apply, Some(desired)) => meet(reader, desired, key).await.map(Some),
            _ => Ok(None),
        }
    };
    // Awaited together, so they cost one round trip.
    let (publication, slots, met) = try_join!(find(reader, version, key), slots, met)?;
    let publication = match publication {
        Some(found) if is_stranger(&found, look) => find(reader, version, Key::named(look.arguments.name.as_str())).await?,
        found => found,
    };
    Ok(Observed { publication, met, slots, ..seen })
}

/// The publication with the oid of the state, else the one with its name.
fn ours<'a>(reader: &Reader, look: &'a Look<'_, Publication>) -> Key<'a> {
    let before = look.recalled.and_then(|recalled| Some((recalled.site.as_ref()?, recalled.publication.as_ref()?)));
    let oid = before.and_then(|(site, found)| oid_here(Some(site), reader.site().as_ref(), Some(found.oid)));
    Key::either(oid, look.arguments.name.as_str())
}

/// In a refresh, a publication that was found under another name counts only if it is still what was last seen.
fn is_stranger(found: &Found, look: &Look<'_, Publication>) -> bool {
    let is_refresh = matches!(look.purpose, Purpose::Read { .. });
    let before = look.recalled.and_then(|recalled| recalled.publication.as_ref());
    is_refresh && found.current.name != look.arguments.name && !before.is_some_and(|before| found.is_still(before))
}

async fn find(reader: &Reader, version: ServerVersion, key: Key<'_>) -> Result<Option<Found>, Error> {
    let (publication, tables, schemas, without_identity) = try_join!(
        find_publication(reader, key),
        published_tables(reader, key),
        published_schemas(reader, version, key),
        published_without_identity(reader, version, key),
    )?;
    let Some(found) = publication else { return Ok(None) };
    let current = Current {
        name: found.name,
        scope: if found.all_tables { Scope::AllTables } else { Scope::Listed { tables, schemas } },
        publish: Publish { insert: found.insert, update: found.update, delete: found.delete, truncate: found.truncate },
        via_root: found.via_root.filter(|_| version.has(VIA_ROOT)),
    };
    let without_identity = without_identity.iter().map(shown).collect();
    Ok(Some(Found { oid: found.oid, current, since: found.since, without_identity }))
}

/// A table in a list that only informs.
fn shown(table: &QualifiedTable) -> String {
    printable_line(&table.name())
}

/// What affects a change to the wanted scope.
async fn meet(reader: &Reader, desired: &Desired, publication: Key<'_>) -> Result<Met, Error> {
    let none = (BTreeSet::new(), BTreeSet::new());
    let (tables, schemas) = match &desired.scope {
        Scope::AllTables => (&none.0, &none.1),
        Scope::Listed { tables, schemas } => (tables, schemas),
    };
    let schemas: Vec<&str> = schemas.iter().map(Identifier::as_str).collect();
    let covered = Covered {
        all_tables: desired.scope == Scope::AllTables,
        schemas: schemas.clone(),
        tables: tables.iter().collect(),
        publication,
    };
    let (without_identity, tables, missing_schemas) =
        try_join!(without_identity(reader, &covered), find_relations(reader, tables.iter()), missing_schemas(reader, schemas),)?;
    let without_identity = without_identity.iter().map(shown).collect();
    Ok(Met { tables, missing_schemas, without_identity, identified_first: BTreeSet::new() })
}
