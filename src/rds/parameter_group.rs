//! DB cluster parameter groups: find, read, create, modify, reset, tag, delete.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_rds::types;
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::named::asked_for;
use super::pages::Pages;
use super::patience::{Patience, Repeat};
use crate::aws::{Cause, Error};

/// Maximum number of parameters per ModifyDBClusterParameterGroup or ResetDBClusterParameterGroup call.
pub const PARAMETERS_PER_CALL: usize = 20;
/// Groups whose names start with this belong to AWS and cannot be modified.
const DEFAULT_PREFIX: &str = "default.";

/// A DB cluster parameter group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterGroup {
    /// Its name.
    pub name: String,
    /// Its family, for example `aurora-postgresql16`.
    pub family: String,
    /// Its ARN.
    pub arn: String,
    /// The text that it was created with; AWS has no call that changes it.
    pub description: String,
}

/// Whether a group of this name belongs to AWS.
pub fn is_default_group(name: &str) -> bool {
    name.starts_with(DEFAULT_PREFIX)
}

/// The group that AWS attaches if none is named.
pub fn default_group(family: &str) -> String {
    format!("{DEFAULT_PREFIX}{family}")
}

/// When a change of a parameter can take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApplyType {
    /// Only at a restart.
    Static,
    /// Without a restart.
    Dynamic,
}

/// How a value is written: RDS rejects `immediate` for a static parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApplyMethod {
    /// Takes effect now.
    Immediate,
    /// Takes effect at the next reboot.
    PendingReboot,
}

impl From<ApplyType> for ApplyMethod {
    fn from(apply_type: ApplyType) -> Self {
        match apply_type {
            ApplyType::Static => Self::PendingReboot,
            ApplyType::Dynamic => Self::Immediate,
        }
    }
}

impl fmt::Display for ApplyMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Immediate => "immediate",
            Self::PendingReboot => "pending-reboot",
        })
    }
}

/// A parameter as a group holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value; `None` if the engine decides.
    pub value: Option<String>,
    /// When a change can take effect.
    pub apply_type: ApplyType,
    /// Whether it was set explicitly, as opposed to a default of the engine or of AWS.
    pub user_set: bool,
    /// The values allowed, in AWS's notation (`0-1`, `on,off`).
    pub allowed_values: Option<String>,
    /// Whether it may be set at all. AWS may leave that out: then nothing says that it may not.
    pub modifiable: bool,
    /// `boolean`, `integer`, `float`, `string` or `list`.
    pub data_type: Option<String>,
}

/// Which parameters of a group to read: there are several hundred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// All.
    All,
    /// Those that were set explicitly.
    UserSet,
}

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

const DESCRIBE: &str = "DescribeDBClusterParameterGroups";
const DESCRIBE_PARAMETERS: &str = "DescribeDBClusterParameters";
const DESCRIBE_ENGINE_DEFAULTS: &str = "DescribeEngineDefaultClusterParameters";

impl Client {
    /// Finds a parameter group by its name.
    ///
    /// # Errors
    /// Any failed call; a group that does not exist is `None`.
    pub async fn find_parameter_group(&self, name: &str) -> Result<Option<ParameterGroup>, Error> {
        let result = self.rds.describe_db_cluster_parameter_groups().db_cluster_parameter_group_name(name).send().await;
        let groups = match self.answer(DESCRIBE, result) {
            Ok(output) => output.db_cluster_parameter_groups.unwrap_or_default(),
            Err(error) if error.cause() == Cause::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let names = |group: &types::DbClusterParameterGroup| [group.db_cluster_parameter_group_name.clone(), None];
        let Some(group) = asked_for(DESCRIBE, name, groups, names)? else { return Ok(None) };
        ParameterGroup::decode(group).map(Some)
    }

    /// Lists the parameter groups of the region.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn list_parameter_groups(&self) -> Result<Vec<ParameterGroup>, Error> {
        let mut groups = Vec::new();
        let mut pages = Pages::of(DESCRIBE);
        let mut marker = None;
        loop {
            let result = self.rds.describe_db_cluster_parameter_groups().set_marker(marker).send().await;
            let output = self.answer(DESCRIBE, result)?;
            for group in output.db_cluster_parameter_groups.unwrap_or_default() {
                groups.push(ParameterGroup::decode(group)?);
            }
            marker = pages.next(output.marker)?;
            if marker.is_none() {
                return Ok(groups);
            }
        }
    }

    /// Reads the parameters of a group: all, or those that were set explicitly.
    ///
    /// # Errors
    /// Any failed call; a group that does not exist is [`Cause::NotFound`].
    pub async fn describe_parameters(&self, group: &str, which: Which) -> Result<Vec<Parameter>, Error> {
        let source = (which == Which::UserSet).then(|| "user".to_owned());
        let mut parameters = Vec::new();
        let mut pages = Pages::of(DESCRIBE_PARAMETERS);
        let mut marker = None;
        loop {
            let result = self
                .rds
                .describe_db_cluster_parameters()
                .db_cluster_parameter_group_name(group)
                .set_source(source.clone())
                .set_marker(marker)
                .send()
                .await;
            let output = self.answer(DESCRIBE_PARAMETERS, result)?;
            parameters.extend(output.parameters.unwrap_or_default().into_iter().filter_map(Parameter::decode));
            marker = pages.next(output.marker)?;
            if marker.is_none() {
                return Ok(parameters);
            }
        }
    }

    /// Reads the parameters that groups of a family have, whether or not the account has a group of it yet; `None` if there is no
    /// such family.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn describe_engine_defaults(&self, family: &str) -> Result<Option<Vec<Parameter>>, Error> {
        let mut parameters = Vec::new();
        let mut pages = Pages::of(DESCRIBE_ENGINE_DEFAULTS);
        let mut marker = None;
        loop {
            let call = self.rds.describe_engine_default_cluster_parameters().db_parameter_group_family(family);
            let answer = match self.answer(DESCRIBE_ENGINE_DEFAULTS, call.set_marker(marker).send().await) {
                Ok(output) => output.engine_defaults,
                Err(error) if error.is_invalid_value() => return Ok(None),
                Err(error) => return Err(error),
            };
            let answer = answer.ok_or(Error::Incomplete { action: DESCRIBE_ENGINE_DEFAULTS, field: "EngineDefaults" })?;
            parameters.extend(answer.parameters.unwrap_or_default().into_iter().filter_map(Parameter::decode));
            marker = pages.next(answer.marker)?;
            if marker.is_none() {
                return Ok(Some(parameters));
            }
        }
    }

    /// Creates a parameter group.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel; a name that is taken is [`Cause::AlreadyExists`], also if an earlier attempt took it and
    /// its answer was lost.
    pub async fn create_parameter_group(
        &self,
        name: &str,
        family: &str,
        description: &str,
        tags: &Tags,
        patience: &Patience,
    ) -> Result<(), Error> {
        patience
            .through_wrong_state(&format!("CreateDBClusterParameterGroup for {name}"), Repeat::Always, || async {
                let call = self.changing().create_db_cluster_parameter_group().db_cluster_parameter_group_name(name);
                let call = call.db_parameter_group_family(family).description(description).set_tags(Some(encode_tags(tags)));
                self.answer("CreateDBClusterParameterGroup", call.send().await).map(drop)
            })
            .await
    }

    /// Sets at most [`PARAMETERS_PER_CALL`] parameters.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel.
    pub async fn modify_parameter_group(
        &self,
        name: &str,
        parameters: &[(String, String, ApplyMethod)],
        patience: &Patience,
    ) -> Result<(), Error> {
        let encoded: Vec<_> = parameters
            .iter()
            .map(|(name, value, method)| encode_parameter(name, *method).parameter_value(value).build())
            .collect();
        patience
            .through_wrong_state(&format!("ModifyDBClusterParameterGroup for {name}"), Repeat::Always, || async {
                let result = self
                    .changing()
                    .modify_db_cluster_parameter_group()
                    .db_cluster_parameter_group_name(name)
                    .set_parameters(Some(encoded.clone()))
                    .send()
                    .await;
                self.answer("ModifyDBClusterParameterGroup", result).map(drop)
            })
            .await
    }

    /// Resets at most [`PARAMETERS_PER_CALL`] parameters to the engine's defaults.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel.
    pub async fn reset_parameters(
        &self,
        name: &str,
        parameters: &[(String, ApplyMethod)],
        patience: &Patience,
    ) -> Result<(), Error> {
        let encoded: Vec<_> = parameters.iter().map(|(name, method)| encode_parameter(name, *method).build()).collect();
        patience
            .through_wrong_state(&format!("ResetDBClusterParameterGroup for {name}"), Repeat::Always, || async {
                let result = self
                    .changing()
                    .reset_db_cluster_parameter_group()
                    .db_cluster_parameter_group_name(name)
                    .reset_all_parameters(false)
                    .set_parameters(Some(encoded.clone()))
                    .send()
                    .await;
                self.answer("ResetDBClusterParameterGroup", result).map(drop)
            })
            .await
    }

    /// Deletes a parameter group. Retried while a cluster still uses it.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel; a group that does not exist is [`Cause::NotFound`].
    pub async fn delete_parameter_group(&self, name: &str, patience: &Patience) -> Result<(), Error> {
        patience
            .through_wrong_state(&format!("DeleteDBClusterParameterGroup for {name}"), Repeat::Always, || async {
                let result =
                    self.changing().delete_db_cluster_parameter_group().db_cluster_parameter_group_name(name).send().await;
                self.answer("DeleteDBClusterParameterGroup", result).map(drop)
            })
            .await
    }

    /// Reads the tags of an ARN, without those set by AWS.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn list_tags(&self, arn: &str) -> Result<Tags, Error> {
        let result = self.rds.list_tags_for_resource().resource_name(arn).send().await;
        let tags = self.answer("ListTagsForResource", result)?.tag_list.unwrap_or_default();
        Ok(tags
            .into_iter()
            .filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
            .filter(|(key, _)| !key.starts_with("aws:"))
            .collect())
    }

    /// Sets tags on an ARN.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel.
    pub async fn add_tags(&self, arn: &str, tags: &Tags, patience: &Patience) -> Result<(), Error> {
        patience
            .through_wrong_state(&format!("AddTagsToResource for {arn}"), Repeat::Always, || async {
                let result =
                    self.changing().add_tags_to_resource().resource_name(arn).set_tags(Some(encode_tags(tags))).send().await;
                self.answer("AddTagsToResource", result).map(drop)
            })
            .await
    }

    /// Removes tags from an ARN by their keys.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel.
    pub async fn remove_tags(&self, arn: &str, keys: &[String], patience: &Patience) -> Result<(), Error> {
        patience
            .through_wrong_state(&format!("RemoveTagsFromResource for {arn}"), Repeat::Always, || async {
                let call = self.changing().remove_tags_from_resource().resource_name(arn).set_tag_keys(Some(keys.to_vec()));
                self.answer("RemoveTagsFromResource", call.send().await).map(drop)
            })
            .await
    }
}

impl ParameterGroup {
    fn decode(group: types::DbClusterParameterGroup) -> Result<Self, Error> {
        let required = |value: Option<String>, field: &'static str| value.ok_or(Error::Incomplete { action: DESCRIBE, field });
        Ok(Self {
            name: required(group.db_cluster_parameter_group_name, "DBClusterParameterGroupName")?,
            family: required(group.db_parameter_group_family, "DBParameterGroupFamily")?,
            arn: required(group.db_cluster_parameter_group_arn, "DBClusterParameterGroupArn")?,
            description: group.description.unwrap_or_default(),
        })
    }
}

impl Parameter {
    fn decode(parameter: types::Parameter) -> Option<Self> {
        Some(Self {
            name: parameter.parameter_name?,
            value: parameter.parameter_value,
            apply_type: match parameter.apply_type.as_deref() {
                Some("dynamic") => ApplyType::Dynamic,
                // Everything that is not reported as dynamic is written in the way that RDS always accepts.
                _ => ApplyType::Static,
            },
            user_set: parameter.source.as_deref() == Some("user"),
            allowed_values: parameter.allowed_values,
            modifiable: parameter.is_modifiable.unwrap_or(true),
            data_type: parameter.data_type,
        })
    }
}

fn encode_parameter(name: &str, method: ApplyMethod) -> types::builders::ParameterBuilder {
    types::Parameter::builder().parameter_name(name).apply_method(match method {
        ApplyMethod::Immediate => types::ApplyMethod::Immediate,
        ApplyMethod::PendingReboot => types::ApplyMethod::PendingReboot,
    })
}

fn encode_tags(tags: &Tags) -> Vec<types::Tag> {
    tags.iter().map(|(key, value)| types::Tag::builder().key(key).value(value).build()).collect()
}
