//! Files that are merely large: what must load, and how the rest is refused.

use std::time::{Duration, Instant};

use super::hostile::{ALLOC, CODE, FUNCTION, OBJECT, PROGBITS, file, part};
use super::parse_object;
use crate::error::ResultCode;
use crate::exec::Options;
use crate::fixtures::{context, live, ready};
use crate::isa::{CALL, EXIT, Insn, LDDW, MAX_INSTRUCTIONS, SOURCE_REGISTER, alu, class, mem};

const EXIT_INSN: Insn = Insn::new(EXIT, 0, 0, 0, 0);
const RELOCATIONS: u32 = 9;
const R_BPF_64_64: u64 = 1;
const PATIENCE: Duration = Duration::from_secs(10);

fn bytes(code: &[Insn]) -> Vec<u8> {
    code.iter().flat_map(|insn| insn.to_bytes()).collect()
}

/// A file with one program of so many instructions.
fn program_of(length: usize) -> Vec<u8> {
    let mut code = vec![Insn::new(class::ALU64 | alu::MOV, 0, 0, 0, 1); length];
    code[length - 1] = EXIT_INSN;
    let size = length as u64 * 8;
    let parts = [part("sample_ext", PROGBITS, CODE, bytes(&code))];
    file(&parts, &[("main", FUNCTION, 1, 0, size)])
}

/// Ten megabytes of code are refused quickly, as too large; a million instructions load and run.
#[test]
fn a_program_has_a_million_instructions_at_most() {
    let start = Instant::now();
    let ten_megabytes = 10 << 20;
    let error = parse_object(&program_of(ten_megabytes / 8)).expect_err("too large");
    assert_eq!(ResultCode::ProgramTooLarge, error.code);
    assert!(
        error
            .message
            .starts_with("program main is too large: more than 1000000")
    );
    let object = parse_object(&program_of(MAX_INSTRUCTIONS)).expect("the largest program");
    let mut spec = object.programs[0].clone();
    let options = || Options {
        budget: Some(2_000_000),
        ..Options::default()
    };
    let test = ready(&spec, Vec::new(), options()).test_run(&context(0, 0), b"", 0, 1);
    assert_eq!(1, test.expect("valid input").result);
    spec.instructions.push(EXIT_INSN);
    let sample = crate::fixtures::sample();
    let error = crate::exec::Program::new(&spec, Vec::new(), &sample, options());
    assert_eq!(
        Some(ResultCode::ProgramTooLarge),
        error.err().map(|error| error.code)
    );
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}

/// A file that declares so many maps, with a program that counts in the value of each.
fn maps_of(count: usize) -> Vec<u8> {
    let record = [1_u32, 4, 8, 2, 0].map(u32::to_le_bytes).concat();
    let names: Vec<String> = (0..count).map(|map| format!("map_{map}")).collect();
    let mut code = vec![Insn::new(class::ST | mem::MEM | mem::DW, 10, 0, -8, 7)];
    let mut relocations = Vec::new();
    let mut symbols = Vec::new();
    let pointer = |dst| {
        [
            Insn::new(class::ALU64 | alu::MOV | SOURCE_REGISTER, dst, 10, 0, 0),
            Insn::new(class::ALU64 | alu::ADD, dst, 0, 0, -8),
        ]
    };
    for (map, name) in names.iter().enumerate() {
        // Symbol 0 is the file's, and that of the program comes after the maps.
        relocations.extend((code.len() as u64 * 8).to_le_bytes());
        relocations.extend((R_BPF_64_64 | (map as u64 + 1) << 32).to_le_bytes());
        code.extend([Insn::new(LDDW, 1, 0, 0, 0), Insn::default()]);
        code.extend(pointer(2));
        code.extend(pointer(3));
        code.extend([
            Insn::new(class::ALU64 | alu::MOV, 4, 0, 0, 0),
            Insn::new(CALL, 0, 0, 0, 2),
        ]);
        symbols.push((name.as_str(), OBJECT, 2, map as u64 * 20, 20));
    }
    code.push(EXIT_INSN);
    symbols.push(("main", FUNCTION, 1, 0, code.len() as u64 * 8));
    let mut table = part(".relsample_ext", RELOCATIONS, 0, relocations);
    (table.link, table.info, table.entry) = (4, 1, 16);
    let parts = [
        part("sample_ext", PROGBITS, CODE, bytes(&code)),
        part("maps", PROGBITS, ALLOC, record.repeat(count)),
        table,
    ];
    file(&parts, &symbols)
}

/// A thousand maps in one object are all used; what is beyond the bound is refused.
#[test]
fn an_object_has_a_thousand_maps() {
    let start = Instant::now();
    let object = parse_object(&maps_of(1_000)).expect("a valid file");
    let program = &object.programs[0];
    assert_eq!(1_000, program.map_indices().len());
    let maps = live(&object.maps);
    let ready = ready(program, maps.clone(), Options::default());
    let test = ready
        .test_run(&context(0, 0), b"", 0, 1)
        .expect("valid input");
    assert_eq!((0, 0), (test.code, test.result));
    for map in &maps {
        assert_eq!(Ok(vec![7, 0, 0, 0, 0, 0, 0, 0]), map.lookup(&[7, 0, 0, 0]));
    }
    let error = parse_object(&maps_of(1_025)).expect_err("too many");
    assert_eq!("more than 1024 maps", error.message);
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}
