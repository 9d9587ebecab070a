//! Live maps for Python.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::errors::guarded;
use crate::maps::{self, MapOptions};

/// A live map.
#[pyclass(frozen, module = "ebpfd_vm._native")]
pub struct Map(pub Arc<maps::Map>);

type Entry<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

#[pymethods]
impl Map {
    #[new]
    #[pyo3(signature = (
        r#type, key_size, value_size, max_entries,
        *, name = "", flags = 0, initial = None, read_only = false,
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
    ) -> PyResult<Self> {
        let options = MapOptions {
            name: name.to_owned(),
            map_type: r#type,
            key_size,
            value_size,
            max_entries,
            flags,
            initial,
            read_only,
        };
        guarded(|| maps::Map::new(options)).map(|map| Self(Arc::new(map)))
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

    #[pyo3(signature = (key, /))]
    fn lookup<'py>(&self, py: Python<'py>, key: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let value = guarded(|| self.0.lookup(key))?;
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
        let pair =
            |(key, value): &(Vec<u8>, Vec<u8>)| (PyBytes::new(py, key), PyBytes::new(py, value));
        Ok(entries.iter().map(pair).collect())
    }

    fn __repr__(&self) -> String {
        format!("Map({:?}, type={})", self.0.name(), self.0.map_type())
    }
}
