//! The random instructions that a [`Generator`] makes its programs of.

use super::generator::{Generator, PACKET, VALUE};
use crate::isa::{Insn, SOURCE_REGISTER as X, alu, atomic, class, jump, mem};

const OPERATIONS: [u8; 13] = [
    alu::ADD,
    alu::SUB,
    alu::MUL,
    alu::DIV,
    alu::OR,
    alu::AND,
    alu::LSH,
    alu::RSH,
    alu::NEG,
    alu::MOD,
    alu::XOR,
    alu::MOV,
    alu::ARSH,
];
const SIZES: [u8; 4] = [mem::B, mem::H, mem::W, mem::DW];

impl Generator<'_> {
    pub(super) fn branch(&mut self) {
        let (dst, src) = (self.below(6) as u8, self.below(6) as u8);
        let class = self.of(&[class::JMP, class::JMP32]);
        let operation = self.of(&jump::CONDITIONS);
        let imm = self.interesting();
        match self.below(6) {
            0 => self.push(class | jump::JA, 0, 0, 0, 0),
            1 | 2 => self.push(class | operation, dst, 0, 0, imm),
            _ => self.push(class | operation | X, dst, src, 0, 0),
        }
    }

    pub(super) fn arithmetic(&mut self) {
        let (dst, src) = (self.below(6) as u8, self.below(6) as u8);
        let class = self.of(&[class::ALU, class::ALU64]);
        let operation = self.of(&OPERATIONS);
        let imm = self.interesting();
        match self.below(12) {
            0 => self.load_constant(dst),
            1 => {
                let source = if class == class::ALU {
                    self.of(&[0, X])
                } else {
                    0
                };
                let width = self.of(&[16, 32, 64]);
                self.push(class | alu::END | source, dst, 0, 0, width);
            }
            2 => {
                let widths: &[i16] = if class == class::ALU {
                    &[8, 16]
                } else {
                    &[8, 16, 32]
                };
                let width = self.of(widths);
                self.push(class | alu::MOV | X, dst, src, width, 0);
            }
            3 => {
                let operation = self.of(&[alu::DIV, alu::MOD]);
                match self.below(2) {
                    0 => self.push(class | operation, dst, 0, 1, imm),
                    _ => self.push(class | operation | X, dst, src, 1, 0),
                }
            }
            _ if operation == alu::NEG => self.push(class | alu::NEG, dst, 0, 0, 0),
            4..7 => self.push(class | operation, dst, 0, 0, imm),
            _ => self.push(class | operation | X, dst, src, 0, 0),
        }
    }

    /// An offset so that `size` bytes at it lie inside of what `base` leads to.
    fn offset(&mut self, base: u8, size: i64, aligned: bool) -> i16 {
        let (start, end) = match base {
            10 => (-512, 0),
            6 => (16, 32),
            7 => (0, VALUE),
            _ => (0, PACKET as i64),
        };
        let offset = start + self.below((end - start - size + 1) as usize) as i64;
        let offset = if aligned { offset & -size } else { offset };
        offset as i16
    }

    pub(super) fn access(&mut self, bases: &[u8]) {
        let (register, size) = (self.below(6) as u8, self.of(&SIZES));
        let base = self.of(bases);
        let bytes = Insn::new(size, 0, 0, 0, 0).width() as i64;
        let offset = self.offset(base, bytes, false);
        let imm = self.interesting();
        match self.below(5) {
            0 => self.push(class::ST | mem::MEM | size, base, 0, offset, imm),
            1 | 2 => self.push(class::STX | mem::MEM | size, base, register, offset, 0),
            3 if size != mem::DW => {
                self.push(class::LDX | mem::MEMSX | size, register, base, offset, 0);
            }
            _ => self.push(class::LDX | mem::MEM | size, register, base, offset, 0),
        }
    }

    pub(super) fn atomic(&mut self, bases: &[u8]) {
        let size = self.of(&[mem::W, mem::DW]);
        let bytes = if size == mem::W { 4 } else { 8 };
        let base = self.of(bases);
        // Of a map value it ends the invocation, so it is rare there.
        let aligned = if base == 7 {
            self.below(64) > 0
        } else {
            self.below(2) > 0
        };
        let offset = self.offset(base, bytes, aligned);
        let (register, operation) = (self.below(6) as u8, self.of(&atomic::ALL));
        self.push(
            class::STX | mem::ATOMIC | size,
            base,
            register,
            offset,
            operation,
        );
    }
}
