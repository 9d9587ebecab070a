//! The fast door: `Program.invoker()`, a builtin that takes one context and gives the result.
//!
//! A call through pyo3's own entry costs twice what a builtin of one argument
//! costs, and a batch allocates; this is for callers who have one context, know
//! that it has no data, and want an answer within the time of a few `len()`.
//!
//! Sound because: Python calls `enter` attached to the interpreter, with the
//! object that `PyCFunction_NewEx` was given, an [`Invoker`], and with an
//! argument that is alive for the whole call.  A buffer's bytes are only copied,
//! by address and within its length, between `PyObject_GetBuffer` and
//! `PyBuffer_Release`: they may belong to others, so no reference is made of
//! them.  Memory of the invocation is used by whoever took it, and other memory
//! by who finds it taken, so calls that nest or overlap do not meet, also where a
//! run lets go of the GIL.  One thread at a time looks whether it is taken, and
//! gives it back, for there is one GIL: pyo3 refuses sub-interpreters, and no
//! interpreter without a GIL loads a module of this stable ABI.  Nothing unwinds into Python: `caught` ends panics.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

use super::errors::{caught, ended};
use crate::error::{EngineError, ResultCode};
use crate::exec::{Fault, Program, Single};

/// What the builtin is bound to.
#[pyclass(frozen, module = "ebpfd_vm._native")]
pub struct Invoker {
    program: Arc<Program>,
    size: usize,
    /// Whether a run may wait for another thread's, which may wait for the GIL.
    waits: bool,
    /// For who has taken it.
    single: UnsafeCell<Single>,
    taken: AtomicBool,
}

// SAFETY: only who has taken `single` uses it, see the module.
unsafe impl Sync for Invoker {}

/// r0 or an error, in registers either way; see `exec::Program`.
pub type Outcome = Result<u64, Box<PyErr>>;

/// A method's definition, which Python keeps a pointer to and does not change.
pub struct Definition(UnsafeCell<ffi::PyMethodDef>);

// SAFETY: nobody writes to it.
unsafe impl Sync for Definition {}

impl Definition {
    pub const fn new(definition: ffi::PyMethodDef) -> Self {
        Self(UnsafeCell::new(definition))
    }
}

static DEFINITION: Definition = Definition::new(ffi::PyMethodDef {
    ml_name: c"invoke".as_ptr(),
    ml_meth: ffi::PyMethodDefPointer { PyCFunction: enter },
    ml_flags: ffi::METH_O,
    ml_doc: c"Run the program on one context; the 32-bit result.".as_ptr(),
});

/// A builtin function that runs `program`, and keeps it alive.
pub fn invoker<'py>(py: Python<'py>, program: &Arc<Program>) -> PyResult<Bound<'py, PyAny>> {
    let bound = Bound::new(py, Invoker::new(Arc::clone(program))?)?;
    built_in(bound.as_any(), &DEFINITION)
}

/// A builtin function of `definition` that is bound to `slf`, as the definition expects it.
pub fn built_in<'py>(
    slf: &Bound<'py, PyAny>,
    definition: &'static Definition,
) -> PyResult<Bound<'py, PyAny>> {
    let definition = definition.0.get();
    // SAFETY: the definition is static, the object alive; a new reference or NULL comes back.
    unsafe {
        let function = ffi::PyCFunction_NewEx(definition, slf.as_ptr(), ptr::null_mut());
        Bound::from_owned_ptr_or_err(slf.py(), function)
    }
}

/// The builtin itself.
unsafe extern "C" fn enter(
    slf: *mut ffi::PyObject,
    argument: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: see the module.
    let (py, slf) = unsafe {
        let py = Python::assume_attached();
        (py, Bound::from_borrowed_ptr(py, slf))
    };
    // SAFETY: only `invoker` makes functions of this definition.
    let invoker = unsafe { slf.cast_unchecked::<Invoker>() }.get();
    // SAFETY: see the module.
    match unsafe { invoker.call(py, argument) } {
        // SAFETY: attached.
        Ok(result) => unsafe { ffi::PyLong_FromUnsignedLongLong(result & 0xffff_ffff) },
        Err(error) => {
            error.restore(py);
            ptr::null_mut()
        }
    }
}

impl Invoker {
    pub fn new(program: Arc<Program>) -> PyResult<Self> {
        if program.blocking() {
            return Err(EngineError::new(
                ResultCode::OperationNotSupported,
                "invoker: the program calls helpers of an extension, which may block; use run_batch",
            )
            .into());
        }
        Ok(Self {
            size: program.context_size(),
            waits: program.uses_lane(),
            single: UnsafeCell::new(Single::new(Arc::clone(&program))),
            taken: AtomicBool::new(false),
            program,
        })
    }

    /// Whether the daemon lets this process run the program no more.
    pub fn is_taken_back(&self) -> bool {
        self.program.is_taken_back()
    }

    /// # Safety
    /// `argument` is an object that stays alive.
    pub unsafe fn call(&self, py: Python<'_>, argument: *mut ffi::PyObject) -> Outcome {
        // SAFETY: the caller's promise; the length is that of the bytes.
        unsafe {
            if ffi::PyBytes_Check(argument) != 0 {
                let start = ffi::PyBytes_AsString(argument).cast::<c_void>();
                let length = ffi::PyBytes_Size(argument);
                return self.invoke(py, start, length, true);
            }
            let mut view = MaybeUninit::<ffi::Py_buffer>::uninit();
            if ffi::PyObject_GetBuffer(argument, view.as_mut_ptr(), ffi::PyBUF_SIMPLE) != 0 {
                return Err(Box::new(PyErr::fetch(py)));
            }
            let view = view.assume_init_mut();
            let outcome = self.invoke(py, view.buf, view.len, is_set(view.readonly));
            ffi::PyBuffer_Release(view);
            outcome
        }
    }

    /// # Safety
    /// `length` bytes at `start` can be read, and written unless they are `read_only`.
    unsafe fn invoke(
        &self,
        py: Python<'_>,
        start: *mut c_void,
        length: ffi::Py_ssize_t,
        read_only: bool,
    ) -> Outcome {
        if usize::try_from(length).unwrap_or(0) < self.size {
            return Err(self.short(length));
        }
        let start = start.cast::<u8>();
        // SAFETY: the caller's promise, and there are bytes enough for a context.
        let run = |single: &mut Single| unsafe { run_at(single, start, read_only) };
        let outcome = caught(|| {
            self.with_single(|single| {
                if !self.waits {
                    return run(single);
                }
                let alone = Alone((single, run));
                py.detach(|| {
                    let (single, run) = alone.into_inner();
                    run(single)
                })
            })
        });
        outcome?.map_err(|fault| Box::new(ended(*fault)))
    }

    /// The memory of this invoker, or other memory if somebody is using it.
    fn with_single<T>(&self, run: impl FnOnce(&mut Single) -> T) -> T {
        if !self.take() {
            return run(&mut Single::new(Arc::clone(&self.program)));
        }
        // SAFETY: taken, until `Free` is dropped.
        let single = unsafe { &mut *self.single.get() };
        let _free = Free(&self.taken);
        run(single)
    }

    /// An exchange would cost as much as a small program; the GIL makes one of these two.
    fn take(&self) -> bool {
        let free = !self.taken.load(Ordering::Relaxed);
        self.taken.store(true, Ordering::Relaxed);
        free
    }

    #[cold]
    fn short(&self, length: ffi::Py_ssize_t) -> Box<PyErr> {
        let refused = EngineError::argument(format!(
            "context has {length} bytes: contexts of this program type have {}",
            self.size
        ));
        Box::new(refused.into())
    }
}

/// What a thread uses while it is detached, and no other one.
struct Alone<T>(T);

// SAFETY: a detached thread is the same thread.
unsafe impl<T> Send for Alone<T> {}

impl<T> Alone<T> {
    fn into_inner(self) -> T {
        self.0
    }
}

/// Ends the use of an invoker's memory, also by a panic.
struct Free<'a>(&'a AtomicBool);

impl Drop for Free<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Run on the context at `start`, which gets back what the contract lets a program write.
///
/// # Safety
/// There are a context's bytes at `start`, which may be written unless they are `read_only`.
unsafe fn run_at(single: &mut Single, start: *mut u8, read_only: bool) -> Result<u64, Box<Fault>> {
    let context = single.context();
    // SAFETY: the caller's promise; engine memory overlaps with nobody's.
    unsafe { ptr::copy_nonoverlapping(start, context.as_mut_ptr(), context.len()) };
    let outcome = single.run();
    if !read_only {
        let (context, writable) = single.left();
        for (offset, size) in writable {
            let part = &context[*offset..offset + size];
            // SAFETY: the same; writable ranges lie inside the context.
            unsafe { ptr::copy_nonoverlapping(part.as_ptr(), start.add(*offset), *size) };
        }
    }
    outcome
}

fn is_set(flag: c_int) -> bool {
    flag != 0
}
