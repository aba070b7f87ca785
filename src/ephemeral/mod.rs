//! Ephemeral resources. Each has its own file, with one line here that declares it and one that registers it.

mod contract;

pub(crate) mod rds_auth_token;

/// Every ephemeral resource, for a macro that takes their paths.
#[rustfmt::skip]
macro_rules! each_ephemeral {
    ($with:ident) => {
        $with![
            $crate::ephemeral::rds_auth_token::RdsAuthToken,
        ]
    };
}
pub(crate) use each_ephemeral;

pub(crate) use contract::Ephemeral;
