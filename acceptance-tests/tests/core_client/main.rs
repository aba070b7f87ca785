//! The client that plays core, tried on a provider that was made for it: healthy, it lives its life without a word; with a fault, the
//! client says what core would say. Every rule has a fault that breaks it.

mod fault;
mod faulty_provider;
mod identities;
mod identity_answers;
mod inhabitants;
mod kinds;
mod outcomes;
mod rules;
