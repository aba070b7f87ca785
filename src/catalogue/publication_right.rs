//! What the provider's role may do with a publication, and who may own it.

use super::key::Key;
use super::reach::{Reach, set_role_privilege};
use super::sql::{publication_key, role_named};
use crate::postgres::{Error, Facts, Identifier, Parameter, Reader};

/// `$1` and `$2` the publication, `$3` the privilege that SET ROLE needs, `$4` the role to own it, or nothing. Whoever alters the
/// publication is its owner, if the admin can act for that one by SET ROLE only, else the admin.
///
/// PostgreSQL checks neither membership nor privileges of an owner that a superuser names. On Aurora and RDS members of
/// `rds_superuser` publish all tables and schemas, and who may own such a publication is left to the server.
const RIGHTS: &str = concat!(
    "WITH ",
    publication_key!(),
    ", this AS MATERIALIZED (
  SELECT p.pubowner AS owner, pg_catalog.pg_has_role(p.pubowner, 'USAGE') AS inherited,
         pg_catalog.pg_has_role(p.pubowner, $3::text) AS settable,
         pg_catalog.to_regrole(pg_catalog.quote_ident(current_user))::oid AS me,
         pg_catalog.to_regrole('rds_superuser')::oid AS superuser, ",
    role_named!("$4::text"),
    " AS wanted
    FROM key LEFT JOIN pg_catalog.pg_publication p ON p.oid = key.oid
), acting AS MATERIALIZED (
  SELECT t.*, CASE WHEN NOT t.inherited AND t.settable THEN t.owner ELSE t.me END AS actor FROM this t
)
SELECT t.owner IS NOT NULL AS is_there, COALESCE(t.inherited, true) AS inherited, COALESCE(t.settable, true) AS settable,
       t.superuser IS NOT NULL AS is_rds, pg_catalog.pg_get_userbyid(d.datdba)::text AS database_owner,
       pg_catalog.has_database_privilege(d.oid, 'CREATE') AS creates,
       a.rolsuper OR COALESCE(pg_catalog.pg_has_role(t.actor, t.superuser, 'MEMBER'), false) AS publishes_all,
       t.wanted IS NOT NULL AS is_role,
       COALESCE(pg_catalog.pg_has_role(t.actor, t.wanted, $3::text), false) AS is_reached,
       COALESCE(a.rolsuper OR pg_catalog.has_database_privilege(t.wanted, d.oid, 'CREATE'), false) AS owner_creates,
       COALESCE(a.rolsuper OR t.superuser IS NOT NULL OR w.rolsuper, false) AS owner_publishes_all
  FROM acting t
 CROSS JOIN pg_catalog.pg_database d
 CROSS JOIN LATERAL (SELECT x.rolsuper FROM pg_catalog.pg_roles x WHERE x.oid = t.actor OFFSET 0) a
  LEFT JOIN LATERAL (SELECT x.rolsuper FROM pg_catalog.pg_roles x WHERE x.oid = t.wanted OFFSET 0) w ON true
 WHERE d.datname = pg_catalog.current_database()"
);

/// What the provider's role may do with a publication that exists, or with one to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    /// How it can act for the owner; `None`: there is no such publication.
    pub(crate) reach: Option<Reach>,
    /// Whether this is Aurora or RDS.
    pub(crate) is_rds: bool,
    pub(crate) database_owner: String,
    /// Whether it may create publications in the database.
    pub(crate) creates: bool,
    /// Whether it, or the owner for whom it acts, may publish all tables and whole schemas.
    pub(crate) publishes_all: bool,
    /// The role that is to own the publication, if one was asked for.
    pub(crate) successor: Successor,
}

/// A role that is to own a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Successor {
    pub(crate) exists: bool,
    /// Whether whoever alters the publication may give it to that role.
    pub(crate) is_reached: bool,
    /// Whether it may create publications, which the server demands of an owner.
    pub(crate) creates: bool,
    /// Whether it may own a publication of all tables or whole schemas.
    pub(crate) publishes_all: bool,
}

impl Rights {
    /// Whether the owner can be acted for by SET ROLE only.
    pub(crate) fn acts_as_owner(&self) -> bool {
        self.reach == Some(Reach::SetRole)
    }
}

/// The rights to the publication with this key. `owner` is the role that is to own it.
pub(crate) async fn publication_rights(
    reader: &Reader,
    facts: &Facts,
    key: Key<'_>,
    owner: Option<&Identifier>,
) -> Result<Option<Rights>, Error> {
    let owner = Parameter::Text(owner.map(Identifier::as_str).unwrap_or_default());
    let rows = reader.query(RIGHTS, &key.and([Parameter::Text(set_role_privilege(facts)), owner])).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Rights {
        reach: if row.bool("is_there")? { Some(Reach::decode(row)?) } else { None },
        is_rds: row.bool("is_rds")?,
        database_owner: row.text("database_owner")?,
        creates: row.bool("creates")?,
        publishes_all: row.bool("publishes_all")?,
        successor: Successor {
            exists: row.bool("is_role")?,
            is_reached: row.bool("is_reached")?,
            creates: row.bool("owner_creates")?,
            publishes_all: row.bool("owner_publishes_all")?,
        },
    }))
}
