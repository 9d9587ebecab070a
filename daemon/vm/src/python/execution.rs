//! Programs for Python: buffers in, bytes out, the GIL released in between.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::iter;
use std::sync::Arc;

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::contract::information;
use super::door;
use super::errors::guarded;
use super::gate::{self, Gate, Source};
use super::helper::Callback;
use super::maps::Map;
use super::objects::ProgramSpec;
use super::trace::Trace;
use crate::error::EngineError;
use crate::exec::{
    self, Binding, Execution, Input, Options, Origin, Places, Remote, Tapes, Verified,
};

#[pyclass(frozen, get_all, module = "ebpfd_vm._native")]
pub struct BatchResult {
    codes: Py<PyBytes>,
    results: Py<PyBytes>,
    contexts: Py<PyBytes>,
    data: Py<PyBytes>,
    elapsed_ns: u64,
}

impl BatchResult {
    fn of(py: Python<'_>, batch: &exec::Batch) -> Self {
        Self {
            codes: PyBytes::new(py, &batch.codes).unbind(),
            results: PyBytes::new(py, &batch.results).unbind(),
            contexts: PyBytes::new(py, &batch.contexts).unbind(),
            data: PyBytes::new(py, &batch.data).unbind(),
            elapsed_ns: batch.elapsed_ns,
        }
    }
}

#[pyclass(frozen, get_all, module = "ebpfd_vm._native")]
pub struct Counters {
    runs: u64,
    nanoseconds: u64,
    failures: BTreeMap<u8, u64>,
}

impl Counters {
    pub fn of(values: exec::CounterValues) -> Self {
        Self {
            runs: values.runs,
            nanoseconds: values.nanoseconds,
            failures: values.failures,
        }
    }
}

/// Counts of runs, kept for a link.
#[pyclass(frozen, module = "ebpfd_vm._native")]
#[derive(Default)]
pub struct Tally(pub exec::Counters);

#[pymethods]
impl Tally {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn counters(&self) -> Counters {
        Counters::of(self.0.values())
    }

    fn latency(&self) -> Vec<u64> {
        self.0.latency()
    }

    /// Count what another process counts at its gate.
    fn follow(&self, gate: &Bound<'_, Gate>) {
        self.0.follow(&gate.get().0, true);
    }

    /// Keep what it has counted, and look there no more.
    fn unfollow(&self, gate: &Bound<'_, Gate>) {
        self.0.unfollow(&gate.get().0);
    }
}

/// A program ready to run.
#[pyclass(frozen, module = "ebpfd_vm._native")]
pub struct Program {
    pub program: Arc<exec::Program>,
    /// What it was made of, if it was made here.
    pub source: Option<Source>,
}

/// Lane, tapes, lengths of the tapes.
type RecordedTapes<'py> = (u32, Bound<'py, PyBytes>, Bound<'py, PyBytes>);
type TestResult<'py> = (u8, u32, Bound<'py, PyBytes>, Bound<'py, PyBytes>, u64);

#[pymethods]
impl Program {
    #[new]
    #[pyo3(signature = (
        program, maps, information, *, helper = None, local = None, provided = Vec::new(),
        trace = None, tag = 0, budget = None, verified = false, proved = None, execution = "any",
    ))]
    #[expect(
        clippy::too_many_arguments,
        reason = "all but three are options by keyword"
    )]
    fn new(
        py: Python<'_>,
        program: &Bound<'_, ProgramSpec>,
        maps: Vec<Py<Map>>,
        #[pyo3(from_py_with = information)] information: crate::contract::ProgramInformation,
        helper: Option<Py<PyAny>>,
        local: Option<HashMap<u32, Py<PyAny>>>,
        provided: Vec<usize>,
        trace: Option<Py<Trace>>,
        tag: u64,
        budget: Option<u64>,
        verified: bool,
        proved: Option<u64>,
        execution: &str,
    ) -> PyResult<Self> {
        let live: Vec<_> = maps.iter().map(|map| Arc::clone(&map.get().0)).collect();
        let callback = |function: Py<PyAny>| -> Arc<dyn Remote> {
            let maps = maps.iter().map(|map| map.clone_ref(py)).collect();
            Arc::new(Callback { function, maps })
        };
        let remote = helper.filter(|function| !function.is_none(py));
        let local = local.into_iter().flatten();
        let mut options = Options {
            remote: remote.map(callback),
            local: local
                .map(|(id, function)| (id, Binding::Local(callback(function))))
                .collect(),
            provided,
            trace: trace.map(|trace| Arc::clone(&trace.get().0)),
            tag,
            budget,
            execution: execution_of(execution)?,
            ..Options::default()
        };
        if verified {
            options.verified = proved.map_or(Verified::Accepted, Verified::Proved);
        }
        let spec = Arc::clone(&program.get().0);
        py.detach(|| {
            guarded(|| exec::Program::new(&spec, live.clone(), &information, options)).map(
                |program| Self {
                    program: Arc::new(program),
                    source: Some(Source {
                        spec,
                        information,
                        maps: live,
                        tag,
                    }),
                },
            )
        })
    }

    #[getter]
    fn blocking(&self) -> bool {
        self.program.blocking()
    }

    /// Whether a run has a lane.
    #[getter]
    fn uses_lane(&self) -> bool {
        self.program.uses_lane()
    }

    #[getter]
    fn executor(&self) -> &'static str {
        self.program.executor()
    }

    /// Why the program is not compiled; empty if it is.
    #[getter]
    fn executor_reason(&self) -> &str {
        self.program.executor_reason()
    }

    /// Whether instructions are counted while it runs.
    #[getter]
    fn metered(&self) -> bool {
        self.program.metered()
    }

    /// The most instructions that a run can execute, if that is known.
    #[getter]
    fn worst_case(&self) -> Option<u64> {
        self.program.worst_case()
    }

    #[getter]
    fn budget(&self) -> u64 {
        self.program.budget()
    }

    #[pyo3(signature = (
        contexts, count, data = None, data_lengths = None, meta_lengths = None, origin = None,
        tally = None, /,
    ))]
    #[expect(clippy::too_many_arguments, reason = "the columns of a batch")]
    fn run_batch(
        &self,
        py: Python<'_>,
        contexts: &Bound<'_, PyAny>,
        count: usize,
        data: Option<&Bound<'_, PyAny>>,
        data_lengths: Option<&Bound<'_, PyAny>>,
        meta_lengths: Option<&Bound<'_, PyAny>>,
        origin: Option<(u32, u32, Option<u32>)>,
        tally: Option<&Bound<'_, Tally>>,
    ) -> PyResult<BatchResult> {
        let origin = origin.map(|(pid, tid, uid)| Origin { pid, tid, uid });
        let contexts = bytes_of(contexts)?;
        let data = optional_bytes_of(data)?;
        let data_lengths = optional_bytes_of(data_lengths)?;
        let meta_lengths = optional_bytes_of(meta_lengths)?;
        let batch = py.detach(|| {
            guarded(|| {
                self.program.run_batch(Input {
                    contexts: &contexts,
                    count,
                    data: &data,
                    data_lengths: &data_lengths,
                    meta_lengths: &meta_lengths,
                    origin,
                })
            })
        })?;
        if let Some(tally) = tally {
            tally.get().0.count(&batch.codes, batch.elapsed_ns);
        }
        Ok(BatchResult::of(py, &batch))
    }

    #[pyo3(signature = (
        contexts, count, data = None, data_lengths = None, meta_lengths = None, origin = None,
        tally = None, /,
    ))]
    #[expect(clippy::too_many_arguments, reason = "the columns of a batch")]
    fn record_batch<'py>(
        &self,
        py: Python<'py>,
        contexts: &Bound<'_, PyAny>,
        count: usize,
        data: Option<&Bound<'_, PyAny>>,
        data_lengths: Option<&Bound<'_, PyAny>>,
        meta_lengths: Option<&Bound<'_, PyAny>>,
        origin: Option<(u32, u32, Option<u32>)>,
        tally: Option<&Bound<'_, Tally>>,
    ) -> PyResult<(BatchResult, RecordedTapes<'py>)> {
        let origin = origin.map(|(pid, tid, uid)| Origin { pid, tid, uid });
        let contexts = bytes_of(contexts)?;
        let data = optional_bytes_of(data)?;
        let data_lengths = optional_bytes_of(data_lengths)?;
        let meta_lengths = optional_bytes_of(meta_lengths)?;
        let (batch, tapes) = py.detach(|| {
            guarded(|| {
                self.program.record_batch(Input {
                    contexts: &contexts,
                    count,
                    data: &data,
                    data_lengths: &data_lengths,
                    meta_lengths: &meta_lengths,
                    origin,
                })
            })
        })?;
        if let Some(tally) = tally {
            tally.get().0.count(&batch.codes, batch.elapsed_ns);
        }
        let tape = PyBytes::new(py, &tapes.tape);
        let lengths = PyBytes::new(py, &tapes.lengths);
        Ok((BatchResult::of(py, &batch), (tapes.lane, tape, lengths)))
    }

    #[pyo3(signature = (
        contexts, count, data, data_lengths, meta_lengths, origin, tapes, /,
    ))]
    #[expect(clippy::too_many_arguments, reason = "the columns of a batch")]
    fn replay_batch<'py>(
        &self,
        py: Python<'py>,
        contexts: &Bound<'_, PyAny>,
        count: usize,
        data: &Bound<'_, PyAny>,
        data_lengths: &Bound<'_, PyAny>,
        meta_lengths: &Bound<'_, PyAny>,
        origin: Option<(u32, u32, Option<u32>)>,
        tapes: (u32, Bound<'_, PyBytes>, Bound<'_, PyBytes>),
    ) -> PyResult<(BatchResult, Bound<'py, PyBytes>)> {
        let origin = origin.map(|(pid, tid, uid)| Origin { pid, tid, uid });
        let contexts = bytes_of(contexts)?;
        let data = bytes_of(data)?;
        let data_lengths = bytes_of(data_lengths)?;
        let meta_lengths = bytes_of(meta_lengths)?;
        let tapes = Tapes {
            lane: tapes.0,
            tape: tapes.1.as_bytes().to_vec(),
            lengths: tapes.2.as_bytes().to_vec(),
        };
        let (batch, unknown) = py.detach(|| {
            guarded(|| {
                let input = Input {
                    contexts: &contexts,
                    count,
                    data: &data,
                    data_lengths: &data_lengths,
                    meta_lengths: &meta_lengths,
                    origin,
                };
                self.program.replay_batch(input, &tapes)
            })
        })?;
        Ok((BatchResult::of(py, &batch), PyBytes::new(py, &unknown)))
    }

    #[pyo3(signature = (context, data, meta_length, repeat, /))]
    fn test_run<'py>(
        &self,
        py: Python<'py>,
        context: &Bound<'_, PyAny>,
        data: &Bound<'_, PyAny>,
        meta_length: usize,
        repeat: u64,
    ) -> PyResult<TestResult<'py>> {
        let context = bytes_of(context)?;
        let data = bytes_of(data)?;
        let test =
            py.detach(|| guarded(|| self.program.test_run(&context, &data, meta_length, repeat)))?;
        Ok((
            test.code,
            test.result,
            PyBytes::new(py, &test.context),
            PyBytes::new(py, &test.data),
            test.elapsed_ns,
        ))
    }

    /// A builtin that takes one context; see `door`.
    fn invoker<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        door::invoker(py, &self.program)
    }

    fn counters(&self) -> Counters {
        Counters::of(self.program.counters())
    }

    /// The program for another process to run, and which maps go with it.
    #[pyo3(signature = (leads_to = Vec::new(), /))]
    fn image<'py>(
        &self,
        py: Python<'py>,
        leads_to: Vec<Py<Self>>,
    ) -> PyResult<(Bound<'py, PyBytes>, Places)> {
        let (bytes, places) = guarded(|| gate::image_of(self, &leads_to))?;
        Ok((PyBytes::new(py, &bytes), places))
    }

    /// The program in a sealed memfd, on maps in these files.
    #[staticmethod]
    #[pyo3(signature = (
        image, maps, gate, /, *, led = Vec::new(), trace = None, lane = None, origin = None,
        helper = None,
    ))]
    #[expect(
        clippy::too_many_arguments,
        reason = "all but three are options by keyword"
    )]
    fn of_image(
        py: Python<'_>,
        image: i32,
        maps: Vec<i32>,
        gate: Py<Gate>,
        led: Vec<Py<Gate>>,
        trace: Option<Py<Trace>>,
        lane: Option<u32>,
        origin: Option<(u32, u32, Option<u32>)>,
        helper: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let options = Options {
            trace: trace.map(|trace| Arc::clone(&trace.get().0)),
            lane,
            origin: origin.map(|(pid, tid, uid)| Origin { pid, tid, uid }),
            ..Options::default()
        };
        let helper = helper
            .filter(|function| !function.is_none(py))
            .map(|function| Callback {
                function,
                maps: Vec::new(),
            });
        let gates = iter::once(&gate).chain(&led);
        let gates: Vec<_> = gates.map(|gate| Arc::clone(&gate.get().0)).collect();
        py.detach(|| guarded(|| self::gate::program_of(image, &maps, &gates, &options, helper)))
    }

    /// Count what another process counts at its gate.
    fn follow(&self, gate: &Bound<'_, Gate>) {
        self.program.follow(&gate.get().0);
    }

    /// Keep what it has counted, and look there no more.
    fn unfollow(&self, gate: &Bound<'_, Gate>) {
        self.program.unfollow(&gate.get().0);
    }

    /// Let tail calls of others lead to it, or end them.
    fn set_waits(&self, waits: bool) {
        self.program.set_waits(waits);
    }

    /// Runs by how long they took.
    fn latency(&self) -> Vec<u64> {
        self.program.latency()
    }
}

fn execution_of(name: &str) -> PyResult<Execution> {
    match name {
        "any" => Ok(Execution::Any),
        "jit" => Ok(Execution::Jit),
        "interpreter" => Ok(Execution::Interpreter),
        other => Err(EngineError::argument(format!(
            "execution is {other:?}: it must be \"any\", \"jit\" or \"interpreter\""
        ))
        .into()),
    }
}

/// The contents of a buffer: borrowed if nobody can change them, else copied.
fn bytes_of<'a>(object: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(Cow::Borrowed(bytes.as_bytes()));
    }
    Ok(Cow::Owned(
        PyBuffer::<u8>::get(object)?.to_vec(object.py())?,
    ))
}

fn optional_bytes_of<'a>(object: Option<&'a Bound<'_, PyAny>>) -> PyResult<Cow<'a, [u8]>> {
    object.map_or(Ok(Cow::Borrowed(&[])), |object| bytes_of(object))
}
