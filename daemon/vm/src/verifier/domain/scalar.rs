//! What is known of a number: its bits, its bounds, the bounds of its low half.
//!
//! A [`Word`] stands for all numbers that satisfy every part; the parts are
//! brought into line by [`super::reduce`] whenever one of them changes.  It is
//! generic over its width so that tests can try every case of a narrow one;
//! the verifier knows only [`Scalar`].

use super::Tnum;
use super::halves::{Halves, Range};
use super::width;

/// 64 bits, whose lower 32 are what a 32-bit instruction sees.
pub type Scalar = Word<64, 32>;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Word<const W: u32, const H: u32> {
    bits: Tnum,
    wide: Halves<W>,
    narrow: Packed,
}

/// The ends of the low half's ranges: a word is one cache line.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Packed([u32; 4]);

impl Packed {
    const fn of<const H: u32>(halves: Halves<H>) -> Self {
        let Halves { low, high } = halves;
        Self([
            low.from as u32,
            low.to as u32,
            high.from as u32,
            high.to as u32,
        ])
    }

    const fn open<const H: u32>(self) -> Halves<H> {
        let [low_from, low_to, high_from, high_to] = self.0;
        Halves {
            low: Range::new(low_from as u64, low_to as u64),
            high: Range::new(high_from as u64, high_to as u64),
        }
    }
}

/// Parts of a word that may contradict each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parts<const W: u32, const H: u32> {
    pub bits: Tnum,
    pub wide: Halves<W>,
    pub narrow: Halves<H>,
}

impl<const W: u32, const H: u32> Parts<W, H> {
    pub const UNKNOWN: Self = Self {
        bits: Tnum {
            value: 0,
            mask: width::mask(W),
        },
        wide: Halves::FULL,
        narrow: Halves::FULL,
    };

    pub fn hull(self, other: Self) -> Self {
        Self {
            bits: self.bits.hull(other.bits),
            wide: self.wide.hull(other.wide),
            narrow: self.narrow.hull(other.narrow),
        }
    }
}

impl<const W: u32, const H: u32> Word<W, H> {
    pub const UNKNOWN: Self = Self::assembled(Parts::UNKNOWN);

    pub fn constant(value: u64) -> Self {
        let value = value & width::mask(W);
        let low = value & width::mask(H);
        Self::assembled(Parts {
            bits: Tnum::constant(value),
            wide: Halves::unsigned(value, value),
            narrow: Halves::unsigned(low, low),
        })
    }

    pub fn unsigned(min: u64, max: u64) -> Self {
        debug_assert!(min <= max);
        Self::bounded(Halves::unsigned(min, max))
    }

    pub fn signed(min: i64, max: i64) -> Self {
        debug_assert!(min <= max);
        Self::bounded(Halves::signed(min, max))
    }

    /// What a load of so many bytes leaves in a register.
    pub fn loaded(bytes: usize) -> Self {
        Self::unsigned(0, width::mask(8 * bytes as u32))
    }

    /// What a load that extends the sign leaves in a register.
    pub fn loaded_signed(bytes: usize) -> Self {
        let greatest = (width::mask(8 * bytes as u32) >> 1) as i64;
        Self::signed(-greatest - 1, greatest)
    }

    fn bounded(wide: Halves<W>) -> Self {
        let parts = Parts {
            wide,
            ..Parts::UNKNOWN
        };
        parts.reduced().unwrap_or(Self::UNKNOWN)
    }

    /// A word of parts that agree.
    pub const fn assembled(parts: Parts<W, H>) -> Self {
        Self {
            bits: parts.bits,
            wide: parts.wide,
            narrow: Packed::of(parts.narrow),
        }
    }

    pub fn parts(self) -> Parts<W, H> {
        Parts {
            bits: self.bits,
            wide: self.wide,
            narrow: self.narrow.open(),
        }
    }

    /// The number, if there is only one.
    pub fn known(self) -> Option<u64> {
        (self.bits.mask == 0).then_some(self.bits.value)
    }

    pub fn bits(self) -> Tnum {
        self.bits
    }

    pub fn umin(self) -> u64 {
        self.wide.umin()
    }

    pub fn umax(self) -> u64 {
        self.wide.umax()
    }

    pub fn smin(self) -> i64 {
        self.wide.smin()
    }

    pub fn smax(self) -> i64 {
        self.wide.smax()
    }

    pub fn u32min(self) -> u32 {
        self.parts().narrow.umin() as u32
    }

    pub fn u32max(self) -> u32 {
        self.parts().narrow.umax() as u32
    }

    pub fn s32min(self) -> i32 {
        self.parts().narrow.smin() as i32
    }

    pub fn s32max(self) -> i32 {
        self.parts().narrow.smax() as i32
    }

    pub fn contains(self, value: u64) -> bool {
        let low_half = value & width::mask(H);
        self.bits.contains(value)
            && self.wide.contains(value)
            && self.parts().narrow.contains(low_half)
    }

    /// Every part of `other` lies in that of this one.
    pub fn includes(self, other: Self) -> bool {
        self.wide.includes(other.wide)
            && self.bits.includes(other.bits)
            && self.parts().narrow.includes(other.parts().narrow)
    }

    /// What is in both; `None`: nothing.
    pub fn meet(self, other: Self) -> Option<Self> {
        if self.includes(other) {
            return Some(other);
        }
        let (one, two) = (self.parts(), other.parts());
        let both = Parts {
            bits: one.bits.meet(two.bits)?,
            wide: one.wide.meet(two.wide),
            narrow: one.narrow.meet(two.narrow),
        };
        both.reduced()
    }

    /// The smallest word that has both.
    pub fn hull(self, other: Self) -> Self {
        Self::assembled(self.parts().hull(other.parts()))
    }
}
