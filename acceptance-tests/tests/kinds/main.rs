//! The kinds beside managed resources, with real terraform. What the one that runs the tests does not know yet is said on standard error;
//! the conformance client plays a newer one in every run (`tests/conformance/`).

mod identity;
mod publications;
mod rds_auth_token;
mod reboot;
mod static_ips;
mod table_mappings;
