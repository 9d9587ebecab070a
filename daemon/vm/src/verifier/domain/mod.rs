//! Numbers as the verifier knows them: what is known of a scalar, what an
//! instruction makes of it, what a branch tells.
//!
//! ```text
//!   tnum        known bits                    \
//!   halves      signed and unsigned bounds     > scalar, kept in line by reduce
//!   (low half)  the same of the lower 32 bits /
//!
//!   arithmetic  what an instruction computes  (bitwise, division, shift)
//!   extend      moves, casts, byte order
//!   branch      which way a comparison goes, and what follows
//! ```
//!
//! The one invariant: a number that the program can have is in the scalar that
//! describes it.  There is no empty scalar; what may turn out to be impossible
//! is an `Option`.

mod arithmetic;
mod bitwise;
mod branch;
mod concrete;
mod describe;
mod division;
mod extend;
mod halves;
mod reduce;
mod relation;
mod scalar;
mod shift;
mod tnum;
mod view;
mod width;

#[cfg(test)]
mod tests;

use crate::verifier::mutation::{Mutation, on};

pub use arithmetic::{Arithmetic, arithmetic};
pub use branch::{Comparison, assume, decide};
pub use scalar::Scalar;
pub use tnum::Tnum;
