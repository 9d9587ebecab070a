//! What compilers write and mistakes of the past, with what must be known.

use crate::verifier::domain::Arithmetic::{self, *};
use crate::verifier::domain::Comparison::{self, *};
use crate::verifier::domain::{Scalar, Tnum, arithmetic, assume, decide};

fn constant(number: i64) -> Scalar {
    Scalar::constant(number as u64)
}

fn with(op: Arithmetic, a: Scalar, b: i64) -> Scalar {
    arithmetic(op, true, a, constant(b))
}

fn with32(op: Arithmetic, a: Scalar, b: i64) -> Scalar {
    arithmetic(op, false, a, constant(b))
}

fn taken(op: Comparison, a: Scalar, b: i64) -> Scalar {
    assume(op, true, true, a, constant(b)).expect("possible").0
}

fn taken32(op: Comparison, a: Scalar, b: i64) -> Scalar {
    assume(op, false, true, a, constant(b)).expect("possible").0
}

/// A cast written as two shifts keeps what the low half is known to be.
#[test]
fn pairs_of_shifts_are_casts() {
    let small = taken32(Le, Scalar::UNKNOWN, 100);
    let unsigned = with(Rsh, with(Lsh, small, 32), 32);
    assert_eq!((0, 100), (unsigned.umin(), unsigned.umax()));
    let around = taken32(SLe, taken32(SGe, Scalar::UNKNOWN, -5), 7);
    let signed = with(Arsh, with(Lsh, around, 32), 32);
    assert_eq!((-5, 7), (signed.smin(), signed.smax()));
    assert_eq!(signed, around.sign_extended(32));
}

/// The length of an IPv4 header is a multiple of four up to 60.
#[test]
fn masks_bound_and_align() {
    let length = with(And, with(Lsh, Scalar::loaded(1), 2), 0x3c);
    assert_eq!((0, 60), (length.umin(), length.umax()));
    assert_eq!(
        Tnum {
            value: 0,
            mask: 0x3c
        },
        length.bits()
    );
    let aligned = with(And, Scalar::unsigned(5, 103), !3);
    assert_eq!((4, 100), (aligned.umin(), aligned.umax()));
}

/// Bytes that are joined one by one become a number of their size.
#[test]
fn joined_bytes_are_a_number() {
    let high = with(Lsh, Scalar::unsigned(1, 8), 8);
    let joined = arithmetic(Or, true, high, Scalar::unsigned(3, 200));
    assert_eq!((0x103, 0x8c8), (joined.umin(), joined.umax()));
}

/// Two tests of a 32-bit index bound its extension.
#[test]
fn low_halves_bound_what_is_extended() {
    let index = taken32(Lt, taken32(Ge, Scalar::UNKNOWN, 4), 10);
    assert_eq!(!0xffff_ffff | 9, index.umax());
    assert_eq!((4, 9), (index.low32().umin(), index.low32().umax()));
}

/// Known not to be negative and below a bound, as signed, is a small number.
#[test]
fn both_signs_bound_an_index() {
    let index = taken(SLt, taken(SGe, Scalar::UNKNOWN, 0), 64);
    assert_eq!((0, 63), (index.umin(), index.umax()));
    assert_eq!((0, 63), (index.s32min(), index.s32max()));
}

/// `!=` moves a bound only at the end, past numbers that the bits rule out.
#[test]
fn inequality_trims_the_ends() {
    let counter = with(Lsh, Scalar::unsigned(0, 16), 2);
    assert_eq!(60, taken(Ne, counter, 64).umax());
    assert_eq!(4, taken(Ne, counter, 0).umin());
    assert_eq!(counter, taken(Ne, counter, 32));
}

/// A test of one bit makes it known, both ways; a test of two does not.
#[test]
fn bit_tests_teach_bits() {
    let one = taken(Set, Scalar::UNKNOWN, 8);
    assert_eq!((8, !8), (one.bits().value, one.bits().mask));
    let none = assume(Set, true, false, Scalar::UNKNOWN, constant(12)).expect("possible");
    assert_eq!((0, !12), (none.0.bits().value, none.0.bits().mask));
    let either = taken(Set, Scalar::UNKNOWN, 12);
    assert_eq!(Tnum::UNKNOWN, either.bits());
    assert_eq!(4, either.umin());
}

/// What Linux once believed (CVE-2020-27194, -31440, -3444, CVE-2021-45402).
#[test]
fn old_beliefs_are_not_shared() {
    let large = Scalar::unsigned(0, 0x6_0000_0001);
    assert_eq!(u64::from(u32::MAX), with32(Or, large, 0).umax());
    assert_eq!(0, taken(Ge, Scalar::UNKNOWN, 1).u32min());
    let kept = with32(Mod, constant(0x1_0000_0005), 1 << 32);
    assert_eq!(Some(5), kept.known());
    let negative = with32(Arsh, Scalar::loaded(4), 0);
    assert_eq!(0, negative.smin());
}

/// An error code is zero or negative: the sign decides.
#[test]
fn hulls_keep_what_decides() {
    let code = constant(0).hull(constant(-22));
    assert_eq!(None, decide(Ne, false, code, constant(0)));
    assert_eq!(
        Some(0),
        assume(Ne, false, false, code, constant(0)).and_then(|x| x.0.known())
    );
    assert_eq!(Some(false), decide(SGt, true, code, constant(0)));
    assert_eq!(
        Some(-22),
        taken(SLt, code, 0).known().map(|code| code as i64)
    );
}

/// Counts of shifts are taken modulo the width, ranges of counts bound.
#[test]
fn unknown_counts_bound_results() {
    let count = Scalar::unsigned(3, 5);
    let flag = arithmetic(Lsh, true, constant(1), count);
    assert_eq!((8, 32), (flag.umin(), flag.umax()));
    assert_eq!(56, flag.bits().mask);
    let any = arithmetic(Rsh, true, Scalar::loaded(2), Scalar::UNKNOWN);
    assert_eq!(65_535, any.umax());
}

/// Divisions by ranges and by what may be zero.
#[test]
fn divisions_are_bounded() {
    let by = Scalar::unsigned(0, 10);
    assert_eq!(
        100,
        arithmetic(Div, true, Scalar::unsigned(50, 100), by).umax()
    );
    assert_eq!(
        100,
        arithmetic(Mod, true, Scalar::unsigned(50, 100), by).umax()
    );
    let by = Scalar::unsigned(4, 10);
    let quotient = arithmetic(Div, true, Scalar::unsigned(50, 100), by);
    assert_eq!((5, 25), (quotient.umin(), quotient.umax()));
    assert_eq!(
        9,
        arithmetic(Mod, true, Scalar::unsigned(50, 100), by).umax()
    );
    let signed = arithmetic(SMod, true, Scalar::signed(-100, 3), constant(-8));
    assert_eq!((-7, 3), (signed.smin(), signed.smax()));
    let lowest = arithmetic(SDiv, true, constant(i64::MIN), constant(-1));
    assert_eq!(Some(i64::MIN as u64), lowest.known());
}

/// Byte order: a load of two bytes stays one.
#[test]
fn swaps_keep_the_size() {
    assert_eq!(Scalar::loaded(2), Scalar::loaded(2).swapped(16));
    assert_eq!(Some(0x3412), constant(0x1234).swapped(16).known());
    assert_eq!(255 << 8, Scalar::loaded(1).swapped(16).umax());
}

/// A word says what it knows, and no more.
#[test]
fn descriptions_are_short() {
    let of = |scalar: Scalar| format!("{scalar:?}");
    assert_eq!("0x5", of(constant(5)));
    assert_eq!("unknown", of(Scalar::loaded(8)));
    assert_eq!("unknown", of(Scalar::loaded_signed(8)));
    assert_eq!(
        "u 0x0..=0xff s 0..=255 bits 0x0/0xff",
        of(Scalar::loaded(1))
    );
    let signed = Scalar::loaded_signed(1);
    assert_eq!((-128, 127), (signed.smin(), signed.smax()));
    assert_eq!((-128, 127), (signed.s32min(), signed.s32max()));
}
