//! Map declarations: BTF `.maps`, legacy `maps`, and data sections.
//!
//! Every map gets its own index, whatever types it shares with others.  Numbers
//! of map types are those of eBPF for Windows.

use std::collections::HashMap;

use super::btf::{Type, Types};
use super::elf::{Elf, Section, Symbol, SymbolKind};
use super::reader::u32_at;
use crate::error::{EngineError, Result};
use crate::map_type;
use crate::spec::MapSpec;

const MAX_MAPS: usize = 1_024;
/// Bytes of all data sections together: a small file can ask for much.
const MAX_DATA: usize = 64 << 20;
/// Members of a map's declaration.
const MAX_MEMBERS: usize = 64;
/// Bytes of one legacy record: four numbers at least.
const LEGACY_RECORD: std::ops::RangeInclusive<usize> = 16..=256;
/// Maps within maps within maps: the field knows one level.
const MAX_INNER_DEPTH: usize = 1;

/// What a reference into a section means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Map(usize),
    /// Inside the only value of a data section's map.
    Data(usize),
}

/// Where a map is declared.
#[derive(Clone, Copy, Debug)]
pub struct Declaration {
    pub section: usize,
    /// Bytes before it in its section.
    pub offset: u64,
    /// Bytes of the declaration, without the values that may follow.
    pub size: u32,
    /// Its index among the object's maps.
    pub map: usize,
}

/// All maps of an object, and where they were declared.
#[derive(Default)]
pub struct Maps {
    pub specs: Vec<MapSpec>,
    pub declarations: Vec<Declaration>,
    /// Data sections with their maps.
    data: Vec<(usize, usize)>,
}

impl Maps {
    /// What lies at `offset` of a section, if a program may refer to it.
    pub fn place(&self, section: usize, offset: u64) -> Option<Place> {
        if let Some((_, map)) = self.data.iter().find(|(index, _)| *index == section) {
            return Some(Place::Data(*map));
        }
        self.declarations
            .iter()
            .find(|declared| declared.section == section && declared.offset == offset)
            .map(|declared| Place::Map(declared.map))
    }

    fn declare(&mut self, section: usize, offset: u64, size: u32, spec: MapSpec) -> Result<usize> {
        let map = self.add(spec)?;
        self.declarations.push(Declaration {
            section,
            offset,
            size,
            map,
        });
        Ok(map)
    }

    fn add(&mut self, spec: MapSpec) -> Result<usize> {
        if self.specs.len() >= MAX_MAPS {
            return Err(EngineError::elf(format!("more than {MAX_MAPS} maps")));
        }
        self.specs.push(spec);
        Ok(self.specs.len() - 1)
    }
}

/// Every map that the object declares, in the order of its sections.
pub fn declared(elf: &Elf<'_>, types: Option<&Types<'_>>) -> Result<Maps> {
    let mut maps = Maps::default();
    let data = elf.sections.iter().filter(|section| is_data(section));
    let total = data.fold(0, |total: usize, section| {
        total.saturating_add(section.size)
    });
    if total > MAX_DATA {
        return Err(EngineError::elf(format!(
            "the data sections have {total} bytes together, more than {MAX_DATA}"
        )));
    }
    for section in &elf.sections {
        let name = section.name.as_str();
        if name == ".maps" {
            let types = types.ok_or_else(|| {
                EngineError::elf("section .maps needs type information: compile with -g")
            })?;
            read_btf_maps(section, elf, types, &mut maps)?;
        } else if name == "maps" || name.starts_with("maps/") {
            read_legacy_maps(section, elf, &mut maps)?;
        } else if is_data(section) {
            check_pointers(section, elf)?;
            let index = maps.add(data_map(section)?)?;
            maps.data.push((section.index, index));
        }
    }
    Ok(maps)
}

fn is_data(section: &Section<'_>) -> bool {
    let forms = [".data", ".rodata", ".bss"];
    let name = section.name.as_str();
    let named = forms.iter().any(|form| {
        name.strip_prefix(form)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    named && section.allocated && !section.executable && section.size > 0
}

/// Data is copied as it stands, so an address in it would be a meaningless number.
fn check_pointers(section: &Section<'_>, elf: &Elf<'_>) -> Result<()> {
    let Some(pointer) = elf.relocations[section.index].first() else {
        return Ok(());
    };
    let symbol = elf.symbols.get(pointer.symbol);
    let name = symbol.map_or("", |symbol| match symbol.section {
        Some(section) if symbol.name.is_empty() => &elf.sections[section].name,
        _ => &symbol.name,
    });
    Err(EngineError::elf(format!(
        "section {}: byte {} holds a pointer to {name}, but data cannot hold pointers: \
         use an index, or an array of arrays",
        section.name, pointer.offset
    )))
}

/// A data section as eBPF for Windows keeps it: one array entry with all its bytes.
fn data_map(section: &Section<'_>) -> Result<MapSpec> {
    let value_size = u32::try_from(section.size)
        .map_err(|_| EngineError::elf(format!("section {} is larger than 4 GiB", section.name)))?;
    let mut initial = section.data.to_vec();
    initial.resize(section.size, 0);
    Ok(MapSpec {
        name: section.name.clone(),
        map_type: map_type::ARRAY,
        key_size: 4,
        value_size,
        max_entries: 1,
        initial: Some(initial),
        read_only: section.name.starts_with(".rodata"),
        ..MapSpec::default()
    })
}

/// Names and places come from the symbols: clang leaves the offsets in BTF at 0.
fn read_btf_maps(
    section: &Section<'_>,
    elf: &Elf<'_>,
    types: &Types<'_>,
    maps: &mut Maps,
) -> Result<()> {
    let variables: HashMap<&str, u32> = types.section_variables(".maps")?.into_iter().collect();
    for symbol in symbols_of(elf, section) {
        let Some(type_id) = variables.get(symbol.name.as_str()) else {
            return Err(EngineError::elf(format!(
                "map {} has no type information: compile with -g",
                symbol.name
            )));
        };
        // The template of inner maps follows the map that names it.
        let (spec, inner) = btf_map(&symbol.name, *type_id, types, MAX_INNER_DEPTH)?;
        let size = types.size_of(*type_id)?;
        let index = maps.declare(section.index, symbol.value, size, spec)?;
        if let Some(inner) = inner {
            let inner = maps.add(inner)?;
            maps.specs[index].inner = Some(inner);
        }
    }
    Ok(())
}

/// What a section's symbols name, in the order of their places.
fn symbols_of<'a>(elf: &'a Elf<'_>, section: &Section<'_>) -> Vec<&'a Symbol> {
    let mut symbols: Vec<_> = elf
        .symbols
        .iter()
        .filter(|symbol| symbol.section == Some(section.index))
        .filter(|symbol| symbol.kind == SymbolKind::Other && !symbol.name.is_empty())
        .collect();
    symbols.sort_by_key(|symbol| symbol.value);
    symbols.dedup_by_key(|symbol| symbol.value);
    symbols
}

/// Read a declaration: a structure whose members' *types* hold the numbers.
fn btf_map(
    name: &str,
    type_id: u32,
    types: &Types<'_>,
    depth: usize,
) -> Result<(MapSpec, Option<MapSpec>)> {
    let fail = |what: String| EngineError::elf(format!("map {name}: {what}"));
    let Type::Struct { members, .. } = types.resolve(type_id)? else {
        return Err(fail("its declaration is no structure".into()));
    };
    if members.len() > MAX_MEMBERS {
        return Err(fail(format!(
            "{} members are more than {MAX_MEMBERS}",
            members.len()
        )));
    }
    let mut spec = MapSpec {
        name: name.to_owned(),
        ..MapSpec::default()
    };
    let mut inner = None;
    for member in members {
        let field = member.name;
        let at = |error: EngineError| fail(format!("{field}: {}", error.message));
        match field {
            "type" => spec.map_type = number(types, member.type_id).map_err(at)?,
            "max_entries" => spec.max_entries = number(types, member.type_id).map_err(at)?,
            "map_flags" => spec.flags = number(types, member.type_id).map_err(at)?,
            "pinning" => spec.pinning = number(types, member.type_id).map_err(at)?,
            "key_size" => {
                let size = number(types, member.type_id).map_err(at)?;
                agree(&mut spec.key_size, size).map_err(fail)?;
            }
            "value_size" => {
                let size = number(types, member.type_id).map_err(at)?;
                agree(&mut spec.value_size, size).map_err(fail)?;
            }
            "key" => {
                let size = pointed_size(types, member.type_id).map_err(at)?;
                agree(&mut spec.key_size, size).map_err(fail)?;
            }
            "value" => {
                let size = pointed_size(types, member.type_id).map_err(at)?;
                agree(&mut spec.value_size, size).map_err(fail)?;
            }
            "values" => {
                if let Some(template) = element_of_values(types, member.type_id).map_err(at)? {
                    if depth == 0 {
                        return Err(fail("inner maps cannot have inner maps".into()));
                    }
                    let inner_name = format!("{name}.inner");
                    inner = Some(btf_map(&inner_name, template, types, depth - 1)?.0);
                }
            }
            _ => {}
        }
    }
    if map_type::holds_maps(spec.map_type) && spec.value_size == 0 {
        spec.value_size = 4;
    }
    Ok((spec, inner))
}

/// `__uint(name, N)` declares `int (*name)[N]`.
fn number(types: &Types<'_>, type_id: u32) -> Result<u32> {
    if let Type::Pointer { target } = types.resolve(type_id)?
        && let Type::Array { count, .. } = types.resolve(*target)?
    {
        return Ok(*count);
    }
    Err(EngineError::elf("declare it with __uint(name, number)"))
}

/// `__type(name, T)` declares `T *name`.
fn pointed_size(types: &Types<'_>, type_id: u32) -> Result<u32> {
    match types.resolve(type_id)? {
        Type::Pointer { target } => types.size_of(*target),
        _ => Err(EngineError::elf("declare it with __type(name, type)")),
    }
}

/// `__array(values, T)` declares `T *values[]`: the structure T, or `None` for functions.
fn element_of_values(types: &Types<'_>, type_id: u32) -> Result<Option<u32>> {
    if let Type::Array { element, .. } = types.resolve(type_id)?
        && let Type::Pointer { target } = types.resolve(*element)?
    {
        let is_map = matches!(types.resolve(*target)?, Type::Struct { .. });
        return Ok(is_map.then_some(*target));
    }
    Err(EngineError::elf("declare it with __array(values, type)"))
}

/// A size may be given twice, but only as the same number.
fn agree(field: &mut u32, value: u32) -> Result<(), String> {
    if *field != 0 && *field != value {
        return Err(format!("two sizes are given, {field} and {value}"));
    }
    *field = value;
    Ok(())
}

/// What the numbers of a legacy record mean that follow type, key size, value size and entries.
///
/// ```text
///   bytes  20  libbpf             flags
///          36  iproute2           flags, id, pinning, inner id, inner index
///   other      eBPF for Windows   inner index, pinning, id, inner id
/// ```
struct Legacy {
    flags: u32,
    pinning: u32,
    id: u32,
    inner_id: u32,
    inner_index: u32,
}

impl Legacy {
    fn read(record: &[u8]) -> Self {
        let word = |at: usize| u32_at(record, at * 4).unwrap_or(0);
        let (flags, pinning, id, inner_id, inner_index) = match record.len() {
            20 => (word(4), 0, 0, 0, u32::MAX),
            36 => (word(4), word(6), word(5), word(7), word(8)),
            _ => (0, word(5), word(6), word(7), word(4)),
        };
        Self {
            flags,
            pinning,
            id,
            inner_id,
            inner_index,
        }
    }
}

/// Records of u32, one for each symbol.
fn read_legacy_maps(section: &Section<'_>, elf: &Elf<'_>, maps: &mut Maps) -> Result<()> {
    let symbols = symbols_of(elf, section);
    if symbols.is_empty() {
        return Ok(());
    }
    let fail = |what: String| EngineError::elf(format!("section {}: {what}", section.name));
    let record = section.data.len() / symbols.len();
    if record * symbols.len() != section.data.len()
        || !LEGACY_RECORD.contains(&record)
        || !record.is_multiple_of(4)
    {
        return Err(fail(format!(
            "{} bytes do not divide into {} map records",
            section.data.len(),
            symbols.len()
        )));
    }
    let first = maps.specs.len();
    let mut records = Vec::new();
    for (index, symbol) in symbols.iter().enumerate() {
        if symbol.value != (index * record) as u64 {
            return Err(fail(format!(
                "map {} does not begin at a record",
                symbol.name
            )));
        }
        let bytes = &section.data[index * record..][..record];
        let word = |at: usize| u32_at(bytes, at * 4).unwrap_or(0);
        let rest = Legacy::read(bytes);
        let spec = MapSpec {
            name: symbol.name.clone(),
            map_type: word(0),
            key_size: word(1),
            value_size: word(2),
            max_entries: word(3),
            flags: rest.flags,
            pinning: rest.pinning,
            ..MapSpec::default()
        };
        maps.declare(section.index, symbol.value, record as u32, spec)?;
        records.push(rest);
    }
    connect_inner_maps(&records, first, maps).map_err(fail)
}

/// An inner map is named by its id if there is one, else by its place in the section.
fn connect_inner_maps(records: &[Legacy], first: usize, maps: &mut Maps) -> Result<(), String> {
    for (index, record) in records.iter().enumerate() {
        let spec = &maps.specs[first + index];
        if !map_type::holds_maps(spec.map_type) {
            continue;
        }
        let inner = if record.inner_id != 0 {
            records.iter().position(|other| other.id == record.inner_id)
        } else {
            Some(record.inner_index as usize).filter(|at| *at < records.len())
        };
        let name = spec.name.clone();
        let inner = inner.filter(|at| *at != index);
        let inner = inner.ok_or_else(|| format!("map {name} names no inner map"))?;
        maps.specs[first + index].inner = Some(first + inner);
    }
    Ok(())
}
