//! What a configuration asks for, or the arguments of a state say, in types that cannot be wrong. Pure.

use super::schema::ReplicaIdentityModel;
use crate::catalogue::table_identity::ReplicaIdentity;
use crate::names;
use crate::postgres::{Identifier, QualifiedTable};
use crate::printable::printable_line;
use crate::terraform::{Attr, Diagnostic, Diagnostics};

/// A replica identity as a configuration wants it, or as a state says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Desired {
    pub(super) database: Identifier,
    /// `None`: the one in the provider block.
    pub(super) cluster: Option<String>,
    pub(super) table: QualifiedTable,
    pub(super) identity: ReplicaIdentity,
}

/// The values of `identity`, with what they mean.
const WORDS: [(&str, ReplicaIdentity); 4] = [
    ("default", ReplicaIdentity::Default),
    ("full", ReplicaIdentity::Full),
    ("nothing", ReplicaIdentity::Nothing),
    ("index", ReplicaIdentity::Index(None)),
];

/// The value of `identity`.
pub(super) fn word(identity: &ReplicaIdentity) -> &'static str {
    match identity {
        ReplicaIdentity::Default => "default",
        ReplicaIdentity::Full => "full",
        ReplicaIdentity::Nothing => "nothing",
        ReplicaIdentity::Index(_) => "index",
    }
}

/// The value of `index`.
pub(super) fn index(identity: &ReplicaIdentity) -> Option<&Identifier> {
    match identity {
        ReplicaIdentity::Index(index) => index.as_ref(),
        _ => None,
    }
}

impl Desired {
    /// Decodes a configuration. `Ok(None)`: a value that matters is not known yet.
    ///
    /// # Errors
    /// All faults at once, each with its attribute path.
    pub(super) fn decode(model: &ReplicaIdentityModel) -> Result<Option<Self>, Diagnostics> {
        let mut faults = Diagnostics::new();
        let database = faults.absorb(names::name(&model.database, "database")).flatten();
        let table = faults.absorb(names::table(&model.table, "table")).flatten();
        let cluster = faults.absorb(names::cluster(&model.cluster_identifier)).flatten();
        let identity = faults.absorb(wanted(model)).flatten();
        faults.into_result()?;
        let (Some(database), Some(cluster)) = (database, cluster) else { return Ok(None) };
        Ok(table.zip(identity).map(|(table, identity)| Self { database, cluster, table, identity }))
    }

    /// Decodes a state; `seen` is what the last look saw. That of an import names only the table.
    ///
    /// # Errors
    /// All faults at once, each with its attribute path.
    pub(super) fn decode_state(
        model: &ReplicaIdentityModel,
        seen: Option<&ReplicaIdentity>,
    ) -> Result<Option<Self>, Diagnostics> {
        let mut faults = Diagnostics::new();
        let database = faults.absorb(names::name(&model.database, "database")).flatten();
        let table = faults.absorb(names::table(&model.table, "table")).flatten();
        let cluster = faults.absorb(names::cluster(&model.cluster_identifier)).flatten();
        let identity = faults.absorb(stored(&model.identity, &model.index, seen));
        faults.into_result()?;
        let identity = identity.flatten().unwrap_or(ReplicaIdentity::Default);
        let (Some(database), Some(cluster)) = (database, cluster) else { return Ok(None) };
        Ok(table.map(|table| Self { database, cluster, table, identity }))
    }
}

/// What the attributes of a state say; `None` for nulls. A name that the state shows escaped is remembered beside it.
pub(super) fn stored(
    identity: &Attr<String>,
    index: &Attr<String>,
    remembered: Option<&ReplicaIdentity>,
) -> Result<Option<ReplicaIdentity>, Diagnostics> {
    let Some(text) = identity.known() else { return Ok(None) };
    let is_remembered = |remembered: &&ReplicaIdentity| {
        let name = self::index(remembered).map(Identifier::as_str);
        let is_same = match (name, index.known()) {
            (Some(name), Some(shown)) => name == shown || printable_line(name) == *shown,
            (name, shown) => name.is_none() && shown.is_none(),
        };
        word(remembered) == text && is_same
    };
    if let Some(remembered) = remembered.filter(is_remembered) {
        return Ok(Some(remembered.clone()));
    }
    match of_word(text)? {
        ReplicaIdentity::Index(_) => Ok(Some(ReplicaIdentity::Index(names::name(index, "index")?))),
        other => Ok(Some(other)),
    }
}

fn of_word(text: &str) -> Result<ReplicaIdentity, Diagnostics> {
    let found = WORDS.into_iter().find(|(word, _)| *word == text).map(|(_, identity)| identity);
    found.ok_or_else(|| {
        let reason = format!("{text:?} is not a replica identity; use \"default\", \"full\", \"nothing\" or \"index\"");
        Diagnostic::invalid("identity", reason).into()
    })
}

/// An index is given exactly if it is needed; what is unknown may still turn out right.
fn wanted(model: &ReplicaIdentityModel) -> Result<Option<ReplicaIdentity>, Diagnostics> {
    let Some(text) = model.identity.known() else { return Ok(None) };
    let identity = of_word(text)?;
    match (identity, &model.index) {
        (_, Attr::Unknown) => Ok(None),
        (ReplicaIdentity::Index(_), Attr::Null) => {
            Err(Diagnostic::invalid("index", "identity = \"index\" needs the name of an index of the table").into())
        }
        (ReplicaIdentity::Index(_), index) => Ok(names::name(index, "index")?.map(|name| ReplicaIdentity::Index(Some(name)))),
        (other, Attr::Null) => Ok(Some(other)),
        (_, Attr::Known(_)) => {
            let reason = format!("an index goes only with identity = \"index\", not with {text:?}; remove it");
            Err(Diagnostic::invalid("index", reason).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::name;
    use super::*;

    fn model(identity: &str, index: Option<&str>) -> ReplicaIdentityModel {
        let index = index.map(str::to_owned).into();
        ReplicaIdentityModel { identity: identity.into(), index, ..ReplicaIdentityModel::named(None, "app", "s.t") }
    }

    #[test]
    fn an_index_is_given_exactly_where_it_is_needed() {
        let fault = |identity, index| {
            let faults = Desired::decode(&model(identity, index)).unwrap_err();
            let fault = faults.iter().next().unwrap().clone();
            format!("{}: {}", fault.path.unwrap_or_default(), fault.detail)
        };
        assert!(fault("index", None).starts_with("index: Attribute index: identity = \"index\" needs"));
        assert!(fault("full", Some("i")).contains("remove it"));
        assert!(fault("whole", None).contains("\"whole\" is not a replica identity"));
        let wanted = Desired::decode(&model("index", Some("i"))).unwrap().unwrap();
        assert_eq!(wanted.identity, ReplicaIdentity::Index(Some(name("i"))));
        let later = ReplicaIdentityModel { index: Attr::Unknown, ..model("full", None) };
        assert_eq!(Desired::decode(&later), Ok(None), "it may turn out to be null");
    }

    #[test]
    fn each_word_is_read_as_it_is_written() {
        for (text, identity) in WORDS {
            assert_eq!(word(&identity), text);
        }
    }

    #[test]
    fn a_state_keeps_an_index_that_it_shows_escaped() {
        let remembered = ReplicaIdentity::Index(Some(name("a\nb")));
        let of = |shown: &str| stored(&"index".into(), &shown.into(), Some(&remembered)).unwrap().unwrap();
        assert_eq!(of("a\\nb"), remembered);
        assert_eq!(of("other"), ReplicaIdentity::Index(Some(name("other"))));
        assert_eq!(stored(&"index".into(), &Attr::Null, None), Ok(Some(ReplicaIdentity::Index(None))), "it was dropped");
    }
}
