//! Every resource lives its whole life on a real server, judged by core's rules at each step.

use acceptance_tests::core_client::rules::action::Action;
use acceptance_tests::core_client::{Object, Refinement, Value, Version, Walk};
use anyhow::{Context as _, Result, ensure};

use crate::Outcome;
use crate::entry::{self, Entry};
use crate::world::{Behind, World, schemas};

/// Runs each resource in its own world; all failures are reported.
pub async fn of_each(behind: Behind, step: impl AsyncFn(&str, &Entry, &mut World) -> Result<()>) -> Outcome {
    let mut failures = Vec::new();
    for (type_name, entry) in entry::all(&schemas().await?)? {
        let mut world = World::of(&entry, behind).await.with_context(|| type_name.clone())?;
        match step(&type_name, &entry, &mut world).await {
            Ok(()) => world.end().await.with_context(|| type_name.clone())?,
            Err(error) => failures.push(format!("{type_name}: {error:#}")),
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_resource_lives_its_whole_life_by_the_rules() -> Outcome {
    of_each(Behind::Postgres, async |type_name, entry, world| {
        let subject = entry.subject(&world.core, type_name)?;
        let mut expected = vec![Action::Create, Action::Update, Action::Delete];
        if subject.replace.is_some() {
            expected.insert(2, Action::Replace);
        }
        let lived = world.core.live(&subject).await?;
        let (statements, calls) = world.steps.taken();
        ensure!(
            entry.statements == (statements > 0),
            "`statements` is wrong: {statements} were run, and {calls} calls were made"
        );
        ensure!(lived.done == expected, "{:?} instead of {expected:?}", lived.done);
        world.delete_clusters(&entry.gone_with).await?;
        world.run(&entry.gone_by).await?;
        Ok(world.core.find_gone(type_name, &lived.last).await?)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_resource_can_be_replaced_though_no_argument_asks_for_it() -> Outcome {
    of_each(Behind::Postgres, async |type_name, entry, world| {
        let subject = entry.subject(&world.core, type_name)?;
        Ok(world.core.replace_on_request(&subject).await?)
    })
    .await
}

/// A value from another resource of the same apply is unknown in the reviewer's plan, and known in the plan right before apply.
#[tokio::test(flavor = "multi_thread")]
async fn every_argument_may_become_known_only_at_apply() -> Outcome {
    of_each(Behind::Postgres, async |type_name, entry, world| {
        let subject = entry.subject(&world.core, type_name)?;
        each_argument_unknown(world, type_name, None, &subject.create).await.context("create")?;
        let (_, object) = world.core.bring_about(type_name, None, &subject.create).await?;
        each_argument_unknown(world, type_name, Some(&object), &subject.update).await.context("update")
    })
    .await
}

async fn each_argument_unknown(world: &mut World, type_name: &str, object: Option<&Object>, config: &Value) -> Outcome {
    let schema = world.core.resource(type_name)?;
    for argument in schema.attributes.iter().filter(|attribute| attribute.is_argument()) {
        for unknown in [Value::unknown(), Value::Unknown(Refinement::not_null())] {
            // No promise is possible about a value that may turn out to be null.
            if config.attribute(&argument.name).is_null() && unknown != Value::unknown() {
                continue;
            }
            let early = config.with(&argument.name, unknown);
            let plan = async |world: &mut World| -> Result<()> {
                world.core.validate(type_name, &early).await?;
                for version in [Version::V1_11, Version::V1_16] {
                    let first = world.core.plan(type_name, object, &early, Walk::Plan(version)).await?;
                    // The replaced object no longer exists when the second plan is made.
                    let left = object.filter(|_| first.action != Action::Replace);
                    world.core.plan(type_name, left, config, Walk::Apply(version, &first)).await?;
                }
                Ok(())
            };
            plan(world).await.with_context(|| format!("{} unknown", argument.name))?;
        }
    }
    Ok(())
}
