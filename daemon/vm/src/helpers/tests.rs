use std::sync::Arc;

use super::*;
use crate::error::ResultCode;
use crate::exec::Options;
use crate::fixtures::{
    assembled, context, executors, live, object, program, ready, run_both, run_on, sample,
};
use crate::isa::{CALL, EXIT, Insn, LDDW, LDDW_MAP, alu, class, mem};
use crate::spec::MapSpec;
use crate::trace::Trace;

const EXIT_INSN: Insn = Insn::new(EXIT, 0, 0, 0, 0);

/// The implemented helpers are those that the engine promises.
#[test]
fn the_promised_helpers_are_implemented() {
    let ids: Vec<u32> = implemented().map(|helper| helper.id).collect();
    assert_eq!(
        vec![
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
            25, 27, 28, 29, 30, 31, 32, 33, 34
        ],
        ids
    );
}

/// Ids count up from 1, so that the table can be trusted as a whole.
#[test]
fn the_table_is_complete_and_valid() {
    for (helper, id) in table::GENERAL.iter().zip(1..) {
        assert_eq!(id, helper.id);
        assert_eq!(Ok(()), helper.prototype().validate());
    }
}

/// A refusal names the helper, or lists what the program type offers.
#[test]
fn refusals_say_what_is_missing() {
    let information = sample();
    assert!(unavailable(5, &information).contains("bpf_tail_call (5) is not implemented"));
    for id in [26, 35] {
        let text = unavailable(id, &information);
        assert!(text.ends_with("program type \"sample\" would have to provide it"));
    }
    let text = unavailable(65543, &information);
    let start = "unknown helper 65543: program type \"sample\" offers \
                 sample_ebpf_extension_helper_function1 (65536), ";
    assert!(text.starts_with(start), "{text}");
}

/// memcpy, memcmp, memset, clocks, random numbers and printk, compiled from C.
#[test]
fn general_helpers_work_from_c() {
    for options in executors() {
        let object = object("helpers");
        let trace = Arc::new(Trace::new(8));
        let options = Options {
            trace: Some(Arc::clone(&trace)),
            tag: 5,
            ..options
        };
        let general = ready(program(&object, "general"), live(&object.maps), options);
        let test = general
            .test_run(&context(7, 0), b"", 0, 1)
            .expect("valid input");
        assert_eq!((0, 0), (test.code, test.result));
        let lines = trace.drain();
        assert_eq!(("number 7 of 0", 5), (&*lines[0].text, lines[0].program));
    }
}

/// Every other helper: its programs are verified, and find nothing wrong.
#[test]
fn verified_programs_use_every_helper() {
    let object = object("general");
    let trace = Arc::new(Trace::new(8));
    for spec in &object.programs {
        let case = crate::verifier::Case {
            program: spec,
            maps: &object.maps,
            information: &sample(),
        };
        let verdict =
            crate::verifier::verify(case, crate::verifier::Judges::Both).expect("a sound contract");
        assert_eq!(None, verdict.rejection, "{}", spec.name);
        for executor in executors() {
            let options = Options {
                trace: Some(Arc::clone(&trace)),
                ..executor
            };
            let program = ready(spec, live(&object.maps), options);
            let test = program.test_run(&context(7, 0), b"", 0, 1);
            let test = test.expect("valid input");
            assert_eq!((0, 0), (test.code, test.result), "{}", spec.name);
        }
    }
    assert_eq!(5, object.programs.len());
    assert_eq!("1 22 abc%", trace.drain()[0].text);
}

/// Lookup, update and delete on both map types, compiled from C.
#[test]
fn map_helpers_work_from_c() {
    for options in executors() {
        let object = object("maps");
        let maps: Vec<_> = live(&object.maps[..3]);
        let count = ready(program(&object, "count"), maps.clone(), options.clone());
        let forget = ready(program(&object, "forget"), maps.clone(), options);
        let context = context(10, 0);
        for _ in 0..3 {
            let test = count.test_run(&context, b"", 0, 1).expect("valid input");
            assert_eq!((0, 0), (test.code, test.result));
        }
        let named = |name: &str| maps.iter().find(|map| map.name() == name).expect("a map");
        let key = [1_u32, 10].map(u32::to_le_bytes).concat();
        assert_eq!(
            Ok(3_u64.to_le_bytes().to_vec()),
            named("flows").lookup(&key)
        );
        assert_eq!(
            Ok(30_u64.to_le_bytes().to_vec()),
            named("second").lookup(&[1, 0, 0, 0])
        );
        assert_eq!(
            Ok(3_u64.to_le_bytes().to_vec()),
            named("first").lookup(&[0; 4])
        );
        let gone = forget.test_run(&context, b"", 0, 1).expect("valid input");
        let missing = forget.test_run(&context, b"", 0, 1).expect("valid input");
        assert_eq!((0, -19), (gone.result, missing.result.cast_signed()));
    }
}

/// Call a helper with a map in r1, and r2 and r3 pointing to the stack.
fn call_with_map(helper: i32, map: &MapSpec, r4: i32) -> (u8, i32) {
    let point = |dst, at| {
        [
            Insn::new(class::ALU64 | alu::MOV | 8, dst, 10, 0, 0),
            Insn::new(class::ALU64 | alu::ADD, dst, 0, 0, at),
        ]
    };
    let code = [
        vec![
            Insn::new(class::ST | mem::MEM | mem::DW, 10, 0, -8, 0),
            Insn::new(LDDW, 1, LDDW_MAP, 0, 0),
            Insn::default(),
        ],
        point(2, -8).to_vec(),
        point(3, -8).to_vec(),
        vec![
            Insn::new(class::ALU64 | alu::MOV, 4, 0, 0, r4),
            Insn::new(CALL, 0, 0, 0, helper),
            EXIT_INSN,
        ],
    ];
    let spec = assembled(&code.concat(), &[]);
    let maps = || live(std::slice::from_ref(map));
    let test = run_both(&spec, maps, &context(0, 0), b"");
    (test.code, test.result.cast_signed())
}

/// Errors reach the program as negated results; .rodata cannot be changed.
#[test]
fn map_helpers_return_negated_results() {
    let mut map = MapSpec {
        name: "m".into(),
        map_type: 1,
        key_size: 4,
        value_size: 4,
        max_entries: 1,
        ..MapSpec::default()
    };
    assert_eq!((0, 0), call_with_map(1, &map, 0), "a miss is NULL");
    assert_eq!((0, 0), call_with_map(2, &map, 0));
    assert_eq!((0, -19), call_with_map(2, &map, 2));
    assert_eq!((0, -6), call_with_map(2, &map, 9));
    assert_eq!((0, -19), call_with_map(3, &map, 0));
    map.map_type = 2;
    assert_eq!((0, -6), call_with_map(2, &map, 1));
    map.read_only = true;
    let denied = -i32::from(ResultCode::AccessDenied as u8);
    assert_eq!((0, denied), call_with_map(2, &map, 0));
    assert_eq!((0, denied), call_with_map(3, &map, 0));
}

/// Call a helper on the stack's sixteen last bytes, which are 0, 1, 2 and so on.
fn call_on_stack(helper: i32, registers: [i32; 4]) -> (u8, i32) {
    let mut code = Vec::new();
    for at in 0..16_i16 {
        code.push(Insn::new(
            class::ST | mem::MEM | mem::B,
            10,
            0,
            at - 16,
            at.into(),
        ));
    }
    for (dst, at) in [(1, registers[0]), (3, registers[2])] {
        code.push(Insn::new(class::ALU64 | alu::MOV | 8, dst, 10, 0, 0));
        code.push(Insn::new(class::ALU64 | alu::ADD, dst, 0, 0, at));
    }
    for (dst, value) in [(2, registers[1]), (4, registers[3])] {
        code.push(Insn::new(class::ALU64 | alu::MOV, dst, 0, 0, value));
    }
    code.extend([Insn::new(CALL, 0, 0, 0, helper), EXIT_INSN]);
    let test = run_on(&code, &[], &context(0, 0), b"");
    (test.code, test.result.cast_signed())
}

/// The memory helpers check sizes themselves, and the engine every pointer.
#[test]
fn memory_helpers_have_bounds() {
    assert_eq!((0, 0), call_on_stack(22, [-16, 8, -8, 8]));
    assert_eq!((0, -22), call_on_stack(22, [-16, 4, -8, 8]));
    assert_eq!((0, 0), call_on_stack(25, [-16, 12, -12, 12]));
    assert_eq!((0, -22), call_on_stack(25, [-16, 4, -8, 8]));
    assert_eq!((0, -1), call_on_stack(23, [-16, 8, -8, 8]));
    assert_eq!((0, 1), call_on_stack(23, [-8, 8, -16, 8]));
    assert_eq!((0, 0), call_on_stack(23, [-8, 8, -8, 8]));
    assert_eq!(
        (0, 1),
        call_on_stack(23, [-8, 8, -8, 4]),
        "of equal beginnings the longer"
    );
    let invalid = ResultCode::InvalidPointer as u8;
    assert_eq!((invalid, 0), call_on_stack(22, [-16, 64, -8, 16]));
    assert_eq!((invalid, 0), call_on_stack(22, [-4, 8, -8, 8]));
    assert_eq!((invalid, 0), call_on_stack(23, [-8, -1, -8, 8]));
    assert_eq!((invalid, 0), call_on_stack(24, [-8, 9, 0, 0]));
    assert_eq!((invalid, 0), call_on_stack(24, [-8, -1, 0, 0]));
}

/// A map helper refuses what is no map, whatever the number is.
#[test]
fn a_number_is_no_map() {
    assert_eq!(
        ResultCode::InvalidPointer as u8,
        call_on_stack(1, [-16, 0, 0, 0]).0
    );
}

/// Set all of a large value, again and again; how the run ended, and how long it took.
fn fill_for_ever(value_size: u32, helper: i32) -> (u8, std::time::Duration) {
    let map = MapSpec {
        map_type: 2,
        key_size: 4,
        value_size,
        max_entries: 2,
        ..MapSpec::default()
    };
    let value = |dst| {
        [
            Insn::new(LDDW, dst, crate::isa::LDDW_MAP_VALUE, 0, 0),
            Insn::default(),
        ]
    };
    let size = value_size as i32;
    let code = [
        value(1).to_vec(),
        vec![Insn::new(class::ALU | alu::MOV, 2, 0, 0, size)],
        value(3).to_vec(),
        vec![
            Insn::new(class::ALU | alu::MOV, 4, 0, 0, size),
            Insn::new(CALL, 0, 0, 0, helper),
            Insn::new(class::JMP | crate::isa::jump::JA, 0, 0, -8, 0),
        ],
    ];
    let maps = live(&[map]);
    let program = ready(&assembled(&code.concat(), &[]), maps, Options::default());
    let start = std::time::Instant::now();
    let test = program
        .test_run(&context(0, 0), b"", 0, 1)
        .expect("valid input");
    (test.code, start.elapsed())
}

/// What helpers do counts against the budget: no run takes long, or much memory.
#[test]
fn large_memory_arguments_are_bounded() {
    for value_size in [64 << 10, 1 << 20, 1 << 30, u32::MAX - 7] {
        for helper in [22, 23, 24, 25] {
            let (code, taken) = fill_for_ever(value_size, helper);
            assert_eq!(
                ResultCode::Timeout as u8,
                code,
                "helper {helper} on {value_size}"
            );
            assert!(
                taken.as_secs() < 5,
                "helper {helper} on {value_size}: {taken:?}"
            );
        }
    }
}

/// Thousands of maps make an access slower: that counts too.
#[test]
fn accesses_to_values_of_many_maps_are_bounded() {
    let map = MapSpec {
        map_type: 1,
        key_size: 4,
        value_size: 8,
        max_entries: 1,
        ..MapSpec::default()
    };
    let array = MapSpec {
        map_type: 2,
        ..map.clone()
    };
    let maps = live(&[vec![map; 1_022], vec![array; 2]].concat());
    for map in &maps {
        map.update(&[0; 4], &[1; 8], 0).expect("room");
    }
    let value = |dst, map| {
        [
            Insn::new(LDDW, dst, crate::isa::LDDW_MAP_VALUE, 0, map),
            Insn::default(),
        ]
    };
    let load = |src| Insn::new(class::LDX | mem::MEM | mem::DW, 0, src, 0, 0);
    let code = [
        value(1, 1_022).to_vec(),
        value(2, 1_023).to_vec(),
        vec![
            load(1),
            load(2),
            Insn::new(class::JMP | crate::isa::jump::JA, 0, 0, -3, 0),
        ],
    ];
    let program = ready(&assembled(&code.concat(), &[]), maps, Options::default());
    let start = std::time::Instant::now();
    let test = program
        .test_run(&context(0, 0), b"", 0, 1)
        .expect("valid input");
    assert_eq!(ResultCode::Timeout as u8, test.code);
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
}
