//! Quotients and remainders.  Nothing traps: dividing by zero gives 0, the
//! remainder by zero is the dividend, and the smallest number by -1 itself.
//!
//! Signed ones are those of the magnitudes with a sign: that of a quotient is
//! the product of the signs, that of a remainder the dividend's.

use super::Tnum;
use super::arithmetic::Arithmetic::{self, *};
use super::arithmetic::{no_bits, over_ranges};
use super::halves::{Halves, Range};
use super::view::View;
use super::{Mutation, on, width};

/// Divided by one, or the remainder by zero or by more than there is.
pub fn is_unchanged<const W: u32>(op: Arithmetic, a: View<W>, b: View<W>) -> bool {
    match op {
        Div | SDiv => b.known() == Some(1),
        Mod => b.known() == Some(0) || a.halves.umax() < b.halves.umin(),
        SMod => b.known() == Some(0),
        _ => false,
    }
}

pub fn division<const W: u32>(op: Arithmetic, a: View<W>, b: View<W>) -> View<W> {
    if is_unchanged(op, a, b) {
        return a;
    }
    let halves = match op {
        Div => over_ranges(a.halves, b.halves, |found, a, b| {
            found.cover_range(quotient(a, b));
        }),
        Mod => over_ranges(a.halves, b.halves, |found, a, b| {
            found.cover_range(remainder(a, b));
        }),
        SDiv => over_ranges(a.halves, b.halves, |found, a, b| {
            let size = quotient(magnitude::<W>(a), magnitude::<W>(b));
            cover(found, size, is_high::<W>(a) != is_high::<W>(b));
        }),
        _ => over_ranges(a.halves, b.halves, |found, a, b| {
            let size = remainder(magnitude::<W>(a), magnitude::<W>(b));
            cover(found, size, is_high::<W>(a));
        }),
    };
    View {
        bits: bits(op, a, b),
        halves,
    }
}

fn quotient(a: Range, b: Range) -> Range {
    let from = match b.from {
        0 => 0,
        _ => a.from / b.to,
    };
    let to = a.to.checked_div(b.from.max(1).min(b.to)).unwrap_or(0);
    Range::new(from, to)
}

fn remainder(a: Range, b: Range) -> Range {
    if b.to == 0 || a.to < b.from {
        return a;
    }
    if b.from == 0 && !on(Mutation::RemainderByZero) {
        return Range::new(0, a.to);
    }
    if b.from == b.to && a.from / b.to == a.to / b.to {
        return Range::new(a.from % b.to, a.to % b.to);
    }
    Range::new(0, a.to.min(b.to - 1))
}

const fn is_high<const W: u32>(range: Range) -> bool {
    range.from >= width::sign(W)
}

/// Absolute values of a range of one half.
fn magnitude<const W: u32>(range: Range) -> Range {
    let size = |number| width::extended(number, W).unsigned_abs();
    match is_high::<W>(range) {
        true => Range::new(size(range.to), size(range.from)),
        false => range,
    }
}

fn cover<const W: u32>(found: &mut Halves<W>, size: Range, negative: bool) {
    let (from, to) = (i128::from(size.from), i128::from(size.to));
    match negative {
        false if on(Mutation::SmallestByMinusOne) => {
            let most = i128::from(width::sign(W) - 1);
            found.cover(from.min(most), to.min(most));
        }
        true => found.cover(-to, -from),
        false => found.cover(from, to),
    }
}

/// A division by a power of two is a shift; a remainder differs from its
/// dividend by a multiple of the divisor.
fn bits<const W: u32>(op: Arithmetic, a: View<W>, b: View<W>) -> Tnum {
    match (op, b.known()) {
        (Div, Some(divisor)) if divisor.is_power_of_two() => a.bits.rsh(divisor.trailing_zeros()),
        (Mod, Some(divisor)) if divisor.is_power_of_two() => {
            a.bits.and(Tnum::constant(divisor - 1))
        }
        (Mod | SMod, _) => kept(a.bits, b.bits.possible().trailing_zeros(), W),
        _ => no_bits(W),
    }
}

/// The lowest `count` bits, and nothing of the others.
fn kept(bits: Tnum, count: u32, width: u32) -> Tnum {
    let lost = u64::MAX.checked_shl(count).unwrap_or(0) & width::mask(width);
    Tnum {
        value: bits.value & !lost,
        mask: bits.mask | lost,
    }
}
