//! From a name to its handler, for each kind. The folder of each kind registers its inhabitants.

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

/// What Terraform calls by name.
pub(crate) trait Named: Send + Sync {
    /// Its name: a function's own name, otherwise the type name.
    fn name(&self) -> &'static str;
}

/// The one with this name.
pub(crate) fn find<H: Named + ?Sized>(all: &'static [&'static H], name: &str) -> Option<&'static H> {
    all.iter().copied().find(|handler| handler.name() == name)
}
