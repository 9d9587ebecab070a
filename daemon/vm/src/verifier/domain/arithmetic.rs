//! What an instruction makes of its operands.
//!
//! A 32-bit instruction computes with the low halves alone and extends its
//! result with zeros.  A 64-bit one computes with the whole numbers; where the
//! low half of a result depends on those of the operands only, it is computed
//! a second time with them, which knows more after a 32-bit comparison.

use super::bitwise::bitwise;
use super::concrete::concrete;
use super::division::{division, is_unchanged};
use super::halves::{Halves, Range};
use super::scalar::{Parts, Scalar, Word};
use super::shift::{shifted, shifted_word};
use super::view::View;
use super::{Mutation, Tnum, on, width};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    SDiv,
    Mod,
    SMod,
    Or,
    And,
    Xor,
    Lsh,
    Rsh,
    Arsh,
    Neg,
}

use Arithmetic::*;

/// The result of an instruction of 64 bits (`wide`) or of 32, which are extended.
pub fn arithmetic(op: Arithmetic, wide: bool, a: Scalar, b: Scalar) -> Scalar {
    computed(op, wide, a, b)
}

pub fn computed<const W: u32, const H: u32>(
    op: Arithmetic,
    wide: bool,
    a: Word<W, H>,
    b: Word<W, H>,
) -> Word<W, H> {
    let b = if op == Neg { Word::constant(0) } else { b };
    if let (Some(a), Some(b)) = (a.known(), b.known()) {
        return Word::constant(match wide {
            true => concrete::<W>(op, a, b),
            false => concrete::<H>(op, a & width::mask(H), b & width::mask(H)),
        });
    }
    let (a, b) = (a.parts(), b.parts());
    let result = match wide {
        true => wide_parts(op, a, b),
        false => Parts::zero_extended(view(op, a.narrow_view(), b.narrow_view())),
    };
    result.reduced().unwrap_or(Word::UNKNOWN)
}

fn wide_parts<const W: u32, const H: u32>(
    op: Arithmetic,
    a: Parts<W, H>,
    b: Parts<W, H>,
) -> Parts<W, H> {
    if matches!(op, Lsh | Rsh | Arsh) {
        return shifted_word(op, a, b);
    }
    if is_unchanged(op, a.wide_view(), b.wide_view()) {
        return a;
    }
    let View { bits, halves } = view(op, a.wide_view(), b.wide_view());
    let narrow = match op {
        Div | SDiv | Mod | SMod => Halves::FULL,
        _ => view(op, a.narrow_view(), b.narrow_view()).halves,
    };
    Parts {
        bits,
        wide: halves,
        narrow,
    }
}

/// The result at one width.
pub fn view<const W: u32>(op: Arithmetic, a: View<W>, b: View<W>) -> View<W> {
    match op {
        Add | Sub | Mul => sums(op, a, b),
        Neg => sums(Sub, View::constant(0), a),
        Div | SDiv | Mod | SMod => division(op, a, b),
        Or | And | Xor => bitwise(op, a, b),
        Lsh | Rsh | Arsh => shifted(op, a, b),
    }
}

pub fn sums<const W: u32>(op: Arithmetic, a: View<W>, b: View<W>) -> View<W> {
    let bits = match op {
        Add => a.bits.add(b.bits),
        Sub => a.bits.sub(b.bits),
        _ => a.bits.mul(b.bits),
    };
    View {
        bits: bits.truncated(W),
        halves: over_ranges(a.halves, b.halves, |found, one, two| {
            let (one, two) = (signed::<W>(one), signed::<W>(two));
            let (from, to) = match op {
                Add => (one.0 + two.0, one.1 + two.1),
                Sub => (one.0 - two.1, one.1 - two.0),
                _ => product(one, two),
            };
            found.cover(from, to);
        }),
    }
}

fn product(one: (i128, i128), two: (i128, i128)) -> (i128, i128) {
    let corners = [one.0 * two.0, one.0 * two.1, one.1 * two.0, one.1 * two.1];
    if on(Mutation::ProductOfEnds) {
        return (corners[0].min(corners[3]), corners[0].max(corners[3]));
    }
    let least = corners.into_iter().fold(i128::MAX, i128::min);
    let greatest = corners.into_iter().fold(i128::MIN, i128::max);
    (least, greatest)
}

/// The ends of a range of one half, as signed numbers with room to spare.
pub fn signed<const W: u32>(range: Range) -> (i128, i128) {
    let end = |number| i128::from(width::extended(number, W));
    (end(range.from), end(range.to))
}

/// What `each` finds for every pair of ranges, together.
pub fn over_ranges<const W: u32>(
    a: Halves<W>,
    b: Halves<W>,
    each: impl Fn(&mut Halves<W>, Range, Range),
) -> Halves<W> {
    let mut found = Halves::EMPTY;
    for one in a.ranges() {
        for two in b.ranges() {
            each(&mut found, one, two);
        }
    }
    found
}

/// Nothing is known of the bits of a result.
pub const fn no_bits(width: u32) -> Tnum {
    Tnum {
        value: 0,
        mask: width::mask(width),
    }
}
