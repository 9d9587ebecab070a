use std::sync::Arc;

use super::*;
use crate::contract::ContextField;
use crate::error::ResultCode;
use crate::exec::{Execution, Input, Options, Program};
use crate::fixtures::{assembled, context, executors, live, object, program, ready, sample};
use crate::isa::mem;
use crate::trace::Trace;

/// The budget ends a loop without end, and no run can take longer.
#[test]
fn the_budget_ends_endless_loops() {
    for options in executors() {
        let object = object("loops");
        let trace = Arc::new(Trace::new(4));
        let traced = Options {
            trace: Some(Arc::clone(&trace)),
            ..options
        };
        let endless = ready(program(&object, "endless"), Vec::new(), traced);
        let test = endless
            .test_run(&context(0, 0), b"", 0, 5)
            .expect("valid input");
        assert_eq!(ResultCode::Timeout as u8, test.code);
        assert!(trace.drain()[0].text.contains("budget of 1000000"));
        assert_eq!(Some(&1), endless.counters().failures.get(&32));
    }
}

/// A loop that ends within the budget is not disturbed by it.
#[test]
fn loops_within_the_budget_run_to_their_end() {
    let object = object("loops");
    for options in executors() {
        let bounded = ready(program(&object, "bounded"), Vec::new(), options);
        let test = bounded
            .test_run(&context(0, 0), b"", 0, 5)
            .expect("valid input");
        assert_eq!((0, 499_500), (test.code, test.result));
    }
}

/// Programs read and write the packet; pointers come back as the caller sent them.
#[test]
fn packets_and_contexts_are_copied_in_and_out() {
    for options in executors() {
        let object = object("packet");
        let packet = ready(program(&object, "packet"), Vec::new(), options);
        let mut sent = context(0, 7);
        sent[..8].copy_from_slice(&[0xaa; 8]);
        let test = packet
            .test_run(&sent, &[1, 2, 3, 4], 0, 3)
            .expect("valid input");
        assert_eq!((0, 0x0304), (test.code, test.result));
        assert_eq!(vec![4, 2, 3, 4], test.data, "each run adds one");
        assert_eq!([0xaa; 8], test.context[..8]);
        assert_eq!([2, 0, 0, 0], test.context[16..20]);
        assert_eq!([7, 0], test.context[20..22]);
    }
}

/// Each context of a batch has its own data, code and result.
#[test]
fn a_batch_runs_each_context_on_its_own_data() {
    for options in executors() {
        let object = object("packet");
        let packet = ready(program(&object, "packet"), Vec::new(), options);
        let contexts = [context(0, 0), context(0, 0), context(0, 0)].concat();
        let lengths = [4_u32, 3, 5].map(u32::to_le_bytes).concat();
        let input = Input {
            contexts: &contexts,
            count: 3,
            data: &[1, 2, 3, 4, 9, 9, 9, 5, 6, 7, 8, 9],
            data_lengths: &lengths,
            meta_lengths: &[],
            origin: None,
        };
        let batch = packet.run_batch(input).expect("valid input");
        assert_eq!(vec![0, 0, 0], batch.codes);
        let results = [0x0304_u32, u32::MAX, 0x0708]
            .map(u32::to_le_bytes)
            .concat();
        assert_eq!(results, batch.results);
        assert_eq!(vec![2, 2, 3, 4, 9, 9, 9, 6, 6, 7, 8, 9], batch.data);
        assert_eq!(6, batch.contexts[64 + 16]);
        assert_eq!(3, packet.counters().runs);
    }
}

/// A batch that changes nothing sends nothing back.
#[test]
fn unchanged_contexts_and_data_stay_away() {
    for options in executors() {
        let object = object("plain");
        let constant = ready(program(&object, "constant"), Vec::new(), options);
        let input = Input {
            contexts: &context(1, 2),
            count: 1,
            data: b"abc",
            ..Input::default()
        };
        let batch = constant.run_batch(input).expect("valid input");
        assert_eq!((vec![], vec![]), (batch.contexts, batch.data));
        let empty = constant.run_batch(Input::default()).expect("nothing to do");
        assert!(empty.codes.is_empty());
    }
}

/// Input that does not fit the program type is refused, with both numbers.
#[test]
fn input_of_a_wrong_size_is_refused() {
    let object = object("plain");
    let constant = ready(program(&object, "constant"), Vec::new(), Options::default());
    let contexts = vec![0; 64];
    let refused = |input: Input<'_>| {
        let error = constant.run_batch(input).expect_err("invalid input");
        assert_eq!(ResultCode::InvalidArgument, error.code);
        error.message
    };
    let base = Input {
        contexts: &contexts,
        count: 2,
        ..Input::default()
    };
    let message = refused(Input { count: 3, ..base });
    assert!(
        message.contains("64") && message.contains("32"),
        "{message}"
    );
    refused(Input { count: 0, ..base });
    refused(Input { data: b"x", ..base });
    refused(Input {
        data: b"x",
        data_lengths: &[0; 8],
        ..base
    });
    refused(Input {
        data: b"x",
        data_lengths: &[1],
        ..base
    });
    refused(Input {
        meta_lengths: &[1, 0, 0, 0, 0, 0, 0, 0],
        ..base
    });
    let large = vec![0; 70_000];
    refused(Input {
        contexts: &contexts[..32],
        count: 1,
        data: &large,
        ..base
    });
    assert!(constant.test_run(&contexts, b"", 0, 0).is_err());
}

/// Metadata is the first part of the data: its own pointer shows to it.
#[test]
fn metadata_comes_before_data() {
    for options in executors() {
        let mut information = sample();
        information.context.meta = 16;
        information.writable = vec![];
        let load = |dst, offset| Insn::new(class::LDX | mem::MEM | mem::DW, dst, 1, offset, 0);
        let code = [
            load(2, 0),
            load(3, 16),
            Insn::new(class::LDX | mem::MEM | mem::B, 0, 3, 0, 0),
            Insn::new(class::ALU64 | alu::SUB | X, 2, 3, 0, 0),
            alu64(alu::LSH, 2, 8),
            Insn::new(class::ALU64 | alu::OR | X, 0, 2, 0, 0),
            EXIT,
        ];
        let program = Program::new(&assembled(&code, &[]), vec![], &information, options);
        let program = program.expect("a valid program");
        let test = program
            .test_run(&context(0, 0), &[9, 8, 7, 6], 3, 1)
            .expect("valid input");
        assert_eq!((0, 0x0309), (test.code, test.result));
    }
}

/// What a contract hides of a context ends a run that reads it, also through a helper's argument.
#[test]
fn hidden_fields_cannot_be_read() {
    let mut information = sample();
    information.fields.push(ContextField {
        name: "secret".into(),
        offset: 24,
        size: 4,
        is_hidden: true,
    });
    let load = |size, offset| Insn::new(class::LDX | mem::MEM | size, 0, 1, offset, 0);
    let run = |code: &[Insn]| {
        let options = Options {
            execution: Execution::Interpreter,
            ..Options::default()
        };
        let program = Program::new(&assembled(code, &[]), vec![], &information, options);
        let program = program.expect("a valid program");
        let test = program.test_run(&context(0, 0), b"", 0, 1);
        test.expect("valid input").code
    };
    let hidden = ResultCode::InvalidPointer as u8;
    let seen = ResultCode::Success as u8;
    assert_eq!(seen, run(&[load(mem::W, 20), EXIT]));
    assert_eq!(hidden, run(&[load(mem::W, 24), EXIT]));
    assert_eq!(hidden, run(&[load(mem::B, 27), EXIT]));
    assert_eq!(hidden, run(&[load(mem::DW, 20), EXIT]));
    assert_eq!(seen, run(&[load(mem::W, 28), EXIT]));
    let checksum = |size| {
        let seed = [mov(3, 0), mov(4, 0), mov(5, 0)];
        let from = [copy(3, 1), mov(4, size), mov(1, 0), mov(2, 0)];
        [&seed[..], &from, &[call(10), EXIT]].concat()
    };
    assert_eq!(seen, run(&checksum(24)));
    assert_eq!(hidden, run(&checksum(28)));
}

/// A helper that writes the context for a program that nobody judged: what is read-only stays.
#[test]
fn what_a_helper_writes_to_read_only_fields_does_not_come_back() {
    for options in executors() {
        let mut information = sample();
        information.writable = vec![(24, 4)];
        let code = [
            alu64(alu::ADD, 1, 16),
            mov(2, 16),
            mov(3, 0x55),
            call(24),
            EXIT,
        ];
        let program = Program::new(&assembled(&code, &[]), vec![], &information, options);
        let test = program
            .expect("a valid program")
            .test_run(&[7; 32], b"", 0, 1);
        let test = test.expect("valid input");
        assert_eq!(ResultCode::Success as u8, test.code);
        let mut expected = [7; 32];
        expected[24..28].fill(0x55);
        assert_eq!(expected[16..], test.context[16..]);
    }
}

/// Globals keep their values between runs; writes to .rodata end the run.
#[test]
fn globals_live_in_maps_and_rodata_is_read_only() {
    let object = object("globals");
    for options in executors() {
        let globals = ready(program(&object, "globals"), live(&object.maps), options);
        let test = globals
            .test_run(&context(2, 0), b"", 0, 2)
            .expect("valid input");
        assert_eq!((0, 6 + 100 + 3 + 77), (test.code, test.result));
    }
    let maps = live(&object.maps);
    let rodata = object
        .maps
        .iter()
        .position(|map| map.read_only)
        .expect("a .rodata");
    let code = [
        Insn::new(
            crate::isa::LDDW,
            1,
            crate::isa::LDDW_MAP_VALUE,
            0,
            rodata as i32,
        ),
        Insn::default(),
        Insn::new(class::ST | mem::MEM | mem::B, 1, 0, 0, 1),
        EXIT,
    ];
    let write = ready(&assembled(&code, &[]), maps, Options::default());
    let test = write
        .test_run(&context(0, 0), b"", 0, 1)
        .expect("valid input");
    assert_eq!(ResultCode::InvalidPointer as u8, test.code);
}

/// A program cannot be made without its maps, helpers, or whole instructions.
#[test]
fn creation_refuses_what_could_not_run() {
    let maps = object("maps");
    let count = program(&maps, "count");
    let new = |spec, maps| Program::new(spec, maps, &sample(), Options::default()).map(|_| ());
    assert_eq!(
        ResultCode::InvalidArgument,
        new(count, vec![]).expect_err("no maps").code
    );
    let helpers = object("helpers");
    let extension = program(&helpers, "extension");
    let error = new(extension, live(&helpers.maps)).expect_err("no callback");
    assert!(error.message.contains("sample_ebpf_extension_find (65537)"));
    let bad = assembled(&[Insn::new(0xff, 0, 0, 0, 0), EXIT], &[]);
    assert_eq!(
        ResultCode::VerificationFailed,
        new(&bad, vec![]).expect_err("bad").code
    );
}
