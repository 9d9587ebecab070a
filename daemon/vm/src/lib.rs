//! The engine of ebpfd: bytes and memory in, values out.
//!
//! ```text
//!   ELF --loader--> specs --verifier--> verdict
//!                     |
//!                     '--exec (interpreter, jit) -- maps, helpers --> results
//! ```
//!
//! The core is plain Rust and knows nothing of Python, gRPC, files or clocks
//! other than those a helper reads; `python` is a thin shell around it.

pub mod contract;
#[cfg(any(test, feature = "differential"))]
pub mod differential;
pub mod disassembly;
pub mod error;
pub mod exec;
#[cfg(test)]
mod fixtures;
pub mod functions;
pub mod helpers;
#[cfg(any(test, feature = "differential"))]
pub mod inclusion;
pub mod isa;
mod jit;
pub mod loader;
pub mod map_type;
pub mod maps;
pub mod spec;
pub mod trace;
pub mod verifier;

#[cfg(feature = "python")]
mod python;
