//! Shifts.  The count is taken modulo the width.
//!
//! A few possible counts are tried one by one; of many, the least and the
//! greatest give the ends of the result, because a shift to the right brings a
//! number nearer to zero (or to -1) the farther it goes, and one to the left
//! takes it away from there.

use super::Tnum;
use super::arithmetic::Arithmetic::{self, *};
use super::arithmetic::{no_bits, signed};
use super::halves::{Halves, Range};
use super::scalar::Parts;
use super::view::View;
use super::{Mutation, on, width};

/// How many counts are tried one by one.
const FEW: u32 = 8;

/// A shift at one width.
pub fn shifted<const W: u32>(op: Arithmetic, a: View<W>, b: View<W>) -> View<W> {
    let counts = counts(b);
    if counts.most - counts.least >= FEW {
        return shifted_between(op, a, counts);
    }
    let tried = counts.each().map(|count| shifted_by(op, a, count));
    tried.reduce(View::hull).unwrap_or(View::UNKNOWN)
}

/// A shift of the whole number that uses what is known of its low half.
pub fn shifted_word<const W: u32, const H: u32>(
    op: Arithmetic,
    a: Parts<W, H>,
    b: Parts<W, H>,
) -> Parts<W, H> {
    let counts = counts(b.wide_view());
    if counts.most - counts.least >= FEW {
        let View { bits, halves } = shifted_between(op, a.wide_view(), counts);
        return of_whole(bits, halves);
    }
    let tried = counts.each().map(|count| word_by(op, a, count));
    let unknown = of_whole(no_bits(W), Halves::FULL);
    tried.reduce(Parts::hull).unwrap_or(unknown)
}

fn of_whole<const W: u32, const H: u32>(bits: Tnum, wide: Halves<W>) -> Parts<W, H> {
    Parts {
        bits,
        wide,
        narrow: Halves::FULL,
    }
}

/// A constant shift of the whole number.
pub fn word_by<const W: u32, const H: u32>(
    op: Arithmetic,
    a: Parts<W, H>,
    count: u32,
) -> Parts<W, H> {
    let View { bits, halves } = shifted_by(op, a.wide_view(), count);
    let mut shifted = of_whole(bits, halves);
    if op == Lsh && count < H {
        shifted.narrow = shifted_by(op, a.narrow_view(), count).halves;
    } else if op == Lsh {
        // No bit of the upper half is left.
        shifted.wide = shifted.wide.meet(left(a.narrow, count, count));
    } else if count == 0 {
        shifted.narrow = a.narrow;
    }
    shifted
}

/// What the lowest bits of a number can mean as a count.
#[derive(Clone, Copy)]
struct Counts {
    least: u32,
    most: u32,
    bits: Tnum,
}

impl Counts {
    fn each(self) -> impl Iterator<Item = u32> {
        let any = self.least..=self.most;
        any.filter(move |count| self.bits.contains(u64::from(*count)))
    }
}

fn counts<const W: u32>(b: View<W>) -> Counts {
    let highest = u64::from(W - 1);
    let bits = b.bits.and(Tnum::constant(highest));
    let (least, most) = match b.halves.umax() <= highest {
        true => (b.halves.umin(), b.halves.umax()),
        false if on(Mutation::CountNotMasked) => (b.halves.umin().min(highest), highest),
        false => (bits.value, bits.possible()),
    };
    Counts {
        least: least as u32,
        most: most as u32,
        bits,
    }
}

/// A shift by any of many counts.
fn shifted_between<const W: u32>(op: Arithmetic, a: View<W>, counts: Counts) -> View<W> {
    let Counts { least, most, .. } = counts;
    let zeros = a.bits.possible().trailing_zeros().min(W - 1);
    View {
        bits: match op {
            Lsh => no_bits(W).lsh(zeros).truncated(W),
            _ => no_bits(W),
        },
        halves: match op {
            Lsh => left(a.halves, least, most),
            _ => right(op, a.halves, least, most),
        },
    }
}

fn shifted_by<const W: u32>(op: Arithmetic, a: View<W>, count: u32) -> View<W> {
    View {
        bits: match op {
            Lsh => a.bits.lsh(count).truncated(W),
            Rsh => a.bits.rsh(count),
            _ if on(Mutation::SignOfWrongWidth) => a.bits.arsh(count, 64),
            _ => a.bits.arsh(count, W),
        },
        halves: match op {
            Lsh => left(a.halves, count, count),
            _ => right(op, a.halves, count, count),
        },
    }
}

/// Numbers of one width, shifted left in another.
fn left<const F: u32, const W: u32>(halves: Halves<F>, least: u32, most: u32) -> Halves<W> {
    let mut found = Halves::EMPTY;
    for range in halves.ranges() {
        let (from, to) = signed::<F>(range);
        match from < 0 {
            true => found.cover(from << most, to << least),
            false => found.cover(from << least, to << most),
        }
    }
    found
}

fn right<const W: u32>(op: Arithmetic, halves: Halves<W>, least: u32, most: u32) -> Halves<W> {
    let mut found = Halves::EMPTY;
    for Range { from, to } in halves.ranges() {
        found.cover_range(match op {
            Arsh if from >= width::sign(W) => {
                Range::new(dragged::<W>(from, least), dragged::<W>(to, most))
            }
            _ => Range::new(from >> most, to >> least),
        });
    }
    found
}

/// Shifted right with its sign.
fn dragged<const W: u32>(number: u64, count: u32) -> u64 {
    (width::extended(number, W) >> count) as u64 & width::mask(W)
}
