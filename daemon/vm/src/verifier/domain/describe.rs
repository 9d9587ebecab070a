//! A word in a line, for traces and failed tests: what it says beyond nothing.

use std::fmt::{Debug, Formatter, Result};

use super::scalar::Word;
use super::width;

impl<const W: u32, const H: u32> Debug for Word<W, H> {
    fn fmt(&self, into: &mut Formatter<'_>) -> Result {
        if let Some(number) = self.known() {
            return write!(into, "{:#x}", number);
        }
        if *self == Self::UNKNOWN {
            return write!(into, "unknown");
        }
        let narrow = self.parts().narrow;
        let low = (narrow.umin(), narrow.umax());
        write!(into, "u {:#x}..={:#x}", self.umin(), self.umax())?;
        write!(into, " s {}..={}", self.smin(), self.smax())?;
        if low != (self.umin(), self.umax()) && low != (0, width::mask(H)) {
            write!(into, " low u {:#x}..={:#x}", low.0, low.1)?;
        }
        if narrow.smin() < 0 && narrow.smax() >= 0 {
            write!(into, " low s {}..={}", narrow.smin(), narrow.smax())?;
        }
        write!(
            into,
            " bits {:#x}/{:#x}",
            self.bits().value,
            self.bits().mask
        )
    }
}
