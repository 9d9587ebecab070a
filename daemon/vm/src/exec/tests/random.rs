//! Programs that nobody verified: random instructions, and compiled ones with damage.
//!
//! Whatever they do, an invocation ends with one of the codes that the
//! interpreter has, within its budget, and changes only what it may.

use std::sync::Arc;

use super::*;
use crate::error::ResultCode;
use crate::exec::{Options, Program};
use crate::fixtures::{OBJECTS, Random, assembled, context, live, object, sample};
use crate::helpers;
use crate::isa::{CALL, CALL_LOCAL, EXIT as EXIT_CODE, LDDW, LDDW_MAP, LDDW_MAP_VALUE};
use crate::isa::{MAX_CALL_FRAMES, atomic, jump, mem, validate};
use crate::maps::Map;
use crate::spec::{MapSpec, ProgramSpec};

/// Valid programs of each kind in one test run; takes a few seconds.
const PROGRAMS: usize = 20_000;
const BUDGET: u64 = 3_000;
const READ_ONLY: [u8; 16] = [0x5a; 16];
/// Pointers that every program begins with: context, data, a map value, the frame.
const BASES: [u8; 4] = [6, 7, 9, 10];

struct Generator(Random);

impl Generator {
    fn insn(&mut self, opcode: u8, offset: i16) -> Insn {
        let imm = self.0.number() as i32;
        let (dst, src) = (self.0.below(10) as u8, self.0.below(11) as u8);
        Insn::new(opcode, dst, src, offset, imm)
    }

    fn arithmetic(&mut self) -> Insn {
        let class = self.0.pick(&[class::ALU, class::ALU64]);
        let operation = (self.0.below(14) as u8) << 4;
        let register = self.0.one_in(2);
        let insn = self.insn(class | operation, 0);
        match operation {
            alu::NEG => Insn {
                src: 0,
                imm: 0,
                ..insn
            },
            alu::END => {
                let opcode = insn.opcode
                    | if class == class::ALU && register {
                        X
                    } else {
                        0
                    };
                let imm = self.0.pick(&[16, 32, 64]);
                Insn {
                    opcode,
                    src: 0,
                    imm,
                    ..insn
                }
            }
            _ => {
                let offset = match operation {
                    alu::DIV | alu::MOD => self.0.pick(&[0, 1]),
                    alu::MOV if register => self.0.pick(&[0, 0, 8, 16]),
                    _ => 0,
                };
                self.operand(Insn { offset, ..insn }, register)
            }
        }
    }

    fn operand(&mut self, insn: Insn, register: bool) -> Insn {
        if register {
            let opcode = insn.opcode | X;
            Insn {
                opcode,
                imm: 0,
                ..insn
            }
        } else {
            Insn { src: 0, ..insn }
        }
    }

    fn jump(&mut self) -> Insn {
        let class = self.0.pick(&[class::JMP, class::JMP32]);
        let operation = self.0.pick(&[
            jump::JA,
            jump::JEQ,
            jump::JGT,
            jump::JGE,
            jump::JSET,
            jump::JNE,
            jump::JSGT,
            jump::JSGE,
            jump::JLT,
            jump::JLE,
            jump::JSLT,
            jump::JSLE,
        ]);
        let distance = self.0.below(12) as i16 - 4;
        let insn = self.insn(class | operation, distance);
        if operation != jump::JA {
            let register = self.0.one_in(2);
            return self.operand(insn, register);
        }
        let (offset, imm) = if class == class::JMP {
            (distance, 0)
        } else {
            (0, distance.into())
        };
        Insn::new(insn.opcode, 0, 0, offset, imm)
    }

    /// Mostly near a pointer, sometimes anywhere.
    fn access(&mut self) -> Insn {
        let base = if self.0.one_in(8) {
            self.0.below(11) as u8
        } else {
            self.0.pick(&BASES)
        };
        let near = self.0.below(24) as i16;
        let offset = match base {
            _ if self.0.one_in(16) => self.0.next() as i16,
            10 => -near - 1,
            _ => near,
        };
        let width = self.0.pick(&[mem::B, mem::H, mem::W, mem::DW]);
        let imm = self.0.number() as i32;
        let register = self.0.below(10) as u8;
        match self.0.below(5) {
            0 => Insn::new(class::LDX | mem::MEM | width, register, base, offset, 0),
            1 if width != mem::DW => {
                Insn::new(class::LDX | mem::MEMSX | width, register, base, offset, 0)
            }
            2 => Insn::new(class::ST | mem::MEM | width, base, 0, offset, imm),
            3 => {
                let operation = self.0.pick(&[
                    atomic::ADD,
                    atomic::OR,
                    atomic::AND | atomic::FETCH,
                    atomic::XOR | atomic::FETCH,
                    atomic::XCHG,
                    atomic::CMPXCHG,
                ]);
                let width = self.0.pick(&[mem::W, mem::DW]);
                let opcode = class::STX | mem::ATOMIC | width;
                Insn::new(opcode, base, register, offset & !7, operation)
            }
            _ => Insn::new(class::STX | mem::MEM | width, base, register, offset, 0),
        }
    }

    /// Any helper that there is, its arguments as they happen to be or pointers.
    fn call(&mut self, code: &mut Vec<Insn>) {
        let ids: Vec<u32> = helpers::implemented().map(|helper| helper.id).collect();
        for register in 1..=5 {
            let base = self.0.pick(&BASES);
            match self.0.below(4) {
                0 => code.extend(map(register, LDDW_MAP, self.0.below(3) as i32, 0)),
                1 => code.push(mov(register, self.0.below(20) as i32)),
                2 => {
                    code.push(Insn::new(class::ALU64 | alu::MOV | X, register, base, 0, 0));
                    let by = if base == 10 { -16 } else { 0 };
                    code.push(alu64(alu::ADD, register, by));
                }
                _ => {}
            }
        }
        code.push(Insn::new(CALL, 0, 0, 0, self.0.pick(&ids) as i32));
    }

    fn function(&mut self, code: &mut Vec<Insn>) {
        for _ in 0..self.0.below(24) {
            match self.0.below(16) {
                0..=4 => code.push(self.arithmetic()),
                5..=6 => code.push(self.jump()),
                7..=11 => code.push(self.access()),
                12 => self.call(code),
                13 => code.push(Insn::new(
                    CALL,
                    0,
                    CALL_LOCAL,
                    0,
                    self.0.below(60) as i32 - 30,
                )),
                14 => code.extend(map(
                    self.0.below(10) as u8,
                    LDDW_MAP_VALUE,
                    1 + self.0.below(2) as i32,
                    self.0.below(17) as i32,
                )),
                _ => code.extend(lddw(self.0.below(10) as u8, self.0.number())),
            }
        }
        code.push(Insn::new(EXIT_CODE, 0, 0, 0, 0));
    }

    /// One to three functions; local calls are made to lead to one of them.
    fn program(&mut self) -> ProgramSpec {
        let mut code = vec![
            Insn::new(class::ALU64 | alu::MOV | X, 6, 1, 0, 0),
            Insn::new(class::LDX | mem::MEM | mem::DW, 7, 1, 0, 0),
            Insn::new(class::LDX | mem::MEM | mem::DW, 8, 1, 8, 0),
        ];
        code.extend(map(9, LDDW_MAP_VALUE, 1, 0));
        let mut starts = Vec::new();
        for function in 0..=self.0.below(3) {
            if function > 0 {
                starts.push(code.len());
            }
            self.function(&mut code);
        }
        for (pc, insn) in code.iter_mut().enumerate() {
            if insn.is_local_call() {
                let target = starts.get(self.0.below(4)).copied().unwrap_or(0);
                insn.imm = target as i32 - pc as i32 - 1;
            }
        }
        assembled(&code, &starts)
    }
}

fn map(dst: u8, kind: u8, index: i32, offset: i32) -> [Insn; 2] {
    [
        Insn::new(LDDW, dst, kind, 0, index),
        Insn::new(0, 0, 0, 0, offset),
    ]
}

/// A HASH, an ARRAY, and an ARRAY that no program may change.
fn maps() -> Vec<Arc<Map>> {
    let array = MapSpec {
        name: "array".into(),
        map_type: 2,
        key_size: 4,
        value_size: 16,
        max_entries: 1,
        ..MapSpec::default()
    };
    let hash = MapSpec {
        map_type: 1,
        max_entries: 4,
        ..array.clone()
    };
    let constant = MapSpec {
        read_only: true,
        initial: Some(READ_ONLY.to_vec()),
        ..array.clone()
    };
    live(&[hash, array, constant])
}

/// Run once; the code, if the program is one that the engine takes.
fn run(spec: &ProgramSpec, maps: &[Arc<Map>]) -> Option<u8> {
    validate(&spec.instructions, &spec.starts()).ok()?;
    let options = Options {
        budget: Some(BUDGET),
        ..Options::default()
    };
    let program = Program::new(spec, maps.to_vec(), &sample(), options).ok()?;
    let sent = context(7, 9);
    let test = program.test_run(&sent, b"0123456789abcdefghijklmn", 0, 1);
    let test = test.expect("valid input");
    let codes = [
        0,
        ResultCode::Failed as u8,
        ResultCode::InvalidPointer as u8,
        ResultCode::Timeout as u8,
    ];
    assert!(
        codes.contains(&test.code),
        "{} ended with {}",
        spec.name,
        test.code
    );
    assert_eq!(sent[..16], test.context[..16], "its pointers");
    assert_eq!(24, test.data.len());
    Some(test.code)
}

/// Twenty thousand random programs end, each in one of the ways that there are.
#[test]
fn random_programs_end_and_stay_inside() {
    let maps = maps();
    let mut ends = std::collections::BTreeMap::new();
    let mut valid = 0;
    for seed in 0.. {
        let mut generator = Generator(Random::new(seed));
        if let Some(code) = run(&generator.program(), &maps) {
            *ends.entry(code).or_insert(0) += 1;
            valid += 1;
        }
        if valid == PROGRAMS {
            break;
        }
        assert!(seed < 40 * PROGRAMS as u64, "too few are valid: {valid}");
    }
    assert_eq!(Ok(READ_ONLY.to_vec()), maps[2].lookup(&[0; 4]));
    // Otherwise the programs would say little.
    for code in [0, 17, 31, 32] {
        assert!(
            ends.get(&code).is_some_and(|count| *count > 100),
            "{code}: {ends:?}"
        );
    }
}

/// So do compiled programs with random damage.
#[test]
fn damaged_programs_end_and_stay_inside() {
    let mut random = Random::new(5);
    let mut valid = 0;
    let names = OBJECTS.iter().map(|(name, _)| *name);
    let names: Vec<_> = names
        .filter(|name| !["externs", "pointers", "untagged"].contains(name))
        .collect();
    let objects: Vec<_> = names.into_iter().map(object).collect();
    let usable = |map: &MapSpec| matches!(map.map_type, 1 | 2);
    let objects: Vec<_> = objects
        .iter()
        .filter(|o| o.maps.iter().all(usable))
        .collect();
    assert!(objects.len() > 6 && MAX_CALL_FRAMES == 8);
    for _ in 0..4 * PROGRAMS {
        let object = objects[random.below(objects.len())];
        let mut spec = object.programs[random.below(object.programs.len())].clone();
        for _ in 0..=random.below(3) {
            let at = random.below(spec.instructions.len());
            let mut slot = spec.instructions[at].to_bytes();
            slot[random.below(8)] = random.number() as u8;
            spec.instructions[at] = Insn::from_bytes(slot);
        }
        valid += usize::from(run(&spec, &live(&object.maps)).is_some());
    }
    assert!(valid > PROGRAMS / 2, "too few are valid: {valid}");
}
