//! From a name to whoever answers for it, for each kind. Which there are is said in the folder of the kind.

mod action;
mod configured;
mod data_source;
mod ephemeral;
mod function;
mod list;
mod resource;

pub(crate) use action::ACTIONS;
pub(crate) use configured::ConfiguredHandler;
pub(crate) use data_source::DATA_SOURCES;
pub(crate) use ephemeral::EPHEMERALS;
pub(crate) use function::FUNCTIONS;
pub(crate) use list::LISTS;
pub(crate) use resource::RESOURCES;

/// What Terraform calls by a name.
pub(crate) trait Named: Send + Sync {
    /// Its name: of a function the function's, of everything else that of its type.
    fn name(&self) -> &'static str;
}

/// The one of this name.
pub(crate) fn find<H: Named + ?Sized>(all: &'static [&'static H], name: &str) -> Option<&'static H> {
    all.iter().copied().find(|handler| handler.name() == name)
}
