//! Verdicts as Python values.

use std::sync::Arc;

use pyo3::prelude::*;

use super::contract::information;
use super::errors::guarded;
use super::objects::{MapSpec, ProgramSpec, SourceLine};
use crate::verifier::{self, Case};

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
    rejection: Option<Rejection>,
    judge: &'static str,
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
#[pyo3(signature = (program, maps, information, /))]
pub fn verify(
    py: Python<'_>,
    program: &Bound<'_, ProgramSpec>,
    maps: Vec<Py<MapSpec>>,
    #[pyo3(from_py_with = information)] information: crate::contract::ProgramInformation,
) -> PyResult<Verdict> {
    let program = Arc::clone(&program.get().0);
    let maps: Vec<_> = maps.iter().map(|map| map.get().0.clone()).collect();
    let verdict = py.detach(|| {
        guarded(|| {
            verifier::verify(Case {
                program: &program,
                maps: &maps,
                information: &information,
            })
        })
    })?;
    Ok(Verdict {
        accepted: verdict.rejection.is_none(),
        rejection: verdict.rejection.map(Rejection::from),
        judge: verdict.judge,
        has_loops: verdict.has_loops,
        instruction_count: verdict.instruction_count,
        duration_ns: verdict.duration_ns,
    })
}
