//! The reads of one run: the only place that knows what they share. Who reads asks as if it were alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::client::Client;
use super::gather::Gather;
use super::memory::{Lasting, Seen};
use super::reader::Reader;

/// Five times this, Terraform's calls of one refresh arrive. The first call of a look, for the global databases, takes longer, so
/// nobody waits for this in vain.
const PAUSE: Duration = Duration::from_millis(10);

/// What a run has read, and what it is just asking.
pub struct Readings {
    client: Client,
    gather: Arc<Gather<Client>>,
    lasting: Arc<Lasting>,
    seen: Mutex<Arc<Seen>>,
}

impl std::fmt::Debug for Readings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readings").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Readings {
    /// A run that has read nothing.
    pub fn new(client: Client) -> Self {
        let gather = Gather::new(client.clone(), PAUSE);
        Self { client, gather, lasting: Arc::default(), seen: Mutex::new(Arc::new(Seen::nothing())) }
    }

    /// The client, for changes and waits.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Reads for a change: everything that can change is asked anew.
    pub fn anew(&self) -> Reader {
        self.reader(None)
    }

    /// Reads for a look that changes nothing, and that may share with others of the same run what they have just read. A look of
    /// the same name a second time sees what has changed in between.
    pub fn look(&self, name: &str) -> Reader {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_usable(&seen) || !seen.admits(name) {
            *seen = Arc::new(Seen::nothing());
            seen.admits(name);
        }
        self.reader(Some(Arc::clone(&seen)))
    }

    /// Reads a single fact, such as an endpoint, for whoever needs it.
    pub fn glance(&self) -> Reader {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_usable(&seen) {
            *seen = Arc::new(Seen::nothing());
        }
        self.reader(Some(Arc::clone(&seen)))
    }

    /// After a change of this run nothing is remembered any more: its effects take time.
    fn is_usable(&self, seen: &Seen) -> bool {
        seen.is_recent() && !self.client.has_changed()
    }

    fn reader(&self, seen: Option<Arc<Seen>>) -> Reader {
        Reader::new(self.client.clone(), Arc::clone(&self.gather), Arc::clone(&self.lasting), seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Session;
    use crate::aws::settings::Settings;
    use crate::secret::Secret;

    async fn readings() -> Readings {
        let key = || Some(Secret::new("key"));
        let settings =
            Settings { region: Some("eu-west-1".to_owned()), access_key: key(), secret_key: key(), ..Settings::default() };
        Readings::new(Client::new(&Session::connect(&settings).await.unwrap()))
    }

    #[tokio::test]
    async fn looks_share_what_they_have_seen_until_one_of_them_is_repeated() {
        let readings = readings().await;
        let (first, second, glance) = (readings.look("first"), readings.look("second"), readings.glance());
        assert!(first.shares_with(&second) && first.shares_with(&glance));
        let repeated = readings.look("first");
        assert!(!first.shares_with(&repeated) && repeated.shares_with(&readings.look("second")));
    }

    #[tokio::test]
    async fn a_change_shares_nothing_and_nothing_is_shared_after_it() {
        let readings = readings().await;
        let before = readings.look("first");
        assert!(!before.shares_with(&readings.anew()));
        let _ = readings.client().clone().changing();
        let (after, glance) = (readings.look("second"), readings.glance());
        assert!(!before.shares_with(&after) && !before.shares_with(&glance) && !after.shares_with(&readings.look("third")));
    }
}
