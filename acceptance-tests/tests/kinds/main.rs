//! The kinds beside managed resources, with real terraform. Standard error names the kinds that this terraform does not know yet;
//! the conformance client plays a newer one in every run (`tests/conformance/`).

mod actions;
mod identity;
mod lookups;
mod publications;
mod rds_auth_token;
mod readiness;
mod reboot;
mod static_ips;
mod table_mappings;
