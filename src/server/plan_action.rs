//! `PlanAction`: what a reviewer should know about an action. It has no planned values, so these are warnings.

use super::{configured, keep_state};
use crate::action::Action;
use crate::failure::Failure;
use crate::proto::tfplugin6 as proto;
use crate::provider::Context;
use crate::terraform::{Diagnostic, Diagnostics, Severity};
use crate::wire::encode_diagnostics;

pub(super) async fn plan<A: Action>(context: &Context, request: proto::plan_action::Request) -> proto::plan_action::Response {
    let diagnostics = announce::<A>(context, &request).await.unwrap_or_else(|diagnostics| diagnostics);
    proto::plan_action::Response { diagnostics: encode_diagnostics(diagnostics), ..Default::default() }
}

async fn announce<A: Action>(context: &Context, request: &proto::plan_action::Request) -> Result<Diagnostics, Diagnostics> {
    let config = configured::decode_valid::<A>(request.config.as_ref())?;
    match A::plan(context, &config.model).await {
        Ok(diagnostics) => Ok(diagnostics),
        Err(Failure::ConfigurationUnknown) => Ok(Diagnostics::new()),
        // Another change in the same apply may create it.
        Err(Failure::Missing(missing) | Failure::NoCluster(missing)) => {
            Ok(Diagnostic { severity: Severity::Warning, ..missing }.into())
        }
        Err(failure) => keep_state::go_on(context, failure),
    }
}
