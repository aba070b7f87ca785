//! One publication of very many tables: the time of each step, and the memory of the provider.

use std::path::Path;
use std::time::{Duration, Instant};

use acceptance_tests::cost::{CountingRig, one_publication};
use anyhow::Result;

use super::process::watched;

/// What it costs.
pub(crate) struct LargeCost {
    /// How many tables.
    pub(crate) tables: usize,
    /// The apply that creates it, a plan without changes, a plan that adds one table, and the apply of that.
    pub(crate) steps: Vec<(&'static str, Step)>,
}

/// One run of terraform.
pub(crate) struct Step {
    pub(crate) wall: Duration,
    /// The largest private memory of the provider, in KiB.
    pub(crate) memory: u64,
}

pub(crate) async fn measure(binary: &Path, tables: usize) -> Result<LargeCost> {
    let counting = CountingRig::start().await?;
    counting.rig.tf.use_provider(binary)?;
    eprintln!("a publication of {tables} tables: making them");
    counting.make_tables(1, tables + 1).await?;
    counting.rig.main(&one_publication(tables))?;
    let mut steps = vec![("created", step(binary, counting.rig.tf.apply()).await?)];
    steps.push(("plan without changes", step(binary, counting.plan()).await?));
    counting.rig.main(&one_publication(tables + 1))?;
    steps.push(("plan that adds one", step(binary, counting.rig.tf.run(["plan", "-no-color", "-input=false"])).await?));
    steps.push(("one added", step(binary, counting.rig.tf.apply()).await?));
    Ok(LargeCost { tables, steps })
}

async fn step<T>(binary: &Path, work: impl Future<Output = Result<T>>) -> Result<Step> {
    let started = Instant::now();
    let (_, memory) = watched(binary, work).await?;
    Ok(Step { wall: started.elapsed(), memory })
}
