//! Random words of eight and of 64 bits, with ends where bugs live.

use super::checks::{self, Outcome};
use super::effort;
use super::subject::{Subject, number, parts};
use crate::fixtures::Random;

type Wide = Subject<64, 32>;

/// A check of `count` random pairs.
pub fn each_pair<const W: u32, const H: u32>(
    check: impl Fn(&Subject<W, H>, &Subject<W, H>) -> Outcome,
    count: usize,
) -> Outcome {
    let mut random = Random::new(7);
    (0..count).try_for_each(|_| {
        let a = Subject::random(&mut random)?;
        check(&a, &Subject::random(&mut random)?)
    })
}

/// Whatever the parts say, together they mean the same after reduction.
pub fn reductions(count: usize) -> Outcome {
    let mut random = Random::new(3);
    (0..count).try_for_each(|_| {
        let parts = parts::<64, 32>(&mut random)?;
        let numbers: Vec<u64> = (0..8).map(|_| number::<64, 32>(&mut random)).collect();
        checks::reduction(parts, &numbers)
    })
}

/// Casts and byte swaps are those of the members.
pub fn casts(a: &Wide, _: &Wide) -> Outcome {
    checks::casts(a)?;
    checks::swaps(a)
}

/// No result of an instruction is lost.
#[test]
fn arithmetic_keeps_every_result() {
    assert_eq!(
        Ok(()),
        each_pair(checks::arithmetic::<8, 4>, effort(30_000))
    );
    assert_eq!(
        Ok(()),
        each_pair(checks::arithmetic::<64, 32>, effort(30_000))
    );
}

/// No pair of numbers is lost by a branch, nor a branch that they take.
#[test]
fn branches_keep_every_pair() {
    assert_eq!(Ok(()), each_pair(checks::branches::<8, 4>, effort(30_000)));
    assert_eq!(
        Ok(()),
        each_pair(checks::branches::<64, 32>, effort(30_000))
    );
}

/// Hulls and meets are those of sets.
#[test]
fn the_lattice_is_one_of_sets() {
    assert_eq!(Ok(()), each_pair(checks::lattice::<64, 32>, effort(50_000)));
}

/// Casts keep every number.
#[test]
fn casts_keep_every_number() {
    assert_eq!(Ok(()), each_pair(casts, effort(50_000)));
}

/// Reduction never changes the meaning.
#[test]
fn reduction_keeps_the_meaning() {
    assert_eq!(Ok(()), reductions(effort(50_000)));
}
