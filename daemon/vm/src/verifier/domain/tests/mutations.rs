//! The checks themselves: every seeded bug of the domain makes one fail.

use super::checks::{self, Outcome};
use super::exhaustive::{self, Small};
use super::random;
use crate::verifier::mutation::{DOMAIN, with};

/// All checks, briefly.
fn brief(all: &[Small]) -> Outcome {
    random::reductions(2_000)?;
    exhaustive::reductions(2_000)?;
    random::each_pair(checks::lattice::<64, 32>, 2_000)?;
    random::each_pair(random::casts, 2_000)?;
    exhaustive::each_pair(all, checks::branches, 2_000)?;
    exhaustive::each_pair(all, checks::arithmetic, 2_000)?;
    random::each_pair(checks::branches::<64, 32>, 5_000)?;
    random::each_pair(checks::arithmetic::<64, 32>, 5_000)
}

/// They pass without a bug, and fail with any.
#[test]
fn every_seeded_bug_is_found() {
    let all = exhaustive::all();
    assert_eq!(Ok(()), brief(&all));
    for mutation in DOMAIN {
        let found = with(mutation, || brief(&all));
        assert!(found.is_err(), "{mutation:?} was not found");
    }
}

/// One that was switched on does not outlast its run.
#[test]
fn a_seeded_bug_ends_with_its_run() {
    let [first, ..] = DOMAIN;
    assert!(with(first, || crate::verifier::mutation::on(first)));
    assert!(!crate::verifier::mutation::on(first));
}
