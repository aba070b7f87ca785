//! Every data source, ephemeral resource, list and action does what its fixture says, judged by core's rules, and refuses what it must.

use acceptance_tests::core_client::rules::compatible::assert_object_compatible;
use acceptance_tests::core_client::{Failure, Kind, Path, TerraformCore, Value, message};
use anyhow::{Context as _, Result, ensure};
use terraform_provider_clickpipes::proto::tfplugin6::{self as pb, Diagnostic, diagnostic::Severity};

use crate::Outcome;
use crate::fixture::{self, Fixture};
use crate::world::{World, schemas};

/// What core does with a configuration that is valid and known.
pub async fn run(core: &mut TerraformCore, kind: Kind, type_name: &str, config: &Value) -> Result<(), Failure> {
    match kind {
        Kind::DataSource => drop(core.read_data_source(type_name, config).await?),
        Kind::Ephemeral => {
            let mut opened = core.open_ephemeral(type_name, config).await?;
            if opened.renew_at.is_some() {
                core.renew_ephemeral(type_name, &mut opened).await?;
            }
            core.close_ephemeral(type_name, opened).await?;
        }
        Kind::List => {
            core.list(type_name, config, false, 100).await?;
            core.list(type_name, config, true, 100).await?;
        }
        Kind::Action => {
            core.plan_action(type_name, config).await?;
            core.invoke_action(type_name, config).await?;
        }
    }
    Ok(())
}

/// Runs each inhabitant of a kind in its own world; all failures are reported.
async fn of_each(kind: Kind, step: impl AsyncFn(&str, &Fixture, &mut World) -> Result<()>) -> Outcome {
    let mut failures = Vec::new();
    for (type_name, fixture) in fixture::of_kind(&schemas().await?, kind)? {
        let is_real = !fixture.before.is_empty();
        let mut world = World::with(&fixture.clusters, &fixture.before, is_real, &[("rds.logical_replication", "1")])
            .await
            .with_context(|| type_name.clone())?;
        match step(&type_name, &fixture, &mut world).await {
            Ok(()) => world.end().await.with_context(|| type_name.clone())?,
            Err(error) => failures.push(format!("{type_name}: {error:#}")),
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

/// Everything in a fixture.
async fn lives(kind: Kind) -> Outcome {
    of_each(kind, async |type_name, fixture, world| {
        for arguments in &fixture.works {
            let config = world.core.schemas().configuration_of(kind, type_name, arguments)?;
            world.core.validate_of(kind, type_name, message(&config)).await?;
            run(&mut world.core, kind, type_name, &config).await.with_context(|| arguments.to_string())?;
        }
        for refused in &fixture.refused {
            let config = world.core.schemas().configuration_of(kind, type_name, &refused.config)?;
            let validated = world.core.validate_of(kind, type_name, message(&config)).await;
            let failure = match validated {
                Err(failure) => failure,
                Ok(_) => {
                    let failure = run(&mut world.core, kind, type_name, &config).await.err();
                    failure.with_context(|| format!("{} was accepted", refused.config))?
                }
            };
            let Failure::Refused(diagnostics) = &failure else { anyhow::bail!("{}: {failure}", refused.config) };
            let named = diagnostics.iter().any(|diagnostic| says(diagnostic, &refused.path, &refused.error));
            ensure!(named, "{}: {:?} at {:?} is missing in {diagnostics:#?}", refused.config, refused.error, refused.path);
        }
        Ok(())
    })
    .await
}

fn says(diagnostic: &Diagnostic, path: &str, words: &str) -> bool {
    let at = diagnostic.attribute.as_ref().map(|attribute| Path::from(attribute).to_string()).unwrap_or_default();
    let said = format!("{}: {}", diagnostic.summary, diagnostic.detail);
    diagnostic.severity() == Severity::Error && at.trim_start_matches('.') == path && said.contains(words)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_data_source_is_read_by_the_rules() -> Outcome {
    lives(Kind::DataSource).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_ephemeral_resource_is_opened_by_the_rules() -> Outcome {
    lives(Kind::Ephemeral).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_is_made_by_the_rules() -> Outcome {
    lives(Kind::List).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_is_invoked_by_the_rules() -> Outcome {
    lives(Kind::Action).await
}

/// A list is for imports: what it shows is what an import by the identity finds, and it is the same list each time.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_listed_can_be_imported() -> Outcome {
    of_each(Kind::List, async |type_name, fixture, world| {
        let core = &mut world.core;
        let schema = core.resource(type_name)?;
        let mut found_any = false;
        for arguments in &fixture.works {
            let config = core.schemas().configuration_of(Kind::List, type_name, arguments)?;
            let whole = core.list(type_name, &config, true, 100).await?;
            let names = core.list(type_name, &config, false, 100).await?;
            for (one, name) in whole.iter().zip(&names) {
                found_any = true;
                ensure!((&one.identity, &one.display_name) == (&name.identity, &name.display_name), "{one:?} and {name:?}");
                let imported = core.import_by_identity(type_name, &one.identity).await?;
                ensure!(imported.identity.as_ref() == Some(&one.identity), "{imported:?} for {one:?}");
                let object = one.object.as_ref().context("no object")?;
                let differences = assert_object_compatible(&schema, object, &imported.value);
                ensure!(
                    differences.is_empty(),
                    "{}: an import finds another object than was listed: {differences:?}",
                    one.display_name
                );
            }
            ensure!(whole.len() == names.len(), "{} are listed with their objects, and {} without", whole.len(), names.len());
            for limit in 0..=whole.len() {
                let few = core.list(type_name, &config, true, i64::try_from(limit)?).await?;
                ensure!(few == whole[..limit], "the first {limit} are others than the first of all");
            }
            hangs_up(core, type_name, &config).await?;
        }
        ensure!(found_any, "nothing was found: `works` lists what `before` has made");
        Ok(())
    })
    .await
}

/// As core does when it has enough: the stream is dropped, and the provider keeps running.
async fn hangs_up(core: &mut TerraformCore, type_name: &str, config: &Value) -> Outcome {
    let request = || pb::list_resource::Request {
        type_name: type_name.to_owned(),
        config: Some(message(config)),
        include_resource_object: true,
        limit: 100,
    };
    drop(core.provider().list_resource(request()).await?);
    let mut stream = core.provider().list_resource(request()).await?.into_inner();
    stream.message().await?;
    drop(stream);
    core.list(type_name, config, true, 100).await?;
    Ok(())
}
