//! What must hold of any bytes at all: read or refused, never a panic.
//!
//! Fuzzers call these with what they make up; tests with damaged copies of real objects.

use super::btf::Types;
use super::{parse_object, relocated};
use crate::disassembly::{Names, disassemble};
use crate::isa::{self, Insn};
use crate::spec::{Object, ProgramSpec};

/// Bytes as an object file: every program of it is whole, and every reference leads somewhere.
pub fn check_object(bytes: &[u8]) {
    let Ok(object) = parse_object(bytes) else {
        return;
    };
    for program in &object.programs {
        check_program(program);
        assert!(
            program
                .map_indices()
                .iter()
                .all(|map| *map < object.maps.len())
        );
        assert!(program.lines.is_sorted_by_key(|record| record.pc));
    }
    for map in &object.maps {
        assert!(map.inner.is_none_or(|inner| inner < object.maps.len()));
        if let Some(initial) = &map.initial {
            assert_eq!(map.value_size as usize, initial.len());
        }
    }
}

/// Bytes as BTF: of types that can be read, every name and size can be asked for.
pub fn check_btf(bytes: &[u8]) {
    let Ok(types) = Types::parse(bytes) else {
        return;
    };
    for (id, _) in types.all().take(1_000) {
        let _ = (types.resolve(id), types.size_of(id));
    }
    for section in [".maps", ".ksyms", ".data"] {
        let _ = (
            types.section_variables(section),
            types.section_functions(section),
        );
    }
}

/// Bytes as the BTF that the programs of an object are relocated for.
pub fn check_layout(object: &Object, bytes: &[u8]) {
    for program in &object.programs {
        if let Ok(Some(relocated)) = relocated(program, bytes) {
            assert_eq!(program.instructions.len(), relocated.instructions.len());
            assert!(relocated.relocations.is_empty());
            check_program(&relocated);
        }
    }
}

/// Bytes as instructions: they decode and encode to the same, and have a text each.
pub fn check_instructions(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len() / 8 * 8];
    let program = ProgramSpec {
        name: "bytes".into(),
        instructions: Insn::slots(bytes),
        ..ProgramSpec::default()
    };
    assert_eq!(bytes, program.bytes());
    check_program(&program);
    let _ = isa::validate(&program.instructions, &[0]);
}

fn check_program(program: &ProgramSpec) {
    let rows = disassemble(program, &Names::default());
    let mut pc = 0;
    for row in &rows {
        assert_eq!(pc, row.pc);
        assert!(!row.text.is_empty());
        pc += row.bytes.len() / 8;
    }
    assert_eq!(program.instructions.len(), pc);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{OBJECTS, OBJECTS_16, Random, object};
    use crate::loader::elf::Elf;

    /// Rounds of each campaign: what the suite has time for.
    const ROUNDS: usize = 1_000;

    /// A copy with some of its bytes changed, moved, repeated or cut off.
    fn mutated(bytes: &[u8], random: &mut Random) -> Vec<u8> {
        let mut copy = bytes.to_vec();
        for _ in 0..=random.below(6) {
            if copy.is_empty() {
                break;
            }
            let at = random.below(copy.len());
            let length = random.below(24).min(copy.len() - at);
            match random.below(8) {
                0 => copy.truncate(at),
                1 => drop(copy.drain(at..at + length)),
                2 => copy.extend_from_within(at..at + length),
                3 => copy[at..at + length].fill(random.next() as u8),
                4 => copy[at] ^= 1 << random.below(8),
                _ => copy[at] = random.number() as u8,
            }
        }
        copy
    }

    fn sections(name: &str) -> Vec<Vec<u8>> {
        let objects = OBJECTS.iter().chain(&OBJECTS_16);
        let elf = objects.map(|(_, data)| Elf::parse(data).expect("valid"));
        elf.filter_map(|elf| Some(elf.section_named(name)?.data.to_vec()))
            .collect()
    }

    /// Objects of either compiler, damaged anywhere.
    #[test]
    fn objects_are_read_or_refused() {
        let mut random = Random::new(11);
        for (_, data) in OBJECTS.iter().chain(&OBJECTS_16) {
            check_object(data);
            for _ in 0..ROUNDS {
                check_object(&mutated(data, &mut random));
            }
        }
    }

    /// Their BTF.
    #[test]
    fn btf_is_read_or_refused() {
        let mut random = Random::new(12);
        for data in sections(".BTF") {
            check_btf(&data);
            for _ in 0..ROUNDS {
                check_btf(&mutated(&data, &mut random));
            }
        }
    }

    /// And their BTF as what programs are relocated for.
    #[test]
    fn layouts_are_used_or_refused() {
        let mut random = Random::new(13);
        let object = object("relocated");
        for data in sections(".BTF") {
            for _ in 0..ROUNDS / 10 {
                check_layout(&object, &mutated(&data, &mut random));
            }
        }
    }

    /// Instructions, damaged and made up.
    #[test]
    fn instructions_are_decoded() {
        let mut random = Random::new(14);
        for data in sections("sample_ext") {
            for _ in 0..ROUNDS {
                check_instructions(&mutated(&data, &mut random));
            }
        }
        for _ in 0..ROUNDS {
            let length = random.below(512);
            let bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
            check_instructions(&bytes);
        }
    }
}
