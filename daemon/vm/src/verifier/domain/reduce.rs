//! What each part of a word says about the others.
//!
//! The ranges are cut to the nearest numbers that the known bits allow, the
//! wide ones also to numbers whose low half lies in the narrow ones, the narrow
//! ones to low halves of the wide ones; known bits are what the numbers of the
//! ranges have in common.  Each step removes no number that satisfies all
//! parts, so any order and any number of them is sound; they are repeated
//! until nothing changes, which is soon.

use super::Tnum;
use super::halves::{Halves, Range};
use super::scalar::{Parts, Word};
use super::view::View;
use super::{Mutation, on, width};

/// Rounds after which a word is good enough.
const ROUNDS: usize = 4;

impl<const W: u32, const H: u32> Parts<W, H> {
    /// The same numbers, closely described; `None`: there are none.
    pub fn reduced(mut self) -> Option<Word<W, H>> {
        if self == Self::UNKNOWN {
            return Some(Word::UNKNOWN);
        }
        if self.wide.umax().min(self.bits.possible()) <= width::mask(H) {
            return self.is_its_low_half();
        }
        for _ in 0..ROUNDS {
            let next = self.tightened()?;
            let settled = next.bits == self.bits && next.narrow == self.narrow;
            self = next;
            if settled {
                break;
            }
        }
        Some(Word::assembled(self))
    }

    /// A number without an upper half is the number that its low half is.
    fn is_its_low_half(self) -> Option<Word<W, H>> {
        let Range { from, to } = self.wide.low;
        let whole = Halves::unsigned(from, to.min(width::mask(H)));
        let absent = Tnum {
            value: 0,
            mask: width::mask(H),
        };
        let low = View {
            bits: self.bits.meet(absent)?,
            halves: self.narrow.meet(whole),
        };
        Some(Word::assembled(Self::zero_extended(low.reduced()?)))
    }

    fn tightened(self) -> Option<Self> {
        let wide = fitted(self.wide, self.bits);
        let wide = with_low_half_in(wide, self.narrow);
        let narrow = fitted(self.narrow, self.bits.truncated(H));
        let narrow = low_halves(narrow, wide);
        if wide.is_empty() || narrow.is_empty() {
            return None;
        }
        let low_bits = Tnum {
            mask: common(narrow).mask | (width::mask(W) & !width::mask(H)),
            ..common(narrow)
        };
        let bits = self.bits.meet(common(wide))?.meet(low_bits)?;
        Some(Self { bits, wide, narrow })
    }
}

impl<const W: u32> View<W> {
    fn reduced(mut self) -> Option<Self> {
        for _ in 0..ROUNDS {
            self.halves = fitted(self.halves, self.bits);
            if self.halves.is_empty() {
                return None;
            }
            let before = self.bits;
            self.bits = before.meet(common(self.halves))?;
            if self.bits == before {
                break;
            }
        }
        Some(self)
    }
}

/// Ranges that begin and end with numbers of these bits.
fn fitted<const W: u32>(halves: Halves<W>, bits: Tnum) -> Halves<W> {
    if bits.mask == width::mask(W) {
        return halves;
    }
    Halves {
        low: fitted_range(halves.low, bits),
        high: fitted_range(halves.high, bits),
    }
}

fn fitted_range(range: Range, bits: Tnum) -> Range {
    if range.is_empty() {
        return range;
    }
    match (bits.at_least(range.from), bits.at_most(range.to)) {
        (Some(from), Some(to)) => Range::new(from, to),
        _ => Range::EMPTY,
    }
}

/// The bits that all numbers of both ranges share.
fn common<const W: u32>(halves: Halves<W>) -> Tnum {
    let Halves { low, high } = halves;
    if high.is_empty() {
        return Tnum::spanning(low.from, low.to);
    }
    let high = Tnum::spanning(high.from, high.to);
    if low.is_empty() {
        return high;
    }
    Tnum::spanning(low.from, low.to).hull(high)
}

/// Ranges that begin and end with numbers whose low half is one of `narrow`.
fn with_low_half_in<const W: u32, const H: u32>(wide: Halves<W>, narrow: Halves<H>) -> Halves<W> {
    if narrow == Halves::FULL || narrow.is_empty() {
        return wide;
    }
    Halves {
        low: narrowed_range(wide.low, narrow),
        high: narrowed_range(wide.high, narrow),
    }
}

fn narrowed_range<const H: u32>(range: Range, narrow: Halves<H>) -> Range {
    if range.is_empty() {
        return range;
    }
    match (at_least(range.from, narrow), at_most(range.to, narrow)) {
        (Some(from), Some(to)) => Range::new(from, to),
        _ => Range::EMPTY,
    }
}

/// The least number from `bound` on whose low half is one of `narrow`.
fn at_least<const H: u32>(bound: u64, narrow: Halves<H>) -> Option<u64> {
    let low = bound & width::mask(H);
    let upper = bound - low;
    let above = narrow.ranges().find(|range| low <= range.to);
    match above {
        Some(range) => Some(upper | low.max(range.from)),
        None => upper.checked_add(1 << H).map(|next| next | narrow.umin()),
    }
}

/// The greatest number up to `bound` whose low half is one of `narrow`.
fn at_most<const H: u32>(bound: u64, narrow: Halves<H>) -> Option<u64> {
    let low = bound & width::mask(H);
    let upper = bound - low;
    let below = narrow.ranges().filter(|range| range.from <= low).last();
    match below {
        Some(range) => Some(upper | low.min(range.to)),
        None => upper.checked_sub(1 << H).map(|next| next | narrow.umax()),
    }
}

/// Those of `narrow` that may be the low half of a number of `wide`.
fn low_halves<const W: u32, const H: u32>(narrow: Halves<H>, wide: Halves<W>) -> Halves<H> {
    let mut found = Halves::EMPTY;
    for range in wide.ranges() {
        if range.to - range.from >= width::mask(H) && !on(Mutation::LowHalvesOfEnds) {
            return narrow;
        }
        let mut arc = Halves::EMPTY;
        match on(Mutation::LowHalvesOfEnds) {
            true => arc.cover_range(ends::<H>(range)),
            false => arc.cover(i128::from(range.from), i128::from(range.to)),
        }
        found = found.hull(arc.meet(narrow));
    }
    found
}

/// What would be right if the upper halves were the same.
fn ends<const H: u32>(range: Range) -> Range {
    Range::new(range.from & width::mask(H), range.to & width::mask(H))
}
