//! What a reviewer and a policy read in a plan, compared with what then really happened.

mod destroy;
mod impact;
mod in_effect;
mod known;
mod replacement;
mod titles;
mod world;
