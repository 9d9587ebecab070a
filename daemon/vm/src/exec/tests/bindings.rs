//! Helpers and functions of a contract: who answers, and who waits.

use std::sync::Arc;

use crate::contract::ProgramInformation;
use crate::error::{EngineError, ResultCode};
use crate::exec::{Binding, Failure, Fault, Options, Program, Remote, Reply, Services, Value};
use crate::fixtures::{assembled, context, executors, object, program, sample, with_functions};
use crate::functions::FIRST_FUNCTION;
use crate::isa::{CALL, CALL_BTF, EXIT, Insn};
use crate::spec::ProgramSpec;

/// Answers for `imports.c`: looks up ten times the key, and adds.
struct Module;

impl Remote for Module {
    fn call(&self, helper: u32, arguments: Vec<Value>, _: Vec<u8>) -> Result<Reply, Failure> {
        let number = |at: usize| match arguments[at] {
            Value::Number(number) => number,
            _ => 0,
        };
        Ok(match helper - FIRST_FUNCTION {
            0 => Reply {
                result: 0,
                written: vec![(1, (number(0) * 10).to_le_bytes().to_vec())],
            },
            _ => Reply {
                result: number(0) + number(1),
                written: vec![],
            },
        })
    }
}

fn add(_: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    Ok(args[0] + args[1])
}

/// Load for one executor; the first is the interpreter, the second the compiler.
fn load(
    executor: usize,
    spec: &ProgramSpec,
    information: &ProgramInformation,
    remote: bool,
    local: &[(u32, Binding)],
) -> Result<Program, EngineError> {
    let options = Options {
        remote: remote.then(|| Arc::new(Module) as Arc<dyn Remote>),
        local: local.iter().cloned().collect(),
        ..executors()[executor].clone()
    };
    Program::new(spec, Vec::new(), information, options)
}

fn refusal(loaded: Result<Program, EngineError>) -> EngineError {
    match loaded {
        Ok(_) => panic!("it was loaded"),
        Err(error) => error,
    }
}

/// 7 is looked up as 70: 71 + 72 + 140, whoever answers; only an extension is waited for.
#[test]
fn imports_run_however_they_are_bound() {
    let object = object("imports");
    let spec = program(&object, "imports");
    let information = with_functions();
    let local = |place| (FIRST_FUNCTION + place, Binding::Local(Arc::new(Module)));
    let native = |place| (FIRST_FUNCTION + place, Binding::Native(add));
    let cases = [
        (true, vec![], true),
        (true, vec![native(1), local(2)], true),
        (false, vec![local(0), local(1), local(2)], false),
        (false, vec![local(0), native(1), native(2)], false),
        (true, vec![local(0), native(1), native(2)], false),
    ];
    for (remote, bindings, blocking) in cases {
        for executor in 0..2 {
            let program = load(executor, spec, &information, remote, &bindings);
            let program = program.expect("a valid program");
            assert_eq!(blocking, program.blocking());
            let test = program.test_run(&context(7, 0), b"", 0, 1);
            let test = test.expect("valid input");
            assert_eq!((0, 71 + 72 + 140), (test.code, test.result));
        }
    }
}

/// What nobody answers is refused when the program is loaded, by name.
#[test]
fn everything_has_an_answer_at_load() {
    let object = object("imports");
    let spec = program(&object, "imports");
    let lookup = (FIRST_FUNCTION, Binding::Local(Arc::new(Module)));
    let error = refusal(load(0, spec, &with_functions(), false, &[lookup]));
    assert_eq!(ResultCode::InvalidArgument, error.code);
    assert!(
        error.message.contains("calls first_add"),
        "{}",
        error.message
    );
    let error = refusal(load(0, spec, &sample(), true, &[]));
    assert_eq!(ResultCode::VerificationFailed, error.code);
    assert!(error.message.starts_with("function first_lookup of module"));
}

/// A binding for what the contract does not have is a mistake.
#[test]
fn bindings_name_what_the_contract_has() {
    let spec = assembled(&[Insn::new(EXIT, 0, 0, 0, 0)], &[]);
    let error = refusal(load(
        0,
        &spec,
        &sample(),
        true,
        &[(6, Binding::Native(add))],
    ));
    let expected = "local[6]: program type \"sample\" has no such helper or function";
    assert_eq!(expected, error.message);
}

/// An import that the program does not have is refused, however it came about.
#[test]
fn imports_are_those_of_the_program() {
    for place in [0, 1, -1] {
        let call = Insn::new(CALL, 0, CALL_BTF, 0, place);
        let spec = assembled(&[call, Insn::new(EXIT, 0, 0, 0, 0)], &[]);
        let error = refusal(load(0, &spec, &with_functions(), true, &[]));
        assert!(
            error.message.contains("does not exist"),
            "{}",
            error.message
        );
    }
}

/// "a provider's global prototypes override the core implementation", and give what has none.
#[test]
fn contracts_override_general_helpers() {
    let mut information = sample();
    for (helper, id) in information.helpers.iter_mut().zip([26, 6, 1]) {
        helper.id = id;
        helper.arguments = vec![1, 1];
    }
    for id in [26, 6, 1] {
        let code = [
            super::mov(1, 40),
            super::mov(2, 2),
            Insn::new(CALL, 0, 0, 0, id),
            Insn::new(EXIT, 0, 0, 0, 0),
        ];
        let spec = assembled(&code, &[]);
        let bindings = [(id as u32, Binding::Native(add))];
        for executor in 0..2 {
            let program = load(executor, &spec, &information, false, &bindings);
            let program = program.expect("a valid program");
            let test = program.test_run(&context(0, 0), b"", 0, 1);
            assert_eq!(42, test.expect("valid input").result, "{id}");
        }
    }
    let call = [Insn::new(CALL, 0, 0, 0, 26), Insn::new(EXIT, 0, 0, 0, 0)];
    let error = refusal(load(0, &assembled(&call, &[]), &sample(), true, &[]));
    assert!(
        error
            .message
            .contains("bpf_get_socket_cookie (26) has no default")
    );
}
