//! What can be between two numbers of one width, and what that says of each.

use super::arithmetic::no_bits;
use super::halves::{Halves, Range};
use super::view::View;
use super::{Mutation, Tnum, on, width};

/// What holds between two numbers, the smaller one first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    Equal,
    Different,
    Below { strictly: bool },
    SignedBelow { strictly: bool },
    SharesBits,
    SharesNone,
}

use Relation::*;

/// Both views of one width, cut to what the relation allows.
pub fn refined<const W: u32>(
    relation: Relation,
    a: View<W>,
    b: View<W>,
) -> Option<(View<W>, View<W>)> {
    match relation {
        Equal => equal(a, b),
        Different => Some((different(a, b), different(b, a))),
        Below { strictly } => below(strictly, a, b),
        SignedBelow { strictly } => signed_below(strictly, a, b),
        SharesBits => Some((sharing(a, b)?, sharing(b, a)?)),
        SharesNone => Some((disjoint(a, b)?, disjoint(b, a)?)),
    }
}

fn equal<const W: u32>(a: View<W>, b: View<W>) -> Option<(View<W>, View<W>)> {
    let both = View {
        bits: a.bits.meet(b.bits)?,
        halves: a.halves.meet(b.halves),
    };
    Some((both, both))
}

/// Only a constant at an end can be ruled out.
fn different<const W: u32>(a: View<W>, b: View<W>) -> View<W> {
    match b.known() {
        Some(constant) => View {
            halves: a.halves.without(constant),
            ..a
        },
        None => a,
    }
}

fn cut<const W: u32>(view: View<W>, to: Halves<W>) -> View<W> {
    View {
        halves: view.halves.meet(to),
        ..view
    }
}

fn below<const W: u32>(strictly: bool, a: View<W>, b: View<W>) -> Option<(View<W>, View<W>)> {
    let step = u64::from(strictly || on(Mutation::OffByOne));
    let most = b.halves.umax().checked_sub(step)?;
    let least = a.halves.umin().checked_add(step)?;
    let least = Halves::unsigned(least, width::mask(W));
    Some((cut(a, Halves::unsigned(0, most)), cut(b, least)))
}

fn signed_below<const W: u32>(
    strictly: bool,
    a: View<W>,
    b: View<W>,
) -> Option<(View<W>, View<W>)> {
    let step = i64::from(strictly);
    let lowest = width::extended(width::sign(W), W);
    let highest = width::extended(width::sign(W) - 1, W);
    let most = b.halves.smax().checked_sub(step)?;
    let least = a.halves.smin().checked_add(step)?;
    let (upper, lower) = (Halves::signed(lowest, most), Halves::signed(least, highest));
    Some((cut(a, upper), cut(b, lower)))
}

/// One of the bits that both may have is 1.
fn sharing<const W: u32>(a: View<W>, b: View<W>) -> Option<View<W>> {
    let common = a.bits.possible() & b.bits.possible();
    if common == 0 {
        return None;
    }
    let mut shares = a;
    shares.halves.low = sharing_range(a.halves.low, common);
    shares.halves.high = sharing_range(a.halves.high, common);
    if common.is_power_of_two() || on(Mutation::AllBitsSet) {
        shares.bits.value |= common;
        shares.bits.mask &= !common;
    }
    Some(shares)
}

/// A range that begins and ends with numbers that have one of these bits.
///
/// An end that has none moves on to the nearest number in which the lowest of
/// them changes: upwards by setting that bit, downwards by borrowing.
fn sharing_range(range: Range, bits: u64) -> Range {
    let Range { mut from, mut to } = range;
    let lowest = bits & bits.wrapping_neg();
    if range.is_empty() {
        return range;
    }
    if from & bits == 0 {
        from = from & !(lowest - 1) | lowest;
    }
    if to & bits == 0 {
        let rest = to & !(lowest - 1);
        to = rest.saturating_sub(1);
    }
    Range::new(from, to)
}

/// None of the bits that `b` certainly has is 1.
fn disjoint<const W: u32>(a: View<W>, b: View<W>) -> Option<View<W>> {
    let absent = Tnum {
        value: 0,
        mask: no_bits(W).mask & !b.bits.value,
    };
    let bits = a.bits.meet(absent)?;
    Some(View { bits, ..a })
}

/// Whether it can be, as far as can be told without refining.
pub fn allows<const W: u32>(relation: Relation, a: View<W>, b: View<W>) -> bool {
    match relation {
        Equal
            if on(Mutation::NothingKnownDiffers)
                && a.bits.mask | b.bits.mask == no_bits(W).mask =>
        {
            false
        }
        Equal => a.bits.meet(b.bits).is_some() && !a.halves.meet(b.halves).is_empty(),
        Different => a.known().is_none() || a.known() != b.known(),
        Below { strictly: true } => a.halves.umin() < b.halves.umax(),
        Below { strictly: false } => a.halves.umin() <= b.halves.umax(),
        SignedBelow { .. } if on(Mutation::UnsignedDecision) => a.halves.umin() <= b.halves.umax(),
        SignedBelow { strictly: true } => a.halves.smin() < b.halves.smax(),
        SignedBelow { strictly: false } => a.halves.smin() <= b.halves.smax(),
        SharesBits => sharing(a, b).is_some_and(|shares| !shares.halves.is_empty()),
        SharesNone => a.bits.value & b.bits.value == 0,
    }
}
