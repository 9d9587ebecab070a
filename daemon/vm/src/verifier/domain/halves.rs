//! Signed and unsigned bounds as one: a range in each half of the circle.
//!
//! ```text
//!   unsigned  0 ......... MAX/2 | MAX/2+1 ......... MAX
//!   signed    0 .......... SMAX | SMIN ............. -1
//!             [---- low ------] | [----- high -------]
//! ```
//!
//! Within a half the two orders agree, so a number is bounded by its half's
//! range in both.  The four bounds are the four ends: the unsigned minimum
//! begins the low range, the signed minimum the high one, and so on.  What one
//! order says about the other needs no rule of its own in this form.

use super::{Mutation, on, width};

/// Numbers from `from` to `to`; empty ones have one form only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Range {
    pub from: u64,
    pub to: u64,
}

impl Range {
    /// Such that a hull is the least and the greatest end, with no exception.
    pub const EMPTY: Self = Self {
        from: u64::MAX,
        to: 0,
    };

    pub const fn new(from: u64, to: u64) -> Self {
        if from > to {
            return Self::EMPTY;
        }
        Self { from, to }
    }

    pub const fn is_empty(self) -> bool {
        self.from > self.to
    }

    pub const fn contains(self, number: u64) -> bool {
        self.from <= number && number <= self.to
    }

    pub const fn includes(self, other: Self) -> bool {
        self.from <= other.from && other.to <= self.to
    }

    pub fn hull(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
        }
    }

    pub fn meet(self, other: Self) -> Self {
        Self::new(self.from.max(other.from), self.to.min(other.to))
    }

    /// Without `number`, if that is one of the ends.
    pub fn without(self, number: u64) -> Self {
        match self.contains(number) {
            true if self.from == self.to => Self::EMPTY,
            true if self.from == number || on(Mutation::NotEqualInside) => {
                Self::new(number + 1, self.to)
            }
            true if self.to == number => Self::new(self.from, number - 1),
            _ => self,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Halves<const W: u32> {
    pub low: Range,
    pub high: Range,
}

impl<const W: u32> Halves<W> {
    const LOW: Range = Range::new(0, width::sign(W) - 1);
    const HIGH: Range = Range::new(width::sign(W), width::mask(W));
    pub const EMPTY: Self = Self {
        low: Range::EMPTY,
        high: Range::EMPTY,
    };
    pub const FULL: Self = Self {
        low: Self::LOW,
        high: Self::HIGH,
    };

    pub fn unsigned(from: u64, to: u64) -> Self {
        let range = Range::new(from, to);
        if on(Mutation::SignTestDropped) && from < width::sign(W) {
            let low = Self::LOW.meet(range);
            return Self { low, ..Self::EMPTY };
        }
        Self {
            low: Self::LOW.meet(range),
            high: Self::HIGH.meet(range),
        }
    }

    pub fn signed(from: i64, to: i64) -> Self {
        let mut found = Self::EMPTY;
        if from <= to {
            found.cover(i128::from(from), i128::from(to));
        }
        found
    }

    pub fn umin(self) -> u64 {
        self.low.from.min(self.high.from)
    }

    pub fn umax(self) -> u64 {
        self.low.to.max(self.high.to)
    }

    pub fn smin(self) -> i64 {
        let half = if self.high.is_empty() {
            self.low
        } else {
            self.high
        };
        width::extended(half.from, W)
    }

    pub fn smax(self) -> i64 {
        let half = if self.low.is_empty() {
            self.high
        } else {
            self.low
        };
        width::extended(half.to, W)
    }

    pub const fn is_empty(self) -> bool {
        self.low.is_empty() && self.high.is_empty()
    }

    pub fn contains(self, number: u64) -> bool {
        self.low.contains(number) || self.high.contains(number)
    }

    pub fn includes(self, other: Self) -> bool {
        self.low.includes(other.low) && self.high.includes(other.high)
    }

    pub fn hull(self, other: Self) -> Self {
        Self {
            low: self.low.hull(other.low),
            high: self.high.hull(other.high),
        }
    }

    pub fn meet(self, other: Self) -> Self {
        Self {
            low: self.low.meet(other.low),
            high: self.high.meet(other.high),
        }
    }

    pub fn without(self, number: u64) -> Self {
        Self {
            low: self.low.without(number),
            high: self.high.without(number),
        }
    }

    /// The ranges that are not empty.
    pub fn ranges(self) -> impl Iterator<Item = Range> {
        let ranges = [self.low, self.high].into_iter();
        ranges.filter(|range| !range.is_empty())
    }

    /// All of these, in unsigned order.
    pub fn cover_range(&mut self, range: Range) {
        *self = self.hull(Self::unsigned(range.from, range.to));
    }

    /// All numbers from `from` to `to`, cut to the width: an arc of the circle.
    pub fn cover(&mut self, from: i128, to: i128) {
        debug_assert!(from <= to);
        if to - from >= i128::from(width::mask(W)) {
            *self = Self::FULL;
            return;
        }
        let (first, last) = (from as u64 & width::mask(W), to as u64 & width::mask(W));
        if first <= last {
            self.cover_range(Range::new(first, last));
        } else {
            self.cover_range(Range::new(first, width::mask(W)));
            if !on(Mutation::WrapForgotten) {
                self.cover_range(Range::new(0, last));
            }
        }
    }
}
