//! Random programs that stay in bounds by construction.
//!
//! ```text
//!   r0 to r5, r9   numbers (r9 counts the rounds of a loop)
//!   r6             context, of which bytes 16..32 are used
//!   r7, r8         a value of map 0 (an array); the packet
//! ```
//!
//! A program is a row of segments, each maybe a loop; jumps stay inside of
//! their segment.  In the end all numbers are mixed into r0.

use crate::isa::{
    CALL, CALL_HELPER, CALL_LOCAL, EXIT, Insn, LDDW, LDDW_MAP, LDDW_MAP_VALUE,
    SOURCE_REGISTER as X, alu, class, jump, mem,
};

pub const PACKET: usize = 64;
pub const VALUE: i64 = 64;
/// Maps of every program: an array of 4 values, and a hash map.
pub const ARRAY: i32 = 0;
pub const HASH: i32 = 1;

pub struct Generator {
    state: u64,
    pub code: Vec<Insn>,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            code: Vec::new(),
        }
    }

    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.random() >> 33) as usize % bound
    }

    pub(super) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// A number of the kind that finds mistakes.
    pub(super) fn interesting(&mut self) -> i32 {
        let any = self.random() as i32;
        self.of(&[
            0,
            1,
            -1,
            2,
            31,
            32,
            63,
            64,
            i32::MIN,
            i32::MAX,
            255,
            any,
            any,
        ])
    }

    pub(super) fn push(&mut self, opcode: u8, dst: u8, src: u8, offset: i16, imm: i32) {
        self.code.push(Insn::new(opcode, dst, src, offset, imm));
    }

    pub(super) fn load_constant(&mut self, dst: u8) {
        let (low, high) = (self.interesting(), self.interesting());
        self.push(LDDW, dst, 0, 0, low);
        self.push(0, 0, 0, 0, high);
    }

    /// A whole program, and where its sub-program begins.
    pub fn program(mut self) -> (Vec<Insn>, usize) {
        let load = class::LDX | mem::MEM | mem::DW;
        self.push(class::ALU64 | alu::MOV | X, 6, 1, 0, 0);
        self.push(load, 8, 6, 0, 0);
        self.push(LDDW, 7, LDDW_MAP_VALUE, 0, ARRAY);
        self.push(0, 0, 0, 0, 0);
        (0..6).for_each(|register| self.load_constant(register));
        for _ in 0..=self.below(4) {
            self.segment(&[10, 6, 7, 8]);
            match self.below(4) {
                0 => self.call_later(),
                1 => self.lookup(),
                2 => self.update(),
                _ => {}
            }
        }
        self.finish();
        let start = self.code.len();
        for pc in 0..start {
            if self.code[pc].opcode == CALL && self.code[pc].src == CALL_LOCAL {
                self.code[pc].imm = (start - pc - 1) as i32;
            }
        }
        // The callee reads r0 to r9 as its caller left them.
        self.segment(&[10]);
        self.push(class::STX | mem::MEM | mem::DW, 10, 9, -16, 0);
        self.finish();
        (self.code, start)
    }

    fn call_later(&mut self) {
        self.push(CALL, 0, CALL_LOCAL, 0, 0);
        (1..6).for_each(|register| self.load_constant(register));
    }

    /// A key of 4 bytes into the frame, its address into r2, the map into r1.
    fn key(&mut self, map: i32) {
        let key = self.below(6) as i32;
        self.push(class::ST | mem::MEM | mem::W, 10, 0, -4, key);
        self.push(class::ALU64 | alu::MOV | X, 2, 10, 0, 0);
        self.push(class::ALU64 | alu::ADD, 2, 0, 0, -4);
        self.push(LDDW, 1, LDDW_MAP, 0, map);
        self.push(0, 0, 0, 0, 0);
    }

    fn lookup(&mut self) {
        let map = self.of(&[ARRAY, HASH]);
        self.key(map);
        self.push(CALL, 0, CALL_HELPER, 0, 1);
        self.push(class::JMP | jump::JEQ, 0, 0, 3, 0);
        self.push(class::LDX | mem::MEM | mem::DW, 3, 0, 8, 0);
        self.push(class::ST | mem::MEM | mem::W, 0, 0, 12, 7);
        self.push(class::ALU64 | alu::MOV | X, 0, 3, 0, 0);
        (1..6).for_each(|register| self.load_constant(register));
    }

    fn update(&mut self) {
        let map = self.of(&[ARRAY, HASH]);
        self.key(map);
        self.push(class::ALU64 | alu::MOV | X, 3, 7, 0, 0);
        self.push(class::ALU64 | alu::MOV, 4, 0, 0, 0);
        self.push(CALL, 0, CALL_HELPER, 0, 2);
        (1..6).for_each(|register| self.load_constant(register));
    }

    /// Some instructions, run once or a few times.
    fn segment(&mut self, bases: &[u8]) {
        let rounds = self.of(&[0, 0, 3, 9]);
        if rounds > 0 {
            self.push(class::ALU64 | alu::MOV, 9, 0, 0, rounds);
        }
        let first = self.code.len();
        let mut jumps = Vec::new();
        for _ in 0..4 + self.below(30) {
            match self.below(8) {
                0..4 => self.arithmetic(),
                4 | 5 => self.access(bases),
                6 => self.atomic(bases),
                _ => {
                    jumps.push(self.code.len());
                    self.branch();
                }
            }
        }
        self.aim(&jumps);
        if rounds > 0 {
            let distance = (self.code.len() + 2 - first) as i16;
            self.push(class::ALU64 | alu::SUB, 9, 0, 0, 1);
            self.push(class::JMP | jump::JNE, 9, 0, -distance, 0);
        }
    }

    /// Let jumps lead forward to instructions of their segment.
    fn aim(&mut self, jumps: &[usize]) {
        let end = self.code.len();
        for pc in jumps.iter().copied() {
            let mut target = pc + 1 + self.below(end - pc);
            if target < end && self.code[target].opcode == 0 {
                target += 1;
            }
            let distance = target - pc - 1;
            let long = self.code[pc].opcode == class::JMP32 | jump::JA;
            if long {
                self.code[pc].imm = distance as i32;
            } else {
                self.code[pc].offset = distance as i16;
            }
        }
    }

    /// Mix r0 to r5 into r0, high half included, and return it.
    fn finish(&mut self) {
        for register in 1..6 {
            self.push(class::ALU64 | alu::MUL, 0, 0, 0, 0x1003_9f1d);
            self.push(class::ALU64 | alu::ADD | X, 0, register, 0, 0);
        }
        self.push(class::ALU64 | alu::MOV | X, 1, 0, 0, 0);
        self.push(class::ALU64 | alu::RSH, 1, 0, 0, 32);
        self.push(class::ALU64 | alu::XOR | X, 0, 1, 0, 0);
        self.push(EXIT, 0, 0, 0, 0);
    }
}
