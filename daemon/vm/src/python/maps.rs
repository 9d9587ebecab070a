//! Live maps for Python.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::errors::guarded;
use super::execution::Program;
use crate::error::{EngineError, Result};
use crate::maps::{self, InnerMap, MapOptions, Storage, budget, lanes};

/// A live map.
#[pyclass(frozen, module = "ebpfd_vm._native")]
pub struct Map(pub Arc<maps::Map>);

type Entry<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);
type Record<'py> = (u32, Bound<'py, PyBytes>);
/// Type, key size, value size, entries.
type Template = (u32, u32, u32, u32);

/// Lanes of this machine: how many values each entry of a per-CPU map has.
#[pyfunction]
pub fn lane_count() -> usize {
    lanes::count()
}

/// Let all maps of this process have so many bytes together.
#[pyfunction]
#[pyo3(signature = (size_bytes, /))]
pub fn limit_map_memory(size_bytes: Option<usize>) {
    budget::limit(size_bytes.unwrap_or(usize::MAX));
}

/// What they have, and how often one got no more.
#[pyfunction]
pub fn map_memory() -> (usize, u64) {
    budget::taken()
}

#[pymethods]
impl Map {
    #[new]
    #[pyo3(signature = (
        r#type, key_size, value_size, max_entries,
        *, name = "", flags = 0, initial = None, read_only = false,
        inner = None, file = None, shared = false, event = None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are a map's declaration")]
    fn new(
        r#type: u32,
        key_size: u32,
        value_size: u32,
        max_entries: u32,
        name: &str,
        flags: u32,
        initial: Option<Vec<u8>>,
        read_only: bool,
        inner: Option<Template>,
        file: Option<i32>,
        shared: bool,
        event: Option<i32>,
    ) -> PyResult<Self> {
        let options = || {
            Ok(MapOptions {
                name: name.to_owned(),
                map_type: r#type,
                key_size,
                value_size,
                max_entries,
                flags,
                initial,
                read_only,
                inner: inner.map(template),
                storage: storage(file, shared)?,
                lanes: None,
                event: event.map(owned).transpose()?,
            })
        };
        guarded(|| maps::Map::new(options()?)).map(|map| Self(Arc::new(map)))
    }

    #[getter]
    fn r#type(&self) -> u32 {
        self.0.map_type()
    }

    #[getter]
    fn key_size(&self) -> usize {
        self.0.key_size()
    }

    #[getter]
    fn value_size(&self) -> usize {
        self.0.value_size()
    }

    #[getter]
    fn user_value_size(&self) -> usize {
        self.0.user_value_size()
    }

    #[getter]
    fn lanes(&self) -> usize {
        self.0.lanes()
    }

    #[getter]
    fn max_entries(&self) -> u32 {
        self.0.max_entries()
    }

    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    #[getter]
    fn flags(&self) -> u32 {
        self.0.flags()
    }

    #[getter]
    fn read_only(&self) -> bool {
        self.0.read_only()
    }

    #[getter]
    fn inner(&self) -> Option<Template> {
        let inner = self.0.inner()?;
        Some((
            inner.map_type,
            inner.key_size,
            inner.value_size,
            inner.max_entries,
        ))
    }

    #[getter]
    fn count(&self) -> Option<usize> {
        self.0.count()
    }

    #[getter]
    fn has_records(&self) -> bool {
        self.0.has_records()
    }

    #[getter]
    fn reserved(&self) -> usize {
        self.0.reserved()
    }

    fn fileno(&self) -> PyResult<i32> {
        guarded(|| {
            self.0.file().map(AsRawFd::as_raw_fd).ok_or_else(|| {
                EngineError::argument("the map lives in memory of this process alone")
            })
        })
    }

    /// Leave other processes behind: go on in a new memfd, or in an empty file.
    #[pyo3(signature = (file = None))]
    fn renew(&self, py: Python<'_>, file: Option<i32>) -> PyResult<()> {
        py.detach(|| guarded(|| self.0.renew(storage(file, true)?)))
    }

    fn bind(&self) -> PyResult<()> {
        guarded(|| self.0.bind())
    }

    #[pyo3(signature = (key, /))]
    fn lookup<'py>(&self, py: Python<'py>, key: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let lookup = || guarded(|| self.0.lookup(key));
        // Quick, unless another process has the map's lock.
        let value = match self.0.file() {
            None => lookup(),
            Some(_) => py.detach(lookup),
        }?;
        Ok(PyBytes::new(py, &value))
    }

    #[pyo3(signature = (key, value, flags = 0, /))]
    fn update(&self, py: Python<'_>, key: &[u8], value: &[u8], flags: u64) -> PyResult<()> {
        py.detach(|| guarded(|| self.0.update(key, value, flags)))
    }

    #[pyo3(signature = (key, /))]
    fn delete(&self, py: Python<'_>, key: &[u8]) -> PyResult<()> {
        py.detach(|| guarded(|| self.0.delete(key)))
    }

    #[pyo3(signature = (key, /))]
    fn take<'py>(&self, py: Python<'py>, key: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let value = py.detach(|| guarded(|| self.0.take(key)))?;
        Ok(PyBytes::new(py, &value))
    }

    #[pyo3(signature = (value, flags = 0, /))]
    fn push(&self, py: Python<'_>, value: &[u8], flags: u64) -> PyResult<()> {
        py.detach(|| guarded(|| self.0.push(value, flags)))
    }

    fn pop<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let value = py.detach(|| guarded(|| self.0.pop()))?;
        Ok(PyBytes::new(py, &value))
    }

    fn peek<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let value = py.detach(|| guarded(|| self.0.peek()))?;
        Ok(PyBytes::new(py, &value))
    }

    #[pyo3(signature = (key, /))]
    fn next_key<'py>(&self, py: Python<'py>, key: Option<&[u8]>) -> PyResult<Bound<'py, PyBytes>> {
        let next = py.detach(|| guarded(|| self.0.next_key(key)))?;
        Ok(PyBytes::new(py, &next))
    }

    /// Up to `limit` entries that follow `after`.
    #[pyo3(signature = (after, limit, /))]
    fn entries<'py>(
        &self,
        py: Python<'py>,
        after: Option<&[u8]>,
        limit: usize,
    ) -> PyResult<Vec<Entry<'py>>> {
        let entries = py.detach(|| guarded(|| self.0.entries(after, limit)))?;
        Ok(pairs(py, &entries))
    }

    /// Update keys, in order, until one fails.
    #[pyo3(signature = (keys, values, flags = 0, /))]
    fn update_batch(
        &self,
        py: Python<'_>,
        keys: &[u8],
        values: &[u8],
        flags: u64,
    ) -> PyResult<usize> {
        py.detach(|| guarded(|| self.0.update_batch(keys, values, flags)))
    }

    /// Delete keys, in order, until one fails.
    #[pyo3(signature = (keys, /))]
    fn delete_batch(&self, py: Python<'_>, keys: &[u8]) -> PyResult<usize> {
        py.detach(|| guarded(|| self.0.delete_batch(keys)))
    }

    /// Remove up to `limit` entries that follow `after`, and return them.
    #[pyo3(signature = (after, limit, /))]
    fn take_entries<'py>(
        &self,
        py: Python<'py>,
        after: Option<&[u8]>,
        limit: usize,
    ) -> PyResult<Vec<Entry<'py>>> {
        let entries = py.detach(|| guarded(|| self.0.take_entries(after, limit)))?;
        Ok(pairs(py, &entries))
    }

    #[pyo3(signature = (key, map, map_id, flags = 0, /))]
    fn set_map(&self, key: &[u8], map: &Bound<'_, Self>, map_id: u32, flags: u64) -> PyResult<()> {
        let map = Arc::clone(&map.get().0);
        guarded(|| self.0.set_map(key, map, map_id, flags))
    }

    #[pyo3(signature = (key, program, program_id, flags = 0, /))]
    fn set_program(
        &self,
        key: &[u8],
        program: &Bound<'_, Program>,
        program_id: u32,
        flags: u64,
    ) -> PyResult<()> {
        let program = Arc::clone(&program.get().program);
        guarded(|| self.0.set_program(key, program, program_id, flags))
    }

    fn clear_objects(&self) {
        self.0.clear_objects();
    }

    /// Records (lane, bytes), and how many were lost, by lane.
    #[pyo3(signature = (limit, size, /))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        limit: usize,
        size: usize,
    ) -> PyResult<(Vec<Record<'py>>, Vec<u64>)> {
        let read = py.detach(|| guarded(|| self.0.read(limit, size)))?;
        let record = |record: &maps::Record| (record.lane, PyBytes::new(py, &record.data));
        Ok((read.records.iter().map(record).collect(), read.lost))
    }

    #[pyo3(signature = (data, /))]
    fn write(&self, py: Python<'_>, data: &[u8]) -> PyResult<()> {
        py.detach(|| guarded(|| self.0.output(0, &[data])))
    }

    fn event(&self) -> PyResult<i32> {
        guarded(|| self.0.event())
    }

    fn wake(&self) -> PyResult<()> {
        guarded(|| self.0.wake())
    }

    fn arm(&self) -> PyResult<bool> {
        guarded(|| self.0.arm())
    }

    #[getter]
    fn lost(&self) -> u64 {
        self.0.lost()
    }

    fn __repr__(&self) -> String {
        format!("Map({:?}, type={})", self.0.name(), self.0.map_type())
    }
}

fn pairs<'py>(py: Python<'py>, entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<Entry<'py>> {
    let pair = |(key, value): &(Vec<u8>, Vec<u8>)| (PyBytes::new(py, key), PyBytes::new(py, value));
    entries.iter().map(pair).collect()
}

fn template((map_type, key_size, value_size, max_entries): Template) -> InnerMap {
    InnerMap {
        map_type,
        key_size,
        value_size,
        max_entries,
    }
}

/// Where a map shall live; the descriptor stays the caller's.
pub fn storage(file: Option<i32>, shared: bool) -> Result<Storage> {
    let Some(descriptor) = file else {
        return Ok(if shared {
            Storage::Memfd
        } else {
            Storage::Anonymous
        });
    };
    owned(descriptor).map(Storage::File)
}

/// A descriptor of our own for what the caller's one leads to.
pub fn owned(descriptor: i32) -> Result<OwnedFd> {
    if descriptor < 0 {
        return Err(EngineError::argument(format!(
            "descriptor is {descriptor}: it must be an open one"
        )));
    }
    // SAFETY: the caller has the descriptor open during this call; a wrong number is refused.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    borrowed
        .try_clone_to_owned()
        .map_err(|error| EngineError::argument(format!("descriptor {descriptor}: {error}")))
}
