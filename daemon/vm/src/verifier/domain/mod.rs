//! Numbers as the verifier knows them: what is known of a scalar, what an
//! instruction makes of it, what a branch tells.
//!
//! ```text
//!   tnum        known bits                    \
//!   halves      signed and unsigned bounds     > scalar, kept in line by reduce
//!   (low half)  the same of the lower 32 bits /
//!
//!   arithmetic  what an instruction computes: sums, bitwise, division, shift
//!   extend      moves, casts, byte order
//!   branch      which way a comparison goes, and what follows, by relation
//!   concrete    the same of two numbers
//! ```
//!
//! The one invariant: a number that the program can have is in the scalar that
//! describes it.  There is no empty scalar; what may turn out to be impossible
//! is an `Option`.  Nothing here knows of registers, pointers or programs.
//!
//! Everything is generic over the width of a number and of its low half, so
//! that tests can try all words of four bits.  A soundness bug can be switched
//! on by [`Mutation`], to see that the tests would find it.

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
