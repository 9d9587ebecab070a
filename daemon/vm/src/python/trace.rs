//! The ring of printk lines for Python.

use std::sync::Arc;

use pyo3::prelude::*;

use super::maps::Map;
use crate::trace;

#[pyclass(frozen, get_all, module = "ebpfd_vm._native")]
pub struct TraceLine {
    time_ns: u64,
    program: u64,
    text: String,
}

#[pymethods]
impl TraceLine {
    fn __repr__(&self) -> String {
        format!("TraceLine(program={}, {:?})", self.program, self.text)
    }
}

/// A bounded ring of printk lines.
#[pyclass(frozen, module = "ebpfd_vm._native")]
pub struct Trace(pub Arc<trace::Trace>);

#[pymethods]
impl Trace {
    #[new]
    #[pyo3(signature = (capacity = 1024, *, through = None))]
    fn new(capacity: usize, through: Option<Bound<'_, Map>>) -> Self {
        Self(Arc::new(match through {
            Some(records) => trace::Trace::through(Arc::clone(&records.get().0)),
            None => trace::Trace::new(capacity),
        }))
    }

    #[getter]
    fn pending(&self) -> bool {
        self.0.pending()
    }

    #[getter]
    fn lost(&self) -> u64 {
        self.0.lost()
    }

    fn drain(&self) -> Vec<TraceLine> {
        let lines = self.0.drain().into_iter();
        lines
            .map(|line| TraceLine {
                time_ns: line.time_ns,
                program: line.program,
                text: line.text,
            })
            .collect()
    }
}
