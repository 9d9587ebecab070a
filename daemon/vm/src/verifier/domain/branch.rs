//! Which way a comparison goes, and what each way says of its operands.
//!
//! A comparison and its outcome come down to a few [`Relation`]s.  A 32-bit
//! comparison is one of the low halves: it refines these only, the whole
//! numbers follow by reduction.

use super::arithmetic::no_bits;
use super::concrete::compared;
use super::halves::{Halves, Range};
use super::scalar::{Parts, Scalar, Word};
use super::view::View;
use super::{Mutation, Tnum, on, width};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    SGt,
    SGe,
    SLt,
    SLe,
    /// A bit is 1 in both.
    Set,
}

/// What holds between two numbers, the smaller one first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Relation {
    Equal,
    Different,
    Below { strictly: bool },
    SignedBelow { strictly: bool },
    SharesBits,
    SharesNone,
}

use Comparison::*;
use Relation::*;

/// `Some`: the comparison always has this outcome.
pub fn decide(op: Comparison, wide: bool, a: Scalar, b: Scalar) -> Option<bool> {
    decided(op, wide, a, b)
}

/// The operands after this outcome; `None`: it is impossible.
pub fn assume(
    op: Comparison,
    wide: bool,
    holds: bool,
    a: Scalar,
    b: Scalar,
) -> Option<(Scalar, Scalar)> {
    assumed(op, wide, holds, a, b)
}

pub fn decided<const W: u32, const H: u32>(
    op: Comparison,
    wide: bool,
    a: Word<W, H>,
    b: Word<W, H>,
) -> Option<bool> {
    match (
        possible(op, wide, true, a, b),
        possible(op, wide, false, a, b),
    ) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

pub fn assumed<const W: u32, const H: u32>(
    op: Comparison,
    wide: bool,
    holds: bool,
    a: Word<W, H>,
    b: Word<W, H>,
) -> Option<(Word<W, H>, Word<W, H>)> {
    if let (Some(one), Some(two)) = (a.known(), b.known()) {
        return (outcome::<W, H>(op, wide, one, two) == holds).then_some((a, b));
    }
    let (relation, turned) = relation(op, holds);
    let (one, two) = if turned { (b, a) } else { (a, b) };
    let (one, two) = match wide {
        true => refined_wide(relation, one, two)?,
        false => refined_narrow(relation, one, two)?,
    };
    Some(if turned { (two, one) } else { (one, two) })
}

fn outcome<const W: u32, const H: u32>(op: Comparison, wide: bool, a: u64, b: u64) -> bool {
    match wide {
        true => compared::<W>(op, a, b),
        false => compared::<H>(op, a & width::mask(H), b & width::mask(H)),
    }
}

/// The relation of an outcome, and whether it holds from right to left.
fn relation(op: Comparison, holds: bool) -> (Relation, bool) {
    let strictly = holds;
    match (op, holds) {
        (Eq, true) | (Ne, false) => (Equal, false),
        (Eq, false) | (Ne, true) => (Different, false),
        (Set, true) => (SharesBits, false),
        (Set, false) => (SharesNone, false),
        (Lt, _) => (Below { strictly }, !holds),
        (Gt, _) => (Below { strictly }, holds),
        (Le, _) => (Below { strictly: !holds }, !holds),
        (Ge, _) => (Below { strictly: !holds }, holds),
        (SLt, _) => (SignedBelow { strictly }, !holds),
        (SGt, _) => (SignedBelow { strictly }, holds),
        (SLe, _) => (SignedBelow { strictly: !holds }, !holds),
        (SGe, _) => (SignedBelow { strictly: !holds }, holds),
    }
}

type Pair<const W: u32, const H: u32> = (Word<W, H>, Word<W, H>);

fn refined_wide<const W: u32, const H: u32>(
    relation: Relation,
    a: Word<W, H>,
    b: Word<W, H>,
) -> Option<Pair<W, H>> {
    if relation == Equal {
        let both = a.meet(b)?;
        return Some((both, both));
    }
    let (one, two) = refined(relation, a.parts().wide_view(), b.parts().wide_view())?;
    let put = |word: Word<W, H>, view: View<W>| {
        let parts = Parts {
            bits: view.bits,
            wide: view.halves,
            ..word.parts()
        };
        rebuilt(word, parts)
    };
    Some((put(a, one)?, put(b, two)?))
}

fn refined_narrow<const W: u32, const H: u32>(
    relation: Relation,
    a: Word<W, H>,
    b: Word<W, H>,
) -> Option<Pair<W, H>> {
    let (one, two) = refined(relation, a.parts().narrow_view(), b.parts().narrow_view())?;
    let put = |word: Word<W, H>, view: View<H>| {
        let upper = width::mask(W) & !width::mask(H);
        let parts = Parts {
            bits: Tnum {
                value: word.bits().value & upper | view.bits.value,
                mask: word.bits().mask & upper | view.bits.mask,
            },
            narrow: view.halves,
            ..word.parts()
        };
        rebuilt(word, parts)
    };
    Some((put(a, one)?, put(b, two)?))
}

fn rebuilt<const W: u32, const H: u32>(word: Word<W, H>, parts: Parts<W, H>) -> Option<Word<W, H>> {
    match parts == word.parts() {
        true => Some(word),
        false => parts.reduced(),
    }
}

/// Both views of one width, cut to what the relation allows.
fn refined<const W: u32>(relation: Relation, a: View<W>, b: View<W>) -> Option<(View<W>, View<W>)> {
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

/// Whether an outcome is possible, as far as can be told without refining.
fn possible<const W: u32, const H: u32>(
    op: Comparison,
    wide: bool,
    holds: bool,
    a: Word<W, H>,
    b: Word<W, H>,
) -> bool {
    let (relation, turned) = relation(op, holds);
    let (a, b) = if turned { (b, a) } else { (a, b) };
    let (one, two) = (a.parts(), b.parts());
    match wide {
        true if relation == Equal => could_be_equal(a, b),
        true => allows(relation, one.wide_view(), two.wide_view()),
        false => allows(relation, one.narrow_view(), two.narrow_view()),
    }
}

fn could_be_equal<const W: u32, const H: u32>(a: Word<W, H>, b: Word<W, H>) -> bool {
    let (one, two) = (a.parts(), b.parts());
    allows(Equal, one.wide_view(), two.wide_view())
        && match (a.known(), b.known()) {
            (Some(number), _) => b.contains(number),
            (_, Some(number)) => a.contains(number),
            _ => a.meet(b).is_some(),
        }
}

fn allows<const W: u32>(relation: Relation, a: View<W>, b: View<W>) -> bool {
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
