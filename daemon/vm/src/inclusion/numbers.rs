//! Numbers: where they come from, and what is done with them.

use super::writer::Writer;
use crate::isa::{SOURCE_REGISTER as X, alu, class, jump, mem};

const OPERATIONS: [u8; 16] = [
    alu::ADD,
    alu::ADD,
    alu::SUB,
    alu::SUB,
    alu::MUL,
    alu::DIV,
    alu::OR,
    alu::AND,
    alu::AND,
    alu::LSH,
    alu::RSH,
    alu::NEG,
    alu::MOD,
    alu::XOR,
    alu::MOV,
    alu::ARSH,
];
pub(super) const SIZES: [u8; 4] = [mem::B, mem::H, mem::W, mem::DW];

/// Bytes of a size of `mem`.
pub(super) fn bytes(size: u8) -> i64 {
    match size {
        mem::B => 1,
        mem::H => 2,
        mem::W => 4,
        _ => 8,
    }
}

impl Writer<'_> {
    pub(super) fn some_arithmetic(&mut self) {
        for _ in 0..=self.below(4) {
            self.arithmetic();
        }
    }

    pub(super) fn arithmetic(&mut self) {
        let dst = self.own_number(&[]);
        let src = self.number(&[]);
        self.arithmetic_on(dst, src);
    }

    pub(super) fn arithmetic_on(&mut self, dst: u8, src: u8) {
        let class = self.of_these(&[class::ALU, class::ALU64]);
        let operation = self.of_these(&OPERATIONS);
        let imm = self.edge();
        match self.below(12) {
            0 => {
                let (low, high) = (self.edge(), self.edge());
                self.wide(dst, u64::from(low as u32) | u64::from(high as u32) << 32);
            }
            1 => {
                let source = if class == class::ALU {
                    self.of_these(&[0, X])
                } else {
                    0
                };
                let width = self.of_these(&[16, 32, 64]);
                self.push(class | alu::END | source, dst, 0, 0, width);
            }
            2 => {
                let widths: &[i16] = match class {
                    class::ALU => &[8, 16],
                    _ => &[8, 16, 32],
                };
                let width = self.of_these(widths);
                self.push(class | alu::MOV | X, dst, src, width, 0);
            }
            3 => {
                let operation = self.of_these(&[alu::DIV, alu::MOD]);
                match self.one_in(2) {
                    true => self.push(class | operation, dst, 0, 1, imm),
                    false => self.push(class | operation | X, dst, src, 1, 0),
                }
            }
            _ if operation == alu::NEG => self.push(class | alu::NEG, dst, 0, 0, 0),
            4..8 => {
                let is_shift = matches!(operation, alu::LSH | alu::RSH | alu::ARSH);
                let imm = if is_shift { imm & 63 } else { imm };
                self.push(class | operation, dst, 0, 0, imm);
            }
            _ => self.push(class | operation | X, dst, src, 0, 0),
        }
    }

    /// A comparison of any kind.
    pub(super) fn condition(&mut self) -> u8 {
        let class = self.of_these(&[class::JMP, class::JMP, class::JMP32]);
        class | self.of_these(&jump::CONDITIONS)
    }

    /// A scratch register with a number that nobody knows.
    pub(super) fn unknown(&mut self, others: &[u8]) -> u8 {
        let register = self.scratch(others);
        let size = self.of_these(&SIZES);
        let context = self.context;
        let signed = size != mem::DW && self.one_in(4);
        let mode = if signed { mem::MEMSX } else { mem::MEM };
        match self.below(6) {
            0 if self.is_written(-128, 64) => {
                let at = -128 + self.below(64 - 7) as i64;
                self.push(class::LDX | mode | size, register, 10, at as i16, 0);
            }
            _ => {
                let at = 24 + self.below(24 - 7);
                self.push(class::LDX | mode | size, register, context, at as i16, 0);
            }
        }
        self.is_number(register);
        if self.one_in(4) {
            let src = self.number(&[]);
            self.arithmetic_on(register, src);
        }
        register
    }
}
