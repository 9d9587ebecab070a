//! Words of four bits with a low half of two: small enough to try them all.

use std::collections::HashSet;

use super::checks::{self, Outcome};
use super::effort;
use super::subject::{Subject, all_members, hull, parts};
use crate::fixtures::Random;
use crate::verifier::domain::scalar::Word;

pub type Small = Subject<4, 2>;

/// Every word that is the hull of some set.
pub fn all() -> Vec<Small> {
    let sets = 1..=u16::MAX;
    let members = |set: u16| {
        (0..16)
            .filter(|number| set >> number & 1 == 1)
            .collect::<Vec<u64>>()
    };
    let words: HashSet<Word<4, 2>> = sets.filter_map(|set| hull(&members(set))).collect();
    let mut words: Vec<_> = words.into_iter().collect();
    words.sort_by_key(|word| ends(*word));
    let subject = |word| Subject {
        word,
        members: all_members(word),
    };
    words.into_iter().map(subject).collect()
}

/// All that a word says, to sort by.
fn ends(word: Word<4, 2>) -> [u64; 8] {
    [
        word.bits().value,
        word.bits().mask,
        word.umin(),
        word.umax(),
        word.smin() as u64,
        word.smax() as u64,
        u64::from(word.u32min()) << 32 | u64::from(word.u32max()),
        (word.s32min() as u64) << 32 ^ word.s32max() as u64,
    ]
}

/// A check of `count` pairs; of every pair if there are no more.
pub fn each_pair(
    all: &[Small],
    check: impl Fn(&Small, &Small) -> Outcome,
    count: usize,
) -> Outcome {
    if count >= all.len() * all.len() {
        let pairs = |a| all.iter().map(move |b| (a, b));
        return all
            .iter()
            .flat_map(pairs)
            .try_for_each(|(a, b)| check(a, b));
    }
    let mut random = Random::new(5);
    (0..count).try_for_each(|_| check(&all[random.below(all.len())], &all[random.below(all.len())]))
}

/// Whatever the parts say, together they mean the same after reduction.
pub fn reductions(count: usize) -> Outcome {
    let mut random = Random::new(9);
    let numbers: Vec<u64> = (0..16).collect();
    (0..count).try_for_each(|_| checks::reduction(parts::<4, 2>(&mut random)?, &numbers))
}

/// No result of an instruction is lost.
#[test]
fn arithmetic_keeps_every_result() {
    assert_eq!(
        Ok(()),
        each_pair(&all(), checks::arithmetic, effort(20_000))
    );
}

/// No pair of numbers is lost by a branch, nor a branch that they take.
#[test]
fn branches_keep_every_pair() {
    assert_eq!(Ok(()), each_pair(&all(), checks::branches, effort(20_000)));
}

/// Hulls and meets are those of sets.
#[test]
fn the_lattice_is_one_of_sets() {
    assert_eq!(Ok(()), each_pair(&all(), checks::lattice, effort(50_000)));
}

/// Casts are those of the members.
#[test]
fn casts_keep_every_number() {
    assert_eq!(Ok(()), all().iter().try_for_each(checks::casts));
}

/// Reduction never changes the meaning.
#[test]
fn reduction_keeps_the_meaning() {
    assert_eq!(Ok(()), reductions(effort(50_000)));
}
