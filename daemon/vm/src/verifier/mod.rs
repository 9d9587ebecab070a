//! Is a program safe to run for its program type?
//!
//! ```text
//!   precheck  what can be said without analysis: decoding, helpers, maps
//!   judge     a proof by abstract interpretation (today: the crate `prevail`)
//!   explain   the judge's complaint as one sentence, a hint and a source line
//! ```
//!
//! A judge is a function from a [`Case`] to a [`Finding`]; a second one takes
//! its place beside the first.  A verdict is a value; errors are kept for
//! contracts that make no sense.

// Not yet used: the judge that is built upon it comes next.
#[allow(dead_code, unused_imports)]
mod domain;
mod explain;
#[allow(dead_code)] // As `domain`.
pub mod mutation;
mod platform;
mod precheck;
mod prevail;

#[cfg(test)]
mod accepted;
#[cfg(test)]
mod tests;

use std::time::Instant;

use crate::contract::ProgramInformation;
use crate::error::Result;
use crate::isa;
use crate::spec::{MapSpec, ProgramSpec, SourceLine};

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
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `None`: the program is safe.
    pub rejection: Option<Rejection>,
    /// Who decided, with its version.
    pub judge: &'static str,
    pub has_loops: bool,
    /// Slots of the program with its sub-programs.
    pub instruction_count: usize,
    pub duration_ns: u64,
}

/// Judge one program; `maps` are those of its object.
///
/// May take long and much memory: the caller sets the limits.
pub fn verify(case: Case<'_>) -> Result<Verdict> {
    case.information.validate()?;
    let start = Instant::now();
    let (judge, rejection) = match precheck::check(case) {
        Err(rejection) => ("precheck", Some(*rejection)),
        Ok(()) => (prevail::NAME, judged(case, prevail::judge(case))),
    };
    Ok(Verdict {
        rejection,
        judge,
        has_loops: isa::has_loops(&case.program.instructions),
        instruction_count: case.program.instructions.len(),
        duration_ns: start.elapsed().as_nanos() as u64,
    })
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
    }
}
