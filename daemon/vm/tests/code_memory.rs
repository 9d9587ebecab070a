//! Machine code in memory: in a process of its own, because all of it is looked at.
//!
//! Sound because: a child that is forked here only drops programs, and ends without unwinding.

use std::os::unix::fs::MetadataExt;
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

/// How the file that holds the code is mapped, once for each mapping.
fn access_to_code() -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux");
    let code = maps.lines().filter(|line| line.contains("ebpfd code"));
    let access = code.filter_map(|line| line.split_whitespace().nth(1));
    access.map(str::to_owned).collect()
}

/// Memory behind all code together.
fn code_bytes() -> u64 {
    let files = std::fs::read_dir("/proc/self/fd").expect("Linux");
    let code = files.flatten().find(|file| {
        let target = std::fs::read_link(file.path()).unwrap_or_default();
        target.to_string_lossy().contains("ebpfd code")
    });
    let code = code.expect("a program was compiled").path();
    std::fs::metadata(code).expect("an open file").blocks() * 512
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = status
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok());
    pages.map_or(0, |pages: usize| pages * 4_096)
}

/// What a forked child drops stays where it is: its parent still runs it.
fn a_child_returns_nothing() {
    let mut programs: Vec<Program> = (0..100).map(|_| program()).collect();
    // SAFETY: no other thread of this process holds a lock that the child needs.
    let child = unsafe { libc::fork() };
    if child == 0 {
        programs.clear();
        drop(program());
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: a child of this process, and a place for its status.
    assert_eq!(child, unsafe { libc::waitpid(child, &raw mut status, 0) });
    assert_eq!(0, status);
    programs.iter().for_each(runs);
}

/// Many programs share few mappings, none is ever writable and executable, none of code is
/// writable, and what is dropped, in any order, is given back.
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
    assert_eq!(["r-xs"], access_to_code()[..]);
    let all = code_bytes();
    assert!(
        all < LIVE as u64 * 256,
        "{all} bytes: small ones share pages"
    );
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
    assert!(code_bytes() <= 4_096, "{} bytes are left", code_bytes());
    assert!(
        mappings() < before + 50,
        "{} mappings of {before}",
        mappings()
    );

    a_child_returns_nothing();

    let before = resident();
    for _ in 0..CYCLES {
        runs(&program());
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 4 << 20, "{grown} bytes more are resident");
}
