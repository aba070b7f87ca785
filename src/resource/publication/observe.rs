//! Reads a publication, and what affects a change or a destroy of it.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use tokio::try_join;

use super::desired::{Desired, Publish, Scope};
use super::exposure::{self, Shape, exposed};
use super::left_out::LeftOut;
use super::observed::{Current, Found, Met, Observed};
use super::restriction::{Restricted, Restriction, Restrictions};
use super::schema::{Publication, PublicationModel};
use super::state;
use crate::catalogue::key::Key;
use crate::catalogue::publication::{Entry, Published, find_publication, publication_names, published_schemas, published_tables};
use crate::catalogue::publication_right::publication_rights;
use crate::catalogue::publisher::Objection;
use crate::catalogue::relation::{find_relations, missing_schemas};
use crate::catalogue::replica_identity::{Covered, Suspect, published_suspects, suspects};
use crate::catalogue::slot::logical_slots;
use crate::catalogue::unpublished::{unpublished, unpublished_of};
use crate::postgres::version::VIA_ROOT;
use crate::postgres::{Error, Facts, Identifier, QualifiedTable, Reader, ServerVersion};
use crate::resource::change::{Look, Purpose, oid_here};

/// Looks at a publication as far as the purpose needs it.
pub(super) async fn observe(reader: &Reader, facts: &Facts, look: &Look<'_, Publication>) -> Result<Observed, Error> {
    let version = facts.version;
    let recalled = look.recalled.and_then(|recalled| recalled.publication.as_ref());
    let admin = Identifier::new(facts.current_user.clone()).ok();
    let seen = Observed { version: Some(version), site: reader.site(), admin, ..Observed::default() };
    if let (Purpose::PlanDestroy, Some(found)) = (look.purpose, recalled) {
        // What the destroy drops is what the refresh before it found.
        let (slots, rights) = try_join!(logical_slots(reader), publication_rights(reader, facts, ours(reader, look), None))?;
        return Ok(Observed { publication: Some(found.clone()), slots, rights, ..seen });
    }
    // Its present owner keeps what the change makes anew.
    let owner = recalled.and_then(|found| found.current.owner.as_ref());
    let rights = async {
        match look.purpose {
            Purpose::Plan { .. } | Purpose::Apply | Purpose::PlanDestroy | Purpose::Destroy => {
                let wanted = look.desired.and_then(|desired| desired.owner.as_ref()).or(owner);
                publication_rights(reader, facts, ours(reader, look), wanted).await
            }
            Purpose::Read { .. } | Purpose::Result => Ok(None),
        }
    };
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
            (Purpose::Plan { .. } | Purpose::Apply, Some(desired)) => meet(reader, desired, owner).await.map(Some),
            _ => Ok(None),
        }
    };
    // Awaited together, so they cost one round trip.
    let (publication, slots, met, rights) = try_join!(find(reader, version, key, Some(look)), slots, met, rights)?;
    let publication = match publication {
        Some(found) if is_stranger(&found.found, look) => {
            find(reader, version, Key::named(look.arguments.name.as_str()), Some(look)).await?
        }
        found => found,
    };
    let met = look.desired.zip(met).map(|(desired, (met, suspects))| {
        let without_identity = would_be_exposed(desired, publication.as_ref(), &suspects, version);
        Met { without_identity, ..met }
    });
    Ok(Observed { publication: publication.map(|seen| seen.found), met, slots, rights, ..seen })
}

/// All publications of a database, sorted by name, as the resource has them.
pub(crate) async fn publications(
    reader: &Reader,
    cluster: Option<&String>,
    database: &str,
) -> Result<Vec<PublicationModel>, Error> {
    let facts = reader.facts()?;
    let facts = &facts;
    let found = publication_names(reader, usize::MAX).await?.into_iter().map(|name| async move {
        let named = PublicationModel::named(cluster.cloned(), database, name.as_str());
        let seen = find(reader, facts.version, Key::named(name.as_str()), None).await?;
        let observed = Observed { publication: seen.map(|seen| seen.found), ..Observed::default() };
        // One that was dropped meanwhile is none.
        Ok(observed.publication.is_some().then(|| state::observed(&named, &observed)))
    });
    Ok(try_join_all(found).await?.into_iter().flatten().collect())
}

/// A publication, and the columns that its filters use.
struct Sight {
    found: Found,
    used: BTreeMap<QualifiedTable, Vec<String>>,
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

/// A publication as the server has it.
struct Listing {
    published: Published,
    scope: Scope,
    restrictions: Restrictions,
    /// The columns that its filters use.
    used: BTreeMap<QualifiedTable, Vec<String>>,
    suspects: Vec<Suspect>,
    version: ServerVersion,
}

impl Listing {
    async fn find(reader: &Reader, version: ServerVersion, key: Key<'_>) -> Result<Option<Self>, Error> {
        let (publication, entries, schemas, suspects) = try_join!(
            find_publication(reader, key),
            published_tables(reader, version, key),
            published_schemas(reader, version, key),
            published_suspects(reader, version, key),
        )?;
        let Some(published) = publication else { return Ok(None) };
        let tables = entries.keys().cloned().collect();
        let scope = if published.all_tables { Scope::AllTables } else { Scope::Listed { tables, schemas } };
        let is_restricted = |(_, entry): &(&QualifiedTable, &Entry)| entry.filter.is_some() || !entry.columns.is_empty();
        let restriction = |(table, entry): (&QualifiedTable, &Entry)| {
            (table.clone(), Restriction { columns: entry.columns.clone(), filter: entry.filter.clone() })
        };
        let restrictions = entries.iter().filter(is_restricted).map(restriction).collect();
        let used = entries.iter().filter(is_restricted).map(|(table, entry)| (table.clone(), entry.used.clone())).collect();
        Ok(Some(Self { published, scope, restrictions, used, suspects, version }))
    }

    fn via_root(&self) -> Option<bool> {
        self.published.via_root.filter(|_| self.version.has(VIA_ROOT))
    }

    fn shape(&self) -> Shape<'_> {
        Shape {
            scope: &self.scope,
            restrictions: &self.restrictions,
            used: &self.used,
            via_root: self.via_root() == Some(true),
            generated: self.published.generated == Some(true),
        }
    }
}

/// The tables of a publication on which UPDATE and DELETE fail because of it, each with the reason.
pub(crate) async fn objections(
    reader: &Reader,
    version: ServerVersion,
    name: &Identifier,
) -> Result<BTreeMap<QualifiedTable, Objection>, Error> {
    let Some(listing) = Listing::find(reader, version, Key::named(name.as_str())).await? else { return Ok(BTreeMap::new()) };
    let shape = listing.shape();
    let objections = exposure::objections(&shape, &listing.suspects, version);
    Ok(objections.map(|(table, objection)| (table.clone(), objection)).collect())
}

async fn find(
    reader: &Reader,
    version: ServerVersion,
    key: Key<'_>,
    look: Option<&Look<'_, Publication>>,
) -> Result<Option<Sight>, Error> {
    let (listing, left_out) = try_join!(Listing::find(reader, version, key), unpublished(reader, version, key))?;
    let Some(listing) = listing else { return Ok(None) };
    let without_identity = exposed(&listing.shape(), &listing.suspects, version).into_keys().collect();
    let via_root = listing.via_root();
    let Listing { published, scope, restrictions, used, .. } = listing;
    let recalled = look.and_then(|look| look.recalled?.publication.as_ref());
    let before = recalled.map(|found| &found.current.restricted);
    let result = look.filter(|look| look.purpose == Purpose::Result);
    let wanted = result.and_then(|look| look.desired).map(|desired| &desired.restrictions);
    let current = Current {
        name: published.name,
        owner: Some(published.owner),
        restricted: Restricted::seen(restrictions, before, wanted),
        scope,
        publish: Publish {
            insert: published.insert,
            update: published.update,
            delete: published.delete,
            truncate: published.truncate,
        },
        via_root,
        generated: published.generated,
    };
    let left_out = LeftOut::of(left_out);
    let found = Found { oid: published.oid, current, since: published.since, without_identity, left_out };
    Ok(Some(Sight { found, used }))
}

/// What affects a change to the wanted scope, and the tables of it that may become exposed.
async fn meet(reader: &Reader, desired: &Desired, owner: Option<&Identifier>) -> Result<(Met, Vec<Suspect>), Error> {
    let none = (BTreeSet::new(), BTreeSet::new());
    let (tables, schemas) = match &desired.scope {
        Scope::AllTables => (&none.0, &none.1),
        Scope::Listed { tables, schemas } => (tables, schemas),
    };
    let schemas: Vec<&str> = schemas.iter().map(Identifier::as_str).collect();
    let covered = Covered {
        all_tables: desired.scope == Scope::AllTables,
        schemas: schemas.clone(),
        tables: tables.iter().map(|table| (table, desired.restrictions.contains_key(table))).collect(),
    };
    let (suspects, tables, left_out, missing_schemas) = try_join!(
        suspects(reader, &covered),
        find_relations(reader, tables.iter(), owner),
        unpublished_of(reader, schemas.clone(), tables.iter()),
        missing_schemas(reader, schemas),
    )?;
    let left_out = LeftOut::of(left_out);
    Ok((Met { tables, missing_schemas, left_out, ..Met::default() }, suspects))
}

/// The tables of the wanted scope on which UPDATE or DELETE would fail. Of a filter that stays, the server has said which columns it
/// uses.
fn would_be_exposed(
    desired: &Desired,
    publication: Option<&Sight>,
    suspects: &[Suspect],
    version: ServerVersion,
) -> BTreeMap<String, Objection> {
    let current = publication.map(|seen| &seen.found.current);
    let stays = |(table, _): &(&QualifiedTable, &Vec<String>)| {
        current.is_some_and(|current| current.restricted.is(table, desired.restrictions.get(*table)))
    };
    let used = publication.into_iter().flat_map(|seen| &seen.used).filter(stays);
    let shape = Shape {
        scope: &desired.scope,
        restrictions: &desired.restrictions,
        used: &used.map(|(table, used)| (table.clone(), used.clone())).collect(),
        via_root: version.has(VIA_ROOT) && desired.via_root.or(current.and_then(|current| current.via_root)).unwrap_or(true),
        generated: desired.generated.or(current.and_then(|current| current.generated)).unwrap_or(false),
    };
    exposed(&shape, suspects, version)
}
