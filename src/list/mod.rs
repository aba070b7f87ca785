//! List resources: what `terraform query` finds. Each has its own file, with one line here that declares it and one that
//! registers it.

mod contract;

pub(crate) mod publication;

/// Every list resource, for a macro that takes their paths.
#[rustfmt::skip]
macro_rules! each_list {
    ($with:ident) => {
        $with![
            $crate::list::publication::Publications,
        ]
    };
}
pub(crate) use each_list;

pub(crate) use contract::{List, Listed};
