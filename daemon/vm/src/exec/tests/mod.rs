//! What the interpreter promises: instructions, and whole invocations.

mod bindings;
mod instructions;
mod invocations;
mod limits;
mod random;
mod remote;

use crate::isa::{Insn, alu, class};

const K: u8 = 0;
const X: u8 = crate::isa::SOURCE_REGISTER;
const EXIT: Insn = Insn::new(crate::isa::EXIT, 0, 0, 0, 0);

fn alu64(operation: u8, dst: u8, imm: i32) -> Insn {
    Insn::new(class::ALU64 | operation | K, dst, 0, 0, imm)
}

fn mov(dst: u8, imm: i32) -> Insn {
    alu64(alu::MOV, dst, imm)
}

fn lddw(dst: u8, value: u64) -> [Insn; 2] {
    let low = Insn::new(crate::isa::LDDW, dst, 0, 0, value as i32);
    [low, Insn::new(0, 0, 0, 0, (value >> 32) as i32)]
}
