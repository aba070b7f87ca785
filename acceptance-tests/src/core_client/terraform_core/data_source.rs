//! ReadDataSource, and how core uses the answer.

use terraform_provider_clickpipes::proto::tfplugin6 as pb;

use super::super::failure::{Failure, accepted, unbroken};
use super::super::rules::Violation;
use super::super::rules::plan::assert_plan_valid;
use super::super::rules::stored::unknown_paths;
use super::super::schemas::Kind;
use super::super::value::Value;
use super::{TerraformCore, Version, decoded, message};

impl TerraformCore {
    /// Reads a data source, after its configuration was validated again as core does.
    ///
    /// # Errors
    /// What the provider refuses, and the rules that it breaks.
    pub async fn read_data_source(&mut self, type_name: &str, config: &Value) -> Result<Value, Failure> {
        if !config.is_wholly_known() {
            return Err(Failure::Client("what is not known yet is read in the apply only, and core plans it alone".to_owned()));
        }
        self.validate_of(Kind::DataSource, type_name, message(config)).await?;
        let request = pb::read_data_source::Request {
            type_name: type_name.to_owned(),
            config: Some(message(config)),
            client_capabilities: Some(Version::V1_16.capabilities(false)),
            ..Default::default()
        };
        let answer = self.provider.read_data_source(request).await?.into_inner();
        let address = Kind::DataSource.address(type_name);
        accepted(&address, answer.diagnostics)?;
        if answer.deferred.is_some() {
            return Err(Violation::deferred(&address).into());
        }
        let schema = self.schemas.schema_of(Kind::DataSource, type_name)?;
        let value = decoded(schema, &address, answer.state.as_ref(), "after it was read")?.unwrap_or(Value::Null);
        if value.is_null() {
            let detail = format!("Provider produced a null value for {address}.");
            return Err(Violation::new("Provider produced null object", detail).into());
        }
        let unknown = |path: &super::super::path::Path| {
            let detail = format!("Provider produced a value for {address} that is not wholly known: {path}.");
            Violation::new("Provider produced invalid object", detail)
        };
        unbroken(unknown_paths(&value).iter().map(unknown).collect())?;
        // Core accepts any answer, but an expression that reads `data.x.y` expects the configured value.
        let problems = assert_plan_valid(schema, &Value::Null, config, &value);
        let changed = |problem: &super::super::rules::Problem| {
            Violation::new("Provider reads another data source than is configured", format!("{address}{problem}"))
        };
        unbroken(problems.iter().map(changed).collect())?;
        Ok(value)
    }
}
