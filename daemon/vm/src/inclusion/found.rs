//! Programs that must not be accepted, though a verifier with one mistake would accept them.
//!
//! The first ones were accepted once by this one.

use super::Trial;
use super::world::{ADJUST, ARRAY};
use crate::isa::{
    CALL, CALL_HELPER, CALL_LOCAL, EXIT, Insn, LDDW, LDDW_MAP, SOURCE_REGISTER as X, alu, atomic,
    class, jump, mem,
};

const ADD: u8 = class::ALU64 | alu::ADD;
const SUB: u8 = class::ALU64 | alu::SUB;
const AND: u8 = class::ALU64 | alu::AND;
const MOV: u8 = class::ALU64 | alu::MOV;
const LSH: u8 = class::ALU64 | alu::LSH;
const RSH: u8 = class::ALU64 | alu::RSH;
const LOAD: u8 = class::LDX | mem::MEM;
const STORE: u8 = class::STX | mem::MEM;
const PUT: u8 = class::ST | mem::MEM;
const JUMP: u8 = class::JMP;

/// A program, with the starts of its functions.
pub struct Unsafe {
    pub name: &'static str,
    pub code: Vec<Insn>,
    pub starts: Vec<usize>,
}

fn i(opcode: u8, dst: u8, src: u8, offset: i16, imm: i32) -> Insn {
    Insn::new(opcode, dst, src, offset, imm)
}

/// A round that does not count is covered by one that does, under another name for the round.
fn stands_still() -> Vec<Insn> {
    vec![
        i(MOV, 6, 0, 0, 0),
        i(LOAD | mem::DW, 4, 1, 24, 0),
        i(JUMP | jump::JSGE, 4, 0, 3, 2),
        i(ADD, 6, 0, 0, 2),
        i(PUT | mem::DW, 1, 0, 24, 5),
        i(JUMP | jump::JA, 0, 0, 1, 0),
        i(JUMP | jump::JSLT, 6, 0, 2, 1),
        i(MOV, 4, 0, 0, 1),
        i(JUMP | jump::JLT, 6, 0, -8, 12),
        i(MOV, 0, 0, 0, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

/// One way goes back by what the other one goes on by.
fn back_and_forth() -> Vec<Insn> {
    vec![
        i(MOV, 6, 0, 0, 0),
        i(LOAD | mem::DW, 4, 1, 24, 0),
        i(JUMP | jump::JSGE, 4, 0, 3, 2),
        i(ADD, 6, 0, 0, 2),
        i(PUT | mem::DW, 1, 0, 24, 5),
        i(JUMP | jump::JA, 0, 0, 3, 0),
        i(JUMP | jump::JSLT, 6, 0, 3, 2),
        i(SUB, 6, 0, 0, 2),
        i(PUT | mem::DW, 1, 0, 24, 0),
        i(JUMP | jump::JLT, 6, 0, -9, 12),
        i(MOV, 0, 0, 0, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

/// An index is less than a length, but for the way that skips so many instructions.
fn order(skips: i16) -> Vec<Insn> {
    vec![
        i(LOAD | mem::DW, 2, 1, 0, 0),
        i(LOAD | mem::DW, 3, 1, 8, 0),
        i(MOV | X, 4, 3, 0, 0),
        i(SUB | X, 4, 2, 0, 0),
        i(MOV | X, 5, 4, 0, 0),
        i(LOAD | mem::B, 0, 1, 24, 0),
        i(JUMP | jump::JLT, 4, 0, 7, 1),
        i(MOV | X, 7, 0, 0, 0),
        i(LOAD | mem::B, 6, 1, 25, 0),
        i(JUMP | jump::JEQ, 6, 0, skips, 0),
        i(JUMP | jump::JGE | X, 0, 4, 2, 0),
        i(ADD | X, 2, 0, 0, 0),
        i(LOAD | mem::B, 0, 2, 0, 0),
        i(MOV, 0, 0, 0, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

/// Data reaches as far as a number that is bounded from below on one of two ways.
fn extent() -> Vec<Insn> {
    vec![
        i(LOAD | mem::DW, 7, 1, 0, 0),
        i(LOAD | mem::DW, 8, 1, 8, 0),
        i(LOAD | mem::B, 2, 1, 24, 0),
        i(AND, 2, 0, 0, 63),
        i(ADD, 2, 0, 0, 20),
        i(MOV | X, 3, 2, 0, 0),
        i(ADD | X, 3, 7, 0, 0),
        i(MOV, 0, 0, 0, 0),
        i(JUMP | jump::JGT | X, 3, 8, 3, 0),
        i(JUMP | jump::JLT, 2, 0, 1, 40),
        i(MOV, 5, 0, 0, 1),
        i(LOAD | mem::B, 0, 7, 30, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

/// A product of low halves is not tied to the upper half of its factor.
fn narrow_product() -> Vec<Insn> {
    vec![
        i(LOAD | mem::B, 3, 1, 24, 0),
        i(MOV | X, 4, 3, 0, 0),
        i(LDDW, 2, 0, 0, 1),
        i(0, 0, 0, 0, 0x1e),
        i(class::ALU | alu::MUL | X, 3, 2, 0, 0),
        i(class::ALU64 | alu::MUL | X, 4, 2, 0, 0),
        i(SUB | X, 4, 3, 0, 0),
        i(ADD | X, 4, 10, 0, 0),
        i(PUT | mem::B, 4, 0, -8, 0),
        i(MOV, 0, 0, 0, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

/// A place 8 bytes before the end is behind another one, which is at most `most` from the start:
/// more would lead behind the frame.
fn longest(most: i32) -> Vec<Insn> {
    vec![
        i(LOAD | mem::DW, 2, 1, 0, 0),
        i(LOAD | mem::DW, 3, 1, 8, 0),
        i(SUB, 3, 0, 0, 8),
        i(LOAD | mem::H, 4, 1, 24, 0),
        i(MOV | X, 5, 4, 0, 0),
        i(ADD | X, 2, 4, 0, 0),
        i(MOV, 0, 0, 0, 0),
        i(JUMP | jump::JGE | X, 2, 3, 8, 0),
        i(MOV, 5, 0, 0, most),
        i(SUB | X, 5, 4, 0, 0),
        i(RSH, 5, 0, 0, 63),
        i(LSH, 5, 0, 0, 3),
        i(ADD | X, 5, 10, 0, 0),
        i(PUT | mem::DW, 5, 0, -8, 1),
        i(MOV, 0, 0, 0, 0),
        i(MOV, 0, 0, 0, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

/// The start is compared with a place so many bytes before the end.
fn before_end(bytes: i32, at: i16) -> Vec<Insn> {
    vec![
        i(LOAD | mem::DW, 2, 1, 0, 0),
        i(LOAD | mem::DW, 3, 1, 8, 0),
        i(SUB, 3, 0, 0, bytes),
        i(MOV, 0, 0, 0, 0),
        i(JUMP | jump::JGE | X, 2, 3, 1, 0),
        i(LOAD | mem::B, 0, 2, at, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

/// A number that is shifted to the left and back is bounded on one of two ways between.
fn shifted() -> Vec<Insn> {
    vec![
        i(LOAD | mem::DW, 2, 1, 24, 0),
        i(LOAD | mem::W, 6, 1, 32, 0),
        i(MOV | X, 3, 2, 0, 0),
        i(LSH, 3, 0, 0, 32),
        i(JUMP | jump::JEQ, 6, 0, 2, 0),
        i(MOV, 0, 0, 0, 0),
        i(JUMP | jump::JGT, 2, 0, 4, 7),
        i(RSH, 3, 0, 0, 32),
        i(ADD | X, 3, 10, 0, 0),
        i(PUT | mem::B, 3, 0, -8, 1),
        i(MOV, 0, 0, 0, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

/// The low half of what a lookup returns is compared with 0.
fn null_by_low_half() -> Vec<Insn> {
    vec![
        i(PUT | mem::W, 10, 0, -4, 0),
        i(MOV | X, 2, 10, 0, 0),
        i(ADD, 2, 0, 0, -4),
        i(LDDW, 1, LDDW_MAP, 0, ARRAY),
        i(0, 0, 0, 0, 0),
        i(CALL, 0, CALL_HELPER, 0, 1),
        i(class::JMP32 | jump::JEQ, 0, 0, 1, 0),
        i(LOAD | mem::B, 0, 0, 0, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

/// One way leaves a number on the stack, the other one a pointer.
fn number_or_pointer() -> Vec<Insn> {
    vec![
        i(LOAD | mem::DW, 2, 1, 24, 0),
        i(JUMP | jump::JEQ, 2, 0, 3, 0),
        i(STORE | mem::DW, 10, 2, -8, 0),
        i(class::STX | mem::ATOMIC | mem::DW, 10, 2, -8, atomic::ADD),
        i(JUMP | jump::JA, 0, 0, 1, 0),
        i(STORE | mem::DW, 10, 1, -8, 0),
        i(LOAD | mem::DW, 0, 10, -8, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

/// A helper writes between 1 and 8 bytes, and 8 are read.
fn written_in_part() -> Vec<Insn> {
    vec![
        i(LOAD | mem::B, 2, 1, 24, 0),
        i(AND, 2, 0, 0, 7),
        i(ADD, 2, 0, 0, 1),
        i(MOV | X, 1, 10, 0, 0),
        i(ADD, 1, 0, 0, -8),
        i(MOV, 3, 0, 0, 0),
        i(CALL, 0, CALL_HELPER, 0, 24),
        i(LOAD | mem::DW, 0, 10, -8, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

/// `size` bytes are copied to a target of `room`, of which 8 are read.
fn copied(helper: i32, room: i32, size: i32) -> Vec<Insn> {
    vec![
        i(PUT | mem::DW, 10, 0, -16, 0),
        i(MOV | X, 1, 10, 0, 0),
        i(ADD, 1, 0, 0, -8),
        i(MOV, 2, 0, 0, room),
        i(MOV | X, 3, 10, 0, 0),
        i(ADD, 3, 0, 0, -16),
        i(MOV, 4, 0, 0, size),
        i(CALL, 0, CALL_HELPER, 0, helper),
        i(LOAD | mem::DW, 0, 10, -8, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

/// A helper moves the data after its length was compared.
fn moved() -> Vec<Insn> {
    vec![
        i(LOAD | mem::DW, 6, 1, 0, 0),
        i(LOAD | mem::DW, 3, 1, 8, 0),
        i(MOV, 0, 0, 0, 0),
        i(JUMP | jump::JGE | X, 6, 3, 3, 0),
        i(MOV, 2, 0, 0, 0),
        i(CALL, 0, CALL_HELPER, 0, ADJUST as i32),
        i(LOAD | mem::B, 0, 6, 0, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

/// A byte of a pointer is overwritten, and another one is read.
fn rest_of_pointer() -> Vec<Insn> {
    vec![
        i(STORE | mem::DW, 10, 1, -8, 0),
        i(PUT | mem::B, 10, 0, -8, 0),
        i(LOAD | mem::B, 0, 10, -7, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

/// A store to anywhere in the frame or before it.
fn before_frame() -> Vec<Insn> {
    vec![
        i(LOAD | mem::H, 2, 1, 24, 0),
        i(AND, 2, 0, 0, 0x3ff),
        i(MOV | X, 3, 10, 0, 0),
        i(SUB | X, 3, 2, 0, 0),
        i(PUT | mem::B, 3, 0, -1, 0),
        i(MOV, 0, 0, 0, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

/// A function sets its r6; that of its caller is an index.
fn sixth() -> Vec<Insn> {
    vec![
        i(LOAD | mem::B, 6, 1, 24, 0),
        i(CALL, 0, CALL_LOCAL, 0, 5),
        i(ADD | X, 6, 10, 0, 0),
        i(PUT | mem::B, 6, 0, -8, 0),
        i(MOV, 0, 0, 0, 0),
        i(EXIT, 0, 0, 0, 0),
        i(EXIT, 0, 0, 0, 0),
        i(MOV, 6, 0, 0, 0),
        i(MOV, 0, 0, 0, 0),
        i(EXIT, 0, 0, 0, 0),
    ]
}

pub fn unsafe_programs() -> Vec<Unsafe> {
    let one = |name, code| Unsafe {
        name,
        code,
        starts: Vec::new(),
    };
    vec![
        one("stands still", stands_still()),
        one("back and forth", back_and_forth()),
        one("narrow product", narrow_product()),
        one("order", order(1)),
        one("extent", extent()),
        one("longest", longest(65_524)),
        one("far before the end", before_end(1 << 17, 0)),
        one("shifted", shifted()),
        one("null by low half", null_by_low_half()),
        one("number or pointer", number_or_pointer()),
        one("written in part", written_in_part()),
        one("copied in part", copied(22, 8, 4)),
        one("moved in part", copied(25, 8, 7)),
        one("too much to copy", copied(22, 4, 8)),
        one("appended to nothing", copied(28, 8, 8)),
        one("moved", moved()),
        one("rest of pointer", rest_of_pointer()),
        one("before frame", before_frame()),
        Unsafe {
            starts: vec![7],
            ..one("sixth", sixth())
        },
    ]
}

/// What fills its target is.
#[test]
fn whole_copies_are_accepted() {
    let trial = Trial::new().expect("valid maps");
    for helper in [22, 25, 27] {
        let outcome = trial.check_code(&copied(helper, 8, 8), &[], 1);
        assert_eq!(
            (true, None),
            (outcome.accepted, outcome.failure),
            "{helper}"
        );
    }
}

/// None of them is accepted.
#[test]
fn unsafe_programs_are_refused() {
    let trial = Trial::new().expect("valid maps");
    for Unsafe { name, code, starts } in unsafe_programs() {
        let outcome = trial.check_code(&code, &starts, 1);
        assert_eq!((false, None), (outcome.accepted, outcome.failure), "{name}");
        let refused = outcome.refused.expect("a reason");
        assert!(!refused.starts_with("invalid"), "{name}: {refused}");
    }
}

/// A count to a number that nobody knows ends, but perhaps not soon.
#[test]
fn the_longest_runs_are_no_short_ones() {
    let code = [
        i(LOAD | mem::DW, 4, 1, 24, 0),
        i(MOV, 6, 0, 0, 0),
        i(JUMP | jump::JSGE | X, 6, 4, 2, 0),
        i(ADD, 6, 0, 0, 1),
        i(JUMP | jump::JA, 0, 0, -3, 0),
        i(MOV, 0, 0, 0, 0),
        i(EXIT, 0, 0, 0, 0),
    ];
    let trial = Trial::new().expect("valid maps");
    let outcome = trial.check_code(&code, &[], 1);
    assert_eq!((true, None), (outcome.accepted, outcome.failure));
    assert!(outcome.worst_case > 1 << 60, "{}", outcome.worst_case);
}

/// Some differ little from programs that are accepted, and run as they should.
#[test]
fn their_safe_twins_are_accepted() {
    let trial = Trial::new().expect("valid maps");
    for code in [order(0), longest(65_525), before_end(5, 5)] {
        let outcome = trial.check_code(&code, &[], 1);
        assert_eq!((true, None), (outcome.accepted, outcome.failure));
    }
}
