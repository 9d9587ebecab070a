//! `EngineError` and `HelperError`, and the way of errors and panics into them.
//!
//! They are written in Python: the stable ABI of Python 3.11 cannot derive a
//! native class from an exception.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use crate::error::{EngineError, Result, ResultCode};
use crate::exec::Fault;

const SOURCE: &std::ffi::CStr = cr#"
class EngineError(Exception):
    """The engine refused an input; ``code`` is the ``ebpf_result`` that says how."""

    def __init__(self, code, message):
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self):
        return self.message


class HelperError(Exception):
    """Raised by a helper callback to end the invocation with ``code``."""

    def __init__(self, code, message=""):
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self):
        return self.message or f"code {self.code}"
"#;

static ENGINE_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static HELPER_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Define both classes and add them to the module.
pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let namespace = PyDict::new(py);
    namespace.set_item("__name__", module.name()?)?;
    py.run(SOURCE, Some(&namespace), None)?;
    for (name, cell) in [
        ("EngineError", &ENGINE_ERROR),
        ("HelperError", &HELPER_ERROR),
    ] {
        let class = namespace.as_any().get_item(name)?.cast_into::<PyType>()?;
        let class = cell.get_or_init(py, || class.unbind());
        module.add(name, class)?;
    }
    Ok(())
}

/// Run what may fail or, if the engine has a bug, panic.
pub fn guarded<T>(work: impl FnOnce() -> Result<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(bug(panic.as_ref())))
        .map_err(PyErr::from)
}

/// Run what may panic and has its own way to fail.
#[inline(always)]
pub fn caught<T>(work: impl FnOnce() -> T) -> std::result::Result<T, Box<PyErr>> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| Box::new(bug(panic.as_ref()).into()))
}

fn bug(panic: &(dyn Any + Send)) -> EngineError {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    EngineError::new(
        ResultCode::Failed,
        format!("a bug in the engine, please report it: {text}"),
    )
}

impl From<EngineError> for PyErr {
    fn from(error: EngineError) -> Self {
        engine_error(error.code as u8, error.message)
    }
}

/// An invocation ended before its program did.
#[cold]
pub fn ended(fault: Fault) -> PyErr {
    engine_error(fault.code, fault.message)
}

fn engine_error(code: u8, message: String) -> PyErr {
    Python::attach(|py| match ENGINE_ERROR.get(py) {
        Some(class) => PyErr::from_type(class.bind(py).clone(), (code, message)),
        None => pyo3::exceptions::PyRuntimeError::new_err(message),
    })
}

/// The code and message of a `HelperError`; `None` for any other exception.
pub fn helper_error(py: Python<'_>, error: &PyErr) -> Option<(u8, String)> {
    let class = HELPER_ERROR.get(py)?;
    if !error.is_instance(py, class.bind(py)) {
        return None;
    }
    let value = error.value(py);
    let code: u8 = value.getattr("code").ok()?.extract().ok()?;
    let text = value.str().map_or(String::new(), |text| text.to_string());
    (code != 0).then_some((code, text))
}
