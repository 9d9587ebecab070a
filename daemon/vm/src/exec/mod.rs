//! Programs that run: compiled if they are verified, else interpreted over memory that is checked.
//!
//! `lower` makes a decoded program of a spec once; `program` runs it over
//! contexts; `interpreter` executes one invocation, and asks `memory` about
//! every access.  `crate::jit` is a second executor over the same lowered
//! program, the same maps and the same helpers.

pub mod arith;
pub(crate) mod atomics;
mod batch;
mod context;
mod copy;
mod counters;
mod fault;
mod gate;
mod image;
mod input;
pub(crate) mod interpreter;
mod latency;
pub(crate) mod lower;
mod memory;
mod origin;
mod prepared;
mod program;
pub(crate) mod remote;
mod session;
mod single;
mod tail;
mod tape;
mod watch;

#[cfg(test)]
mod tests;

pub use batch::{Batch, TestRun};
pub use counters::{CounterValues, Counters};
pub use fault::Fault;
pub use gate::Gate;
pub use image::{Image, Made, Part, Places};
pub use input::Input;
pub use interpreter::{Moment, Services};
pub use lower::Bindings;
pub use memory::Memory;
pub use origin::{Facts, Identity, Origin};
pub use prepared::Prepared;
pub use program::{DEFAULT_BUDGET, Execution, Leads, Options, Program, Verified};
pub use remote::{Binding, Failure, Remote, Reply, Value};
pub use single::Single;
pub use tail::MAX_TAIL_CALLS;
pub use tape::{Tape, Tapes};
pub use watch::{REGISTERS, Seen, Watched};
