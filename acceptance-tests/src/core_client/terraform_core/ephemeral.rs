//! Ephemeral resources: opened in every walk that needs them, renewed as long as they are used, and closed.

use std::time::{Duration, SystemTime};

use terraform_provider_clickpipes::proto::tfplugin6 as pb;

use super::super::failure::{Failure, accepted, unbroken};
use super::super::rules::plan::assert_plan_valid;
use super::super::rules::stored::unknown_paths;
use super::super::rules::{Problem, Violation};
use super::super::schemas::Kind;
use super::super::value::Value;
use super::{TerraformCore, decoded, message};

/// Core's title for a result that does not fit its configuration.
const INVALID: &str = "Provider produced invalid ephemeral resource instance";

/// An ephemeral resource that is open.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// What the configuration refers to.
    pub result: Value,
    /// When it wants to be renewed; `None` for never.
    pub renew_at: Option<SystemTime>,
    /// The private data for its renewal.
    pub private: Option<Vec<u8>>,
    /// The private data for its close: that of the opening, whatever a renewal returned since.
    opened_with: Option<Vec<u8>>,
}

impl TerraformCore {
    /// Opens an ephemeral resource, after its configuration was validated again as core does. Core sends no capabilities here, so
    /// it allows no deferral.
    ///
    /// # Errors
    /// What the provider refuses, and the rules that it breaks.
    pub async fn open_ephemeral(&mut self, type_name: &str, config: &Value) -> Result<Opened, Failure> {
        if !config.is_wholly_known() {
            return Err(Failure::Client("core opens nothing whose configuration is not known yet".to_owned()));
        }
        self.validate_of(Kind::Ephemeral, type_name, message(config)).await?;
        let request = pb::open_ephemeral_resource::Request {
            type_name: type_name.to_owned(),
            config: Some(message(config)),
            client_capabilities: Some(pb::ClientCapabilities::default()),
        };
        let answer = self.provider.open_ephemeral_resource(request).await?.into_inner();
        let address = Kind::Ephemeral.address(type_name);
        accepted(&address, answer.diagnostics)?;
        if answer.deferred.is_some() {
            return Err(Violation::deferred(&address).into());
        }
        let schema = self.schemas.schema_of(Kind::Ephemeral, type_name)?;
        let result = decoded(schema, &address, answer.result.as_ref(), "after it was opened")?.unwrap_or(Value::Null);
        let inconsistent = |problem: &Problem| {
            let detail = format!("The provider for {type_name} produced an inconsistent result: {problem}.");
            Violation::new(INVALID, detail)
        };
        let problems = assert_plan_valid(schema, &Value::Null, config, &result);
        unbroken(problems.iter().map(inconsistent).collect())?;
        if !self.early {
            // Core accepts it, and the failure shows up later, where the value is used.
            let unknown = unknown_paths(&result);
            let unknown =
                unknown.iter().map(|path| Violation::new(INVALID, format!("{address}{path} is unknown after it was opened")));
            unbroken(unknown.collect())?;
        }
        let renew_at = answer.renew_at.map(|at| time(&address, at.seconds, at.nanos)).transpose()?;
        Ok(Opened { result, renew_at, private: answer.private.clone(), opened_with: answer.private })
    }

    /// Renews what is due for renewal.
    ///
    /// # Errors
    /// What the provider refuses, and an invalid time.
    pub async fn renew_ephemeral(&mut self, type_name: &str, opened: &mut Opened) -> Result<(), Failure> {
        if opened.renew_at.is_none() {
            return Err(Failure::Client(format!("{type_name} did not ask to be renewed")));
        }
        let request = pb::renew_ephemeral_resource::Request { type_name: type_name.to_owned(), private: opened.private.clone() };
        let answer = self.provider.renew_ephemeral_resource(request).await?.into_inner();
        let address = Kind::Ephemeral.address(type_name);
        accepted(&address, answer.diagnostics)?;
        opened.renew_at = answer.renew_at.map(|at| time(&address, at.seconds, at.nanos)).transpose()?;
        opened.private = answer.private;
        Ok(())
    }

    /// Closes what was opened.
    ///
    /// # Errors
    /// What the provider refuses.
    pub async fn close_ephemeral(&mut self, type_name: &str, opened: Opened) -> Result<(), Failure> {
        let request = pb::close_ephemeral_resource::Request { type_name: type_name.to_owned(), private: opened.opened_with };
        let answer = self.provider.close_ephemeral_resource(request).await?.into_inner();
        accepted(&Kind::Ephemeral.address(type_name), answer.diagnostics)?;
        Ok(())
    }
}

/// A moment after 1970. Core would renew at once, and again and again, if the time is not a real one.
fn time(address: &str, seconds: i64, nanos: i32) -> Result<SystemTime, Failure> {
    let whole = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0);
    let parts = whole.zip(u32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000));
    let time = parts.and_then(|(seconds, nanos)| SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos)));
    time.ok_or_else(|| Violation::new(INVALID, format!("{address} wants to be renewed at {seconds} s and {nanos} ns")).into())
}
