//! What Terraform expects of every resource and of the provider's own configuration, for everything in the schema: a resource
//! added later is covered as soon as `fixtures/life/` says how to create it. The same is true for the other kinds and their own
//! fixtures.

mod entry;
mod fixture;
mod functions;
mod identity;
mod interruption;
mod kinds;
mod kinds_wire;
mod life;
mod offline;
mod places;
mod remote_steps;
mod schema;
mod state;
mod values;
mod world;

type Outcome = anyhow::Result<()>;
