//! Ranges of numbers: what arithmetic and comparisons tell about them.
//!
//! A range only grows where control joins, and there in few steps, so that the
//! analysis ends.  Everything here holds whatever the program computes: what
//! is not understood is any number of its width.

use super::effects::is_register;
use super::facts::{Known, State};
use crate::exec::lower::{Op, extra};
use crate::isa::{alu, class, jump, mem};

const NARROW: u64 = u32::MAX as u64;
/// Packets are smaller; further away nothing is followed.
const FARTHEST: i32 = 1 << 20;

/// What a number is if only its width is known.
fn any(wide: bool) -> Known {
    if wide {
        return Known::Nothing;
    }
    Known::Number(0, NARROW)
}

/// Both, where control joins.
pub fn join(old: Known, new: Known) -> Known {
    match (old, new) {
        _ if old == new => old,
        (Known::Number(low, high), Known::Number(other, top)) => {
            let low = if other < low { 0 } else { low };
            let steps = [0xff, 0xffff, NARROW];
            let high = match steps.into_iter().find(|step| *step >= top) {
                _ if top <= high => high,
                Some(step) => step,
                None => return Known::Nothing,
            };
            Known::Number(low, high)
        }
        (Known::Data(low, high), Known::Data(other, top)) => {
            if other < low || top > 0xffff && top > high {
                return Known::Nothing;
            }
            Known::Data(low, if top > high { 0xffff } else { high })
        }
        _ => Known::Nothing,
    }
}

/// What a load finds, if only its width says it.
pub fn loaded(op: &Op) -> Known {
    match (op.code & 0xe0, op.code & 0x18) {
        (mem::MEM, mem::B) => Known::Number(0, 0xff),
        (mem::MEM, mem::H) => Known::Number(0, 0xffff),
        (mem::MEM, mem::W) => Known::Number(0, NARROW),
        _ => Known::Nothing,
    }
}

/// The second operand of an instruction.
pub fn operand(op: &Op, state: &State) -> Known {
    if is_register(op) {
        return state.known[usize::from(op.src)];
    }
    Known::Number(op.imm, op.imm)
}

/// The result of an arithmetic instruction.
pub fn compute(op: &Op, state: &State) -> Known {
    let wide = match op.code & 7 {
        class::ALU64 => true,
        class::ALU => false,
        _ => return special(op),
    };
    let (left, right) = (state.known[usize::from(op.dst)], operand(op, state));
    if wide && let Some(pointer) = moved(op.code & 0xf0, left, right) {
        return pointer;
    }
    let operation = op.code & 0xf0;
    let (left, right) = (limits(left, wide), limits(right, wide));
    let found = number(operation, left, right, wide);
    let top = if wide { u64::MAX } else { NARROW };
    match found.filter(|(low, high)| low <= high && *high <= top && *high < u64::MAX) {
        Some((low, high)) => Known::Number(low, high),
        None => any(wide),
    }
}

/// Signed division and byte swaps have opcodes of their own.
fn special(op: &Op) -> Known {
    use extra::{SDIV32_K, SDIV32_X, SMOD32_K, SMOD32_X, TO_BE16, TO_BE32, TO_LE16, TO_LE32};
    match op.code {
        TO_LE16 | TO_BE16 => Known::Number(0, 0xffff),
        SDIV32_K | SDIV32_X | SMOD32_K | SMOD32_X | TO_LE32 | TO_BE32 => any(false),
        _ => Known::Nothing,
    }
}

/// A pointer into the data plus a number.
fn moved(operation: u8, left: Known, right: Known) -> Option<Known> {
    let (Known::Data(low, high), Known::Number(by, until)) = (match (operation, left, right) {
        (alu::ADD, Known::Number(..), Known::Data(..)) => (right, left),
        _ => (left, right),
    }) else {
        return (operation == alu::MOV)
            .then_some(right)
            .filter(|known| !is_number(*known));
    };
    let (by, until) = (by as i64, until as i64);
    let (from, to) = match operation {
        alu::ADD if by <= until => (by, until),
        alu::SUB if by <= until => (
            until.min(i64::from(i32::MAX)).wrapping_neg(),
            by.wrapping_neg(),
        ),
        alu::MOV => return None,
        _ => return Some(Known::Nothing),
    };
    let place = |base: i32, by: i64| {
        let place = i64::from(base).checked_add(by)?;
        let near = (0..=i64::from(FARTHEST)).contains(&place);
        near.then_some(place as i32)
    };
    let known = place(low, from).zip(place(high, to));
    Some(known.map_or(Known::Nothing, |(low, high)| Known::Data(low, high)))
}

fn is_number(known: Known) -> bool {
    matches!(known, Known::Number(..))
}

/// The limits of an operand as far as the instruction looks at it.
fn limits(known: Known, wide: bool) -> (u64, u64) {
    match known {
        Known::Number(low, high) if wide || high <= NARROW => (low, high),
        Known::Number(low, high) if low == high => (low & NARROW, low & NARROW),
        _ if wide => (0, u64::MAX),
        _ => (0, NARROW),
    }
}

type Limits = (u64, u64);

fn number(operation: u8, left: Limits, right: Limits, wide: bool) -> Option<Limits> {
    let (low, high) = left;
    let (from, to) = right;
    let fixed = (from == to).then_some(from);
    let sign = if wide { 1 << 63 } else { 1 << 31 };
    let size = if wide { 64 } else { 32 };
    let negative = fixed.filter(|value| value & sign != 0);
    let magnitude = negative.map(|value| {
        let all = if wide { u64::MAX } else { NARROW };
        (all - value) + 1
    });
    Some(match operation {
        alu::MOV => right,
        alu::ADD => match magnitude {
            Some(less) => (low.checked_sub(less)?, high.checked_sub(less)?),
            None => (low.checked_add(from)?, high.checked_add(to)?),
        },
        alu::SUB => match magnitude {
            Some(more) => (low.checked_add(more)?, high.checked_add(more)?),
            None => (low.checked_sub(to)?, high.checked_sub(from)?),
        },
        alu::MUL => (low.checked_mul(from)?, high.checked_mul(to)?),
        alu::AND => (0, high.min(to)),
        alu::OR | alu::XOR => (
            0,
            (high | to).checked_add(1)?.checked_next_power_of_two()? - 1,
        ),
        alu::DIV if from > 0 => (low / to, high / from),
        alu::MOD if from > 0 => (0, high.min(to - 1)),
        alu::RSH => {
            let by = fixed? % size;
            (low >> by, high >> by)
        }
        alu::LSH => {
            let by = fixed? % size;
            (low << by, high.checked_mul(1 << by)?)
        }
        alu::ARSH if high < sign => {
            let by = fixed? % size;
            (low >> by, high >> by)
        }
        _ => return None,
    })
}

/// What is known of the register that is compared with a constant where that holds (`holds`), or not.
pub fn refined(op: &Op, known: Known, holds: bool) -> Known {
    if is_register(op) {
        return known;
    }
    let wide = op.code & 7 == class::JMP;
    let (low, high) = match known {
        Known::Number(low, high) if wide || high <= NARROW => (low, high),
        // Of a wide register a narrow comparison sees only a half.
        Known::Nothing if wide => (0, u64::MAX),
        _ => return known,
    };
    let bound = if wide { op.imm } else { op.imm & NARROW };
    let (from, to) = match (op.code & 0xf0, holds) {
        (jump::JEQ, true) | (jump::JNE, false) => (bound, bound),
        (jump::JLT, true) | (jump::JGE, false) => (0, bound.saturating_sub(1)),
        (jump::JLE, true) | (jump::JGT, false) => (0, bound),
        (jump::JGT, true) | (jump::JLE, false) => (bound.saturating_add(1), u64::MAX),
        (jump::JGE, true) | (jump::JLT, false) => (bound, u64::MAX),
        _ => return known,
    };
    let (low, high) = (low.max(from), high.min(to));
    // A way that no run takes may say anything; and what is no limit is not kept.
    if low <= high && high < u64::MAX {
        return Known::Number(low, high);
    }
    known
}
