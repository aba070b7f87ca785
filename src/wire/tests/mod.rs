//! The codec under fire: every value survives every encoding, and no bytes do any harm.

mod foreign;
mod fuzz;
mod generate;
pub(crate) mod mutate;
mod round_trip;
