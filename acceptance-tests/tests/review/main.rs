//! What a reviewer and a policy read of a plan, held against what then really happened.

mod destroy;
mod impact;
mod known;
mod replacement;
mod titles;
mod world;
