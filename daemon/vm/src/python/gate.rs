//! Gates, and programs of images, for Python.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use pyo3::prelude::*;

use super::errors::guarded;
use super::execution::{Counters, Program};
use super::helper::Callback;
use super::maps::{owned, storage};
use crate::contract::ProgramInformation;
use crate::error::{EngineError, Result, ResultCode};
use crate::exec::{self, Binding, Bindings, Image, Options, Remote};
use crate::maps::{Map, Storage, lanes, map_type};
use crate::spec::ProgramSpec;

/// A lane that another process has while this lives.
#[pyclass(frozen, module = "ebpfd_vm._native")]
pub struct Lane(lanes::Lent);

#[pymethods]
impl Lane {
    #[new]
    fn new() -> PyResult<Self> {
        guarded(lanes::lend).map(Self)
    }

    #[getter]
    fn number(&self) -> u32 {
        self.0.number()
    }
}

/// What a program was made of.
pub struct Source {
    pub spec: Arc<ProgramSpec>,
    pub information: ProgramInformation,
    pub maps: Vec<Arc<Map>>,
    pub tag: u64,
}

/// Words that the daemon shares with one process that runs a program for it.
#[pyclass(frozen, module = "ebpfd_vm._native")]
pub struct Gate(pub Arc<exec::Gate>);

#[pymethods]
impl Gate {
    #[new]
    #[pyo3(signature = (file = None))]
    fn new(file: Option<i32>) -> PyResult<Self> {
        guarded(|| exec::Gate::new(storage(file, true)?)).map(|gate| Self(Arc::new(gate)))
    }

    fn fileno(&self) -> PyResult<i32> {
        guarded(|| {
            let file = self.0.file().map(AsRawFd::as_raw_fd);
            file.ok_or_else(|| EngineError::argument("the gate has no memfd"))
        })
    }

    fn close(&self) {
        self.0.close();
    }

    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    #[getter]
    fn busy(&self) -> bool {
        self.0.is_busy()
    }

    #[getter]
    fn inside(&self) -> u64 {
        self.0.inside()
    }

    fn counters(&self) -> Counters {
        Counters::of(self.0.counters())
    }
}

/// The image of a program that was made here, and the places of the maps that it wants.
pub fn image_of(program: &Program) -> Result<(Vec<u8>, Vec<usize>)> {
    let source = program
        .source
        .as_ref()
        .ok_or_else(|| EngineError::argument("the program came from an image itself"))?;
    let (image, indices) = Image::of(&source.spec, &source.maps, &source.information)?;
    let image = program.program.vouched(image, source.tag)?;
    Ok((image.bytes(), indices))
}

/// The program of an image in a sealed memfd, on maps in these files; `helper` answers for the
/// extension, and `options` are what else this process has for it.
pub fn program_of(
    image: i32,
    maps: &[i32],
    options: Options,
    helper: Option<Callback>,
) -> Result<Program> {
    let image = Image::sealed(&owned(image)?.into())?;
    let options = Options {
        local: bindings(&image, helper),
        tag: image.tag,
        budget: Some(image.budget),
        verified: image.verified,
        execution: image.execution,
        ..options
    };
    let maps = open(&image, maps)?;
    let program = exec::Program::new(&image.spec, maps, &image.information, options)?;
    Ok(Program {
        program: Arc::new(program),
        source: None,
    })
}

/// The helpers of the contract that the program calls, each answered by `helper`.
fn bindings(image: &Image, helper: Option<Callback>) -> Bindings {
    let Some(helper) = helper else {
        return Bindings::default();
    };
    let helper: Arc<dyn Remote> = Arc::new(helper);
    let mut ids = image.spec.helper_ids();
    ids.retain(|id| image.information.helper(*id).is_some());
    ids.into_iter()
        .map(|id| (id, Binding::Local(Arc::clone(&helper))))
        .collect()
}

/// The maps of an image: those with contents are made, the others are in the files, in order; the
/// file of a map with records has its event behind it.
fn open(image: &Image, files: &[i32]) -> Result<Vec<Arc<Map>>> {
    let mut files = files.iter();
    let mut maps = Vec::new();
    for declared in &image.maps {
        let mut options = declared.options();
        if declared.contents.is_none() {
            let file = files
                .next()
                .ok_or_else(|| EngineError::argument("maps: the image wants more of them"))?;
            let file = File::from(owned(*file)?);
            if file.metadata().map_or(0, |found| found.len()) == 0 {
                // Or a new map would be made in it.
                return Err(EngineError::new(
                    ResultCode::InvalidObject,
                    format!("maps: the file of map {} is empty", declared.name),
                ));
            }
            options.storage = Storage::File(file.into());
            if map_type::has_records(declared.map_type) {
                let event = files.next().ok_or_else(|| {
                    EngineError::argument("maps: the event of a map with records is missing")
                })?;
                options.event = Some(owned(*event)?);
            }
        }
        maps.push(Arc::new(Map::new(options)?));
    }
    Ok(maps)
}
