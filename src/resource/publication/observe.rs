//! Reads a publication, and what affects a change or a destroy of it.

use std::collections::BTreeSet;

use tokio::try_join;

use super::desired::{Desired, Publish, Scope};
use super::observed::{Current, Found, Met, Observed};
use super::schema::Publication;
use crate::catalogue::key::Key;
use crate::catalogue::relation::{find_relations, identifier, missing_schemas, table};
use crate::catalogue::replica_identity::{Covered, published_without_identity, without_identity};
use crate::catalogue::slot::logical_slots;
use crate::postgres::version::{PUBLICATION_SCHEMAS, VIA_ROOT};
use crate::postgres::{Error, Facts, Identifier, Parameter, QualifiedTable, Reader, ServerVersion};
use crate::printable::printable_line;
use crate::resource::change::{Look, Purpose, key_by_oid};

/// `$1` the name, `$2` the oid, one of them. `to_jsonb` reads a column that older servers lack.
const PUBLICATION: &str = "\
SELECT p.oid, p.pubname::text AS name, p.puballtables AS all_tables,
       p.pubinsert AS insert, p.pubupdate AS update, p.pubdelete AS delete, p.pubtruncate AS truncate,
       (pg_catalog.to_jsonb(p) ->> 'pubviaroot')::bool AS via_root,
       (SELECT s.xmin::text FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_database d ON d.oid = s.dbid
         WHERE d.datname = pg_catalog.current_database() AND s.classid = 'pg_catalog.pg_publication'::pg_catalog.regclass
           AND s.objid = p.oid AND s.deptype = 'o') AS since
FROM pg_catalog.pg_publication p
WHERE p.pubname = $1 OR p.oid = $2";

const TABLES: &str = "\
SELECT n.nspname::text AS schema, c.relname::text AS name
FROM pg_catalog.pg_publication_rel r
JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE r.prpubid = $1";

const SCHEMAS: &str = "\
SELECT n.nspname::text AS name
FROM pg_catalog.pg_publication_namespace p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pnnspid
WHERE p.pnpubid = $1";

/// Looks at a publication as far as the purpose needs it.
pub(super) async fn observe(reader: &Reader, facts: &Facts, look: &Look<'_, Publication>) -> Result<Observed, Error> {
    let version = facts.version;
    let recalled = look.recalled.and_then(|recalled| recalled.publication.as_ref());
    let seen = Observed { version: Some(version), site: reader.site(), ..Observed::default() };
    if let (Purpose::PlanDestroy, Some(found)) = (look.purpose, recalled) {
        // What the destroy drops is what the refresh before it found.
        return Ok(Observed { publication: Some(found.clone()), slots: logical_slots(reader).await?, ..seen });
    }
    let (name, publication) = match (look.purpose, look.desired) {
        (Purpose::Result, Some(desired)) => (&desired.name, find(reader, version, Key::Name(desired.name.as_str())).await?),
        _ => (&look.arguments.name, find_ours(reader, version, look).await?),
    };
    let slots = match look.purpose {
        Purpose::PlanDestroy | Purpose::Destroy => logical_slots(reader).await?,
        _ => Vec::new(),
    };
    let met = match (look.purpose, look.desired) {
        (Purpose::Plan { .. } | Purpose::Apply, Some(desired)) => {
            let published_as = publication.as_ref().map_or(name, |found| &found.current.name);
            Some(meet(reader, desired, published_as).await?)
        }
        _ => None,
    };
    Ok(Observed { publication, met, slots, ..seen })
}

/// The publication with the oid of the state, else the one with its name. In a refresh, one that was found under another name
/// counts only if it is still what was last seen.
async fn find_ours(reader: &Reader, version: ServerVersion, look: &Look<'_, Publication>) -> Result<Option<Found>, Error> {
    let name = &look.arguments.name;
    let before = look.recalled.and_then(|recalled| Some((recalled.site.as_ref()?, recalled.publication.as_ref()?)));
    if let Some((site, before)) = before
        && let Some(key) = key_by_oid(Some(site), reader.site().as_ref(), Some(before.oid))
        && let Some(found) = find(reader, version, key).await?
        && (found.current.name == *name || !matches!(look.purpose, Purpose::Read { .. }) || found.is_still(before))
    {
        return Ok(Some(found));
    }
    find(reader, version, Key::Name(name.as_str())).await
}

async fn find(reader: &Reader, version: ServerVersion, key: Key<'_>) -> Result<Option<Found>, Error> {
    let (name, oid) = key.values();
    let rows = reader.query(PUBLICATION, &[name.into(), Parameter::Oid(oid)]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let oid = row.oid("oid")?;
    let name = row.text("name")?;
    let publish = Publish {
        insert: row.bool("insert")?,
        update: row.bool("update")?,
        delete: row.bool("delete")?,
        truncate: row.bool("truncate")?,
    };
    let scope = async { if row.bool("all_tables")? { Ok(Scope::AllTables) } else { listed_scope(reader, version, oid).await } };
    let exposed = async {
        if !publish.needs_identity() {
            return Ok(Vec::new());
        }
        let tables = published_without_identity(reader, version, &name).await?;
        Ok(tables.iter().map(shown).collect())
    };
    // Awaited together, so they cost one round trip.
    let (scope, without_identity) = try_join!(scope, exposed)?;
    let via_root = if version.has(VIA_ROOT) { row.optional_bool("via_root")? } else { None };
    let current = Current { name: identifier(name)?, scope, publish, via_root };
    Ok(Some(Found { oid, current, since: row.optional_text("since")?, without_identity }))
}

async fn listed_scope(reader: &Reader, version: ServerVersion, oid: u32) -> Result<Scope, Error> {
    let tables = async {
        let rows = reader.query(TABLES, &[Parameter::Oid(oid)]).await?;
        rows.iter().map(table).collect::<Result<BTreeSet<_>, _>>()
    };
    let schemas = async {
        if !version.has(PUBLICATION_SCHEMAS) {
            return Ok(BTreeSet::new());
        }
        let rows = reader.query(SCHEMAS, &[Parameter::Oid(oid)]).await?;
        rows.iter().map(|row| identifier(row.text("name")?)).collect()
    };
    let (tables, schemas) = try_join!(tables, schemas)?;
    Ok(Scope::Listed { tables, schemas })
}

/// A table in a list that only informs.
fn shown(table: &QualifiedTable) -> String {
    printable_line(&table.name())
}

/// What affects a change to the wanted scope.
async fn meet(reader: &Reader, desired: &Desired, published_as: &Identifier) -> Result<Met, Error> {
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
        publication: published_as.as_str(),
    };
    let (without_identity, tables, missing_schemas) =
        try_join!(without_identity(reader, &covered), find_relations(reader, tables.iter()), missing_schemas(reader, schemas),)?;
    let without_identity = without_identity.iter().map(shown).collect();
    Ok(Met { tables, missing_schemas, without_identity })
}
