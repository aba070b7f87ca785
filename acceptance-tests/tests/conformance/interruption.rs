//! Something goes wrong at the first remote step of an apply, at the second, and so on to the last: what is stored can be read, and the
//! same configuration applied again gives what it should have.

use std::time::Duration;

use acceptance_tests::core_client::{Applied, Failure, Object, Value, Version, Walk};
use anyhow::{Context as _, Result, ensure};

use crate::Outcome;
use crate::life::of_each;
use crate::remote_steps::Mishap;
use crate::world::{Behind, World};

/// Less than the 30 s after which the SDK gives up an attempt at a call and makes another, which is answered: only an honoured
/// stop ends an apply sooner.
const HEARD_WITHIN: Duration = Duration::from_secs(25);

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_is_refused_at_any_step_converges() -> Outcome {
    creates(Mishap::Refused).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_loses_any_answer_converges() -> Outcome {
    creates(Mishap::AnswerLost).await
}

/// The two mishaps, in turn.
#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_goes_wrong_at_any_step_converges() -> Outcome {
    updates(|step| if step % 2 == 0 { Mishap::Refused } else { Mishap::AnswerLost }).await
}

/// Ctrl-C while the other side does not answer: the apply ends early, and what exists is in the state.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_an_apply_at_any_step_and_the_next_run_converges() -> Outcome {
    creates(Mishap::NoAnswer).await
}

async fn creates(mishap: Mishap) -> Outcome {
    of_each(Behind::WhatIsNeeded, async |type_name, entry, world| {
        let subject = entry.subject(&world.core, type_name)?;
        let mut failed = 0;
        for step in 0.. {
            let after = || format!("{mishap:?} at step {step} of the create");
            let (applied, came) = attempt(world, type_name, None, &subject.create, mishap, step).await.with_context(after)?;
            failed += u32::from(applied.failure.is_some());
            readable(world, type_name, &applied).await.with_context(after)?;
            let (_, object) = world
                .core
                .bring_about(type_name, applied.object.clone(), &subject.create)
                .await
                .with_context(|| format!("{}, again after {:?}", after(), applied.failure))?;
            world.core.destroy(type_name, object).await.with_context(after)?;
            if !came {
                ensure!(step > 0, "a create takes no step at all");
                // The result of a lost answer may be found again; a refusal or a stop must be reported.
                ensure!(failed > 0 || mishap == Mishap::AnswerLost, "the create never failed");
                break;
            }
        }
        Ok(())
    })
    .await
}

async fn updates(mishap_at: fn(u32) -> Mishap) -> Outcome {
    of_each(Behind::WhatIsNeeded, async |type_name, entry, world| {
        let subject = entry.subject(&world.core, type_name)?;
        let mut failed = 0;
        for step in 0.. {
            let mishap = mishap_at(step);
            let after = || format!("{mishap:?} at step {step} of the update");
            let (_, object) = world.core.bring_about(type_name, None, &subject.create).await?;
            let (applied, came) =
                attempt(world, type_name, Some(&object), &subject.update, mishap, step).await.with_context(after)?;
            ensure!(applied.object.is_some(), "{}: the object is lost", after());
            failed += u32::from(applied.failure.is_some());
            readable(world, type_name, &applied).await.with_context(after)?;
            let (_, object) = world
                .core
                .bring_about(type_name, applied.object.clone(), &subject.update)
                .await
                .with_context(|| format!("{}, again after {:?}", after(), applied.failure))?;
            world.core.destroy(type_name, object).await.with_context(after)?;
            if !came {
                ensure!(step > 1 && failed > 0, "an update takes no step, or no refusal made it fail");
                break;
            }
        }
        Ok(())
    })
    .await
}

/// Applies, with a mishap at this step. Says whether the apply got that far.
async fn attempt(
    world: &mut World,
    type_name: &str,
    prior: Option<&Object>,
    config: &Value,
    mishap: Mishap,
    step: u32,
) -> Result<(Applied, bool)> {
    let planned = world.core.plan(type_name, prior, config, Walk::Plan(Version::V1_11)).await?;
    world.steps.order(mishap, step);
    let mut core = world.core.clone();
    let apply = core.apply(type_name, prior, &planned, config);
    let applied = if mishap == Mishap::NoAnswer {
        tokio::pin!(apply);
        let ended = tokio::select! {
            applied = &mut apply => Some(applied),
            () = world.steps.met() => None,
        };
        match ended {
            Some(applied) => applied?,
            None => {
                world.core.stop().await?;
                tokio::time::timeout(HEARD_WITHIN, apply).await.context("the apply goes on after the stop")??
            }
        }
    } else {
        apply.await?
    };
    let came = world.steps.over();
    if mishap == Mishap::NoAnswer {
        // A provider that was stopped is configured again before the next run.
        world.configure().await?;
    }
    ensure!(came || applied.failure.is_none(), "without a mishap: {:?}", applied.failure);
    ensure!(
        matches!(applied.failure, None | Some(Failure::Refused(_))),
        "rules are broken: {}",
        applied.failure.map(|failure| failure.to_string()).unwrap_or_default()
    );
    Ok((applied, came))
}

async fn readable(world: &mut World, type_name: &str, applied: &Applied) -> Outcome {
    if let Some(object) = &applied.object {
        world.core.refresh(type_name, object).await.context("what was stored cannot be read")?;
    }
    Ok(())
}
