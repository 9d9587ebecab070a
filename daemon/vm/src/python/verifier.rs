//! Verdicts as Python values.

use std::sync::Arc;

use pyo3::prelude::*;

use super::contract::{information, shipped};
use super::errors::guarded;
use super::objects::{MapSpec, ProgramSpec, SourceLine};
use crate::error::EngineError;
use crate::verifier::ours::{teach, witness};
use crate::verifier::{self, Case, Judges};

/// One thing that control does on its way.
#[pyclass(frozen, get_all, module = "ebpfd_vm._native")]
#[derive(Clone)]
pub struct PathStep {
    way: &'static str,
    pc: usize,
    source: Option<SourceLine>,
    text: String,
    taken: bool,
    next_pc: Option<usize>,
    next: Option<SourceLine>,
    times: usize,
}

impl From<&teach::Turn> for PathStep {
    fn from(turn: &teach::Turn) -> Self {
        let (text, taken, next) = match &turn.way {
            teach::Way::Branch { holds, taken, next } => (holds.as_str(), *taken, Some(next)),
            teach::Way::Enter(function) | teach::Way::Leave(function) => {
                (function.as_str(), false, None)
            }
            teach::Way::Round => ("", false, None),
        };
        Self {
            way: turn.way.name(),
            pc: turn.place.pc,
            source: source_of(&turn.place),
            text: text.to_owned(),
            taken,
            next_pc: next.map(|next| next.pc),
            next: next.and_then(source_of),
            times: turn.times,
        }
    }
}

/// One thing that happened to a register.
#[pyclass(frozen, get_all, module = "ebpfd_vm._native")]
#[derive(Clone)]
pub struct RegisterEvent {
    change: &'static str,
    pc: usize,
    source: Option<SourceLine>,
    text: String,
}

impl From<&teach::Event> for RegisterEvent {
    fn from(event: &teach::Event) -> Self {
        Self {
            change: event.change.name(),
            pc: event.place.pc,
            source: source_of(&event.place),
            text: event.words.clone(),
        }
    }
}

fn source_of(place: &teach::Spot) -> Option<SourceLine> {
    place.source.as_ref().map(SourceLine::from)
}

/// An input on which a program goes wrong.
#[pyclass(frozen, get_all, module = "ebpfd_vm._native")]
#[derive(Clone)]
pub struct Witness {
    context: Vec<u8>,
    data: Vec<u8>,
    meta_length: usize,
    notes: Vec<String>,
    outcome: String,
    pc: usize,
    code: u8,
}

impl From<witness::Witness> for Witness {
    fn from(witness: witness::Witness) -> Self {
        Self {
            notes: witness.notes(),
            context: witness.context,
            data: witness.data,
            meta_length: witness.meta,
            outcome: witness.end,
            pc: witness.pc,
            code: witness.code,
        }
    }
}

/// What our own judge can tell of a mistake.
#[pyclass(frozen, get_all, module = "ebpfd_vm._native")]
#[derive(Clone)]
pub struct Explanation {
    kind: &'static str,
    obligation: String,
    fact: String,
    proof: String,
    path: Vec<PathStep>,
    registers: Vec<(u8, String)>,
    history: Vec<RegisterEvent>,
    witness: Option<Witness>,
}

impl From<teach::Explanation> for Explanation {
    fn from(explanation: teach::Explanation) -> Self {
        Self {
            kind: explanation.kind,
            obligation: explanation.obligation,
            fact: explanation.fact,
            proof: explanation.proof,
            path: explanation.path.iter().map(PathStep::from).collect(),
            registers: explanation.registers,
            history: explanation
                .history
                .iter()
                .map(RegisterEvent::from)
                .collect(),
            witness: explanation.witness.map(Witness::from),
        }
    }
}

#[pymethods]
impl Explanation {
    fn __repr__(&self) -> String {
        format!("Explanation({:?})", self.kind)
    }
}

/// Why a program is refused.
#[pyclass(frozen, get_all, module = "ebpfd_vm._native")]
#[derive(Clone)]
pub struct Rejection {
    pc: Option<usize>,
    instruction: String,
    reason: String,
    hint: String,
    detail: String,
    source: Option<SourceLine>,
    explanation: Option<Explanation>,
}

impl From<verifier::Rejection> for Rejection {
    fn from(rejection: verifier::Rejection) -> Self {
        Self {
            pc: rejection.pc,
            instruction: rejection.instruction,
            reason: rejection.reason,
            hint: rejection.hint,
            detail: rejection.detail,
            source: rejection.source.as_ref().map(SourceLine::from),
            explanation: rejection.explanation.map(|each| Explanation::from(*each)),
        }
    }
}

#[pymethods]
impl Rejection {
    fn __repr__(&self) -> String {
        format!("Rejection(pc={:?}, {:?})", self.pc, self.reason)
    }
}

#[pyclass(frozen, get_all, module = "ebpfd_vm._native")]
pub struct Verdict {
    accepted: bool,
    decided: bool,
    rejection: Option<Rejection>,
    judge: &'static str,
    worst_case: Option<u64>,
    steps: u64,
    states: usize,
    proved_loops: usize,
    peak_bytes: usize,
    has_loops: bool,
    instruction_count: usize,
    duration_ns: u64,
}

#[pymethods]
impl Verdict {
    fn __repr__(&self) -> String {
        format!(
            "Verdict(accepted={}, judge={:?})",
            self.accepted, self.judge
        )
    }
}

/// Judge one program.
#[pyfunction]
#[pyo3(signature = (program, maps, information, /, *, judges = "both"))]
pub fn verify(
    py: Python<'_>,
    program: &Bound<'_, ProgramSpec>,
    maps: Vec<Py<MapSpec>>,
    #[pyo3(from_py_with = information)] information: crate::contract::ProgramInformation,
    judges: &str,
) -> PyResult<Verdict> {
    let judges = judges_of(judges)?;
    let program = Arc::clone(&program.get().0);
    let maps: Vec<_> = maps.iter().map(|map| map.get().0.clone()).collect();
    let verdict = py.detach(|| {
        guarded(|| {
            let case = Case {
                program: &program,
                maps: &maps,
                information: &information,
            };
            verifier::verify(case, judges)
        })
    })?;
    Ok(Verdict {
        accepted: verdict.rejection.is_none(),
        decided: verdict.decided,
        worst_case: verdict.worst_case,
        steps: verdict.effort.steps,
        states: verdict.effort.states,
        proved_loops: verdict.effort.proved_loops,
        peak_bytes: verdict.effort.peak_bytes,
        rejection: verdict.rejection.map(Rejection::from),
        judge: verdict.judge,
        has_loops: verdict.has_loops,
        instruction_count: verdict.instruction_count,
        duration_ns: verdict.duration_ns,
    })
}

/// Judge a helper that comes as code against its prototype.
#[pyfunction]
#[pyo3(signature = (helper, information, /))]
pub fn verify_helper(
    py: Python<'_>,
    helper: &Bound<'_, PyAny>,
    #[pyo3(from_py_with = information)] information: crate::contract::ProgramInformation,
) -> PyResult<Option<Rejection>> {
    let Some(helper) = shipped(helper, |_| true)? else {
        return Err(EngineError::argument("the helper has no code").into());
    };
    let refused = py.detach(|| guarded(|| verifier::check_shipped(&helper, &information)))?;
    Ok(refused.map(Rejection::from))
}

fn judges_of(name: &str) -> PyResult<Judges> {
    match name {
        "both" => Ok(Judges::Both),
        "ours" => Ok(Judges::Ours),
        "prevail" => Ok(Judges::Prevail),
        other => Err(EngineError::argument(format!(
            "judges is {other:?}: it must be \"both\", \"ours\" or \"prevail\""
        ))
        .into()),
    }
}
