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

use super::random::Random;
use super::repeat::Form;
use crate::isa::{
    CALL, CALL_HELPER, CALL_LOCAL, EXIT, Insn, LDDW, LDDW_MAP, LDDW_MAP_VALUE,
    SOURCE_REGISTER as X, alu, class, jump, mem,
};

pub const PACKET: usize = 64;
pub const VALUE: i64 = 64;
/// Maps of every program: an array of 4 values, and a hash map.
pub const ARRAY: i32 = 0;
pub const HASH: i32 = 1;
/// Keys are below this; the array has fewer.
pub const KEYS: u32 = 6;

pub struct Generator<'a> {
    random: Random<'a>,
    pub(super) code: Vec<Insn>,
}

impl<'a> Generator<'a> {
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            code: Vec::new(),
        }
    }

    /// The program that a fuzzer's input stands for: a byte decides one thing.
    pub fn of_choices(choices: &'a [u8]) -> Self {
        Self {
            random: Random::of_choices(choices),
            code: Vec::new(),
        }
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.random.below(bound)
    }

    pub(super) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        self.random.of(choices)
    }

    pub(super) fn interesting(&mut self) -> i32 {
        self.random.interesting()
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
        self.load_value();
        (0..6).for_each(|register| self.load_constant(register));
        for _ in 0..=self.below(3) {
            self.segment(&[10, 6, 7, 8]);
            match self.below(6) {
                0 => self.call_later(),
                1 => self.lookup(),
                2 => self.update(),
                3 => self.delete(),
                4 => self.copy(),
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

    /// The value that r7 leads to.
    pub(super) fn load_value(&mut self) {
        self.push(LDDW, 7, LDDW_MAP_VALUE, 0, ARRAY);
        self.push(0, 0, 0, 0, 0);
    }

    fn delete(&mut self) {
        let map = self.of(&[ARRAY, HASH]);
        self.key(map);
        self.push(CALL, 0, CALL_HELPER, 0, 3);
        self.renew();
    }

    /// bpf_memcpy from the packet or the value into the frame.
    fn copy(&mut self) {
        let source = self.of(&[7, 8]);
        let size = 1 + self.below(PACKET) as i32;
        self.push(class::ALU64 | alu::MOV | X, 1, 10, 0, 0);
        self.push(class::ALU64 | alu::ADD, 1, 0, 0, -64);
        self.push(class::ALU64 | alu::MOV, 2, 0, 0, size);
        self.push(class::ALU64 | alu::MOV | X, 3, source, 0, 0);
        self.push(class::ALU64 | alu::MOV, 4, 0, 0, size);
        self.push(CALL, 0, CALL_HELPER, 0, 22);
        self.renew();
    }

    /// Numbers for the registers that addresses were in.
    fn renew(&mut self) {
        (1..6).for_each(|register| self.load_constant(register));
    }

    fn call_later(&mut self) {
        self.push(CALL, 0, CALL_LOCAL, 0, 0);
        self.renew();
    }

    /// A key of 4 bytes into the frame, its address into r2, the map into r1.
    fn key(&mut self, map: i32) {
        let key = self.below(KEYS as usize) as i32;
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
        self.renew();
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
        // A callee has no packet to go through.
        let form = match self.form() {
            Form::Halving | Form::Packet if bases.len() == 1 => Form::Down,
            form => form,
        };
        let rounds = 1 + self.below(9) as i32;
        self.begin(form, rounds);
        let first = self.code.len();
        let mut jumps = Vec::new();
        for _ in 0..4 + self.below(16) {
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
        if bases.len() > 1 && self.below(6) == 0 {
            self.nested();
        }
        self.close(form, rounds, first);
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
