//! Words with numbers that are known to be in them.

use crate::fixtures::Random;
use crate::verifier::domain::halves::Halves;
use crate::verifier::domain::scalar::{Parts, Word};
use crate::verifier::domain::{Tnum, width};

#[derive(Clone, Debug)]
pub struct Subject<const W: u32, const H: u32> {
    pub word: Word<W, H>,
    pub members: Vec<u64>,
}

impl<const W: u32, const H: u32> Subject<W, H> {
    /// Some numbers, and a word that has them.
    pub fn random(random: &mut Random) -> Result<Self, String> {
        let count = 1 + random.below(4);
        let mut members: Vec<u64> = (0..count).map(|_| number::<W, H>(random)).collect();
        if random.one_in(2) {
            members = near::<W>(members[0], count, random);
        }
        let mut word = hull(&members).ok_or("there are members")?;
        while random.one_in(2) {
            word = looser(word, random)?;
        }
        match members.iter().all(|number| word.contains(*number)) {
            true => Ok(Self { word, members }),
            false => Err(format!("{word:x?} lost one of {members:x?}")),
        }
    }
}

pub fn hull<const W: u32, const H: u32>(members: &[u64]) -> Option<Word<W, H>> {
    let words = members.iter().map(|number| Word::constant(*number));
    words.reduce(Word::hull)
}

/// Every number of a narrow word.
pub fn all_members<const W: u32, const H: u32>(word: Word<W, H>) -> Vec<u64> {
    (0..=width::mask(W))
        .filter(|number| word.contains(*number))
        .collect()
}

/// A number at or near an end of some range, or any.
pub fn number<const W: u32, const H: u32>(random: &mut Random) -> u64 {
    let ends = [
        0_u64,
        1 << (H - 1),
        1 << H,
        1 << (W - 1),
        (1 << H) | 1 << (H - 1),
    ];
    let near = random.pick(&ends).wrapping_add(random.below(5) as u64);
    let number = match random.below(4) {
        0 => near.wrapping_sub(2),
        1 => near.wrapping_sub(2).wrapping_neg(),
        2 => random.next() >> random.below(64),
        _ => random.number(),
    };
    number & width::mask(W)
}

fn near<const W: u32>(first: u64, count: usize, random: &mut Random) -> Vec<u64> {
    let step = 1 << random.below(4);
    let numbers = (0..count).map(|_| first.wrapping_add(step * random.below(8) as u64));
    numbers.map(|number| number & width::mask(W)).collect()
}

/// A word with more numbers, in which one part says less than the others.
fn looser<const W: u32, const H: u32>(
    word: Word<W, H>,
    random: &mut Random,
) -> Result<Word<W, H>, String> {
    let other = [number::<W, H>(random), number::<W, H>(random)].map(Word::constant);
    let (wider, parts) = (word.hull(other[0].hull(other[1])).parts(), word.parts());
    let mixed = Parts {
        bits: random.pick(&[wider.bits, parts.bits]),
        wide: random.pick(&[wider.wide, parts.wide]),
        narrow: random.pick(&[wider.narrow, parts.narrow]),
    };
    let found = mixed.reduced();
    found.ok_or_else(|| format!("{mixed:x?} were thought to contradict each other"))
}

/// Parts that know nothing of each other.
pub fn parts<const W: u32, const H: u32>(random: &mut Random) -> Result<Parts<W, H>, String> {
    let mut some = || Subject::<W, H>::random(random).map(|subject| subject.word.parts());
    let (bits, wide, narrow) = (some()?.bits, some()?.wide, some()?.narrow);
    Ok(Parts {
        bits: if random.one_in(3) { unknown(W) } else { bits },
        wide: if random.one_in(3) { Halves::FULL } else { wide },
        narrow: if random.one_in(3) {
            Halves::FULL
        } else {
            narrow
        },
    })
}

fn unknown(width: u32) -> Tnum {
    Tnum::UNKNOWN.truncated(width)
}
