//! What the loader gives: objects, programs, maps and source lines as values.

use std::collections::HashMap;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sha2::{Digest, Sha256};

use super::contract;
use super::errors::guarded;
use crate::{disassembly, loader, spec};

#[pyclass(frozen, get_all, eq, module = "ebpfd_vm._native")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub text: String,
}

impl From<&spec::SourceLine> for SourceLine {
    fn from(source: &spec::SourceLine) -> Self {
        Self {
            file: source.file.to_string(),
            line: source.line,
            column: source.column,
            text: source.text.to_string(),
        }
    }
}

#[pymethods]
impl SourceLine {
    fn __repr__(&self) -> String {
        format!("SourceLine({}:{}:{})", self.file, self.line, self.column)
    }
}

/// A map as an object file declares it.
#[pyclass(frozen, module = "ebpfd_vm._native")]
pub struct MapSpec(pub spec::MapSpec);

#[pymethods]
impl MapSpec {
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    #[getter]
    fn r#type(&self) -> u32 {
        self.0.map_type
    }

    #[getter]
    fn key_size(&self) -> u32 {
        self.0.key_size
    }

    #[getter]
    fn value_size(&self) -> u32 {
        self.0.value_size
    }

    #[getter]
    fn max_entries(&self) -> u32 {
        self.0.max_entries
    }

    #[getter]
    fn flags(&self) -> u32 {
        self.0.flags
    }

    #[getter]
    fn pinning(&self) -> u32 {
        self.0.pinning
    }

    #[getter]
    fn inner(&self) -> Option<usize> {
        self.0.inner
    }

    #[getter]
    fn values(&self) -> Vec<(u32, String)> {
        self.0.values.clone()
    }

    #[getter]
    fn initial<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.0.initial.as_ref().map(|bytes| PyBytes::new(py, bytes))
    }

    #[getter]
    fn read_only(&self) -> bool {
        self.0.read_only
    }

    fn __repr__(&self) -> String {
        format!("MapSpec({:?}, type={})", self.0.name, self.0.map_type)
    }
}

/// One program with its sub-programs linked behind it.
#[pyclass(frozen, module = "ebpfd_vm._native")]
pub struct ProgramSpec(pub Arc<spec::ProgramSpec>);

#[pymethods]
impl ProgramSpec {
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    #[getter]
    fn section(&self) -> &str {
        &self.0.section
    }

    #[getter]
    fn instructions<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.bytes())
    }

    #[getter]
    fn sha256<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let mut digest = Sha256::new_with_prefix(self.0.bytes());
        // Instructions alone do not say whom a call of an import means.
        for import in &self.0.imports {
            for text in [&import.module, &import.name] {
                digest.update(text.as_bytes());
                digest.update([0]);
            }
        }
        PyBytes::new(py, &digest.finalize())
    }

    #[getter]
    fn debug_sha256<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let mut digest = Sha256::new();
        let mut text = |text: &str| {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text.as_bytes());
        };
        text(&self.0.name);
        text(&self.0.subprograms.len().to_string());
        for sub in &self.0.subprograms {
            text(&sub.name);
            text(&sub.start.to_string());
        }
        for helper in &self.0.helpers {
            text(&format!("{} {}", helper.id, helper.start));
        }
        for missing in &self.0.unresolved {
            text(&missing.pc.to_string());
            text(&missing.reason);
        }
        for record in &self.0.lines {
            let source = &record.source;
            text(&source.file);
            text(&source.text);
            text(&format!("{} {} {}", record.pc, source.line, source.column));
        }
        PyBytes::new(py, &digest.finalize())
    }

    #[getter]
    fn imports(&self) -> Vec<(String, String)> {
        let imports = self.0.imports.iter();
        imports
            .map(|import| (import.module.to_string(), import.name.to_string()))
            .collect()
    }

    #[getter]
    fn map_indices(&self) -> Vec<usize> {
        self.0.map_indices()
    }

    #[getter]
    fn helper_ids(&self) -> Vec<u32> {
        self.0.helper_ids()
    }

    #[getter]
    fn subprograms(&self) -> Vec<(String, usize)> {
        let subprograms = self.0.subprograms.iter();
        subprograms
            .map(|sub| (sub.name.clone(), sub.start))
            .collect()
    }

    #[getter]
    fn relocatable(&self) -> bool {
        !self.0.relocations.is_empty()
    }

    #[getter]
    fn unresolved(&self) -> Vec<(usize, String)> {
        let unresolved = self.0.unresolved.iter();
        unresolved
            .map(|missing| (missing.pc, missing.reason.clone()))
            .collect()
    }

    #[pyo3(signature = (btf, /))]
    fn relocated(slf: Bound<'_, Self>, btf: &[u8]) -> PyResult<Py<Self>> {
        let (py, spec) = (slf.py(), Arc::clone(&slf.get().0));
        match py.detach(|| guarded(|| loader::relocated(&spec, btf)))? {
            Some(relocated) => Py::new(py, Self(Arc::new(relocated))),
            None => Ok(slf.unbind()),
        }
    }

    #[getter]
    fn linked_helpers(&self) -> Vec<(u32, usize)> {
        let helpers = self.0.helpers.iter();
        helpers.map(|helper| (helper.id, helper.start)).collect()
    }

    #[pyo3(signature = (helpers, /))]
    fn linked(slf: Bound<'_, Self>, helpers: &Bound<'_, PyAny>) -> PyResult<Py<Self>> {
        let (py, spec) = (slf.py(), Arc::clone(&slf.get().0));
        let helpers = contract::all_shipped(helpers, &spec.helper_ids())?;
        match py.detach(|| guarded(|| loader::shipped::linked(&spec, &helpers)))? {
            Some(linked) => Py::new(py, Self(Arc::new(linked))),
            None => Ok(slf.unbind()),
        }
    }

    #[pyo3(signature = (pc, /))]
    fn source_line(&self, pc: usize) -> Option<SourceLine> {
        self.0.source_line(pc).map(SourceLine::from)
    }

    fn __repr__(&self) -> String {
        format!(
            "ProgramSpec({:?}, section={:?})",
            self.0.name, self.0.section
        )
    }
}

/// What an ELF file holds.
#[pyclass(frozen, module = "ebpfd_vm._native")]
pub struct Object {
    programs: Vec<Py<ProgramSpec>>,
    maps: Vec<Py<MapSpec>>,
    #[pyo3(get)]
    license: Option<String>,
}

#[pymethods]
impl Object {
    #[getter]
    fn programs(&self, py: Python<'_>) -> Vec<Py<ProgramSpec>> {
        self.programs
            .iter()
            .map(|spec| spec.clone_ref(py))
            .collect()
    }

    #[getter]
    fn maps(&self, py: Python<'_>) -> Vec<Py<MapSpec>> {
        self.maps.iter().map(|spec| spec.clone_ref(py)).collect()
    }
}

/// Parse a BPF ELF file.
#[pyfunction]
#[pyo3(signature = (data, /))]
pub fn parse_object(py: Python<'_>, data: &[u8]) -> PyResult<Object> {
    let object = py.detach(|| guarded(|| loader::parse_object(data)))?;
    Ok(Object {
        programs: object
            .programs
            .into_iter()
            .map(|spec| Py::new(py, ProgramSpec(Arc::new(spec))))
            .collect::<PyResult<_>>()?,
        maps: object
            .maps
            .into_iter()
            .map(|spec| Py::new(py, MapSpec(spec)))
            .collect::<PyResult<_>>()?,
        license: object.license,
    })
}

/// One instruction as people read it.
#[pyclass(frozen, get_all, module = "ebpfd_vm._native")]
pub struct DisassembledRow {
    pc: usize,
    raw: Py<PyBytes>,
    text: String,
    label: String,
    reference: String,
    source: Option<SourceLine>,
}

/// A program as rows; `maps` are names by index, `helpers` by id.
#[pyfunction]
#[pyo3(signature = (program, maps, helpers, /))]
pub fn disassemble(
    py: Python<'_>,
    program: &Bound<'_, ProgramSpec>,
    maps: HashMap<usize, String>,
    helpers: HashMap<u32, String>,
) -> PyResult<Vec<DisassembledRow>> {
    let spec = Arc::clone(&program.get().0);
    let names = disassembly::Names { maps, helpers };
    let rows = py.detach(|| guarded(|| Ok(disassembly::disassemble(&spec, &names))))?;
    let row = |row: disassembly::Row| DisassembledRow {
        pc: row.pc,
        raw: PyBytes::new(py, &row.bytes).unbind(),
        text: row.text,
        label: row.label,
        reference: row.reference,
        source: row.source.as_ref().map(SourceLine::from),
    };
    Ok(rows.into_iter().map(row).collect())
}
