use std::collections::BTreeSet;
use std::sync::Arc;

use super::generator::{ARRAY, Generator, HASH, PACKET, VALUE};
use crate::exec::{Execution, Options, Program, TestRun};
use crate::fixtures::{assembled, context, executors, live, sample};
use crate::isa::{CALL, Insn, SOURCE_REGISTER, alu, atomic, class, jump, mem};
use crate::maps::{Map, TYPE_ARRAY, TYPE_HASH};
use crate::spec::MapSpec;

const PROGRAMS: u64 = 4_000;

fn maps() -> Vec<Arc<Map>> {
    let spec = |map_type, max_entries| MapSpec {
        name: "values".into(),
        map_type,
        key_size: 4,
        value_size: VALUE as u32,
        max_entries,
        ..MapSpec::default()
    };
    let mut specs = vec![MapSpec::default(); 2];
    specs[ARRAY as usize] = spec(TYPE_ARRAY, 4);
    specs[HASH as usize] = spec(TYPE_HASH, 64);
    live(&specs)
}

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// Everything that a run can be seen by.
fn outcome(code: &[Insn], start: usize, options: Options) -> (TestRun, Vec<Entries>) {
    let maps = maps();
    let spec = assembled(code, &[start]);
    let program = Program::new(&spec, maps.clone(), &sample(), options).expect("a valid program");
    let packet: Vec<u8> = (0..PACKET).map(|byte| (byte * 37) as u8).collect();
    let test = program
        .test_run(&context(0x8765_4321, 9), &packet, 0, 2)
        .expect("valid input");
    let entries = maps.iter().map(|map| {
        let mut entries = map.entries(None, 100).expect("no key");
        entries.sort();
        entries
    });
    let test = TestRun {
        elapsed_ns: 0,
        ..test
    };
    (test, entries.collect())
}

/// Both executors leave the same behind, whatever the program.
#[test]
fn compiled_programs_do_what_interpreted_ones_do() {
    let mut seen = BTreeSet::new();
    for seed in 1..=PROGRAMS {
        let (code, start) = Generator::new(seed).program();
        let [interpreter, jit] = executors();
        let expected = outcome(&code, start, interpreter);
        assert_eq!(0, expected.0.code, "program {seed} is valid");
        assert_eq!(expected, outcome(&code, start, jit), "program {seed}");
        seen.extend(code.iter().map(|insn| kind(*insn)));
    }
    let missing: Vec<_> = all_kinds().difference(&seen).copied().collect();
    assert!(missing.is_empty(), "never generated: {missing:x?}");
}

/// Budgets do not change results, and a program that the interpreter finishes within one is
/// finished by compiled code.
#[test]
fn budgets_never_end_what_the_interpreter_finishes() {
    for seed in 1..=300 {
        let (code, start) = Generator::new(seed).program();
        for budget in [50, 200, 1_000] {
            let with = |execution| Options {
                budget: Some(budget),
                verified: true,
                execution,
                ..Options::default()
            };
            let expected = outcome(&code, start, with(Execution::Interpreter));
            if expected.0.code == 0 {
                assert_eq!(
                    expected,
                    outcome(&code, start, with(Execution::Jit)),
                    "{seed}"
                );
            }
        }
    }
}

/// What distinguishes two instructions: opcode, and what refines it.
type Kind = (u8, i32);

fn kind(insn: Insn) -> Kind {
    let refinement = match insn.class() {
        class::ALU | class::ALU64 if insn.operation() == alu::END => insn.imm,
        class::ALU | class::ALU64 => insn.offset.into(),
        class::STX if insn.mode() == mem::ATOMIC => insn.imm,
        class::JMP if insn.opcode == CALL => insn.src.into(),
        class::LD if insn.is_lddw() => insn.src.into(),
        _ => 0,
    };
    (insn.opcode, refinement)
}

/// Every instruction that `isa::validate` accepts, found by asking it.
fn all_kinds() -> BTreeSet<Kind> {
    let exit = Insn::new(crate::isa::EXIT, 0, 0, 0, 0);
    let mut kinds = BTreeSet::new();
    let interesting = [0, 1, 8, 16, 32, 64].into_iter();
    let atomics = (0..0x100).filter(|operation| operation & !atomic::FETCH != 0);
    let refinements: Vec<i32> = interesting.chain(atomics).collect();
    for opcode in 1..=u8::MAX {
        for refinement in refinements.iter().copied() {
            for insn in [
                Insn::new(opcode, 0, 0, refinement as i16, 0),
                Insn::new(opcode, 0, 0, 0, refinement),
            ] {
                let valid = crate::isa::validate(&[insn, exit, exit], &[0]).is_ok();
                let plain = insn.distance().is_none() || insn.distance() == Some(0);
                if valid && plain {
                    kinds.insert(kind(insn));
                }
            }
        }
    }
    kinds.insert((CALL, 0));
    kinds.insert((CALL, 1));
    assert!(kinds.contains(&(class::ALU64 | alu::DIV | SOURCE_REGISTER, 1)));
    assert!(kinds.contains(&(class::JMP32 | jump::JA, 0)));
    kinds
}
