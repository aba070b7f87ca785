//! What operations mean to the users of the database, as a person and a policy read it in a plan. Pure.

use serde::{Deserialize, Serialize};

use crate::printable::printable_line;
use crate::terraform::{Attr, computed, model};

/// How many locks are listed one by one.
const LOCKS_LISTED: usize = 50;

model! {
    /// What the operations mean to the users of the database.
    pub struct ImpactModel {
        /// Whether something is dropped that only a create can restore: a publication, a role, a parameter group.
        destructive: bool => computed(),
        /// Table locks stronger than `ACCESS SHARE`, as `schema.table: MODE`; after the first 50, the rest are only counted.
        locks: Vec<String> => computed(),
        /// Which members are unavailable for a while: `none` (also if only readers restart), `writer`, or `all`.
        outage: String => computed(),
        /// Whether a running ClickPipe stops: its publication or role is dropped or renamed, its role logs in another way, or logical
        /// replication or IAM database authentication is turned off.
        pipe_stops: bool => computed(),
        /// The lines of `operations` that reboot a member.
        reboots: Vec<String> => computed(),
        /// Whether a ClickPipe must be resynced: its publication is dropped, created again or renamed.
        resync: bool => computed(),
    }
}

model! {
    /// What a destroy would do, as of the last refresh. It is the `before` of a destroy in a saved plan.
    pub struct OnDestroy {
        /// What the destroy would mean to the users of the database; null if it would change nothing.
        impact: ImpactModel => computed(),
        /// What the destroy would run, in order.
        operations: Vec<String> => computed(),
    }
}

/// Which members an operation restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Restarts {
    /// None.
    #[default]
    Nobody,
    /// Readers only.
    Readers,
    /// The writer only.
    Writer,
    /// Every member.
    All,
}

impl Restarts {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nobody, one) | (one, Self::Nobody) => one,
            (one, other) if one == other => one,
            _ => Self::All,
        }
    }

    fn outage(self) -> &'static str {
        match self {
            Self::Nobody | Self::Readers => "none",
            Self::Writer => "writer",
            Self::All => "all",
        }
    }
}

/// What one operation means to the users of the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    /// The members that it restarts.
    pub(crate) restarts: Restarts,
    /// Whether a pipe must be resynced.
    pub(crate) resync: bool,
    /// Whether a pipe stops.
    pub(crate) pipe_stops: bool,
    /// The tables that it locks, as `schema.table`, each with the mode.
    pub(crate) locks: Vec<(String, LockMode)>,
    /// Whether it drops something.
    pub(crate) destructive: bool,
}

/// A table lock that others may have to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LockMode {
    /// Blocks other changes of the table, including VACUUM and index builds, but no query and no write.
    ShareUpdateExclusive,
    /// Blocks everything else that uses the table, queries included.
    AccessExclusive,
}

impl LockMode {
    fn name(self) -> &'static str {
        match self {
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }
}

/// What several operations mean together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Impact {
    outage: String,
    reboots: Vec<String>,
    resync: bool,
    pipe_stops: bool,
    locks: Vec<String>,
    destructive: bool,
}

impl Impact {
    /// The impact of operations, each with what writes its line; `None` if there are none.
    pub(crate) fn of(operations: impl IntoIterator<Item = (impl FnOnce() -> String, Effect)>) -> Option<Self> {
        let (mut restarts, mut reboots, mut locks) = (Restarts::Nobody, Vec::new(), Vec::new());
        let (mut resync, mut pipe_stops, mut destructive) = (false, false, false);
        let mut operations = operations.into_iter().peekable();
        operations.peek()?;
        for (line, effect) in operations {
            if effect.restarts != Restarts::Nobody {
                reboots.push(line());
            }
            restarts = restarts.and(effect.restarts);
            resync |= effect.resync;
            pipe_stops |= effect.pipe_stops;
            destructive |= effect.destructive;
            locks.extend(effect.locks);
        }
        Some(Self { outage: restarts.outage().to_owned(), reboots, resync, pipe_stops, locks: listed(&locks), destructive })
    }
}

fn listed(locks: &[(String, LockMode)]) -> Vec<String> {
    let (listed, others) = locks.split_at(locks.len().min(LOCKS_LISTED));
    let mut lines: Vec<String> =
        listed.iter().map(|(table, mode)| format!("{}: {}", printable_line(table), mode.name())).collect();
    if let [(_, mode), ..] = others {
        lines.push(format!("{} more tables: {}", others.len(), mode.name()));
    }
    lines
}

impl From<Impact> for ImpactModel {
    fn from(impact: Impact) -> Self {
        Self {
            destructive: impact.destructive.into(),
            locks: impact.locks.into(),
            outage: impact.outage.into(),
            pipe_stops: impact.pipe_stops.into(),
            reboots: impact.reboots.into(),
            resync: impact.resync.into(),
        }
    }
}

impl OnDestroy {
    /// A destroy of these operations.
    pub(crate) fn of(operations: Vec<String>, impact: Option<Impact>) -> Self {
        Self { impact: attribute(impact), operations: operations.into() }
    }
}

/// The attribute `impact`: null without any operation.
pub(crate) fn attribute(impact: Option<Impact>) -> Attr<ImpactModel> {
    impact.map(ImpactModel::from).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn impact(effects: impl IntoIterator<Item = Effect>) -> Impact {
        Impact::of(effects.into_iter().enumerate().map(|(number, effect)| (move || format!("line {number}"), effect))).unwrap()
    }

    fn outage(restarts: &[Restarts]) -> String {
        impact(restarts.iter().map(|restarts| Effect { restarts: *restarts, ..Effect::default() })).outage
    }

    #[test]
    fn nothing_has_no_impact() {
        assert_eq!(Impact::of(std::iter::empty::<(fn() -> String, Effect)>()), None);
    }

    #[test]
    fn readers_alone_are_no_outage_and_with_the_writer_they_are_one_of_all() {
        assert_eq!(outage(&[Restarts::Nobody]), "none");
        assert_eq!(outage(&[Restarts::Readers, Restarts::Nobody]), "none");
        assert_eq!(outage(&[Restarts::Writer, Restarts::Nobody]), "writer");
        assert_eq!(outage(&[Restarts::Writer, Restarts::Readers]), "all");
        let restart = Effect { restarts: Restarts::Readers, ..Effect::default() };
        assert_eq!(impact([Effect::default(), restart]).reboots, ["line 1"]);
    }

    #[test]
    fn of_many_locks_the_first_are_named_and_the_others_counted() {
        let lock = |number: usize| (format!("s.t{number}"), LockMode::ShareUpdateExclusive);
        let locks = |count: usize| impact([Effect { locks: (0..count).map(lock).collect(), ..Effect::default() }]).locks;
        assert_eq!(locks(1), ["s.t0: SHARE UPDATE EXCLUSIVE"]);
        assert_eq!(locks(50).len(), 50);
        assert_eq!(locks(52).last().map(String::as_str), Some("2 more tables: SHARE UPDATE EXCLUSIVE"));
    }
}
