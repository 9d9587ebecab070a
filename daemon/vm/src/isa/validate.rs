//! Is this sequence of slots a program at all?  (RFC 9669.)
//!
//! Invariant that executors rely on: in a valid program every register number
//! is at most 10, r10 is never written, every jump and local call leads to the
//! first slot of an instruction, jumps stay inside their function, and control
//! never runs past the end.  What the program *does* is no concern here.

use super::*;

/// What is wrong with the slot at `pc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    pub pc: usize,
    pub message: String,
}

type Check = Result<(), String>;

/// Check a whole program whose functions begin at `starts` (ascending, from 0).
pub fn validate(program: &[Insn], starts: &[usize]) -> Result<(), Invalid> {
    let fail = |pc, message: String| Err(Invalid { pc, message });
    if program.is_empty() {
        return fail(0, "the program has no instructions".into());
    }
    if program.len() > MAX_INSTRUCTIONS {
        return fail(
            0,
            format!(
                "{} instructions are more than {MAX_INSTRUCTIONS}",
                program.len()
            ),
        );
    }
    let second = second_slots(program)?;
    let mut bounds: Vec<usize> = starts.to_vec();
    bounds.push(program.len());
    for function in bounds.windows(2) {
        let (start, end) = (function[0], function[1]);
        for pc in start..end {
            if !second[pc] {
                check_slot(program[pc])
                    .and_then(|()| check_flow(program, &second, starts, pc, start..end))
                    .or_else(|message| fail(pc, message))?;
            }
        }
    }
    Ok(())
}

/// Marks the second slots of `lddw`, which are no instructions.
fn second_slots(program: &[Insn]) -> Result<Vec<bool>, Invalid> {
    let mut second = vec![false; program.len()];
    let mut pc = 0;
    while pc < program.len() {
        if program[pc].is_lddw() {
            let next = program.get(pc + 1).copied();
            if next.is_none_or(|n| n.opcode != 0 || n.dst != 0 || n.src != 0 || n.offset != 0) {
                let message =
                    "lddw lacks its second slot (all zero but for its immediate)".to_owned();
                return Err(Invalid { pc, message });
            }
            second[pc + 1] = true;
            pc += 1;
        }
        pc += 1;
    }
    Ok(second)
}

/// Checks one slot by itself.
fn check_slot(insn: Insn) -> Check {
    if insn.dst > FRAME_POINTER || insn.src > FRAME_POINTER {
        return Err(format!(
            "register r{} does not exist",
            insn.dst.max(insn.src)
        ));
    }
    match insn.class() {
        class::ALU | class::ALU64 => check_arithmetic(insn),
        class::JMP | class::JMP32 => check_jump(insn),
        class::LD => check_immediate_load(insn),
        _ => check_memory(insn),
    }
}

fn unknown(insn: Insn) -> String {
    format!("unknown opcode 0x{:02x}", insn.opcode)
}

fn reserved(insn: Insn, field: &str) -> String {
    format!("{field} must be 0 for opcode 0x{:02x}", insn.opcode)
}

fn zero(insn: Insn, value: bool, field: &str) -> Check {
    if value {
        Ok(())
    } else {
        Err(reserved(insn, field))
    }
}

fn check_arithmetic(insn: Insn) -> Check {
    if insn.dst == FRAME_POINTER {
        return Err("r10 is read-only: it points to the stack frame".into());
    }
    match insn.operation() {
        alu::NEG => {
            zero(insn, insn.opcode & SOURCE_REGISTER == 0, "the source bit")?;
            zero(insn, insn.src == 0, "src")?;
            zero(insn, insn.imm == 0, "imm")?;
            return zero(insn, insn.offset == 0, "offset");
        }
        alu::END => return check_byte_swap(insn),
        alu::DIV | alu::MOD if matches!(insn.offset, 0 | 1) => {}
        alu::MOV if insn.offset != 0 => check_sign_extension(insn)?,
        alu::ADD..=alu::ARSH => zero(insn, insn.offset == 0, "offset")?,
        _ => return Err(unknown(insn)),
    }
    check_operand(insn)
}

/// Exactly one of `src` and `imm` is in use.
fn check_operand(insn: Insn) -> Check {
    if insn.is_register_source() {
        zero(insn, insn.imm == 0, "imm")
    } else {
        zero(insn, insn.src == 0, "src")
    }
}

fn check_sign_extension(insn: Insn) -> Check {
    let widths: &[i16] = if insn.class() == class::ALU64 {
        &[8, 16, 32]
    } else {
        &[8, 16]
    };
    if insn.is_register_source() && widths.contains(&insn.offset) {
        return Ok(());
    }
    Err(format!("{} is no width to sign-extend from", insn.offset))
}

fn check_byte_swap(insn: Insn) -> Check {
    zero(insn, insn.src == 0, "src")?;
    zero(insn, insn.offset == 0, "offset")?;
    if insn.class() == class::ALU64 && insn.is_register_source() {
        return Err(unknown(insn));
    }
    if matches!(insn.imm, 16 | 32 | 64) {
        return Ok(());
    }
    Err(format!("{} is no width to swap bytes of", insn.imm))
}

fn check_jump(insn: Insn) -> Check {
    let wide = insn.class() == class::JMP;
    match insn.operation() {
        jump::CALL if wide => check_call(insn),
        jump::EXIT if wide && !insn.is_register_source() => {
            zero(insn, insn.dst == 0 && insn.src == 0, "dst and src")?;
            zero(insn, insn.imm == 0 && insn.offset == 0, "imm and offset")
        }
        jump::JA if !insn.is_register_source() => {
            zero(insn, insn.dst == 0 && insn.src == 0, "dst and src")?;
            let unused = if wide { insn.imm } else { insn.offset.into() };
            zero(insn, unused == 0, if wide { "imm" } else { "offset" })
        }
        jump::JEQ..=jump::JSGE | jump::JLT..=jump::JSLE => check_operand(insn),
        _ => Err(unknown(insn)),
    }
}

fn check_call(insn: Insn) -> Check {
    if insn.is_register_source() {
        return Err("a call through a register (callx) is not supported: call by name".into());
    }
    zero(insn, insn.dst == 0, "dst")?;
    match insn.src {
        // Who else is called, and whether it is there, is known to contracts only.
        CALL_HELPER | CALL_LOCAL | CALL_BTF => zero(insn, insn.offset == 0, "offset"),
        other => Err(format!("{other} is no kind of call")),
    }
}

fn check_immediate_load(insn: Insn) -> Check {
    if matches!(insn.mode(), mem::ABS | mem::IND) {
        return Err(format!(
            "legacy packet instruction 0x{:02x} is not supported: read through ctx->data",
            insn.opcode
        ));
    }
    if !insn.is_lddw() {
        return Err(unknown(insn));
    }
    if insn.dst == FRAME_POINTER {
        return Err("r10 is read-only: it points to the stack frame".into());
    }
    zero(insn, insn.offset == 0, "offset")?;
    match insn.src {
        LDDW_VALUE | LDDW_MAP | LDDW_MAP_VALUE => Ok(()),
        other => Err(format!("lddw of kind {other} is not supported")),
    }
}

fn check_memory(insn: Insn) -> Check {
    let is_load = insn.class() == class::LDX;
    if is_load && insn.dst == FRAME_POINTER {
        return Err("r10 is read-only: it points to the stack frame".into());
    }
    match insn.mode() {
        mem::MEM if insn.class() == class::ST => zero(insn, insn.src == 0, "src"),
        mem::MEM => zero(insn, insn.imm == 0, "imm"),
        mem::MEMSX if is_load && insn.width() < 8 => zero(insn, insn.imm == 0, "imm"),
        mem::ATOMIC if insn.class() == class::STX && insn.width() >= 4 => check_atomic(insn),
        _ => Err(unknown(insn)),
    }
}

fn check_atomic(insn: Insn) -> Check {
    let fetches = insn.imm & atomic::FETCH != 0;
    if fetches && insn.src == FRAME_POINTER {
        return Err("r10 is read-only: it points to the stack frame".into());
    }
    match insn.imm & !atomic::FETCH {
        atomic::ADD | atomic::OR | atomic::AND | atomic::XOR => Ok(()),
        _ if matches!(insn.imm, atomic::XCHG | atomic::CMPXCHG) => Ok(()),
        _ => Err(format!("unknown atomic operation 0x{:x}", insn.imm)),
    }
}

/// Checks where control goes after the slot at `pc` of the function `body`.
fn check_flow(
    program: &[Insn],
    second: &[bool],
    starts: &[usize],
    pc: usize,
    body: std::ops::Range<usize>,
) -> Check {
    let insn = program[pc];
    if let Some(distance) = insn.distance() {
        let target = pc as i64 + 1 + distance;
        let inside = usize::try_from(target).ok().filter(|t| *t < program.len());
        let Some(target) = inside else {
            return Err(format!("jump to {target}, outside of the program"));
        };
        if second[target] {
            return Err(format!("jump to {target}, the middle of a lddw"));
        }
        if insn.is_local_call() {
            if !starts.contains(&target) {
                return Err(format!("call of {target}, where no function begins"));
            }
        } else if !body.contains(&target) {
            return Err(format!("jump to {target}, into another function"));
        }
    }
    let length = if insn.is_lddw() { 2 } else { 1 };
    let falls_through = !insn.is_exit() && !insn.is_goto();
    if falls_through && pc + length >= body.end {
        return Err("control runs past the end of the function: end it with exit".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: Insn = Insn::new(EXIT, 0, 0, 0, 0);

    fn message(program: &[Insn]) -> String {
        let invalid = validate(program, &[0]).expect_err("an invalid program");
        format!("{}: {}", invalid.pc, invalid.message)
    }

    /// Every refusal gives the pc and says what is wrong.
    #[test]
    fn refusals_name_pc_and_cause() {
        let mov = Insn::new(class::ALU64 | alu::MOV, 0, 0, 0, 0);
        let cases: [(&[Insn], &str); 14] = [
            (&[], "0: the program has no instructions"),
            (&[mov], "0: control runs past the end"),
            (
                &[mov, Insn::new(0xff, 0, 0, 0, 0), END],
                "1: unknown opcode 0xff",
            ),
            (
                &[Insn::new(0x20, 0, 0, 0, 4), END],
                "0: legacy packet instruction 0x20",
            ),
            (
                &[Insn::new(0x8d, 0, 0, 0, 1), END],
                "0: a call through a register (callx)",
            ),
            (
                &[Insn::new(CALL, 0, 3, 0, 1), END],
                "0: 3 is no kind of call",
            ),
            (&[Insn::new(0xb7, 10, 0, 0, 0), END], "0: r10 is read-only"),
            (
                &[Insn::new(0xbf, 11, 0, 0, 0), END],
                "0: register r11 does not exist",
            ),
            (
                &[Insn::new(0x05, 0, 0, 5, 0), END],
                "0: jump to 6, outside of the program",
            ),
            (
                &[Insn::new(0x05, 0, 0, -2, 0), END],
                "0: jump to -1, outside",
            ),
            (
                &[
                    Insn::new(0x05, 0, 0, 1, 0),
                    Insn::new(LDDW, 0, 0, 0, 0),
                    Insn::default(),
                    END,
                ],
                "0: jump to 2, the middle of a lddw",
            ),
            (
                &[Insn::new(LDDW, 0, 0, 0, 0), END],
                "0: lddw lacks its second slot",
            ),
            (
                &[Insn::new(0xdb, 1, 2, 0, 0x22), END],
                "0: unknown atomic operation 0x22",
            ),
            (
                &[Insn::new(CALL, 0, CALL_LOCAL, 0, 0), END],
                "0: call of 1, where no function",
            ),
        ];
        for (program, expected) in cases {
            let message = message(program);
            assert!(
                message.starts_with(expected),
                "{message} instead of {expected}"
            );
        }
    }

    /// A jump may not leave its function, nor a function run into the next.
    #[test]
    fn functions_are_closed() {
        let call = Insn::new(CALL, 0, CALL_LOCAL, 0, 1);
        assert_eq!(Ok(()), validate(&[call, END, END], &[0, 2]));
        let jump = Insn::new(0x05, 0, 0, 1, 0);
        assert!(validate(&[jump, END, END], &[0, 2]).is_err());
        let mov = Insn::new(class::ALU64 | alu::MOV, 0, 0, 0, 0);
        assert!(validate(&[call, mov, END], &[0, 2]).is_err());
    }

    /// Reserved fields must be zero, so that a later meaning cannot be missed.
    #[test]
    fn reserved_fields_are_zero() {
        let dirty = [
            Insn::new(0x95, 1, 0, 0, 0),
            Insn::new(0x95, 0, 0, 0, 1),
            Insn::new(0xbf, 0, 1, 0, 1),
            Insn::new(0xb7, 0, 1, 0, 1),
            Insn::new(0x07, 0, 0, 1, 1),
            Insn::new(0x61, 0, 1, 0, 1),
            Insn::new(0x87, 0, 0, 0, 1),
            Insn::new(0xd7, 0, 0, 0, 8),
            Insn::new(0xbf, 0, 1, 7, 0),
            Insn::new(0x99, 0, 1, 0, 0),
            Insn::new(CALL, 0, CALL_BTF, 1, 0),
            Insn::new(CALL, 1, CALL_BTF, 0, 0),
        ];
        for insn in dirty {
            assert!(validate(&[insn, END], &[0]).is_err(), "{insn:?}");
        }
    }
}
