//! Decides about logins with tokens by the current state of the account.

use std::sync::Weak;

use super::token::{self, Expected};
use crate::simulator::iam_logins::IamRefusalReason;
use crate::simulator::shared::Shared;
use crate::simulator::state::Member;

/// The keeper of one cluster's endpoints.
#[derive(Debug, Clone)]
pub(crate) struct Keeper {
    shared: Weak<Shared>,
    identifier: String,
}

impl Keeper {
    pub(crate) fn new(shared: Weak<Shared>, identifier: &str) -> Self {
        Self { shared, identifier: identifier.to_owned() }
    }

    /// Whether the cluster's IAM authentication is on.
    pub(crate) fn is_on(&self) -> bool {
        let Some(shared) = self.shared.upgrade() else { return false };
        let state = shared.state();
        state.clusters.get(&self.identifier).is_some_and(|cluster| cluster.iam_authentication)
    }

    /// The access key of this token, if the token is valid for the user.
    pub(super) fn check(
        &self,
        user: &str,
        token: &str,
        is_replication: bool,
        is_reader: bool,
    ) -> Result<String, IamRefusalReason> {
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
}
