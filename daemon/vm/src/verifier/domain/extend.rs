//! Moves that change a number: casts to fewer bits and byte order.

use super::Tnum;
use super::arithmetic::{Arithmetic, computed};
use super::halves::Halves;
use super::scalar::{Parts, Word};
use super::shift::word_by;
use super::{Mutation, on, width};

impl<const W: u32, const H: u32> Word<W, H> {
    /// The low half, extended with zeros: a 32-bit move.
    pub fn low32(self) -> Self {
        if self.umax() <= width::mask(H) {
            return self;
        }
        let low = Parts::zero_extended(self.parts().narrow_view());
        low.reduced().unwrap_or(Self::UNKNOWN)
    }

    /// The lowest `bits` bits, extended with zeros.
    pub fn truncated(self, bits: u32) -> Self {
        match bits {
            _ if bits == W => self,
            _ if bits == H => self.low32(),
            _ => {
                let mask = Self::constant(width::mask(bits));
                computed(Arithmetic::And, true, self, mask)
            }
        }
    }

    /// The lowest `bits` bits, extended with the highest of them.
    pub fn sign_extended(self, bits: u32) -> Self {
        let most = (width::mask(bits) >> 1) as i64;
        if -most - 1 <= self.smin() && self.smax() <= most {
            return self;
        }
        let left = word_by(Arithmetic::Lsh, self.parts(), W - bits);
        let mut extended = word_by(Arithmetic::Arsh, left, W - bits);
        if bits == H {
            extended.narrow = self.parts().narrow;
        }
        extended.reduced().unwrap_or(Self::UNKNOWN)
    }

    /// The lowest 16, 32 or 64 bits with their bytes in the other order.
    pub fn swapped(self, bits: u32) -> Self {
        let lowest = self.bits().truncated(bits);
        let bits = Tnum::rsh(lowest.swapped(), 64 - bits);
        let swapped = Parts {
            bits,
            wide: match on(Mutation::SwapKeepsBounds) {
                true => self.parts().wide,
                false => Halves::unsigned(bits.value, bits.possible()),
            },
            narrow: Halves::FULL,
        };
        swapped.reduced().unwrap_or(Self::UNKNOWN)
    }
}
