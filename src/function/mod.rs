//! Functions. Each has its own file, with one line here that declares it and one that registers it.

mod contract;

pub(crate) mod table_mappings;

/// Every function, for a macro that takes their paths.
#[rustfmt::skip]
macro_rules! each_function {
    ($with:ident) => {
        $with![
            $crate::function::table_mappings::TableMappings,
        ]
    };
}
pub(crate) use each_function;

pub(crate) use contract::Function;
