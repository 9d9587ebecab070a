//! Helper 5: an invocation that goes on with another program.

use std::sync::Arc;

use super::*;
use crate::contract::ProgramInformation;
use crate::error::ResultCode;
use crate::exec::Program;
use crate::fixtures::{executors, sample};
use crate::isa::atomic;
use crate::maps::map_type as t;

/// Program ids as users see them.
const ID: u32 = 9;

/// A PROG_ARRAY and an ARRAY with one counter.
fn maps() -> Vec<Arc<Map>> {
    vec![live_map(t::PROG_ARRAY, 4), live_map(t::ARRAY, 1)]
}

/// Count an execution, keep the context in r6.
fn count() -> Vec<Insn> {
    let add = Insn::new(class::STX | mem::ATOMIC | mem::DW, 0, 1, 0, atomic::ADD);
    [
        vec![copy(6, 1), put(-8, 0)],
        map(1, 1).to_vec(),
        stack(2, -8).to_vec(),
        vec![
            call(1),
            Insn::new(class::JMP | jump::JEQ, 0, 0, 2, 0),
            mov(1, 1),
            add,
        ],
    ]
    .concat()
}

/// `bpf_tail_call(r6, map 0, index)`.
fn tail_call(index: i32) -> Vec<Insn> {
    [
        vec![copy(1, 6)],
        map(2, 0).to_vec(),
        vec![mov(3, index), call(5)],
    ]
    .concat()
}

fn program(code: &[Insn], maps: &[Arc<Map>], options: &Options) -> Arc<Program> {
    Arc::new(ready(&assembled(code, &[]), maps.to_vec(), options.clone()))
}

fn set(maps: &[Arc<Map>], index: u32, program: &Arc<Program>) {
    let done = maps[0].set_program(&index.to_le_bytes(), Arc::clone(program), ID, 0);
    done.expect("the same type");
}

fn run(program: &Program) -> (u8, i32) {
    let test = program
        .test_run(&context(0, 0), b"", 0, 1)
        .expect("valid input");
    (test.code, test.result.cast_signed())
}

fn counted(maps: &[Arc<Map>]) -> u64 {
    let bytes = maps[1].lookup(&[0; 4]).expect("exists");
    u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}

/// A program that calls itself runs 34 times, and the last one goes on with -27.
#[test]
fn a_looping_chain_ends_after_33_calls() {
    for options in executors() {
        let maps = maps();
        let code = [count(), tail_call(0), vec![EXIT]].concat();
        let looping = program(&code, &maps, &options);
        set(&maps, 0, &looping);
        assert_eq!((0, -27), run(&looping));
        assert_eq!(34, counted(&maps));
        assert_eq!(34, looping.counters().runs);
        maps[0].clear_objects();
    }
}

/// After a call that was refused the program goes on, and its own r0 counts.
#[test]
fn refused_calls_return_to_the_program() {
    for options in executors() {
        let maps = maps();
        for index in [0, 3, 4, -1, i32::MAX] {
            let code = [vec![copy(6, 1)], tail_call(index), vec![EXIT]].concat();
            assert_eq!((0, -6), run(&program(&code, &maps, &options)), "{index}");
        }
        let code = [vec![copy(6, 1)], tail_call(0), vec![mov(0, 5), EXIT]].concat();
        assert_eq!((0, 5), run(&program(&code, &maps, &options)));
    }
}

/// The last program's r0 is the result; whoever called it never resumes.
#[test]
fn the_last_program_decides() {
    for options in executors() {
        let maps = maps();
        let goes_on = |index| [count(), tail_call(index), vec![mov(0, 1), EXIT]].concat();
        let last = program(&[count(), vec![mov(0, 42), EXIT]].concat(), &maps, &options);
        let second = program(&goes_on(2), &maps, &options);
        let first = program(&goes_on(1), &maps, &options);
        set(&maps, 1, &second);
        set(&maps, 2, &last);
        assert_eq!((0, 42), run(&first));
        assert_eq!(3, counted(&maps));
        maps[0].clear_objects();
        assert_eq!((0, 1), run(&first), "a cleared entry is none");
    }
}

/// A tail call in a sub-program ends the whole invocation, not just the sub-program.
#[test]
fn a_sub_program_takes_its_caller_along() {
    for options in executors() {
        let maps = maps();
        let last = program(&[mov(0, 7), EXIT], &maps, &options);
        set(&maps, 0, &last);
        let local = Insn::new(crate::isa::CALL, 0, 1, 0, 2);
        let sub = [vec![copy(6, 1)], tail_call(0), vec![mov(0, 2), EXIT]].concat();
        let code = [vec![local, mov(0, 1), EXIT], sub].concat();
        let spec = assembled(&code, &[3]);
        let caller = ready(&spec, maps.clone(), options);
        assert_eq!((0, 7), run(&caller));
        maps[0].clear_objects();
        assert_eq!((0, 1), run(&caller));
    }
}

/// Each program of a chain has a budget of its own, for helpers' work too.
#[test]
fn every_program_has_its_own_budget() {
    for options in executors() {
        let options = Options {
            budget: Some(150),
            ..options
        };
        let maps = maps();
        // 512 bytes to set are 8 instructions' worth.
        let fill = [
            stack(1, -512).to_vec(),
            vec![mov(2, 512), mov(3, 1), call(24)],
        ];
        let work = vec![fill.concat(); 8].concat();
        let code = [vec![copy(6, 1)], work, tail_call(0), vec![EXIT]].concat();
        let looping = program(&code, &maps, &options);
        set(&maps, 0, &looping);
        assert_eq!((0, -27), run(&looping));
        let endless = [
            mov(0, 0),
            Insn::new(class::JMP | jump::JA, 0, 0, -1, 0),
            EXIT,
        ];
        set(&maps, 0, &program(&endless, &maps, &options));
        assert_eq!((ResultCode::Timeout as u8, 0), run(&looping));
        maps[0].clear_objects();
    }
}

/// The first program, used or put in, fixes the type; any other one is INVALID_FD.
#[test]
fn one_type_of_programs() {
    let other = |change: fn(&mut ProgramInformation)| {
        let mut information = sample();
        change(&mut information);
        information
    };
    let others = [
        other(|information| information.name = "other".into()),
        other(|information| information.program_type = vec![9; 16]),
    ];
    let spec = assembled(&[mov(0, 0), EXIT], &[]);
    let using = assembled(&[vec![copy(6, 1)], tail_call(0), vec![EXIT]].concat(), &[]);
    let maps = maps();
    let options = Options::default();
    set(&maps, 0, &program(&[mov(0, 0), EXIT], &maps, &options));
    for information in others {
        let strange = Program::new(&spec, Vec::new(), &information, options.clone());
        let strange = Arc::new(strange.expect("valid"));
        let put_in = maps[0].set_program(&[0; 4], strange, ID, 0);
        assert_eq!(
            ResultCode::InvalidFd,
            put_in.expect_err("another type").code
        );
        let used = Program::new(&using, maps.clone(), &information, options.clone());
        assert_eq!(
            ResultCode::InvalidFd,
            used.err().expect("another type").code
        );
    }
    maps[0].clear_objects();
}

/// An array holds programs of a type at two times, for a while; runs meet those alone that were
/// verified for their contexts.
#[test]
fn runs_go_on_with_programs_for_their_contexts() {
    let changes: [fn(&mut ProgramInformation); 3] = [
        |information| information.context.size = 64,
        |information| (information.context.data, information.context.end) = (8, 16),
        |information| information.writable.clear(),
    ];
    for options in executors() {
        let maps = maps();
        let first = program(
            &[vec![copy(6, 1)], tail_call(0), vec![mov(0, 5), EXIT]].concat(),
            &maps,
            &options,
        );
        let spec = assembled(&[mov(0, 7), EXIT], &[]);
        set(&maps, 0, &program(&[mov(0, 6), EXIT], &maps, &options));
        assert_eq!((0, 6), run(&first));
        for change in changes {
            let mut information = sample();
            change(&mut information);
            let later = Program::new(&spec, Vec::new(), &information, options.clone());
            set(&maps, 0, &Arc::new(later.expect("valid")));
            assert_eq!((0, 5), run(&first));
        }
        maps[0].clear_objects();
    }
}

/// Nothing goes on with a program that lacks what it needs.
#[test]
fn runs_end_where_a_program_waits() {
    for options in executors() {
        let maps = maps();
        let first = [vec![copy(6, 1)], tail_call(0), vec![mov(0, 5), EXIT]].concat();
        let first = program(&first, &maps, &options);
        let last = program(&[mov(0, 6), EXIT], &maps, &options);
        set(&maps, 0, &last);
        last.set_waits(true);
        assert_eq!((ResultCode::ExtensionFailedToLoad as u8, 0), run(&first));
        assert_eq!(0, last.counters().runs);
        last.set_waits(false);
        assert_eq!((0, 6), run(&first));
        maps[0].clear_objects();
    }
}

/// Users see ids, programs see nothing, and a deleted entry is empty.
#[test]
fn users_see_ids_of_programs() {
    let maps = maps();
    let array = &maps[0];
    let last = program(&[mov(0, 7), EXIT], &maps, &Options::default());
    set(&maps, 2, &last);
    let code = |result: crate::error::Result<()>| result.expect_err("refused").code;
    assert_eq!(Ok(ID.to_le_bytes().to_vec()), array.lookup(&[2, 0, 0, 0]));
    let missing = array.lookup(&[1, 0, 0, 0]).map(drop);
    assert_eq!(ResultCode::ObjectNotFound, code(missing));
    let look = [
        vec![put(-8, 2)],
        super::map(1, 0).to_vec(),
        stack(2, -8).to_vec(),
        vec![call(1), EXIT],
    ];
    let looking = program(&look.concat(), &maps, &Options::default());
    assert_eq!((0, 0), run(&looking));
    let bytes = array.update(&[0; 4], &[1, 0, 0, 0], 0);
    assert_eq!(ResultCode::InvalidArgument, code(bytes));
    let outside = array.set_program(&[4, 0, 0, 0], Arc::clone(&last), ID, 0);
    assert_eq!(ResultCode::InvalidArgument, code(outside));
    assert_eq!(
        ResultCode::InvalidArgument,
        code(array.delete(&[4, 0, 0, 0]))
    );
    assert_eq!(Ok(()), array.delete(&[2, 0, 0, 0]));
    assert_eq!(
        ResultCode::ObjectNotFound,
        code(array.lookup(&[2, 0, 0, 0]).map(drop))
    );
}
