//! The provider block, and the context that resources work in: clients are created on demand, none before it is needed.

mod aws_settings;
mod context;
mod environment;
mod login_plan;
mod login_source;
mod look;
mod on_unreachable;
mod pipe_login;
mod postgres_settings;
mod schema;
pub(crate) mod stop;

pub(crate) use context::{Context, Limited, ProviderContext};
pub(crate) use look::{Place, at_database};
pub(crate) use pipe_login::PipeLogin;
pub(crate) use schema::{AwsModel, PostgresModel, ProviderModel, schema};

use crate::terraform::Diagnostics;

/// Checks the provider block; unknown values pass.
pub(crate) fn validate(model: &ProviderModel) -> Diagnostics {
    let mut faults = Diagnostics::new();
    if let Some(aws) = model.aws.known() {
        faults.extend(aws_settings::validate(aws));
    }
    if let Some(postgres) = model.postgres.known() {
        faults.extend(postgres_settings::validate(postgres));
    }
    faults.extend(on_unreachable::validate(&model.on_unreachable));
    faults
}
