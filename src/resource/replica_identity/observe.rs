//! Reads a table's replica identity, and what affects a change of it.

use tokio::try_join;

use super::observed::{Before, Found, Met, Observed};
use super::operation::Operation;
use super::schema::ReplicaIdentityOfTable;
use crate::catalogue::publisher::publishers;
use crate::catalogue::table_identity::{Table, find_table};
use crate::postgres::{Error, Facts, Reader};
use crate::resource::change::{Look, Purpose, oid_here};

/// Looks at the table with the name of the arguments, as far as the purpose needs it.
pub(super) async fn observe(reader: &Reader, facts: &Facts, look: &Look<'_, ReplicaIdentityOfTable>) -> Result<Observed, Error> {
    let name = &look.arguments.table;
    let for_change = !matches!(look.purpose, Purpose::Read { .. } | Purpose::Result);
    let publishing = async { if for_change { publishers(reader, facts.version, name).await } else { Ok(Vec::new()) } };
    // Awaited together, so they cost one round trip.
    let (table, publishers) = try_join!(find_table(reader, facts, name), publishing)?;
    let found = table.as_ref().filter(|table| table.has_identity());
    let seen = Observed { site: reader.site(), ..Observed::default() };
    Ok(Observed {
        before: found.map(|found| before(&seen, found, look)).unwrap_or_default(),
        table: found.map(|found| Found { oid: found.oid, name: name.name(), identity: found.identity.clone() }),
        met: for_change.then_some(Met { version: facts.version, table, publishers }),
        ..seen
    })
}

/// What the table had before this resource: on create, what it had right before the change; later, what is remembered.
fn before(seen: &Observed, found: &Table, look: &Look<'_, ReplicaIdentityOfTable>) -> Before {
    let recalled = look.recalled.map(|recalled| &recalled.before);
    let identity = if is_another(seen, found, look) {
        // Made again by hand: what it has now is what it had before.
        Some(&found.identity)
    } else if look.prior.is_none() && look.purpose == Purpose::Result {
        let replaced = look.operations.iter().find_map(|Operation::Set { from, .. }| from.as_ref());
        Some(replaced.unwrap_or(&found.identity))
    } else {
        recalled.and_then(Before::identity)
    };
    match identity.cloned() {
        None => Before::Unknown,
        Some(identity) if found.can_have(&identity) => Before::Known(identity),
        Some(identity) => Before::Lost(identity),
    }
}

/// Whether a refresh finds another table of that name, in the same database.
fn is_another(seen: &Observed, found: &Table, look: &Look<'_, ReplicaIdentityOfTable>) -> bool {
    let Some(recalled) = look.recalled.filter(|_| matches!(look.purpose, Purpose::Read { importing: false })) else {
        return false;
    };
    let known = recalled.table.as_ref().map(|table| table.oid);
    oid_here(recalled.site.as_ref(), seen.site.as_ref(), known).is_some_and(|oid| oid != found.oid)
}
