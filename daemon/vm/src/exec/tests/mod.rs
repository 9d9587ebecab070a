//! What the interpreter promises: instructions, and whole invocations.

mod bindings;
mod instructions;
mod invocations;
mod limits;
mod maps;
mod random;
mod records;
mod remote;
mod tail_calls;
mod tapes;

use std::sync::Arc;

use crate::exec::Options;
use crate::fixtures::{assembled, context, ready};
use crate::isa::{Insn, alu, class, jump, mem};
use crate::maps::{Map, MapOptions, map_type};

const K: u8 = 0;
const X: u8 = crate::isa::SOURCE_REGISTER;
const EXIT: Insn = Insn::new(crate::isa::EXIT, 0, 0, 0, 0);

fn alu64(operation: u8, dst: u8, imm: i32) -> Insn {
    Insn::new(class::ALU64 | operation | K, dst, 0, 0, imm)
}

fn mov(dst: u8, imm: i32) -> Insn {
    alu64(alu::MOV, dst, imm)
}

fn lddw(dst: u8, value: u64) -> [Insn; 2] {
    let low = Insn::new(crate::isa::LDDW, dst, 0, 0, value as i32);
    [low, Insn::new(0, 0, 0, 0, (value >> 32) as i32)]
}

/// `dst = src`.
fn copy(dst: u8, src: u8) -> Insn {
    Insn::new(class::ALU64 | alu::MOV | X, dst, src, 0, 0)
}

/// `dst =` map `index` of the program.
fn map(dst: u8, index: i32) -> [Insn; 2] {
    let low = Insn::new(crate::isa::LDDW, dst, crate::isa::LDDW_MAP, 0, index);
    [low, Insn::default()]
}

fn call(helper: i32) -> Insn {
    Insn::new(crate::isa::CALL, 0, 0, 0, helper)
}

/// `*(u64 *)(r10 + offset) = number`.
fn put(offset: i16, number: i32) -> Insn {
    Insn::new(class::ST | mem::MEM | mem::DW, 10, 0, offset, number)
}

/// `dst = r10 + offset`.
fn stack(dst: u8, offset: i32) -> [Insn; 2] {
    [copy(dst, 10), alu64(alu::ADD, dst, offset)]
}

/// Exit with the eight bytes that r0 leads to, or with `missing` if it is NULL.
fn load_and_exit(missing: i32) -> Vec<Insn> {
    vec![
        Insn::new(class::JMP | jump::JNE, 0, 0, 2, 0),
        mov(0, missing),
        EXIT,
        Insn::new(class::LDX | mem::MEM | mem::DW, 0, 0, 0, 0),
        EXIT,
    ]
}

/// A live map of this type, for keys of four bytes and values of eight where it has any.
fn live_map(number: u32, max_entries: u32) -> Arc<Map> {
    use map_type as t;
    let (key_size, value_size) = match number {
        t::QUEUE | t::STACK => (0, 8),
        t::RINGBUF | t::PERF_EVENT_ARRAY => (0, 0),
        t::PROG_ARRAY => (4, 4),
        t::LPM_TRIE => (8, 8),
        _ => (4, 8),
    };
    let map = Map::new(MapOptions {
        map_type: number,
        key_size,
        value_size,
        max_entries,
        ..MapOptions::default()
    });
    Arc::new(map.expect("a valid map"))
}

/// What a program of these instructions returns: code and r0.
fn run_with(code: &[Insn], maps: &[Arc<Map>], options: &Options) -> (u8, i32) {
    let program = ready(&assembled(code, &[]), maps.to_vec(), options.clone());
    let test = program
        .test_run(&context(0, 0), b"", 0, 1)
        .expect("valid input");
    (test.code, test.result.cast_signed())
}
