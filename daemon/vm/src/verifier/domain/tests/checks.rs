//! What must hold of every operator, as functions that say where it does not.

use super::subject::Subject;
use super::{COMPARISONS, OPERATIONS};
use crate::verifier::domain::arithmetic::computed;
use crate::verifier::domain::branch::{assumed, decided};
use crate::verifier::domain::concrete::{compared, concrete};
use crate::verifier::domain::scalar::{Parts, Word};
use crate::verifier::domain::{Arithmetic, Comparison, width};

/// What was lost, and where.
pub type Outcome = Result<(), String>;

/// Every operation of every two members is in the word that stands for it.
pub fn arithmetic<const W: u32, const H: u32>(a: &Subject<W, H>, b: &Subject<W, H>) -> Outcome {
    for op in OPERATIONS {
        for wide in [true, false] {
            operation(op, wide, a, b)?;
        }
    }
    Ok(())
}

fn operation<const W: u32, const H: u32>(
    op: Arithmetic,
    wide: bool,
    a: &Subject<W, H>,
    b: &Subject<W, H>,
) -> Outcome {
    let found = computed(op, wide, a.word, b.word);
    for (one, two) in pairs(a, b) {
        let number = computed_of::<W, H>(op, wide, one, two);
        if !found.contains(number) {
            return Err(format!(
                "{op:?} wide={wide} of {one:#x} and {two:#x} is {number:#x}, not in {found:x?}, \
                 from {:x?} and {:x?}",
                a.word, b.word
            ));
        }
    }
    Ok(())
}

/// What the instruction computes.
pub fn computed_of<const W: u32, const H: u32>(op: Arithmetic, wide: bool, a: u64, b: u64) -> u64 {
    match wide {
        true => concrete::<W>(op, a, b),
        false => concrete::<H>(op, a & width::mask(H), b & width::mask(H)),
    }
}

/// What the comparison finds.
pub fn compared_of<const W: u32, const H: u32>(op: Comparison, wide: bool, a: u64, b: u64) -> bool {
    match wide {
        true => compared::<W>(op, a, b),
        false => compared::<H>(op, a & width::mask(H), b & width::mask(H)),
    }
}

fn pairs<const W: u32, const H: u32>(
    a: &Subject<W, H>,
    b: &Subject<W, H>,
) -> impl Iterator<Item = (u64, u64)> {
    let each = |one: &u64| {
        b.members
            .iter()
            .map(move |two| (*one, *two))
            .collect::<Vec<_>>()
    };
    a.members.iter().flat_map(each)
}

/// No outcome that two members have is thought impossible or refined away.
pub fn branches<const W: u32, const H: u32>(a: &Subject<W, H>, b: &Subject<W, H>) -> Outcome {
    for op in COMPARISONS {
        for wide in [true, false] {
            branch(op, wide, a, b)?;
        }
    }
    Ok(())
}

fn branch<const W: u32, const H: u32>(
    op: Comparison,
    wide: bool,
    a: &Subject<W, H>,
    b: &Subject<W, H>,
) -> Outcome {
    let decided = decided(op, wide, a.word, b.word);
    let assumed = [false, true].map(|holds| assumed(op, wide, holds, a.word, b.word));
    for (one, two) in pairs(a, b) {
        let holds = compared_of::<W, H>(op, wide, one, two);
        let kept =
            assumed[usize::from(holds)].is_some_and(|(a, b)| a.contains(one) && b.contains(two));
        if !kept || decided == Some(!holds) {
            return Err(format!(
                "{op:?} wide={wide} of {one:#x} and {two:#x} is {holds}, decided {decided:?}, \
                 refined {:x?}, from {:x?} and {:x?}",
                assumed[usize::from(holds)],
                a.word,
                b.word
            ));
        }
    }
    Ok(())
}

/// Every cast of every member is in the cast word.
pub fn casts<const W: u32, const H: u32>(a: &Subject<W, H>) -> Outcome {
    for bits in (1..=W).filter(|bits| W == 4 || bits % 8 == 0) {
        let (short, signed) = (a.word.truncated(bits), a.word.sign_extended(bits));
        for number in &a.members {
            let low = number & width::mask(bits);
            inside("truncated", bits, a, low, short)?;
            let extended = width::extended(low, bits) as u64 & width::mask(W);
            inside("sign_extended", bits, a, extended, signed)?;
        }
    }
    for number in &a.members {
        inside("low32", H, a, number & width::mask(H), a.word.low32())?;
    }
    Ok(())
}

/// Every member with its bytes in the other order is in the swapped word.
pub fn swaps(a: &Subject<64, 32>) -> Outcome {
    for bits in [16, 32, 64] {
        for number in &a.members {
            let low = (number & width::mask(bits)).swap_bytes() >> (64 - bits);
            inside("swapped", bits, a, low, a.word.swapped(bits))?;
        }
    }
    Ok(())
}

fn inside<const W: u32, const H: u32>(
    what: &str,
    bits: u32,
    from: &Subject<W, H>,
    number: u64,
    found: Word<W, H>,
) -> Outcome {
    match found.contains(number) {
        true => Ok(()),
        false => Err(format!(
            "{what} to {bits} bits loses {number:#x}: {found:x?}, from {:x?}",
            from.word
        )),
    }
}

/// Meet, hull and inclusion are those of sets, as far as a word can say.
pub fn lattice<const W: u32, const H: u32>(a: &Subject<W, H>, b: &Subject<W, H>) -> Outcome {
    let (hull, meet) = (a.word.hull(b.word), a.word.meet(b.word));
    let claim = |holds: bool, what: &str| match holds {
        true => Ok(()),
        false => Err(format!("{what}: {:x?} and {:x?}", a.word, b.word)),
    };
    claim(
        hull.includes(a.word) && hull.includes(b.word),
        "a hull has both",
    )?;
    claim(hull == b.word.hull(a.word), "hulls commute")?;
    claim(meet == b.word.meet(a.word), "meets commute")?;
    for number in a.members.iter().chain(&b.members) {
        let (one, two) = (a.word.contains(*number), b.word.contains(*number));
        let both = meet.is_some_and(|meet| meet.contains(*number));
        claim(both == (one && two), "a meet has what is in both")?;
        claim(hull.contains(*number), "a hull loses no number")?;
        claim(
            two || !b.word.includes(a.word) || !one,
            "what includes has all",
        )?;
    }
    Ok(())
}

/// Reduction keeps the numbers that satisfy all parts, and adds none.
pub fn reduction<const W: u32, const H: u32>(parts: Parts<W, H>, numbers: &[u64]) -> Outcome {
    let (raw, reduced) = (Word::assembled(parts), parts.reduced());
    for number in numbers {
        let kept = reduced.is_some_and(|word| word.contains(*number));
        if kept != raw.contains(*number) {
            return Err(format!("{number:#x} of {raw:x?} is not as in {reduced:x?}"));
        }
    }
    Ok(())
}
