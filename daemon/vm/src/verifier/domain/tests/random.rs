//! Random words of eight and of 64 bits, with ends where bugs live.

use super::checks::{self, Outcome};
use super::effort;
use super::subject::{Subject, number, parts};
use crate::fixtures::Random;

/// A check of `count` random pairs.
pub fn each_pair<const W: u32, const H: u32>(
    check: impl Fn(&Subject<W, H>, &Subject<W, H>) -> Outcome,
    count: usize,
) -> Outcome {
    let mut random = Random::new(7);
    for _ in 0..count {
        let a = Subject::random(&mut random);
        let b = Subject::random(&mut random);
        check(&a, &b)?;
    }
    Ok(())
}

/// No result of an instruction is lost.
#[test]
fn arithmetic_keeps_every_result() {
    assert_eq!(
        Ok(()),
        each_pair(checks::arithmetic::<8, 4>, effort(40_000))
    );
    assert_eq!(
        Ok(()),
        each_pair(checks::arithmetic::<64, 32>, effort(80_000))
    );
}

/// No pair of numbers is lost by a branch, nor a branch that they take.
#[test]
fn branches_keep_every_pair() {
    assert_eq!(Ok(()), each_pair(checks::branches::<8, 4>, effort(40_000)));
    assert_eq!(
        Ok(()),
        each_pair(checks::branches::<64, 32>, effort(80_000))
    );
}

/// Hulls and meets are those of sets.
#[test]
fn the_lattice_is_one_of_sets() {
    assert_eq!(
        Ok(()),
        each_pair(checks::lattice::<64, 32>, effort(100_000))
    );
}

/// Casts and byte swaps are those of the members.
#[test]
fn casts_keep_every_number() {
    let check = |a: &Subject<64, 32>, _: &Subject<64, 32>| {
        checks::casts(a)?;
        checks::swaps(a)
    };
    assert_eq!(Ok(()), each_pair(check, effort(100_000)));
}

/// Whatever the parts say, together they mean the same after reduction.
#[test]
fn reduction_keeps_the_meaning() {
    let mut random = Random::new(3);
    for _ in 0..effort(100_000) {
        let parts = parts::<64, 32>(&mut random);
        let numbers: Vec<u64> = (0..8).map(|_| number::<64, 32>(&mut random)).collect();
        assert_eq!(Ok(()), checks::reduction(parts, &numbers));
    }
}
