//! The door of a hook: one for which it is known what to do with callers who cannot pass.
//!
//! `Door.call` is a builtin, as fast as `Program.invoker()`, and takes what any
//! function may be called with.  A context alone is run.  Everything else goes
//! to `otherwise`, and so do all calls while the door is closed, or when the
//! daemon has taken the program back; what a run fails with is `error`'s to say.
//!
//! Sound because: Python calls `enter` attached to the interpreter, with the
//! object that `PyCFunction_NewEx` was given, a [`Door`], and with `count`
//! arguments, and after them one for each of `names`, all alive for the whole
//! call.  Nothing unwinds into Python: `Invoker::call` ends panics, and the rest
//! is Python's work.

use std::ptr;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::door::{Definition, Invoker, built_in};
use super::execution::Program;

/// Runs a program on single contexts, for callers who may want something else.
#[pyclass(frozen, module = "ebpfd_vm._native")]
pub struct Door {
    invoker: Invoker,
    otherwise: Py<PyAny>,
    error: Py<PyAny>,
    closed: AtomicBool,
}

static DEFINITION: Definition = Definition::new(ffi::PyMethodDef {
    ml_name: c"invoke".as_ptr(),
    ml_meth: ffi::PyMethodDefPointer {
        PyCFunctionFastWithKeywords: enter,
    },
    ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
    ml_doc: c"Run the program on one context, or do otherwise.".as_ptr(),
});

#[pymethods]
impl Door {
    #[new]
    #[pyo3(signature = (program, otherwise, error, /))]
    fn new(program: &Bound<'_, Program>, otherwise: Py<PyAny>, error: Py<PyAny>) -> PyResult<Self> {
        Ok(Self {
            invoker: Invoker::new(Arc::clone(&program.get().program))?,
            otherwise,
            error,
            closed: AtomicBool::new(false),
        })
    }

    #[getter]
    fn call<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        built_in(slf.as_any(), &DEFINITION)
    }

    fn open(&self) {
        self.closed.store(false, Ordering::Relaxed);
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.otherwise)?;
        visit.call(&self.error)
    }
}

/// The builtin itself.
unsafe extern "C" fn enter(
    slf: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: see the module.
    let (py, slf) = unsafe {
        let py = Python::assume_attached();
        (py, Bound::from_borrowed_ptr(py, slf))
    };
    // SAFETY: only `Door.call` makes functions of this definition.
    let door = unsafe { slf.cast_unchecked::<Door>() }.get();
    if count == 1 && names.is_null() && !door.closed.load(Ordering::Relaxed) {
        // SAFETY: see the module.
        let context = unsafe { *arguments };
        // SAFETY: the same.
        if unsafe { is_plain(context) } {
            // SAFETY: the same.
            match unsafe { door.invoker.call(py, context) } {
                // SAFETY: attached.
                Ok(result) => {
                    return unsafe { ffi::PyLong_FromUnsignedLongLong(result & 0xffff_ffff) };
                }
                Err(_) if door.invoker.is_taken_back() => {}
                Err(error) => {
                    door.said(py, *error).restore(py);
                    return ptr::null_mut();
                }
            }
        }
    }
    // SAFETY: see the module.
    unsafe { door.elsewhere(py, arguments, count, names) }.map_or_else(
        |error| {
            error.restore(py);
            ptr::null_mut()
        },
        Bound::into_ptr,
    )
}

/// Whether it is what most callers have: bytes, or a buffer to get something back in.
///
/// # Safety
/// `object` is alive.
#[inline]
unsafe fn is_plain(object: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::PyBytes_CheckExact(object) != 0
            || ffi::PyByteArray_CheckExact(object) != 0
            || ffi::PyMemoryView_Check(object) != 0
    }
}

impl Door {
    /// What the caller is told of a run that has failed.
    #[cold]
    fn said(&self, py: Python<'_>, error: PyErr) -> PyErr {
        match self.error.bind(py).call1((error.into_value(py),)) {
            Ok(said) => PyErr::from_value(said),
            Err(failed) => failed,
        }
    }

    /// Pass all arguments on.
    ///
    /// # Safety
    /// There are `count` arguments, and one more for each of `names`, a tuple or NULL.
    #[cold]
    unsafe fn elsewhere<'py>(
        &self,
        py: Python<'py>,
        arguments: *const *mut ffi::PyObject,
        count: ffi::Py_ssize_t,
        names: *mut ffi::PyObject,
    ) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: the caller's promise.
        let names = unsafe { Bound::from_borrowed_ptr_or_opt(py, names) };
        let names = names.map(Bound::cast_into::<PyTuple>).transpose()?;
        let named = names.as_ref().map_or(0, PyTupleMethods::len);
        let count = usize::try_from(count).map_err(|_| PyTypeError::new_err("count < 0"))?;
        let all = match count + named {
            0 => &[],
            // SAFETY: the caller's promise; there is one at least, so it is no NULL.
            all => unsafe { slice::from_raw_parts(arguments, all) },
        };
        let object = |argument: &*mut ffi::PyObject| {
            // SAFETY: the caller's promise.
            unsafe { Bound::from_borrowed_ptr(py, *argument) }
        };
        let positional = PyTuple::new(py, all[..count].iter().map(object))?;
        let keywords = PyDict::new(py);
        for (name, argument) in names.iter().flatten().zip(&all[count..]) {
            keywords.set_item(name, object(argument))?;
        }
        self.otherwise.bind(py).call(positional, Some(&keywords))
    }
}
