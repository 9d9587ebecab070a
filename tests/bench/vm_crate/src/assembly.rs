//! Small programs by hand: each does one map operation sixteen times, on keys that it draws.
//!
//! ```text
//!   r6 context { u64 state }   r7 state   r8 key   r9 sum     stack: -4 key, -16 value
//!   state = state * A + C; key = (state >> 33) & mask, then spread
//! ```
//!
//! The context keeps the state, so that runs go on through the keys.

use _native::isa::{CALL, EXIT, Insn, LDDW, LDDW_MAP, SOURCE_REGISTER, alu, class, jump, mem};
use _native::spec::ProgramSpec;

use crate::map_kinds::{Kind, SPREAD};

/// Operations of one run.
pub const OPERATIONS: usize = 16;
/// Bytes of the context.
pub const CONTEXT_SIZE: usize = 16;

const LOOKUP: i32 = 1;
const UPDATE: i32 = 2;
const DELETE: i32 = 3;

/// What is done with each key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Nothing: the price of drawing keys.
    None,
    Lookup,
    Update,
    /// Delete, and insert again.
    Replace,
}

/// The program for a map of `entries`, a power of two.
pub fn program(operation: Operation, kind: &Kind, entries: u32) -> ProgramSpec {
    let mut code = vec![
        register(alu::MOV, 6, 1),
        Insn::new(class::LDX | mem::MEM | mem::DW, 7, 6, 0, 0),
        number(alu::MOV, 9, 0),
        Insn::new(class::ST | mem::MEM | mem::DW, 10, 0, -16, 1),
    ];
    for _ in 0..OPERATIONS {
        draw(&mut code, kind, entries);
        match operation {
            Operation::None => code.push(register(alu::ADD, 9, 8)),
            Operation::Lookup => lookup(&mut code, kind),
            Operation::Update => update(&mut code, kind),
            Operation::Replace => {
                call(&mut code, DELETE, kind);
                update(&mut code, kind);
            }
        }
    }
    code.extend([
        Insn::new(class::STX | mem::MEM | mem::DW, 6, 7, 0, 0),
        register(alu::MOV, 0, 9),
        Insn::new(EXIT, 0, 0, 0, 0),
    ]);
    ProgramSpec {
        name: "map_price".into(),
        section: "bench_map".into(),
        instructions: code,
        ..ProgramSpec::default()
    }
}

/// The next key, on the stack.
fn draw(code: &mut Vec<Insn>, kind: &Kind, entries: u32) {
    code.extend([
        number(alu::MUL, 7, 0x5851_f42d),
        number(alu::ADD, 7, 0x1405_7b7f),
        register(alu::MOV, 8, 7),
        number(alu::RSH, 8, 33),
        number(alu::AND, 8, (entries - 1) as i32),
    ]);
    if kind.spread() {
        code.push(Insn::new(class::ALU | alu::MUL, 8, 0, 0, SPREAD as i32));
    }
    if kind.prefixed() {
        code.push(Insn::new(class::ST | mem::MEM | mem::W, 10, 0, -8, 32));
    }
    code.push(Insn::new(class::STX | mem::MEM | mem::W, 10, 8, -4, 0));
}

fn lookup(code: &mut Vec<Insn>, kind: &Kind) {
    call(code, LOOKUP, kind);
    code.extend([
        Insn::new(class::JMP | jump::JEQ, 0, 0, 2, 0),
        Insn::new(class::LDX | mem::MEM | mem::DW, 0, 0, 0, 0),
        register(alu::ADD, 9, 0),
    ]);
}

fn update(code: &mut Vec<Insn>, kind: &Kind) {
    code.extend([
        register(alu::MOV, 3, 10),
        number(alu::ADD, 3, -16),
        number(alu::MOV, 4, 0),
    ]);
    call(code, UPDATE, kind);
}

/// Call a helper that takes the map and the key.
fn call(code: &mut Vec<Insn>, helper: i32, kind: &Kind) {
    code.extend([
        register(alu::MOV, 2, 10),
        number(alu::ADD, 2, -(kind.key_size() as i32)),
        Insn::new(LDDW, 1, LDDW_MAP, 0, 0),
        Insn::default(),
        Insn::new(CALL, 0, 0, 0, helper),
    ]);
}

fn register(operation: u8, dst: u8, src: u8) -> Insn {
    Insn::new(class::ALU64 | operation | SOURCE_REGISTER, dst, src, 0, 0)
}

fn number(operation: u8, dst: u8, imm: i32) -> Insn {
    Insn::new(class::ALU64 | operation, dst, 0, 0, imm)
}
