//! How often a result is the smallest word that could be, among words of four
//! bits: where nearly every operation wraps, so that these are hard cases.

use super::COMPARISONS;
use super::checks::{compared_of, computed_of};
use super::exhaustive::{Small, all};
use super::subject::hull;
use crate::fixtures::Random;
use crate::verifier::domain::arithmetic::computed;
use crate::verifier::domain::branch::{assumed, decided};
use crate::verifier::domain::scalar::Word;
use crate::verifier::domain::{Arithmetic, Comparison};

/// Pairs that a share is measured on.
const PAIRS: usize = 3_000;

/// Thousandths of results that are the best, of 64 and of 32 bits, for any
/// operands and for a constant on the right.
const RESULTS: [(Arithmetic, [u32; 4]); 14] = [
    (Arithmetic::Add, [880, 1_000, 1_000, 1_000]),
    (Arithmetic::Sub, [880, 1_000, 1_000, 1_000]),
    (Arithmetic::Mul, [450, 910, 450, 1_000]),
    (Arithmetic::Div, [560, 850, 860, 1_000]),
    (Arithmetic::SDiv, [860, 920, 900, 1_000]),
    (Arithmetic::Mod, [130, 730, 630, 930]),
    (Arithmetic::SMod, [620, 810, 610, 1_000]),
    (Arithmetic::Or, [340, 940, 780, 1_000]),
    (Arithmetic::And, [340, 940, 810, 1_000]),
    (Arithmetic::Xor, [750, 960, 260, 840]),
    (Arithmetic::Lsh, [160, 840, 920, 1_000]),
    (Arithmetic::Rsh, [590, 1_000, 770, 1_000]),
    (Arithmetic::Arsh, [700, 1_000, 1_000, 1_000]),
    (Arithmetic::Neg, [1_000, 1_000, 1_000, 1_000]),
];

/// Random pairs of words, the right one a constant if asked.
fn pairs(all: &[Small], constant: bool) -> impl Iterator<Item = (&Small, &Small)> {
    let mut random = Random::new(5);
    let is_right = |word: &&Small| !constant || word.members.len() == 1;
    let right: Vec<&Small> = all.iter().filter(is_right).collect();
    let pair = move |_| (&all[random.below(all.len())], random.pick(&right));
    (0..PAIRS).map(pair)
}

fn thousandths(hits: impl Iterator<Item = bool>) -> u32 {
    let (mut good, mut all) = (0, 0);
    for hit in hits {
        good += u32::from(hit);
        all += 1;
    }
    1_000 * good / all
}

fn members(a: &Small, b: &Small) -> Vec<(u64, u64)> {
    let each = |one: &u64| {
        b.members
            .iter()
            .map(move |two| (*one, *two))
            .collect::<Vec<_>>()
    };
    a.members.iter().flat_map(each).collect()
}

fn is_best(op: Arithmetic, wide: bool, a: &Small, b: &Small) -> bool {
    let results = members(a, b).into_iter();
    let results = results.map(|(one, two)| computed_of::<4, 2>(op, wide, one, two));
    hull(&results.collect::<Vec<_>>()) == Some(computed(op, wide, a.word, b.word))
}

/// The share of best results of every operation does not fall.
#[test]
fn results_are_often_the_best() {
    let all = all();
    for (op, floors) in RESULTS {
        let kinds = [(true, false), (false, false), (true, true), (false, true)];
        let shares = kinds.map(|(wide, constant)| {
            let pairs = pairs(&all, constant);
            thousandths(pairs.map(|(a, b)| is_best(op, wide, a, b)))
        });
        let is_enough = shares
            .iter()
            .zip(floors)
            .all(|(share, floor)| *share >= floor);
        assert!(is_enough, "{op:?}: {shares:?}, floors {floors:?}");
    }
}

/// The smallest words with the pairs of members for which it comes out so.
fn outcome(
    op: Comparison,
    wide: bool,
    holds: bool,
    pairs: &[(u64, u64)],
) -> Option<(Word<4, 2>, Word<4, 2>)> {
    let kept = pairs
        .iter()
        .filter(|(a, b)| compared_of::<4, 2>(op, wide, *a, *b) == holds);
    let (left, right): (Vec<u64>, Vec<u64>) = kept.copied().unzip();
    hull(&left).zip(hull(&right))
}

/// Both operands of a comparison are refined as far as can be; only a test of
/// bits says things that a word cannot.
#[test]
fn branches_refine_as_far_as_can_be() {
    let all = all();
    for op in COMPARISONS {
        for wide in [true, false] {
            let hits = pairs(&all, false).flat_map(|(a, b)| {
                let pairs = members(a, b);
                [true, false].map(|holds| {
                    let found = assumed(op, wide, holds, a.word, b.word);
                    found == outcome(op, wide, holds, &pairs)
                })
            });
            let share = thousandths(hits);
            assert!(
                share >= if op == Comparison::Set { 620 } else { 990 },
                "{op:?} {share}"
            );
        }
    }
}

/// A comparison of order is decided whenever the members decide it, others
/// nearly so.
#[test]
fn comparisons_are_decided() {
    let all = all();
    for op in COMPARISONS {
        let floor = match op {
            Comparison::Eq | Comparison::Ne => 980,
            Comparison::Set => 530,
            _ => 1_000,
        };
        let hits = pairs(&all, false).flat_map(|(a, b)| {
            [true, false].map(|wide| {
                let pairs = members(a, b);
                let can = [false, true].map(|holds| outcome(op, wide, holds, &pairs).is_some());
                let certain = (can[0] != can[1]).then_some(can[1]);
                certain.map(|_| certain == decided(op, wide, a.word, b.word))
            })
        });
        let share = thousandths(hits.flatten());
        assert!(share >= floor, "{op:?}: {share}");
    }
}
