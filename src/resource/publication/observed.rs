//! What a look at a publication sees. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::desired::{Desired, Publish, Scope};
use super::left_out::LeftOut;
use super::remembered::Remembered;
use super::restriction::Restricted;
use super::schema::PublicationModel;
use crate::catalogue::publication_right::Rights;
use crate::catalogue::publisher::Objection;
use crate::catalogue::relation::Named;
use crate::catalogue::slot::Slot;
use crate::postgres::{Identifier, ServerVersion, Site};
use crate::printable::printable_line;
use crate::resource::Prior;
use crate::terraform::Attr;

/// A publication in the catalogue, and what affects a change of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    /// `None`: not known, from a state of an earlier release.
    pub(super) version: Option<ServerVersion>,
    /// Where it was seen; `None`: not known, from a state of an earlier release.
    pub(super) site: Option<Site>,
    /// The provider's role; `None`: not known, from a state of an earlier release.
    pub(super) admin: Option<Identifier>,
    /// `None`: there is none.
    pub(super) publication: Option<Found>,
    /// What the provider's role may do; only in a look for a change or a destroy.
    pub(super) rights: Option<Rights>,
    /// What affects a change to the wanted scope; only in a look for a change.
    pub(super) met: Option<Met>,
    /// Slots of the server; only in a look for a destroy.
    pub(super) slots: Vec<Slot>,
}

/// What a destroy will find once a change has run: it only depends on the name.
pub(super) fn foresee(desired: &Desired) -> Observed {
    let scope = Scope::Listed { tables: BTreeSet::new(), schemas: BTreeSet::new() };
    let (name, restricted) = (desired.name.clone(), Restricted::default());
    let current = Current { name, owner: None, scope, restricted, publish: Publish::ALL, via_root: None, generated: None };
    let (without_identity, left_out) = Default::default();
    Observed { publication: Some(Found { oid: 0, current, since: None, without_identity, left_out }), ..Observed::default() }
}

/// A publication that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(super) oid: u32,
    pub(super) current: Current,
    /// The transaction that gave it its owner, as a number: another publication with the same oid, on a copy of the server, has
    /// another one. `None` if the owner is the server's own superuser, and in what a release before 0.2 stored.
    pub(super) since: Option<String>,
    /// Exposed tables, as `schema.table`; empty when neither updates nor deletes are published.
    pub(super) without_identity: Vec<String>,
    pub(super) left_out: LeftOut,
}

/// What `ALTER PUBLICATION` can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Current {
    pub(super) name: Identifier,
    /// `None`: not known, from a state of an earlier release.
    pub(super) owner: Option<Identifier>,
    pub(super) scope: Scope,
    /// Row filters and column lists.
    pub(super) restricted: Restricted,
    pub(super) publish: Publish,
    /// `None` before PostgreSQL 13.
    pub(super) via_root: Option<bool>,
    /// Whether generated columns that are stored are published; `None` before PostgreSQL 18.
    pub(super) generated: Option<bool>,
}

impl Current {
    /// Whether this role owns it. A state shows a name as it is harmless in a terminal.
    pub(super) fn is_owned_by(&self, role: &Identifier) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner == role || printable_line(owner.as_str()) == role.as_str())
    }
}

impl Found {
    /// Whether a publication that was found under another name is still the one that was seen `before`: it has its owner since
    /// the same transaction, or else the same scope and options. On a copy of the server, another publication may have its oid.
    /// (An update of ours that lost its answer changes scope and options.)
    pub(super) fn is_still(&self, before: &Self) -> bool {
        let is_same = match (&self.since, &before.since) {
            (Some(now), Some(was)) => now == was,
            _ => {
                let (now, was) = (&self.current, &before.current);
                (&now.scope, now.publish, now.via_root) == (&was.scope, was.publish, was.via_root)
            }
        };
        is_same && self.oid == before.oid
    }
}

/// What affects a change to a scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Met {
    /// The listed tables.
    pub(super) tables: Vec<Named>,
    /// Listed schemas that do not exist.
    pub(super) missing_schemas: Vec<String>,
    /// Tables of the wanted scope without a usable replica identity, as `schema.table`, each with what is wrong with it.
    pub(super) without_identity: BTreeMap<String, Objection>,
    /// Those of them that get one from a resource that was planned earlier in the same run; only in a plan.
    pub(super) identified_first: BTreeSet<String>,
    /// What the wanted scope leaves out.
    pub(super) left_out: LeftOut,
}

/// The part of an observation that is stored next to the state.
pub(super) fn remember(observed: &Observed) -> Remembered {
    let found = observed.publication.as_ref();
    let (no_tables, no_schemas) = Default::default();
    let (tables, schemas) = match found.map(|found| &found.current.scope) {
        Some(Scope::Listed { tables, schemas }) => (tables, schemas),
        _ => (&no_tables, &no_schemas),
    };
    let left_out = found.map(|found| found.left_out.clone()).unwrap_or_default();
    let (version, site, admin) = (observed.version, observed.site.clone(), observed.admin.clone());
    let seen = Remembered { version, site, admin, left_out, ..Remembered::default() };
    let filters = found.map(|found| &found.current.restricted.normalised).into_iter().flatten();
    let filters = filters.map(|(table, text)| (table.clone(), text.clone())).collect();
    let seen =
        Remembered { filters, oid: found.map(|found| found.oid), since: found.and_then(|found| found.since.clone()), ..seen };
    seen.of(tables, schemas)
}

/// The observation that a state represents; `None` while an import has only named the publication.
pub(super) fn recall(prior: &Prior<PublicationModel, Desired>, remembered: Option<&Remembered>) -> Option<Observed> {
    let Prior { model, arguments } = prior;
    let oid = model.catalogue_oid()?;
    let normalised = remembered.map(|remembered| remembered.filters.iter().cloned().collect()).unwrap_or_default();
    let current = Current {
        name: arguments.name.clone(),
        owner: arguments.owner.clone(),
        scope: arguments.scope.clone(),
        restricted: Restricted { tables: arguments.restrictions.clone(), normalised },
        publish: arguments.publish.unwrap_or(Publish::ALL),
        via_root: arguments.via_root,
        generated: arguments.generated,
    };
    let without_identity = match &model.tables_without_replica_identity {
        Attr::Known(tables) => tables.clone(),
        _ => Vec::new(),
    };
    let version = remembered.and_then(|remembered| remembered.version);
    let site = remembered.and_then(|remembered| remembered.site.clone());
    let since = remembered.and_then(|remembered| remembered.since.clone());
    let admin = remembered.and_then(|remembered| remembered.admin.clone());
    let left_out = remembered.map(|remembered| remembered.left_out.clone()).unwrap_or_default();
    let publication = Some(Found { oid, current, since, without_identity, left_out });
    Some(Observed { version, site, admin, publication, ..Observed::default() })
}
