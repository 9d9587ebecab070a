//! The two executors against each other, on random programs.
//!
//! ```text
//!   seed --generator--> program --Pair--> interpreter, compiled code --> Outcome
//! ```
//!
//! Only for tests, and for `examples/differential.rs`, which runs millions.
//! Programs stay in bounds by construction, so nobody has to verify them.

mod generator;
mod instructions;
mod kinds;
mod pair;
pub mod random;
mod repeat;

#[cfg(test)]
mod tests;

pub use generator::Generator;
pub use kinds::{Kind, all_kinds, kind};
pub use pair::{Outcome, Pair};
