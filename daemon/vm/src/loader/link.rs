//! Functions to programs: what a program calls is laid out behind it.
//!
//! ```text
//!   section "xdp":  main ----.         linked program:  main | twice | add
//!   section ".text": add <-. |                            |______^  |___^
//!                    twice-' <'                          calls are relative again
//! ```
//!
//! A function is copied once for each program that reaches it.  References to
//! maps and globals become `lddw` of an index into the object's maps.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::elf::{Elf, Relocation, Section, SymbolKind};
use super::imports::{Declared, Imports};
use super::lines::Lines;
use super::maps::{Maps, Place};
use super::relocate::Relocations;
use crate::error::{EngineError, Result};
use crate::isa::{CALL, CALL_BTF, Insn, LDDW_MAP, LDDW_MAP_VALUE, MAX_INSTRUCTIONS};
use crate::spec::{self, LineRecord, ProgramSpec, Subprogram};

/// Relocation types of the BPF ABI: a 64-bit immediate, a call.
const R_BPF_64_64: u32 = 1;
const R_BPF_64_32: u32 = 10;
const MAX_FUNCTIONS: usize = 16_384;
/// Functions that one program may be linked of.
const MAX_SUBPROGRAMS: usize = 1_024;
/// Functions of all programs together, each counted wherever it is linked.
const MAX_LINKED: usize = 65_536;
/// Slots of all programs together, and of all sections: linking must not multiply a small file.
const MAX_TOTAL: usize = 4 * MAX_INSTRUCTIONS;

/// A function of an executable section; positions count in slots.
#[derive(Clone, Debug)]
struct Function {
    name: String,
    section: usize,
    start: usize,
    end: usize,
    local: bool,
}

struct Linker<'a> {
    elf: &'a Elf<'a>,
    maps: &'a Maps,
    lines: &'a Lines,
    relocations: &'a Relocations,
    declared: &'a Declared,
    functions: Vec<Function>,
    /// (section, first slot) of each function.
    by_start: HashMap<(usize, usize), usize>,
}

/// Every program of the object, complete with its sub-programs.
pub fn programs(
    elf: &Elf<'_>,
    maps: &Maps,
    lines: &Lines,
    relocations: &Relocations,
    declared: &Declared,
) -> Result<Vec<ProgramSpec>> {
    let mut functions = Vec::new();
    let mut slots = 0;
    for section in elf.sections.iter().filter(|section| section.executable) {
        slots += section.data.len() / 8;
        if slots > MAX_TOTAL {
            return Err(EngineError::elf(format!(
                "the code sections have more than {MAX_TOTAL} instructions together"
            )));
        }
        functions.extend(functions_of(elf, section)?);
    }
    if functions.len() > MAX_FUNCTIONS {
        return Err(EngineError::elf(format!(
            "more than {MAX_FUNCTIONS} functions"
        )));
    }
    let by_start = functions
        .iter()
        .enumerate()
        .map(|(index, function)| ((function.section, function.start), index))
        .collect();
    let linker = Linker {
        elf,
        maps,
        lines,
        relocations,
        declared,
        functions,
        by_start,
    };
    let (mut total, mut linked) = (0, 0);
    let mut programs = Vec::new();
    for main in linker.mains()? {
        let program = linker.link(main)?;
        total += program.instructions.len();
        linked += program.subprograms.len();
        if linked > MAX_LINKED {
            return Err(EngineError::elf(format!(
                "all programs together are linked of more than {MAX_LINKED} functions"
            )));
        }
        if total > MAX_TOTAL {
            return Err(EngineError::elf(format!(
                "all programs together have more than {MAX_TOTAL} instructions"
            )));
        }
        programs.push(program);
    }
    Ok(programs)
}

/// Functions of a section after its symbols; without any, it is one function.
fn functions_of(elf: &Elf<'_>, section: &Section<'_>) -> Result<Vec<Function>> {
    let fail = |what: String| EngineError::elf(format!("section {}: {what}", section.name));
    if section.data.is_empty() {
        return Ok(Vec::new());
    }
    if !section.data.len().is_multiple_of(8) {
        return Err(fail(format!(
            "{} bytes are no whole number of instructions",
            section.data.len()
        )));
    }
    let slots = section.data.len() / 8;
    let mut symbols: Vec<_> = elf
        .symbols
        .iter()
        .filter(|s| s.section == Some(section.index) && s.kind == SymbolKind::Function)
        .collect();
    // Of two names for one function the global one is its name.
    symbols.sort_by_key(|symbol| (symbol.value, symbol.local));
    symbols.dedup_by_key(|symbol| symbol.value);
    let mut functions: Vec<Function> = Vec::new();
    for (index, symbol) in symbols.iter().enumerate() {
        let next = symbols.get(index + 1).map(|next| next.value);
        let end = match symbol.size {
            0 => next.unwrap_or(section.data.len() as u64),
            size => symbol.value.saturating_add(size),
        };
        let overlaps = next.is_some_and(|next| end > next) || end > section.data.len() as u64;
        let aligned = symbol.value % 8 == 0 && end % 8 == 0;
        if overlaps || !aligned || symbol.value >= end {
            return Err(fail(format!(
                "function {} does not lie within it, or overlaps another",
                symbol.name
            )));
        }
        functions.push(Function {
            name: symbol.name.clone(),
            section: section.index,
            start: symbol.value as usize / 8,
            end: end as usize / 8,
            local: symbol.local,
        });
    }
    if functions.is_empty() {
        functions.push(Function {
            name: section.name.clone(),
            section: section.index,
            start: 0,
            end: slots,
            local: false,
        });
    }
    Ok(functions)
}

impl Linker<'_> {
    /// Functions that are programs: all but sub-programs.
    ///
    /// `.text` holds sub-programs unless the object has nothing else; a local
    /// function of another section is one if something calls it.
    fn mains(&self) -> Result<Vec<usize>> {
        let is_text = |f: &Function| self.elf.sections[f.section].name == ".text";
        let only_text = self.functions.iter().all(is_text);
        let mut called = HashSet::new();
        for (index, function) in self.functions.iter().enumerate() {
            for (slot, insn) in self.slots(function).into_iter().enumerate() {
                if insn.is_local_call() && !self.is_import(function, slot) {
                    let callee = self.callee(index, slot, insn)?;
                    if callee != index {
                        called.insert(callee);
                    }
                }
            }
        }
        Ok((0..self.functions.len())
            .filter(|index| {
                let function = &self.functions[*index];
                if is_text(function) {
                    only_text && !called.contains(index)
                } else {
                    !function.local || !called.contains(index)
                }
            })
            .collect())
    }

    fn slots(&self, function: &Function) -> Vec<Insn> {
        let data = self.elf.sections[function.section].data;
        Insn::slots(&data[function.start * 8..function.end * 8])
    }

    fn relocation(&self, function: &Function, slot: usize) -> Option<Relocation> {
        let list = &self.elf.relocations[function.section];
        let offset = ((function.start + slot) * 8) as u64;
        let at = list.partition_point(|relocation| relocation.offset < offset);
        list.get(at).filter(|found| found.offset == offset).copied()
    }

    /// Lay out a program and everything that it reaches.
    fn link(&self, main: usize) -> Result<ProgramSpec> {
        let function = &self.functions[main];
        let mut program = ProgramSpec {
            name: function.name.clone(),
            section: self.elf.sections[function.section].name.clone(),
            ..ProgramSpec::default()
        };
        let mut order = vec![main];
        let mut position = HashMap::new();
        let mut seen = HashSet::from([main]);
        let mut calls = Vec::new();
        let mut imports = Imports::default();
        let mut next = 0;
        while let Some(index) = order.get(next).copied() {
            next += 1;
            let start = program.instructions.len();
            position.insert(index, start);
            self.append(index, &mut program, &mut imports)?;
            for slot in start..program.instructions.len() {
                let insn = program.instructions[slot];
                if insn.is_local_call() {
                    let callee = self.callee(index, slot - start, insn)?;
                    calls.push((slot, callee));
                    if seen.insert(callee) {
                        order.push(callee);
                    }
                }
            }
            if order.len() > MAX_SUBPROGRAMS || program.instructions.len() > MAX_INSTRUCTIONS {
                return Err(EngineError::too_large(format!(
                    "program {} is too large: more than {MAX_INSTRUCTIONS} instructions or \
                     {MAX_SUBPROGRAMS} functions",
                    program.name
                )));
            }
        }
        program.imports = imports.list;
        for (slot, callee) in calls {
            program.instructions[slot].imm = position[&callee] as i32 - slot as i32 - 1;
        }
        program.subprograms = order[1..]
            .iter()
            .map(|index| Subprogram {
                name: self.functions[*index].name.clone(),
                start: position[index],
            })
            .collect();
        Ok(program)
    }

    /// Copy a function to the end of the program, its references resolved.
    fn append(&self, index: usize, program: &mut ProgramSpec, imports: &mut Imports) -> Result<()> {
        let function = &self.functions[index];
        let section = &self.elf.sections[function.section];
        let mut slots = self.slots(function);
        for slot in 0..slots.len() {
            if slots[slot].is_function_call() {
                let what = "a call by BTF id: declare the function in .ksyms, and call it by name";
                return Err(self.located(function, slot, what.to_owned()));
            }
            let Some(relocation) = self.relocation(function, slot) else {
                if slots[slot].is_map_reference() {
                    let what = "a map by number: only names say which of the file's maps is meant";
                    return Err(self.located(function, slot, what.to_owned()));
                }
                continue;
            };
            if slots[slot].is_local_call() && self.is_import(function, slot) {
                let symbol = self.symbol(function, slot, relocation)?;
                let place = imports.place(&symbol.name, self.declared);
                let place = place.map_err(|what| self.located(function, slot, what))?;
                slots[slot] = Insn::new(CALL, 0, CALL_BTF, 0, place as i32);
            } else {
                self.resolve(function, &mut slots, slot, relocation)?;
            }
        }
        let base = program.instructions.len();
        let records = self.lines.of(&section.name, function.start, function.end);
        program
            .lines
            .extend(records.iter().map(|record| LineRecord {
                pc: record.pc - function.start + base,
                source: record.source.clone(),
            }));
        let relocations = self
            .relocations
            .of(&section.name, function.start, function.end);
        program
            .relocations
            .extend(relocations.iter().map(|found| spec::Relocation {
                pc: found.pc - function.start + base,
                access: Arc::clone(&found.access),
            }));
        program.instructions.extend(slots);
        Ok(())
    }

    /// Whether the call in a slot leads to a declared function of another module.
    fn is_import(&self, function: &Function, slot: usize) -> bool {
        let relocation = self.relocation(function, slot);
        let symbol = relocation.and_then(|found| self.elf.symbols.get(found.symbol));
        symbol.is_some_and(|symbol| symbol.section.is_none() && self.declared.has(&symbol.name))
    }

    /// Turn a relocated `lddw` into a reference to a map; calls are linked later.
    fn resolve(
        &self,
        function: &Function,
        slots: &mut [Insn],
        slot: usize,
        relocation: Relocation,
    ) -> Result<()> {
        let fail = |what: String| Err(self.located(function, slot, what));
        let symbol = self.symbol(function, slot, relocation)?;
        match relocation.kind {
            R_BPF_64_32 => return Ok(()),
            R_BPF_64_64 if slots[slot].is_lddw() && slot + 1 < slots.len() => {}
            R_BPF_64_64 => return fail(format!("reference to {} is no lddw", symbol.name)),
            other => {
                return fail(format!(
                    "relocation of type {other} to {} is unknown",
                    symbol.name
                ));
            }
        }
        let Some(section) = symbol.section else {
            // As ELF has it: the address of what nobody defines, and nobody needs, is 0.
            if symbol.weak {
                slots[slot].imm = 0;
                slots[slot + 1].imm = 0;
                return Ok(());
            }
            return fail(format!(
                "unknown extern {}: the object must define it",
                symbol.name
            ));
        };
        let high = (slots[slot + 1].imm as u32 as u64) << 32;
        let addend = (u64::from(slots[slot].imm as u32) | high) as i64;
        let addend = addend.wrapping_add(relocation.addend);
        let target = symbol.value.wrapping_add(addend as u64);
        let named = if symbol.name.is_empty() {
            self.elf.sections[section].name.as_str()
        } else {
            symbol.name.as_str()
        };
        let (kind, map, offset) = match self.maps.place(section, target) {
            Some(Place::Map(map)) => (LDDW_MAP, map, 0),
            Some(Place::Data(map)) if target <= u64::from(self.maps.specs[map].value_size) => {
                (LDDW_MAP_VALUE, map, target as i32)
            }
            Some(Place::Data(_)) => return fail(format!("{named} + {addend} lies outside")),
            None => {
                return fail(format!(
                    "{named} in section {} is neither a map nor a global variable",
                    self.elf.sections[section].name
                ));
            }
        };
        slots[slot].src = kind;
        slots[slot].imm = map as i32;
        slots[slot + 1].imm = offset;
        Ok(())
    }

    /// Which function the local call in a slot of function `caller` means.
    fn callee(&self, caller: usize, slot: usize, insn: Insn) -> Result<usize> {
        let function = &self.functions[caller];
        let fail = |what: String| Err(self.located(function, slot, what));
        let (section, target) = match self.relocation(function, slot) {
            Some(relocation) => {
                let symbol = self.symbol(function, slot, relocation)?;
                if relocation.kind != R_BPF_64_32 {
                    return fail(format!("call of {} has a wrong relocation", symbol.name));
                }
                let Some(section) = symbol.section else {
                    return fail(format!(
                        "unknown extern {}: define it, or call a helper by its number",
                        symbol.name
                    ));
                };
                if symbol.value % 8 != 0 || relocation.addend % 8 != 0 {
                    return fail(format!("call into the middle of {}", symbol.name));
                }
                let slots = (symbol.value / 8) as i64;
                let addend = relocation.addend / 8;
                (
                    section,
                    slots.saturating_add(addend) + i64::from(insn.imm) + 1,
                )
            }
            None => {
                let here = (function.start + slot) as i64;
                (function.section, here + 1 + i64::from(insn.imm))
            }
        };
        let found = usize::try_from(target)
            .ok()
            .and_then(|target| self.by_start.get(&(section, target)).copied());
        found.ok_or_else(|| {
            let name = self.elf.sections[section].name.as_str();
            self.located(
                function,
                slot,
                format!("no function begins at instruction {target} of section {name}"),
            )
        })
    }

    fn symbol(
        &self,
        function: &Function,
        slot: usize,
        relocation: Relocation,
    ) -> Result<&super::elf::Symbol> {
        self.elf
            .symbols
            .get(relocation.symbol)
            .ok_or_else(|| self.located(function, slot, "relocation without a symbol".to_owned()))
    }

    fn located(&self, function: &Function, slot: usize, what: String) -> EngineError {
        EngineError::elf(format!(
            "section {}, function {}, instruction {slot}: {what}",
            self.elf.sections[function.section].name, function.name
        ))
    }
}
