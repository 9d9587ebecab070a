use std::sync::Arc;

use super::compiled;
use crate::error::ResultCode;
use crate::exec::{Execution, Options, Program};
use crate::fixtures::{assembled, context, live, object, ready, run_both, sample};
use crate::isa::{
    CALL, CALL_LOCAL, EXIT, Insn, LDDW, LDDW_MAP, LDDW_MAP_VALUE, SOURCE_REGISTER as X, alu, class,
    jump, mem,
};
use crate::trace::Trace;

const END: Insn = Insn::new(EXIT, 0, 0, 0, 0);

fn mov(dst: u8, imm: i32) -> Insn {
    Insn::new(class::ALU64 | alu::MOV, dst, 0, 0, imm)
}

fn copy(dst: u8, src: u8) -> Insn {
    Insn::new(class::ALU64 | alu::MOV | X, dst, src, 0, 0)
}

fn call(distance: i32) -> Insn {
    Insn::new(CALL, 0, CALL_LOCAL, 0, distance)
}

fn reason(code: &[Insn], starts: &[usize], maps: Vec<Arc<crate::maps::Map>>) -> String {
    let options = Options {
        verified: crate::exec::Verified::Assumed,
        ..Options::default()
    };
    let program = ready(&assembled(code, starts), maps, options);
    program.jit().err().unwrap_or_default().to_owned()
}

/// Only what is verified is compiled, and whoever insists is told why not.
#[test]
fn unverified_programs_are_interpreted() {
    let spec = assembled(&[mov(0, 1), END], &[]);
    let unverified = ready(&spec, vec![], Options::default());
    assert!(
        unverified
            .jit()
            .is_err_and(|reason| reason.contains("verified"))
    );
    let options = Options {
        execution: Execution::Jit,
        ..Options::default()
    };
    let error = Program::new(&spec, vec![], &sample(), options)
        .map(|_| ())
        .expect_err("refused");
    assert_eq!(ResultCode::JitCompilationFailed, error.code);
    let options = Options {
        execution: Execution::Interpreter,
        ..compiled()
    };
    assert!(ready(&spec, vec![], options).jit().is_err());
    assert!(
        ready(&spec, vec![], compiled())
            .jit()
            .is_ok_and(|jit| jit.size() > 0)
    );
}

/// A loop without end, and calls without end, end with their codes; so do their frames.
#[test]
fn loops_and_recursion_end() {
    let endless = [mov(0, 0), Insn::new(class::JMP | jump::JA, 0, 0, -1, 0)];
    let trace = Arc::new(Trace::new(4));
    let options = Options {
        trace: Some(Arc::clone(&trace)),
        budget: Some(5_000),
        ..compiled()
    };
    let run = |code: &[Insn], starts: &[usize], options| {
        let program = ready(&assembled(code, starts), vec![], options);
        program
            .test_run(&context(0, 0), b"", 0, 1)
            .expect("valid input")
            .code
    };
    assert_eq!(ResultCode::Timeout as u8, run(&endless, &[], options));
    assert!(
        trace.drain()[0]
            .text
            .contains("instruction 1: the budget of 5000")
    );
    let inside = [
        call(1),
        END,
        mov(0, 0),
        Insn::new(class::JMP | jump::JA, 0, 0, -1, 0),
    ];
    assert_eq!(ResultCode::Timeout as u8, run(&inside, &[2], compiled()));
    let recursive = [call(1), END, call(-1), END];
    assert_eq!(ResultCode::Failed as u8, run(&recursive, &[2], compiled()));
    // Without loops: eight functions that call the next one 20 times each.
    let mut fan: Vec<Insn> = Vec::new();
    let mut starts = Vec::new();
    for function in 0..8 {
        if function > 0 {
            starts.push(fan.len());
        }
        if function < 7 {
            (0..20).for_each(|index| fan.push(call(20 - index)));
        } else {
            fan.push(mov(0, 0));
        }
        fan.push(END);
    }
    assert_eq!(ResultCode::Timeout as u8, run(&fan, &starts, compiled()));
}

/// No store may lead into a read-only map, over whatever way its address came.
#[test]
fn stores_into_read_only_maps_are_not_compiled() {
    let object = object("globals");
    let maps = live(&object.maps);
    let rodata = maps
        .iter()
        .position(|map| map.read_only())
        .expect("a .rodata") as i32;
    let data = maps
        .iter()
        .position(|map| !map.read_only())
        .expect("a .data") as i32;
    let value = |map| [Insn::new(LDDW, 1, LDDW_MAP_VALUE, 0, map), Insn::default()];
    let store = |base| Insn::new(class::ST | mem::MEM | mem::B, base, 0, 0, 1);
    let spill = Insn::new(class::STX | mem::MEM | mem::DW, 10, 1, -8, 0);
    let reload = Insn::new(class::LDX | mem::MEM | mem::DW, 3, 10, -8, 0);
    let add = Insn::new(class::ALU64 | alu::ADD | X, 2, 1, 0, 0);
    let ways: [(Vec<Insn>, Vec<usize>); 5] = [
        (vec![store(1), END], vec![]),
        (vec![copy(3, 1), store(3), END], vec![]),
        (vec![mov(2, 0), add, store(2), END], vec![]),
        (vec![spill, reload, store(3), END], vec![]),
        (vec![call(1), END, store(1), END], vec![4]),
    ];
    for (way, starts) in ways {
        let code = |map| [&value(map)[..], &way].concat();
        let found = reason(&code(rodata), &starts, maps.clone());
        assert!(found.contains("read-only map"), "{way:?}: {found:?}");
        assert_eq!("", reason(&code(data), &starts, maps.clone()));
    }
    let lookup = [
        Insn::new(class::ST | mem::MEM | mem::W, 10, 0, -4, 0),
        copy(2, 10),
        Insn::new(class::ALU64 | alu::ADD, 2, 0, 0, -4),
        Insn::new(LDDW, 1, LDDW_MAP, 0, rodata),
        Insn::default(),
        Insn::new(CALL, 0, 0, 0, 1),
        store(0),
        END,
    ];
    assert!(reason(&lookup, &[], maps).contains("read-only map"));
}

/// What would take long to compile is interpreted; what control cannot reach does not count.
#[test]
fn long_programs_are_interpreted() {
    let long = vec![mov(0, 1); 20_000];
    assert!(reason(&[&long[..], &[END]].concat(), &[], vec![]).contains("16384 instructions"));
    let leap = Insn::new(class::JMP | jump::JA, 0, 0, 20_000, 0);
    assert_eq!(
        "",
        reason(&[&[leap], &long[..], &[END]].concat(), &[], vec![])
    );
}

/// A program that takes what a callee left in its registers is not compiled.
#[test]
fn registers_that_a_call_leaves_are_not_read() {
    let code = [call(2), copy(0, 1), END, mov(1, 5), mov(0, 0), END];
    assert!(reason(&code, &[3], vec![]).contains("r1"));
    assert!(reason(&[call(-1), END], &[0], vec![]).contains("itself"));
}

/// Sub-programs compiled by clang run alike on both executors.
#[test]
fn compiled_objects_run_alike() {
    for file in ["subprograms", "plain", "packet"] {
        let object = object(file);
        for spec in &object.programs {
            let maps = || live(&object.maps);
            assert_eq!(0, run_both(spec, maps, &context(3, 4), b"abcd").code);
        }
    }
}

/// A key that is not wholly in the function's frame is left to the helper, which checks it.
#[test]
fn keys_beyond_the_frame_are_checked() {
    let object = object("maps");
    let index = object
        .maps
        .iter()
        .position(|map| map.map_type == crate::map_type::ARRAY);
    let map = index.expect("an array") as i32;
    let lookup = |distance| {
        [
            Insn::new(class::ST | mem::MEM | mem::DW, 10, 0, -8, 0),
            copy(2, 10),
            Insn::new(class::ALU64 | alu::ADD, 2, 0, 0, distance),
            Insn::new(LDDW, 1, LDDW_MAP, 0, map),
            Insn::default(),
            Insn::new(CALL, 0, 0, 0, 1),
            Insn::new(class::JMP | jump::JEQ, 0, 0, 1, 0),
            mov(0, 1),
            END,
        ]
    };
    let run = |code: &[Insn], starts: &[usize]| {
        let maps = || live(&object.maps[..3]);
        let test = run_both(&assembled(code, starts), maps, &context(0, 0), b"");
        (test.code, test.result)
    };
    assert_eq!((0, 1), run(&lookup(-4), &[]));
    assert_eq!((ResultCode::InvalidPointer as u8, 0), run(&lookup(-2), &[]));
    // Above the frame of a callee lies that of its caller, which holds 0 there.
    let called = |distance| [&[call(1), END][..], &lookup(distance)].concat();
    assert_eq!((0, 1), run(&called(-4), &[2]));
    assert_eq!((0, 1), run(&called(-2), &[2]));
}
