//! Compiled execution: verified programs as machine code, by Cranelift.
//!
//! ```text
//!   Code (exec/lower) --flow, live, facts--> functions, blocks, what registers hold
//!                     --graph, trips, bounds-> loops, how long they run, what is metered
//!                     --compile, translate (registers, arithmetic, jumps, memory, calls)--> machine code
//!                     --layout, arena, room--> Jit
//!   run: Head <-> compiled code <-> helpers
//! ```
//!
//! Results are those of the interpreter, which is the oracle.  What compiled
//! code relies on, and why that is sound, is written in this folder's README.

mod arena;
mod arithmetic;
mod bounds;
mod calls;
mod code;
mod compile;
mod effects;
mod facts;
mod flow;
mod graph;
mod jumps;
mod layout;
mod live;
mod memory;
mod ranges;
mod registers;
mod room;
mod runtime;
mod translate;
mod trips;

#[cfg(test)]
mod tests;

pub use code::{Entry, Jit};
pub use compile::compile;
pub use runtime::{Invocation, run};
