//! What Terraform expects of every resource and of the provider's own configuration, over whatever the schema has: a resource added later
//! is covered as soon as `fixtures/life/` says how it comes to exist.

mod entry;
mod interruption;
mod life;
mod offline;
mod places;
mod remote_steps;
mod schema;
mod state;
mod values;
mod world;

type Outcome = anyhow::Result<()>;
