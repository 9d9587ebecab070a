//! Is a program safe to run for its program type?
//!
//! ```text
//!   precheck  what can be said without analysis: decoding, helpers, maps
//!   ours      our own judge: it follows all paths, and proves that they end
//!   prevail   the second judge, the crate of that name, for what ours cannot show
//!   shipped   a helper that comes as code, against its prototype
//!   explain   a judge's complaint as one sentence, a hint and a source line
//! ```
//!
//! What our judge accepts runs without checks.  What it can refute with inputs
//! that make the checked interpreter fail is refused.  Of the rest the second judge decides,
//! and such a program gets a budget of instructions.
//! A verdict is a value; errors are kept for contracts that make no sense.

mod domain;
mod explain;
pub mod mutation;
pub mod ours;
mod platform;
mod precheck;
mod prevail;
mod shipped;

pub use shipped::check_shipped;

#[cfg(test)]
mod accepted;
#[cfg(test)]
mod tests;

use std::time::Instant;

use crate::contract::ProgramInformation;
use crate::error::Result;
use crate::isa;
use crate::spec::{MapSpec, ProgramSpec, SourceLine};
use ours::Violation;
use ours::teach::{self, Explanation};

/// Everything that weighs in a verdict.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    pub program: &'a ProgramSpec,
    pub maps: &'a [MapSpec],
    pub information: &'a ProgramInformation,
}

/// What a judge says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Safe,
    /// It cannot show that the program is safe.
    Complaint(Complaint),
    /// It could not finish.
    GaveUp(String),
}

/// The first thing that a judge could not show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaint {
    pub pc: Option<usize>,
    /// In the judge's own words.
    pub message: String,
    /// What it knew of the registers there, one fact a line.
    pub known: Vec<String>,
}

/// Why a program is refused: one cause, not its cascade.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejection {
    pub pc: Option<usize>,
    pub instruction: String,
    pub reason: String,
    pub hint: String,
    pub detail: String,
    pub source: Option<SourceLine>,
    /// What our own judge can tell of a mistake that it has followed the program to.
    pub explanation: Option<Box<Explanation>>,
}

/// Who is to judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Judges {
    /// Our own judge, and prevail about what it cannot decide.
    #[default]
    Both,
    /// Our own alone; it may leave a program undecided.
    Ours,
    Prevail,
}

/// What it took to judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Instructions that were followed.
    pub steps: u64,
    /// States that were kept.
    pub states: usize,
    /// Loops that were proved.
    pub proved_loops: usize,
    /// Bytes that were used at once, about.
    pub peak_bytes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `None`: the program is safe.
    pub rejection: Option<Rejection>,
    /// False: our own judge cannot show that it is safe, and nobody else was asked.
    pub decided: bool,
    /// Who decided, with its version.
    pub judge: &'static str,
    /// Instructions that a run executes at most, if our own judge has proved it.
    pub worst_case: Option<u64>,
    pub effort: Effort,
    pub has_loops: bool,
    /// Slots of the program with its sub-programs.
    pub instruction_count: usize,
    pub duration_ns: u64,
}

/// Judge one program; `maps` are those of its object.
///
/// Prevail may take long and much memory: whoever asks it sets the limits.
pub fn verify(case: Case<'_>, judges: Judges) -> Result<Verdict> {
    case.information.validate()?;
    let start = Instant::now();
    let mut verdict = Verdict {
        rejection: None,
        decided: true,
        judge: "precheck",
        worst_case: None,
        effort: Effort::default(),
        has_loops: isa::has_loops(&case.program.instructions),
        instruction_count: case.program.instructions.len(),
        duration_ns: 0,
    };
    match precheck::check(case) {
        Err(rejection) => verdict.rejection = Some(*rejection),
        Ok(()) => {
            if judges != Judges::Prevail {
                ask_ours(case, &mut verdict);
            }
            if judges == Judges::Prevail || judges == Judges::Both && !verdict.decided {
                ask_prevail(case, &mut verdict);
            }
        }
    }
    if let Some(rejection) = &mut verdict.rejection {
        name_what_is_missing(case.program, rejection);
    }
    verdict.duration_ns = start.elapsed().as_nanos() as u64;
    Ok(verdict)
}

/// Where the loader found no answer stands an instruction that nobody wrote: tell what it is for.
fn name_what_is_missing(program: &ProgramSpec, rejection: &mut Rejection) {
    let missing = program
        .unresolved
        .iter()
        .find(|missing| Some(missing.pc) == rejection.pc);
    if let Some(missing) = missing {
        rejection.reason = missing.reason.clone();
        rejection.hint = "ask bpf_core_field_exists first, or compile against the headers of the \
                          extension that is there"
            .into();
        rejection.explanation = None;
    }
}

fn ask_ours(case: Case<'_>, verdict: &mut Verdict) {
    let report = ours::explore(case, ours::Limits::default());
    verdict.judge = ours::NAME;
    verdict.effort = Effort {
        steps: report.instructions,
        states: report.states,
        proved_loops: report.proved,
        peak_bytes: report.bytes,
    };
    match report.outcome {
        ours::Outcome::Safe { worst_case } => verdict.worst_case = Some(worst_case),
        ours::Outcome::Unsafe(violation) => refuse(case, &violation, verdict),
        ours::Outcome::GaveUp(_, Some(unbounded)) => refuse(case, &unbounded, verdict),
        ours::Outcome::GaveUp(why, None) => {
            verdict.decided = false;
            verdict.rejection = judged(case, Finding::GaveUp(why));
        }
    }
}

fn refuse(case: Case<'_>, violation: &Violation, verdict: &mut Verdict) {
    let mut explanation = teach::explain(case, violation);
    explanation.witness = ours::witness::witness(case, violation);
    verdict.decided = violation.problem.is_final() || explanation.witness.is_some();
    verdict.rejection = Some(explanation.rejection());
}

/// The second judge; if it accepts, nothing is known of how long a run can take.  If it refuses,
/// too, what our own judge has explained is told.
fn ask_prevail(case: Case<'_>, verdict: &mut Verdict) {
    verdict.decided = true;
    let explained = verdict
        .rejection
        .take()
        .filter(|known| known.explanation.is_some());
    let refused = judged(case, prevail::judge(case));
    if let (Some(_), Some(explained)) = (&refused, explained) {
        verdict.rejection = Some(explained);
        return;
    }
    verdict.judge = prevail::NAME;
    verdict.rejection = refused;
}

fn judged(case: Case<'_>, finding: Finding) -> Option<Rejection> {
    match finding {
        Finding::Safe => None,
        Finding::Complaint(complaint) => Some(explain::explain(case.program, &complaint)),
        Finding::GaveUp(detail) => Some(Rejection {
            reason: "the verifier gave up on this program".into(),
            hint: "make the program smaller, or its loops and calls less nested".into(),
            detail,
            ..Rejection::default()
        }),
    }
}

/// A rejection that points to an instruction.
fn at(program: &ProgramSpec, pc: usize, reason: String, hint: String) -> Rejection {
    Rejection {
        pc: Some(pc),
        instruction: isa::describe(&program.instructions, pc),
        reason,
        hint,
        detail: String::new(),
        source: program.source_line(pc).cloned(),
        explanation: None,
    }
}
