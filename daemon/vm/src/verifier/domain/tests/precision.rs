//! How often a result is the smallest word that could be.

use super::checks::{compared_of, computed_of};
use super::exhaustive::all;
use super::subject::{Subject, hull};
use super::{COMPARISONS, OPERATIONS};
use crate::fixtures::Random;
use crate::verifier::domain::arithmetic::computed;
use crate::verifier::domain::branch::{assumed, decided};

#[test]
fn shares() {
    let all = all();
    for op in OPERATIONS {
        for wide in [true, false] {
            let mut random = Random::new(5);
            let (mut n, mut best) = (0, 0);
            let mut shown = 0;
            for _ in 0..10000 {
                let consts: Vec<&Subject<4, 2>> = all
                    .iter()
                    .filter(|s| s.members.len() == 1 || std::env::var("CONST").is_err())
                    .collect();
                let (a, b): (&Subject<4, 2>, &Subject<4, 2>) = (
                    &all[random.below(all.len())],
                    consts[random.below(consts.len())],
                );
                let images: Vec<u64> = a
                    .members
                    .iter()
                    .flat_map(|x| {
                        b.members
                            .iter()
                            .map(move |y| computed_of::<4, 2>(op, wide, *x, *y))
                    })
                    .collect();
                let ideal = hull::<4, 2>(&images).unwrap();
                let found = computed(op, wide, a.word, b.word);
                n += 1;
                if found == ideal {
                    best += 1
                } else if std::env::var("SHOW").is_ok_and(|s| s == format!("{op:?}{wide}"))
                    && shown < 10
                    && a.members.len() * b.members.len() < 10
                {
                    shown += 1;
                    eprintln!(
                        "{:?} {:?}\n  found {:?}\n  ideal {:?}",
                        a.members, b.members, found, ideal
                    );
                }
            }
            eprintln!("{op:?} {wide} {:.1} %", 100.0 * best as f64 / n as f64);
        }
    }
    for op in COMPARISONS {
        for wide in [true, false] {
            let mut random = Random::new(5);
            let (mut n, mut best, mut nd, mut dbest) = (0, 0, 0, 0);
            for _ in 0..10000 {
                let consts: Vec<&Subject<4, 2>> = all
                    .iter()
                    .filter(|s| s.members.len() == 1 || std::env::var("CONST").is_err())
                    .collect();
                let (a, b): (&Subject<4, 2>, &Subject<4, 2>) = (
                    &all[random.below(all.len())],
                    consts[random.below(consts.len())],
                );
                let mut outs = [false; 2];
                for holds in [true, false] {
                    let pairs: Vec<(u64, u64)> = a
                        .members
                        .iter()
                        .flat_map(|x| b.members.iter().map(move |y| (*x, *y)))
                        .filter(|(x, y)| compared_of::<4, 2>(op, wide, *x, *y) == holds)
                        .collect();
                    let left: Vec<u64> = pairs.iter().map(|p| p.0).collect();
                    let right: Vec<u64> = pairs.iter().map(|p| p.1).collect();
                    let ideal = hull::<4, 2>(&left).zip(hull::<4, 2>(&right));
                    outs[usize::from(holds)] = ideal.is_some();
                    let found = assumed(op, wide, holds, a.word, b.word);
                    n += 1;
                    if found == ideal {
                        best += 1
                    }
                }
                let ideal = match outs {
                    [true, false] => Some(false),
                    [false, true] => Some(true),
                    _ => None,
                };
                if ideal.is_some() {
                    nd += 1;
                    if decided(op, wide, a.word, b.word) == ideal {
                        dbest += 1
                    }
                }
            }
            eprintln!(
                "{op:?} {wide} assume {:.1} % decide {:.1} % of {nd}",
                100.0 * best as f64 / n as f64,
                100.0 * dbest as f64 / nd as f64
            );
        }
    }
}
