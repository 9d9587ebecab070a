//! What tests share: compiled objects, the sample program type, small programs.

use std::sync::Arc;

use crate::contract::{ContextDescriptor, ProgramInformation, Prototype};
use crate::exec::{Execution, Options, Program, TestRun};
use crate::functions::{FIRST_FUNCTION, Function};
use crate::isa::Insn;
use crate::loader::parse_object;
use crate::maps::{Map, MapOptions};
use crate::spec::{MapSpec, Object, ProgramSpec};

/// The objects that one compiler made of `tests/programs/*.c`, with their names.
macro_rules! objects {
    ($folder:literal: $($name:literal)*) => {
        [$(($name, include_bytes!(concat!("../tests/programs/", $folder, $name, ".o")))),*]
    };
}

/// Every object that clang 14 made.
pub const OBJECTS: [(&str, &[u8]); 20] = objects!("":
    "emitted" "externs" "general" "globals" "helpers" "imports"
    "legacy_iproute2" "legacy_linux" "legacy_maps" "loops" "maps" "only_text"
    "packet" "plain" "pointers" "rejected" "relocated" "subprograms"
    "untagged" "values"
);

/// The same of clang 16.
pub const OBJECTS_16: [(&str, &[u8]); OBJECTS.len()] = objects!("clang16/":
    "emitted" "externs" "general" "globals" "helpers" "imports"
    "legacy_iproute2" "legacy_linux" "legacy_maps" "loops" "maps" "only_text"
    "packet" "plain" "pointers" "rejected" "relocated" "subprograms"
    "untagged" "values"
);

/// Bytes of the sample context.
pub const CONTEXT_SIZE: usize = 32;

pub fn bytes(name: &str) -> &'static [u8] {
    let found = OBJECTS.iter().find(|(object, _)| *object == name);
    found.expect("a fixture of this name").1
}

pub fn object(name: &str) -> Object {
    parse_object(bytes(name)).expect("the fixture parses")
}

pub fn program<'a>(object: &'a Object, name: &str) -> &'a ProgramSpec {
    let found = object.programs.iter().find(|program| program.name == name);
    found.expect("a program of this name")
}

/// The sample program type of eBPF for Windows: 32 bytes, data at 0, end at 8.
pub fn sample() -> ProgramInformation {
    let helper = |id, name: &str, return_type, arguments: &[u32]| Prototype {
        id,
        name: format!("sample_ebpf_extension_{name}"),
        return_type,
        arguments: arguments.to_vec(),
        reallocate_packet: false,
        implicit_context: name.contains("implicit"),
    };
    ProgramInformation {
        name: "sample".into(),
        program_type: Vec::new(),
        context: ContextDescriptor {
            size: CONTEXT_SIZE as i32,
            data: 0,
            end: 8,
            meta: -1,
        },
        is_privileged: false,
        helpers: vec![
            helper(0x10000, "helper_function1", 0, &[4]),
            helper(0x10001, "find", 0, &[9, 2, 9, 2]),
            helper(0x10002, "replace", 0, &[11, 2, 1, 9, 2]),
            helper(0x10003, "helper_implicit_1", 0, &[]),
            helper(0x10004, "helper_implicit_2", 0, &[1]),
            helper(0x10005, "map_lookup_element", 1, &[5, 7]),
            helper(0x10006, "map_get_value", 0, &[5, 7, 11, 2]),
        ],
        functions: Vec::new(),
        writable: vec![(16, 16)],
        fields: Vec::new(),
    }
}

/// The sample program type with the functions that `imports.c` wants.
pub fn with_functions() -> ProgramInformation {
    let modules = [
        "12345678-1234-1234-1234-123456789abc",
        "00000000-0000-0000-0000-000000000002",
    ];
    let offered: [(&str, &str, &[u32]); 3] = [
        (modules[0], "first_lookup", &[1, 11, 2]),
        (modules[0], "first_add", &[1, 1]),
        (modules[1], "second_add", &[1, 1]),
    ];
    let function = |(id, (module, name, arguments)): (u32, (&str, &str, &[u32]))| Function {
        module: module.into(),
        prototype: Prototype {
            id,
            name: name.into(),
            return_type: 0,
            arguments: arguments.to_vec(),
            reallocate_packet: false,
            implicit_context: false,
        },
    };
    ProgramInformation {
        functions: (FIRST_FUNCTION..).zip(offered).map(function).collect(),
        ..sample()
    }
}

/// A sample context with these numbers in it.
pub fn context(number: u32, half: u16) -> Vec<u8> {
    let mut context = vec![0; CONTEXT_SIZE];
    context[16..20].copy_from_slice(&number.to_le_bytes());
    context[20..22].copy_from_slice(&half.to_le_bytes());
    context
}

/// A program of these instructions; `starts` are those of its sub-programs.
pub fn assembled(instructions: &[Insn], starts: &[usize]) -> ProgramSpec {
    let subprograms = starts.iter().map(|start| crate::spec::Subprogram {
        name: format!("at_{start}"),
        start: *start,
    });
    ProgramSpec {
        name: "assembled".into(),
        section: "sample_ext".into(),
        instructions: instructions.to_vec(),
        subprograms: subprograms.collect(),
        ..ProgramSpec::default()
    }
}

/// Live maps for all specs of an object.
pub fn live(specs: &[MapSpec]) -> Vec<Arc<Map>> {
    let live = |spec| Map::new(MapOptions::of(spec, specs)).map(Arc::new);
    let maps: crate::error::Result<Vec<_>> = specs.iter().map(live).collect();
    maps.expect("valid maps")
}

/// A program of the sample type that is ready to run.
pub fn ready(spec: &ProgramSpec, maps: Vec<Arc<Map>>, options: Options) -> Program {
    Program::new(spec, maps, &sample(), options).expect("a valid program")
}

/// Options for each executor; the caller vouches for the program as a verifier would.
pub fn executors() -> [Options; 2] {
    [Execution::Interpreter, Execution::Jit].map(|execution| Options {
        verified: crate::exec::Verified::Assumed,
        execution,
        ..Options::default()
    })
}

/// Run instructions once on a context of zeros, by both executors.
pub fn run(instructions: &[Insn]) -> TestRun {
    run_on(instructions, &[], &context(0, 0), b"")
}

/// Run instructions once by both executors, which must agree.
pub fn run_on(instructions: &[Insn], starts: &[usize], context: &[u8], data: &[u8]) -> TestRun {
    let spec = assembled(instructions, starts);
    run_both(&spec, Vec::new, context, data)
}

/// Run once by both executors, each with maps of its own.
pub fn run_both(
    spec: &ProgramSpec,
    maps: impl Fn() -> Vec<Arc<Map>>,
    context: &[u8],
    data: &[u8],
) -> TestRun {
    let [interpreted, compiled] = executors().map(|options| {
        let test = ready(spec, maps(), options).test_run(context, data, 0, 1);
        TestRun {
            elapsed_ns: 0,
            ..test.expect("valid input")
        }
    });
    assert_eq!(interpreted, compiled, "the executors disagree");
    interpreted
}

/// Run what no verifier would accept, on a context of zeros.
pub fn run_checked(instructions: &[Insn]) -> TestRun {
    let program = ready(
        &assembled(instructions, &[]),
        Vec::new(),
        Options::default(),
    );
    program
        .test_run(&context(0, 0), b"", 0, 1)
        .expect("valid input")
}

/// Numbers that look random and are the same in every run (xorshift).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, bound: usize) -> usize {
        ((self.next() >> 16) % bound as u64) as usize
    }

    pub fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Small, or near a power of two, or anything.
    pub fn number(&mut self) -> u64 {
        let shift = self.below(64);
        match self.below(6) {
            0 => self.below(16) as u64,
            1 => self.below(512) as u64,
            2 => (1_u64 << shift).wrapping_sub(self.below(3) as u64),
            3 => (1_u64 << shift).wrapping_add(self.below(3) as u64),
            4 => (self.below(64) as u64).wrapping_neg(),
            _ => self.next() >> shift,
        }
    }
}
