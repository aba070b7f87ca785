//! Generated over (operation, fault): a create, a change of values, a new name and a destroy fail in one of these ways at the first call of
//! AWS, at the second, and so on to the last. Then the same is wanted again, or what was before, or nothing: one more apply is enough, no group is
//! left behind, and members are rebooted as often as needed.

use acceptance_tests::core_client::{Applied, CoreClient, Failure, Object, TerraformCore, Value, Version, Walk};
use acceptance_tests::simulator::{ClusterHandle, ClusterSpec, Fault, FaultSpec, Options, Simulator};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};

use crate::rig::DEFAULT;

const TYPE: &str = "clickpipes_aurora_source";
/// A refusal, an outage, and an answer that is lost after the effect, each with what the log of calls shows.
const FAULTS: [(Fault, &str); 3] = [
    (Fault::DecryptionFailure, "KMSKeyNotAccessibleFault"),
    (Fault::AccessDenied, "AccessDenied"),
    (Fault::AnswerLost, "AnswerLost"),
];

/// What is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Create,
    Change,
    Rename,
    Prepare,
    Destroy,
}

/// What is wanted afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Again,
    Back,
    Nothing,
}

/// Most of a life is waiting, so several are lived at the same time, each group of them with its own simulator and provider.
const LANES: usize = 8;

#[tokio::test]
async fn a_create_survives_any_fault_at_any_call() -> Result<()> {
    survives(Step::Create, &[Then::Again, Then::Nothing]).await
}

#[tokio::test]
async fn a_change_of_values_survives_any_fault_at_any_call() -> Result<()> {
    survives(Step::Change, &[Then::Again, Then::Back, Then::Nothing]).await
}

#[tokio::test]
async fn a_new_name_survives_any_fault_at_any_call() -> Result<()> {
    survives(Step::Rename, &[Then::Again, Then::Back, Then::Nothing]).await
}

#[tokio::test]
async fn a_group_for_the_next_major_version_survives_any_fault_at_any_call() -> Result<()> {
    survives(Step::Prepare, &[Then::Again, Then::Back, Then::Nothing]).await
}

#[tokio::test]
async fn a_destroy_survives_any_fault_at_any_call() -> Result<()> {
    survives(Step::Destroy, &[Then::Again, Then::Back]).await
}

async fn survives(step: Step, then: &'static [Then]) -> Result<()> {
    let mut lanes = tokio::task::JoinSet::new();
    for lane in 0..LANES {
        lanes.spawn(async move {
            let mut failed = [0; FAULTS.len()];
            let mut world = World::start().await?;
            for skip in (lane..).step_by(LANES) {
                // Each call fails in one of the ways, and in another one in the next operation.
                let number = (skip + step as usize) % FAULTS.len();
                let (fault, then) = (FAULTS[number], then[skip / FAULTS.len() % then.len()]);
                let id = format!("shop-{skip}");
                let lived = world.lives(step, fault, skip, then, &id, &mut failed[number]).await;
                if !lived.with_context(|| format!("{step:?}, {:?} at call {skip}, then {then:?}", fault.0))? {
                    break;
                }
            }
            world.client.close().await?;
            anyhow::Ok(failed)
        });
    }
    let mut failed = [0; FAULTS.len()];
    while let Some(lane) = lanes.join_next().await {
        for (all, of_lane) in failed.iter_mut().zip(lane??) {
            *all += of_lane;
        }
    }
    // A lost answer is often found again.
    ensure!(failed.iter().all(|failed| *failed > 0), "{step:?} failed only so often: {failed:?}");
    Ok(())
}

struct World {
    simulator: Simulator,
    client: CoreClient,
    core: TerraformCore,
}

impl World {
    async fn start() -> Result<Self> {
        let simulator = Simulator::start(Options { time_scale: 0.0005, ..Options::default() })?;
        let client = CoreClient::start().await?;
        let mut core = TerraformCore::load(client.provider.clone()).await?;
        let aws = json!({
            "region": "us-east-1", "access_key": "an id", "secret_key": "a secret key", "max_attempts": 1,
            "endpoints": { "rds": simulator.url(), "sts": simulator.url() },
        });
        core.configure(&json!({ "aws": aws })).await?;
        Ok(Self { simulator, client, core })
    }

    /// One life with one fault. Says whether the step got as far as that.
    async fn lives(
        &mut self,
        step: Step,
        (fault, code): (Fault, &str),
        skip: usize,
        then: Then,
        id: &str,
        failed: &mut u32,
    ) -> Result<bool> {
        let cluster = self.simulator.create_cluster(ClusterSpec::new(id).without_postgres()).await?;
        let before = match step {
            Step::Create => None,
            _ => Some(self.bring_about(id, None, &arguments(id, Step::Create)).await?),
        };
        self.core.begin_walk().await?;
        let config = self.config(step, id)?;
        let prior = match &before {
            Some(object) => self.core.refresh(TYPE, object).await?,
            None => None,
        };
        let planned = self.core.plan(TYPE, prior.as_ref(), &config, Walk::Plan(Version::V1_11)).await?;
        self.core.begin_walk().await?;
        self.simulator.clear_calls();
        self.simulator.inject(FaultSpec { action: "*".to_owned(), fault, count: 1, skip: u32::try_from(skip)? });
        let applied = self.core.apply(TYPE, prior.as_ref(), &planned, &config).await?;
        self.simulator.clear_faults();
        let met = self.simulator.calls().iter().any(|call| call.error.as_deref() == Some(code));
        ensure!(met || applied.failure.is_none(), "without a fault: {:?}", applied.failure);
        ensure!(matches!(applied.failure, None | Some(Failure::Refused(_))), "rules are broken: {:?}", applied.failure);
        *failed += u32::from(applied.failure.is_some());
        cluster.wait_until_available().await?;
        let left = self.told_truly(&cluster, applied, step).await?;
        self.goes_on(id, left, step, then).await?;
        cluster.wait_until_available().await?;
        self.is_as_wanted(&cluster, id, step, then)?;
        self.simulator.remove_cluster(id);
        Ok(met)
    }

    /// What a refresh finds of it is what there is.
    async fn told_truly(&mut self, cluster: &ClusterHandle, applied: Applied, step: Step) -> Result<Option<Object>> {
        let is_gone = applied.object.is_none();
        ensure!(!is_gone || matches!(step, Step::Create | Step::Destroy), "the state is lost");
        let Some(object) = applied.object else { return Ok(None) };
        self.core.begin_walk().await?;
        let read = self.core.refresh(TYPE, &object).await?.context("it is gone")?;
        let state: Json = serde_json::from_slice(&read.json())?;
        ensure!(state["parameter_group_name"] == cluster.parameter_group(), "{state}");
        let waits = cluster.members().iter().any(|member| member.parameter_group_status == "pending-reboot");
        ensure!(state["reboot_required"] == waits, "{state}");
        Ok(Some(read))
    }

    async fn goes_on(&mut self, id: &str, left: Option<Object>, step: Step, then: Then) -> Result<()> {
        let wanted = match (step, then) {
            (Step::Destroy, Then::Again) | (_, Then::Nothing) => None,
            (_, Then::Again) => Some(step),
            (_, Then::Back) => Some(Step::Create),
        };
        self.core.begin_walk().await?;
        match (wanted, left) {
            (Some(wanted), left) => drop(self.bring_about(id, left, &arguments(id, wanted)).await?),
            (None, Some(left)) => drop(self.core.destroy(TYPE, left).await?),
            // Half a create is found by the next one only.
            (None, None) if step == Step::Create => {
                let created = self.bring_about(id, None, &arguments(id, Step::Create)).await?;
                self.core.begin_walk().await?;
                self.core.destroy(TYPE, created).await?;
            }
            (None, None) => {}
        }
        Ok(())
    }

    fn is_as_wanted(&self, cluster: &ClusterHandle, id: &str, step: Step, then: Then) -> Result<()> {
        let is_destroyed = then == Then::Nothing || (step == Step::Destroy && then == Then::Again);
        let default = format!("clickpipes-{id}-aurora-postgresql15");
        let expected = match (step, then) {
            _ if is_destroyed => None,
            (Step::Rename, Then::Again) => Some(renamed(id)),
            _ => Some(default.clone()),
        };
        let prepared = format!("clickpipes-{id}-aurora-postgresql16");
        let is_prepared = (step, then) == (Step::Prepare, Then::Again);
        let groups = self.simulator.parameter_groups();
        let ours: Vec<String> = groups.into_iter().filter(|name| [&default, &prepared, &renamed(id)].contains(&name)).collect();
        let wanted = expected.iter().chain(is_prepared.then_some(&prepared));
        ensure!(ours == wanted.cloned().collect::<Vec<_>>(), "these groups are left: {ours:?}");
        ensure!(cluster.parameter_group() == expected.unwrap_or_else(|| DEFAULT.to_owned()), "{}", cluster.parameter_group());
        let writer = cluster.members().into_iter().find(|member| member.writer).context("no writer")?;
        ensure!(writer.parameter_group_status == "in-sync", "{writer:?}");
        if then == Then::Back && step == Step::Change {
            let values = self.simulator.parameter_group(&default).unwrap_or_default();
            ensure!(!values.contains_key("max_wal_senders"), "a value is left: {values:?}");
        }
        let reboots = self
            .simulator
            .calls()
            .into_iter()
            .filter(|call| call.action == "RebootDBInstance" && matches!(call.error.as_deref(), None | Some("AnswerLost")));
        let (reboots, calls) = (reboots.count(), self.changes());
        // The way there and the way back, or only the way there.
        let allowed = match then {
            Then::Again if step == Step::Prepare => 0..=0,
            Then::Again => 1..=1,
            Then::Back | Then::Nothing => 0..=2,
        };
        ensure!(allowed.contains(&reboots), "{reboots} reboots: {calls:#?}");
        Ok(())
    }

    /// The calls since the fault was injected that were to change something.
    fn changes(&self) -> Vec<String> {
        let calls = self.simulator.calls().into_iter().filter(|call| call.is_mutating());
        calls.map(|call| format!("{} {:?}", call.action, call.error)).collect()
    }

    async fn bring_about(&mut self, id: &str, object: Option<Object>, arguments: &Json) -> Result<Object> {
        let config = self.core.configuration(TYPE, arguments)?;
        let (_, object) = self.core.bring_about(TYPE, object, &config).await.with_context(|| id.to_owned())?;
        Ok(object)
    }

    fn config(&self, step: Step, id: &str) -> Result<Value> {
        if step == Step::Destroy { Ok(Value::Null) } else { Ok(self.core.configuration(TYPE, &arguments(id, step))?) }
    }
}

fn renamed(id: &str) -> String {
    format!("cdc-{id}")
}

fn arguments(id: &str, step: Step) -> Json {
    let mut arguments = json!({ "cluster_identifier": id, "reboot": "writer", "force_destroy": true });
    match step {
        Step::Rename => arguments["parameter_group"] = json!({ "name": renamed(id) }),
        Step::Change => arguments["parameters"] = json!({ "max_wal_senders": "30" }),
        Step::Prepare => arguments["parameter_group"] = json!({ "next_family": "aurora-postgresql16" }),
        Step::Create | Step::Destroy => {}
    }
    arguments
}
