//! What is accepted also runs: random small programs, judged and then executed.
//!
//! The interpreter checks every access, so it finds what the judge overlooked:
//! a program that was accepted may run out of its budget, but never fails.

use std::sync::Arc;

use super::{Case, verify};
use crate::contract::ProgramInformation;
use crate::exec::{Input, Options, Program};
use crate::fixtures::{Random, assembled, live, sample};
use crate::isa::{CALL, CALL_LOCAL, EXIT, Insn, LDDW, LDDW_MAP, LDDW_MAP_VALUE};
use crate::isa::{SOURCE_REGISTER as X, alu, atomic, class, jump, mem};
use crate::maps::Map;
use crate::spec::{MapSpec, ProgramSpec};

/// Random programs of one test run; takes a few seconds.
const PROGRAMS: u64 = 800;
/// Names the variable that asks for more of them.
const ON_DEMAND: &str = "EBPFD_RANDOM_PROGRAMS";

// Registers of every generated program.
const CTX: u8 = 6;
const DATA: u8 = 7;
const DATA_END: u8 = 8;
const VALUE: u8 = 9;
const FRAME: u8 = 10;
/// Free for pointers that are made and used at once.
const POINTER: u8 = 5;
const NUMBERS: [u8; 4] = [0, 2, 3, 4];
const VALUE_SIZE: i32 = 48;

const WIDTHS: [(u8, i16); 4] = [(mem::B, 1), (mem::H, 2), (mem::W, 4), (mem::DW, 8)];
const OPERATIONS: [u8; 12] = [
    alu::ADD,
    alu::SUB,
    alu::MUL,
    alu::DIV,
    alu::OR,
    alu::AND,
    alu::LSH,
    alu::RSH,
    alu::MOD,
    alu::XOR,
    alu::MOV,
    alu::ARSH,
];

/// A jump to this leads to the exit, wherever that will be.
const TO_EXIT: i16 = i16::MAX;

struct Generator {
    random: Random,
    code: Vec<Insn>,
}

fn insn(opcode: u8, dst: u8, src: u8, offset: i16, imm: i32) -> Insn {
    Insn::new(opcode, dst, src, offset, imm)
}

impl Generator {
    fn push(&mut self, opcode: u8, dst: u8, src: u8, offset: i16, imm: i32) {
        self.code.push(insn(opcode, dst, src, offset, imm));
    }

    fn number(&mut self) -> u8 {
        self.random.pick(&NUMBERS)
    }

    fn immediate(&mut self) -> i32 {
        self.random.number() as i32
    }

    fn mov(&mut self, dst: u8, src: u8) {
        self.push(class::ALU64 | alu::MOV | X, dst, src, 0, 0);
    }

    fn set(&mut self, dst: u8, imm: i32) {
        self.push(class::ALU64 | alu::MOV, dst, 0, 0, imm);
    }

    fn add(&mut self, dst: u8, imm: i32) {
        self.push(class::ALU64 | alu::ADD, dst, 0, 0, imm);
    }

    fn mov_one_of(&mut self, dst: u8, sources: &[u8]) {
        let source = self.random.pick(sources);
        self.mov(dst, source);
    }

    /// Move a pointer by up to `most` steps of `size` bytes.
    fn shift(&mut self, dst: u8, most: usize, size: i32) {
        let steps = self.random.below(most) as i32;
        self.add(dst, steps * size);
    }

    /// Numbers for registers that a call or the start left without a value.
    fn numbers(&mut self) {
        for register in NUMBERS {
            let imm = self.immediate();
            self.set(register, imm);
        }
    }

    fn map(&mut self, dst: u8, kind: u8, map: i32, offset: i32) {
        self.push(LDDW, dst, kind, 0, map);
        self.push(0, 0, 0, 0, offset);
    }

    /// Context, packet and a map value into their registers.
    fn prologue(&mut self) {
        self.mov(CTX, 1);
        for offset in (0..64).step_by(8) {
            self.push(class::ST | mem::MEM | mem::DW, FRAME, 0, -64 + offset, 1);
        }
        self.push(class::LDX | mem::MEM | mem::DW, DATA, CTX, 0, 0);
        self.push(class::LDX | mem::MEM | mem::DW, DATA_END, CTX, 8, 0);
        match self.random.below(3) {
            0 => self.map(VALUE, LDDW_MAP_VALUE, 2, 0),
            kind => {
                self.map(1, LDDW_MAP, kind as i32 - 1, 0);
                self.mov(2, FRAME);
                self.add(2, -4);
                self.push(CALL, 0, 0, 0, 1);
                self.push(class::JMP | jump::JEQ, 0, 0, TO_EXIT, 0);
                self.mov(VALUE, 0);
            }
        }
        self.numbers();
    }

    fn step(&mut self) {
        match self.random.below(12) {
            0 => self.load_number(),
            1..=3 => self.arithmetic(),
            4..=6 => self.condition(),
            7 => self.fixed_access(),
            8 | 9 => self.variable_access(),
            10 => self.packet_access(),
            _ => self.call(),
        }
    }

    fn load_number(&mut self) {
        let dst = self.number();
        let (size, width) = self.random.pick(&WIDTHS);
        let mode = if width < 8 {
            self.random.pick(&[mem::MEM, mem::MEMSX])
        } else {
            mem::MEM
        };
        let offset = 16 + self.random.below(16) as i16;
        match self.random.below(3) {
            0 => self.push(
                class::LDX | mode | size,
                dst,
                CTX,
                offset.min(32 - width),
                0,
            ),
            1 => self.push(class::LDX | mode | size, dst, VALUE, offset, 0),
            _ => {
                let value = self.random.number();
                self.push(LDDW, dst, 0, 0, value as i32);
                self.push(0, 0, 0, 0, (value >> 32) as i32);
            }
        }
    }

    fn arithmetic(&mut self) {
        let (dst, src) = (self.number(), self.number());
        let class = self.random.pick(&[class::ALU, class::ALU64]);
        let operation = self.random.pick(&OPERATIONS);
        let signed = matches!(operation, alu::DIV | alu::MOD) && self.random.one_in(2);
        match self.random.below(8) {
            0 => self.push(class | alu::NEG, dst, 0, 0, 0),
            1 => {
                let width = self.random.pick(&[16, 32, 64]);
                let order = self.random.pick(&[
                    class::ALU | alu::END,
                    class::ALU | alu::END | X,
                    class::ALU64 | alu::END,
                ]);
                self.push(order, dst, 0, 0, width);
            }
            2 => {
                let width = self.random.pick(&[8, 16, 32]);
                let class = if width == 32 { class::ALU64 } else { class };
                self.push(class | alu::MOV | X, dst, src, width, 0);
            }
            3 | 4 => self.push(class | operation | X, dst, src, signed.into(), 0),
            _ => {
                let imm = match operation {
                    alu::LSH | alu::RSH | alu::ARSH => self.random.below(64) as i32,
                    _ => self.immediate(),
                };
                self.push(class | operation, dst, 0, signed.into(), imm);
            }
        }
    }

    /// A jump to the exit, or over the next instruction.
    fn condition(&mut self) {
        let dst = self.number();
        let class = self.random.pick(&[class::JMP, class::JMP, class::JMP32]);
        let operation = self.random.pick(&jump::CONDITIONS);
        let exits = !self.random.one_in(4);
        let offset = if exits { TO_EXIT } else { 1 };
        if self.random.one_in(3) {
            let src = self.number();
            self.push(class | operation | X, dst, src, offset, 0);
        } else {
            let imm = self.immediate();
            self.push(class | operation, dst, 0, offset, imm);
        }
        if !exits {
            let (dst, imm) = (self.number(), self.immediate());
            self.set(dst, imm);
        }
    }

    /// A load, a store or an atomic operation.
    fn access(&mut self, base: u8, offset: i16) {
        let register = self.number();
        let (size, width) = self.random.pick(&WIDTHS);
        match self.random.below(4) {
            0 => self.push(class::LDX | mem::MEM | size, register, base, offset, 0),
            1 => self.push(class::STX | mem::MEM | size, base, register, offset, 0),
            2 => self.push(class::ST | mem::MEM | size, base, 0, offset, 7),
            // The judge does not ask for the alignment that a map value needs.
            _ if width >= 4 && (base == FRAME || base == CTX) => {
                let operation = self.random.pick(&atomic::ALL);
                self.push(
                    class::STX | mem::ATOMIC | size,
                    base,
                    register,
                    offset,
                    operation,
                );
            }
            _ => {}
        }
    }

    fn fixed_access(&mut self) {
        let offset = self.random.below(72) as i16;
        match self.random.below(4) {
            0 => self.access(FRAME, offset - 70),
            1 => self.access(VALUE, offset - 4),
            2 => self.access(CTX, offset / 2),
            _ => {
                // A pointer comes back as it was stored.
                let base = self.random.pick(&[VALUE, CTX, DATA, FRAME]);
                self.push(class::STX | mem::MEM | mem::DW, FRAME, base, -72, 0);
                self.push(class::LDX | mem::MEM | mem::DW, POINTER, FRAME, -72, 0);
                self.access(POINTER, offset / 4);
            }
        }
    }

    /// An access at an offset that is hopefully bounded by what came before.
    fn variable_access(&mut self) {
        let register = self.number();
        let base = self.random.pick(&[VALUE, FRAME, DATA]);
        match self.random.below(4) {
            0 => {
                let mask = self.random.pick(&[1, 7, 15, 31, 63]);
                self.push(class::ALU64 | alu::AND, register, 0, 0, mask);
            }
            1 => {
                let bound = self.random.below(64) as i32;
                let class = self.random.pick(&[class::JMP, class::JMP32]);
                self.push(class | jump::JGT, register, 0, TO_EXIT, bound);
            }
            2 => {
                let bound = self.random.below(64) as i32;
                self.push(class::JMP | jump::JSGT, register, 0, TO_EXIT, bound);
                self.push(class::JMP | jump::JSLT, register, 0, TO_EXIT, 0);
            }
            _ => {}
        }
        self.mov(POINTER, base);
        let add = self.random.pick(&[alu::ADD, alu::ADD, alu::SUB]);
        self.push(class::ALU64 | add | X, POINTER, register, 0, 0);
        let offset = self.random.below(48) as i16 - if base == FRAME { 64 } else { 8 };
        self.access(POINTER, offset);
    }

    /// An access behind a comparison with the end of the packet.
    fn packet_access(&mut self) {
        let register = self.number();
        self.mov(POINTER, DATA);
        if self.random.one_in(2) {
            let mask = self.random.pick(&[0xff, 0x7fff, 0xffff]);
            self.push(class::ALU64 | alu::AND, register, 0, 0, mask);
            self.push(class::ALU64 | alu::ADD | X, POINTER, register, 0, 0);
        }
        let room = self.random.below(24) as i32;
        self.mov(1, POINTER);
        self.add(1, room);
        let operation = self.random.pick(&[jump::JGT, jump::JGT, jump::JGE]);
        self.push(class::JMP | operation | X, 1, DATA_END, TO_EXIT, 0);
        for _ in 0..=self.random.below(3) {
            let offset = self.random.below(room.max(1) as usize) as i16;
            let before = i16::from(self.random.one_in(8));
            self.access(POINTER, offset - before);
        }
    }

    /// A pointer argument, with its size in the register after it.
    fn memory_argument(&mut self, register: u8) {
        let size = self.random.below(40) as i32;
        match self.random.below(3) {
            0 => {
                self.mov(register, VALUE);
                self.shift(register, 16, 1);
            }
            1 => {
                self.mov(register, FRAME);
                self.shift(register, 64, -1);
            }
            _ => {
                self.mov(1, DATA);
                self.add(1, size);
                self.push(class::JMP | jump::JGT | X, 1, DATA_END, TO_EXIT, 0);
                self.mov(register, DATA);
            }
        }
        self.set(register + 1, size);
    }

    fn call(&mut self) {
        let helper = self
            .random
            .pick(&[1, 2, 3, 6, 9, 12, 13, 22, 23, 24, 25, 0]);
        match helper {
            1..=3 => {
                let map = self.random.below(2) as i32;
                self.map(1, LDDW_MAP, map, 0);
                self.mov(2, FRAME);
                // The judge overlooks keys and values that reach past the top of the stack.
                self.add(2, -4);
                self.shift(2, 12, -1);
                if self.random.one_in(2) {
                    self.mov(3, VALUE);
                } else {
                    self.mov(3, FRAME);
                    self.add(3, -VALUE_SIZE);
                    self.shift(3, 16, -1);
                }
                let flags = self.random.below(3) as i32;
                self.set(4, flags);
            }
            12 | 13 => {
                self.memory_argument(1);
                self.set(3, 1);
            }
            24 => {
                self.memory_argument(3);
                self.mov(1, 3);
                self.mov(2, 4);
            }
            22 | 23 | 25 => {
                self.memory_argument(3);
                let size = self.random.below(40) as i32;
                self.mov_one_of(1, &[FRAME, VALUE]);
                self.shift(1, 64, -1);
                self.set(2, size);
            }
            _ => {}
        }
        if helper == 0 {
            self.mov_one_of(1, &[FRAME, VALUE, DATA]);
            self.push(CALL, 0, CALL_LOCAL, 0, i32::MAX);
        } else {
            self.push(CALL, 0, 0, 0, helper);
        }
        for register in [2, 3, 4] {
            let imm = self.immediate();
            self.set(register, imm);
        }
    }

    /// A function that reads and writes near the pointer that it gets.
    fn function(&mut self) {
        self.mov(POINTER, 1);
        self.numbers();
        for _ in 0..self.random.below(4) {
            self.arithmetic();
            let offset = self.random.below(24) as i16 - 20;
            let base = self.random.pick(&[POINTER, FRAME]);
            self.access(base, offset);
        }
        self.set(0, 3);
        self.code.push(insn(EXIT, 0, 0, 0, 0));
    }

    fn program(seed: u64) -> ProgramSpec {
        let mut generator = Self {
            random: Random::new(seed),
            code: Vec::new(),
        };
        generator.prologue();
        for _ in 0..=generator.random.below(14) {
            generator.step();
        }
        let exit = generator.code.len();
        generator.set(0, 0);
        generator.code.push(insn(EXIT, 0, 0, 0, 0));
        let function = generator.code.len();
        generator.function();
        for (pc, insn) in generator.code.iter_mut().enumerate() {
            if insn.offset == TO_EXIT {
                insn.offset = (exit - pc - 1) as i16;
            }
            if insn.is_local_call() {
                insn.imm = (function - pc - 1) as i32;
            }
        }
        assembled(&generator.code, &[function])
    }
}

fn maps() -> Vec<MapSpec> {
    let map = |map_type, max_entries| MapSpec {
        name: format!("m{map_type}"),
        map_type,
        key_size: 4,
        value_size: VALUE_SIZE as u32,
        max_entries,
        ..MapSpec::default()
    };
    vec![map(1, 8), map(2, 3), map(2, 1)]
}

/// Contexts and packets of many sizes, all in one batch, so that packets lie at odd places.
fn run(program: &Program, random: &mut Random) -> Vec<u8> {
    let sizes = [0_u32, 1, 7, 8, 9, 20, 24, 63, 64, 300, 1500, 65_534];
    let mut contexts = Vec::new();
    let mut data = Vec::new();
    for size in sizes {
        for _ in 0..4 {
            contexts.extend(random.number().to_le_bytes());
        }
        data.extend((0..size).map(|at| (at as u8).wrapping_mul(37)));
    }
    let input = Input {
        contexts: &contexts,
        count: sizes.len(),
        data: &data,
        data_lengths: &sizes.map(u32::to_le_bytes).concat(),
        meta_lengths: &[],
        origin: None,
    };
    program.run_batch(input).expect("valid input").codes
}

fn fill(maps: &[Arc<Map>], random: &mut Random) {
    let key = [1, 0, 0, 0];
    for map in maps {
        let value: Vec<u8> = (0..VALUE_SIZE / 8)
            .flat_map(|_| random.number().to_le_bytes())
            .collect();
        for key in [key, [0; 4]] {
            let _ = map.update(&key, &value, 0);
        }
    }
}

/// Whether the program is accepted; if it is, it must run.
fn judged_and_run(seed: u64, information: &ProgramInformation) -> bool {
    let program = Generator::program(seed);
    let maps = maps();
    let case = Case {
        program: &program,
        maps: &maps,
        information,
    };
    let verdict = verify(case, crate::verifier::Judges::Prevail).expect("a sound contract");
    if verdict.rejection.is_some() {
        return false;
    }
    let trace = Arc::new(crate::trace::Trace::new(64));
    let options = Options {
        trace: Some(Arc::clone(&trace)),
        budget: Some(100_000),
        ..Options::default()
    };
    let maps = live(&maps);
    let mut random = Random::new(seed);
    fill(&maps, &mut random);
    let ready = Program::new(&program, maps, information, options).expect("a program that runs");
    for _ in 0..3 {
        let codes = run(&ready, &mut random);
        let text: Vec<String> = (0..program.instructions.len())
            .map(|pc| format!("{pc}: {}", crate::isa::describe(&program.instructions, pc)))
            .collect();
        assert!(
            codes.iter().all(|code| matches!(code, 0 | 32)),
            "seed {seed} was accepted, but ended with {codes:?}: {:?}\n{}",
            trace.drain().last().map(|line| line.text.clone()),
            text.join("\n")
        );
    }
    true
}

/// An accepted program never touches what it may not: the judge was right.
#[test]
fn accepted_programs_never_fail() {
    let information = sample();
    let programs = std::env::var(ON_DEMAND)
        .ok()
        .and_then(|text| text.parse().ok());
    let programs = programs.unwrap_or(PROGRAMS);
    let accepted = (0..programs)
        .filter(|seed| judged_and_run(*seed, &information))
        .count();
    assert!(accepted as u64 > programs / 10, "only {accepted} accepted");
    println!("{accepted} of {programs} accepted");
}

/// The judge overlooks a key that reaches past the stack; the interpreter does not.
#[test]
fn keys_past_the_stack_are_stopped_when_they_are_read() {
    let code = [
        insn(class::ST | mem::MEM | mem::DW, FRAME, 0, -8, 0),
        insn(LDDW, 1, LDDW_MAP, 0, 0),
        Insn::default(),
        insn(class::ALU64 | alu::MOV | X, 2, FRAME, 0, 0),
        insn(class::ALU64 | alu::ADD, 2, 0, 0, -2),
        insn(CALL, 0, 0, 0, 3),
        insn(class::ALU64 | alu::MOV, 0, 0, 0, 0),
        insn(EXIT, 0, 0, 0, 0),
    ];
    let program = assembled(&code, &[]);
    let maps = live(&maps());
    let ready = Program::new(&program, maps, &sample(), Options::default());
    let test = ready
        .expect("a valid program")
        .test_run(&[0; 32], b"", 0, 1);
    let invalid = crate::error::ResultCode::InvalidPointer as u8;
    assert_eq!(invalid, test.expect("valid input").code);
}
