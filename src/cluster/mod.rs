//! An Aurora PostgreSQL cluster as a source of changes: what is observed of it, what makes it unfit, the parameter group that is
//! created for it, how its members are rebooted.
//!
//! Knows nothing of Terraform. [`crate::rds`] has the calls, and this folder combines them.

mod allowed_values;
#[cfg(test)]
pub(crate) mod fixture;
mod group;
mod identifier;
mod next_family;
mod observe;
mod observed;
mod owner;
mod ownership;
mod parameter_value;
mod parameters;
mod reboot;
mod remembered;
mod unfit;
mod version;

pub(crate) use group::{Group, OWNER_TAG, PREVIOUS_TAG, Setting, TAG_PREFIX, default_name};
pub(crate) use identifier::{LONGEST_CLUSTER, LONGEST_GROUP, invalid_identifier};
pub(crate) use next_family::{NextFamily, family_major, is_later_family};
pub(crate) use observe::{Names, find_catalogue, find_group, find_next_family, left_behind, observe};
pub(crate) use observed::{Observed, Takeover, Unfinished};
pub(crate) use owner::{Owner, Record};
pub(crate) use ownership::{Claims, DESCRIPTION, Dispute, judge};
pub(crate) use parameter_value::{Kind, switch};
pub(crate) use parameters::{ENGINE, GUIDE_PARAMETERS, IAM_FOR_REPLICATION, LOGICAL_REPLICATION};
pub(crate) use reboot::{RebootError, Reboots};
pub(crate) use remembered::{IAM_OFF, IAM_TAG, Remembered, value_tag, value_text};
pub(crate) use unfit::{OLDEST_MAJOR, Unfit, unfit};
pub(crate) use version::{DecodingFault, Version};
