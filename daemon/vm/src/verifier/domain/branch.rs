//! Which way a comparison goes, and what each way says of its operands.
//!
//! A comparison and its outcome come down to a few [`Relation`]s.  A 32-bit
//! comparison is one of the low halves: it refines these only, the whole
//! numbers follow by reduction.  Operands are values, each refined by itself:
//! none is written through a place that both share.

use super::concrete::compared;
use super::relation::Relation::{self, *};
use super::relation::{allows, refined};
use super::scalar::{Parts, Scalar, Word};
use super::view::View;
use super::{Tnum, width};

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

use Comparison::*;

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
    if let (Some(a), Some(b)) = (a.known(), b.known()) {
        return Some(outcome::<W, H>(op, wide, a, b));
    }
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
