use super::parse_object;
use crate::error::ResultCode;
use crate::exec::Program;
use crate::fixtures::{
    OBJECTS, OBJECTS_16, bytes, context, executors, live, object, program, sample,
};
use crate::isa::{LDDW_MAP, LDDW_MAP_VALUE};
use crate::spec::{MapSpec, Object};

fn refusal(data: &[u8]) -> String {
    let error = parse_object(data).expect_err("no object");
    assert_eq!(ResultCode::ElfParsingFailed, error.code);
    error.message
}

fn map<'a>(maps: &'a [MapSpec], name: &str) -> &'a MapSpec {
    maps.iter()
        .find(|map| map.name == name)
        .expect("a map of this name")
}

/// Each symbol of a program section is a program of its own.
#[test]
fn a_section_may_hold_several_programs() {
    let object = object("plain");
    let names: Vec<_> = object
        .programs
        .iter()
        .map(|p| (&*p.name, &*p.section))
        .collect();
    assert_eq!(
        [("constant", "sample_ext"), ("sum", "sample_ext")],
        names[..]
    );
    assert_eq!(Some("MIT".to_owned()), object.license);
}

/// Functions in .text are programs only if there is nothing else.
#[test]
fn text_alone_is_a_program() {
    assert_eq!("lone", object("only_text").programs[0].name);
}

/// What is no BPF object is refused with what it is.
#[test]
fn other_files_are_refused_by_what_they_are() {
    assert!(refusal(b"").contains("empty"));
    assert!(refusal(b"#!/bin/sh\n").contains("no ELF file"));
    let x86: &[u8] = include_bytes!("../../tests/programs/refused/x86_64.o");
    assert!(refusal(x86).contains("this is an x86-64 object, not BPF"));
    assert!(refusal(include_bytes!("../../tests/programs/refused/i386.o")).contains("32-bit"));
    let big = include_bytes!("../../tests/programs/refused/big_endian.o");
    assert!(refusal(big).contains("big-endian"));
}

/// A function that the object does not define is named.
#[test]
fn unknown_externs_are_named() {
    assert!(refusal(bytes("externs")).contains("unknown extern nowhere"));
}

/// Functions of `.ksyms` become imports, with the module that their tag names.
#[test]
fn functions_of_other_modules_are_imported() {
    let object = object("imports");
    let spec = program(&object, "imports");
    let names: Vec<_> = spec.imports.iter().map(|each| &*each.name).collect();
    assert_eq!(["first_lookup", "first_add", "second_add"], names[..]);
    let first = "12345678-1234-1234-1234-123456789abc";
    assert_eq!(
        [first; 2],
        [&*spec.imports[0].module, &*spec.imports[1].module]
    );
    assert_eq!(
        "00000000-0000-0000-0000-000000000002",
        &*spec.imports[2].module
    );
    let calls = spec
        .instructions
        .iter()
        .filter(|insn| insn.is_function_call());
    let places: Vec<_> = calls.map(|insn| insn.imm).collect();
    assert_eq!([0, 1, 2, 1], places[..], "the sub-program shares the list");
    assert_eq!(1, spec.subprograms.len());
    assert!(object.programs.iter().all(|each| each.name != "twice"));
    assert_eq!(1, program(&object, "misused").imports.len());
}

/// A declaration that names no module says how to name one.
#[test]
fn imports_need_a_module() {
    let message = refusal(bytes("untagged"));
    assert!(
        message.contains("function of_no_module names no module: add"),
        "{message}"
    );
}

/// BTF ids mean nothing outside of the file: a call by one is no import.
#[test]
fn calls_by_btf_id_are_refused() {
    let mut data = bytes("plain").to_vec();
    let exit = [0x95, 0, 0, 0, 0, 0, 0, 0];
    let at = data
        .windows(8)
        .position(|slot| slot == exit)
        .expect("an exit");
    data[at..at + 8].copy_from_slice(&[0x85, 0x20, 0, 0, 1, 0, 0, 0]);
    assert!(refusal(&data).contains("a call by BTF id"));
}

/// Numbers of maps are the loader's: one that stands in a file already could be any map's.
#[test]
fn maps_by_number_are_refused() {
    for kind in [LDDW_MAP, LDDW_MAP_VALUE] {
        let mut data = bytes("plain").to_vec();
        let exit = [0x95, 0, 0, 0, 0, 0, 0, 0];
        let at = data.windows(8).position(|slot| slot == exit);
        let at = at.expect("an exit");
        data[at - 8..at + 8].fill(0);
        data[at - 8..at - 6].copy_from_slice(&[0x18, kind << 4]);
        let said = refusal(&data);
        assert!(said.contains("a map by number"), "{said}");
    }
}

/// BTF declarations give types, sizes from key and value types, and pinning.
#[test]
fn btf_maps_are_read() {
    let maps = object("maps").maps;
    let flows = map(&maps, "flows");
    assert_eq!(
        (1, 8, 8, 16, 1),
        (
            flows.map_type,
            flows.key_size,
            flows.value_size,
            flows.max_entries,
            flows.pinning
        )
    );
    let nested = map(&maps, "nested");
    let inner = &maps[nested.inner.expect("a template")];
    assert_eq!((6, 4), (nested.map_type, nested.value_size));
    assert_eq!(
        (2, 4, 8, 2),
        (
            inner.map_type,
            inner.key_size,
            inner.value_size,
            inner.max_entries
        )
    );
}

/// Two maps of one typedef are two maps, and references go to the right one.
#[test]
fn two_maps_of_one_typedef_are_distinct() {
    let object = object("maps");
    let count = program(&object, "count");
    let used: Vec<_> = count
        .map_indices()
        .into_iter()
        .map(|i| &*object.maps[i].name)
        .collect();
    assert_eq!(3, used.len());
    assert!(
        ["first", "second", "flows"]
            .iter()
            .all(|name| used.contains(name))
    );
    let first = count
        .instructions
        .iter()
        .find(|insn| insn.is_map_reference());
    let first = first.expect("a reference");
    assert_eq!(
        (LDDW_MAP, "second"),
        (first.src, &*object.maps[first.imm as usize].name)
    );
}

/// Initialisers of `values` are names under indices; of other maps there are none.
#[test]
fn values_of_declarations_are_read() {
    let maps = object("values").maps;
    let named = |map: &MapSpec| -> Vec<(u32, String)> { map.values.clone() };
    let of = |pairs: &[(u32, &str)]| -> Vec<(u32, String)> {
        pairs
            .iter()
            .map(|(at, name)| (*at, (*name).to_owned()))
            .collect()
    };
    assert_eq!(
        of(&[(0, "shown"), (2, "hidden")]),
        named(map(&maps, "steps"))
    );
    assert_eq!(of(&[(1, "left"), (3, "right")]), named(map(&maps, "sides")));
    assert_eq!(of(&[]), named(map(&maps, "left")));
}

/// A value that does not fit its map, or that no map of this type takes, is refused by name.
#[test]
fn values_that_cannot_be_are_refused() {
    let refused = |field: &[u8], by: &[u8]| {
        let mut copy = bytes("values").to_vec();
        let places =
            (0..copy.len() - field.len()).filter(|at| &copy[*at..][..field.len()] == field);
        let places: Vec<_> = places.collect();
        assert_eq!(1, places.len(), "the pattern is unique");
        copy[places[0]..][..by.len()].copy_from_slice(by);
        refusal(&copy)
    };
    // The relocation of steps[2]: offset, then type 2 and a symbol.
    let entry = [0x30, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0];
    let said = refused(&entry, &0x34_u64.to_le_bytes());
    assert!(said.contains("map steps: a value lies outside"), "{said}");
    let said = refused(&entry, &0x08_u64.to_le_bytes());
    assert!(said.contains("map steps: a value lies outside"), "{said}");
    let said = refused(&entry, &[0x30, 0, 0, 0, 0, 0, 0, 0, 3]);
    assert!(said.contains("neither a function nor a map"), "{said}");
    let said = refused(&entry, &0x40_u64.to_le_bytes());
    assert!(said.contains("map left: values can be given for"), "{said}");
}

/// Legacy records follow eBPF for Windows.
#[test]
fn legacy_maps_are_read() {
    let maps = object("legacy_maps").maps;
    let (first, second) = (map(&maps, "first"), map(&maps, "second"));
    assert_eq!(
        (2, 4, 8, 3, 0),
        (
            first.map_type,
            first.key_size,
            first.value_size,
            first.max_entries,
            first.pinning
        )
    );
    assert_eq!(
        (1, 4, 4, 5, 1),
        (
            second.map_type,
            second.key_size,
            second.value_size,
            second.max_entries,
            second.pinning
        )
    );
}

/// Records of libbpf have flags in fifth place, those of iproute2 nine numbers and ids.
#[test]
fn legacy_maps_of_linux_are_read() {
    let maps = object("legacy_linux").maps;
    let (first, second) = (map(&maps, "first"), map(&maps, "second"));
    assert_eq!((2, 3, 0), (first.map_type, first.max_entries, first.flags));
    assert_eq!(
        (1, 5, 1),
        (second.map_type, second.max_entries, second.flags)
    );
    assert_eq!((0, 0), (first.pinning, second.pinning));
    let maps = object("legacy_iproute2").maps;
    let (outer, pinned) = (map(&maps, "outer"), map(&maps, "pinned"));
    assert_eq!("inner", maps[outer.inner.expect("a template")].name);
    assert_eq!((1, 2), (pinned.flags, pinned.pinning));
}

/// What one program of `emitted.c` gives, by both executors, for a number in its context.
fn emitted(object: &Object, name: &str, number: u32) -> u32 {
    let [interpreted, compiled] = executors().map(|options| {
        let maps = live(&object.maps);
        let ready = Program::new(program(object, name), maps, &sample(), options);
        let run = ready
            .expect("valid")
            .test_run(&context(number, 0), b"", 0, 1);
        run.expect("valid input").result
    });
    assert_eq!(interpreted, compiled, "{name}");
    interpreted
}

fn emitted_by_both() -> [Object; 2] {
    [OBJECTS, OBJECTS_16].map(|objects| {
        let found = objects.iter().find(|(name, _)| *name == "emitted");
        parse_object(found.expect("a fixture").1).expect("the fixture parses")
    })
}

/// Static, global and weak functions of .text are called alike.
#[test]
fn static_global_and_weak_functions_are_linked() {
    for object in emitted_by_both() {
        assert_eq!(3 * 10_000 + 8 * 100 + 7, emitted(&object, "calls", 0));
        let names: Vec<_> = program(&object, "calls").subprograms.iter().collect();
        assert_eq!(3, names.len());
    }
}

/// Sections of strings, several sections of constants and of data are each a map.
#[test]
fn strings_constants_and_data_have_sections_of_their_own() {
    for object in emitted_by_both() {
        for number in 0..4 {
            let constants = [10, 20, 30, 40][number] + [5, 6][number & 1];
            assert_eq!(constants, emitted(&object, "constants", number as u32));
            let letter = u32::from(b"abcd"[number]);
            assert_eq!(letter, emitted(&object, "letter", number as u32));
        }
        assert_eq!(102, emitted(&object, "counts", 0));
        for (name, read_only) in [
            (".rodata.str1.1", true),
            (".rodata.table", true),
            (".rodata.other", true),
            (".data.counter", false),
            (".data", false),
            (".bss", false),
        ] {
            assert_eq!(read_only, map(&object.maps, name).read_only, "{name}");
        }
    }
}

/// What is weak need not be there: its address is 0.
#[test]
fn weak_symbols_may_be_absent() {
    for object in emitted_by_both() {
        assert_eq!(2, emitted(&object, "absent", 0));
    }
}

/// Several programs of one section, and a program of another.
#[test]
fn programs_of_several_sections_are_found() {
    for object in emitted_by_both() {
        let names = object.programs.iter().map(|each| &*each.name);
        let names: Vec<_> = names.collect();
        assert_eq!(
            ["calls", "constants", "letter", "counts", "absent", "beside"],
            names[..]
        );
        assert_eq!("sample_ext/second", program(&object, "beside").section);
    }
}

/// Data cannot hold addresses, and a file that wants it to says where.
#[test]
fn pointers_in_data_are_refused() {
    let message = refusal(bytes("pointers"));
    assert!(
        message.contains("section .rodata: byte 0 holds a pointer to .rodata.str1.1"),
        "{message}"
    );
}

/// Two compilers make of one source the same maps and programs, or the same refusal.
#[test]
fn objects_of_both_compilers_are_read_alike() {
    for ((name, old), (_, new)) in OBJECTS.iter().zip(OBJECTS_16) {
        match (parse_object(old), parse_object(new)) {
            (Ok(old), Ok(new)) => {
                assert_eq!(old.maps, new.maps, "{name}");
                let names = |object: &Object| -> Vec<_> {
                    let programs = object.programs.iter();
                    programs
                        .map(|each| {
                            (
                                each.name.clone(),
                                each.section.clone(),
                                each.imports.clone(),
                            )
                        })
                        .collect()
                };
                assert_eq!(names(&old), names(&new), "{name}");
            }
            (old, new) => assert_eq!(old.map(|_| ()), new.map(|_| ()), "{name}"),
        }
    }
}

macro_rules! stripped {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/programs/stripped/", $name, ".o"))
    };
}

/// Without BTF, programs and data are read as with it, but have no source lines.
#[test]
fn objects_without_btf_are_read() {
    let known = object("globals");
    for data in [&stripped!("no_btf")[..], stripped!("empty_btf")] {
        let found = parse_object(data).expect("an object");
        assert_eq!(known.maps, found.maps);
        assert_eq!(
            known.programs[0].instructions,
            found.programs[0].instructions
        );
        assert_eq!(None, found.programs[0].source_line(0));
    }
    let message = refusal(stripped!("no_btf_maps"));
    assert!(
        message.contains("section .maps needs type information"),
        "{message}"
    );
}

/// Debug sections, and relocations of them, are of no interest.
#[test]
fn debug_sections_are_ignored() {
    let data: &[u8] = stripped!("nothing");
    let dwarf = b".debug_info\0";
    assert!(data.windows(dwarf.len()).any(|window| window == dwarf));
    assert_eq!(Ok(object("globals")), parse_object(data));
}

/// Without symbols nothing has a name: the error says what to strip instead.
#[test]
fn objects_without_symbols_are_refused() {
    let message = refusal(stripped!("no_symbols"));
    assert!(message.contains("the file has no symbols"), "{message}");
    assert!(message.contains("llvm-strip -g"), "{message}");
}

/// Each data section is one array entry with its bytes; .rodata is read-only.
#[test]
fn data_sections_are_maps() {
    let object = object("globals");
    for (name, size, read_only) in [
        (".data", 16, false),
        (".bss", 4, false),
        (".rodata", 8, true),
        (".data.custom", 4, false),
    ] {
        let map = map(&object.maps, name);
        assert_eq!(
            (2, 4, size, 1),
            (map.map_type, map.key_size, map.value_size, map.max_entries)
        );
        assert_eq!(read_only, map.read_only, "{name}");
        assert_eq!(Some(size as usize), map.initial.as_ref().map(Vec::len));
    }
    let custom = map(&object.maps, ".data.custom");
    assert_eq!(Some(&77_u32.to_le_bytes()[..]), custom.initial.as_deref());
    let references = object.programs[0]
        .instructions
        .iter()
        .filter(|i| i.is_map_reference());
    assert!(references.clone().count() >= 4);
    assert!(
        references
            .into_iter()
            .all(|insn| insn.src == LDDW_MAP_VALUE)
    );
}

/// Called functions of .text and of the program's section are linked behind it, once.
#[test]
fn subprograms_are_linked_behind_their_program() {
    let object = object("subprograms");
    assert_eq!(
        2,
        object.programs.len(),
        "local functions that are called are no programs"
    );
    let first = program(&object, "first");
    let names: Vec<_> = first.subprograms.iter().map(|sub| &*sub.name).collect();
    assert_eq!(["shared", "beside", "twice"], names[..]);
    for program in &object.programs {
        let starts = program.starts();
        assert_eq!(Ok(()), crate::isa::validate(&program.instructions, &starts));
    }
}

/// Line information follows functions to where they are linked.
#[test]
fn source_lines_move_with_their_functions() {
    let object = object("subprograms");
    let first = program(&object, "first");
    let twice = first
        .subprograms
        .iter()
        .find(|sub| sub.name == "twice")
        .expect("linked");
    let line = first.source_line(twice.start).expect("known");
    assert!(line.text.contains("return x * 2;"), "{line:?}");
    assert!(line.file.ends_with("subprograms.c"));
    let last = first.instructions.len() - 1;
    assert_eq!(
        first.source_line(twice.start).map(|l| l.line),
        first.source_line(last).map(|l| l.line)
    );
    assert_eq!(None, first.source_line(last + 1));
}

/// Equal bytes give equal specs.
#[test]
fn parsing_is_deterministic() {
    for (name, data) in OBJECTS {
        assert_eq!(parse_object(data), parse_object(data), "{name}");
    }
}

/// Cut at any length, a file is refused or parsed, never more.
#[test]
fn truncated_files_never_panic() {
    for (_, data) in OBJECTS {
        for length in (0..data.len()).step_by(7) {
            let _ = parse_object(&data[..length]);
        }
    }
}

/// Two thousand damaged copies of each fixture are refused or parsed, never more.
#[test]
fn damaged_files_never_panic() {
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for (_, data) in OBJECTS {
        for _ in 0..2_000 {
            let mut copy = data.to_vec();
            for _ in 0..=random(4) {
                let at = random(copy.len());
                copy[at] = match random(4) {
                    0 => 0,
                    1 => 0xff,
                    2 => copy[at] ^ (1 << random(8)),
                    _ => random(256) as u8,
                };
            }
            let _ = parse_object(&copy);
        }
    }
}
