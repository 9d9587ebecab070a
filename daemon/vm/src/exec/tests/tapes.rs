use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::ResultCode;
use crate::exec::{Failure, Input, Options, Origin, Program, Remote, Reply, Tapes, Value};
use crate::fixtures::{assembled, context, executors, live, object, program, ready};
use crate::isa::{CALL, EXIT, Insn, SOURCE_REGISTER, alu, class};
use crate::maps::lanes;

const MOV: u8 = class::ALU64 | alu::MOV | SOURCE_REGISTER;

/// The sum of what helpers without arguments say.
fn asks(helpers: &[i32]) -> Vec<Insn> {
    let mut code = vec![
        Insn::new(MOV, 7, 1, 0, 0),
        Insn::new(class::ALU64 | alu::MOV, 6, 0, 0, 0),
    ];
    for helper in helpers {
        code.push(Insn::new(MOV, 1, 7, 0, 0));
        code.push(Insn::new(CALL, 0, 0, 0, *helper));
        code.push(Insn::new(
            class::ALU64 | alu::ADD | SOURCE_REGISTER,
            6,
            0,
            0,
            0,
        ));
    }
    code.push(Insn::new(MOV, 0, 6, 0, 0));
    code.push(Insn::new(EXIT, 0, 0, 0, 0));
    code
}

fn asking(helpers: &[i32], options: &Options) -> Program {
    ready(&assembled(&asks(helpers), &[]), Vec::new(), options.clone())
}

const WORLD: [i32; 11] = [6, 7, 8, 9, 19, 20, 21, 30, 31, 33, 34];

fn three(contexts: &[u8]) -> Input<'_> {
    Input {
        contexts,
        count: 3,
        ..Input::default()
    }
}

fn contexts() -> Vec<u8> {
    [context(1, 0), context(2, 0), context(3, 0)].concat()
}

/// What clocks, chance, lanes and origins said once they say again, to either executor.
#[test]
fn a_replay_of_the_same_program_is_the_same() {
    let contexts = contexts();
    for recording in executors() {
        let (recorded, tapes) = asking(&WORLD, &recording)
            .record_batch(three(&contexts))
            .expect("valid input");
        assert_eq!(vec![0; 3], recorded.codes);
        for replaying in executors() {
            let (replayed, unknown) = asking(&WORLD, &replaying)
                .replay_batch(three(&contexts), &tapes)
                .expect("valid input");
            assert_eq!(recorded.codes, replayed.codes);
            assert_eq!(recorded.results, replayed.results);
            assert_eq!(vec![0; 3], unknown);
        }
    }
}

/// Each answer is of its own question: in another order they are the same.
#[test]
fn answers_belong_to_helpers() {
    let contexts = contexts();
    let [_, options] = executors();
    let record = asking(&[6, 6, 9, 19], &options);
    let (recorded, tapes) = record.record_batch(three(&contexts)).expect("valid input");
    let replay = asking(&[19, 6, 9, 6], &options);
    let (replayed, unknown) = replay
        .replay_batch(three(&contexts), &tapes)
        .expect("valid");
    assert_eq!((recorded.results, vec![0; 3]), (replayed.results, unknown));
}

/// What the recorded program did not ask is made of what is known of its run, the same each time.
#[test]
fn new_questions_have_the_same_answers_each_time() {
    let contexts = contexts();
    let [_, options] = executors();
    let origin = Some(Origin {
        pid: 3,
        tid: 4,
        uid: None,
    });
    let named = Input {
        origin,
        ..three(&contexts)
    };
    let (_, tapes) = asking(&[], &options)
        .record_batch(named)
        .expect("valid input");
    let ask = |helpers: &[i32]| {
        let replay = asking(helpers, &options).replay_batch(three(&contexts), &tapes);
        let (batch, unknown) = replay.expect("valid input");
        assert_eq!(vec![0; 3], batch.codes);
        (batch.results, unknown)
    };
    let (first, unknown) = ask(&[6, 7, 8, 9, 30, 31]);
    assert_eq!(
        (first.clone(), vec![0; 3]),
        (ask(&[6, 7, 8, 9, 30, 31]).0, unknown)
    );
    assert_eq!(4_u32.to_le_bytes().repeat(3), ask(&[19]).0);
    let numbers = |helpers: &[i32]| ask(helpers).0;
    assert_ne!(numbers(&[6])[..4], numbers(&[6])[4..8]);
    // Two random numbers of one run differ, times do not go on.
    assert_ne!(numbers(&[6, 6]), double(&numbers(&[6])));
    assert_eq!(numbers(&[9, 9]), double(&numbers(&[9])));
    for helper in [20, 21, 33, 34] {
        assert_eq!(vec![1; 3], ask(&[helper]).1);
    }
}

fn double(results: &[u8]) -> Vec<u8> {
    let (numbers, _) = results.as_chunks();
    let double = |number: &[u8; 4]| u32::from_le_bytes(*number).wrapping_mul(2).to_le_bytes();
    numbers.iter().flat_map(double).collect()
}

/// A time that is asked once more is the latest that was told.
#[test]
fn time_never_goes_back() {
    let contexts = contexts();
    let [_, options] = executors();
    let (once, tapes) = asking(&[9], &options)
        .record_batch(three(&contexts))
        .expect("valid");
    let replay = asking(&[9, 9], &options).replay_batch(three(&contexts), &tapes);
    assert_eq!(
        double(&once.results),
        replay.expect("valid input").0.results
    );
}

/// Counts its calls, and fails from the third on.
#[derive(Default)]
struct Extension(AtomicU64);

impl Remote for Extension {
    fn call(&self, _: u32, arguments: Vec<Value>, _: Vec<u8>) -> Result<Reply, Failure> {
        let count = self.0.fetch_add(1, Ordering::SeqCst);
        if count >= 8 {
            return Err(Failure {
                code: ResultCode::Timeout as u8,
                message: "late".into(),
            });
        }
        let writable = arguments.len() == 4 && matches!(arguments[0], Value::Map(_));
        let written = writable.then(|| (2, vec![count as u8; 4]));
        Ok(Reply {
            result: count,
            written: written.into_iter().collect(),
        })
    }
}

/// What an extension said, wrote, and failed with, nobody needs to be asked for again.
#[test]
fn an_extension_is_not_asked_again() {
    let object = object("helpers");
    let [_, options] = executors();
    let extension = Arc::new(Extension::default());
    let made = || {
        let options = Options {
            remote: Some(Arc::clone(&extension) as Arc<dyn Remote>),
            ..options.clone()
        };
        ready(program(&object, "extension"), live(&object.maps), options)
    };
    let contexts = contexts();
    let data = b"abcdefgh".repeat(3);
    let lengths = 8_u32.to_le_bytes().repeat(3);
    let input = Input {
        data: &data,
        data_lengths: &lengths,
        ..three(&contexts)
    };
    let (recorded, tapes) = made().record_batch(input).expect("valid input");
    assert!(recorded.codes.contains(&(ResultCode::Timeout as u8)));
    assert!(recorded.codes.contains(&0));
    let asked = extension.0.load(Ordering::SeqCst);
    let (replayed, unknown) = made().replay_batch(input, &tapes).expect("valid input");
    let elapsed_ns = recorded.elapsed_ns;
    assert_eq!(
        recorded,
        crate::exec::Batch {
            elapsed_ns,
            ..replayed
        }
    );
    assert_eq!(vec![0; 3], unknown);
    assert_eq!(asked, extension.0.load(Ordering::SeqCst));
}

/// A question to an extension that nobody asked then ends the run, and says so.
#[test]
fn what_an_extension_would_have_said_is_not_invented() {
    let object = object("helpers");
    let [_, options] = executors();
    let contexts = context(1, 0);
    let input = Input {
        contexts: &contexts,
        count: 1,
        data: b"abcdefgh",
        ..Input::default()
    };
    let (_, tapes) = asking(&[], &options)
        .record_batch(input)
        .expect("valid input");
    let extension = Arc::new(Extension::default());
    let options = Options {
        remote: Some(extension),
        ..options
    };
    let program = ready(program(&object, "extension"), live(&object.maps), options);
    let (batch, unknown) = program.replay_batch(input, &tapes).expect("valid input");
    assert_eq!(
        (vec![ResultCode::Failed as u8], vec![1]),
        (batch.codes, unknown)
    );
}

/// Damaged tapes are refused, whatever is damaged, and nothing runs.
#[test]
fn damaged_tapes_are_refused() {
    let contexts = contexts();
    let [_, options] = executors();
    let program = asking(&WORLD, &options);
    let (_, tapes) = program.record_batch(three(&contexts)).expect("valid input");
    let refuses = |tapes: &Tapes| {
        let error = program
            .replay_batch(three(&contexts), tapes)
            .expect_err("damaged");
        assert_eq!(ResultCode::InvalidArgument, error.code);
    };
    let with = |change: &dyn Fn(&mut Tapes)| {
        let mut changed = tapes.clone();
        change(&mut changed);
        refuses(&changed);
    };
    for kept in [0, 1, 23, 24 + 1, tapes.tape.len() - 1] {
        with(&|tapes| tapes.tape.truncate(kept));
    }
    with(&|tapes| tapes.tape.push(0));
    with(&|tapes| tapes.lengths.truncate(8));
    with(&|tapes| tapes.lengths.truncate(11));
    with(&|tapes| tapes.lengths[3] = 0xff);
    with(&|tapes| tapes.lane = lanes::count() as u32);
    assert_eq!(3, program.counters().runs);
}
