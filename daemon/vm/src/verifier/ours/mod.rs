//! Our own judge: it follows all paths of a program, with what is known on each.
//!
//! See `README.md` in this folder for how and why.

mod access;
mod attempt;
mod branch;
mod call;
mod checker;
mod covers;
mod explore;
mod flow;
#[cfg(any(test, feature = "differential"))]
pub mod inside;
mod invariant;
mod operation;
mod orders;
mod problem;
mod stack;
mod state;
mod symbols;
pub mod teach;
mod trail;
mod tree;
mod trips;
mod value;
#[cfg(any(test, feature = "differential"))]
mod visited;
pub mod witness;

pub use explore::{Explorer, Limits, Outcome, Report, Violation};
pub use problem::Problem;
#[cfg(any(test, feature = "differential"))]
pub use visited::{Visited, explore_visibly};

use super::Case;

pub const NAME: &str = concat!("ebpfd ", env!("CARGO_PKG_VERSION"));

/// Follow all paths of a program.
pub fn explore(case: Case<'_>, limits: Limits) -> Report {
    Explorer::new(case, limits).run()
}
