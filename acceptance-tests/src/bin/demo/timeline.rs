//! Reports what happens to the cluster while terraform works: the calls that change something, the members' statuses and the
//! output of SHOW.

use std::time::{Duration, Instant};

use acceptance_tests::simulator::{Call, ClusterHandle, Simulator};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How often the cluster is checked.
const INTERVAL: Duration = Duration::from_millis(50);

/// A watch that runs until it is stopped.
pub(crate) struct Timeline {
    stop: oneshot::Sender<()>,
    watching: JoinHandle<()>,
}

impl Timeline {
    /// Reports from now on; earlier events are left out.
    pub(crate) fn start(simulator: &Simulator, cluster: &ClusterHandle) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        simulator.clear_calls();
        let (calls, cluster) = (simulator.call_log(), cluster.clone());
        let watching = tokio::spawn(async move {
            let mut watch = Watch { started: Instant::now(), told: 0, statuses: String::new(), shown: String::new() };
            while stopped.try_recv().is_err() {
                watch.look(&calls(), &cluster).await;
                tokio::time::sleep(INTERVAL).await;
            }
            watch.look(&calls(), &cluster).await;
        });
        Self { stop, watching }
    }

    /// Reports the rest.
    pub(crate) async fn stop(self) {
        // A watch that ended by itself needs no stop.
        let _ = self.stop.send(());
        let _ = self.watching.await;
    }
}

struct Watch {
    started: Instant,
    told: usize,
    statuses: String,
    shown: String,
}

impl Watch {
    async fn look(&mut self, calls: &[Call], cluster: &ClusterHandle) {
        for call in calls.iter().skip(self.told).filter(|call| call.is_mutating()) {
            self.tell("AWS", &describe(call));
        }
        self.told = calls.len();
        let members: Vec<String> = cluster
            .members()
            .iter()
            .map(|member| format!("{} {} {}", member.identifier, member.status, member.parameter_group_status))
            .collect();
        let statuses = format!("cluster {}; {}", cluster.status(), members.join("; "));
        if statuses != self.statuses {
            self.tell("status", &statuses);
            self.statuses = statuses;
        }
        let shown = match (cluster.show("rds.logical_replication").await, cluster.show("wal_level").await) {
            (Ok(logical), Ok(level)) => format!("SHOW rds.logical_replication: {logical}, wal_level: {level}"),
            _ => "not reachable: it restarts".to_owned(),
        };
        if shown != self.shown {
            self.tell("Postgres", &shown);
            self.shown = shown;
        }
    }

    fn tell(&self, who: &str, what: &str) {
        println!("    {:5.1} s  {who:<9} {what}", self.started.elapsed().as_secs_f64());
    }
}

fn describe(call: &Call) -> String {
    let named = ["DBInstanceIdentifier", "DBClusterIdentifier", "DBClusterParameterGroupName", "ResourceName"];
    let mut text = call.action.clone();
    for name in named {
        if let Some(value) = call.parameters.get(name) {
            text.push(' ');
            text.push_str(value);
        }
    }
    if let Some(error) = &call.error {
        text.push_str(" -> ");
        text.push_str(error);
    }
    text
}
