//! Applies that create, and destroys, near the database and far from it.

use std::path::Path;
use std::time::Duration;

use acceptance_tests::cost::{RunCost, one_source, users_of_databases};
use acceptance_tests::rig::DATABASE;
use anyhow::Result;

use super::database::{FAR, cluster};

/// How many users are created together, at most.
const USERS: usize = 50;

/// One configuration.
pub(crate) struct Writes {
    pub(crate) what: String,
    pub(crate) resources: usize,
    pub(crate) near: Step,
    pub(crate) far: Step,
}

/// Created and destroyed once.
pub(crate) struct Step {
    pub(crate) apply: RunCost,
    pub(crate) destroy: RunCost,
}

pub(crate) async fn measure(binary: &Path, resources: usize) -> Result<Vec<Writes>> {
    let users = USERS.min(resources);
    let configurations = [
        ("1 user of 10 schemas, 1 publication of 10 tables".to_owned(), 2, one_source(10, 1)),
        (format!("{users} users on one schema"), users, users_of_databases(users, 1, &[DATABASE])),
    ];
    let counting = cluster(binary).await?;
    let mut measured = Vec::new();
    for (what, resources, configuration) in configurations {
        eprintln!("{what}: creating and destroying");
        counting.rig.main(&configuration)?;
        let step = async |round_trip| {
            counting.network.set_round_trip(round_trip);
            let apply = counting.run(&["apply", "-auto-approve"]).await?;
            let destroy = counting.run(&["destroy", "-auto-approve"]).await?;
            anyhow::Ok(Step { apply, destroy })
        };
        let (near, far) = (step(Duration::ZERO).await?, step(FAR).await?);
        measured.push(Writes { what, resources, near, far });
    }
    Ok(measured)
}
