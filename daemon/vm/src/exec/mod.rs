//! Programs that run: a checked interpreter over memory that it bounds.
//!
//! `lower` makes a decoded program of a spec once; `program` runs it over
//! contexts; `interpreter` executes one invocation, and asks `memory` about
//! every access.  A JIT will be a second executor over the same lowered
//! program, the same maps and the same helpers.

pub mod arith;
mod context;
mod counters;
mod fault;
mod input;
mod interpreter;
mod lower;
mod memory;
mod origin;
mod program;
mod remote;

#[cfg(test)]
mod tests;

pub use counters::{CounterValues, Counters};
pub use fault::Fault;
pub use input::Input;
pub use interpreter::Services;
pub use memory::Memory;
pub use origin::{Facts, Identity, Origin};
pub use program::{Batch, DEFAULT_BUDGET, Options, Program, TestRun};
pub use remote::{Binding, Failure, Remote, Reply, Value};
