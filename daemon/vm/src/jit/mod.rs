//! Compiled execution: verified programs as machine code, by Cranelift.
//!
//! ```text
//!   Code (exec/lower) --flow--> functions, loops, live registers
//!                     --facts-> frame addresses, maps, stores into read-only maps
//!                     --compile + translate (arithmetic, jumps, memory, calls)--> Jit
//!   run: Head <-> compiled code <-> helpers
//! ```
//!
//! Results are those of the interpreter, which is the oracle.  What compiled
//! code relies on, and why that is sound, is written in this folder's README.

mod arithmetic;
mod calls;
mod code;
mod compile;
mod effects;
mod facts;
mod flow;
mod jumps;
mod memory;
mod runtime;
mod translate;

#[cfg(test)]
mod tests;

pub use code::Jit;
pub use compile::compile;
pub use runtime::run;
