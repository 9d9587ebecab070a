//! Soundness bugs that tests can switch on, to see whether they would be found.
//!
//! Each is a mistake that a verifier of eBPF once had, or nearly: the place
//! that would be wrong asks [`on`], which outside of tests is `false` for good.

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutation {
    /// Unsigned numbers on both sides of the sign bit are thought positive.
    SignTestDropped,
    /// A low half is extended with the signed bounds.
    SignedZeroExtension,
    /// `!=` moves a bound although the constant is inside.
    NotEqualInside,
    /// `&` with several bits sets them all.
    AllBitsSet,
    /// A 32-bit instruction computes with 64-bit bounds.
    WideBoundsOfLowHalf,
    /// A 32-bit shift brings in bits of the upper half.
    UpperHalfShiftedIn,
    /// No bit known of both is taken for a difference.
    NothingKnownDiffers,
    /// Signed comparisons are decided by unsigned bounds.
    UnsignedDecision,
    /// A byte swap keeps the bounds.
    SwapKeepsBounds,
    /// A remainder by what may be zero is below the divisor.
    RemainderByZero,
    /// A sum that wraps at one end only keeps the other end.
    WrapForgotten,
    /// A shift count is cut at the width, not taken modulo it.
    CountNotMasked,
    /// Low halves of a range are between those of its ends.
    LowHalvesOfEnds,
    /// `<=` is taken for `<`.
    OffByOne,
    /// The smallest number divided by -1 is positive.
    SmallestByMinusOne,
    /// A 32-bit arithmetic shift looks for the sign in bit 63.
    SignOfWrongWidth,
    /// Known bits of two paths that differ stay known.
    HullKeepsBits,
    /// A product of ranges is the range between the products of their ends.
    ProductOfEnds,
}

/// Those of the scalar domain.
pub const DOMAIN: [Mutation; 18] = [
    Mutation::SignTestDropped,
    Mutation::SignedZeroExtension,
    Mutation::NotEqualInside,
    Mutation::AllBitsSet,
    Mutation::WideBoundsOfLowHalf,
    Mutation::UpperHalfShiftedIn,
    Mutation::NothingKnownDiffers,
    Mutation::UnsignedDecision,
    Mutation::SwapKeepsBounds,
    Mutation::RemainderByZero,
    Mutation::WrapForgotten,
    Mutation::CountNotMasked,
    Mutation::LowHalvesOfEnds,
    Mutation::OffByOne,
    Mutation::SmallestByMinusOne,
    Mutation::SignOfWrongWidth,
    Mutation::HullKeepsBits,
    Mutation::ProductOfEnds,
];

/// Whether this mistake is to be made.
#[cfg(not(any(test, feature = "differential")))]
#[inline(always)]
pub const fn on(_: Mutation) -> bool {
    false
}

#[cfg(any(test, feature = "differential"))]
pub use switched::{on, with};

#[cfg(any(test, feature = "differential"))]
mod switched {
    use std::cell::Cell;

    use super::Mutation;

    thread_local! {
        static MUTATION: Cell<Option<Mutation>> = const { Cell::new(None) };
    }

    /// Whether this mistake is to be made.
    pub fn on(mutation: Mutation) -> bool {
        MUTATION.get() == Some(mutation)
    }

    /// What `run` gives when this thread makes the mistake.
    pub fn with<R>(mutation: Mutation, run: impl FnOnce() -> R) -> R {
        struct Restored(Option<Mutation>);
        impl Drop for Restored {
            fn drop(&mut self) {
                MUTATION.set(self.0);
            }
        }
        let _before = Restored(MUTATION.replace(Some(mutation)));
        run()
    }
}
