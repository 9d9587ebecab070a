use super::found::{Unsafe, unsafe_programs};
use super::{Features, Trial, Writer};
use crate::verifier::mutation::{self, Mutation};

/// Programs of a run of all tests: a few seconds.
const PROGRAMS: u64 = 2_000;
/// Programs that are tried to find out one mistake of the judge.
const SEARCHED: u64 = 1_500;

/// What is accepted runs inside of what was said of it.
#[test]
fn runs_stay_inside_of_what_was_said_of_them() {
    let trial = Trial::new().expect("valid maps");
    let mut accepted: Vec<Features> = Vec::new();
    for seed in 1..=PROGRAMS {
        let outcome = trial.check(seed);
        assert_eq!(None, outcome.failure.as_deref());
        assert_eq!(None, outcome.disagreement.as_deref());
        if outcome.accepted {
            accepted.push(outcome.features);
        }
    }
    let share = |is: fn(&Features) -> bool| {
        100 * accepted.iter().filter(|features| is(features)).count() / accepted.len()
    };
    assert!(accepted.len() as u64 > PROGRAMS / 5, "{}", accepted.len());
    assert!(share(|features| features.loops) >= 25);
    assert!(share(|features| features.packet) >= 25);
    assert!(share(|features| features.maps) >= 10);
    assert!(share(|features| features.calls) >= 10);
}

/// Any input of a fuzzer stands for a valid program.
#[test]
fn every_input_is_a_program() {
    let trial = Trial::new().expect("valid maps");
    for length in 0..60_usize {
        let choices: Vec<u8> = (0..length * 7)
            .map(|place| (place * 89 + length) as u8)
            .collect();
        let outcome = trial.check_choices(&choices);
        assert_eq!(None, outcome.failure.as_deref());
        let refused = outcome.refused.unwrap_or_default();
        assert!(!refused.starts_with("invalid"), "{refused}");
    }
}

/// What finds out a mistake, if anything does.
fn found_out(trial: &Trial, mistake: Mutation) -> Option<String> {
    let by_hand = unsafe_programs().into_iter();
    let accepted = |program: &Unsafe| {
        mutation::with(mistake, || {
            trial.is_accepted(&program.code, &program.starts)
        })
    };
    if let Some(program) = by_hand.into_iter().find(accepted) {
        return Some(program.name.to_owned());
    }
    let misjudged = |seed: &u64| {
        let (code, starts) = Writer::new(*seed).program();
        mutation::with(mistake, || trial.is_misjudged(&code, &starts, *seed))
    };
    let seed = (1..=SEARCHED).find(misjudged)?;
    Some(format!("program {seed}"))
}

/// Each mistake that the judge could make is found out, by a program or by a random one.
#[test]
fn mistakes_are_found_out() {
    let trial = Trial::new().expect("valid maps");
    for mistake in mutation::OURS {
        let found = found_out(&trial, mistake);
        println!("{mistake:?}: {found:?}");
        assert!(found.is_some(), "{mistake:?} would go unseen");
    }
}
