//! Our own programs: from an object or a spec to a `Program` of a given executor.
//!
//! [`build`] is the one place that knows which executors the engine has.

use std::sync::Arc;

use _native::contract::{ContextDescriptor, ProgramInformation};
use _native::exec::{Execution, Options, Program, Verified};
use _native::loader::parse_object;
use _native::maps::{Map, MapOptions};
use _native::spec::{MapSpec, ProgramSpec};
use _native::verifier::{Case, Judges, verify};

use crate::Outcome;

/// Executors that the engine offers, the fastest first.
pub const EXECUTORS: [&str; 2] = ["jit", "interpreter"];

/// Whether a program may run that the verifier refuses.
///
/// For benches and tests of executors only: without checks such a program may
/// do anything to the process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    Verdict,
    Anything,
}

/// A program with its maps, judged.
pub struct Loaded {
    pub spec: ProgramSpec,
    pub maps: Vec<Arc<Map>>,
    pub information: ProgramInformation,
    /// Why the verifier refuses it.
    pub refusal: Option<String>,
    /// The most instructions of a run, if the verifier has proved it.
    pub worst_case: Option<u64>,
}

/// A program ready to run, and what its code guards against.
pub struct Subject {
    pub program: Program,
    /// Whether a budget of instructions is counted while it runs.
    pub metered: bool,
    pub checks: &'static str,
}

/// The ordinary way of an object: parse, make its maps, verify.
pub fn load(object: &[u8], information: &ProgramInformation) -> Outcome<Loaded> {
    let object = parse_object(object).map_err(|error| error.to_string())?;
    let spec = object.programs.first().ok_or("an object without program")?;
    let maps: Outcome<Vec<_>> = object.maps.iter().map(live).collect();
    judge(spec.clone(), &object.maps, maps?, information.clone())
}

/// A program over maps that exist; `specs` declare them.
pub fn judge(
    spec: ProgramSpec,
    specs: &[MapSpec],
    maps: Vec<Arc<Map>>,
    information: ProgramInformation,
) -> Outcome<Loaded> {
    let case = Case {
        program: &spec,
        maps: specs,
        information: &information,
    };
    let verdict = verify(case, Judges::Both).map_err(|error| error.to_string())?;
    let worst_case = verdict.worst_case;
    let refusal = verdict.rejection.map(|rejection| rejection.reason);
    Ok(Loaded {
        worst_case,
        spec,
        maps,
        information,
        refusal,
    })
}

/// A program that `executor` runs; `trust` decides about those that the verifier refuses.
pub fn build(loaded: &Loaded, executor: &str, trust: Trust) -> Outcome<Subject> {
    if let (Some(reason), Trust::Verdict) = (&loaded.refusal, trust) {
        return Err(format!("the verifier refuses it: {reason}"));
    }
    let (execution, checks) = match executor {
        "jit" => (Execution::Jit, "helpers' arguments"),
        _ => (Execution::Interpreter, "every access, depth of calls"),
    };
    let options = Options {
        verified: match (&loaded.refusal, loaded.worst_case) {
            (None, Some(most)) => Verified::Proved(most),
            (None, None) => Verified::Accepted,
            (Some(_), _) => Verified::Assumed,
        },
        execution,
        ..Options::default()
    };
    let maps = loaded.maps.clone();
    let program = Program::new(&loaded.spec, maps, &loaded.information, options)
        .map_err(|error| error.to_string())?;
    Ok(Subject {
        metered: program.metered(),
        program,
        checks,
    })
}

/// The sample program type: 32 bytes with the packet's start and end in front.
pub fn sample() -> ProgramInformation {
    let context = ContextDescriptor {
        data: 0,
        end: 8,
        ..ContextDescriptor::plain(32)
    };
    ProgramInformation::new("sample", context, &[(16, 16)])
}

/// A program type whose context is plain bytes, all writable.
pub fn plain(name: &str, size: usize) -> ProgramInformation {
    ProgramInformation::new(name, ContextDescriptor::plain(size), &[(0, size)])
}

/// A live map of its declaration.
pub fn live(spec: &MapSpec) -> Outcome<Arc<Map>> {
    let map = Map::new(MapOptions::of(spec, &[]));
    map.map(Arc::new).map_err(|error| error.to_string())
}
