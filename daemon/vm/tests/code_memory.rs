//! Machine code in memory: in a process of its own, because all of it is looked at.

use std::sync::Arc;

use _native::contract::{ContextDescriptor, ProgramInformation};
use _native::exec::{Execution, Options, Program, Verified};
use _native::isa::Insn;
use _native::spec::ProgramSpec;

/// Programs at once; the kernel allows 65,530 mappings.
const LIVE: usize = 2_000;
/// Programs one after the other.
const CYCLES: usize = 3_000;

fn program() -> Program {
    let spec = ProgramSpec {
        name: "seven".into(),
        section: "sample_ext".into(),
        instructions: vec![Insn::new(0xb7, 0, 0, 0, 7), Insn::new(0x95, 0, 0, 0, 0)],
        subprograms: Vec::new(),
        ..ProgramSpec::default()
    };
    let information = ProgramInformation::new("sample", ContextDescriptor::plain(16), &[]);
    let options = Options {
        verified: Verified::Assumed,
        execution: Execution::Jit,
        ..Options::default()
    };
    Program::new(&spec, Vec::new(), &information, options).expect("it can be compiled")
}

fn runs(program: &Program) {
    let test = program.test_run(&[0; 16], &[], 0, 1).expect("valid input");
    assert_eq!((0, 7), (test.code, test.result));
}

fn mappings() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux");
    maps.lines().count()
}

fn writable_and_executable() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux");
    maps.lines().filter(|line| line.contains("rwx")).count()
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = status
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok());
    pages.map_or(0, |pages: usize| pages * 4_096)
}

/// Many programs share few mappings, none is ever writable and executable, and what is
/// dropped, in any order, is given back.
#[test]
fn code_comes_and_goes() {
    let before = mappings();
    let mut programs: Vec<Option<Arc<Program>>> = Vec::new();
    programs.resize_with(LIVE, || Some(Arc::new(program())));
    assert!(
        mappings() < before + 50,
        "{} mappings of {before}",
        mappings()
    );
    assert_eq!(0, writable_and_executable());
    programs.iter().flatten().for_each(|program| runs(program));
    for program in programs.iter_mut().step_by(2) {
        *program = None;
    }
    programs.iter().flatten().for_each(|program| runs(program));
    programs
        .iter_mut()
        .for_each(|slot| *slot = slot.take().or_else(|| Some(Arc::new(program()))));
    programs.iter().flatten().for_each(|program| runs(program));
    drop(programs);
    assert!(
        mappings() < before + 50,
        "{} mappings of {before}",
        mappings()
    );

    let before = resident();
    for _ in 0..CYCLES {
        runs(&program());
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 4 << 20, "{grown} bytes more are resident");
}
