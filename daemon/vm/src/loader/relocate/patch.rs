//! Putting an answer into an instruction.

use super::access::{Access, Place};
use super::answer::may_resize;
use crate::isa::{FRAME_POINTER, Insn, class, jump, mem};

/// Write `value` over what the compiler has put into the instruction at `pc`.
///
/// `expected` is what that must be; `place` is the field that a load or store is moved to.  The
/// error says why the instruction cannot hold it.
pub fn patch(
    code: &mut [Insn],
    pc: usize,
    access: &Access,
    expected: Option<u64>,
    value: u64,
    place: Option<&Place>,
) -> Result<(), String> {
    let insn = code[pc];
    let check = |held: u64| match expected {
        Some(expected) if expected != held => Err(format!(
            "the instruction holds {held} where the compiler meant {expected}"
        )),
        _ => Ok(()),
    };
    if insn.is_lddw() {
        let Some(high) = code.get(pc + 1).map(|next| next.imm) else {
            return Err("the instruction is cut off".into());
        };
        check(u64::from(insn.imm as u32) | u64::from(high as u32) << 32)?;
        code[pc].imm = value as u32 as i32;
        code[pc + 1].imm = (value >> 32) as u32 as i32;
        return Ok(());
    }
    match insn.class() {
        class::ALU | class::ALU64 if !insn.is_register_source() => {
            check_immediate(insn.imm, expected)?;
            code[pc].imm = immediate(value)?;
        }
        class::LDX | class::ST | class::STX => {
            check(insn.offset as i64 as u64)?;
            code[pc].offset = i16::try_from(value)
                .map_err(|_| format!("offset {value} is too large for an instruction"))?;
            if let (Some(from), Some(to)) = (&access.local, place) {
                code[pc].opcode = resized(insn, from, to)?;
            }
        }
        _ => return Err("the instruction holds no number".into()),
    }
    Ok(())
}

/// Immediates are 32 bits; they stand for the 64 that they are extended to, or for themselves.
fn immediate(value: u64) -> Result<i32, String> {
    let (signed, unsigned) = (i32::try_from(value as i64), u32::try_from(value));
    match (signed, unsigned) {
        (Ok(signed), _) => Ok(signed),
        (_, Ok(unsigned)) => Ok(unsigned as i32),
        _ => Err(format!("{value} is too large for an instruction")),
    }
}

fn check_immediate(held: i32, expected: Option<u64>) -> Result<(), String> {
    match expected {
        Some(expected) if expected as u32 as i32 != held => Err(format!(
            "the instruction holds {held} where the compiler meant {expected}"
        )),
        _ => Ok(()),
    }
}

/// The offset of a load or store of a bit-field, whose shifts and masks are the compiler's.
///
/// They stay right only if the field keeps its width, its sign and its place within a byte.  clang
/// sometimes gives such an instruction the offset of another word, so the field must be there.
pub fn moved_bits(insn: Insn, from: &Place, to: &Place) -> Result<u64, String> {
    let loaded = i64::from(insn.offset) * 8;
    let (start, end) = (
        from.offset as i64,
        from.offset as i64 + i64::from(from.bits),
    );
    let moved = to.offset as i64 - start;
    let what = if start < loaded || end > loaded + insn.width() as i64 * 8 {
        "the compiler takes this bit-field from where it does not lie"
    } else if (from.bits, from.signed) != (to.bits, to.signed) || moved % 8 != 0 {
        "its bits lie otherwise now than the compiler has meant it"
    } else {
        return Ok((i64::from(insn.offset) + moved / 8) as u64);
    };
    Err(format!(
        "{what}: read it by offset and shifts that __builtin_preserve_field_info gives"
    ))
}

/// The opcode of a load or store of a field that has another size now.
fn resized(insn: Insn, from: &Place, to: &Place) -> Result<u8, String> {
    // A program may load less than the whole field, and does so on.
    if from.size == to.size || insn.width() != from.size as usize {
        return Ok(insn.opcode);
    }
    if !may_resize(from, to) || insn.mode() != mem::MEM {
        return Err(format!(
            "it has {} bytes now, not {}, and cannot be read as the compiler has meant it",
            to.size, from.size
        ));
    }
    let width = match to.size {
        1 => mem::B,
        2 => mem::H,
        4 => mem::W,
        8 => mem::DW,
        size => return Err(format!("a number of {size} bytes cannot be read at once")),
    };
    Ok(insn.opcode & !mem::DW | width)
}

/// Replace an instruction by one that no verifier lets a program reach.
pub fn poison(code: &mut [Insn], pc: usize) {
    if code[pc].is_lddw() && pc + 1 < code.len() {
        code[pc + 1] = Insn::new(class::JMP | jump::JA, 0, 0, 0, 0);
    }
    // A load from above the stack.
    let load = class::LDX | mem::MEM | mem::DW;
    code[pc] = Insn::new(load, 0, FRAME_POINTER, 0x7ff8, 0);
}
