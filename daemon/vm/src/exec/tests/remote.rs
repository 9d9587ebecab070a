use std::sync::{Arc, Mutex};

use super::{EXIT, call, live_map, map, mov, put, stack};
use crate::error::ResultCode;
use crate::exec::{Failure, Options, Program, Remote, Reply, TestRun, Value};
use crate::fixtures::{assembled, context, executors, live, object, program, ready, sample};
use crate::maps::map_type;

/// Helper, arguments, context.
type Question = (u32, Vec<Value>, Vec<u8>);

/// What an extension was asked, and how it answers.
struct Extension {
    asked: Mutex<Vec<Question>>,
    answer: Result<Reply, Failure>,
}

impl Remote for Extension {
    fn call(&self, helper: u32, arguments: Vec<Value>, context: Vec<u8>) -> Result<Reply, Failure> {
        self.asked
            .lock()
            .expect("no panic")
            .push((helper, arguments, context));
        self.answer.clone()
    }
}

/// Run once with each executor; what they did must be the same.
fn ask(answer: Result<Reply, Failure>) -> (TestRun, Arc<Extension>) {
    let [interpreted, compiled] = executors().map(|options| ask_by(options, answer.clone()));
    assert_eq!(interpreted.0.code, compiled.0.code);
    assert_eq!(interpreted.0.result, compiled.0.result);
    let questions = |extension: &Extension| extension.asked.lock().expect("no panic").clone();
    assert_eq!(questions(&interpreted.1), questions(&compiled.1));
    compiled
}

fn ask_by(options: Options, answer: Result<Reply, Failure>) -> (TestRun, Arc<Extension>) {
    let object = object("helpers");
    let extension = Arc::new(Extension {
        asked: Mutex::default(),
        answer,
    });
    let options = Options {
        remote: Some(Arc::clone(&extension) as Arc<dyn Remote>),
        ..options
    };
    let program = ready(program(&object, "extension"), live(&object.maps), options);
    assert!(program.blocking());
    let test = program
        .test_run(&context(7, 0), b"abcdefgh", 0, 1)
        .expect("valid input");
    (test, extension)
}

/// Arguments go out by prototype, with the context's pointers hidden.
#[test]
fn extension_helpers_get_their_arguments_by_prototype() {
    let (test, extension) = ask(Ok(Reply {
        result: 1,
        written: vec![],
    }));
    assert_eq!((0, 3), (test.code, test.result));
    let asked = extension.asked.lock().expect("no panic");
    let (helper, arguments, sent) = &asked[0];
    let expected = vec![
        Value::Bytes(b"abcdefgh".to_vec()),
        Value::Number(8),
        Value::Bytes(b"bcd".to_vec()),
        Value::Number(3),
    ];
    assert_eq!((0x10001, &expected), (*helper, arguments));
    assert_eq!(&context(7, 0), sent);
    let (_, arguments, _) = asked.iter().find(|(id, ..)| *id == 0x10006).expect("asked");
    assert_eq!(Value::Bytes(5_u32.to_le_bytes().to_vec()), arguments[1]);
    assert!(matches!(arguments[0], Value::Map(_)));
    let (_, arguments, _) = asked.iter().find(|(id, ..)| *id == 0x10000).expect("asked");
    assert_eq!(vec![Value::Nothing], *arguments);
}

/// A failure of the extension ends the invocation with its code.
#[test]
fn failures_of_extensions_end_the_invocation() {
    let (test, _) = ask(Err(Failure {
        code: 20,
        message: "no".into(),
    }));
    assert_eq!(20, test.code);
}

/// What an extension writes is bounded by the program's own sizes.
#[test]
fn extensions_write_within_bounds_only() {
    for written in [
        vec![(0, vec![1; 3])],
        vec![(9, vec![])],
        vec![(2, vec![0; 1])],
    ] {
        let (test, _) = ask(Ok(Reply { result: 0, written }));
        assert_eq!(
            ResultCode::Failed as u8,
            test.code,
            "find has nothing to write to"
        );
    }
}

/// What an extension writes to a NULL pointer is its mistake, not the program's.
#[test]
fn writing_to_null_is_a_failure_of_the_extension() {
    let mut information = sample();
    information.helpers[0].arguments = vec![15, 3];
    let extension = Extension {
        asked: Mutex::default(),
        answer: Ok(Reply {
            result: 0,
            written: vec![(0, vec![1; 4])],
        }),
    };
    let options = Options {
        remote: Some(Arc::new(extension)),
        ..Options::default()
    };
    let spec = assembled(&[mov(1, 0), mov(2, 8), call(0x10000), EXIT], &[]);
    let program = Program::new(&spec, vec![], &information, options).expect("a valid program");
    let test = program
        .test_run(&context(0, 0), b"", 0, 1)
        .expect("valid input");
    assert_eq!(ResultCode::Failed as u8, test.code);
}

/// A panic inside of a helper reaches the caller, over frames of compiled code too.
#[test]
fn panics_of_helpers_reach_the_caller() {
    struct Broken;
    impl Remote for Broken {
        fn call(&self, _: u32, _: Vec<Value>, _: Vec<u8>) -> Result<Reply, Failure> {
            panic!("a bug of the extension's host");
        }
    }
    let object = object("helpers");
    for options in executors() {
        let options = Options {
            remote: Some(Arc::new(Broken)),
            ..options
        };
        let program = ready(program(&object, "extension"), live(&object.maps), options);
        let run = || program.test_run(&context(7, 0), b"abcdefgh", 0, 1);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    }
}

/// Elements of a provided map are written by whoever carries calls, those of others at once.
#[test]
fn whoever_provides_a_map_writes_its_elements() {
    let (key, value) = (5_u32.to_le_bytes(), 7_u64.to_le_bytes());
    let asked_of_update = [
        Value::Map(1),
        Value::Bytes(key.to_vec()),
        Value::Bytes(value.to_vec()),
        Value::Number(0),
    ];
    for (helper, place) in [(2, 0), (3, 0), (4, 0), (2, 1), (3, 1), (4, 1)] {
        let mut code = vec![put(-8, 5), put(-16, 7)];
        code.extend(map(1, place));
        code.extend([stack(2, -8), stack(3, -16)].concat());
        code.extend([mov(4, 0), call(helper), EXIT]);
        for options in executors() {
            let extension = Arc::new(Extension {
                asked: Mutex::default(),
                answer: Ok(Reply {
                    result: ResultCode::AccessDenied.negated(),
                    written: vec![],
                }),
            });
            let maps = [(); 2].map(|()| live_map(map_type::HASH, 4));
            let (other, provided) = (&maps[0], &maps[1]);
            if helper > 2 {
                other.update(&key, &value, 0).expect("room");
            }
            let options = Options {
                remote: Some(Arc::clone(&extension) as Arc<dyn Remote>),
                provided: vec![1],
                ..options
            };
            let program = ready(&assembled(&code, &[]), maps.to_vec(), options);
            assert!(program.blocking());
            let test = program.test_run(&context(0, 0), b"", 0, 1);
            let test = test.expect("valid input");
            let asked = extension.asked.lock().expect("no panic").clone();
            if place == 0 {
                assert_eq!((0, vec![]), (test.code, asked));
                assert_eq!(helper == 2, other.lookup(&key).is_ok());
            } else if helper == 4 {
                let refused = ResultCode::OperationNotSupported as u8;
                assert_eq!((refused, vec![]), (test.code, asked));
            } else {
                let negated = ResultCode::AccessDenied.negated() as u32;
                assert_eq!((0, negated), (test.code, test.result));
                let arguments = &asked_of_update[..if helper == 2 { 4 } else { 2 }];
                assert_eq!((helper as u32, arguments), (asked[0].0, &asked[0].1[..]));
                assert!(provided.lookup(&key).is_err(), "the answer is no");
            }
        }
    }
}
