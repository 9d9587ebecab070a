//! Known bits and ranges of one width: what an instruction of it computes with.

use super::halves::Halves;
use super::scalar::Parts;
use super::{Mutation, Tnum, on, width};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View<const W: u32> {
    pub bits: Tnum,
    pub halves: Halves<W>,
}

impl<const W: u32> View<W> {
    pub const UNKNOWN: Self = Self {
        bits: Tnum {
            value: 0,
            mask: width::mask(W),
        },
        halves: Halves::FULL,
    };

    pub fn constant(value: u64) -> Self {
        Self {
            bits: Tnum::constant(value),
            halves: Halves::unsigned(value, value),
        }
    }

    pub fn known(self) -> Option<u64> {
        (self.bits.mask == 0).then_some(self.bits.value)
    }

    pub fn hull(self, other: Self) -> Self {
        Self {
            bits: self.bits.hull(other.bits),
            halves: self.halves.hull(other.halves),
        }
    }
}

impl<const W: u32, const H: u32> Parts<W, H> {
    pub fn wide_view(self) -> View<W> {
        View {
            bits: self.bits,
            halves: self.wide,
        }
    }

    pub fn narrow_view(self) -> View<H> {
        if on(Mutation::WideBoundsOfLowHalf) {
            let (from, to) = (self.wide.umin(), self.wide.umax());
            return View {
                bits: self.bits.truncated(H),
                halves: Halves::unsigned(from & width::mask(H), to & width::mask(H)),
            };
        }
        View {
            bits: match on(Mutation::UpperHalfShiftedIn) {
                true => self.bits,
                false => self.bits.truncated(H),
            },
            halves: self.narrow,
        }
    }

    /// What the low half says, the upper being zero.
    pub fn zero_extended(low: View<H>) -> Self {
        Self {
            bits: low.bits,
            wide: match on(Mutation::SignedZeroExtension) {
                true => Halves::signed(low.halves.smin(), low.halves.smax()),
                false => Halves::unsigned(low.halves.umin(), low.halves.umax()),
            },
            narrow: low.halves,
        }
    }
}
