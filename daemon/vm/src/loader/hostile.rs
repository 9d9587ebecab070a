//! Files that a compiler never writes: small ones that ask for much, and damaged ones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::parse_object;
use crate::error::ResultCode;
use crate::fixtures::{OBJECTS, Random};
use crate::isa::{CALL, CALL_LOCAL, EXIT, Insn};

pub const PROGBITS: u32 = 1;
const SYMTAB: u32 = 2;
const STRTAB: u32 = 3;
const RELA: u32 = 4;
const NOBITS: u32 = 8;
pub const ALLOC: u64 = 2;
pub const CODE: u64 = 6;
pub const FUNCTION: u8 = 0x12;
pub const OBJECT: u8 = 0x11;
/// Far more than any of these files may take, far less than they ask for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A section to write; those with the same `data` share one place in the file.
#[derive(Clone, Default)]
pub struct Part {
    pub name: String,
    pub kind: u32,
    pub flags: u64,
    pub data: Arc<Vec<u8>>,
    /// Instead of the length of `data`.
    pub size: Option<u64>,
    pub link: u32,
    pub info: u32,
    pub entry: u64,
}

pub fn part(name: impl Into<String>, kind: u32, flags: u64, data: impl Into<Arc<Vec<u8>>>) -> Part {
    Part {
        name: name.into(),
        kind,
        flags,
        data: data.into(),
        ..Part::default()
    }
}

/// An ELF file of these sections; `symbols` are (name, type, section, value, size).
pub fn file(parts: &[Part], symbols: &[(&str, u8, u16, u64, u64)]) -> Vec<u8> {
    let mut strings = vec![0];
    let mut table = vec![0; 24];
    let mut known = std::collections::HashMap::new();
    for (name, kind, section, value, size) in symbols {
        let at = *known.entry(name.as_ptr()).or_insert_with(|| {
            let at = strings.len() as u32;
            strings.extend(name.bytes().chain([0]));
            at
        });
        table.extend(at.to_le_bytes());
        table.extend([*kind, 0]);
        table.extend(section.to_le_bytes());
        table.extend(value.to_le_bytes());
        table.extend(size.to_le_bytes());
    }
    let mut all = vec![Part::default()];
    all.extend_from_slice(parts);
    let link = all.len() as u32 + 1;
    all.push(Part {
        link,
        entry: 24,
        ..part(".symtab", SYMTAB, 0, table)
    });
    all.push(part(".strtab", STRTAB, 0, strings));
    finish(all)
}

fn finish(mut all: Vec<Part>) -> Vec<u8> {
    all.push(part(".shstrtab", STRTAB, 0, Vec::new()));
    let mut names = vec![0];
    let mut name_at = vec![0_u32];
    for part in &all[1..] {
        name_at.push(names.len() as u32);
        names.extend(part.name.bytes().chain([0]));
    }
    let last = all.len() - 1;
    all[last].data = names.into();
    let mut bytes = vec![0; 64];
    let mut places = std::collections::HashMap::new();
    let mut headers = Vec::new();
    for (part, name) in all.iter().zip(name_at) {
        let at = *places.entry(Arc::as_ptr(&part.data)).or_insert_with(|| {
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            let at = bytes.len() as u64;
            bytes.extend(&*part.data);
            at
        });
        let size = part.size.unwrap_or(part.data.len() as u64);
        headers.extend([name, part.kind].map(u32::to_le_bytes).concat());
        headers.extend([part.flags, 0, at, size].map(u64::to_le_bytes).concat());
        headers.extend([part.link, part.info].map(u32::to_le_bytes).concat());
        headers.extend([8, part.entry].map(u64::to_le_bytes).concat());
    }
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let table = bytes.len() as u64;
    bytes.extend(headers);
    bytes[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\x00");
    bytes[16..20].copy_from_slice(&[1, 0, 247, 0]);
    bytes[20] = 1;
    bytes[40..48].copy_from_slice(&table.to_le_bytes());
    for (at, value) in [(52, 64), (58, 64), (60, all.len()), (62, last)] {
        bytes[at..at + 2].copy_from_slice(&(value as u16).to_le_bytes());
    }
    bytes
}

fn exit() -> Vec<u8> {
    Insn::new(EXIT, 0, 0, 0, 0).to_bytes().to_vec()
}

/// The file is handled quickly; what the refusal says, if it is one.
fn quickly(bytes: &[u8]) -> Option<String> {
    let start = Instant::now();
    let result = parse_object(bytes);
    let taken = start.elapsed();
    assert!(taken < PATIENCE, "{} bytes took {taken:?}", bytes.len());
    let error = result.err()?;
    assert_eq!(ResultCode::ElfParsingFailed, error.code);
    Some(error.message)
}

fn refusal(bytes: &[u8]) -> String {
    quickly(bytes).expect("a refusal")
}

/// The builder itself makes what the loader reads.
#[test]
fn built_files_are_valid() {
    let bytes = file(
        &[part("sample_ext", PROGBITS, CODE, exit())],
        &[("main", FUNCTION, 1, 0, 8)],
    );
    let object = parse_object(&bytes).expect("a valid file");
    assert_eq!("main", object.programs[0].name);
}

/// Sections without contents cannot ask for gigabytes together.
#[test]
fn reserved_sections_are_bounded_together() {
    let bss = |number| Part {
        size: Some(64 << 20),
        ..part(format!(".bss.{number}"), NOBITS, ALLOC, vec![])
    };
    let parts: Vec<Part> = (0..1_000).map(bss).collect();
    assert!(refusal(&file(&parts, &[])).contains("data sections"));
}

/// Nor can sections that share their contents.
#[test]
fn overlapping_sections_are_bounded_together() {
    let data = Arc::new(vec![1; 8 << 20]);
    let parts: Vec<Part> = (0..1_000)
        .map(|number| part(format!(".data.{number}"), PROGBITS, ALLOC, data.clone()))
        .collect();
    assert!(refusal(&file(&parts, &[])).contains("data sections"));
    let data = Arc::new(exit().repeat(500_000));
    let code: Vec<Part> = (0..1_000)
        .map(|number| part(format!("xdp/{number}"), PROGBITS, CODE, data.clone()))
        .collect();
    assert!(refusal(&file(&code, &[])).contains("instructions"));
}

/// Relocation sections count together.
#[test]
fn relocations_are_bounded_together() {
    let mut parts = vec![part("sample_ext", PROGBITS, CODE, exit())];
    let entries = Arc::new(vec![0; 24 * 100_000]);
    parts.extend((0..1_000).map(|number| Part {
        link: 1_002,
        info: 1,
        entry: 24,
        ..part(format!(".rela{number}"), RELA, 0, entries.clone())
    }));
    assert!(refusal(&file(&parts, &[])).contains("relocations"));
}

/// Names have an end, so that many symbols cannot share one long name.
#[test]
fn names_are_bounded() {
    let name = "n".repeat(1 << 20);
    let symbols = vec![(name.as_str(), OBJECT, 1, 0, 8); 60_000];
    let parts = [part("sample_ext", PROGBITS, CODE, exit())];
    assert!(refusal(&file(&parts, &symbols)).contains("name"));
}

/// BTF of these types, each given by its words, over these strings.
fn btf(types: &[Vec<u32>], strings: &[u8]) -> Vec<u8> {
    let types: Vec<u8> = types
        .concat()
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    let mut bytes = vec![0x9f, 0xeb, 1, 0];
    let lengths = [types.len() as u32, strings.len() as u32];
    for word in [24, 0, lengths[0], lengths[0], lengths[1]] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(types);
    bytes.extend(strings);
    bytes
}

/// A declaration with thousands of inner declarations is no declaration.
#[test]
fn map_declarations_are_bounded() {
    let strings = b"\0values\0.maps\0m\0";
    let (values, section, name) = (1, 8, 14);
    let structure = |member, type_id| {
        let members = (0..0xffff).flat_map(|_| [member, type_id, 0]);
        [0, 4 << 24 | 0xffff, 0]
            .into_iter()
            .chain(members)
            .collect()
    };
    let types = [
        structure(values, 2),
        vec![0, 3 << 24, 0, 3, 0, 1],
        vec![0, 2 << 24, 6],
        vec![name, 14 << 24, 1, 1],
        vec![section, 15 << 24 | 1, 0, 4, 0, 8],
        structure(name, 0),
    ];
    let parts = [
        part(".maps", PROGBITS, ALLOC, vec![0; 8]),
        part(".BTF", PROGBITS, 0, btf(&types, strings)),
    ];
    let symbols = [("m", OBJECT, 1, 0, 8)];
    assert!(refusal(&file(&parts, &symbols)).contains("members"));
}

/// Types may share one long name without a copy of it each.
#[test]
fn long_type_names_are_not_copied() {
    let mut strings = vec![0];
    strings.extend(std::iter::repeat_n(b'x', 1 << 20));
    strings.push(0);
    let types = vec![vec![1, 1 << 24, 4, 0]; 60_000];
    let parts = [part(".BTF", PROGBITS, 0, btf(&types, &strings))];
    assert_eq!(None, quickly(&file(&parts, &[])));
}

fn line_section(name: u32, records: &[[u32; 4]]) -> Vec<u8> {
    let words = [name, records.len() as u32]
        .into_iter()
        .chain(records.concat());
    words.flat_map(u32::to_le_bytes).collect()
}

fn line_table(sections: &[u8]) -> Vec<u8> {
    let words = [0x1_eb9f, 24, 0, 0, 0, sections.len() as u32 + 4, 16];
    let mut bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    bytes.extend(sections);
    bytes
}

/// Lines of one section in many parts are put in order once.
#[test]
fn line_tables_in_many_parts_are_read_quickly() {
    let many: Vec<[u32; 4]> = (0..200_000).rev().map(|at| [at * 8, 1, 1, 1]).collect();
    let mut sections = line_section(1, &many);
    sections.extend(line_section(1, &[]).repeat(400_000));
    let parts = [
        part("sample_ext", PROGBITS, CODE, exit()),
        part(".BTF", PROGBITS, 0, btf(&[], b"\0sample_ext\0")),
        part(".BTF.ext", PROGBITS, 0, line_table(&sections)),
    ];
    assert_eq!(None, quickly(&file(&parts, &[])));
}

/// However many lines an instruction claims, a program has one for each at most.
#[test]
fn an_instruction_has_one_line() {
    let many = vec![[0, 1, 1, 1]; 100_000];
    let call = Insn::new(CALL, 0, CALL_LOCAL, 0, 0).to_bytes().to_vec();
    let mut code = Vec::new();
    let mut symbols: Vec<(&str, u8, u16, u64, u64)> = vec![("shared", 2, 1, 0, 8)];
    code.extend(exit());
    for number in 1..2_000_i32 {
        let mut call = call.clone();
        call[4..].copy_from_slice(&(-2 * number).to_le_bytes());
        symbols.push(("main", FUNCTION, 1, code.len() as u64, 16));
        code.extend(call);
        code.extend(exit());
    }
    let parts = [
        part("sample_ext", PROGBITS, CODE, code),
        part(".BTF", PROGBITS, 0, btf(&[], b"\0sample_ext\0")),
        part(".BTF.ext", PROGBITS, 0, line_table(&line_section(1, &many))),
    ];
    let object = parse_object(&file(&parts, &symbols)).expect("a valid file");
    assert_eq!(1_999, object.programs.len());
    assert!(
        object
            .programs
            .iter()
            .all(|program| program.lines.len() <= 3)
    );
}

/// Programs that share very many functions cannot multiply them.
#[test]
fn linked_functions_are_bounded_together() {
    let insn = |source, imm: i32| Insn::new(CALL, 0, source, 0, imm).to_bytes();
    let mut code = Vec::new();
    let mut symbols: Vec<(&str, u8, u16, u64, u64)> = vec![("hub", 2, 1, 0, 1001 * 8)];
    for leaf in 0..1_000 {
        code.extend(insn(CALL_LOCAL, 1000 - leaf + leaf));
    }
    code.extend(exit());
    for _ in 0..1_000 {
        symbols.push(("leaf", 2, 1, code.len() as u64, 8));
        code.extend(exit());
    }
    for _ in 0..3_000 {
        let here = code.len() as i32 / 8;
        symbols.push(("main", FUNCTION, 1, code.len() as u64, 16));
        code.extend(insn(CALL_LOCAL, -here - 1));
        code.extend(exit());
    }
    let parts = [part("sample_ext", PROGBITS, CODE, code)];
    assert!(refusal(&file(&parts, &symbols)).contains("functions"));
}

const INTERESTING: [u64; 14] = [
    0,
    1,
    2,
    7,
    8,
    15,
    16,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 32,
    i64::MAX as u64,
    u64::MAX - 7,
    u64::MAX,
];

/// Overwrite one number of `width` bytes with a nasty one.
fn spoil(bytes: &mut [u8], at: usize, width: usize, random: &mut Random) {
    let Some(field) = bytes.get_mut(at..at.saturating_add(width)) else {
        return;
    };
    let mut old = [0; 8];
    old[..width].copy_from_slice(field);
    let old = u64::from_le_bytes(old);
    let new = match random.below(4) {
        0 => random.pick(&INTERESTING),
        1 => old.wrapping_add(random.pick(&[1, 2, 4, 8, 16, 24, u64::MAX, 0_u64.wrapping_sub(8)])),
        2 => random.below(64) as u64,
        _ => random.number(),
    };
    field.copy_from_slice(&new.to_le_bytes()[..width]);
}

fn number(bytes: &[u8], at: usize, width: usize) -> usize {
    let mut copy = [0; 8];
    if let Some(field) = bytes.get(at..at.saturating_add(width)) {
        copy[..width].copy_from_slice(field);
    }
    u64::from_le_bytes(copy) as usize
}

/// Damage a field of a section header, or a number in the section's contents.
fn damage(bytes: &mut [u8], random: &mut Random) {
    let headers = number(bytes, 40, 8);
    let header = random.below(number(bytes, 60, 2).max(1)) * 64;
    let header = headers.saturating_add(header);
    if random.one_in(3) {
        let fields = [
            (0, 4),
            (4, 4),
            (8, 8),
            (24, 8),
            (32, 8),
            (40, 4),
            (44, 4),
            (56, 8),
        ];
        let (field, width) = random.pick(&fields);
        return spoil(bytes, header.saturating_add(field), width, random);
    }
    let (place, size) = (
        number(bytes, header.saturating_add(24), 8),
        number(bytes, header.saturating_add(32), 8),
    );
    let width = random.pick(&[1, 2, 4, 4, 4, 8]);
    let at = place.saturating_add(random.below(size.clamp(1, 1 << 20)) / width * width);
    if at < bytes.len() {
        spoil(bytes, at, width, random);
    }
}

/// Files with damaged fields, tables and relocations are refused or parsed, quickly.
#[test]
fn damaged_structures_never_panic_or_hang() {
    let mut random = Random::new(7);
    let start = Instant::now();
    for (_, data) in OBJECTS {
        for _ in 0..campaign() {
            let mut copy = data.to_vec();
            for _ in 0..=random.below(5) {
                damage(&mut copy, &mut random);
            }
            let one = Instant::now();
            if let Ok(object) = parse_object(&copy) {
                let bytes: usize = object
                    .maps
                    .iter()
                    .flat_map(|map| &map.initial)
                    .map(Vec::len)
                    .sum();
                assert!(
                    bytes <= 64 << 20,
                    "{bytes} bytes of data from {}",
                    copy.len()
                );
            }
            assert!(one.elapsed() < PATIENCE);
        }
    }
    println!("{:?}", start.elapsed());
}

/// Copies of each fixture; more on demand.
fn campaign() -> usize {
    let wanted = std::env::var("EBPFD_DAMAGED_FILES").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(4_000)
}
