//! The codec under fire: every value survives every way of spelling it, and no bytes whatever do harm.

mod foreign;
mod fuzz;
mod generate;
pub(crate) mod mutate;
mod round_trip;
