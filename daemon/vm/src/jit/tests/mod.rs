//! What compiled code promises: the interpreter's results, bounds, and no trace after it.

mod bounds;
mod limits;

use crate::exec::{Execution, Options};

/// A program that the test vouches for must be compiled.
fn compiled() -> Options {
    Options {
        verified: crate::exec::Verified::Assumed,
        execution: Execution::Jit,
        ..Options::default()
    }
}
