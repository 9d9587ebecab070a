//! Loops of random programs: counted in many ways, and not counted at all.

use super::generator::Generator;
use crate::isa::{SOURCE_REGISTER as X, alu, class, jump, mem};

const ADD: u8 = class::ALU64 | alu::ADD;
const MOV: u8 = class::ALU64 | alu::MOV;

/// How a loop counts in r9.
#[derive(Clone, Copy)]
pub enum Form {
    /// Once, without a loop.
    Once,
    /// To 0.
    Down,
    /// From 0 by steps to less than a number.
    Up,
    /// The same by sign, from below 0.
    UpBySign,
    /// In the low half of the register.
    UpNarrow,
    /// From below 0 to 0.
    UpToZero,
    /// A byte of the packet, halved until nothing is left.
    Halving,
    /// With the shifts by which compilers keep 32 bits.
    Shifts,
    /// An address, from the start of the packet to its end.
    Packet,
}

const FORMS: [Form; 12] = [
    Form::Once,
    Form::Once,
    Form::Once,
    Form::Once,
    Form::Down,
    Form::Up,
    Form::UpBySign,
    Form::UpNarrow,
    Form::UpToZero,
    Form::Halving,
    Form::Shifts,
    Form::Packet,
];

impl Generator<'_> {
    pub(super) fn form(&mut self) -> Form {
        self.of(&FORMS)
    }

    /// What comes before a loop of `rounds`.
    pub(super) fn begin(&mut self, form: Form, rounds: i32) {
        match form {
            Form::Once => {}
            Form::Down | Form::Shifts => self.push(MOV, 9, 0, 0, rounds),
            Form::Up => self.push(MOV, 9, 0, 0, 0),
            Form::UpNarrow => self.push(class::ALU | alu::MOV, 9, 0, 0, 0),
            Form::UpBySign => self.push(MOV, 9, 0, 0, -5),
            Form::UpToZero => self.push(MOV, 9, 0, 0, -rounds),
            Form::Halving => self.push(class::LDX | mem::MEM | mem::B, 9, 8, 5, 0),
            Form::Packet => self.push(MOV | X, 9, 8, 0, 0),
        }
    }

    /// What closes the loop that began at `first`.
    pub(super) fn close(&mut self, form: Form, rounds: i32, first: usize) {
        let (step, wide) = (3, class::JMP);
        let back = |generator: &Self| (first as i64 - generator.code.len() as i64 - 1) as i16;
        match form {
            Form::Once => {}
            Form::Down => {
                self.push(class::ALU64 | alu::SUB, 9, 0, 0, 1);
                self.push(wide | jump::JNE, 9, 0, back(self), 0);
            }
            Form::Up => {
                self.push(ADD, 9, 0, 0, step);
                self.push(wide | jump::JLT, 9, 0, back(self), rounds * step);
            }
            Form::UpBySign => {
                self.push(ADD, 9, 0, 0, step);
                self.push(wide | jump::JSLE, 9, 0, back(self), rounds);
            }
            Form::UpNarrow => {
                self.push(class::ALU | alu::ADD, 9, 0, 0, 1);
                self.push(class::JMP32 | jump::JNE, 9, 0, back(self), rounds);
            }
            Form::UpToZero => {
                self.push(ADD, 9, 0, 0, 1);
                self.push(wide | jump::JEQ, 9, 0, 1, 0);
                self.push(wide | jump::JA, 0, 0, back(self), 0);
            }
            Form::Halving => {
                self.push(class::ALU64 | alu::RSH, 9, 0, 0, 1);
                self.push(wide | jump::JNE, 9, 0, back(self), 0);
            }
            Form::Shifts => {
                self.push(ADD, 9, 0, 0, -1);
                self.push(class::ALU64 | alu::LSH, 9, 0, 0, 32);
                self.push(class::ALU64 | alu::RSH, 9, 0, 0, 32);
                self.push(wide | jump::JNE, 9, 0, back(self), 0);
            }
            Form::Packet => {
                self.push(ADD, 9, 0, 0, 16);
                // No address stays in r1, where it could become a number.
                self.push(class::LDX | mem::MEM | mem::DW, 1, 6, 8, 0);
                self.push(wide | jump::JGT | X, 1, 9, 1, 0);
                self.push(wide | jump::JA, 0, 0, 2, 0);
                self.push(MOV, 1, 0, 0, 1);
                self.push(wide | jump::JA, 0, 0, back(self), 0);
                self.push(MOV, 1, 0, 0, 1);
                self.push(MOV, 9, 0, 0, 1);
            }
        }
    }

    /// A loop inside of the one around it.
    pub(super) fn nested(&mut self) {
        self.push(MOV, 7, 0, 0, 0);
        let first = self.code.len();
        for _ in 0..=self.below(3) {
            self.arithmetic();
        }
        let rounds = 1 + self.below(5) as i32;
        self.push(ADD, 7, 0, 0, 1);
        let back = (first as i64 - self.code.len() as i64 - 1) as i16;
        self.push(class::JMP | jump::JLT, 7, 0, back, rounds);
        self.load_value();
    }
}
