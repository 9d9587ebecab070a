//! Every operator against what the instructions compute.
//!
//! A [`subject::Subject`] is a word with numbers that are in it.  The checks
//! take subjects and return the first number that an operator lost, so that
//! the same ones run over all words of four bits, over random ones of eight,
//! over random ones of 64 with ends where bugs live, and over the domain with
//! a seeded bug, where they must find it.

mod checks;
mod concrete;
mod exhaustive;
mod idioms;
mod mutations;
mod precision;
mod random;
mod subject;
mod tnum;

use super::{Arithmetic, Comparison};

const OPERATIONS: [Arithmetic; 14] = [
    Arithmetic::Add,
    Arithmetic::Sub,
    Arithmetic::Mul,
    Arithmetic::Div,
    Arithmetic::SDiv,
    Arithmetic::Mod,
    Arithmetic::SMod,
    Arithmetic::Or,
    Arithmetic::And,
    Arithmetic::Xor,
    Arithmetic::Lsh,
    Arithmetic::Rsh,
    Arithmetic::Arsh,
    Arithmetic::Neg,
];

const COMPARISONS: [Comparison; 11] = [
    Comparison::Eq,
    Comparison::Ne,
    Comparison::Gt,
    Comparison::Ge,
    Comparison::Lt,
    Comparison::Le,
    Comparison::SGt,
    Comparison::SGe,
    Comparison::SLt,
    Comparison::SLe,
    Comparison::Set,
];

/// Set to a number to try so many times more.
const ON_DEMAND: &str = "EBPFD_DOMAIN_EFFORT";

/// How often to try what is tried `times` by default.
fn effort(times: usize) -> usize {
    let asked = std::env::var(ON_DEMAND).ok();
    times * asked.and_then(|times| times.parse().ok()).unwrap_or(1)
}
