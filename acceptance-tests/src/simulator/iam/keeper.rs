//! Decides about logins with tokens by what the account holds now, and keeps what it decided for the test to read.

use std::sync::{Mutex, Weak};

use super::token::{self, Expected};
use super::{IamLogin, IamRefusal, IamRefusalReason};
use crate::simulator::shared::{Shared, lock};
use crate::simulator::state::Member;

/// The keeper of one cluster's endpoints.
#[derive(Debug)]
pub(crate) struct Keeper {
    shared: Weak<Shared>,
    identifier: String,
    refusals: Mutex<Vec<IamRefusal>>,
    logins: Mutex<Vec<IamLogin>>,
}

impl Keeper {
    pub(crate) fn new(shared: Weak<Shared>, identifier: &str) -> Self {
        Self { shared, identifier: identifier.to_owned(), refusals: Mutex::default(), logins: Mutex::default() }
    }

    /// Whether the cluster's IAM authentication is on.
    pub(crate) fn is_on(&self) -> bool {
        let Some(shared) = self.shared.upgrade() else { return false };
        let state = shared.state();
        state.clusters.get(&self.identifier).is_some_and(|cluster| cluster.iam_authentication)
    }

    /// Whether this token lets the user in.
    pub(super) fn lets_in(&self, user: &str, token: &str, is_replication: bool, is_reader: bool) -> bool {
        match self.check(user, token, is_replication, is_reader) {
            Ok(access_key) => {
                lock(&self.logins).push(IamLogin { user: user.to_owned(), access_key });
                true
            }
            Err(reason) => {
                self.note(user, reason);
                false
            }
        }
    }

    fn check(&self, user: &str, token: &str, is_replication: bool, is_reader: bool) -> Result<String, IamRefusalReason> {
        let gone = || IamRefusalReason::OtherEndpoint("the cluster is gone".to_owned());
        let shared = self.shared.upgrade().ok_or_else(gone)?;
        let now = shared.time_of_day.now();
        let state = shared.state();
        let cluster = state.clusters.get(&self.identifier).ok_or_else(gone)?;
        let host = if is_reader { &cluster.reader_host } else { &cluster.host };
        let expected = Expected { host: host.clone(), port: cluster.port, region: cluster.region.clone(), now };
        let access_key = token::check(token, user, &expected, &state.identities)?;
        let in_effect = |member: &Member| member.values.get("rds.iam_auth_for_replication").is_some_and(|value| value == "1");
        if is_replication && !cluster.members.iter().any(|member| member.writer != is_reader && in_effect(member)) {
            return Err(IamRefusalReason::Replication);
        }
        Ok(access_key)
    }

    pub(super) fn note_not_encrypted(&self, user: &str) {
        self.note(user, IamRefusalReason::NotEncrypted);
    }

    fn note(&self, user: &str, reason: IamRefusalReason) {
        lock(&self.refusals).push(IamRefusal { user: user.to_owned(), reason });
    }

    /// The logins refused so far, in order.
    pub(crate) fn refusals(&self) -> Vec<IamRefusal> {
        lock(&self.refusals).clone()
    }

    /// The logins accepted so far, in order.
    pub(crate) fn logins(&self) -> Vec<IamLogin> {
        lock(&self.logins).clone()
    }
}
