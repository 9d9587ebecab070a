//! Small programs by hand: each does one map operation sixteen times, on keys that it draws.
//!
//! ```text
//!   r6 context { u64 state }   r7 state   r8 key   r9 sum     stack: -4 key, -16 value, -20 zero
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
const TAIL_CALL: i32 = 5;
const OUTPUT: i32 = 11;
const PUSH: i32 = 16;
const POP: i32 = 17;
const PEEK: i32 = 18;
const OUTPUT_EVENT: i32 = 32;

/// What is done with each key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Nothing: the price of drawing keys.
    None,
    Lookup,
    Update,
    /// Delete, and insert again.
    Replace,
    /// Of maps without keys: look at the next value.
    Peek,
    /// Put a value in, and take one out.
    PushPop,
    /// Find a map, and the first value of that.
    LookupInner,
    /// Go on with the program in the map's first place: once, not sixteen times.
    TailCall,
    /// A record of 8 bytes, to the ring or to that of the lane.
    Output,
    OutputEvent,
}

/// The program for a map of `entries`, a power of two.
pub fn program(operation: Operation, kind: &Kind, entries: u32) -> ProgramSpec {
    let mut code = vec![
        register(alu::MOV, 6, 1),
        Insn::new(class::LDX | mem::MEM | mem::DW, 7, 6, 0, 0),
        number(alu::MOV, 9, 0),
        Insn::new(class::ST | mem::MEM | mem::DW, 10, 0, -16, 1),
    ];
    let times = match operation {
        Operation::TailCall => 1,
        _ => OPERATIONS,
    };
    for _ in 0..times {
        if kind.has_keys() {
            draw(&mut code, kind, entries);
        }
        match operation {
            Operation::None if !kind.has_keys() => code.push(number(alu::ADD, 9, 1)),
            Operation::None => code.push(register(alu::ADD, 9, 8)),
            Operation::Lookup => lookup(&mut code, kind),
            Operation::Update => update(&mut code, kind),
            Operation::Replace => {
                call(&mut code, DELETE, kind);
                update(&mut code, kind);
            }
            Operation::Peek => pass_value(&mut code, PEEK),
            Operation::PushPop => {
                code.push(number(alu::MOV, 3, 0));
                pass_value(&mut code, PUSH);
                pass_value(&mut code, POP);
            }
            Operation::LookupInner => look_up_inner(&mut code, kind),
            Operation::TailCall => {
                code.push(number(alu::MOV, 3, 0));
                pass_map(&mut code, 2, TAIL_CALL);
            }
            Operation::Output => {
                code.extend([number(alu::MOV, 3, 8), number(alu::MOV, 4, 0)]);
                pass_value(&mut code, OUTPUT);
            }
            Operation::OutputEvent => {
                code.extend([
                    Insn::new(class::ALU | alu::MOV, 3, 0, 0, -1),
                    register(alu::MOV, 4, 10),
                    number(alu::ADD, 4, -16),
                    number(alu::MOV, 5, 8),
                ]);
                pass_map(&mut code, 2, OUTPUT_EVENT);
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

fn look_up_inner(code: &mut Vec<Insn>, kind: &Kind) {
    code.push(Insn::new(class::ST | mem::MEM | mem::W, 10, 0, -20, 0));
    call(code, LOOKUP, kind);
    code.extend([
        Insn::new(class::JMP | jump::JEQ, 0, 0, 7, 0),
        register(alu::MOV, 1, 0),
        register(alu::MOV, 2, 10),
        number(alu::ADD, 2, -20),
        Insn::new(CALL, 0, 0, 0, LOOKUP),
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
    call_with(code, helper, -(kind.key_size() as i32));
}

/// Call a helper that takes the map and a value, or room for one.
fn pass_value(code: &mut Vec<Insn>, helper: i32) {
    call_with(code, helper, -16);
}

/// Call a helper that takes the map and an address on the stack.
fn call_with(code: &mut Vec<Insn>, helper: i32, place: i32) {
    code.extend([register(alu::MOV, 2, 10), number(alu::ADD, 2, place)]);
    pass_map(code, 1, helper);
}

/// Call a helper that takes the map in this register; the context is in r1, if that is another.
fn pass_map(code: &mut Vec<Insn>, place: u8, helper: i32) {
    if place != 1 {
        code.push(register(alu::MOV, 1, 6));
    }
    code.extend([
        Insn::new(LDDW, place, LDDW_MAP, 0, 0),
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
