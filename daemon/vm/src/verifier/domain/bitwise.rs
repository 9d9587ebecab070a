//! Or, and, exclusive or.
//!
//! Bits are exact one by one.  Numbers that can share no bit are joined as by
//! addition, without a carry.  As for other bounds, `x | y` and `x ^ y` are at most
//! `x + y`, `x ^ y` is at least `|x - y|`, and the rest is the same of the
//! complements: `x & y` is the complement of `!x | !y`.

use super::arithmetic::Arithmetic::{self, *};
use super::arithmetic::{over_ranges, sums};
use super::halves::{Halves, Range};
use super::view::View;
use super::width;

pub fn bitwise<const W: u32>(op: Arithmetic, a: View<W>, b: View<W>) -> View<W> {
    if op != And && a.bits.possible() & b.bits.possible() == 0 {
        return sums(Add, a, b);
    }
    let bits = match op {
        Or => a.bits.or(b.bits),
        And => a.bits.and(b.bits),
        _ => a.bits.xor(b.bits),
    };
    let mut halves = over_ranges(a.halves, b.halves, |found, one, two| {
        found.cover_range(range::<W>(op, one, two));
    });
    if op == And {
        halves = remainders(halves, a, b);
    }
    View { bits, halves }
}

fn range<const W: u32>(op: Arithmetic, a: Range, b: Range) -> Range {
    match op {
        Or => either(a, b, width::mask(W)),
        And => complement::<W>(either(
            complement::<W>(a),
            complement::<W>(b),
            width::mask(W),
        )),
        _ => difference::<W>(a, b),
    }
}

fn complement<const W: u32>(range: Range) -> Range {
    Range::new(width::mask(W) - range.to, width::mask(W) - range.from)
}

fn either(a: Range, b: Range, most: u64) -> Range {
    Range::new(a.from.max(b.from), a.to.saturating_add(b.to).min(most))
}

fn difference<const W: u32>(a: Range, b: Range) -> Range {
    let apart = |a: Range, b: Range| {
        let least = a.from.saturating_sub(b.to);
        least.max(b.from.saturating_sub(a.to))
    };
    let most = width::mask(W);
    let sum = a.to.saturating_add(b.to).min(most);
    let complements = complement::<W>(a).to.saturating_add(complement::<W>(b).to);
    let to = sum
        .min(complements)
        .min(most - apart(a, complement::<W>(b)));
    Range::new(apart(a, b), to)
}

/// `x & (2^n - 1)` keeps the order of numbers that share their upper bits.
fn remainders<const W: u32>(found: Halves<W>, a: View<W>, b: View<W>) -> Halves<W> {
    match (a.known(), b.known()) {
        (_, Some(mask)) if mask & mask.wrapping_add(1) == 0 => found.meet(folded(a.halves, mask)),
        (Some(mask), _) if mask & mask.wrapping_add(1) == 0 => found.meet(folded(b.halves, mask)),
        _ => found,
    }
}

fn folded<const W: u32>(halves: Halves<W>, mask: u64) -> Halves<W> {
    let mut found = Halves::EMPTY;
    for Range { from, to } in halves.ranges() {
        found.cover_range(match from & !mask == to & !mask {
            true => Range::new(from & mask, to & mask),
            false => Range::new(0, mask),
        });
    }
    found
}
