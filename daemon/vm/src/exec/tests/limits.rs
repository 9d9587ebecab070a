//! Every program ends: loops by the budget, calls by their frames.

use super::*;
use crate::error::ResultCode;
use crate::exec::Options;
use crate::fixtures::{assembled, context, ready};
use crate::isa::{CALL, CALL_LOCAL, jump, mem};
use crate::trace::Trace;
use std::sync::Arc;

/// Code and last line of the trace of a program of functions that begin at `starts`.
fn end(code: &[Insn], starts: &[usize]) -> (u8, String) {
    let trace = Arc::new(Trace::new(4));
    let options = Options {
        trace: Some(Arc::clone(&trace)),
        ..Options::default()
    };
    let program = ready(&assembled(code, starts), Vec::new(), options);
    let test = program.test_run(&context(0, 0), b"", 0, 1);
    let lines = trace.drain();
    let last = lines.last().map(|line| line.text.clone());
    (test.expect("valid input").code, last.unwrap_or_default())
}

/// A loop of any kind of jump, with or without something in it, ends with the budget.
#[test]
fn loops_without_end_end_with_the_budget() {
    let goto = |distance| Insn::new(class::JMP | jump::JA, 0, 0, distance, 0);
    let gotol = |distance| Insn::new(class::JMP32 | jump::JA, 0, 0, 0, distance);
    let never = Insn::new(class::JMP | jump::JEQ | X, 0, 0, -1, 0);
    let add = Insn::new(class::STX | mem::ATOMIC | mem::DW, 10, 1, -8, 0);
    let loops: [(&str, Vec<Insn>); 7] = [
        ("a jump to itself", vec![goto(-1)]),
        ("a long jump to itself", vec![gotol(-1)]),
        ("a condition that holds", vec![mov(0, 1), never, EXIT]),
        ("two jumps", vec![goto(0), goto(-2)]),
        ("an atomic operation", vec![mov(1, 1), add, goto(-2)]),
        ("a helper", vec![Insn::new(CALL, 0, 0, 0, 6), goto(-2)]),
        (
            "a call",
            vec![Insn::new(CALL, 0, CALL_LOCAL, 0, 1), goto(-2), EXIT],
        ),
    ];
    for (what, code) in loops {
        let starts: &[usize] = if what == "a call" { &[2] } else { &[] };
        let (code, line) = end(&code, starts);
        assert_eq!(ResultCode::Timeout as u8, code, "{what}");
        assert!(
            line.contains("the budget of 1000000 instructions is used up"),
            "{line}"
        );
    }
}

/// A function each, that calls the next; the last one returns.
fn chain(functions: usize) -> (Vec<Insn>, Vec<usize>) {
    let mut code = Vec::new();
    for _ in 1..functions {
        code.extend([Insn::new(CALL, 0, CALL_LOCAL, 0, 1), EXIT]);
    }
    code.extend([mov(0, 9), EXIT]);
    (code, (1..functions).map(|function| function * 2).collect())
}

/// Eight functions may be active at once; the ninth ends the invocation where it is called.
#[test]
fn the_ninth_frame_is_refused() {
    let (code, starts) = chain(8);
    assert_eq!((0, String::new()), end(&code, &starts));
    let (code, starts) = chain(9);
    let expected = "assembled: ended with code 17 at instruction 14: \
                    more than 8 functions are active at once";
    assert_eq!(
        (ResultCode::Failed as u8, expected.to_owned()),
        end(&code, &starts)
    );
}

/// Recursion without end ends at the ninth frame too.
#[test]
fn recursion_ends_at_the_ninth_frame() {
    let code = [Insn::new(CALL, 0, CALL_LOCAL, 0, -1), EXIT];
    assert_eq!(ResultCode::Failed as u8, end(&code, &[]).0);
}

/// Below its frame a function has no stack: not even its caller's.
#[test]
fn the_stack_ends_at_512_bytes() {
    for (at, code) in [(-512, 0), (-513, 31), (-520, 31)] {
        let store = Insn::new(class::ST | mem::MEM | mem::B, 10, 0, at, 1);
        assert_eq!(code, end(&[store, mov(0, 0), EXIT], &[]).0, "{at}");
    }
}
