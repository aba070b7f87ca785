//! What Terraform expects of every resource and of the provider's own configuration, over whatever the schema has: a resource added later
//! is covered as soon as `fixtures/life/` says how it comes to exist. The same goes for what is no managed resource and its own fixture.

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
