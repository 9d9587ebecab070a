//! The parts of an ELF file that a BPF object uses, as plain values.
//!
//! The `object` crate checks the layout; this module checks that the file is
//! for us and bounds what the rest of the loader must handle.

use object::elf;
use object::read::elf::{FileHeader, Rel, Rela, SectionHeader, Sym};
use object::{LittleEndian, ReadRef};

use crate::error::{EngineError, Result};

/// Sections, symbols and relocations that one file may have, in all its tables.
const MAX_SECTIONS: usize = 4_096;
const MAX_SYMBOLS: usize = 65_536;
const MAX_RELOCATIONS: usize = 1 << 20;
/// Bytes of one name: many may share a long one, and each gets a copy.
const MAX_NAME: usize = 1_024;
/// Bytes of zeros that a section without contents may stand for.
const MAX_ZEROS: u64 = 64 << 20;

type Header = elf::FileHeader64<LittleEndian>;
const LE: LittleEndian = LittleEndian;

/// A section; `data` is empty for one that only reserves room.
#[derive(Clone, Debug)]
pub struct Section<'data> {
    pub index: usize,
    pub name: String,
    pub data: &'data [u8],
    /// Bytes in memory, which `data` has unless the section is all zeros.
    pub size: usize,
    pub executable: bool,
    pub allocated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    Function,
    Section,
    Other,
}

#[derive(Clone, Debug)]
pub struct Symbol {
    pub name: String,
    /// `None` for a symbol that this file does not define.
    pub section: Option<usize>,
    pub value: u64,
    pub size: u64,
    pub kind: SymbolKind,
    pub local: bool,
    /// Need not be defined by anybody.
    pub weak: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Relocation {
    /// Byte offset in the section.
    pub offset: u64,
    pub kind: u32,
    pub symbol: usize,
    /// The explicit addend of RELA entries; 0 for REL, as clang writes them.
    pub addend: i64,
}

/// A file taken apart.
pub struct Elf<'data> {
    /// Indexed by the number of the section.
    pub sections: Vec<Section<'data>>,
    pub symbols: Vec<Symbol>,
    /// Relocations of each section, by its number, sorted by offset.
    pub relocations: Vec<Vec<Relocation>>,
}

impl<'data> Elf<'data> {
    pub fn parse(data: &'data [u8]) -> Result<Self> {
        check_identity(data)?;
        let header = Header::parse(data).map_err(damaged)?;
        check_machine(header.e_machine(LE).0)?;
        let table = header.sections(LE, data).map_err(damaged)?;
        if table.len() > MAX_SECTIONS {
            return Err(too_many("sections", table.len(), MAX_SECTIONS));
        }
        let mut sections = Vec::new();
        for (index, section) in table.enumerate() {
            let name = table.section_name(LE, section).map_err(damaged)?;
            sections.push(read_section(index.0, text(name)?, section, data)?);
        }
        let mut file = Self {
            relocations: vec![Vec::new(); sections.len()],
            sections,
            symbols: Vec::new(),
        };
        let symbols = table.symbols(LE, data, elf::SHT_SYMTAB).map_err(damaged)?;
        file.read_symbols(&symbols)?;
        let mut total = 0;
        for section in table.iter() {
            total += file.read_relocations(section, data)?;
            if total > MAX_RELOCATIONS {
                return Err(too_many("relocations", total, MAX_RELOCATIONS));
            }
        }
        for list in &mut file.relocations {
            list.sort_by_key(|relocation| relocation.offset);
        }
        Ok(file)
    }

    /// The section of this name that has contents: tools that strip may leave a mere header.
    pub fn filled_section(&self, name: &str) -> Option<&Section<'data>> {
        self.section_named(name)
            .filter(|section| !section.data.is_empty())
    }

    pub fn section_named(&self, name: &str) -> Option<&Section<'data>> {
        self.sections.iter().find(|section| section.name == name)
    }

    fn read_symbols<R: ReadRef<'data>>(
        &mut self,
        table: &object::read::elf::SymbolTable<'data, Header, R>,
    ) -> Result<()> {
        if table.len() > MAX_SYMBOLS {
            return Err(too_many("symbols", table.len(), MAX_SYMBOLS));
        }
        for (index, symbol) in table.enumerate() {
            let name = text(table.symbol_name(LE, symbol).map_err(damaged)?)?;
            let section = table
                .symbol_section(LE, symbol, index)
                .map_err(damaged)?
                .map(|section| section.0);
            if section.is_some_and(|section| section >= self.sections.len()) {
                return Err(EngineError::elf(format!(
                    "symbol {name} lies in a section that does not exist"
                )));
            }
            self.symbols.push(Symbol {
                name,
                section,
                value: symbol.st_value(LE),
                size: symbol.st_size(LE),
                kind: match symbol.st_type() {
                    elf::STT_FUNC => SymbolKind::Function,
                    elf::STT_SECTION => SymbolKind::Section,
                    _ => SymbolKind::Other,
                },
                local: symbol.st_bind() == elf::STB_LOCAL,
                weak: symbol.st_bind() == elf::STB_WEAK,
            });
        }
        Ok(())
    }

    /// How many relocations a section has for another, if it holds any.
    fn read_relocations(
        &mut self,
        section: &elf::SectionHeader64<LittleEndian>,
        data: &'data [u8],
    ) -> Result<usize> {
        let target = section.sh_info(LE) as usize;
        let mut found = Vec::new();
        if let Some((entries, _)) = section.rel(LE, data).map_err(damaged)? {
            found.extend(entries.iter().map(|entry| Relocation {
                offset: entry.r_offset(LE),
                kind: entry.r_type(LE).0,
                symbol: entry.r_sym(LE) as usize,
                addend: 0,
            }));
        }
        if let Some((entries, _)) = section.rela(LE, data).map_err(damaged)? {
            found.extend(entries.iter().map(|entry| Relocation {
                offset: entry.r_offset(LE),
                kind: entry.r_type(LE, false).0,
                symbol: entry.r_sym(LE, false) as usize,
                addend: entry.r_addend(LE),
            }));
        }
        if found.is_empty() {
            return Ok(0);
        }
        let Some(list) = self.relocations.get_mut(target) else {
            return Err(EngineError::elf(format!(
                "relocations for section {target}, which does not exist"
            )));
        };
        let count = found.len();
        list.extend(found);
        Ok(count)
    }
}

fn read_section<'data>(
    index: usize,
    name: String,
    section: &elf::SectionHeader64<LittleEndian>,
    data: &'data [u8],
) -> Result<Section<'data>> {
    let flags = section.sh_flags(LE);
    let size = section.sh_size(LE);
    let contents = section.data(LE, data).map_err(|_| {
        EngineError::elf(format!(
            "section {name} reaches past the end of the file: it is truncated"
        ))
    })?;
    let reserves = section.sh_type(LE) == elf::SHT_NOBITS;
    if reserves && size > MAX_ZEROS {
        return Err(EngineError::elf(format!(
            "section {name} asks for {size} bytes, more than {MAX_ZEROS}"
        )));
    }
    Ok(Section {
        index,
        name,
        data: contents,
        size: if reserves {
            size as usize
        } else {
            contents.len()
        },
        executable: flags.contains(elf::SHF_EXECINSTR) && !reserves,
        allocated: flags.contains(elf::SHF_ALLOC),
    })
}

/// Recognise what is often handed over by mistake before parsing any further.
fn check_identity(data: &[u8]) -> Result<()> {
    if data.is_empty() {
        return Err(EngineError::elf(
            "the file is empty: compile with clang -O2 -g -target bpf -c",
        ));
    }
    if !data.starts_with(&elf::ELFMAG) {
        return Err(EngineError::elf(
            "no ELF file (its first bytes are not \\x7fELF): compile with clang -target bpf -c",
        ));
    }
    let (class, order) = (data.get(4).copied(), data.get(5).copied());
    if class == Some(1) {
        return Err(EngineError::elf(
            "a 32-bit ELF file, but BPF objects are 64-bit: compile with clang -target bpf",
        ));
    }
    if order == Some(2) {
        return Err(EngineError::elf(
            "a big-endian object: compile with clang -target bpfel",
        ));
    }
    Ok(())
}

fn check_machine(machine: u16) -> Result<()> {
    let name = match machine {
        247 => return Ok(()),
        3 => "an i386 object".to_owned(),
        40 => "an ARM object".to_owned(),
        62 => "an x86-64 object".to_owned(),
        183 => "an AArch64 object".to_owned(),
        243 => "a RISC-V object".to_owned(),
        other => format!("an object for machine {other}"),
    };
    Err(EngineError::elf(format!(
        "this is {name}, not BPF: compile with clang -target bpf"
    )))
}

fn damaged(error: object::read::Error) -> EngineError {
    EngineError::elf(format!("the ELF file is damaged: {error}"))
}

fn too_many(what: &str, count: usize, most: usize) -> EngineError {
    EngineError::elf(format!("{count} {what} are more than {most}"))
}

fn text(name: &[u8]) -> Result<String> {
    if name.len() > MAX_NAME {
        return Err(EngineError::elf(format!(
            "a name of {} bytes is longer than {MAX_NAME}",
            name.len()
        )));
    }
    Ok(String::from_utf8_lossy(name).into_owned())
}
