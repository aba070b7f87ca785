//! Generated over (mode, operation, call, fault): the provider is killed, or a call that changes something is refused, hangs, loses its
//! answer, is throttled, comes at the wrong time or is seen late. Then the same is wanted again, or what was before, or nothing: the state
//! tells the truth, one more apply is enough, no group is left behind, values are as the mode says, and each member was rebooted exactly
//! as often as needed.
//!
//! The calls are those of a run without a fault. Each gets faults in rotation, so that every fault occurs in every operation of every
//! mode; `AURORA_FAULTS=all` makes it every fault at every call with everything that may be wanted afterwards.

mod life;
mod wanted;
mod world;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};

use life::Reference;
use wanted::Wanted;
use world::World;

/// Most of a life is waiting, so several are lived at the same time, each group of them with its own simulator and provider.
const LANES: usize = 6;

/// What goes wrong at a call that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// SIGKILL of the provider while the call is under way, before it has an effect.
    KilledBefore,
    /// The same after its effect.
    KilledAfter,
    Refused,
    AnswerLost,
    /// No effect and no answer, until Ctrl-C.
    Hangs,
    /// An effect and no answer, until Ctrl-C.
    AnswerHeld,
    /// The next reads do not see the effect.
    SeenLate,
    /// The call and those after it are throttled.
    Throttled,
    /// The cluster, instance or group is not in the right state yet.
    WrongState,
}

impl Fault {
    const ALL: [Self; 9] = [
        Self::KilledBefore,
        Self::Throttled,
        Self::AnswerLost,
        Self::Hangs,
        Self::WrongState,
        Self::KilledAfter,
        Self::Refused,
        Self::SeenLate,
        Self::AnswerHeld,
    ];

    fn kills(self) -> bool {
        matches!(self, Self::KilledBefore | Self::KilledAfter)
    }

    /// Whether it is no reason to fail.
    fn is_waited_out(self) -> bool {
        matches!(self, Self::SeenLate | Self::Throttled | Self::WrongState)
    }
}

/// A change from what was wanted before to what is wanted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    before: Wanted,
    after: Wanted,
}

/// A fault at the call of this number among those of a step, and what is wanted afterwards.
#[derive(Clone, Copy, Debug)]
struct Case {
    call: usize,
    fault: Fault,
    then: Wanted,
}

#[tokio::test]
async fn dedicated_survives_every_fault() -> Result<()> {
    use Wanted::{Dedicated, DedicatedMore, Nothing, Renamed};
    survive(&[(Nothing, Dedicated), (Dedicated, DedicatedMore), (Dedicated, Renamed), (DedicatedMore, Nothing)]).await
}

#[tokio::test]
async fn in_place_survives_every_fault() -> Result<()> {
    use Wanted::{InPlace, InPlaceMore, Nothing};
    survive(&[(Nothing, InPlace), (InPlace, InPlaceMore), (InPlaceMore, Nothing)]).await
}

/// With the ways out of it. Its destroy makes no call that changes something.
#[tokio::test]
async fn external_survives_every_fault() -> Result<()> {
    use Wanted::{Dedicated, External, ExternalAgain, InPlace, Nothing, Unmanaged};
    survive(&[(Nothing, External), (External, ExternalAgain), (Unmanaged, Dedicated), (Unmanaged, InPlace)]).await?;
    let step = Step { before: External, after: Nothing };
    let calls = World::start().await?.lives(step, "shop", None).await?.calls;
    ensure!(calls.is_empty(), "{calls:?}");
    Ok(())
}

async fn survive(steps: &[(Wanted, Wanted)]) -> Result<()> {
    let everything = std::env::var("AURORA_FAULTS").is_ok_and(|chosen| chosen == "all");
    let mut cases = VecDeque::new();
    let mut world = World::start().await?;
    for (number, (before, after)) in steps.iter().enumerate() {
        let step = Step { before: *before, after: *after };
        let lived = world.lives(step, &format!("reference-{number}"), None).await.with_context(|| format!("{step:?}"))?;
        let calls = lived.calls.len();
        ensure!(calls > 0, "{step:?} changes nothing");
        let reference = Arc::new(lived);
        let chosen = if everything { every_case(step, calls) } else { rotation(step, calls) };
        let faults: BTreeSet<Fault> = chosen.iter().map(|case| case.fault).collect();
        ensure!(faults.len() == Fault::ALL.len(), "{step:?} only has {faults:?}");
        cases.extend(chosen.into_iter().map(|case| (step, Arc::clone(&reference), case)));
    }
    world.close().await?;
    let number = cases.len();
    let (queue, broken) = (Arc::new(Mutex::new(cases)), Arc::new(Mutex::new(Vec::new())));
    let mut lanes = tokio::task::JoinSet::new();
    for lane in 0..LANES {
        lanes.spawn(work_off(lane, Arc::clone(&queue), Arc::clone(&broken)));
    }
    while let Some(lane) = lanes.join_next().await {
        lane??;
    }
    let broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
    ensure!(broken.is_empty(), "{} of {number} lives went wrong:\n{}", broken.len(), broken.join("\n\n"));
    Ok(())
}

type Cases = Mutex<VecDeque<(Step, Arc<Reference>, Case)>>;

/// Lives cases until none is left; what goes wrong is collected, so that one run shows all of it.
async fn work_off(lane: usize, cases: Arc<Cases>, broken: Arc<Mutex<Vec<String>>>) -> Result<()> {
    let mut world = World::start().await?;
    for number in 0.. {
        let next = cases.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some((step, reference, case)) = next else { break };
        let lived = world.lives(step, &format!("shop-{lane}-{number}"), Some((&reference, case))).await;
        if let Err(error) = lived {
            let (action, _) = &reference.calls[case.call];
            let what = format!("{step:?}, {:?} at call {} ({action}), then {:?}", case.fault, case.call, case.then);
            let told = format!("{what}: {error:#}\n{}", world.changes().join("\n"));
            // A sweep takes long: `--nocapture` shows it at once.
            eprintln!("{told}\n");
            broken.lock().unwrap_or_else(PoisonError::into_inner).push(told);
            world = World::start().await?;
        }
    }
    world.close().await
}

/// What may be wanted after a step: the same, what was before, or nothing.
fn wishes(step: Step) -> Vec<Wanted> {
    let mut wishes = vec![step.after];
    for wish in [step.before, Wanted::Nothing] {
        if !wishes.contains(&wish) {
            wishes.push(wish);
        }
    }
    wishes
}

fn every_case(step: Step, calls: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    for call in 0..calls {
        for fault in Fault::ALL {
            cases.extend(wishes(step).into_iter().map(|then| Case { call, fault, then }));
        }
    }
    cases
}

/// Two faults at each call, or as many as it takes for each fault to occur.
fn rotation(step: Step, calls: usize) -> Vec<Case> {
    let (kinds, wishes) = (Fault::ALL.len(), wishes(step));
    let number = (2 * calls).max(kinds);
    (0..number)
        .map(|number| Case {
            call: number % calls,
            fault: Fault::ALL[(number + number / (calls * kinds)) % kinds],
            then: wishes[(number + number / calls) % wishes.len()],
        })
        .collect()
}
