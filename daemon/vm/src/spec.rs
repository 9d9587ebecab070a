//! What an object file holds, as values: no environment, no live object.
//!
//! A spec becomes an object (a map, a program) only when the executor makes
//! one of it; until then it can be compared, cached and sent about freely.

use std::sync::Arc;

use crate::functions::Import;
use crate::isa::Insn;
use crate::loader::Access;

/// Where an instruction comes from, after the compiler's line information.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    pub file: Arc<str>,
    pub line: u32,
    pub column: u32,
    pub text: Arc<str>,
}

/// A map as an object file declares it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapSpec {
    pub name: String,
    /// Number of `bpf_map_type` as eBPF for Windows counts them.
    pub map_type: u32,
    pub key_size: u32,
    pub value_size: u32,
    pub max_entries: u32,
    pub flags: u32,
    pub pinning: u32,
    /// Index of the inner map's template in [`Object::maps`].
    pub inner: Option<usize>,
    /// What the declaration puts under which index: names of programs or maps.
    pub values: Vec<(u32, String)>,
    /// The bytes of a data section.
    pub initial: Option<Vec<u8>>,
    pub read_only: bool,
}

/// A function that was linked behind the program, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subprogram {
    pub name: String,
    pub start: usize,
}

/// A helper of the contract that was linked behind the program, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedHelper {
    pub id: u32,
    pub start: usize,
}

/// Line information: every instruction from `pc` on, until the next record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineRecord {
    pub pc: usize,
    pub source: SourceLine,
}

/// A number in an instruction that depends on the layout of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relocation {
    pub pc: usize,
    pub access: Arc<Access>,
}

/// An instruction that stands for what the layout does not have, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    pub pc: usize,
    pub reason: String,
}

/// One program with its sub-programs linked behind it.
///
/// A `lddw` with source 1 (map) or 2 (map value) holds an index into
/// [`Object::maps`]; every call of source 1 is relative to its own pc; a call of
/// source 2 holds an index into `imports`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramSpec {
    pub name: String,
    pub section: String,
    pub instructions: Vec<Insn>,
    pub subprograms: Vec<Subprogram>,
    /// Sorted by pc.
    pub lines: Vec<LineRecord>,
    /// Functions of other modules that it calls.
    pub imports: Vec<Import>,
    /// What is to be found in the layout of the program's context; sorted by pc in each function.
    pub relocations: Vec<Relocation>,
    /// What was not found there.
    pub unresolved: Vec<Unresolved>,
    /// Helpers that came as code; they are among the sub-programs.
    pub helpers: Vec<LinkedHelper>,
}

impl ProgramSpec {
    /// The instructions as they stand in an ELF file, eight bytes each.
    pub fn bytes(&self) -> Vec<u8> {
        self.instructions
            .iter()
            .flat_map(|insn| insn.to_bytes())
            .collect()
    }

    /// The pc of each function's first instruction, the program's own first.
    pub fn starts(&self) -> Vec<usize> {
        let mut starts = vec![0];
        starts.extend(self.subprograms.iter().map(|sub| sub.start));
        starts
    }

    /// The name of the function that holds `pc`.
    pub fn function_at(&self, pc: usize) -> &str {
        self.subprograms
            .iter()
            .rfind(|sub| sub.start <= pc)
            .map_or(&self.name, |sub| &sub.name)
    }

    /// The source line that the instruction at `pc` belongs to, if it is known.
    pub fn source_line(&self, pc: usize) -> Option<&SourceLine> {
        if pc >= self.instructions.len() {
            return None;
        }
        let start = self.starts().into_iter().rfind(|start| *start <= pc)?;
        let after = self.lines.partition_point(|record| record.pc <= pc);
        let record = self.lines[..after].last()?;
        (record.pc >= start).then_some(&record.source)
    }

    /// Indices into [`Object::maps`] that the program uses, ascending.
    pub fn map_indices(&self) -> Vec<usize> {
        collect_sorted(
            self.instructions
                .iter()
                .filter(|insn| insn.is_map_reference())
                .map(|insn| insn.imm as u32 as usize),
        )
    }

    /// Ids of the helpers that the program calls, ascending.
    pub fn helper_ids(&self) -> Vec<u32> {
        collect_sorted(
            self.instructions
                .iter()
                .filter(|insn| insn.is_helper_call())
                .map(|insn| insn.imm as u32),
        )
    }
}

/// What an ELF file holds, independent of any environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    pub programs: Vec<ProgramSpec>,
    pub maps: Vec<MapSpec>,
    pub license: Option<String>,
}

fn collect_sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}
