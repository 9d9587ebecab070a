//! A program as bytes, for another process to run it as this one does.
//!
//! With it go the programs that it leads to by tail calls, and those that these lead to, on the
//! maps that all of them have together.
//!
//! What a process needs to run a program is here, and nothing that it would
//! have to find out again: instructions that were linked and relocated, the
//! contract as the verifier saw it, and the verdict.  On the verdict rests that
//! machine code has no checks, so an image is read from a memfd alone that is
//! sealed against every change and belongs to this process's user or to root.
//!
//! Numbers are little-endian; whatever varies in length has its length first.
//!
//! Sound because: system calls get descriptors of files that are open.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use super::program::{Execution, Program, Verified};
use crate::contract::{ContextDescriptor, ContextField, ProgramInformation, Prototype};
use crate::error::{EngineError, Result, ResultCode};
use crate::isa::Insn;
use crate::maps::{Map, MapOptions, map_type};
use crate::spec::{ProgramSpec, Subprogram};

const MAGIC: &[u8; 8] = b"ebpfimg3";
/// Bytes that an image may have: a program, its contract, and its read-only data.
const MAX_IMAGE: u64 = 64 << 20;
/// Bytes of read-only data that an image may carry for one map.
const MAX_CONTENTS: usize = 16 << 20;
/// Everything that must be sealed: a file that is never another one again.
const SEALS: i32 = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE | libc::F_SEAL_SEAL;

/// What programs are made of, wherever they run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The first one is what is run; the others it leads to.
    pub programs: Vec<Part>,
    /// In the order in which the instructions of all of them count them.
    pub maps: Vec<Declared>,
}

/// A program of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub spec: ProgramSpec,
    pub information: ProgramInformation,
    pub verified: Verified,
    pub budget: u64,
    pub execution: Execution,
    /// The program's id, where it came from.
    pub tag: u64,
}

/// A program that was made here, and what it was made of.
#[derive(Clone, Copy)]
pub struct Made<'a> {
    pub program: &'a Program,
    pub spec: &'a ProgramSpec,
    pub information: &'a ProgramInformation,
    pub maps: &'a [Arc<Map>],
    pub tag: u64,
}

/// Maps by the program, and by their index there.
pub type Places = Vec<(usize, usize)>;

/// A program under an index of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub index: u32,
    pub tag: u64,
    /// Among the programs of the image.
    pub program: usize,
}

/// A map of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    pub name: String,
    pub map_type: u32,
    pub key_size: u32,
    pub value_size: u32,
    pub max_entries: u32,
    pub flags: u32,
    pub read_only: bool,
    /// Values that each entry has, or rings that the map has: 0 if it is not per-CPU.
    pub lanes: u32,
    /// Of a map that nobody writes, all of it; other maps, but for arrays of programs, are in files.
    pub contents: Option<Vec<u8>>,
    /// Of an array of programs, all of them.
    pub programs: Vec<Entry>,
}

impl Declared {
    /// Whether the map is in a file, which both processes have.
    pub fn is_in_file(&self) -> bool {
        self.contents.is_none() && self.map_type != map_type::PROG_ARRAY
    }

    /// Options for the map, but for where it lives.
    pub fn options(&self) -> MapOptions {
        MapOptions {
            name: self.name.clone(),
            map_type: self.map_type,
            key_size: self.key_size,
            value_size: self.value_size,
            max_entries: self.max_entries,
            flags: self.flags,
            read_only: self.read_only,
            initial: self.contents.clone(),
            lanes: Some(self.lanes),
            ..MapOptions::default()
        }
    }
}

/// Why a program cannot run in another process.
fn only_here(reason: impl Into<String>) -> EngineError {
    EngineError::new(ResultCode::OperationNotSupported, reason)
}

impl Image {
    /// The image of these programs with their maps, or why only this process can run them; those
    /// maps that are in files, in the order in which the image wants them.
    pub fn of(programs: &[Made<'_>]) -> Result<(Self, Places)> {
        let mut all: Vec<&Arc<Map>> = Vec::new();
        let (mut parts, mut maps, mut in_files) = (Vec::new(), Vec::new(), Vec::new());
        for (number, made) in programs.iter().enumerate() {
            if let Some(import) = made.spec.imports.first() {
                return Err(only_here(format!(
                    "program {} calls the function {} of another module",
                    made.spec.name, import.name
                )));
            }
            let mut places = HashMap::new();
            for index in made.spec.map_indices() {
                let map = made.maps.get(index);
                let map =
                    map.ok_or_else(|| EngineError::argument(format!("map {index} is missing")))?;
                let known = all.iter().position(|known| Arc::ptr_eq(known, map));
                let place = known.unwrap_or(all.len());
                places.insert(index, place);
                if known.is_none() {
                    let declared = declare(map, programs)?;
                    if declared.is_in_file() {
                        in_files.push((number, index));
                    }
                    maps.push(declared);
                    all.push(map);
                }
            }
            let functions = Vec::new();
            let information = ProgramInformation {
                functions,
                ..made.information.clone()
            };
            let spec = renumbered(made.spec, &places);
            parts.push(made.program.vouched(spec, information, made.tag)?);
        }
        let programs = parts;
        Ok((Self { programs, maps }, in_files))
    }

    /// The bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut to = Writer(MAGIC.to_vec());
        to.list(&self.programs, write_part);
        to.list(&self.maps, write_map);
        to.0
    }

    /// The image in a sealed memfd.
    pub fn sealed(file: &File) -> Result<Self> {
        let metadata = file
            .metadata()
            .map_err(|error| damaged(error.to_string()))?;
        // SAFETY: asks for the seals, and for the user, of this process and of an open file.
        let (seals, user) = unsafe {
            (
                libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS),
                libc::geteuid(),
            )
        };
        if seals < 0 || seals & SEALS != SEALS {
            return Err(damaged("it is not sealed, so it is nobody's word"));
        }
        if metadata.uid() != user && metadata.uid() != 0 {
            return Err(damaged("it belongs to another user"));
        }
        if metadata.len() > MAX_IMAGE {
            return Err(damaged("it is too large"));
        }
        let mut bytes = Vec::new();
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        File::open(path)
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .map_err(|error| damaged(error.to_string()))?;
        Self::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let mut from = Reader(bytes);
        if from.take(MAGIC.len())? != MAGIC {
            return Err(damaged("another version of the engine has made it"));
        }
        let programs = from.list(read_part)?;
        let maps = from.list(read_map)?;
        if !from.0.is_empty() {
            return Err(damaged("something follows it"));
        }
        if programs.is_empty() {
            return Err(damaged("it has no program"));
        }
        let has_map = |index: Option<&usize>| index.is_none_or(|index| *index < maps.len());
        if !programs
            .iter()
            .all(|part| has_map(part.spec.map_indices().last()))
        {
            return Err(damaged("it uses a map that it does not have"));
        }
        let mut entries = maps.iter().flat_map(|map| &map.programs);
        if entries.any(|entry| entry.program >= programs.len()) {
            return Err(damaged("it leads to a program that it does not have"));
        }
        Ok(Self { programs, maps })
    }
}

fn damaged(what: impl Into<String>) -> EngineError {
    let what: String = what.into();
    EngineError::new(ResultCode::InvalidObject, format!("the image: {what}"))
}

fn declare(map: &Map, programs: &[Made<'_>]) -> Result<Declared> {
    let name = map.name();
    if map_type::holds_maps(map.map_type()) {
        return Err(only_here(format!(
            "map {name} is of type {}, which processes do not share",
            map_type::name(map.map_type())
        )));
    }
    let contents = match map.file() {
        Some(_) => None,
        None if map.map_type() == map_type::PROG_ARRAY => None,
        None if map.read_only() && map.map_type() == map_type::ARRAY => Some(contents(map)?),
        None => {
            return Err(only_here(format!(
                "map {name} lies in memory that only the daemon has"
            )));
        }
    };
    Ok(Declared {
        name: name.to_owned(),
        map_type: map.map_type(),
        key_size: map.key_size() as u32,
        value_size: map.value_size() as u32,
        max_entries: map.max_entries(),
        flags: map.flags(),
        read_only: map.read_only(),
        lanes: map.lanes() as u32,
        contents,
        programs: entries(map, programs)?,
    })
}

/// The programs of an array, each of which must be among these.
fn entries(map: &Map, programs: &[Made<'_>]) -> Result<Vec<Entry>> {
    if map.map_type() != map_type::PROG_ARRAY {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for index in 0..map.max_entries() {
        let Ok(id) = map.lookup(&index.to_le_bytes()) else {
            continue;
        };
        let tag = u32::from_le_bytes(id.try_into().unwrap_or_default()).into();
        let program = programs.iter().position(|made| made.tag == tag);
        let program = program.ok_or_else(|| {
            EngineError::argument(format!(
                "programs: array {} leads to {tag}, which is missing",
                map.name()
            ))
        })?;
        found.push(Entry {
            index,
            tag,
            program,
        });
    }
    Ok(found)
}

/// All values of an array that nobody writes.
fn contents(map: &Map) -> Result<Vec<u8>> {
    let size = map.value_size() * map.max_entries() as usize;
    if size > MAX_CONTENTS {
        return Err(only_here(format!(
            "map {} has {size} bytes of read-only data, more than an image carries",
            map.name()
        )));
    }
    let mut all = Vec::with_capacity(size);
    for index in 0..map.max_entries() {
        all.extend(map.lookup(&index.to_le_bytes())?);
    }
    Ok(all)
}

/// The program with its maps counted as the image counts them.
fn renumbered(spec: &ProgramSpec, places: &HashMap<usize, usize>) -> ProgramSpec {
    let mut instructions = spec.instructions.clone();
    for insn in &mut instructions {
        if insn.is_map_reference() {
            let index = insn.imm as u32 as usize;
            insn.imm = places.get(&index).copied().unwrap_or(0) as i32;
        }
    }
    ProgramSpec {
        name: spec.name.clone(),
        section: spec.section.clone(),
        instructions,
        subprograms: spec.subprograms.clone(),
        ..ProgramSpec::default()
    }
}

fn write_part(to: &mut Writer, part: &Part) {
    to.text(&part.spec.name);
    to.text(&part.spec.section);
    to.bytes(&part.spec.bytes());
    to.list(&part.spec.subprograms, |to, sub| {
        to.text(&sub.name);
        to.number(sub.start as u64);
    });
    write_information(to, &part.information);
    let (kind, most) = match part.verified {
        Verified::Proved(most) => (2, most),
        Verified::Accepted => (1, 0),
        Verified::No | Verified::Assumed => (0, 0),
    };
    let execution = match part.execution {
        Execution::Any => 0,
        Execution::Jit => 1,
        Execution::Interpreter => 2,
    };
    for number in [kind, most, part.budget, execution, part.tag] {
        to.number(number);
    }
}

fn read_part(from: &mut Reader<'_>) -> Result<Part> {
    let (name, section) = (from.text()?, from.text()?);
    let instructions = Insn::slots(from.bytes()?);
    let subprograms = from.list(|from| {
        let name = from.text()?;
        let start = from.size()?;
        Ok(Subprogram { name, start })
    })?;
    let spec = ProgramSpec {
        name,
        section,
        instructions,
        subprograms,
        ..ProgramSpec::default()
    };
    let information = read_information(from)?;
    let verified = match (from.number()?, from.number()?) {
        (2, most) => Verified::Proved(most),
        (1, _) => Verified::Accepted,
        _ => Verified::No,
    };
    let budget = from.number()?;
    let execution = match from.number()? {
        1 => Execution::Jit,
        2 => Execution::Interpreter,
        _ => Execution::Any,
    };
    Ok(Part {
        spec,
        information,
        verified,
        budget,
        execution,
        tag: from.number()?,
    })
}

fn write_information(to: &mut Writer, information: &ProgramInformation) {
    to.text(&information.name);
    to.bytes(&information.program_type);
    let ContextDescriptor {
        size,
        data,
        end,
        meta,
    } = information.context;
    for number in [size, data, end, meta] {
        to.number(i64::from(number).cast_unsigned());
    }
    to.flag(information.is_privileged);
    to.list(&information.helpers, |to, helper| {
        to.number(helper.id.into());
        to.text(&helper.name);
        to.number(helper.return_type.into());
        to.list(&helper.arguments, |to, argument| {
            to.number((*argument).into())
        });
        to.flag(helper.reallocate_packet);
        to.flag(helper.implicit_context);
    });
    to.list(&information.writable, |to, (offset, size)| {
        to.number(*offset as u64);
        to.number(*size as u64);
    });
    to.list(&information.fields, |to, field| {
        to.text(&field.name);
        to.number(field.offset as u64);
        to.number(field.size as u64);
        to.flag(field.is_hidden);
    });
}

fn read_information(from: &mut Reader<'_>) -> Result<ProgramInformation> {
    let name = from.text()?;
    let program_type = from.bytes()?.to_vec();
    let context = ContextDescriptor {
        size: from.signed()?,
        data: from.signed()?,
        end: from.signed()?,
        meta: from.signed()?,
    };
    Ok(ProgramInformation {
        name,
        program_type,
        context,
        is_privileged: from.flag()?,
        helpers: from.list(|from| {
            Ok(Prototype {
                id: from.word()?,
                name: from.text()?,
                return_type: from.word()?,
                arguments: from.list(Reader::word)?,
                reallocate_packet: from.flag()?,
                implicit_context: from.flag()?,
            })
        })?,
        functions: Vec::new(),
        writable: from.list(|from| Ok((from.size()?, from.size()?)))?,
        fields: from.list(|from| {
            Ok(ContextField {
                name: from.text()?,
                offset: from.size()?,
                size: from.size()?,
                is_hidden: from.flag()?,
            })
        })?,
    })
}

fn write_map(to: &mut Writer, map: &Declared) {
    to.text(&map.name);
    for number in [
        map.map_type,
        map.key_size,
        map.value_size,
        map.max_entries,
        map.flags,
        map.lanes,
    ] {
        to.number(number.into());
    }
    to.flag(map.read_only);
    to.flag(map.contents.is_some());
    to.bytes(map.contents.as_deref().unwrap_or_default());
    to.list(&map.programs, |to, entry| {
        to.number(entry.index.into());
        to.number(entry.tag);
        to.number(entry.program as u64);
    });
}

fn read_map(from: &mut Reader<'_>) -> Result<Declared> {
    let name = from.text()?;
    let mut numbers = [0; 6];
    for number in &mut numbers {
        *number = from.word()?;
    }
    let [map_type, key_size, value_size, max_entries, flags, lanes] = numbers;
    let read_only = from.flag()?;
    let has_contents = from.flag()?;
    let contents = from.bytes()?.to_vec();
    Ok(Declared {
        name,
        map_type,
        key_size,
        value_size,
        max_entries,
        flags,
        read_only,
        lanes,
        contents: has_contents.then_some(contents),
        programs: from.list(|from| {
            Ok(Entry {
                index: from.word()?,
                tag: from.number()?,
                program: from.size()?,
            })
        })?,
    })
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.number(flag.into());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.number(items.len() as u64);
        items.iter().for_each(|item| write(self, item));
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| damaged("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64> {
        let bytes = self.take(8)?.try_into();
        bytes
            .map(u64::from_le_bytes)
            .map_err(|_| damaged("it ends too early"))
    }

    fn word(&mut self) -> Result<u32> {
        u32::try_from(self.number()?).map_err(|_| damaged("a number is too large"))
    }

    fn size(&mut self) -> Result<usize> {
        self.word().map(|word| word as usize)
    }

    fn signed(&mut self) -> Result<i32> {
        let number = self.number()?.cast_signed();
        i32::try_from(number).map_err(|_| damaged("a number is too large"))
    }

    fn flag(&mut self) -> Result<bool> {
        Ok(self.number()? != 0)
    }

    fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.size()?;
        self.take(length)
    }

    fn text(&mut self) -> Result<String> {
        let text = String::from_utf8(self.bytes()?.to_vec());
        text.map_err(|_| damaged("a name is no text"))
    }

    fn list<T>(&mut self, read: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.number()?;
        // Grows as items are found, whatever the count says.
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(items)
    }
}

#[cfg(test)]
#[path = "tests/image.rs"]
mod tests;
