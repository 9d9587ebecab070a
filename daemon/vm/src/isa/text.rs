//! One instruction as a line of text, in the notation of clang and objdump.

use super::*;

/// The instruction at `pc` as text; the second slot of a `lddw` is a part of it.
pub fn describe(program: &[Insn], pc: usize) -> String {
    let Some(insn) = program.get(pc).copied() else {
        return String::new();
    };
    match insn.class() {
        class::ALU | class::ALU64 => arithmetic(insn),
        class::JMP | class::JMP32 => jump_text(insn, pc),
        class::LD => immediate_load(insn, program.get(pc + 1).copied()),
        class::LDX => {
            let sign = if insn.mode() == mem::MEMSX { 's' } else { 'u' };
            format!(
                "r{} = *({sign}{} *)({})",
                insn.dst,
                bits(insn),
                place(insn.src, insn)
            )
        }
        class::ST => format!(
            "*(u{} *)({}) = {}",
            bits(insn),
            place(insn.dst, insn),
            insn.imm
        ),
        _ => store(insn),
    }
}

fn bits(insn: Insn) -> usize {
    insn.width() * 8
}

fn place(register: u8, insn: Insn) -> String {
    let sign = if insn.offset < 0 { '-' } else { '+' };
    format!("r{register} {sign} {}", insn.offset.unsigned_abs())
}

fn operand(insn: Insn, prefix: char) -> String {
    if insn.is_register_source() {
        format!("{prefix}{}", insn.src)
    } else {
        insn.imm.to_string()
    }
}

fn arithmetic(insn: Insn) -> String {
    let prefix = if insn.class() == class::ALU64 {
        'r'
    } else {
        'w'
    };
    let dst = format!("{prefix}{}", insn.dst);
    let source = operand(insn, prefix);
    let signed = if insn.offset == 1 { "s" } else { "" };
    match insn.operation() {
        alu::NEG => format!("{dst} = -{dst}"),
        alu::END => {
            let order = match (insn.class(), insn.is_register_source()) {
                (class::ALU64, _) => "bswap",
                (_, true) => "be",
                (_, false) => "le",
            };
            format!("r{0} = {order}{1} r{0}", insn.dst, insn.imm)
        }
        alu::MOV if insn.offset != 0 => format!("{dst} = (s{}){source}", insn.offset),
        alu::MOV => format!("{dst} = {source}"),
        alu::ADD => format!("{dst} += {source}"),
        alu::SUB => format!("{dst} -= {source}"),
        alu::MUL => format!("{dst} *= {source}"),
        alu::DIV => format!("{dst} {signed}/= {source}"),
        alu::MOD => format!("{dst} {signed}%= {source}"),
        alu::OR => format!("{dst} |= {source}"),
        alu::AND => format!("{dst} &= {source}"),
        alu::XOR => format!("{dst} ^= {source}"),
        alu::LSH => format!("{dst} <<= {source}"),
        alu::RSH => format!("{dst} >>= {source}"),
        alu::ARSH => format!("{dst} s>>= {source}"),
        _ => raw(insn),
    }
}

fn jump_text(insn: Insn, pc: usize) -> String {
    let target = pc as i64 + 1 + insn.distance().unwrap_or(0);
    let prefix = if insn.class() == class::JMP { 'r' } else { 'w' };
    let comparison = match insn.operation() {
        jump::JA => return format!("goto {target}"),
        jump::EXIT => return "exit".into(),
        jump::CALL if insn.is_local_call() => return format!("call function at {target}"),
        jump::CALL if insn.is_function_call() => return format!("call import {}", insn.imm),
        jump::CALL => return format!("call helper {}", insn.imm),
        jump::JEQ => "==",
        jump::JGT => ">",
        jump::JGE => ">=",
        jump::JSET => "&",
        jump::JNE => "!=",
        jump::JSGT => "s>",
        jump::JSGE => "s>=",
        jump::JLT => "<",
        jump::JLE => "<=",
        jump::JSLT => "s<",
        jump::JSLE => "s<=",
        _ => return raw(insn),
    };
    let right = operand(insn, prefix);
    format!("if {prefix}{} {comparison} {right} goto {target}", insn.dst)
}

fn immediate_load(insn: Insn, second: Option<Insn>) -> String {
    let high = second.map_or(0, |slot| slot.imm);
    match (insn.opcode, insn.src) {
        (LDDW, LDDW_VALUE) => {
            let value = u64::from(insn.imm as u32) | u64::from(high as u32) << 32;
            format!("r{} = 0x{value:x} ll", insn.dst)
        }
        (LDDW, LDDW_MAP) => format!("r{} = map {}", insn.dst, insn.imm),
        (LDDW, LDDW_MAP_VALUE) => format!("r{} = value of map {} + {high}", insn.dst, insn.imm),
        _ => raw(insn),
    }
}

fn store(insn: Insn) -> String {
    let target = format!("*(u{} *)({})", bits(insn), place(insn.dst, insn));
    if insn.mode() != mem::ATOMIC {
        return format!("{target} = r{}", insn.src);
    }
    let name = match insn.imm & !atomic::FETCH {
        atomic::ADD => "add",
        atomic::OR => "or",
        atomic::AND => "and",
        atomic::XOR => "xor",
        _ if insn.imm == atomic::XCHG => "xchg",
        _ => "cmpxchg",
    };
    let fetch = if insn.imm & atomic::FETCH == 0 {
        ""
    } else {
        "_fetch"
    };
    format!("lock {name}{fetch} {target}, r{}", insn.src)
}

fn raw(insn: Insn) -> String {
    format!("opcode 0x{:02x}", insn.opcode)
}
