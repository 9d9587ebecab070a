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

    /// `p <= end` proves the byte that p leads to.
    OneByteMore,
    /// A pointer stays where it was when an unknown number is added.
    SumForgotten,
    /// Bytes in another order are tied to what they were.
    SwapKeepsLink,
    /// The low half of a number is tied to all of it.
    LowHalfKeepsLink,
    /// A comparison of the low half says whether a pointer is null.
    NullByLowHalf,
    /// A pointer on the stack is covered by a number.
    NumberCoversPointer,
    /// What one register has is not compared when states are.
    RegisterNotCompared,
    /// A state covers those that are wider.
    CoversTheWider,
    /// What a comparison that was decided depends on is not demanded.
    DecisionNotDemanded,
    /// Sizes of memory are not demanded.
    SizeNotDemanded,
    /// Orders of numbers that nobody demands are not compared.
    OrderNotCompared,
    /// A helper has written as much as it may.
    WritesTheMost,
    /// A copy that may be smaller than its target has written all of that.
    CopyFillsTarget,
    /// Nothing moves the data.
    DataStays,
    /// A store to a part of what was stored leaves the rest as it was.
    PartialStoreKeeps,
    /// What is left of a pointer on the stack is a number.
    RestOfPointer,
    /// The start of a frame is not looked at.
    FrameWithoutStart,
    /// The ways back to the head of a loop may move in both directions.
    BackAndForth,
    /// Only the first way back to the head of a loop is checked.
    OneWayBack,
    /// A way back may be covered by one that moves on.
    StandsStill,
    /// The last round of a loop is not counted.
    LastRoundNotCounted,
    /// A loop within another one is counted as if it had one round.
    InnerRoundsNotCounted,
    /// A function leaves in r6 what it had there.
    CalleeKeepsR6,
    /// The length of the longest data is counted twice.
    EdgeTwice,
}

/// Those of the judge.
pub const OURS: [Mutation; 24] = [
    Mutation::OneByteMore,
    Mutation::SumForgotten,
    Mutation::SwapKeepsLink,
    Mutation::LowHalfKeepsLink,
    Mutation::NullByLowHalf,
    Mutation::NumberCoversPointer,
    Mutation::RegisterNotCompared,
    Mutation::CoversTheWider,
    Mutation::DecisionNotDemanded,
    Mutation::SizeNotDemanded,
    Mutation::OrderNotCompared,
    Mutation::WritesTheMost,
    Mutation::CopyFillsTarget,
    Mutation::DataStays,
    Mutation::PartialStoreKeeps,
    Mutation::RestOfPointer,
    Mutation::FrameWithoutStart,
    Mutation::BackAndForth,
    Mutation::OneWayBack,
    Mutation::StandsStill,
    Mutation::LastRoundNotCounted,
    Mutation::InnerRoundsNotCounted,
    Mutation::CalleeKeepsR6,
    Mutation::EdgeTwice,
];

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
