//! Tests of the client that plays core, with a provider written for them: without a fault, a whole life raises no complaint; with
//! a fault, the client reports what core would report. Every rule has a fault that breaks it.

mod fault;
mod faulty_provider;
mod identities;
mod identity_answers;
mod inhabitants;
mod kinds;
mod outcomes;
mod rules;
