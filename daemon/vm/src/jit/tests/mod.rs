//! What compiled code promises: the interpreter's results, bounds, and no trace after it.

mod differential;
mod generator;
mod instructions;
mod limits;

use crate::exec::{Execution, Options};

/// A program that the test vouches for must be compiled.
fn compiled() -> Options {
    Options {
        verified: true,
        execution: Execution::Jit,
        ..Options::default()
    }
}
