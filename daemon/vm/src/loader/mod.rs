//! ELF bytes to values: the only reader of object files in the system.
//!
//! ```text
//!  bytes -> elf (sections, symbols, relocations)
//!             |-> btf   (types)   -> maps  (BTF, legacy, data sections) -> values
//!             |-> imports (.ksyms) .
//!             |-> lines, relocate (BTF.ext) -|
//!             '-> link  (functions, calls, references) -> programs
//!
//!  program + a contract -> relocate (layout of the context) -> shipped (helpers that are code)
//! ```
//!
//! Input is hostile: every offset is checked, every count has a cap, nothing
//! here can panic.  Program types are decided elsewhere, by section name.

mod btf;
mod elf;
mod ext;
#[cfg(any(test, feature = "differential"))]
pub mod fuzz;
mod imports;
mod lines;
mod link;
mod maps;
mod reader;
mod relocate;
pub mod shipped;
mod values;

pub(crate) use reader::u32_at;
pub use relocate::{Access, relocated};

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod large;
#[cfg(test)]
mod tests;

use crate::error::{EngineError, Result};
use crate::spec::Object;

/// Parse a BPF ELF file; the error is ELF_PARSING_FAILED and says what is wrong.
pub fn parse_object(data: &[u8]) -> Result<Object> {
    let elf = elf::Elf::parse(data)?;
    check_symbols(&elf)?;
    let types = match elf.filled_section(".BTF") {
        Some(section) => Some(btf::Types::parse(section.data)?),
        None => None,
    };
    let mut maps = maps::declared(&elf, types.as_ref())?;
    values::read(&elf, &mut maps)?;
    let (lines, relocations) = match (elf.filled_section(".BTF.ext"), &types) {
        (Some(section), Some(types)) => (
            lines::Lines::parse(section.data, types)?,
            relocate::Relocations::parse(section.data, types)?,
        ),
        _ => Default::default(),
    };
    let imports = imports::Declared::read(types.as_ref())?;
    let programs = link::programs(&elf, &maps, &lines, &relocations, &imports)?;
    Ok(Object {
        programs,
        maps: maps.specs,
        license: license(&elf),
    })
}

/// Without any symbol there is no telling where a function or a map begins.
fn check_symbols(elf: &elf::Elf<'_>) -> Result<()> {
    let mut code = elf.sections.iter();
    if elf.symbols.is_empty() && code.any(|section| section.executable && !section.data.is_empty())
    {
        return Err(EngineError::elf(
            "the file has no symbols, so that its programs have no names: \
             strip debug information only, with llvm-strip -g",
        ));
    }
    Ok(())
}

fn license(elf: &elf::Elf<'_>) -> Option<String> {
    let data = elf.section_named("license")?.data;
    let text = data.split(|byte| *byte == 0).next().unwrap_or_default();
    Some(String::from_utf8_lossy(text).into_owned())
}
