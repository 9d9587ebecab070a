//! Words of four bits with a low half of two: small enough to try them all.

use std::collections::HashSet;

use super::checks::{self, Outcome};
use super::effort;
use super::subject::{Subject, all_members, hull, parts};
use crate::fixtures::Random;
use crate::verifier::domain::scalar::Word;

type Small = Subject<4, 2>;

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
    words.sort_by_key(|word| format!("{word:?}"));
    let subject = |word| Subject {
        word,
        members: all_members(word),
    };
    words.into_iter().map(subject).collect()
}

/// Pairs of them, evenly spread.
pub fn each_pair(check: impl Fn(&Small, &Small) -> Outcome, count: usize) -> Outcome {
    let all = all();
    let mut random = Random::new(5);
    for _ in 0..count {
        check(&all[random.below(all.len())], &all[random.below(all.len())])?;
    }
    Ok(())
}

#[test]
fn how_many() {
    eprintln!("{}", all().len());
}

/// No result of an instruction is lost.
#[test]
fn arithmetic_keeps_every_result() {
    assert_eq!(Ok(()), each_pair(checks::arithmetic, effort(20_000)));
}

/// No pair of numbers is lost by a branch, nor a branch that they take.
#[test]
fn branches_keep_every_pair() {
    assert_eq!(Ok(()), each_pair(checks::branches, effort(20_000)));
}

/// Hulls and meets are those of sets.
#[test]
fn the_lattice_is_one_of_sets() {
    assert_eq!(Ok(()), each_pair(checks::lattice, effort(50_000)));
}

/// Casts are those of the members.
#[test]
fn casts_keep_every_number() {
    for subject in all() {
        assert_eq!(Ok(()), checks::casts(&subject));
    }
}

/// Whatever the parts say, together they mean the same after reduction.
#[test]
fn reduction_keeps_the_meaning() {
    let mut random = Random::new(9);
    let numbers: Vec<u64> = (0..16).collect();
    for _ in 0..effort(100_000) {
        assert_eq!(
            Ok(()),
            checks::reduction(parts::<4, 2>(&mut random), &numbers)
        );
    }
}
