//! AWS as one principal in one region: the credential chain, errors by code, secrets, and tokens for database logins. The RDS API
//! is in [`crate::rds`].
//!
//! Knows nothing of Terraform, and no type of the AWS SDK leaves this folder and `rds/`.

pub mod account;
pub mod auth_token;
pub mod error;
mod permission;
pub mod place;
pub(crate) mod roots;
pub mod secret;
pub mod session;
pub mod settings;

pub use auth_token::{TokenRequest, is_signable_host, is_signable_port};
pub use error::{Cause, Error};
pub use place::Place;
pub use session::Session;
