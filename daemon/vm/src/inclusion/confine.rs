//! Numbers are brought into bounds, in all the ways in which programs do so.

use super::writer::{Label, MOV32, Writer};
use crate::isa::{SOURCE_REGISTER as X, alu, class, jump, mem};

const WIDE: u8 = class::JMP;
const NARROW: u8 = class::JMP32;

impl Writer<'_> {
    /// A scratch register with a number from 0 to `limit`; now and then it is not.
    pub(super) fn confined(&mut self, limit: i32, others: &[u8]) -> u8 {
        let register = self.unknown(others);
        let limit = match self.wrong() {
            true => limit + self.of_these(&[1, 1, 8, -1]),
            false => limit,
        };
        let limit = limit.max(0);
        let mut not: Vec<u8> = others.to_vec();
        not.push(register);
        self.confine(register, limit, &not);
        register
    }

    fn confine(&mut self, register: u8, limit: i32, others: &[u8]) {
        match self.below(16) {
            0 | 1 => self.mask(register, limit),
            2 => self.fail_if(WIDE | jump::JGT, register, 0, limit),
            3 => {
                self.fail_if(NARROW | jump::JGT, register, 0, limit);
                if !self.wrong() {
                    self.push(MOV32 | X, register, register, 0, 0);
                }
            }
            4 => {
                self.fail_if(WIDE | jump::JSGT, register, 0, limit);
                if !self.wrong() {
                    self.fail_if(WIDE | jump::JSLT, register, 0, 0);
                }
            }
            5 => {
                let class = self.of_these(&[class::ALU, class::ALU64]);
                self.push(class | alu::MOD, register, 0, 0, limit + 1);
            }
            6 => self.shift(register, limit),
            7 => self.by_copy(register, limit, others),
            8 => self.by_sum(register, limit, others),
            9 => self.by_slot(register, limit),
            10 => {
                let mask = low_bits(limit);
                self.fail_if(WIDE | jump::JSET, register, 0, !mask);
                if self.wrong() {
                    self.push(class::ALU64 | alu::END, register, 0, 0, 32);
                }
            }
            11 => {
                let mut fits = Label::default();
                self.jump(WIDE | jump::JLE, register, limit, &mut fits);
                let value = self.below(limit as usize + 1) as i32;
                self.set(register, value);
                self.place(fits, true);
            }
            12 => {
                self.push(MOV32 | X, register, register, 0, 0);
                let by = self.edge() & 0xff;
                self.push(class::ALU | alu::SUB, register, 0, 0, by);
                self.fail_if(NARROW | jump::JGT, register, 0, limit);
            }
            13 => self.by_other(register, limit, others),
            14 => {
                let width = self.of_these(&[8, 16, 32]);
                self.push(class::ALU64 | alu::MOV | X, register, register, width, 0);
                self.fail_if(WIDE | jump::JSGT, register, 0, limit);
                if !self.wrong() {
                    self.push(class::ALU64 | alu::ARSH, register, 0, 0, 1);
                    self.fail_if(NARROW | jump::JSLT, register, 0, 0);
                }
            }
            _ => {
                let exact = self.below(limit as usize + 1) as i32;
                let class = self.of_these(&[WIDE, WIDE, NARROW]);
                self.fail_if(class | jump::JNE, register, 0, exact);
                if class == NARROW && !self.wrong() {
                    self.mask(register, limit);
                }
            }
        }
    }

    fn mask(&mut self, register: u8, limit: i32) {
        let class = self.of_these(&[class::ALU, class::ALU64]);
        let mask = match self.one_in(3) {
            true => limit & self.edge(),
            false => low_bits(limit),
        };
        self.push(class | alu::AND, register, 0, 0, mask);
        if self.wrong() {
            self.push(class | alu::NEG, register, 0, 0, 0);
        }
    }

    fn shift(&mut self, register: u8, limit: i32) {
        let bits = (low_bits(limit) as u32).count_ones() as i32;
        match self.below(3) {
            0 => self.push(class::ALU | alu::RSH, register, 0, 0, (32 - bits).min(31)),
            1 => self.push(class::ALU64 | alu::RSH, register, 0, 0, (64 - bits).min(63)),
            _ => {
                let operation = if self.wrong() { alu::ARSH } else { alu::RSH };
                self.push(class::ALU64 | alu::LSH, register, 0, 0, 32);
                self.push(class::ALU64 | operation, register, 0, 0, 32);
            }
        }
        self.fail_if(WIDE | jump::JGT, register, 0, limit);
    }

    /// A copy is compared, or the original once there is a copy.
    fn by_copy(&mut self, register: u8, limit: i32, others: &[u8]) {
        let copy = self.scratch(others);
        let (narrow, offset) = self.of_these(&[(false, 0), (false, 0), (true, 0), (false, 32)]);
        let opcode = if narrow { MOV32 } else { super::writer::MOV };
        self.push(opcode | X, copy, register, offset, 0);
        self.is_number(copy);
        if self.wrong() {
            let touched = self.of_these(&[register, copy]);
            let src = self.number(&[]);
            self.arithmetic_on(touched, src);
        }
        let class = self.of_these(&[WIDE, WIDE, NARROW]);
        self.fail_if(class | jump::JGT, copy, 0, limit);
        if narrow || offset != 0 || class == NARROW {
            // What was compared says nothing of the other half.
            match self.wrong() {
                true => {}
                false => self.push(class::ALU | alu::MOV | X, register, copy, 0, 0),
            }
        }
    }

    /// A sum with a constant is compared.
    fn by_sum(&mut self, register: u8, limit: i32, others: &[u8]) {
        let sum = self.scratch(others);
        let class = self.of_these(&[class::ALU, class::ALU64, class::ALU64]);
        let by = self.of_these(&[1, -1, 4, 16, -16, 255]);
        self.mov(sum, register);
        self.push(class | alu::ADD, sum, 0, 0, by);
        self.is_number(sum);
        if self.one_in(3) {
            self.push(class | alu::ADD, sum, 0, 0, 3);
            self.push(class | alu::SUB, sum, 0, 0, 3);
        }
        if self.one_in(2) {
            self.fail_if(WIDE | jump::JGT, register, 0, 0xffff);
        }
        let high = limit.saturating_add(by);
        let (greater, less) = self.of_these(&[(jump::JGT, jump::JLT), (jump::JSGT, jump::JSLT)]);
        self.fail_if(WIDE | greater, sum, 0, high);
        if !self.wrong() {
            self.fail_if(WIDE | less, sum, 0, by);
        }
    }

    /// It is compared while a copy lies on the stack, which is used.
    fn by_slot(&mut self, register: u8, limit: i32) {
        let at = -8 * (17 + self.below(4) as i16);
        let (store, load) = self.of_these(&[
            (mem::DW, mem::DW),
            (mem::DW, mem::DW),
            (mem::W, mem::W),
            (mem::DW, mem::W),
        ]);
        self.push(class::STX | mem::MEM | store, 10, register, at, 0);
        self.wrote(at.into(), if store == mem::DW { 8 } else { 4 });
        if self.wrong() {
            let size = self.of_these(&[mem::B, mem::H, mem::W]);
            let byte = self.below(4) as i16;
            let byte = byte & !(super::numbers::bytes(size) as i16 - 1);
            self.push(class::ST | mem::MEM | size, 10, 0, at + byte, 0x7f);
        }
        self.fail_if(WIDE | jump::JGT, register, 0, limit);
        self.push(class::LDX | mem::MEM | load, register, 10, at, 0);
        if store != mem::DW && self.one_in(2) {
            self.fail_if(WIDE | jump::JGT, register, 0, limit);
        }
    }

    /// It is compared with another number, which is in bounds.
    fn by_other(&mut self, register: u8, limit: i32, others: &[u8]) {
        let other = self.scratch(others);
        let (context, at) = (self.context, 24 + self.below(24) as i16);
        self.push(class::LDX | mem::MEM | mem::B, other, context, at, 0);
        self.is_number(other);
        self.mask(other, limit);
        let class = self.of_these(&[WIDE, WIDE, WIDE, NARROW]);
        let greater = self.of_these(&[jump::JGT, jump::JGT, jump::JGE, jump::JSGT]);
        self.fail_if(class | greater | X, register, other, 0);
        if (greater == jump::JSGT || class == NARROW) && !self.wrong() {
            self.fail_if(WIDE | jump::JGT, register, 0, limit);
        }
    }
}

/// The greatest number of low bits that are all at most `limit`.
fn low_bits(limit: i32) -> i32 {
    ((u32::MAX >> (limit as u32 + 1).leading_zeros()) >> 1) as i32
}
