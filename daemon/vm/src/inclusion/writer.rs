//! Random programs that are mostly safe, and mostly for a reason that takes some thought.
//!
//! ```text
//!   r0 to r5      numbers, but for what a piece of the program needs for itself
//!   context, data, end, counter: each in one of r6 to r9
//! ```
//!
//! The writer keeps in mind which registers hold numbers and which bytes of the frame are
//! written ([`View`]), so that where ways meet nothing is used that only one of them has set.

use crate::differential::random::Random;
use crate::isa::{
    CALL, CALL_LOCAL, EXIT, Insn, LDDW, SOURCE_REGISTER as X, STACK_FRAME_SIZE, alu, class, jump,
    mem,
};

pub(super) const MOV: u8 = class::ALU64 | alu::MOV;
pub(super) const ADD: u8 = class::ALU64 | alu::ADD;
pub(super) const SUB: u8 = class::ALU64 | alu::SUB;
pub(super) const MOV32: u8 = class::ALU | alu::MOV;

/// Of so many things that are done right, one is done wrong.
const WRONG: usize = 24;
/// Instructions after which no more pieces are begun.
const LONG: usize = 120;
/// Functions that a program may have beside itself.
const FUNCTIONS: usize = 3;

/// What is known to be usable at one place.
#[derive(Clone, Copy)]
pub(super) struct View {
    /// Registers that hold numbers, one bit each.
    pub numbers: u16,
    /// Bytes of the frame that are written, from the lowest.
    written: [u64; STACK_FRAME_SIZE / 64],
    /// The registers of data and its end are good.
    pub data: bool,
}

impl View {
    fn meet(self, other: Self) -> Self {
        let mut written = self.written;
        written
            .iter_mut()
            .zip(other.written)
            .for_each(|(own, other)| *own &= other);
        Self {
            numbers: self.numbers & other.numbers,
            written,
            data: self.data && other.data,
        }
    }
}

/// A place that jumps lead forward to.
#[derive(Default)]
pub(super) struct Label {
    jumps: Vec<usize>,
    view: Option<View>,
}

pub struct Writer<'a> {
    random: Random<'a>,
    pub(super) code: Vec<Insn>,
    pub(super) view: View,
    /// Where the function goes when something is not as it should be.
    pub(super) fail: Label,
    /// r6 to r9 in some order.
    pub(super) context: u8,
    pub(super) data: u8,
    pub(super) end: u8,
    pub(super) counter: u8,
    /// Registers that the current piece needs for itself.
    pub(super) reserved: u16,
    /// Not the program itself is being written.
    pub(super) in_function: bool,
    /// Loops around what is being written.
    pub(super) loops: usize,
    /// One of them keeps its count in the register for it.
    pub(super) counter_used: bool,
    /// Calls of functions, to be aimed once they are there.
    calls: Vec<(usize, usize)>,
    functions: usize,
}

impl<'a> Writer<'a> {
    pub fn new(seed: u64) -> Self {
        Self::of(Random::new(seed))
    }

    /// The program that a fuzzer's input stands for.
    pub fn of_choices(choices: &'a [u8]) -> Self {
        Self::of(Random::of_choices(choices))
    }

    fn of(random: Random<'a>) -> Self {
        Self {
            random,
            code: Vec::new(),
            view: View {
                numbers: 0,
                written: [0; STACK_FRAME_SIZE / 64],
                data: false,
            },
            fail: Label::default(),
            context: 6,
            data: 7,
            end: 8,
            counter: 9,
            reserved: 0,
            in_function: false,
            loops: 0,
            counter_used: false,
            calls: Vec::new(),
            functions: 0,
        }
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.random.below(bound)
    }

    pub(super) fn one_in(&mut self, chances: usize) -> bool {
        self.random.one_in(chances)
    }

    pub(super) fn of_these<T: Copy>(&mut self, choices: &[T]) -> T {
        self.random.of(choices)
    }

    /// Now and then something is done wrong.
    pub(super) fn wrong(&mut self) -> bool {
        self.one_in(WRONG)
    }

    /// A number near an edge of something.
    pub(super) fn edge(&mut self) -> i32 {
        let small = self.below(130) as i32 - 2;
        let interesting = self.random.interesting();
        self.of_these(&[
            small,
            small,
            interesting,
            interesting,
            i32::MIN + 1,
            i32::MAX - 1,
        ])
    }

    pub(super) fn push(&mut self, opcode: u8, dst: u8, src: u8, offset: i16, imm: i32) {
        self.code.push(Insn::new(opcode, dst, src, offset, imm));
    }

    pub(super) fn mov(&mut self, dst: u8, src: u8) {
        self.push(MOV | X, dst, src, 0, 0);
    }

    pub(super) fn set(&mut self, dst: u8, value: i32) {
        self.push(MOV, dst, 0, 0, value);
    }

    pub(super) fn add(&mut self, dst: u8, value: i32) {
        match self.one_in(6) {
            true => self.push(SUB, dst, 0, 0, value.wrapping_neg()),
            false => self.push(ADD, dst, 0, 0, value),
        }
    }

    pub(super) fn wide(&mut self, dst: u8, value: u64) {
        self.push(LDDW, dst, 0, 0, value as i32);
        self.push(0, 0, 0, 0, (value >> 32) as i32);
    }

    /// A map, or its value, into a register.
    pub(super) fn map(&mut self, dst: u8, kind: u8, index: i32, offset: i32) {
        self.push(LDDW, dst, kind, 0, index);
        self.push(0, 0, 0, 0, offset);
    }

    /// A scratch register that is neither reserved nor one of `others`; it holds no number now.
    pub(super) fn scratch(&mut self, others: &[u8]) -> u8 {
        let free = |register: &u8| self.reserved >> register & 1 == 0 && !others.contains(register);
        let mut free: Vec<u8> = (0..6).filter(free).collect();
        if free.is_empty() {
            // The program will be refused.
            free.push(0);
        }
        let register = self.of_these(&free);
        self.forget(register);
        register
    }

    pub(super) fn forget(&mut self, register: u8) {
        self.view.numbers &= !(1 << register);
    }

    pub(super) fn is_number(&mut self, register: u8) {
        if register < 6 {
            self.view.numbers |= 1 << register;
        }
    }

    /// A register with a number, for reading.
    pub(super) fn number(&mut self, others: &[u8]) -> u8 {
        let is_one =
            |register: &u8| self.view.numbers >> register & 1 != 0 && !others.contains(register);
        let numbers: Vec<u8> = (0..6).filter(is_one).collect();
        if !numbers.is_empty() {
            return self.of_these(&numbers);
        }
        let register = self.scratch(others);
        let value = self.edge();
        self.set(register, value);
        self.is_number(register);
        register
    }

    /// A register with a number that may be written.
    pub(super) fn own_number(&mut self, others: &[u8]) -> u8 {
        let reserved: Vec<u8> = (0..6)
            .filter(|register| self.reserved >> register & 1 != 0)
            .chain(others.iter().copied())
            .collect();
        self.number(&reserved)
    }

    pub(super) fn wrote(&mut self, at: i64, size: i64) {
        for byte in at..at + size {
            let bit = (byte + STACK_FRAME_SIZE as i64) as usize;
            self.view.written[bit / 64] |= 1 << (bit % 64);
        }
    }

    pub(super) fn is_written(&self, at: i64, size: i64) -> bool {
        (at..at + size).all(|byte| {
            let bit = (byte + STACK_FRAME_SIZE as i64) as usize;
            self.view.written[bit / 64] >> (bit % 64) & 1 != 0
        })
    }

    pub(super) fn unwrite(&mut self, at: i64, size: i64) {
        for byte in at..at + size {
            let bit = (byte + STACK_FRAME_SIZE as i64) as usize;
            self.view.written[bit / 64] &= !(1 << (bit % 64));
        }
    }

    /// A jump with an immediate.
    pub(super) fn jump(&mut self, opcode: u8, dst: u8, imm: i32, label: &mut Label) {
        self.jump_with(opcode, dst, 0, imm, label);
    }

    pub(super) fn jump_with(&mut self, opcode: u8, dst: u8, src: u8, imm: i32, label: &mut Label) {
        label.jumps.push(self.code.len());
        label.view = Some(match label.view {
            Some(view) => view.meet(self.view),
            None => self.view,
        });
        self.push(opcode, dst, src, 0, imm);
    }

    /// A jump to where the function gives up.
    pub(super) fn fail_if(&mut self, opcode: u8, dst: u8, src: u8, imm: i32) {
        let mut fail = std::mem::take(&mut self.fail);
        self.jump_with(opcode, dst, src, imm, &mut fail);
        self.fail = fail;
    }

    pub(super) fn goto(&mut self, label: &mut Label) {
        self.jump(class::JMP | jump::JA, 0, 0, label);
    }

    /// Jumps to the label lead here; `falls`: so does what is before.
    pub(super) fn place(&mut self, label: Label, falls: bool) {
        let here = self.code.len();
        for pc in label.jumps {
            self.code[pc].offset = (here - pc - 1) as i16;
        }
        if let Some(view) = label.view {
            self.view = if falls { self.view.meet(view) } else { view };
        }
    }

    /// A jump back.
    pub(super) fn back(&mut self, opcode: u8, dst: u8, src: u8, imm: i32, head: usize) {
        let distance = head as i64 - self.code.len() as i64 - 1;
        self.push(opcode, dst, src, distance as i16, imm);
    }

    /// A whole program, and where its functions begin.
    pub fn program(mut self) -> (Vec<Insn>, Vec<usize>) {
        self.functions = match self.one_in(2) {
            true => 1 + self.below(FUNCTIONS),
            false => 0,
        };
        self.begin();
        for _ in 0..2 + self.below(5) {
            self.piece();
        }
        self.finish();
        let mut starts = Vec::new();
        for function in 0..self.functions {
            starts.push(self.code.len());
            self.function(function);
        }
        for (pc, function) in self.calls {
            self.code[pc].imm = (starts[function] as i64 - pc as i64 - 1) as i32;
        }
        (self.code, starts)
    }

    /// The registers get their roles.
    fn begin(&mut self) {
        let mut roles = [6, 7, 8, 9];
        for index in (1..4).rev() {
            let other = self.below(index + 1);
            roles.swap(index, other);
        }
        [self.context, self.data, self.end, self.counter] = roles;
        let context = self.context;
        self.mov(context, 1);
        self.load_data();
        self.view.numbers = 0;
        for register in 0..6 {
            if self.one_in(2) {
                let value = self.edge();
                self.set(register, value);
                self.is_number(register);
            }
        }
    }

    pub(super) fn load_data(&mut self) {
        let (context, data, end) = (self.context, self.data, self.end);
        self.push(class::LDX | mem::MEM | mem::DW, data, context, 0, 0);
        self.push(class::LDX | mem::MEM | mem::DW, end, context, 8, 0);
        self.view.data = true;
    }

    /// The end of a function, and what failures lead to.
    fn finish(&mut self) {
        let result = self.number(&[]);
        if result != 0 {
            self.mov(0, result);
        }
        self.push(EXIT, 0, 0, 0, 0);
        let fail = std::mem::take(&mut self.fail);
        if !fail.jumps.is_empty() {
            self.place(fail, false);
            let value = self.below(4) as i32 - 2;
            self.set(0, value);
            self.push(EXIT, 0, 0, 0, 0);
        }
    }

    /// A function: r1 is the context, r2 a number, r3 leads to 16 bytes of its caller's frame.
    fn function(&mut self, own: usize) {
        self.view = View {
            numbers: 0,
            written: [0; STACK_FRAME_SIZE / 64],
            data: false,
        };
        self.reserved = 0;
        self.in_function = true;
        self.counter_used = false;
        self.loops = 0;
        [self.context, self.data, self.end, self.counter] = [6, 7, 8, 9];
        self.mov(6, 1);
        self.load_data();
        self.view.numbers |= 1 << 2;
        self.reserved = 1 << 3;
        self.use_callers_buffer();
        self.reserved = 0;
        self.forget(3);
        for _ in 0..self.below(3) {
            self.piece();
        }
        if own + 1 < self.functions && self.one_in(2) {
            self.call_function(own + 1);
        }
        self.finish();
    }

    pub(super) fn call_function(&mut self, function: usize) {
        let buffer = -64;
        self.clear(buffer, 16);
        let number = self.number(&[]);
        self.mov(2, number);
        let context = self.context;
        self.mov(1, context);
        self.mov(3, 10);
        self.push(ADD, 3, 0, 0, buffer as i32);
        self.calls.push((self.code.len(), function));
        self.push(CALL, 0, CALL_LOCAL, 0, 0);
        self.view.numbers &= !0b11_1111;
        self.is_number(0);
    }

    /// Any piece of a program.
    pub(super) fn piece(&mut self) {
        if self.code.len() > LONG {
            return;
        }
        // Inside of a loop that keeps its count in a scratch register nothing is called.
        let calls = self.reserved == 0;
        match self.below(40) {
            0..3 => self.some_arithmetic(),
            3..5 => self.indexed_stack(),
            5..10 => self.packet(),
            10..13 if calls => self.map_value(),
            13..15 => self.direct_value(),
            15..18 => self.spill(),
            18..21 => self.diamond(),
            21..28 if self.loops < 2 => self.repeat(),
            28..32 if calls && self.functions > 0 && !self.in_function => {
                let function = self.below(self.functions);
                self.call_function(function);
            }
            32..34 if calls => self.memory_helper(),
            34 if calls => self.map_change(),
            35 if calls => self.adjust(),
            36 | 37 => self.atomic(),
            38 => self.pointer_spill(),
            _ => self.some_arithmetic(),
        }
    }

    /// A few pieces in a row, shorter than a program's.
    pub(super) fn some_pieces(&mut self, most: usize) {
        for _ in 0..=self.below(most) {
            match self.below(4) {
                0 => self.some_arithmetic(),
                _ => self.piece(),
            }
        }
    }

    /// Two ways that meet again, and differ in what they leave behind.
    fn diamond(&mut self) {
        let register = self.unknown(&[]);
        let (mut other, mut out) = (Label::default(), Label::default());
        let opcode = self.condition();
        let imm = self.edge();
        self.jump(opcode, register, imm, &mut other);
        self.one_way();
        let ends = self.one_in(3);
        if !ends {
            self.goto(&mut out);
            self.place(other, false);
            self.one_way();
            self.place(out, true);
        } else {
            self.place(other, true);
        }
    }

    fn one_way(&mut self) {
        match self.below(5) {
            0 => {
                let register = self.own_number(&[]);
                let value = self.edge();
                self.set(register, value);
            }
            1 => self.spill(),
            2 if self.loops < 2 && self.code.len() < LONG => self.piece(),
            _ => self.some_arithmetic(),
        }
    }
}
