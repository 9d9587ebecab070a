//! Known bits: which bits of a number are 0, which are 1, which may be either.
//!
//! ```text
//!   value 0 1 0 0        a bit of the number is unknown where the mask is 1;
//!   mask  0 0 1 1        elsewhere it is that of `value`, which is 0 where
//!         0 1 x x        the mask is 1
//! ```
//!
//! The carries of [`Tnum::add`] and [`Tnum::sub`] are found by adding the least
//! and the greatest member: a bit is unknown if the two sums differ there.

use super::{Mutation, on, width};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tnum {
    pub value: u64,
    pub mask: u64,
}

impl Tnum {
    pub const UNKNOWN: Self = Self {
        value: 0,
        mask: u64::MAX,
    };

    pub const fn constant(value: u64) -> Self {
        Self { value, mask: 0 }
    }

    /// These bits, of which those in `mask` are not known.
    const fn new(value: u64, mask: u64) -> Self {
        Self {
            value: value & !mask,
            mask,
        }
    }

    /// What all numbers of a range have in common: their leading bits.
    pub fn spanning(low: u64, high: u64) -> Self {
        match low ^ high {
            0 => Self::constant(low),
            differing => Self::new(low, u64::MAX >> differing.leading_zeros()),
        }
    }

    pub const fn contains(self, number: u64) -> bool {
        (number ^ self.value) & !self.mask == 0
    }

    pub const fn includes(self, other: Self) -> bool {
        other.mask & !self.mask == 0 && self.contains(other.value)
    }

    /// Bits that are 1 in some member.
    pub const fn possible(self) -> u64 {
        self.value | self.mask
    }

    pub fn hull(self, other: Self) -> Self {
        let differing = match on(Mutation::HullKeepsBits) {
            true => 0,
            false => self.value ^ other.value,
        };
        Self::new(self.value, self.mask | other.mask | differing)
    }

    pub fn meet(self, other: Self) -> Option<Self> {
        let clash = (self.value ^ other.value) & !self.mask & !other.mask;
        let both = Self::new(self.value | other.value, self.mask & other.mask);
        (clash == 0).then_some(both)
    }

    /// The least member that is not below `bound`.
    pub fn at_least(self, bound: u64) -> Option<u64> {
        let wrong = (bound ^ self.value) & !self.mask;
        if wrong == 0 {
            return Some(bound);
        }
        let first_wrong = 63 - wrong.leading_zeros();
        let below = width::mask(first_wrong + 1);
        if self.value & (1 << first_wrong) != 0 {
            return Some((bound & !below) | (self.value & below));
        }
        // The bound has a 1 too many: only a greater unknown bit can make up for it.
        let raisable = self.mask & !bound & !below;
        let raised = raisable & raisable.wrapping_neg();
        let kept = !(raised | raised.wrapping_sub(1));
        (raised != 0).then_some((bound & kept) | raised | (self.value & (raised.wrapping_sub(1))))
    }

    /// The greatest member that is not above `bound`.
    pub fn at_most(self, bound: u64) -> Option<u64> {
        let mirrored = Self::new(!self.value, self.mask);
        mirrored.at_least(!bound).map(|number| !number)
    }

    pub const fn truncated(self, width: u32) -> Self {
        Self {
            value: self.value & width::mask(width),
            mask: self.mask & width::mask(width),
        }
    }

    pub const fn add(self, other: Self) -> Self {
        let least = self.value.wrapping_add(other.value);
        let greatest = least.wrapping_add(self.mask).wrapping_add(other.mask);
        Self::new(least, (least ^ greatest) | self.mask | other.mask)
    }

    pub const fn sub(self, other: Self) -> Self {
        let difference = self.value.wrapping_sub(other.value);
        let most = difference.wrapping_add(self.mask);
        let least = difference.wrapping_sub(other.mask);
        Self::new(difference, (most ^ least) | self.mask | other.mask)
    }

    pub const fn and(self, other: Self) -> Self {
        let value = self.value & other.value;
        Self {
            value,
            mask: self.possible() & other.possible() & !value,
        }
    }

    pub const fn or(self, other: Self) -> Self {
        let value = self.value | other.value;
        Self {
            value,
            mask: (self.mask | other.mask) & !value,
        }
    }

    pub const fn xor(self, other: Self) -> Self {
        Self::new(self.value ^ other.value, self.mask | other.mask)
    }

    /// Long multiplication; a partial product of an unknown bit may be left out.
    pub fn mul(self, other: Self) -> Self {
        let (mut bits, number) = match self.possible().count_ones() <= other.possible().count_ones()
        {
            true => (self, other),
            false => (other, self),
        };
        let mut sum = Self::constant(0);
        while bits.possible() != 0 {
            let place = bits.possible().trailing_zeros();
            if sum.mask >> place == u64::MAX >> place {
                break;
            }
            let with = sum.add(number.lsh(place));
            sum = match bits.value >> place & 1 {
                1 => with,
                _ => sum.hull(with),
            };
            bits = bits.without(place);
        }
        sum
    }

    const fn without(self, place: u32) -> Self {
        Self {
            value: self.value & !(1 << place),
            mask: self.mask & !(1 << place),
        }
    }

    pub const fn lsh(self, count: u32) -> Self {
        Self {
            value: self.value << count,
            mask: self.mask << count,
        }
    }

    pub const fn rsh(self, count: u32) -> Self {
        Self {
            value: self.value >> count,
            mask: self.mask >> count,
        }
    }

    /// Copies the sign bit of a number of `width` bits, known or not.
    pub const fn arsh(self, count: u32, width: u32) -> Self {
        Self {
            value: (width::extended(self.value, width) >> count) as u64,
            mask: (width::extended(self.mask, width) >> count) as u64,
        }
        .truncated(width)
    }

    /// Bytes in the other order.
    pub const fn swapped(self) -> Self {
        Self {
            value: self.value.swap_bytes(),
            mask: self.mask.swap_bytes(),
        }
    }
}
