//! One program on both executors, with the same maps, context and data.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::generator::{ARRAY, Generator, HASH, KEYS, PACKET, VALUE};
use super::kinds::{Kind, kind};
use crate::contract::{ContextDescriptor, ProgramInformation};
use crate::error::{Result, ResultCode};
use crate::exec::{Execution, Options, Program, TestRun, Verified};
use crate::maps::{Map, MapOptions, map_type};
use crate::spec::{ProgramSpec, Subprogram};

/// Instructions that a random program may execute; more than nearly all need.
const BUDGET: u64 = 20_000;
const CONTEXT_SIZE: usize = 32;

/// What comparing the executors on one program told.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What differs, if anything does.
    pub difference: Option<String>,
    /// Instructions that the interpreter executed in one run.
    pub executed: u64,
    /// How often it executed each kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// The result code.
    pub code: u8,
    /// The program ran without counting its instructions.
    pub free: bool,
}

/// Maps and data that one program after the other works on.
pub struct Pair {
    maps: Vec<Arc<Map>>,
    information: ProgramInformation,
    packet: Vec<u8>,
    context: Vec<u8>,
}

/// Everything that a run can be seen by.
type Seen = (TestRun, Vec<Option<Vec<u8>>>);

impl Pair {
    pub fn new() -> Result<Self> {
        let map = |map_type, max_entries| {
            Map::new(MapOptions {
                name: "values".into(),
                map_type,
                key_size: 4,
                value_size: VALUE as u32,
                max_entries,
                ..MapOptions::default()
            })
        };
        let (array, hash) = (map(map_type::ARRAY, 4)?, map(map_type::HASH, 64)?);
        debug_assert_eq!((0, 1), (ARRAY, HASH), "the order of the maps");
        let mut context = vec![0; CONTEXT_SIZE];
        context[16..22].copy_from_slice(&[0x21, 0x43, 0x65, 0x87, 9, 0]);
        Ok(Self {
            maps: vec![Arc::new(array), Arc::new(hash)],
            information: information(),
            packet: (0..PACKET).map(|byte| (byte * 37) as u8).collect(),
            context,
        })
    }

    /// Run the program of a seed; `budget` is that of a run.
    pub fn check(&self, seed: u64, budget: Option<u64>) -> Outcome {
        self.check_program(Generator::new(seed), &format!("program {seed}"), budget)
    }

    /// Run the program that a fuzzer's input stands for.
    pub fn check_choices(&self, choices: &[u8], budget: Option<u64>) -> Outcome {
        self.check_program(Generator::of_choices(choices), "the program", budget)
    }

    fn check_program(&self, generator: Generator<'_>, name: &str, budget: Option<u64>) -> Outcome {
        let (instructions, start) = generator.program();
        let spec = ProgramSpec {
            name: name.to_owned(),
            section: "sample_ext".into(),
            subprograms: vec![Subprogram {
                name: "callee".into(),
                start,
            }],
            instructions,
            ..ProgramSpec::default()
        };
        let executed: Arc<Vec<AtomicU64>> = Arc::new(
            spec.instructions
                .iter()
                .map(|_| AtomicU64::new(0))
                .collect(),
        );
        let counts = Arc::clone(&executed);
        let options = |execution| Options {
            verified: Verified::Assumed,
            execution,
            budget: Some(budget.unwrap_or(BUDGET)),
            ..Options::default()
        };
        let interpreter = Options {
            observer: Some(Arc::new(move |moment| {
                counts[moment.pc].fetch_add(1, Ordering::Relaxed);
            })),
            ..options(Execution::Interpreter)
        };
        let outcome = Outcome::default();
        let difference = Some(format!("{name} is not accepted"));
        let Some((expected, _)) = self.run(&spec, interpreter) else {
            return Outcome {
                difference,
                ..outcome
            };
        };
        let Some((found, free)) = self.run(&spec, options(Execution::Jit)) else {
            return Outcome {
                difference,
                ..outcome
            };
        };
        let mut kinds = BTreeMap::new();
        for (insn, count) in spec.instructions.iter().zip(executed.iter()) {
            *kinds.entry(kind(*insn)).or_default() += count.load(Ordering::Relaxed);
        }
        Outcome {
            difference: difference_of(&expected, &found).map(|what| format!("{name}: {what}")),
            executed: executed
                .iter()
                .map(|count| count.load(Ordering::Relaxed))
                .sum(),
            kinds,
            code: expected.0.code,
            free,
        }
    }

    /// What one executor leaves behind, and whether it did not count instructions.
    fn run(&self, spec: &ProgramSpec, options: Options) -> Option<(Seen, bool)> {
        self.reset();
        let program = Program::new(spec, self.maps.clone(), &self.information, options).ok()?;
        let test = program.test_run(&self.context, &self.packet, 0, 1).ok()?;
        let values = self
            .maps
            .iter()
            .flat_map(|map| (0..KEYS).map(|key: u32| map.lookup(&key.to_le_bytes()).ok()));
        let test = TestRun {
            elapsed_ns: 0,
            ..test
        };
        Some(((test, values.collect()), !program.metered()))
    }

    fn reset(&self) {
        for key in 0..KEYS {
            for map in &self.maps {
                let _ = map.delete(&key.to_le_bytes());
            }
        }
    }
}

/// Compiled code may go on where the interpreter has used up its budget, and nowhere else.
fn difference_of(expected: &Seen, found: &Seen) -> Option<String> {
    let late = ResultCode::Timeout as u8;
    if expected == found
        || expected.0.code == late && matches!(found.0.code, 0)
        || expected.0.code == late && found.0.code == late
    {
        return None;
    }
    Some(format!("interpreted: {expected:?}\ncompiled: {found:?}"))
}

fn information() -> ProgramInformation {
    let context = ContextDescriptor {
        data: 0,
        end: 8,
        ..ContextDescriptor::plain(CONTEXT_SIZE)
    };
    ProgramInformation::new("random", context, &[(16, 16)])
}
