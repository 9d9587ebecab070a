//! What declarations put into their maps: `.values = { [0] = &program }`.
//!
//! The compiler leaves a relocation for each pointer, behind the members that
//! only have types:
//!
//! ```text
//!   .maps:  | type | max_entries | ... | values[0] | values[1] | ...
//!   map ----^                          ^-- size of the structure in BTF
//! ```

use std::collections::HashMap;

use super::elf::{Elf, Relocation, SymbolKind};
use super::maps::{Declaration, Maps};
use super::reader::u64_at;
use crate::error::{EngineError, Result};
use crate::map_type;

/// Relocation type of the BPF ABI: a pointer in data.
const R_BPF_64_ABS64: u32 = 2;
const POINTER: u64 = 8;

/// Note in each map's spec the names of what its declaration puts where.
pub fn read(elf: &Elf<'_>, maps: &mut Maps) -> Result<()> {
    let Some(section) = elf.section_named(".maps") else {
        return Ok(());
    };
    let names = names(elf);
    let mut declarations = maps.declarations.clone();
    declarations.retain(|declared| declared.section == section.index);
    declarations.sort_by_key(|declared| declared.offset);
    for relocation in &elf.relocations[section.index] {
        let at = declarations.partition_point(|declared| declared.offset <= relocation.offset);
        let Some(declared) = at.checked_sub(1).map(|before| declarations[before]) else {
            return Err(EngineError::elf(
                "section .maps: a value belongs to no map".to_owned(),
            ));
        };
        let name = named(elf, *relocation, section.data, &names);
        let spec = &mut maps.specs[declared.map];
        let fail = |what: &str| Err(EngineError::elf(format!("map {}: {what}", spec.name)));
        if !matches!(
            spec.map_type,
            map_type::PROG_ARRAY | map_type::ARRAY_OF_MAPS
        ) {
            return fail("values can be given for PROG_ARRAY and ARRAY_OF_MAPS only");
        }
        let Some(index) = index_of(declared, *relocation, spec.max_entries) else {
            return fail("a value lies outside of the map");
        };
        let Some(name) = name else {
            return fail("a value is neither a function nor a map of this file");
        };
        spec.values.push((index, name.to_owned()));
    }
    Ok(())
}

/// Functions and maps by where they are; of two names for one place the global one counts.
fn names<'a>(elf: &'a Elf<'_>) -> HashMap<(usize, u64), &'a str> {
    let mut named: Vec<_> = elf.symbols.iter().collect();
    named.sort_by_key(|symbol| !symbol.local);
    named
        .into_iter()
        .filter(|symbol| symbol.kind != SymbolKind::Section && !symbol.name.is_empty())
        .filter_map(|symbol| Some(((symbol.section?, symbol.value), symbol.name.as_str())))
        .collect()
}

/// The name of what a relocation points to; its addend stands in the data.
fn named<'a>(
    elf: &Elf<'_>,
    relocation: Relocation,
    data: &[u8],
    names: &HashMap<(usize, u64), &'a str>,
) -> Option<&'a str> {
    let symbol = elf.symbols.get(relocation.symbol)?;
    let within = u64_at(data, usize::try_from(relocation.offset).ok()?)?;
    let addend = within.wrapping_add(relocation.addend.cast_unsigned());
    let place = (symbol.section?, symbol.value.wrapping_add(addend));
    let is_pointer = relocation.kind == R_BPF_64_ABS64;
    names.get(&place).copied().filter(|_| is_pointer)
}

fn index_of(declared: Declaration, relocation: Relocation, max_entries: u32) -> Option<u32> {
    let first = declared.offset.checked_add(u64::from(declared.size))?;
    let distance = relocation.offset.checked_sub(first)?;
    let index = u32::try_from(distance / POINTER).ok()?;
    (distance % POINTER == 0 && index < max_entries).then_some(index)
}
