//! Every PostgreSQL from 12 to 18, once behind a simulated cluster with RDS's roles and an admin who is not a superuser, once
//! plain with an admin who is. Each cell of that table runs the same cases; what a version has or lacks is data of the cell.
//!
//! A version that is neither on the machine nor available for download is named on standard error as not run; with `CI=true` it
//! is a failure.

mod cell;
mod import;
mod not_run;
mod only_reading;
mod publication;
mod random;
mod replication_user;
mod stream;

use acceptance_tests::postgres_server;
use anyhow::Result;

use cell::{Cell, Flavour};

/// Runs a case in one cell.
async fn check(major: u32, flavour: Flavour, case: impl AsyncFnOnce(&mut Cell) -> Result<()>) -> Result<()> {
    if !postgres_server::is_available(major).await? {
        return Ok(());
    }
    case(&mut Cell::start(major, flavour).await?).await
}

/// One test per case and cell, so that the name of a test contains its cell.
macro_rules! cell {
    ($major:literal, $flavour:ident) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn publication_lives_from_create_to_destroy() -> anyhow::Result<()> {
            crate::check($major, crate::Flavour::$flavour, crate::publication::life).await
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn replication_user_lives_from_create_to_destroy() -> anyhow::Result<()> {
            crate::check($major, crate::Flavour::$flavour, crate::replication_user::life).await
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn replication_user_made_by_someone_else_is_adopted() -> anyhow::Result<()> {
            crate::check($major, crate::Flavour::$flavour, crate::replication_user::adopted).await
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn what_was_made_by_hand_is_imported_and_plans_nothing() -> anyhow::Result<()> {
            crate::check($major, crate::Flavour::$flavour, crate::import::by_hand).await
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn the_finished_source_streams() -> anyhow::Result<()> {
            crate::check($major, crate::Flavour::$flavour, crate::stream::end_to_end).await
        }
    };
}

macro_rules! versions {
    ($($name:ident: $major:literal),+) => {
        $(mod $name {
            mod rds {
                cell!($major, Rds);
            }
            mod plain {
                cell!($major, Plain);
            }
        })+

        /// What is in the table.
        const MAJORS: [u32; [$($major),+].len()] = [$($major),+];
    };
}

versions! {
    postgres_12: 12,
    postgres_13: 13,
    postgres_14: 14,
    postgres_15: 15,
    postgres_16: 16,
    postgres_17: 17,
    postgres_18: 18
}
