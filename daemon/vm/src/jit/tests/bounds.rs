//! Which loops are bounded, and by how much: the bound against what the interpreter counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::compiled;
use crate::exec::{Execution, Options, Program};
use crate::fixtures::{assembled, context, sample};
use crate::isa::{CALL, CALL_LOCAL, EXIT, Insn, SOURCE_REGISTER as X, alu, class, jump, mem};

const END: Insn = Insn::new(EXIT, 0, 0, 0, 0);
const ADD: u8 = class::ALU64 | alu::ADD;
const ADD32: u8 = class::ALU | alu::ADD;
const MOV: u8 = class::ALU64 | alu::MOV;
const MOV32: u8 = class::ALU | alu::MOV;
const JMP: u8 = class::JMP;
const JMP32: u8 = class::JMP32;
const LOAD: u8 = class::LDX | mem::MEM;

fn program(code: &[Insn], starts: &[usize], options: Options) -> Program {
    Program::new(&assembled(code, starts), vec![], &sample(), options).expect("a valid program")
}

/// The proved bound, and what a run on 64 bytes of data executes.
fn measure(code: &[Insn], starts: &[usize]) -> (Option<u64>, u64) {
    let executed = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&executed);
    let options = Options {
        execution: Execution::Interpreter,
        observer: Some(Arc::new(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        })),
        ..compiled()
    };
    let run = |program: &Program| {
        let test = program.test_run(&context(3, 4), &[1; 64], 0, 1);
        let test = test.expect("valid input");
        (test.code, test.result)
    };
    let expected = run(&program(code, starts, options));
    let jit = program(code, starts, compiled());
    assert_eq!(
        jit.metered(),
        jit.worst_case().is_none(),
        "these fit into the budget"
    );
    assert_eq!(expected, run(&jit));
    (jit.worst_case(), executed.load(Ordering::Relaxed))
}

fn i(opcode: u8, dst: u8, src: u8, offset: i16, imm: i32) -> Insn {
    Insn::new(opcode, dst, src, offset, imm)
}

/// r0 = 0; r1 = `start`; do { r0 += 1; `step` } while (`test`); the jump's offset is set here.
fn counting(before: &[Insn], step: &[Insn], test: Insn) -> Vec<Insn> {
    let mut code = vec![i(MOV, 0, 0, 0, 0)];
    code.extend(before);
    let first = code.len();
    code.push(i(ADD, 0, 0, 0, 1));
    code.extend(step);
    let back = (first as i64 - code.len() as i64 - 1) as i16;
    code.push(Insn {
        offset: back,
        ..test
    });
    code.push(END);
    code
}

/// Counted loops of all forms have exactly the bound that they reach.
#[test]
fn counted_loops_are_bounded_exactly() {
    let halves = [
        i(class::ALU64 | alu::LSH, 1, 0, 0, 32),
        i(class::ALU64 | alu::RSH, 1, 0, 0, 32),
    ];
    let signed = [
        i(class::ALU64 | alu::LSH, 1, 0, 0, 32),
        i(class::ALU64 | alu::ARSH, 1, 0, 0, 32),
    ];
    let cases: [(Insn, Vec<Insn>, Insn); 12] = [
        (
            i(MOV, 1, 0, 0, 0),
            vec![i(ADD, 1, 0, 0, 2)],
            i(JMP | jump::JNE, 1, 0, 0, 80),
        ),
        (
            i(MOV, 1, 0, 0, 0),
            vec![i(ADD, 1, 0, 0, 3)],
            i(JMP | jump::JLT, 1, 0, 0, 80),
        ),
        (
            i(MOV, 1, 0, 0, 1),
            vec![i(ADD, 1, 0, 0, 3)],
            i(JMP | jump::JLE, 1, 0, 0, 79),
        ),
        (
            i(MOV, 1, 0, 0, 9),
            vec![i(ADD, 1, 0, 0, -1)],
            i(JMP | jump::JNE, 1, 0, 0, 0),
        ),
        (
            i(MOV, 1, 0, 0, 9),
            vec![i(ADD, 1, 0, 0, -2)],
            i(JMP | jump::JGT, 1, 0, 0, 3),
        ),
        (
            i(MOV, 1, 0, 0, 9),
            vec![i(ADD, 1, 0, 0, -1)],
            i(JMP | jump::JSGE, 1, 0, 0, -4),
        ),
        (
            i(MOV, 1, 0, 0, -9),
            vec![i(ADD, 1, 0, 0, 1)],
            i(JMP | jump::JNE, 1, 0, 0, 0),
        ),
        (
            i(MOV, 1, 0, 0, -9),
            vec![i(ADD, 1, 0, 0, 2)],
            i(JMP | jump::JSLT, 1, 0, 0, 8),
        ),
        (
            i(MOV32, 1, 0, 0, 0),
            vec![i(ADD32, 1, 0, 0, 1)],
            i(JMP32 | jump::JNE, 1, 0, 0, 50),
        ),
        (
            i(MOV32, 1, 0, 0, -4),
            vec![i(ADD32, 1, 0, 0, 1)],
            i(JMP32 | jump::JSLE, 1, 0, 0, 5),
        ),
        (
            i(MOV, 1, 0, 0, 7),
            [&[i(ADD, 1, 0, 0, -1)][..], &halves].concat(),
            i(JMP | jump::JNE, 1, 0, 0, 0),
        ),
        (
            i(MOV, 1, 0, 0, -7),
            [&[i(ADD, 1, 0, 0, 1)][..], &signed].concat(),
            i(JMP | jump::JSLT, 1, 0, 0, 7),
        ),
    ];
    for (start, step, test) in cases {
        let code = counting(&[start], &step, test);
        let (bound, executed) = measure(&code, &[]);
        assert_eq!(Some(executed), bound, "{start:?} {step:?} {test:?}");
    }
}

/// What could wrap, pass by its end or change otherwise has no bound.
#[test]
fn what_may_go_on_is_metered() {
    let number = i(LOAD | mem::DW, 1, 1, 16, 0);
    let cases: [(Insn, Vec<Insn>, Insn); 8] = [
        // Steps over its end.
        (
            i(MOV, 1, 0, 0, 0),
            vec![i(ADD, 1, 0, 0, 3)],
            i(JMP | jump::JNE, 1, 0, 0, 80),
        ),
        // Goes the other way.
        (
            i(MOV, 1, 0, 0, 5),
            vec![i(ADD, 1, 0, 0, -1)],
            i(JMP | jump::JLT, 1, 0, 0, 80),
        ),
        // Everything is less or equal, or not below 0.
        (
            i(MOV, 1, 0, 0, 0),
            vec![i(ADD, 1, 0, 0, 1)],
            i(JMP | jump::JLE, 1, 0, 0, -1),
        ),
        (
            i(MOV, 1, 0, 0, 9),
            vec![i(ADD, 1, 0, 0, -1)],
            i(JMP | jump::JGE, 1, 0, 0, 0),
        ),
        // May wrap between two looks.
        (
            i(MOV32, 1, 0, 0, 0),
            vec![i(ADD32, 1, 0, 0, 8)],
            i(JMP32 | jump::JLT, 1, 0, 0, -4),
        ),
        // Starts anywhere.
        (
            number,
            vec![i(ADD, 1, 0, 0, 1)],
            i(JMP | jump::JNE, 1, 0, 0, 80),
        ),
        (
            number,
            vec![i(ADD, 1, 0, 0, 1)],
            i(JMP | jump::JSLT, 1, 0, 0, 80),
        ),
        // Is no counter.
        (
            i(MOV, 1, 0, 0, 64),
            vec![i(class::ALU64 | alu::RSH, 1, 0, 0, 1)],
            i(JMP | jump::JNE, 1, 0, 0, 0),
        ),
    ];
    for (start, step, test) in cases {
        let code = counting(&[start], &step, test);
        let bound = program(&code, &[], compiled()).worst_case();
        assert_eq!(None, bound, "{start:?} {step:?} {test:?}");
    }
}

/// A number that is loaded, masked or compared before bounds a loop, too.
#[test]
fn ranges_bound_loops() {
    let end = |offset| i(JMP | jump::JLT | X, 2, 1, offset, 0);
    let up = [i(ADD, 2, 0, 0, 1)];
    let byte = counting(
        &[i(LOAD | mem::B, 1, 1, 16, 0), i(MOV, 2, 0, 0, 0)],
        &up,
        end(0),
    );
    assert_eq!(Some(4 + 255 * 3), measure(&byte, &[]).0);
    let load = i(LOAD | mem::W, 1, 1, 16, 0);
    let masked = counting(
        &[
            load,
            i(class::ALU64 | alu::AND, 1, 0, 0, 7),
            i(MOV, 2, 0, 0, 0),
        ],
        &up,
        end(0),
    );
    assert_eq!(Some(5 + 7 * 3), measure(&masked, &[]).0);
    let compared = [
        load,
        i(JMP | jump::JLE, 1, 0, 1, 9),
        END,
        i(MOV, 2, 0, 0, 0),
    ];
    let compared = counting(&compared, &up, end(0));
    assert_eq!(Some(5 + 9 * 3), measure(&compared, &[]).0);
}

/// A pointer that goes through the data is bounded by the largest packet.
#[test]
fn packets_bound_loops() {
    let before = [i(LOAD | mem::DW, 2, 1, 8, 0), i(LOAD | mem::DW, 1, 1, 0, 0)];
    let less = counting(
        &before,
        &[i(ADD, 1, 0, 0, 4)],
        i(JMP | jump::JLT | X, 1, 2, 0, 0),
    );
    let (bound, executed) = measure(&less, &[]);
    assert_eq!(Some(4 + 65_534_u64.div_ceil(4) * 3), bound);
    assert_eq!(4 + 16 * 3, executed);
    let equal = counting(
        &before,
        &[i(ADD, 1, 0, 0, 1)],
        i(JMP | jump::JNE | X, 1, 2, 0, 0),
    );
    // The first look comes after the first step, beyond the end of an empty packet.
    assert_eq!(None, program(&equal, &[], compiled()).worst_case());
}

/// Loops in loops multiply, calls count with what they call, and an inner loop without a bound
/// meters those around it alone.
#[test]
fn loops_and_calls_nest() {
    let nested = [
        i(MOV, 0, 0, 0, 0),
        i(MOV, 1, 0, 0, 0),
        i(MOV, 2, 0, 0, 0),
        i(ADD, 0, 0, 0, 1),
        i(ADD, 2, 0, 0, 1),
        i(JMP | jump::JLT, 2, 0, -3, 5),
        i(ADD, 1, 0, 0, 1),
        i(JMP | jump::JNE, 1, 0, -6, 7),
        END,
    ];
    let (bound, executed) = measure(&nested, &[]);
    assert_eq!(Some(executed), bound);
    let calls = [
        i(MOV, 6, 0, 0, 0),
        i(CALL, 0, CALL_LOCAL, 0, 3),
        i(ADD, 6, 0, 0, 1),
        i(JMP | jump::JNE, 6, 0, -3, 4),
        END,
        i(MOV, 0, 0, 0, 3),
        i(ADD, 0, 0, 0, -1),
        i(JMP | jump::JNE, 0, 0, -2, 0),
        END,
    ];
    let (bound, executed) = measure(&calls, &[5]);
    assert_eq!(Some(executed), bound);
}
