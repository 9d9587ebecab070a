//! Shifts.  The count is taken modulo the width, so each possible count can be
//! tried: there are few.

use super::Tnum;
use super::arithmetic::Arithmetic::{self, *};
use super::arithmetic::signed;
use super::halves::{Halves, Range};
use super::scalar::Parts;
use super::view::View;
use super::width;

/// A shift at one width.
pub fn shifted<const W: u32>(op: Arithmetic, a: View<W>, b: View<W>) -> View<W> {
    let mut found: Option<View<W>> = None;
    for count in counts(b) {
        let one = shifted_by(op, a, count);
        let all = found.map_or(one, |found| found.hull(one));
        found = Some(all);
        if all == View::UNKNOWN {
            break;
        }
    }
    found.unwrap_or(View::UNKNOWN)
}

/// A shift of the whole number that uses what is known of its low half.
pub fn shifted_word<const W: u32, const H: u32>(
    op: Arithmetic,
    a: Parts<W, H>,
    b: Parts<W, H>,
) -> Parts<W, H> {
    let mut found: Option<Parts<W, H>> = None;
    for count in counts(b.wide_view()) {
        let one = word_by(op, a, count);
        let all = found.map_or(one, |found| found.hull(one));
        found = Some(all);
        if all.wide_view() == View::UNKNOWN && all.narrow == Halves::FULL {
            break;
        }
    }
    found.expect("there is a count")
}

fn word_by<const W: u32, const H: u32>(op: Arithmetic, a: Parts<W, H>, count: u32) -> Parts<W, H> {
    let View { bits, halves } = shifted_by(op, a.wide_view(), count);
    let mut shifted = Parts {
        bits,
        wide: halves,
        narrow: Halves::FULL,
    };
    if op == Lsh && count < H {
        shifted.narrow = shifted_by(op, a.narrow_view(), count).halves;
    } else if op == Lsh {
        // No bit of the upper half is left.
        shifted.wide = shifted.wide.meet(left(a.narrow, count));
    } else if count == 0 {
        shifted.narrow = a.narrow;
    }
    shifted
}

/// The counts that the lowest bits of a number can mean.
fn counts<const W: u32>(b: View<W>) -> impl Iterator<Item = u32> {
    let most = u64::from(W - 1);
    let bits = b.bits.and(Tnum::constant(most));
    let (from, to) = match b.halves.umax() <= most {
        true => (b.halves.umin(), b.halves.umax()),
        false => (bits.value, bits.possible()),
    };
    let any = (from..=to).filter(move |count| bits.contains(*count));
    any.map(|count| count as u32)
}

fn shifted_by<const W: u32>(op: Arithmetic, a: View<W>, count: u32) -> View<W> {
    View {
        bits: match op {
            Lsh => a.bits.lsh(count).truncated(W),
            Rsh => a.bits.rsh(count),
            _ => a.bits.arsh(count, W),
        },
        halves: match op {
            Lsh => left(a.halves, count),
            _ => right(op, a.halves, count),
        },
    }
}

/// Numbers of one width, shifted left in another.
fn left<const F: u32, const W: u32>(halves: Halves<F>, count: u32) -> Halves<W> {
    let mut found = Halves::EMPTY;
    for range in halves.ranges() {
        let (from, to) = signed::<F>(range);
        found.cover(from << count, to << count);
    }
    found
}

fn right<const W: u32>(op: Arithmetic, halves: Halves<W>, count: u32) -> Halves<W> {
    let end = |number: u64| match op {
        Rsh => number >> count,
        _ => (width::extended(number, W) >> count) as u64 & width::mask(W),
    };
    let mut found = Halves::EMPTY;
    for Range { from, to } in halves.ranges() {
        found.cover_range(Range::new(end(from), end(to)));
    }
    found
}
