//! Helpers: the table of general ones, and calls of an extension's.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use super::{errors, maps::Map};
use crate::error::ResultCode;
use crate::exec::{Failure, Remote, Reply, Value};
use crate::helpers;

/// A general helper that the engine itself implements.
#[pyclass(frozen, module = "ebpfd_vm._native")]
pub struct Helper {
    #[pyo3(get)]
    helper_id: u32,
    #[pyo3(get)]
    name: &'static str,
    #[pyo3(get)]
    return_type: u32,
    arguments: &'static [u32],
    #[pyo3(get)]
    reallocate_packet: bool,
    #[pyo3(get)]
    implicit_context: bool,
}

#[pymethods]
impl Helper {
    #[getter]
    fn arguments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.arguments)
    }

    fn __repr__(&self) -> String {
        format!("Helper({}, {:?})", self.helper_id, self.name)
    }
}

/// The general helpers that the engine implements, in id order.
#[pyfunction]
pub fn general_helpers() -> Vec<Helper> {
    helpers::implemented()
        .map(|helper| Helper {
            helper_id: helper.id,
            name: helper.name,
            return_type: helper.return_type,
            arguments: helper.arguments,
            reallocate_packet: false,
            implicit_context: false,
        })
        .collect()
}

/// A Python function that answers helper calls; called with the GIL held.
pub struct Callback {
    pub function: Py<PyAny>,
    /// The program's maps, so that the callback gets the very objects.
    pub maps: Vec<Py<Map>>,
}

impl Remote for Callback {
    fn call(&self, helper: u32, arguments: Vec<Value>, context: Vec<u8>) -> Result<Reply, Failure> {
        Python::try_attach(|py| {
            self.call_function(py, helper, arguments, &context)
                .map_err(|error| failure(py, &error))
        })
        .unwrap_or_else(|| {
            Err(Failure {
                code: ResultCode::Failed as u8,
                message: "the interpreter is shutting down".into(),
            })
        })
    }
}

impl Callback {
    fn call_function(
        &self,
        py: Python<'_>,
        helper: u32,
        arguments: Vec<Value>,
        context: &[u8],
    ) -> PyResult<Reply> {
        let list = PyList::empty(py);
        for argument in arguments {
            match argument {
                Value::Number(number) => list.append(number)?,
                Value::Bytes(bytes) => list.append(PyBytes::new(py, &bytes))?,
                Value::Map(index) => list.append(self.maps.get(index))?,
                Value::Nothing => list.append(py.None())?,
            }
        }
        let answer = self
            .function
            .bind(py)
            .call1((helper, list, PyBytes::new(py, context)))?;
        let (result, written): (Bound<'_, PyAny>, Vec<(usize, Vec<u8>)>) = answer.extract()?;
        let result = match result.extract::<i64>() {
            Ok(number) => number.cast_unsigned(),
            Err(_) => result.extract::<u64>()?,
        };
        Ok(Reply { result, written })
    }
}

/// A `HelperError` chooses its code; anything else is a failure of the extension.
fn failure(py: Python<'_>, error: &PyErr) -> Failure {
    let (code, message) = errors::helper_error(py, error)
        .unwrap_or_else(|| (ResultCode::Failed as u8, error.to_string()));
    Failure { code, message }
}
