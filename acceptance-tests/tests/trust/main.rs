//! Nothing is taken on faith: an oid, a name, a state, a text of the server. Each test is an attack that once did harm.

mod other_server;
mod tampered;
mod terminal;
mod world;
