//! Gates, and programs of images, for Python.

use std::fs::File;
use std::iter;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use pyo3::prelude::*;

use super::errors::guarded;
use super::execution::{Counters, Program};
use super::helper::Callback;
use super::maps::{owned, storage};
use crate::contract::ProgramInformation;
use crate::error::{EngineError, Result, ResultCode};
use crate::exec::{self, Binding, Bindings, Image, Leads, Made, Options, Part, Places, Remote};
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

    fn events(&self) -> Counters {
        Counters::of(self.0.events())
    }
}

/// The image of a program that was made here, with those that it leads to, and the maps
/// that it wants.
pub fn image_of(program: &Program, leads_to: &[Py<Program>]) -> Result<(Vec<u8>, Places)> {
    let all = iter::once(program).chain(leads_to.iter().map(Py::get));
    let made: Vec<Made<'_>> = all.map(made).collect::<Result<_>>()?;
    let (image, places) = Image::of(&made)?;
    Ok((image.bytes(), places))
}

fn made(program: &Program) -> Result<Made<'_>> {
    let source = program
        .source
        .as_ref()
        .ok_or_else(|| EngineError::argument("the program came from an image itself"))?;
    Ok(Made {
        program: &program.program,
        spec: &source.spec,
        information: &source.information,
        maps: &source.maps,
        tag: source.tag,
    })
}

/// The first program of an image in a sealed memfd, on maps in these files, and with a gate for
/// each program; `helper` answers for the extension, and `options` are what else this process has.
pub fn program_of(
    image: i32,
    maps: &[i32],
    gates: &[Arc<exec::Gate>],
    options: &Options,
    helper: Option<Callback>,
) -> Result<Program> {
    let image = Image::sealed(&owned(image)?.into())?;
    if gates.len() != image.programs.len() {
        return Err(EngineError::argument(format!(
            "gates are {}, but the image has {} programs",
            gates.len(),
            image.programs.len()
        )));
    }
    let maps = open(&image, maps)?;
    let arrays = image.maps.iter().zip(&maps);
    let arrays: Vec<_> = arrays
        .filter(|(declared, _)| !declared.programs.is_empty())
        .collect();
    let leads = Leads(arrays.iter().map(|(_, map)| Arc::clone(map)).collect());
    let helper = helper.map(|helper| Arc::new(helper) as Arc<dyn Remote>);
    let make = |(part, gate): (&Part, &Arc<exec::Gate>), leads: Option<Arc<Leads>>| {
        let options = Options {
            gate: Some(Arc::clone(gate)),
            local: bindings(part, helper.as_ref()),
            tag: part.tag,
            budget: Some(part.budget),
            verified: part.verified,
            execution: part.execution,
            leads,
            ..options.clone()
        };
        exec::Program::new(&part.spec, maps.clone(), &part.information, options).map(Arc::new)
    };
    // What is run is in no array, so that it goes when nobody has it any more, and the others with
    // it: one that leads to itself is there twice.
    let first = make((&image.programs[0], &gates[0]), Some(Arc::new(leads)))?;
    let mut led = vec![None; gates.len()];
    for (declared, map) in arrays {
        for entry in &declared.programs {
            let program = match &led[entry.program] {
                Some(made) => Arc::clone(made),
                None => make(
                    (&image.programs[entry.program], &gates[entry.program]),
                    None,
                )?,
            };
            led[entry.program] = Some(Arc::clone(&program));
            map.set_program(&entry.index.to_le_bytes(), program, entry.tag as u32, 0)?;
        }
    }
    Ok(Program {
        program: first,
        source: None,
    })
}

/// The helpers of the contract that the program calls, each answered by `helper`.
fn bindings(part: &Part, helper: Option<&Arc<dyn Remote>>) -> Bindings {
    let Some(helper) = helper else {
        return Bindings::default();
    };
    let mut ids = part.spec.helper_ids();
    ids.retain(|id| part.information.helper(*id).is_some());
    ids.into_iter()
        .map(|id| (id, Binding::Local(Arc::clone(helper))))
        .collect()
}

/// The maps of an image: those with contents are made, the others are in the files, in order; the
/// file of a map with records has its event behind it.
fn open(image: &Image, files: &[i32]) -> Result<Vec<Arc<Map>>> {
    let mut files = files.iter();
    let mut maps = Vec::new();
    for declared in &image.maps {
        let mut options = declared.options();
        if declared.is_in_file() {
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
