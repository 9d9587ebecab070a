use std::collections::BTreeMap;

use super::{Kind, Pair, all_kinds};

const PROGRAMS: u64 = 2_000;

/// Both executors leave the same behind, whatever the program; every instruction is executed.
#[test]
fn compiled_programs_do_what_interpreted_ones_do() {
    let pair = Pair::new().expect("valid maps");
    let mut executed: BTreeMap<Kind, u64> = BTreeMap::new();
    let (mut long, mut free) = (0, 0);
    for seed in 1..=PROGRAMS {
        let outcome = pair.check(seed, None);
        assert_eq!(None, outcome.difference);
        long += u64::from(outcome.executed >= 20);
        free += u64::from(outcome.free);
        for (kind, count) in outcome.kinds {
            *executed.entry(kind).or_default() += count;
        }
    }
    let missing = all_kinds()
        .into_iter()
        .filter(|kind| executed.get(kind).is_none_or(|count| *count == 0));
    let missing: Vec<Kind> = missing.collect();
    assert!(missing.is_empty(), "never executed: {missing:x?}");
    assert!(long > PROGRAMS / 2, "{long} programs of some length");
    assert!(
        free > PROGRAMS / 4 && free < PROGRAMS,
        "{free} programs run free of a budget"
    );
}

/// Any input of a fuzzer stands for a valid program.
#[test]
fn every_input_is_a_program() {
    let pair = Pair::new().expect("valid maps");
    for length in 0..60_usize {
        let choices: Vec<u8> = (0..length * 5)
            .map(|place| (place * 89 + length) as u8)
            .collect();
        assert_eq!(None, pair.check_choices(&choices, None).difference);
    }
}

/// A program that the interpreter finishes within a budget is finished by compiled code.
#[test]
fn budgets_never_end_what_the_interpreter_finishes() {
    let pair = Pair::new().expect("valid maps");
    for seed in 1..=200 {
        for budget in [50, 200, 1_000] {
            assert_eq!(None, pair.check(seed, Some(budget)).difference);
        }
    }
}
