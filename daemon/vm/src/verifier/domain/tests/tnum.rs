//! Known bits alone, exhaustively at four bits.

use crate::verifier::domain::Tnum;

const WIDTH: u32 = 4;

fn all() -> Vec<Tnum> {
    let numbers = || 0..1_u64 << WIDTH;
    let each = |mask| {
        let values = numbers().filter(move |value| value & mask == 0);
        values.map(move |value| Tnum { value, mask })
    };
    numbers().flat_map(each).collect()
}

fn members(bits: Tnum) -> Vec<u64> {
    let numbers = 0..1 << WIDTH;
    numbers.filter(|number| bits.contains(*number)).collect()
}

/// The smallest description of these numbers.
fn best(numbers: impl Iterator<Item = u64>) -> Tnum {
    let constants = numbers.map(|number| Tnum::constant(number).truncated(WIDTH));
    constants.reduce(Tnum::hull).expect("numbers")
}

type Abstract = fn(Tnum, Tnum) -> Tnum;
type Concrete = fn(u64, u64) -> u64;

/// Sound and how many of the pairs are the best.
fn optimal(of: Abstract, is: Concrete) -> usize {
    let all = all();
    let mut count = 0;
    for a in &all {
        for b in &all {
            let found = of(*a, *b).truncated(WIDTH);
            let right = members(*b);
            let results = members(*a).into_iter();
            let ideal = best(results.flat_map(|a| right.iter().map(move |b| is(a, *b))));
            assert!(found.includes(ideal), "{a:?} {b:?}: {found:?}");
            count += usize::from(found == ideal);
        }
    }
    count
}

/// Sums and bitwise operations could not be better.
#[test]
fn simple_operations_are_optimal() {
    let operations: [(Abstract, Concrete); 5] = [
        (Tnum::add, u64::wrapping_add),
        (Tnum::sub, u64::wrapping_sub),
        (Tnum::and, |a, b| a & b),
        (Tnum::or, |a, b| a | b),
        (Tnum::xor, |a, b| a ^ b),
    ];
    for (of, is) in operations {
        assert_eq!(81 * 81, optimal(of, is));
    }
}

/// Products are the best in at least 96 of 100 cases.
#[test]
fn products_are_nearly_optimal() {
    assert!(optimal(Tnum::mul, u64::wrapping_mul) >= 81 * 81 * 96 / 100);
}

/// The next member from any number on, and the last one up to it.
#[test]
fn neighbours_are_the_nearest_members() {
    for bits in all() {
        for bound in 0..1 << WIDTH {
            let members = members(bits);
            let next = members.iter().find(|member| **member >= bound);
            let last = members.iter().rfind(|member| **member <= bound);
            assert_eq!(next.copied(), bits.at_least(bound));
            assert_eq!(last.copied(), bits.at_most(bound));
        }
    }
}

/// A meet has what is in both, an inclusion is one of members.
#[test]
fn the_lattice_is_one_of_sets() {
    for a in all() {
        for b in all() {
            let mut both = members(a);
            both.retain(|member| b.contains(*member));
            assert_eq!(both, a.meet(b).map(members).unwrap_or_default());
            let is_part = members(b).iter().all(|member| a.contains(*member));
            assert_eq!(is_part, a.includes(b));
        }
    }
}

/// What a range shares is what all its numbers share.
#[test]
fn a_range_shares_its_leading_bits() {
    for low in 0..1_u64 << WIDTH {
        for high in low..1 << WIDTH {
            assert!((low..=high).all(|number| Tnum::spanning(low, high).contains(number)));
        }
    }
}
